"""How long people are here, and how much of that not AFK."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.say import (
    Gap,
    World,
    afk,
    alias_added,
    back,
    beat,
    gap,
    joined,
    left,
    named,
    roster,
    started,
    stopped,
)  # fmt: skip
from tests.stats.ask import ask, refusal
from tests.strategies import PEOPLE, PLACES, evenings
from userstats.contract.events import Event
from userstats.stats import activity, aliases, people
from userstats.stats.activity import Active, Here, Stay
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore

MINUTE = 60_000


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, activity.STATISTIC, people.STATISTIC, aliases.STATISTIC)


def stay(total: float, not_afk: float, joins: int = 1, channel: str = "lounge") -> Stay:
    return Stay("cytu.be", channel, round(total * MINUTE), round(not_afk * MINUTE), joins)


async def amy(world: World, **request: Any) -> list[Stay]:
    found: list[Stay] = await ask(world, "user.activity", username="amy", **request)
    return found


async def test_time_is_counted_from_joining_to_leaving_and_afk_beside_it(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", afk("amy"), "20:25", back("amy"), "20:30")
    await world.tell(left("amy"), "21:30")
    assert await amy(world) == [stay(30, 15)]
    assert await world.rows("SELECT present_ms, afk_ms, joins FROM person_totals") == [(30 * MINUTE, 15 * MINUTE, 1)]
    assert await world.rows("SELECT * FROM open_spans") == []


async def test_what_lasts_now_is_counted_up_to_the_last_sign_of_life(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", afk("amy"), "20:20", gap("23:00"))
    assert await amy(world) == [stay(20, 10)]


async def test_g06_a_second_join_never_resets_the_first_and_is_no_second_one(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", joined("amy"), "20:30", left("amy"), left("amy"))
    assert await amy(world) == [stay(30, 30)]


async def test_g06_afk_said_twice_is_said_once(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", afk("amy"), "20:20", afk("amy"), "20:30")
    await world.tell(back("amy"), back("amy"), "20:40", left("amy"))
    assert await amy(world) == [stay(40, 20)]


async def test_who_joins_already_afk_has_no_time_at_the_keyboard(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy", afk=True), "20:30", left("amy"), "20:40")
    assert await amy(world) == [stay(30, 0)]


async def test_a_join_that_is_said_again_tells_whether_they_are_afk(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", joined("amy", afk=True), "20:20", joined("amy"))
    await world.tell("20:25", left("amy"))
    assert await amy(world) == [stay(25, 15)]


async def test_leaving_ends_afk(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy", afk=True), "20:10", left("amy"), "20:20", joined("amy"))
    await world.tell("20:30", left("amy"))
    assert await amy(world) == [stay(20, 10, joins=2)]


async def test_nothing_is_credited_to_somebody_who_is_not_known_to_be_here(world: World) -> None:
    await world.tell(named("amy"), "20:00", started(), afk("amy"), "20:10", back("amy"), "20:20", left("amy"))
    assert await amy(world) == []
    assert await world.rows("SELECT * FROM person_totals") == []


async def test_g01_a_restart_in_the_middle_of_a_stay_loses_nothing(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", afk("amy"), "20:20")
    await world.restart()
    await world.tell("20:30", left("amy"))
    assert await amy(world) == [stay(30, 10)]


async def test_g02_what_nobody_observed_is_not_credited(world: World) -> None:
    await world.tell(named("amy"), "20:00", started(), joined("amy"), "20:10", gap("21:00"), started(), roster("amy"))
    await world.tell("21:05", left("amy"))
    assert await amy(world) == [stay(15, 15)]


async def test_g02_a_roster_closes_who_is_gone_and_opens_who_is_new(world: World) -> None:
    await world.tell(named("amy"), named("bob"), named("cid"), "20:00", joined("amy"), joined("bob"), "20:10")
    await world.tell(roster("cid", away=["bob"]), "20:20")
    assert await ask(world, "leaderboard.activity") == [
        Active("amy", 10 * MINUTE), Active("bob", 10 * MINUTE), Active("cid", 10 * MINUTE),
    ]  # fmt: skip
    assert await world.rows("SELECT SUM(joins) FROM person_totals") == [(2,)]


async def test_g05_a_roster_that_says_what_is_known_changes_nothing(world: World) -> None:
    await world.tell(named("amy"), "20:00", roster("amy"), "20:10", roster("amy"), "20:20", roster(away=["amy"]))
    await world.tell("20:25", roster(away=["amy"]), "20:30", left("amy"))
    assert await amy(world) == [stay(30, 20, joins=0)]


async def test_g02_a_roster_in_parts_applies_when_all_parts_are_there(world: World) -> None:
    await world.tell(named("amy"), "20:00", started(), roster("amy", snapshot="one", part=1, parts=2), "20:10")
    assert await ask(world, "channel.present") == []
    await world.restart()
    await world.tell(roster("bob", away=["cid"], snapshot="one", part=2, parts=2), "20:30")
    assert await amy(world) == [stay(20, 20, joins=0)]
    assert await world.rows("SELECT span, person FROM open_spans ORDER BY span") != []
    assert await world.rows("SELECT span, COUNT(*) FROM open_spans GROUP BY span ORDER BY span") == [
        ("afk", 1), ("present", 3),
    ]  # fmt: skip
    assert await world.rows("SELECT * FROM room_memory") == []


async def test_g02_an_incomplete_roster_is_discarded_when_a_newer_one_starts(world: World) -> None:
    await world.tell(named("amy"), named("bob"), named("cid"), "20:00", roster("amy", snapshot="one", part=1, parts=2))
    await world.tell(roster("bob", snapshot="two", part=1, parts=2))
    await world.tell(roster("cid", snapshot="two", part=2, parts=2), "20:10")
    assert [here.username for here in await ask(world, "channel.present")] == ["bob", "cid"]


async def test_g02_a_whole_roster_ends_an_incomplete_one(world: World) -> None:
    await world.tell(named("amy"), "20:00", roster("bob", snapshot="one", part=1, parts=2), roster("amy"))
    await world.tell(roster("cid", snapshot="one", part=2, parts=2), "20:10")
    assert [here.username for here in await ask(world, "channel.present")] == ["amy"]


async def test_an_empty_roster_ends_everything(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy", afk=True), "20:10", roster(), "20:30")
    assert await amy(world) == [stay(10, 0)]
    assert await ask(world, "channel.present") == []


async def test_what_an_earlier_watch_still_says_moves_nobody(world: World) -> None:
    await world.tell(named("amy"), "20:00", started(), joined("amy"), "20:10", started(), roster("amy"), "20:20")
    late = [left("amy", watch="watch-1"), joined("bob", watch="watch-1"), roster(watch="watch-1")]
    await world.tell(*late, "20:30")
    assert await amy(world) == [stay(30, 30)]
    assert [here.username for here in await ask(world, "channel.present")] == ["amy"]


async def test_g04_the_rooms_add_up_to_the_total(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", left("amy"), joined("amy", "lobby"), "20:30")
    assert await amy(world) == [stay(20, 20, channel="lobby"), stay(10, 10)]
    assert await amy(world, channel="lobby") == [stay(20, 20, channel="lobby")]
    assert await ask(world, "leaderboard.activity") == [Active("amy", 30 * MINUTE)]
    assert await ask(world, "leaderboard.activity", channel="lounge") == [Active("amy", 10 * MINUTE)]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, [stay(150, 120)]),
        ({"from_": "2025-03-03T20:30", "to": "2025-03-03T21:30"}, [stay(60, 30, joins=0)]),
        ({"from_": "2025-03-03T22:00"}, [stay(30, 30, joins=0)]),
        ({"to": "2025-03-03T21:00"}, [stay(60, 60)]),
        ({"from_": "2025-03-03T18:00", "to": "2025-03-03T19:00"}, []),
    ],
)
async def test_a_period_is_cut_out_of_what_is_credited_and_of_what_lasts(
    world: World, request_: dict[str, str], expected: list[Stay]
) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "21:00", afk("amy"), "21:30", back("amy"), "22:30")
    assert await world.rows("SELECT present_ms FROM person_totals") == [(120 * MINUTE,)]
    assert await amy(world, **request_) == expected


async def test_g31_the_board_has_30_days_and_all_time_is_explicit(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "20:00", joined("amy"), "20:30", left("amy"), stopped())
    await world.tell("2025-04-20 20:00", joined("bob"), "2025-04-20 20:10", left("bob"))
    assert await ask(world, "leaderboard.activity") == [Active("bob", 10 * MINUTE)]
    assert await ask(world, "leaderboard.activity", since="all") == [
        Active("amy", 30 * MINUTE), Active("bob", 10 * MINUTE),
    ]  # fmt: skip


@pytest.mark.parametrize("since", ["30d", "all"])
@pytest.mark.parametrize("channel", [None, "lounge"])
async def test_accounts_that_share_an_alias_are_one_on_the_board_wherever_they_stand(
    world: World, since: str, channel: str | None
) -> None:
    names = ["ann", "bob", "cid", "dan"]
    await world.tell(*map(named, [*names, "amy", "amy2"]), alias_added("amy", "amy2"), "20:00")
    await world.tell(joined("amy"), joined("amy2"), *map(joined, names), "20:20", left("amy"), left("amy2"), "20:30")
    await world.tell(*map(left, names), "21:00")
    assert await ask(world, "leaderboard.activity", limit=2, since=since, channel=channel) == [
        Active("amy", 40 * MINUTE), Active("ann", 30 * MINUTE),
    ]  # fmt: skip
    assert await amy(world) == [stay(40, 40, joins=2)]


async def test_who_is_here_is_on_the_board_however_little_is_written_down_yet(world: World) -> None:
    await world.tell(named("amy"), named("bob"), named("cid"), "20:00", joined("bob"), joined("cid"), "20:10")
    await world.tell(left("bob"), left("cid"), "20:15", joined("amy"), "20:45")
    assert await ask(world, "leaderboard.activity", since="all", limit=1) == [Active("amy", 30 * MINUTE)]


async def test_g08_bots_are_not_on_the_board(world: World) -> None:
    await world.tell(named("amy"), named("robot", bot=True), "20:00", joined("robot"), joined("amy"), "20:10")
    await world.tell(left("amy"), "20:20")
    assert await ask(world, "leaderboard.activity", since="all") == [Active("amy", 10 * MINUTE)]


async def test_who_is_here_since_when_and_whether_afk(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "18:30", joined("amy"), "20:10", joined("bob"), "20:20", afk("amy"))
    await world.tell("20:25:10")
    here = [
        Here("amy", "cytu.be", "lounge", "2025-03-03T19:30:00+01:00", 115 * MINUTE, "2025-03-03T21:20:00+01:00"),
        Here("bob", "cytu.be", "lounge", "2025-03-03T21:10:00+01:00", 15 * MINUTE, None),
    ]
    assert await ask(world, "channel.present", tz="Europe/Berlin") == here
    assert await ask(world, "channel.present", tz="Europe/Berlin", limit=1) == here[:1]
    assert await ask(world, "channel.present", channel="lounge", tz="Europe/Berlin") == here
    await world.tell(beat("lobby"))
    assert await ask(world, "channel.present", channel="lobby") == []


async def test_nobody_is_here_once_the_watch_has_ended(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", stopped())
    assert await ask(world, "channel.present") == []


async def test_questions_about_nobody_and_in_no_zone_are_refused(world: World) -> None:
    assert await refusal(world, "user.activity", username="zoe") == (404, "nobody called 'zoe' was ever seen")
    assert (await refusal(world, "channel.present", tz="Mars/Olympus"))[0] == 400


async def test_an_empty_database_has_no_activity(world: World) -> None:
    assert await ask(world, "leaderboard.activity") == []
    assert await ask(world, "leaderboard.activity", since="all") == []
    assert await ask(world, "channel.present") == []


async def test_g02_who_was_in_a_room_whose_bridge_was_killed_is_no_longer_said_to_be_here(world: World) -> None:
    await world.tell(named("amy"), "20:00", roster("amy"), "20:10", gap("20:11:30"))
    here = [metric for metric in activity.STATISTIC.metrics if metric.name == "userstats_present"]
    assert [one.present_ms for one in await ask(world, "channel.present")] == [600_000]
    assert [await world.samples(metric) for metric in here] == [[("cytube", 1)]]
    await world.tell(gap("20:12"))
    assert await ask(world, "channel.present") == []
    assert [await world.samples(metric) for metric in here] == [[("cytube", 0)]]
    assert [stay.total_ms for stay in await ask(world, "user.activity", username="amy")] == [600_000]


async def test_metrics_count_who_is_here_and_what_is_credited(world: World) -> None:
    await world.tell("20:00", joined("amy"), joined("bob", afk=True), "20:10", left("amy"))
    found = {metric.name: await world.samples(metric) for metric in activity.STATISTIC.metrics}
    assert found == {
        "userstats_present": [("cytube", 1)],
        "userstats_afk": [("cytube", 1)],
        "userstats_present_seconds_total": [("cytube", 600)],
        "userstats_afk_seconds_total": [("cytube", 0)],
        "userstats_joins_total": [("cytube", 2)],
    }


@settings(max_examples=60, deadline=None)
@given(evenings, st.integers(1, 20))
def test_g04_whatever_happens_the_rooms_add_up_and_afk_lies_within_presence(
    evening: list[str | Gap | Event], batch: int
) -> None:
    async def holds(store: Store) -> None:
        world = await World.open(store, activity.STATISTIC, people.STATISTIC, aliases.STATISTIC)
        await world.tell(*map(named, PEOPLE), *(started(where) for where in PLACES), *evening, "+1m", batch=batch)
        stays = {name: await ask(world, "user.activity", username=name) for name in PEOPLE}
        assert [one for name in PEOPLE for one in stays[name] if not 0 <= one.not_afk_ms <= one.total_ms] == []
        sums = {name: sum(one.not_afk_ms for one in stays[name]) for name in PEOPLE}
        for since in ("all", "30d"):
            board = await ask(world, "leaderboard.activity", since=since)
            assert {active.username.casefold(): active.not_afk_ms for active in board} == {
                name: number for name, number in sums.items() if number
            }
        alone = [await ask(world, "leaderboard.activity", since="all", channel=where) for where in PLACES]
        assert sum(active.not_afk_ms for board in alone for active in board) == sum(sums.values())

    async def tried() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = await SQLiteStore.open(Path(folder) / "x.db")
            try:
                await holds(store)
            finally:
                await store.close()

    asyncio.run(tried())
