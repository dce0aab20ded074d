"""What holds for any frames in any order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.bridge import Observation
from bridges.cytube_room import HEARD, enter, frame
from tests.bridges.desk import FakeDesk, received
from userstats.contract.events import Event

from .play import PLACE, REJOIN, Player, chat, user

NOW = 1_700_000_000_000
BUFFER = 15

words = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "amy", "AMY", "bob", "[server]", "BridgeBot", "\ud800", "x\udfffy", "a\x00b", "x" * 200, ":a:"]
    ),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), words, st.sampled_from([NOW, NOW + 1, 0, 2**63, "amy", True])
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)
FIELDS = (
    "name", "meta", "afk", "username", "msg", "time", "to", "id", "title", "seconds", "type", "currentTime", "uid",
    "item", "queueby", "media", "old", "success", "error", "reason", "shadow",
)  # fmt: skip
almost_payloads = st.recursive(
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)),
    max_leaves=6,
)
any_frame = st.tuples(
    st.sampled_from([*sorted(HEARD), "channelOpts", "unknown", "\ud800"]),
    st.lists(st.one_of(json_values, almost_payloads), max_size=2),
    st.integers(NOW, NOW + 10_000),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(any_frame, max_size=8))
def test_no_payload_raises_or_makes_an_event_that_userstats_would_refuse(frames: list[Any]) -> None:
    player = Player(own="BridgeBot")

    player.play(frames)


names = st.sampled_from(["amy", "Amy", "bob", "[server]", "BridgeBot", ""])
people_frames = st.one_of(
    st.tuples(st.just("addUser"), st.builds(lambda name, afk: [user(name, afk=afk)], names, st.booleans())),
    st.tuples(st.just("userLeave"), st.builds(lambda name: [{"name": name}], names)),
    st.tuples(st.just("setAFK"), st.builds(lambda name, afk: [{"name": name, "afk": afk}], names, st.booleans())),
    st.tuples(
        st.just("setUserMeta"),
        st.builds(lambda name, afk: [{"name": name, "meta": {"afk": afk}}], names, st.booleans()),
    ),
    st.tuples(
        st.just("userlist"),
        st.builds(lambda who, afk: [[user(name, afk=afk) for name in who]], st.lists(names, max_size=3), st.booleans()),
    ),
)


def _states(events: Sequence[Event], desk: FakeDesk) -> tuple[dict[str, bool], list[str]]:
    """Who is here and away by the events alone, and what in them contradicts what was said before."""
    here: dict[str, bool] = {}
    faults: list[str] = []

    def roster(event: dict[str, Any]) -> None:
        here.clear()
        here.update({present["person"]: present["afk"] for present in event.get("people", ())})

    def joined(event: dict[str, Any]) -> None:
        faults.extend(["joined twice"] * (event["person"] in here))
        here[event["person"]] = event.get("afk", False)

    def left(event: dict[str, Any]) -> None:
        faults.extend(["left without having come"] * (here.pop(event["person"], None) is None))

    def away(event: dict[str, Any]) -> None:
        faults.extend(["away twice"] * (here.get(event["person"]) is not False))
        here[event["person"]] = True

    def back(event: dict[str, Any]) -> None:
        faults.extend(["back twice"] * (here.get(event["person"]) is not True))
        here[event["person"]] = False

    apply = {"RosterSeen": roster, "Joined": joined, "Left": left, "AfkStarted": away, "AfkEnded": back}
    for event in desk.spelled(events):
        apply.get(event["kind"], lambda _event: None)(event)
    return here, faults


@settings(max_examples=300, deadline=None)
@given(st.lists(people_frames, max_size=25))
def test_g04_g06_joins_leaves_and_absences_alternate_and_alone_say_who_is_here(frames: list[Any]) -> None:
    player = Player(own="BridgeBot")

    player.play([(name, args, NOW) for name, args in frames])

    here, faults = _states(player.events, player.desk)
    assert faults == []
    assert here == {folded: seen.afk for folded, seen in player.room.people.items()}


Said = tuple[str, str, int]


class Server:
    """A CyTube's chat: it keeps the last 15 lines, and replays them to whoever joins."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.reached: set[int] = set()
        """The lines that the bridge can have heard, live or replayed."""

    def say(self, author: str, text: str, time: int, *, heard: bool) -> list[tuple[str, list[Any], int]]:
        self.lines.append(dict(chat(author, text, time)))
        self.reached |= {len(self.lines) - 1} if heard else set()
        return [("chatMsg", [self.lines[-1]], time + 5)] * heard

    def join(self, now: int) -> list[tuple[str, list[Any], int]]:
        first = max(0, len(self.lines) - BUFFER)
        self.reached |= set(range(first, len(self.lines)))
        replay = [("chatMsg", [line], now) for line in self.lines[first:]]
        return [(REJOIN, [], now), *replay, ("userlist", [[]], now)]

    def expected(self) -> Counter[tuple[str, int]]:
        return Counter((self.lines[index]["username"], self.lines[index]["time"]) for index in self.reached)


def _counted(player: Player) -> Counter[tuple[str, int]]:
    told = player.desk.spelled(player.events)
    return Counter((event["author"], event["at"]) for event in told if event["kind"] == "MessageSent")


def _stay(server: Server, player: Player, missed: Sequence[Said], heard: Sequence[Said]) -> None:
    """The bridge misses some lines, joins, and hears some more."""
    for author, text, time in missed:
        server.say(author, text, time, heard=False)
    player.play(server.join(NOW + 100_000))
    for author, text, time in heard:
        player.play(server.say(author, text, time, heard=True))


authors = st.sampled_from(["amy", "bob"])
stays = st.lists(st.tuples(st.lists(authors, max_size=25), st.lists(authors, max_size=25)), min_size=1, max_size=6)
"""Who says a line while the bridge is away, and who while it is there, again and again."""


@settings(max_examples=200, deadline=None)
@given(stays, st.integers(1, 8))
def test_g06_whatever_was_missed_and_replayed_each_line_counts_once(
    rounds: list[tuple[list[str], list[str]]], at_once: int
) -> None:
    server, player = Server(), Player()
    number = itertools.count()

    def lines(speakers: list[str]) -> list[Said]:
        numbered = [(author, next(number)) for author in speakers]
        return [(author, f"line {n}", NOW + n // at_once * at_once) for author, n in numbered]

    for missed, heard in rounds:
        _stay(server, player, lines(missed), lines(heard))
    player.play(server.join(NOW + 200_000))

    assert _counted(player) == server.expected()


equal_lines = st.lists(st.tuples(authors, st.sampled_from(["ha", "ho"]), st.just(NOW)), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(equal_lines, equal_lines), min_size=1, max_size=2))
def test_g06_equal_lines_of_one_moment_are_told_apart_by_their_number(
    rounds: list[tuple[list[Said], list[Said]]],
) -> None:
    server, player = Server(), Player()

    for missed, heard in rounds:
        _stay(server, player, missed, heard)
    player.play(server.join(NOW + 200_000)[: 1 + BUFFER])

    assert _counted(player) == server.expected()


@given(st.integers(0, 20), st.integers(0, 20))
def test_g06_an_observation_that_was_lost_in_a_crash_is_made_again_from_the_replay(before: int, unkept: int) -> None:
    server, desk = Server(), FakeDesk()
    events: list[Event] = []

    def hear(frames: Sequence[tuple[str, list[Any], int]], keep: bool) -> None:
        room = enter(PLACE, f"w{len(server.lines)}", desk)
        for name, args, now in frames:
            room, observation = frame(room, name, args, now, desk)
            kept = observation if keep else Observation()
            desk.keep(kept)
            events.extend(kept.events)

    first = [line for n in range(before) for line in server.say("amy", f"{n}", NOW + n, heard=True)]
    hear(first, keep=True)
    crashed = [
        line for n in range(min(unkept, BUFFER)) for line in server.say("amy", f"{n}", NOW + 100 + n, heard=True)
    ]
    hear(crashed, keep=False)
    hear(server.join(NOW + 1000), keep=True)

    messages = [event for event in events if type(event).__name__ == "MessageSent"]
    assert Counter((desk.labels_of(event.author), event.at) for event in messages) == server.expected()  # type: ignore[attr-defined]
    assert received(events) == events
