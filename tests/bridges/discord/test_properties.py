"""What holds for any dispatches in any order."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.discord.memory import Recent
from bridges.discord.normalise import HEARD
from bridges.discord.telling import MOST_EVENTS, Telling, parts
from tests.bridges.desk import received
from userstats.contract import wire
from userstats.contract.events import BridgeBeat, Event, Place, Presence

from .play import AFK, ATTIC, GUILD, NOW, VOICE, Player, create, presence, ready, started, voice

OTHER = "101"
RECORDED = [
    frame
    for case in sorted(Path(__file__).parent.glob("*.json"))
    for frame in json.loads(case.read_text())["given"]
    if frame[0] in HEARD
]
"""Dispatches as they are, to make others of."""

words = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "1", "11", GUILD, VOICE, "\ud800", "a\x00b", "x" * 300, "99999999999999999999", "-1", "<@11>++"]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something can be replaced."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in children for found in _paths(child, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A recorded dispatch with something else in one or two places."""
    name, data, now = copy.deepcopy(draw(st.sampled_from(RECORDED)))
    holder = [data]
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(_paths(holder)[1:]))
        at: Any = holder
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = draw(json_values)
    return [name, holder[0], now]


@settings(max_examples=400, deadline=None)
@given(st.lists(mutated(), max_size=6))
def test_no_mutated_dispatch_raises_or_makes_an_event_that_userstats_would_refuse(frames: list[Any]) -> None:
    started().play(*frames)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(HEARD)), json_values, st.just(NOW)), max_size=6))
def test_no_json_raises(frames: list[Any]) -> None:
    started().play(*frames)


@settings(max_examples=100, deadline=None)
@given(st.lists(mutated(), max_size=4))
def test_dispatches_before_a_session_has_begun_are_survived(frames: list[Any]) -> None:
    Player().play(*frames)


people = st.sampled_from(["11", "12", "13"])
states = st.builds(
    lambda account, channel, muted, deafened: voice(
        account, channel, self_mute=muted, self_deaf=deafened, bot=account == "13"
    ),
    people,
    st.sampled_from([None, VOICE, ATTIC, AFK]),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(states, max_size=30))
def test_g04_moves_alone_say_who_is_where_and_counts_alone_how_many(given_states: list[Any]) -> None:
    player = started()
    told = player.play(*(["VOICE_STATE_UPDATE", state, NOW] for state in given_states))

    now: dict[str, Any] = {state["user_id"]: state for state in given_states}
    expected = {account: state for account, state in now.items() if state["channel_id"]}
    where: dict[str, str] = {}
    heads: Counter[tuple[str, str]] = Counter()
    faults = []
    for event in told:
        if event["kind"] == "VoiceMoved":
            faults += [event] * (event.get("before", "") != where.get(event["person"], ""))
            where[event["person"]] = event.get("now", {}).get("channel", "")
        for head in event.get("channels", ()) if event["kind"] == "VoiceCounted" else ():
            heads.update(
                {(head["channel"], one): head.get(one, 0) - heads[head["channel"], one] for one in KINDS_OF_HEADS}
            )
    assert faults == []
    assert {account: channel for account, channel in where.items() if channel} == {
        account: state["channel_id"] for account, state in expected.items()
    }
    assert +heads == Counter((state["channel_id"], _kind_of(state)) for state in expected.values())


KINDS_OF_HEADS = ("people", "deafened", "bots")


def _kind_of(state: dict[str, Any]) -> str:
    return "bots" if state["user_id"] == "13" else "deafened" if state["self_deaf"] else "people"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["online", "idle", "dnd", "offline"]), max_size=12),
    st.lists(st.booleans(), min_size=24, max_size=24),
)
def test_g05_two_guilds_that_tell_the_same_each_at_its_own_pace_give_one_timeline(
    timeline: list[str], turns: list[bool]
) -> None:
    player = Player()
    player.play(ready(GUILD, OTHER), create(presences=[presence("11", "idle")]))
    player.play(["GUILD_CREATE", {"id": OTHER, "presences": [presence("11", "idle", guild=OTHER)]}, NOW])
    waiting = {GUILD: list(timeline), OTHER: list(timeline)}
    told: list[str] = []
    for turn in turns:
        guild = max(waiting, key=lambda one: (bool(waiting[one]), (one == GUILD) == turn))
        for status in waiting[guild][:1]:
            del waiting[guild][0]
            events = player.play(["PRESENCE_UPDATE", presence("11", status, guild=guild), NOW])
            told += [event["presence"]["status"] for event in events if event["kind"] == "PresenceChanged"]

    changes = [status for before, status in zip(["idle", *timeline], timeline, strict=False) if status != before]
    assert told == changes


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["tell", "100", "101", "102"]), max_size=40))
def test_what_is_told_opened_and_closed_comes_out_in_order(steps: list[str]) -> None:
    telling = Telling()
    expected: list[tuple[str, str]] = []
    observed: set[str] = set()
    for n, step in enumerate(steps):
        where, kind = Place("discord", step, ""), "tell" if step == "tell" else "close" if step in observed else "open"
        {
            "tell": lambda n=n, where=where: telling.tell(_beat(n, where)),
            "open": lambda n=n, where=where: telling.open(where, f"w.{n}"),
            "close": lambda n=n, where=where: telling.close(where, "lost"),
        }[kind]()
        observed ^= {step} - {"tell"}
        expected.append((kind, step))

    told = [
        one
        for observation in telling.take()
        for one in (
            *(("open", place.space) for place in observation.opened or {}),
            *(("tell", event.place.space) for event in observation.events),
            *(("close", place.space) for place in observation.closed),
        )
    ]
    assert told == expected
    assert telling.take() == []


def _beat(n: int, place: Place) -> Event:
    return BridgeBeat(id=n + 1, at=NOW, seen=NOW, place=place, watch="w")


def test_an_observation_holds_some_hundred_events_at_most() -> None:
    telling = Telling()
    for n in range(3 * MOST_EVENTS + 1):
        telling.tell(_beat(n, Place("discord", "1", "")))

    assert [len(observation.events) for observation in telling.take()] == [MOST_EVENTS] * 3 + [1]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.builds(lambda n: {"type": 0, "name": "é" * n}, st.integers(0, 128)), max_size=10), st.integers(1, 400)
)
def test_every_part_of_a_snapshot_fits_into_an_event(activities: list[Any], many: int) -> None:
    crowd = [presence(str(1000 + n), "online", *activities) for n in range(many)]
    player = started(presences=crowd)

    sizes = [len(wire.body(event)) for event in player.events]

    assert max(sizes) < wire.LARGEST - 512
    assert received(player.events) == player.events


@given(st.lists(st.integers(0, 99), max_size=300), st.integers(2, 50))
def test_a_memory_never_forgets_the_latest_half_nor_keeps_more_than_it_may(puts: list[int], limit: int) -> None:
    memory: Recent[int, int] = Recent(limit)
    for n, key in enumerate(puts):
        memory.put(key, n)
        assert len(memory) <= limit

    latest = list(dict.fromkeys(reversed(puts)))[: limit // 2]
    assert [key for key in latest if key not in memory] == []


def test_parts_of_nobody_are_one_empty_part() -> None:
    assert parts(list[Presence]()) == [()]
