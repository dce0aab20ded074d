"""How many are here, by snapshots at borders of stream time."""

from __future__ import annotations

import pytest

from tests.say import World, clock, gap, message, population, started, stopped
from tests.stats.ask import ask
from userstats import catalogue
from userstats.contract.config import ConfigError, from_document
from userstats.service import Service
from userstats.stats import population as room
from userstats.stats.population import Mark, Population, Snapshots, Watermarks
from userstats.store.seam import Store

KNOWN = catalogue.build([room.STATISTIC])
ROWS = "SELECT at, connected, named, not_afk, chatters FROM population ORDER BY place, at"


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, room.STATISTIC)


async def snapshots(world: World) -> list[tuple[int | str | None, ...]]:
    """Minutes after 20:00, and the numbers."""
    return [((at - clock("20:00")) / 60_000, *rest) for at, *rest in await world.rows(ROWS)]


def at(time: str, zone: str = "+00:00") -> str:
    return f"2025-03-03T{time}:00{zone}"


async def test_the_first_count_after_a_border_is_the_snapshot_of_that_border(world: World) -> None:
    await world.tell("20:00:10", started(), population(7, 3, 2), "20:04:40", population(8, 4, 2), "20:05:10")
    await world.tell(population(9, 5, 1), "20:05:40", population(1, 1, 1), "20:10", population(6, 2, 2))
    assert await snapshots(world) == [(5, 9, 5, 1, 0), (10, 6, 2, 2, 0)]


async def test_an_empty_room_has_snapshots_of_zero(world: World) -> None:
    await world.tell("20:00", started(), population(0, 0, 0), "20:05", population(0, 0, 0))
    assert await snapshots(world) == [(0, 0, 0, 0, 0), (5, 0, 0, 0, 0)]


async def test_connections_nobody_told_are_unknown_not_zero(world: World) -> None:
    await world.tell("20:00", started(), population(None, 3, 2), "20:01")
    assert await snapshots(world) == [(0, None, 3, 2, 0)]
    assert await ask(world, "channel.population") == [
        Population(at("20:00"), "cytu.be", "lounge", None, 3, 2, 0),
    ]  # fmt: skip
    assert await ask(world, "channel.watermarks") == [Watermarks("cytu.be", "lounge", None, None)]


async def test_g01_borders_that_nobody_observed_have_no_row(world: World) -> None:
    await world.tell("20:00", started(), population(3, 3, 3), "20:06", gap("20:16"), population(4, 4, 4), "20:20")
    await world.tell(population(5, 5, 5), stopped(), gap("20:32"), started(), population(6, 6, 6), "20:35")
    await world.tell(population(7, 7, 7))
    assert await snapshots(world) == [(0, 3, 3, 3, 0), (20, 5, 5, 5, 0), (35, 7, 7, 7, 0)]


async def test_chatters_are_the_different_people_who_talked_since_the_last_snapshot(world: World) -> None:
    await world.tell("20:00", started(), population(3, 3, 3), "20:01", message("amy"), message("bob"), message("amy"))
    await world.tell(message("robot", by="bot"), "20:05", population(3, 3, 3), "20:06", message("bob"))
    await world.restart()
    await world.tell("20:10", population(3, 3, 3), "20:15", population(3, 3, 3))
    assert await snapshots(world) == [(0, 3, 3, 3, 0), (5, 3, 3, 3, 2), (10, 3, 3, 3, 1), (15, 3, 3, 3, 0)]


async def test_lines_that_are_told_late_are_nobody_talking_now(world: World) -> None:
    await world.tell("20:00", started(), population(3, 3, 3), "20:03", message("amy", at=clock("19:40")))
    await world.tell("20:05", population(3, 3, 3))
    assert await snapshots(world) == [(0, 3, 3, 3, 0), (5, 3, 3, 3, 0)]


async def test_talk_before_an_unobserved_time_is_not_in_the_snapshot_after_it(world: World) -> None:
    await world.tell("20:00", started(), population(3, 3, 3), "20:01", message("amy"), gap("20:33"), message("bob"))
    await world.tell("20:35", population(3, 3, 3))
    assert await snapshots(world) == [(0, 3, 3, 3, 0), (35, 3, 3, 3, 1)]


async def test_memory_does_not_grow_where_nobody_counts(world: World) -> None:
    for hour in range(3):
        await world.tell(f"{20 + hour}:00", *(message(f"user{hour}_{n}") for n in range(5)))
    ((value,),) = await world.rows("SELECT value FROM room_memory")
    assert value.count(",") < 5 + 2


async def test_what_an_earlier_watch_still_says_makes_no_snapshot(world: World) -> None:
    await world.tell("20:00", started(), population(3, 3, 3), "20:04", started(), population(4, 4, 4), "20:05")
    await world.tell(population(9, 9, 9, watch="watch-1"), message("amy", watch="watch-1"), population(5, 5, 5))
    assert await snapshots(world) == [(0, 3, 3, 3, 0), (5, 5, 5, 5, 0)]


async def test_the_interval_is_a_setting(world: World, store: Store) -> None:
    config = from_document({"snapshots": {"interval_seconds": 60}})
    world.service = Service(store, KNOWN, KNOWN.settings(config))
    await world.service.start()
    for minute in range(4):
        await world.tell(f"20:0{minute}:30", population(minute, minute, minute))
    assert await snapshots(world) == [(n, n, n, n, 0) for n in (1, 2, 3)]


def test_a_wrong_interval_names_its_path() -> None:
    assert KNOWN.defaults() == {"population": Snapshots(300)}
    with pytest.raises(ConfigError, match=r"\$\.snapshots\.interval_seconds"):
        KNOWN.settings(from_document({"snapshots": {"interval_seconds": 0}}))


async def test_population_is_the_latest_snapshots_of_the_period_oldest_first(world: World) -> None:
    for minute in range(0, 60, 5):
        await world.tell(f"20:{minute:02}", population(minute, 1, 1))
    await world.tell(population(3, 3, 3, "lobby"), "21:00")
    found = await ask(world, "channel.population", channel="lounge", hours=1, limit=3, tz="Asia/Kolkata")
    assert found == [
        Population(f"2025-03-04T02:{15 + n}:00+05:30", "cytu.be", "lounge", 45 + n, 1, 1, 0) for n in (0, 5, 10)
    ]
    assert len(await ask(world, "channel.population")) == 13
    assert len(await ask(world, "channel.population", from_="2025-03-03T20:10", to="2025-03-03T20:20")) == 2


async def test_now_is_the_latest_count_of_rooms_that_are_observed(world: World) -> None:
    await world.tell("20:00", population(7, 3, 2), "20:00:30", population(8, 4, 3), population(1, 1, 1, "lobby"))
    here = Population("2025-03-03T20:00:30+00:00", "cytu.be", "lounge", 8, 4, 3, None)
    there = Population("2025-03-03T20:00:30+00:00", "cytu.be", "lobby", 1, 1, 1, None)
    assert await ask(world, "channel.now") == [here, there]
    await world.tell(stopped("lobby"))
    assert await ask(world, "channel.now") == [here]
    assert await ask(world, "channel.now", channel="lobby") == []


async def test_watermarks_are_the_most_and_the_fewest_and_when_first(world: World) -> None:
    for minute, (connected, chat) in enumerate([(3, 3), (6, 5), (6, 6), (2, 1), (2, 2), (4, 4)]):
        await world.tell(f"20:{minute * 5:02}", population(connected, connected, chat))
    await world.tell(population(9, 9, 8, "lobby"), "21:00")
    lobby = Watermarks("cytu.be", "lobby", Mark(at("20:25"), 9, 8), Mark(at("20:25"), 9, 8))
    assert await ask(world, "channel.watermarks") == [
        Watermarks("cytu.be", "lounge", Mark(at("20:05"), 6, 5), Mark(at("20:15"), 2, 1)), lobby,
    ]  # fmt: skip
    found = await ask(
        world, "channel.watermarks", channel="lounge", from_="2025-03-03T20:10", to="2025-03-03T20:15", tz="UTC"
    )
    assert found == [Watermarks("cytu.be", "lounge", Mark(at("20:10"), 6, 6), Mark(at("20:10"), 6, 6))]
    assert await ask(world, "channel.watermarks", from_="2025-03-03T20:50", channel="lobby") == [
        Watermarks("cytu.be", "lobby", None, None)
    ]


async def test_an_empty_database_has_no_population(world: World) -> None:
    assert await ask(world, "channel.population") == []
    assert await ask(world, "channel.now") == []
    assert await ask(world, "channel.watermarks") == []


async def test_a_room_whose_bridge_was_killed_has_nobody_now(world: World) -> None:
    await world.tell("20:00", population(7, 3, 2), "20:10", gap("20:11:30"))
    assert [one.named for one in await ask(world, "channel.now")] == [3]
    await world.tell(gap("20:12"))
    assert await ask(world, "channel.now") == []
    assert [await world.samples(metric) for metric in room.STATISTIC.metrics] == [[], [], []]


async def test_metrics_are_of_the_rooms_that_are_observed(world: World) -> None:
    await world.tell("20:00", population(7, 3, 2), population(None, 4, 4, "lobby"), population(5, 5, 5, "attic"))
    await world.tell(stopped("attic"))
    found = {metric.name: await world.samples(metric) for metric in room.STATISTIC.metrics}
    assert found == {
        "userstats_population_connected": [("cytube", 7)],
        "userstats_population_named": [("cytube", 7)],
        "userstats_population_not_afk": [("cytube", 6)],
    }
