"""What a question may be asked with: a period in a time zone, a scope of places, a limit - and how it may be refused.

A room's question takes these as parameters; `answer.py` makes them from the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from .statistic import DAY_MS, HOUR_MS, QUARTER_MS, QUARTERS_A_DAY, Ledger

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Username = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Platform = Annotated[
    str, msgspec.Meta(min_length=1, max_length=32, description="the platform of the account: cytube, discord")
]
Account = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*(?![\s\S])",
        description="the account: a Discord user's id, or cytu.be/ and a name of CyTube",
    ),
]  # fmt: skip
"""An account as its bridge hashes it (see `contract/questions.Account`); capitals make no difference."""
Code = Literal[400, 403, 404, 409, 429, 500, 503, 504]

_UNITS: Final = {"m": 60_000, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS, "y": 365 * DAY_MS}
_MOST_DAYS: Final = 400


class Refused(Exception):
    """A question that cannot be answered as asked: a code from the closed set, and a sentence that says why."""

    def __init__(self, code: Code, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.details = details


class Period(msgspec.Struct, frozen=True):
    """A stretch of time, cut to quarter hours; `start` None means since the beginning."""

    start: int | None
    """Milliseconds, UTC, inclusive."""
    end: int
    """Milliseconds, UTC, exclusive."""
    zone: str = "UTC"
    over: bool = False
    """It ends before now: what is written for all time knows too much."""

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def all_time(self) -> bool:
        """Whether everything there is lies in it."""
        return self.start is None and not self.over

    @property
    def first(self) -> int | None:
        """The first moment that counts: `start` cut to its quarter hour."""
        return None if self.start is None else self.start // QUARTER_MS * QUARTER_MS

    @property
    def last(self) -> int:
        """The end of the last quarter hour that counts."""
        return -(-self.end // QUARTER_MS) * QUARTER_MS

    def within(self, since: int, until: int) -> int:
        """How many milliseconds of this stretch of time lie in the period's quarter hours."""
        return max(0, min(until, self.last) - max(since, self.first or 0))

    def iso(self, millis: int) -> str:
        """A moment as ISO text in the period's zone."""
        return iso(millis, self.tz)

    def text(self) -> str:
        """The period in words of its zone, as printed with every answer."""
        end = _local(self.end, self.tz)
        return f"all time until {end} {self.zone}" if self.start is None else (
            f"{_local(self.start, self.tz)} to {end} {self.zone}"
        )  # fmt: skip


class Now(msgspec.Struct, frozen=True):
    """For questions about how things are: the present moment, and the zone in which times are told."""

    at: int
    """Milliseconds, UTC."""
    zone: str = "UTC"

    def iso(self, millis: int) -> str:
        """A moment as ISO text in this zone."""
        return iso(millis, ZoneInfo(self.zone))


def iso(millis: int, tz: ZoneInfo) -> str:
    """A moment as ISO text in a zone, with its offset: `2026-10-25T02:30:00+01:00`."""
    return datetime.fromtimestamp(millis / 1000, tz).isoformat(timespec="seconds")


def _local(millis: int, tz: ZoneInfo) -> str:
    return datetime.fromtimestamp(millis / 1000, tz).strftime("%Y-%m-%d %H:%M")


class Scope(msgspec.Struct, frozen=True):
    """The places a question is about."""

    places: tuple[int, ...] | None = None
    """Numbers; None: all places."""
    platform: str | None = None
    domain: str | None = None
    channel: str | None = None
    observers: tuple[int, ...] | None = None
    """The places whose watches see these, where that is not always they themselves (a channel's is its guild's)."""

    @property
    def seen(self) -> Scope:
        """The scope of the watches."""
        return self if self.observers is None else Scope(self.observers, self.platform, self.domain, self.channel)

    def where(self, prefix: str = " AND ", column: str = "place") -> str:
        """A condition on a place column, or nothing where every place counts. Its parameter is `:places`."""
        return "" if self.places is None else f"{prefix}{column} IN :places"

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameter of `where`."""
        return {} if self.places is None else {"places": self.places}


def during(
    ledger: Ledger, period: Period, columns: str, where: str = "", whole: str = "", daily: str = ""
) -> tuple[str, dict[str, Any]]:
    """A FROM item with a ledger's rows of a period: whole UTC days from the day table, the edges from the quarters.

    `columns` are dimensions and measures; `where` begins with ` AND `, and is applied inside. For all time the totals
    table serves (or `whole`, a coarser roll-up that has these columns); for whole days likewise `daily`. Returns the
    SQL and its parameters; rows are not yet summed over days and quarters.
    """
    if period.all_time:
        return f"(SELECT {columns} FROM {whole or ledger.totals} WHERE 1 = 1{where}) AS facts", {}
    first, last = (period.first or 0) // QUARTER_MS, period.last // QUARTER_MS
    day_from, day_to = -(-first // QUARTERS_A_DAY), last // QUARTERS_A_DAY
    parts = []
    parameters: dict[str, Any] = {}
    days = daily or ledger.days
    if day_to > day_from:
        if day_to - day_from <= _MOST_DAYS:
            parts.append(f"SELECT {columns} FROM {days} WHERE day IN :d_days{where}")
            parameters["d_days"] = tuple(range(day_from, day_to))
        else:
            parts.append(f"SELECT {columns} FROM {days} WHERE day >= :d_from AND day < :d_to{where}")
            parameters |= {"d_from": day_from, "d_to": day_to}
        edges = (*range(first, day_from * QUARTERS_A_DAY), *range(day_to * QUARTERS_A_DAY, last))
    else:
        edges = tuple(range(first, last))
    if edges or not parts:
        parts.append(f"SELECT {columns} FROM {ledger.quarters} WHERE quarter IN :d_quarters{where}")
        parameters["d_quarters"] = edges
    return f"({' UNION ALL '.join(parts)}) AS facts", parameters


def zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name. Refused (400) when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(400, f"tz: no such time zone: {name!r}; write it like Europe/Berlin or UTC") from error


def period_of(request: Mapping[str, Any], default: str, now: int, default_zone: str) -> Period:
    """The period of a request with since, from, to, hours, days, in its tz. Refused (400) if wrong."""
    name = request.get("tz") or default_zone
    tz = zone(name)
    if sum(request.get(key) not in (None, "") for key in ("since", "from", "hours", "days")) > 1:
        raise Refused(400, "say only one of since, from, hours and days")
    end = min(now, _moment(request["to"], tz, "to", at_end=True)) if request.get("to") else now
    since = request.get("since") or ""
    if request.get("hours") is not None:
        since = f"{request['hours']}h"
    if request.get("days") is not None:
        since = f"{request['days']}d"
    if request.get("from"):
        start: int | None = _moment(request["from"], tz, "from")
    else:
        start = _before(end, since or default)
    if start is not None and start >= end:
        raise Refused(400, "the period is empty: it ends before it begins")
    return Period(start, end, name, over=end < now)


def _before(end: int, length: str) -> int | None:
    if length == "all":
        return None
    match = re.fullmatch(r"(\d{1,6})([mhdwy])", length)
    if not match or not int(match.group(1)):
        raise Refused(400, f"since: {length!r} is no length of time; write it like 24h, 30d, 2w or all")
    start = end - int(match.group(1)) * _UNITS[match.group(2)]
    return max(start, 0)


def _moment(text: str, tz: ZoneInfo, name: str, *, at_end: bool = False) -> int:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
            if at_end:
                day += timedelta(days=1)
            moment = datetime(day.year, day.month, day.day, tzinfo=tz)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=tz)
        return max(0, int(moment.astimezone(UTC).timestamp() * 1000))
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(400, f"{name}: {text!r} is no date; write it like 2026-11-20 or 2026-11-20T18:00") from error
