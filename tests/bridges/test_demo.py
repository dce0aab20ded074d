"""The demo rooms: repeatable, valid, without gaps or repetitions, and silent about what their people write."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final, TypeVar

import pytest
from msgspec.structs import replace

from bridges import demo
from bridges.bridge import Ended, Observation
from bridges.demo import lines, normalise
from bridges.demo.actions import Said, Whispered
from bridges.demo.cast import BOT
from bridges.demo.client import BATCH, DemoRoom
from bridges.demo.dice import DAY, HOUR, MINUTE, SECOND
from bridges.demo.script import Script
from bridges.text import Lexicon
from tests.bridges.desk import FakeDesk
from userstats.contract import subjects, wire
from userstats.contract.config import ConfigError, from_document
from userstats.contract.events import (
    AfkEnded,
    AfkStarted,
    BridgeBeat,
    Event,
    Joined,
    Left,
    MediaStarted,
    MessageSent,
    Named,
    Place,
    PlaceNamed,
    PopulationCounted,
    PrivateMessageSent,
    RosterSeen,
)
from userstats.contract.pseudonym import Pseudonyms

FRIDAY: Final = 1_795_132_800_000
"""Midnight, UTC, at which Friday 2026-11-20 begins."""
PSEUDONYMS: Final = Pseudonyms(b"a key for tests only")
PLACE: Final = Place("demo", "demo.local", "grindhouse")
NOTHING_TAUGHT: Final = Lexicon()

Kind = TypeVar("Kind", bound=Event)


class Desk(FakeDesk):
    """What the runner lends: here with a clock that only sleeping moves, and a cursor that outlives a watch."""

    def __init__(self, now: int, lexicon: Lexicon = NOTHING_TAUGHT) -> None:
        super().__init__(lexicon)
        self.pseudonyms = PSEUDONYMS  # type: ignore[assignment]
        self.clock = now

    def cursor(self, key: str) -> str | None:
        return self.kept.get(key)

    def now(self) -> int:
        return self.clock

    async def sleep(self, seconds: float) -> None:
        self.clock += round(seconds * SECOND)


class Watched:
    """What one watch observed, and when."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.times: list[int] = []

    @property
    def events(self) -> list[Event]:
        return [event for observation in self.observations for event in observation.events]


def room(desk: Desk, *, history_hours: float = 3, speed: float = 1, seed: int = 420, people: int = 60) -> DemoRoom:
    return DemoRoom(
        Script(seed, "grindhouse", people),
        PLACE,
        title="Grindhouse",
        seed=seed,
        history_hours=history_hours,
        speed=speed,
        sleep=desk.sleep,
    )


async def watched(desk: Desk, bridge: DemoRoom, until: int, watch: str = "w1") -> Watched:
    """Watch until that time at least; the cursor is kept as an outbox keeps it."""
    result = Watched()
    async with aclosing(bridge.watch(desk, watch)) as observations:
        while desk.now() < until:
            result.observations.append(await anext(observations))
            result.times.append(desk.now())
            desk.kept.update(result.observations[-1].cursor)
    return result


@pytest.fixture(scope="module")
def past() -> list[Event]:
    """Two days of the first room, up to the beginning of Saturday, and a minute of the present."""
    desk = Desk(FRIDAY + DAY)
    return asyncio.run(watched(desk, room(desk, history_hours=48), desk.now() + MINUTE)).events


def only(kind: type[Kind], events: Sequence[object]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]


def kinds(events: Sequence[Event]) -> set[str]:
    return set(map(wire.kind_of, events))


def people_named(events: Sequence[Event]) -> dict[str, int | None]:
    return {event.name: event.person for event in only(Named, events)}


# the play


async def test_the_same_seed_and_start_give_the_same_events() -> None:
    desks = Desk(FRIDAY), Desk(FRIDAY)

    one, other = [(await watched(desk, room(desk), FRIDAY + 10 * MINUTE)).events for desk in desks]

    assert one == other


async def test_another_seed_gives_other_events() -> None:
    desks = (Desk(FRIDAY), 1), (Desk(FRIDAY), 2)

    one, other = [(await watched(desk, room(desk, seed=seed), FRIDAY + MINUTE)).events for desk, seed in desks]

    assert {event.id for event in one}.isdisjoint(event.id for event in other)


def test_the_play_is_the_same_in_every_process() -> None:
    program = (
        "from bridges.demo.script import Script; import hashlib, itertools;"
        f"play = itertools.islice(Script(420, 'grindhouse', 60).play({FRIDAY}), 3000);"
        "print(hashlib.sha256(repr(list(play)).encode()).hexdigest())"
    )

    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert len(digests) == 1


@pytest.mark.parametrize("later", [1, 7 * MINUTE, HOUR, 5 * HOUR + 123, DAY])
def test_who_enters_later_sees_the_same_play(later: int) -> None:
    beginning = Script(420, "grindhouse", 60).play(FRIDAY)
    entered = Script(420, "grindhouse", 60).play(FRIDAY + later)

    first = next(entered)
    skipped = next(action for action in beginning if action[0] > FRIDAY + later)

    assert [skipped, *(next(beginning) for _ in range(2000))] == [first, *(next(entered) for _ in range(2000))]


def test_the_scene_at_any_time_is_what_the_play_has_led_to() -> None:
    script = Script(420, "grindhouse", 60)
    seat = normalise.Seat(PSEUDONYMS, PLACE, "w1", 420)
    inside, _ = normalise.enter(seat, "Grindhouse", script.scene(FRIDAY), FRIDAY)
    play = script.play(FRIDAY)
    at, action = next(play)
    led_to, found = [], []

    for moment in range(FRIDAY + 11 * MINUTE, FRIDAY + DAY, 11 * MINUTE):
        while at <= moment:
            inside, _ = normalise.translate(seat, inside, NOTHING_TAUGHT, at, action)
            at, action = next(play)
        led_to.append(dict(inside.present))
        found.append(dict(script.scene(moment).present))

    assert led_to == found


def story(event: Event) -> list[tuple[int, str]]:
    """Whom an event is about, and a letter for what it says of them."""
    match event:
        case RosterSeen(people=people):
            return [(present.person, "J" + "A" * present.afk) for present in people]
        case Joined(person=person):
            return [(person, "J")]
        case Left(person=person):
            return [(person, "L")]
        case AfkStarted(person=person):
            return [(person, "A")]
        case AfkEnded(person=person):
            return [(person, "E")]
        case MessageSent(author=person) | PrivateMessageSent(author=person):
            return [(person, "M")]
        case _:
            return []


def test_people_come_before_they_leave_talk_only_while_awake_and_go_away_and_return_by_turns(past: list[Event]) -> None:
    stories: defaultdict[int, str] = defaultdict(str)
    for event in past:
        for person, letter in story(event):
            stories[person] += letter

    # here: J ... L; away: A ... E, or A ... L; talk (M) only in between
    strange = [told for told in stories.values() if not re.fullmatch(r"(JM*(AEM*)*A?L)*(JM*(AEM*)*A?)?", told)]

    assert strange == []
    assert len(stories) > 50


def test_no_two_facts_have_the_same_id(past: list[Event]) -> None:
    assert [event_id for event_id, times in Counter(event.id for event in past).items() if times > 1] == []


def test_every_kind_that_a_cytube_room_can_have_appears(past: list[Event]) -> None:
    assert kinds(past) == {
        "MessageSent", "PrivateMessageSent", "Joined", "Left", "AfkStarted", "AfkEnded", "MediaStarted",
        "PopulationCounted", "RosterSeen", "Named", "PlaceNamed", "EventRefused", "BridgeBeat",
    }  # fmt: skip


def test_all_events_are_valid_and_smaller_than_the_stream_takes(past: list[Event]) -> None:
    sealed = [
        (event, wire.seal(wire.body(event), "demo-producer", n), subjects.event(event.place, wire.kind_of(event)))
        for n, event in enumerate(past, 1)
    ]

    decoded = [wire.decode(raw, subject) for _, raw, subject in sealed]

    assert [replace(event, v=0, producer="", n=0, crc=0) for event in only(Event, decoded)] == past


def test_times_never_run_backwards(past: list[Event]) -> None:
    times = [event.at for event in past]

    assert times == sorted(times)
    assert times == [event.seen for event in past]
    assert times[0] == FRIDAY - DAY


def test_the_evening_is_livelier_than_the_morning(past: list[Event]) -> None:
    lines_of_hour = Counter(event.at // HOUR % 24 for event in only(MessageSent, past))

    assert sum(lines_of_hour[hour] for hour in (19, 20, 21, 22)) > 4 * sum(lines_of_hour[hour] for hour in (5, 6, 7, 8))


def test_two_days_are_worth_looking_at_and_not_too_many(past: list[Event]) -> None:
    assert 25_000 < len(past) < 60_000


def test_media_follow_one_another_without_a_gap() -> None:
    script = Script(420, "grindhouse", 60)
    items = script._programme.starts(FRIDAY, FRIDAY + 14 * DAY)

    assert [at for at, _ in items] == [FRIDAY, *(at + film.lasts for at, film in items)][:-1]
    assert items[-1][0] + items[-1][1].lasts == FRIDAY + 14 * DAY
    assert {film.seconds is None for _, film in items} == {True, False}
    assert min(film.lasts for _, film in items) >= MINUTE


def test_media_have_all_that_can_be_said_of_them(past: list[Event]) -> None:
    media = only(MediaStarted, past)
    named = set(people_named(past).values())

    assert [medium.resumed for medium in media] == [True] + [False] * (len(media) - 1)
    assert {medium.media_type for medium in media} == {"yt", "gd", "fi", "vi", "dm", "tw"}
    assert [medium for medium in media if not medium.title or not medium.media_id] == []
    assert {medium.queued_by for medium in media} <= named


def test_everybody_is_named_once_before_anything_else_is_said_of_them(past: list[Event]) -> None:
    names = Counter(event.name for event in only(Named, past))
    named_at = {event.person: place for place, event in enumerate(past) if isinstance(event, Named)}
    met_at: dict[int, int] = {}
    for place, event in enumerate(past):
        for person, _ in story(event):
            met_at.setdefault(person, place)

    assert [person for person, place in met_at.items() if named_at[person] > place] == []
    assert set(names.values()) == {1}
    assert {"kevinchrist", "exampleuser", BOT} <= set(names)


def test_population_counts_follow_the_roster(past: list[Event]) -> None:
    counts = only(PopulationCounted, past)
    roster = only(RosterSeen, past)[0].people
    first = counts[0]

    assert [count for count in counts if not (count.not_afk <= count.named <= (count.connected or 0))] == []
    assert abs(first.named - len(roster)) <= 3
    assert max(count.named for count in counts) > 15


def test_g08_the_bot_is_known_to_be_one(past: list[Event]) -> None:
    people = people_named(past)
    said = only(MessageSent, past)

    assert {event.name for event in only(Named, past) if event.bot} == {BOT}
    assert {event.author for event in said if event.by == "bot"} == {people[BOT]}
    assert people[BOT] not in {event.author for event in said if event.by == "person"}


# what is written


def test_kudos_emotes_links_mentions_and_votes_are_found_in_what_is_said(past: list[Event]) -> None:
    said = only(MessageSent, past)
    tokens = Counter(thanks.token for event in said for thanks in event.thanks)
    emotes = Counter(emote for event in said for emote in event.emotes)

    assert {"++", "lol", "rofl", "lmao", "haha", "nice", "great", "awesome", "😂"} <= set(tokens)
    assert set(emotes) <= set(lines.EMOTES)
    assert len(emotes) > 15
    assert {event.vote for event in said} == {-1, 0, 1}
    assert {event.links for event in said} == {0, 1}
    assert {person for event in said for person in event.mentions} <= set(people_named(past).values())
    assert len({person for event in said for person in event.mentions}) > 20


def test_kevinchrist_is_thanked_by_his_aliases(past: list[Event]) -> None:
    thanked = Counter(thanks.who for event in only(MessageSent, past) for thanks in event.thanks)

    assert min(thanked[PSEUDONYMS.name(name)] for name in ("kevinchrist", "kc", "kchrist", "kevin")) > 0
    assert min(thanked[PSEUDONYMS.name(name)] for name in ("exampleuser", "example", "ex")) > 0


async def test_phrases_are_those_that_the_bridge_was_taught() -> None:
    desk = Desk(FRIDAY + 21 * HOUR, Lexicon(phrases=("rofl",)))

    events = (await watched(desk, room(desk), desk.now() + MINUTE)).events
    tokens = {thanks.token for event in only(MessageSent, events) for thanks in event.thanks}

    assert tokens == {"++", "rofl", "haha"}  # repeated laughter needs no teaching


async def test_no_text_leaves_the_bridge(past: list[Event], caplog: pytest.LogCaptureFixture) -> None:
    templates = [
        *lines._REMARKS, *lines._SHORT, *lines._ASKING, *lines._THANKING, *lines._LINKING, *lines._LIKING,
        *lines._DISLIKING, *lines._GREETING, *lines._RETURNING, *lines._LEAVING, *lines._WHISPERING, lines._ANNOUNCING,
    ]  # fmt: skip
    pieces = {piece.strip() for template in templates for piece in re.split(r"\{\w+\}", template)}
    telling = [piece for piece in pieces if " " in piece or len(piece) > 8]
    outside = [event for event in past if not isinstance(event, MediaStarted)]
    told = b"\n".join(map(wire.body, outside)).decode() + caplog.text

    assert len(telling) > 60
    assert [piece for piece in telling if piece in told] == []


@pytest.mark.parametrize("action", [Said("amy", "zqxj ++bob zqxj"), Whispered("amy", "zqxj 7")])
def test_a_marker_in_a_message_is_in_no_event(action: Said | Whispered) -> None:
    seat = normalise.Seat(PSEUDONYMS, PLACE, "w1", 420)

    inside, events = normalise.translate(seat, normalise.Room(), NOTHING_TAUGHT, FRIDAY, action)

    assert inside == normalise.Room()
    assert [wire.kind_of(event) for event in events] == [
        {Said: "MessageSent", Whispered: "PrivateMessageSent"}[type(action)]
    ]
    assert "zqxj" not in "".join(str(wire.body(event)) for event in events)


def test_no_line_is_longer_than_the_platform_takes() -> None:
    play = Script(420, "grindhouse", 60).play(FRIDAY + 20 * HOUR)
    said = [action.text for _, action in (next(play) for _ in range(5000)) if isinstance(action, Said)]

    assert max(map(len, said)) <= 320


# in time


async def test_the_past_is_told_in_portions_that_end_at_now() -> None:
    desk = Desk(FRIDAY)
    bridge = room(desk, history_hours=6)

    result = await watched(desk, bridge, FRIDAY + 1)
    past_told = [
        observation for observation, time in zip(result.observations, result.times, strict=True) if time == FRIDAY
    ]

    assert len(past_told) > 2
    assert [len(observation.events) >= BATCH for observation in past_told] == [True] * (len(past_told) - 1) + [False]
    assert FRIDAY - MINUTE < past_told[-1].events[-1].at <= FRIDAY


async def test_g01_the_past_has_its_own_beats_and_counts_and_the_present_leaves_them_to_the_runner() -> None:
    desk = Desk(FRIDAY + 30 * SECOND)
    bridge = room(desk, history_hours=2)

    result = await watched(desk, bridge, FRIDAY + HOUR)
    minutes = [FRIDAY - 2 * HOUR + minute * MINUTE for minute in range(1, 121)]

    assert [event.at for event in only(BridgeBeat, result.events)] == minutes
    assert [event.at for event in only(PopulationCounted, result.events)] == minutes


async def test_the_bridge_counts_with_each_beat_of_the_present_only() -> None:
    desk = Desk(FRIDAY + 20 * HOUR)
    bridge = room(desk, history_hours=6)
    before = bridge.beat(desk.now())
    async with aclosing(bridge.watch(desk, "w1")) as observations:
        await anext(observations)
        in_the_past = bridge.beat(desk.now())
        while desk.now() < FRIDAY + 20 * HOUR + MINUTE:
            await anext(observations)
        [counted] = bridge.beat(desk.now())
    after = bridge.beat(desk.now())

    assert [before, in_the_past, after] == [(), (), ()]
    assert isinstance(counted, PopulationCounted)
    assert counted.at == desk.now()
    assert counted.named > 10


async def test_no_event_is_from_the_future() -> None:
    desk = Desk(FRIDAY + 20 * HOUR)

    result = await watched(desk, room(desk, speed=30), desk.now() + 20 * MINUTE)
    ahead = [
        event
        for observation, time in zip(result.observations, result.times, strict=True)
        for event in observation.events
        if event.at > time
    ]

    assert ahead == []
    assert [event.at for event in result.events] == sorted(event.at for event in result.events)


async def test_speed_makes_the_present_busier() -> None:
    def said_in_the_present(result: Watched) -> int:
        return len([event for event in only(MessageSent, result.events) if event.at > FRIDAY + 18 * HOUR])

    desks = (Desk(FRIDAY + 18 * HOUR), 1.0), (Desk(FRIDAY + 18 * HOUR), 10.0)

    slow, fast = [await watched(desk, room(desk, speed=speed), desk.now() + 10 * MINUTE) for desk, speed in desks]

    assert said_in_the_present(fast) > 5 * said_in_the_present(slow) > 0


async def test_a_quiet_room_still_gives_signs_of_life() -> None:
    desk = Desk(FRIDAY + 13 * HOUR)

    result = await watched(desk, room(desk, people=5, history_hours=0), desk.now() + 30 * MINUTE)
    gaps = [later - earlier for earlier, later in zip(result.times, result.times[1:], strict=False)]

    assert max(gaps) <= 10 * SECOND
    assert Observation() in result.observations


async def test_the_first_observation_holds_the_place_the_names_the_roster_and_what_plays() -> None:
    desk = Desk(FRIDAY + 21 * HOUR)

    first = (await watched(desk, room(desk, history_hours=0), desk.now() + 1)).observations[0]

    assert list(dict.fromkeys(map(wire.kind_of, first.events))) == ["PlaceNamed", "Named", "RosterSeen", "MediaStarted"]
    assert {event.at for event in first.events} == {FRIDAY + 21 * HOUR}
    assert [event.name for event in only(PlaceNamed, first.events)] == ["Grindhouse"]


async def test_a_large_roster_comes_in_parts() -> None:
    desk = Desk(FRIDAY + 22 * HOUR)

    first = (await watched(desk, room(desk, history_hours=0, people=1000), desk.now() + 1)).observations[0]
    rosters = only(RosterSeen, first.events)
    people = [present.person for roster in rosters for present in roster.people]

    assert [(roster.part, roster.parts, roster.snapshot) for roster in rosters] == [
        (1, 2, rosters[0].snapshot),
        (2, 2, rosters[0].snapshot),
    ]
    assert [len(roster.people) for roster in rosters] == [256, len(people) - 256]
    assert len(people) == len(set(people)) == len({event.person for event in only(Named, first.events)} & set(people))


# again


async def test_a_restart_tells_nothing_twice_and_leaves_out_what_was_not_observed() -> None:
    desk = Desk(FRIDAY + 20 * HOUR)
    before = (await watched(desk, room(desk), desk.now() + 5 * MINUTE)).events
    stopped = desk.now()

    desk.clock += 10 * MINUTE
    after = (await watched(desk, room(desk), desk.now() + 5 * MINUTE, "w2")).events

    assert before[-1].at <= stopped
    assert {event.at for event in after[:3]} == {stopped + 10 * MINUTE}
    assert {event.id for event in before}.isdisjoint(event.id for event in after)
    assert {event.watch for event in after} == {"w2"}
    assert only(BridgeBeat, after) == []


async def test_after_a_restart_those_are_here_who_would_have_been_without_it() -> None:
    desk, undisturbed = Desk(FRIDAY + 20 * HOUR), Desk(FRIDAY + 20 * HOUR)
    moment = FRIDAY + 21 * HOUR
    await watched(desk, room(desk), desk.now() + MINUTE)
    desk.clock = moment

    restarted = (await watched(desk, room(desk), moment + 1, "w2")).observations[0]
    [roster] = only(RosterSeen, restarted.events)
    whole = (await watched(undisturbed, room(undisturbed), moment)).events
    stories: defaultdict[int, str] = defaultdict(str)
    for event in whole:
        for person, letter in story(event):
            stories[person] += letter.replace("M", "")
    here = {person: told.endswith("A") for person, told in stories.items() if not told.endswith("L")}

    assert {present.person: present.afk for present in roster.people} == here


async def test_a_crash_while_the_past_is_told_resumes_where_it_was() -> None:
    whole, crashed = Desk(FRIDAY), Desk(FRIDAY)
    expected = (await watched(whole, room(whole, history_hours=12), FRIDAY + MINUTE)).events
    async with aclosing(room(crashed, history_hours=12).watch(crashed, "w1")) as observations:
        first = [await anext(observations), await anext(observations)]
    crashed.kept.update(first[-1].cursor)

    rest = (await watched(crashed, room(crashed, history_hours=12), FRIDAY + MINUTE, "w2")).events
    told = [event for observation in first for event in observation.events]
    opening = {"PlaceNamed", "Named", "RosterSeen"}
    same = [
        event for event in told + rest if wire.kind_of(event) not in opening and not getattr(event, "resumed", False)
    ]

    assert [(event.id, event.at) for event in same] == [
        (event.id, event.at)
        for event in expected
        if wire.kind_of(event) not in opening and not getattr(event, "resumed", False)
    ]
    assert rest[0].at == told[-1].at + 1


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_g02_a_clock_that_jumps_ends_the_watch(jump: int) -> None:
    desk = Desk(FRIDAY + 20 * HOUR)
    bridge = room(desk)
    await watched(desk, bridge, desk.now() + MINUTE)

    async def suspended(seconds: float) -> None:
        desk.clock += round(seconds * SECOND) + jump

    bridge._sleep = suspended
    with pytest.raises(Ended) as ended:
        await watched(desk, bridge, FRIDAY + 2 * DAY, "w2")

    assert ended.value.reason == "lost"
    assert bridge.beat(desk.now()) == ()


# as it is configured


def test_there_are_two_rooms_without_any_setting() -> None:
    rooms = demo.bridges(from_document({}))

    assert [(bridge.name, bridge.place) for bridge in rooms] == [
        ("demo", Place("demo", "demo.local", "grindhouse")),
        ("demo", Place("demo", "demo.local", "matinee")),
    ]


def test_the_first_room_is_the_larger() -> None:
    first, second = demo.bridges(from_document({"demo": {"rooms": ["Aurora", "Borealis"], "people": 100}}))

    assert isinstance(first, DemoRoom)
    assert isinstance(second, DemoRoom)
    assert (first.place.channel, len(first._script._people)) == ("aurora", 100)
    assert (second.place.channel, 20 < len(second._script._people) < 60) == ("borealis", True)


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ({"rooms": ["a", "A"]}, "$.demo.rooms"),
        ({"rooms": ["a b"]}, "$.demo.rooms[0]"),
        ({"rooms": []}, "$.demo.rooms"),
        ({"speed": 0}, "$.demo.speed"),
        ({"people": 2}, "$.demo.people"),
        ({"sped": 2}, "$.demo.sped"),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, object], path: str) -> None:
    with pytest.raises(ConfigError) as error:
        demo.bridges(from_document({"demo": section}))

    assert error.value.path == path
