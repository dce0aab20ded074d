"""Series: what happened in rooms hour by hour, day by day, and at which hours of the week, in the zone of the asker.

Stored: nothing; it reads the ledger of people. Hours and days have their true lengths, also when clocks change. A
bucket in which nothing was observed has no numbers, rather than zeros.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from ..asking import Period, Refused, Scope, during
from ..buckets import SLOT, Step, borders, slots, weekday_hour
from ..directory import Directory
from ..observed import Stretch, covered, merged, stretches
from ..statistic import DAY_MS, PEOPLE, QUARTER_MS, Statistic, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader
from ..writes import split

_MOST: Final = 1000
"""Points of a series: what fits a reply."""
_MOST_HOURS: Final = 200_000
"""Of a heat map; more than 22 years."""
_MOST_DAYS: Final = 62
"""For which people are told by hour or day: those are read one quarter hour and person at a time."""
_MEASURES: Final = ("messages", "words", "present_ms")


class Bucket(msgspec.Struct, frozen=True):
    """One hour, day, week or month; its numbers are None when nothing of it was observed."""

    at: str
    """ISO time of its beginning."""
    messages: int | None
    words: int | None
    present_ms: int | None
    """Time in the room, of all people together."""
    observed: float
    """Observed share of its time within the period, averaged over the rooms asked about."""


class Talkers(msgspec.Struct, frozen=True):
    """The people of one hour, day, week or month; None when nothing of it was observed."""

    at: str
    """ISO time of its beginning."""
    people: int | None
    """How many different people said something; accounts that share an alias are one."""
    observed: float
    """Observed share of its time within the period, averaged over the rooms asked about."""


class Cell(msgspec.Struct, frozen=True):
    """One hour of the week."""

    weekday: int
    """Monday is 1."""
    hour: int
    value: int | None
    """None: this hour was never observed in the period."""
    observed_ms: int
    """How long any of the rooms was observed in this hour of the week."""


@query("channel.messages_by_hour", shape="series", period="7d")
async def series(reader: Reader, scope: Scope, period: Period, step: Step = "hour") -> list[Bucket]:
    """Messages, words and time present by hour, day, week or month of the time zone.

    The first and the last bucket hold what lies within the period.
    """
    edges, shares = await _frame(reader, scope, period, step)
    found = []
    for edge, share, sums in zip(edges, shares, await _sums(reader, scope, period, edges), strict=False):
        messages, words, present = sums if share or any(sums) else (None, None, None)
        found.append(Bucket(period.iso(edge), messages, words, present, round(share, 4)))
    return found


@query("channel.people_by_hour", shape="series", period="24h")
async def talkers(
    reader: Reader, directory: Directory, scope: Scope, period: Period, step: Step = "hour"
) -> list[Talkers]:
    """How many people talk by hour, day, week or month of the time zone.

    By hour and by day for 62 days at most. The first and the last bucket hold what lies within the period.
    """
    edges, shares = await _frame(reader, scope, period, step)
    if step in ("week", "month"):
        numbers = [await _talked(reader, scope, _cut(period, *pair)) for pair in pairwise(edges)]
    elif edges and edges[-1] - edges[0] > (_MOST_DAYS + 1) * DAY_MS:
        raise Refused(400, f"step: people are told by {step} for {_MOST_DAYS} days at most; ask for less, or by week")
    else:
        numbers = await _talked_often(reader, directory, scope, period, edges)
    return [
        Talkers(period.iso(edge), number if share or number else None, round(share, 4))
        for edge, share, number in zip(edges, shares, numbers, strict=False)
    ]


@query("channel.heatmap", shape="heatmap")
async def heatmap(
    reader: Reader, scope: Scope, period: Period, measure: Literal["messages", "words", "present_ms"] = "messages"
) -> list[Cell]:
    """At which hours of the week something happens, in the hours of the time zone."""
    known = await stretches(reader, scope, period)
    first = await _first(reader, scope, period, known)
    values: dict[tuple[int, int], int] = {}
    times: dict[tuple[int, int], int] = {}
    if first is not None:
        edges = borders(first, period.end, "hour", period.tz, _MOST_HOURS)
        sums = await _sums(reader, scope, period, edges)
        lengths = covered(merged((stretch.since, stretch.until) for stretch in known), edges)
        column = _MEASURES.index(measure)
        for start, row, length in zip(edges, sums, lengths, strict=False):
            cell = weekday_hour(start, period.tz)
            values[cell] = values.get(cell, 0) + row[column]
            times[cell] = times.get(cell, 0) + length
    week = [(weekday, hour) for weekday in range(1, 8) for hour in range(24)]
    return [
        Cell(*cell, values[cell] if times.get(cell) or values.get(cell) else None, times.get(cell, 0)) for cell in week
    ]


def _where(scope: Scope) -> str:
    # Without a list of places the key (place, quarter) could not be used.
    return " AND place IN (SELECT place FROM places)" if scope.places is None else scope.where()


async def _frame(reader: Reader, scope: Scope, period: Period, step: Step) -> tuple[list[int], list[float]]:
    """The borders of the buckets of a period, and the observed share of each; nothing when there is nothing to tell."""
    known = await stretches(reader, scope, period)
    first = await _first(reader, scope, period, known)
    if first is None:
        return [], []
    edges = borders(first, period.end, step, period.tz, _MOST)
    cut = [period.start if period.start is not None else first, *edges[1:-1], period.end]
    rooms = max(1, len({stretch.place for stretch in known}))
    times = covered([(stretch.since, stretch.until) for stretch in known], cut)
    return edges, [
        time / max(1, rooms * (end - start)) for time, (start, end) in zip(times, pairwise(cut), strict=True)
    ]


async def _first(reader: Reader, scope: Scope, period: Period, known: Sequence[Stretch]) -> int | None:
    """When the buckets begin: with the period, or with the first there is to know; None when there is nothing."""
    if period.first is not None:
        return period.first
    ((quarter,),) = await reader.rows(
        f"SELECT MIN(quarter) FROM place_quarters WHERE 1 = 1{_where(scope)}", scope.parameters
    )
    moments = [stretch.since for stretch in known] + ([] if quarter is None else [quarter * QUARTER_MS])
    return min((moment for moment in moments if moment < period.end), default=None)


async def _sums(reader: Reader, scope: Scope, period: Period, edges: Sequence[int]) -> list[list[int]]:
    """The measures of each bucket, including what lasts now."""
    if not edges:
        return []
    widths = slots(edges)
    rows = await reader.rows(
        f"SELECT {SLOT} AS slot, SUM(messages), SUM(words), SUM(present_ms) FROM place_quarters "
        f"WHERE quarter >= :first AND quarter < :last{_where(scope)} GROUP BY slot",
        {**_quarters(period, edges), **widths.parameters, **scope.parameters},
    )
    sums = [[0] * len(_MEASURES) for _ in edges[1:]]
    for slot, *amounts in rows:
        bucket = sums[_bucket(edges, widths.start(slot))]
        bucket[:] = [before + amount for before, amount in zip(bucket, amounts, strict=True)]
    lasting = await reader.rows(
        "SELECT s.since, w.seen_until FROM open_spans s JOIN watches w ON w.place = s.place "
        f"WHERE s.span = 'present'{scope.where(column='s.place')}",
        scope.parameters,
    )
    for since, until in lasting:
        for quarter, milliseconds in split(max(since, edges[0], period.first or 0), min(until, edges[-1], period.last)):
            sums[_bucket(edges, quarter * QUARTER_MS)][_MEASURES.index("present_ms")] += milliseconds
    return sums


async def _talked(reader: Reader, scope: Scope, period: Period) -> int:
    """How many people said something in a long period."""
    facts, parameters = during(PEOPLE, period, "person", f" AND messages > 0{scope.where()}")
    ((number,),) = await reader.rows(
        f"WITH {ACCOUNTS} SELECT COUNT(DISTINCT COALESCE(main, facts.person)) FROM {facts} "
        "LEFT JOIN accounts ON accounts.person = facts.person",
        {**parameters, **scope.parameters},
    )
    return int(number)


async def _talked_often(
    reader: Reader, directory: Directory, scope: Scope, period: Period, edges: Sequence[int]
) -> list[int]:
    """How many people said something in each of many short buckets."""
    if not edges:
        return []
    widths, limits = slots(edges), _quarters(period, edges)
    # The key begins with the quarter: naming each leads straight to the rows of some places.
    every = scope.places is None
    when = "quarter >= :first AND quarter < :last" if every else f"quarter IN :quarters{scope.where()}"
    rows = await reader.rows(
        f"SELECT DISTINCT {SLOT} AS slot, person FROM person_quarters WHERE {when} AND messages > 0",
        {**limits, **widths.parameters, **scope.parameters, "quarters": tuple(range(*limits.values()))},
    )
    mains = await directory.main()
    found: list[set[int]] = [set() for _ in edges[1:]]
    for slot, person in rows:
        found[_bucket(edges, widths.start(slot))].add(mains.get(person, person))
    return [len(people) for people in found]


def _cut(period: Period, start: int, end: int) -> Period:
    """A bucket, as far as it lies in the period."""
    return Period(max(start, period.first or 0), min(end, period.end), period.zone)


def _quarters(period: Period, edges: Sequence[int]) -> dict[str, int]:
    first = max(edges[0], period.first or 0) // QUARTER_MS
    return {"first": first, "last": min(edges[-1], period.last) // QUARTER_MS}


def _bucket(edges: Sequence[int], moment: int) -> int:
    return bisect.bisect_right(edges, moment) - 1


STATISTIC = Statistic(
    name="series", questions=(series, talkers, heatmap), reads=("messages", "activity", "people", "aliases")
)
