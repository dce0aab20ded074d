"""Time is credited while it was observed, and not a millisecond longer."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests import say
from tests.rooms import PRESENCE
from tests.say import (
    Gap,
    World,
    afk,
    back,
    clock,
    gap,
    joined,
    left,
    message,
    person,
    roster,
    started,
    stopped,
)  # fmt: skip
from tests.strategies import PEOPLE, deeds, evenings, passing
from userstats.contract import wire
from userstats.contract.events import (
    AfkEnded,
    AfkStarted,
    BridgeStopped,
    Event,
    Joined,
    Left,
    Place,
    RosterSeen,
)  # fmt: skip
from userstats.service import Message
from userstats.statistic import QUARTER_MS
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore

GRACE_MS = 90_000
MINUTE = 60_000
Credits = dict[tuple[int, int, int, str], int]
"""Milliseconds by place, person, quarter and span."""


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, PRESENCE)


async def credited(world: World) -> Credits:
    """What is credited, together with what open spans have up to the last sign of life."""
    found: Credits = Counter()
    for place, who, quarter, here, away in await world.rows(
        "SELECT place, person, quarter, here_ms, away_ms FROM person_quarters"
    ):
        found[place, who, quarter, "here"] += here
        found[place, who, quarter, "away"] += away
    for place, who, span, since, until in await world.rows(
        "SELECT s.place, s.person, s.span, s.since, w.seen_until FROM open_spans s JOIN watches w ON w.place = s.place"
    ):
        _add(found, place, since, until, [(span, who)])
    return {key: amount for key, amount in found.items() if amount}


def _add(found: Credits, place: int, since: int, until: int, states: Iterable[tuple[str, int]]) -> None:
    for span, who in states:
        for quarter in range(since // QUARTER_MS, until // QUARTER_MS + 1):
            begin, end = quarter * QUARTER_MS, (quarter + 1) * QUARTER_MS
            found[place, who, quarter, span] += max(0, min(until, end) - max(since, begin))


async def minutes(world: World, span: str = "here") -> dict[str, float]:
    """Minutes of each person."""
    names = {person(name): name for name in PEOPLE}
    found: Counter[str] = Counter()
    for (_, who, _, one), amount in (await credited(world)).items():
        found[names[who]] += amount if one == span else 0
    return {name: amount / MINUTE for name, amount in found.items() if amount}


async def test_time_is_credited_from_coming_to_going(world: World) -> None:
    await world.tell("20:00", joined("amy"), "20:05", joined("bob"), "20:30", left("amy"), "20:40")
    assert await minutes(world) == {"amy": 30, "bob": 35}
    assert await world.rows("SELECT person FROM open_spans") == [(person("bob"),)]


async def test_time_is_split_over_the_quarter_hours_it_touches(world: World) -> None:
    await world.tell("23:50", joined("amy"), "2025-03-04 00:20", left("amy"))
    first = clock("23:45") // QUARTER_MS
    assert await world.rows("SELECT quarter, here_ms FROM person_quarters ORDER BY quarter") == [
        (first, 10 * MINUTE), (first + 1, 15 * MINUTE), (first + 2, 5 * MINUTE),
    ]  # fmt: skip
    assert await world.rows("SELECT day, here_ms FROM person_days ORDER BY day") == [
        (first // 96, 10 * MINUTE), (first // 96 + 1, 20 * MINUTE),
    ]  # fmt: skip


async def test_away_is_counted_beside_here(world: World) -> None:
    await world.tell(
        "20:00", joined("amy"), "20:10", afk("amy"), afk("amy"), "20:25", back("amy"), back("amy"), "20:30"
    )
    assert (await minutes(world), await minutes(world, "away")) == ({"amy": 30}, {"amy": 15})


async def test_g06_a_second_coming_does_not_begin_anew(world: World) -> None:
    await world.tell("20:00", joined("amy"), "20:10", joined("amy"), "20:20", left("amy"), left("amy"))
    assert await minutes(world) == {"amy": 20}


async def test_g02_silence_is_not_credited_however_long_somebody_seems_to_stay(world: World) -> None:
    await world.tell("20:00", joined("amy"), "20:10", gap("23:00"), message("amy"), "23:05", left("amy"))
    assert await minutes(world) == {"amy": 15}
    assert await world.rows("SELECT since, until FROM observed ORDER BY since") == [
        (clock("20:00"), clock("20:10")), (clock("23:00"), clock("23:05")),
    ]  # fmt: skip


@pytest.mark.parametrize(("silence", "expected"), [("20:11:30", 11.5), ("20:11:30.001", 10)])
async def test_g02_silence_is_believed_to_be_presence_up_to_the_grace(
    world: World, silence: str, expected: float
) -> None:
    await world.tell("20:00", joined("amy"), "20:10", gap(silence), left("amy"))
    assert await minutes(world) == {"amy": expected}


async def test_g02_a_new_watch_ends_what_the_last_one_saw_at_its_last_sign_of_life(world: World) -> None:
    await world.tell("20:00", started(), roster("amy", "bob"), "20:10", gap("20:11"), started(), roster("bob"), "20:20")
    assert await minutes(world) == {"amy": 10, "bob": 19}


async def test_g01_what_is_open_survives_a_restart(world: World) -> None:
    await world.tell("20:00", joined("amy"), "20:10", afk("amy"), "20:20")
    await world.restart()
    await world.tell("20:30", left("amy"))
    assert (await minutes(world), await minutes(world, "away")) == ({"amy": 30}, {"amy": 20})


async def test_a_watch_that_stops_ends_what_it_saw(world: World) -> None:
    await world.tell("20:00", joined("amy"), "20:10", gap("20:10:20"), stopped(reason="kicked"), gap("20:30"))
    assert await minutes(world) == {"amy": 10 + 1 / 3}
    assert await world.rows("SELECT person FROM open_spans") == []


async def test_g02_a_watch_that_was_lost_ends_at_its_last_sign_of_life_not_when_the_loss_was_noticed(
    world: World,
) -> None:
    await world.tell("20:00", joined("amy"), "20:10", gap("20:11"), stopped(reason="lost"), gap("20:30"))
    assert await minutes(world) == {"amy": 10}
    assert await world.rows("SELECT since, until FROM observed") == [(clock("20:00"), clock("20:10"))]


async def test_what_an_ended_watch_still_says_is_counted_but_moves_no_spans(world: World) -> None:
    await world.tell("20:00", started(), joined("amy"), "20:10", started(), roster("bob"))
    await world.tell(joined("cid", watch="watch-1"), left("bob", watch="watch-1"), "20:20")
    assert await minutes(world) == {"amy": 10, "bob": 10}
    assert await world.rows("SELECT kind, events FROM event_tallies WHERE kind = 'Joined'") == [("Joined", 2)]


async def test_two_rooms_are_two_times(world: World) -> None:
    await world.tell("20:00", joined("amy", "lounge"), joined("amy", "lobby"), "20:10", left("amy", "lobby"), "20:30")
    here = await credited(world)
    assert {(place, amount // MINUTE) for (place, *_), amount in here.items()} == {(1, 15), (2, 10)}
    assert sum(here.values()) == 40 * MINUTE


async def test_the_hour_is_credited_while_somebody_stays_and_the_sum_is_the_same_without_beats(world: World) -> None:
    await world.tell("20:10", joined("amy"), afk("amy"), "22:20")
    assert await world.rows("SELECT here_ms, away_ms FROM person_totals") == [(110 * MINUTE, 110 * MINUTE)]
    assert await world.rows("SELECT since, began FROM open_spans") == [(clock("22:00"), clock("20:10"))] * 2
    beaten = await credited(world)
    without = [
        part for n in range(1, 131) for part in (gap(f"{20 + (10 + n) // 60}:{(10 + n) % 60:02d}"), message("bob"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        other = await World.open(await SQLiteStore.open(Path(folder) / "x.db"), PRESENCE)
        await other.tell(gap("20:10"), joined("amy"), afk("amy"), *without)
        assert await other.rows("SELECT person FROM person_totals") == []
        assert await credited(other) == beaten
        await other.store.close()


class Oracle:
    """What is to be credited at one place, worked out slowly: between any two signs of life, to whoever was there."""

    def __init__(self, place: int, found: Credits) -> None:
        self.place = place
        self.found = found
        self.watch = ""
        self.ended: list[str] = []
        self.alive = 0
        self.states: set[tuple[str, int]] = set()

    def hear(self, event: Event) -> None:
        if event.watch in self.ended[-8:]:
            return
        lost = isinstance(event, BridgeStopped) and event.reason == "lost"
        now = self.alive if lost and event.watch == self.watch else max(self.alive, event.seen)
        if event.watch != self.watch:
            self.ended += [self.watch] if self.watch else []
            self.watch = event.watch
            self.states.clear()
        elif now - self.alive <= GRACE_MS:
            _add(self.found, self.place, self.alive, now, self.states)
        self.alive = now
        self._follow(event)

    def _follow(self, event: Event) -> None:
        match event:
            case Joined(person=who, afk=away):
                self.states |= {("here", who)} | ({("away", who)} if away else set())
            case Left(person=who):
                self.states -= {("here", who), ("away", who)}
            case AfkStarted(person=who):
                self.states.add(("away", who))
            case AfkEnded(person=who):
                self.states.discard(("away", who))
            case RosterSeen(people=people):
                self.states = {("here", one.person) for one in people}
                self.states |= {("away", one.person) for one in people if one.afk}
            case BridgeStopped():
                self.states.clear()
                self.ended.append(self.watch)
                self.watch = ""


def expected(stream: Sequence[Message]) -> Credits:
    found: Credits = Counter()
    oracles: dict[Place, Oracle] = {}
    for one in stream:
        event = wire.decode(one.data, one.subject)
        assert isinstance(event, Event)
        oracles.setdefault(event.place, Oracle(len(oracles) + 1, found)).hear(event)
    return {key: amount for key, amount in found.items() if amount}


_strays = st.one_of(
    st.builds(say.left, st.sampled_from(PEOPLE), watch=st.sampled_from(["watch-1", "watch-2", "elsewhere"])),
    st.builds(say.joined, st.sampled_from(PEOPLE), seen=st.just(clock("20:00"))),
    st.builds(say.stopped, reason=st.just("lost")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(deeds, deeds, passing, passing, _strays), max_size=40), st.integers(1, 20))
@example(["20:00", joined("amy"), gap("20:01"), stopped(reason="lost"), joined("amy")], 3)
def test_g02_every_interleaving_is_credited_as_a_slow_oracle_does(evening: list[str | Gap | Event], batch: int) -> None:
    async def holds() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = await World.open(await SQLiteStore.open(Path(folder) / "x.db"), PRESENCE)
            stream = world.messages("20:00", *evening)
            await world.apply(stream, batch)
            assert await credited(world) == expected(stream)
            await world.store.close()

    asyncio.run(holds())


@settings(max_examples=30, deadline=None)
@given(evenings)
def test_g02_nobody_is_credited_more_than_was_observed(evening: list[str | Gap | Event]) -> None:
    async def holds() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = await World.open(await SQLiteStore.open(Path(folder) / "x.db"), PRESENCE)
            await world.tell("20:00", *evening, "+1m")
            observed = Counter(dict.fromkeys((1, 2), 0))
            for place, since, until in await world.rows("SELECT place, since, until FROM observed"):
                observed[place] += until - since
            most = Counter[tuple[int, int, str]]()
            for (place, who, _, span), amount in (await credited(world)).items():
                most[place, who, span] += amount
            assert {key: amount for key, amount in most.items() if amount > observed[key[0]]} == {}
            await world.store.close()

    asyncio.run(holds())
