"""What happened hour by hour and day by day, in the zone of the asker."""

from __future__ import annotations

from typing import Any

import pytest

from tests.say import World, alias_added, gap, joined, left, message, named, started
from tests.stats.ask import ask, refusal
from userstats.frames import Cell
from userstats.stats import activity, aliases, messages, people, series
from userstats.stats.series import Bucket, Talkers
from userstats.store.seam import Store

MINUTE = 60_000


@pytest.fixture
async def world(store: Store) -> World:
    rooms = (series, messages, activity, people, aliases)
    return await World.open(store, *(room.STATISTIC for room in rooms))


def at(time: str, offset: str = "+00:00", day: str = "2025-03-03") -> str:
    return f"{day}T{time}:00{offset}"


async def counts(world: World, **request: Any) -> list[tuple[str, int | None]]:
    found = await ask(world, "channel.messages_by_hour", **request)
    return [(bucket.at, bucket.messages) for bucket in found]


async def test_hours_have_messages_words_and_time_present(world: World) -> None:
    await world.tell("18:00", started(), joined("amy"), "18:10", message("amy", words=3), message("amy", words=4))
    await world.tell("18:50", joined("bob"), message("bob"), "19:30", left("amy"), "20:20", message("bob"), "20:30")
    assert await ask(world, "channel.messages_by_hour", since="150m") == [
        Bucket(at("18:00"), 3, 8, 70 * MINUTE, 1.0),
        Bucket(at("19:00"), 0, 0, 90 * MINUTE, 1.0),
        Bucket(at("20:00"), 1, 1, 30 * MINUTE, 1.0),
    ]
    assert await ask(world, "channel.messages_by_hour", since="all", step="day") == [
        Bucket(at("00:00"), 4, 9, 190 * MINUTE, 1.0)
    ]


async def test_g28_hours_that_nobody_observed_have_no_numbers_and_never_zeros(world: World) -> None:
    await world.tell("18:00", started(), message("amy"), "18:30", gap("20:00"), message("amy"), "20:15")
    await world.tell(message("bob", at=world.now - 50 * MINUTE), "20:30")
    assert await ask(world, "channel.messages_by_hour", from_=at("16:00")) == [
        Bucket(at("16:00"), None, None, None, 0.0),
        Bucket(at("17:00"), None, None, None, 0.0),
        Bucket(at("18:00"), 1, 1, 0, 0.5),
        Bucket(at("19:00"), 1, 1, 0, 0.0),
        Bucket(at("20:00"), 1, 1, 0, 1.0),
    ]


async def test_the_first_and_the_last_bucket_hold_what_lies_in_the_period(world: World) -> None:
    await world.tell("18:00", started(), message("amy"), "18:40", message("bob"), "19:10", message("cid"), "20:00")
    assert await counts(world, from_=at("18:30"), to=at("19:15")) == [(at("18:00"), 1), (at("19:00"), 1)]
    assert await counts(world, from_=at("18:30"), to=at("19:00")) == [(at("18:00"), 1)]


async def test_rooms_are_added_up_or_asked_about_singly(world: World) -> None:
    await world.tell("18:00", started(), started("lobby"), message("amy"), message("amy", "lobby"), "18:30")
    await world.tell(joined("amy"), joined("amy", "lobby"), "18:50")
    assert await ask(world, "channel.messages_by_hour", since="50m") == [Bucket(at("18:00"), 2, 2, 40 * MINUTE, 1.0)]
    assert await ask(world, "channel.messages_by_hour", since="50m", channel="lobby") == [
        Bucket(at("18:00"), 1, 1, 20 * MINUTE, 1.0)
    ]


async def people_by(world: World, **request: Any) -> list[tuple[str, int | None]]:
    return [(one.at[:13], one.people) for one in await ask(world, "channel.people_by_hour", **request)]


async def test_people_are_counted_once_in_each_bucket(world: World) -> None:
    await world.tell("18:00", *map(named, ["amy", "amy2", "bob"]), message("amy"), message("amy"), message("amy2"))
    await world.tell(
        "18:40", message("bob", "lobby"), "19:10", message("amy", "lobby"), message("r", by="bot"), "20:00"
    )
    assert await ask(world, "channel.people_by_hour", since="3h") == [
        Talkers(at("17:00"), None, 0.0),
        Talkers(at("18:00"), 3, 0.6667),
        Talkers(at("19:00"), 1, 1.0),
    ]
    assert await people_by(world, since="2h", channel="lobby") == [("2025-03-03T18", 1), ("2025-03-03T19", 1)]
    await world.tell(alias_added("amy", "amy2"))
    assert await people_by(world, since="2h") == [("2025-03-03T18", 2), ("2025-03-03T19", 1)]
    for step, first in (("day", "2025-03-03"), ("week", "2025-03-03"), ("month", "2025-03-01")):
        assert await people_by(world, since="2h", step=step) == [(f"{first}T00", 2)]
        assert await people_by(world, since="all", step=step, channel="lobby") == [(f"{first}T00", 2)]


async def test_people_of_weeks_and_months_are_cut_to_the_period_and_the_zone(world: World) -> None:
    await world.tell("20:00", message("amy"), gap("2025-03-09 23:30"), message("bob"), gap("2025-03-10 20:00"))
    await world.tell(message("cid"), gap("2025-04-02 00:00"))
    assert await people_by(world, since="all", step="week") == [
        ("2025-03-03T00", 2), ("2025-03-10T00", 1), ("2025-03-17T00", None), ("2025-03-24T00", None),
        ("2025-03-31T00", None),
    ]  # fmt: skip
    assert (await people_by(world, since="all", step="week", tz="Europe/Berlin"))[:2] == [
        ("2025-03-03T00", 1), ("2025-03-10T00", 2),
    ]  # fmt: skip
    assert await people_by(world, from_="2025-03-05", step="month") == [("2025-03-01T00", 2), ("2025-04-01T00", None)]


async def test_people_by_hour_and_by_day_are_not_told_for_longer_than_62_days(world: World) -> None:
    await world.tell(message("amy"), "00:30")
    assert len(await people_by(world, since="62d", step="day")) == 63
    assert await refusal(world, "channel.people_by_hour", since="70d", step="day") == (
        400, "step: people are told by day for 62 days at most; ask for less, or by week",
    )  # fmt: skip
    assert len(await people_by(world, since="70d", step="month")) == 4


@pytest.mark.parametrize(
    ("eve", "zone", "day", "hours"),
    [
        ("2025-03-29 22:00", "Europe/Berlin", "2025-03-30", 23),
        ("2025-10-25 21:00", "Europe/Berlin", "2025-10-26", 25),
        ("2025-03-09 02:30", "America/St_Johns", "2025-03-09", 23),
        ("2025-11-02 01:30", "America/St_Johns", "2025-11-02", 25),
        ("2025-12-01 02:30", "America/St_Johns", "2025-12-01", 24),
        ("2025-06-01 17:30", "Asia/Kolkata", "2025-06-02", 24),
        ("2025-06-01 17:15", "Asia/Kathmandu", "2025-06-02", 24),
    ],
)
async def test_g18_days_of_23_and_25_hours_and_of_odd_zones_hold_their_own_messages(
    world: World, eve: str, zone: str, day: str, hours: int
) -> None:
    """One message each hour, from the last hour of a day to the first hour of the day after the next."""
    await world.tell(gap(eve))
    for _ in range(1 + hours + 1):
        await world.tell(message("amy"), gap("+15m"), message("bob", by="bot"), gap("+45m"))
    for since in ("all", "2d"):
        days = await counts(world, step="day", since=since, tz=zone)
        assert [number for _, number in days][-3:] == [1, hours, 1]
        assert days[-2][0].startswith(f"{day}T00:00:00")
    found = await counts(world, since="all", tz=zone)
    assert [number for _, number in found] == [1] * (1 + hours + 1)
    assert len({at for at, _ in found}) == 1 + hours + 1


async def test_g18_the_hour_that_comes_twice_is_two_hours_of_a_series_and_one_of_a_week(world: World) -> None:
    await world.tell(gap("2025-10-26 00:00"), started(), "+10m", message("amy"), "+1h", message("amy"), "+1h")
    await world.tell(message("amy"), "+50m")
    day = "2025-10-26"
    assert await ask(world, "channel.messages_by_hour", since="3h", tz="Europe/Berlin") == [
        Bucket(at("02:00", "+02:00", day), 1, 1, 0, 1.0),
        Bucket(at("02:00", "+01:00", day), 1, 1, 0, 1.0),
        Bucket(at("03:00", "+01:00", day), 1, 1, 0, 1.0),
    ]
    week = await ask(world, "channel.heatmap", since="3h", tz="Europe/Berlin")
    assert [cell for cell in week if cell.observed_ms] == [Cell(7, 2, 2, 120 * MINUTE), Cell(7, 3, 1, 60 * MINUTE)]


@pytest.mark.parametrize(
    ("zone", "weekday", "hour"),
    [
        ("UTC", 1, 20), ("Europe/Berlin", 1, 21), ("Asia/Kolkata", 2, 1), ("Asia/Kathmandu", 2, 2),
        ("America/St_Johns", 1, 16),
    ],
)  # fmt: skip
async def test_g18_the_hours_of_the_week_are_those_of_the_zone(
    world: World, zone: str, weekday: int, hour: int
) -> None:
    await world.tell("20:15", started(), message("amy", words=7), "20:20", joined("bob"), "20:30")
    for measure, value in (("messages", 1), ("words", 7), ("present_ms", 10 * MINUTE)):
        week = await ask(world, "channel.heatmap", tz=zone, measure=measure)
        assert [(cell.weekday, cell.hour, cell.value) for cell in week if cell.value] == [(weekday, hour, value)]
        assert len(week) == 168


async def test_g28_hours_of_the_week_that_were_never_observed_have_no_number(world: World) -> None:
    await world.tell("20:15", started(), message("amy"), "21:30")
    week = await ask(world, "channel.heatmap", since="all")
    assert [cell for cell in week if cell.value is not None] == [
        Cell(1, 20, 1, 45 * MINUTE), Cell(1, 21, 0, 30 * MINUTE),
    ]  # fmt: skip


async def test_a_year_is_asked_by_day_week_or_month(world: World) -> None:
    await world.tell(message("amy"), "00:30")
    assert (await refusal(world, "channel.messages_by_hour", since="1y"))[0] == 400
    assert len(await counts(world, since="1y", step="day")) == 366
    assert (await counts(world, since="1y", step="month"))[-1] == ("2025-03-01T00:00:00+00:00", 1)


async def test_an_empty_database_has_no_series(world: World) -> None:
    assert await ask(world, "channel.messages_by_hour", since="all") == []
    assert await counts(world, since="1h") == [("2025-03-02T23:00:00+00:00", None)]
    assert await ask(world, "channel.people_by_hour", since="all", step="month") == []
    assert await people_by(world, since="1h") == [("2025-03-02T23", None)]
    assert await people_by(world, since="1h", step="week") == [("2025-02-24T00", None)]
    assert {cell.value for cell in await ask(world, "channel.heatmap", since="all")} == {None}
    assert {cell.value for cell in await ask(world, "channel.heatmap")} == {None}
