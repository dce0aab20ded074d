"""How much of a time each room was observed."""

from __future__ import annotations

import pytest

from tests.say import World, beat, clock, gap, message, started, stopped
from tests.stats.ask import ask, reply
from userstats.contract.questions import Coverage, Reply
from userstats.stats import coverage
from userstats.stats.coverage import Gap, RoomCoverage
from userstats.store.seam import Store

MINUTE = 60_000


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, coverage.STATISTIC)


def at(time: str) -> str:
    return f"2025-03-03T{time}:00+00:00"


def hole(start: str, end: str) -> Gap:
    return Gap(at(start), at(end), clock(end) - clock(start))


async def test_g01_what_nobody_observed_is_a_gap(world: World) -> None:
    await world.tell("18:00", started(), "18:30", gap("18:40"), beat(), "19:00", stopped(), gap("19:10"), started())
    await world.tell("20:00")
    assert await ask(world, "system.coverage", since="2h") == [
        RoomCoverage("cytu.be", "lounge", 0.833333, 100 * MINUTE, 2, [hole("19:00", "19:10"), hole("18:30", "18:40")])
    ]
    assert await ask(world, "system.coverage", since="all", limit=1) == [
        RoomCoverage("cytu.be", "lounge", 0.833333, 100 * MINUTE, 2, [hole("19:00", "19:10")])
    ]


async def test_time_before_the_first_observation_is_a_gap_of_a_period_and_none_of_all_time(world: World) -> None:
    await world.tell("19:00", started(), "20:00")
    assert await ask(world, "system.coverage", since="4h") == [
        RoomCoverage("cytu.be", "lounge", 0.25, 60 * MINUTE, 1, [hole("16:00", "19:00")])
    ]
    assert await ask(world, "system.coverage", since="all") == [
        RoomCoverage("cytu.be", "lounge", 1.0, 60 * MINUTE, 0, [])
    ]


async def test_a_period_in_which_nothing_was_observed_is_one_gap(world: World) -> None:
    await world.tell("19:00", started(), "20:00")
    assert await ask(world, "system.coverage", from_="2025-03-03T10:00", to="2025-03-03T12:00") == [
        RoomCoverage("cytu.be", "lounge", 0.0, 0, 1, [hole("10:00", "12:00")])
    ]


async def test_silence_is_a_gap_only_once_it_is_longer_than_the_grace(world: World) -> None:
    await world.tell("19:00", started(), "19:58:30", gap("20:00"))
    assert await ask(world, "system.coverage", since="1h") == [
        RoomCoverage("cytu.be", "lounge", 0.975, 3_510_000, 0, [])
    ]
    await world.tell(gap("20:01"))
    found = await ask(world, "system.coverage", since="1h")
    assert (found[0].gaps, found[0].latest_gaps[0].ms) == (1, 150_000)


async def test_each_room_has_its_own_and_one_that_was_never_observed_has_none(world: World) -> None:
    await world.tell("19:00", started(), "19:30", started("lobby"), "20:00", message("amy", "attic", watch="recorder"))
    lobby = RoomCoverage("cytu.be", "lobby", 0.5, 30 * MINUTE, 1, [hole("19:00", "19:30")])
    lounge = RoomCoverage("cytu.be", "lounge", 1.0, 60 * MINUTE, 0, [])
    assert await ask(world, "system.coverage", since="1h") == [lobby, lounge]
    assert await ask(world, "system.coverage", since="1h", channel="lounge") == [lounge]
    assert await ask(world, "system.coverage", since="1h", channel="attic") == [
        RoomCoverage("cytu.be", "attic", None, 0, 0, [])
    ]


async def test_g02_a_room_whose_bridge_was_killed_is_observed_up_to_its_last_sign_of_life(world: World) -> None:
    await world.tell("18:00", started(), "19:00", gap("20:00"))
    told = await reply(world, "system.coverage", since="2h")
    assert isinstance(told, Reply)
    assert told.data == [RoomCoverage("cytu.be", "lounge", 0.5, 60 * MINUTE, 1, [hole("19:00", "20:00")])]
    assert told.coverage == Coverage(ratio=0.5, observed_since=at("18:00"), imported_until=None)


async def test_an_empty_database_has_no_coverage(world: World) -> None:
    assert await ask(world, "system.coverage") == []


async def test_metrics_say_how_long_and_how_lately_rooms_were_observed(world: World) -> None:
    await world.tell("19:00", started(), started("lobby"), "19:30", stopped("lobby"), "20:00")
    found = {metric.name: await world.samples(metric) for metric in coverage.STATISTIC.metrics}
    assert found == {
        "userstats_observed_seconds_total": [("cytube", 90 * 60)],
        "userstats_rooms_observed": [("cytube", 1)],
        "userstats_oldest_sign_of_life_timestamp_seconds": [("cytube", clock("20:00") / 1000)],
    }
