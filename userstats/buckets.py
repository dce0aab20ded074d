"""Hours, days, weeks and months of a time zone, with their true lengths: a day may have 23 or 25 hours.

All moments are milliseconds, UTC. Borders fall on quarter hours: so does every change of every time zone since 2000.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from .asking import Refused
from .statistic import QUARTER_MS

Step = Literal["hour", "day", "week", "month"]

SLOT: Final = "(quarter - :s_base) / :s_width"
"""SQL: the slot of a row that has a `quarter`."""
_MINUTE_MS: Final = 60_000


def borders(first: int, last: int, step: Step, tz: ZoneInfo, most: int) -> list[int]:
    """The borders of the buckets that hold `first` to `last`: each one's beginning, and the end of the last one.

    Refused (400) when there would be more than `most` buckets.
    """
    found: list[int] = []
    for border in _hours(first, tz) if step == "hour" else _days(first, step, tz):
        if not found or border > found[-1]:  # a day that a zone skipped has no length
            found.append(border)
        if border >= last:
            return found
        if len(found) > most:
            break
    raise Refused(
        400, f"step: the period has more than {most} buckets of one {step}; ask for less, or for longer steps"
    )


def _hours(first: int, tz: ZoneInfo) -> Iterator[int]:
    border = first // _MINUTE_MS * _MINUTE_MS
    border -= _local(border, tz).minute * _MINUTE_MS
    while True:
        yield border
        border += (60 - _local(border, tz).minute) * _MINUTE_MS


def _days(first: int, step: Step, tz: ZoneInfo) -> Iterator[int]:
    day = _local(first, tz).date()
    if step == "week":
        day -= timedelta(days=day.weekday())
    if step == "month":
        day = day.replace(day=1)
    while True:
        yield _midnight(day, tz)
        if step == "month":
            day = (day + timedelta(days=32)).replace(day=1)
        else:
            day += timedelta(days=7 if step == "week" else 1)


def _midnight(day: date, tz: ZoneInfo) -> int:
    """The first moment of a day; where midnight is skipped, the moment at which it is."""
    return int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()) * 1000


def _local(millis: int, tz: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(millis // 1000, tz)


def weekday_hour(millis: int, tz: ZoneInfo) -> tuple[int, int]:
    """Day of the week (Monday is 1) and hour of the day, in a zone."""
    local = _local(millis, tz)
    return local.isoweekday(), local.hour


class Slots(NamedTuple):
    """Equal stretches of quarter hours of which every bucket has a whole number: how a database adds them up."""

    base: int
    """First quarter hour of the first bucket."""
    width: int
    """Quarter hours in a slot."""

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters of `SLOT`."""
        return {"s_base": self.base, "s_width": self.width}

    def start(self, slot: int) -> int:
        """When a slot begins."""
        return (self.base + slot * self.width) * QUARTER_MS


def slots(edges: Sequence[int]) -> Slots:
    """The widest slots for these borders."""
    width = math.gcd(*((edge - edges[0]) // QUARTER_MS for edge in edges[1:]))
    return Slots(edges[0] // QUARTER_MS, width)
