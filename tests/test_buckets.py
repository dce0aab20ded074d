"""Hours, days, weeks and months have the lengths that the clocks of a time zone give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from userstats.asking import Refused, iso
from userstats.buckets import Step, borders, slots, weekday_hour
from userstats.statistic import HOUR_MS, QUARTER_MS

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "America/Sao_Paulo",
         "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Asia/Beirut", "America/Havana")  # fmt: skip
_moments = st.integers(1_100_000, 2_400_000).map(lambda quarter: quarter * QUARTER_MS)
"""Between the years 2001 and 2038."""


def millis(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def spelled(first: str, last: str, step: Step, zone: str) -> list[str]:
    tz = ZoneInfo(zone)
    return [iso(edge, tz) for edge in borders(millis(first), millis(last), step, tz, 1000)]


def hours(first: str, last: str, step: Step, zone: str) -> list[float]:
    return [(b - a) / HOUR_MS for a, b in pairwise(borders(millis(first), millis(last), step, ZoneInfo(zone), 1000))]


@pytest.mark.parametrize(
    ("first", "last", "zone", "expected"),
    [
        ("2025-03-29T12:00", "2025-03-31T12:00", "Europe/Berlin", [24, 23, 24]),
        ("2025-10-25T12:00", "2025-10-27T12:00", "Europe/Berlin", [24, 25, 24]),
        ("2025-03-08T12:00", "2025-03-10T12:00", "America/St_Johns", [24, 23, 24]),
        ("2025-11-01T12:00", "2025-11-03T12:00", "America/St_Johns", [24, 25, 24]),
        ("2025-10-04T12:00", "2025-10-06T00:00", "Australia/Lord_Howe", [24, 23.5, 24]),
        ("2018-11-03T12:00", "2018-11-05T12:00", "America/Sao_Paulo", [24, 23, 24]),
        ("2011-12-29T12:00", "2011-12-31T12:00", "Pacific/Apia", [24, 24, 24]),
        ("2025-03-29T12:00", "2025-03-31T12:00", "Asia/Kolkata", [24, 24, 24]),
    ],
)
def test_g18_days_have_23_and_25_hours_where_clocks_change(
    first: str, last: str, zone: str, expected: list[float]
) -> None:
    assert hours(first, last, "day", zone) == expected


def test_g18_the_hour_that_comes_twice_is_two_hours_and_the_skipped_one_is_none() -> None:
    assert spelled("2025-10-25T23:10", "2025-10-26T01:50", "hour", "Europe/Berlin") == [
        "2025-10-26T01:00:00+02:00", "2025-10-26T02:00:00+02:00", "2025-10-26T02:00:00+01:00",
        "2025-10-26T03:00:00+01:00",
    ]  # fmt: skip
    assert spelled("2025-03-30T00:00", "2025-03-30T02:00", "hour", "Europe/Berlin") == [
        "2025-03-30T01:00:00+01:00", "2025-03-30T03:00:00+02:00", "2025-03-30T04:00:00+02:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "first_hour", "first_day"),
    [
        ("Asia/Kolkata", "2025-06-01T17:00:00+05:30", "2025-06-01T00:00:00+05:30"),
        ("Asia/Kathmandu", "2025-06-01T17:00:00+05:45", "2025-06-01T00:00:00+05:45"),
        ("America/St_Johns", "2025-06-01T09:00:00-02:30", "2025-06-01T00:00:00-02:30"),
    ],
)
def test_g18_hours_and_days_begin_when_the_clocks_of_the_zone_say_so(
    zone: str, first_hour: str, first_day: str
) -> None:
    assert spelled("2025-06-01T12:00", "2025-06-01T12:01", "hour", zone)[0] == first_hour
    assert spelled("2025-06-01T12:00", "2025-06-01T12:01", "day", zone)[0] == first_day


def test_weeks_begin_on_mondays_and_months_on_firsts() -> None:
    assert spelled("2025-03-30T12:00", "2025-04-10T00:00", "week", "Europe/Berlin") == [
        "2025-03-24T00:00:00+01:00", "2025-03-31T00:00:00+02:00", "2025-04-07T00:00:00+02:00",
        "2025-04-14T00:00:00+02:00",
    ]  # fmt: skip
    assert spelled("2024-12-31T23:30", "2025-03-01T00:00", "month", "Europe/Berlin") == [
        "2025-01-01T00:00:00+01:00", "2025-02-01T00:00:00+01:00", "2025-03-01T00:00:00+01:00",
        "2025-04-01T00:00:00+02:00",
    ]  # fmt: skip


@settings(max_examples=300)
@given(
    _moments, st.integers(1, 40 * 96), st.sampled_from(ZONES),
    st.sampled_from(["hour", "day", "week", "month"]),
)  # fmt: skip
def test_g18_buckets_hold_the_period_without_holes_and_split_into_equal_slots(
    first: int, quarters: int, zone: str, step: Step
) -> None:
    last = first + quarters * QUARTER_MS
    edges = borders(first, last, step, ZoneInfo(zone), 1000)
    found = slots(edges)
    assert edges == sorted(set(edges))
    assert edges[0] <= first < edges[1]
    assert edges[-2] < last <= edges[-1]
    assert [edge % QUARTER_MS for edge in edges] == [0] * len(edges)
    assert [found.start((edge // QUARTER_MS - found.base) // found.width) for edge in edges] == edges


@settings(max_examples=200)
@given(_moments, st.sampled_from(ZONES))
def test_g18_every_hour_begins_at_its_full_hour_but_where_clocks_jump_by_half_ones(first: int, zone: str) -> None:
    tz = ZoneInfo(zone)
    minutes = {
        datetime.fromtimestamp(edge / 1000, tz).minute for edge in borders(first, first + HOUR_MS, "hour", tz, 9)
    }
    assert minutes <= ({0, 30} if zone == "Australia/Lord_Howe" else {0})


def test_more_buckets_than_a_reply_holds_are_refused() -> None:
    first = millis("2025-01-01T00:00")
    assert len(borders(first, first + 1000 * HOUR_MS, "hour", ZoneInfo("UTC"), 1000)) == 1001
    with pytest.raises(Refused, match="more than 1000 buckets of one hour"):
        borders(first, first + 1000 * HOUR_MS + 1, "hour", ZoneInfo("UTC"), 1000)


def test_the_hour_of_the_week_is_the_zones() -> None:
    monday = datetime(2025, 3, 3, 22, 30, tzinfo=UTC)
    found = [
        weekday_hour(int((monday + timedelta(hours=n)).timestamp() * 1000), ZoneInfo("Asia/Kathmandu")) for n in (0, 20)
    ]
    assert found == [(2, 4), (3, 0)]
