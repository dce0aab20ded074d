"""The frame of a series or heat map: its buckets in the zone of the asker, how much of each was observed, and sums.

Hours and days have their true lengths, also when clocks change. Sums are of the ledger of people, by place and quarter
hour; what lasts now is added up to the last sign of life of each place's watch.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec

from .asking import Period, Scope
from .buckets import SLOT, Step, borders, slots, weekday_hour
from .lasting import OPEN
from .observed import Stretch, covered, merged, stretches
from .statistic import QUARTER_MS
from .store.seam import Reader
from .writes import split

_MOST: Final = 1000
"""Points of a series: what fits a reply."""
_MOST_HOURS: Final = 200_000
"""Of a heat map; more than 22 years."""

Measures = Mapping[str, str]
"""Measures of the ledger of people, each with the span that is credited to it; empty: it is counted at once."""


class Among(NamedTuple):
    """Only these people: a SELECT of them, with its parameters."""

    people: str
    parameters: Mapping[str, Any]

    def where(self, column: str = "person") -> str:
        """A condition, beginning with ` AND `; nothing where it is everybody."""
        return f" AND {column} IN ({self.people})" if self.people else ""


EVERYBODY: Final = Among("", {})


class Cell(msgspec.Struct, frozen=True):
    """One hour of the week."""

    weekday: int
    """Monday is 1."""
    hour: int
    value: int | None
    """None: this hour was never observed in the period."""
    observed_ms: int
    """How long any of the rooms was observed in this hour of the week."""


class Frame(NamedTuple):
    """The buckets of a period; without any there is nothing to tell."""

    edges: list[int]
    """Where each bucket begins, and the end of the last one: milliseconds, UTC."""
    shares: list[float]
    """The observed share of each bucket's time within the period, averaged over the rooms."""


class Week(NamedTuple):
    """The hours of a period, and to which hour of the week each belongs."""

    edges: list[int]
    cells: list[tuple[int, int]]
    """Weekday and hour of each hour of the period."""
    observed_ms: dict[tuple[int, int], int]
    """How long any of the rooms was observed, by weekday and hour."""

    def heatmap(self, values: Mapping[tuple[int, int], int]) -> list[Cell]:
        """All hours of the week; one that was not observed has no value, rather than 0."""
        found = []
        for cell in ((weekday, hour) for weekday in range(1, 8) for hour in range(24)):
            length = self.observed_ms.get(cell, 0)
            found.append(Cell(*cell, values.get(cell, 0) if length or values.get(cell) else None, length))
        return found


async def frame(reader: Reader, scope: Scope, period: Period, step: Step) -> Frame:
    """The buckets of a period. Refused (400) when there are too many."""
    known = await stretches(reader, scope, period)
    first = await _first(reader, scope, period, known)
    if first is None:
        return Frame([], [])
    edges = borders(first, period.end, step, period.tz, _MOST)
    cut = [period.start if period.start is not None else first, *edges[1:-1], period.end]
    rooms = max(1, len({stretch.place for stretch in known}))
    times = covered([(stretch.since, stretch.until) for stretch in known], cut)
    shares = [time / max(1, rooms * (end - start)) for time, (start, end) in zip(times, pairwise(cut), strict=True)]
    return Frame(edges, shares)


async def week(reader: Reader, scope: Scope, period: Period) -> Week:
    """The hours of a period by hour of the week. Refused (400) when there are too many."""
    known = await stretches(reader, scope, period)
    first = await _first(reader, scope, period, known)
    if first is None:
        return Week([], [], {})
    edges = borders(first, period.end, "hour", period.tz, _MOST_HOURS)
    cells = [weekday_hour(start, period.tz) for start in edges[:-1]]
    lengths = covered(merged((stretch.since, stretch.until) for stretch in known), edges)
    times: dict[tuple[int, int], int] = {}
    for cell, length in zip(cells, lengths, strict=True):
        times[cell] = times.get(cell, 0) + length
    return Week(edges, cells, times)


async def heatmap(
    reader: Reader, scope: Scope, period: Period, measures: Measures, among: Among = EVERYBODY
) -> list[Cell]:
    """Measures taken together by hour of the week."""
    hours = await week(reader, scope, period)
    values: dict[tuple[int, int], int] = {}
    amounts = await sums(reader, scope, period, hours.edges, measures, among)
    for cell, row in zip(hours.cells, amounts, strict=True):
        values[cell] = values.get(cell, 0) + sum(row)
    return hours.heatmap(values)


async def sums(
    reader: Reader, scope: Scope, period: Period, edges: Sequence[int], measures: Measures, among: Among = EVERYBODY
) -> list[list[int]]:
    """The measures of each bucket, in order, including what lasts now."""
    if not edges:
        return []
    widths = slots(edges)
    names = list(measures)
    rows = await reader.rows(
        f"SELECT {SLOT} AS slot, {', '.join(f'SUM({name})' for name in names)} "  # noqa: S608
        f"FROM {'person_quarters' if among.people else 'place_quarters'} "
        f"WHERE quarter >= :first AND quarter < :last{_where(scope)}{among.where()} GROUP BY slot",
        {**quarters(period, edges), **widths.parameters, **scope.parameters, **among.parameters},
    )
    found = [[0] * len(names) for _ in edges[1:]]
    for slot, *amounts in rows:
        row = found[bucket(edges, widths.start(slot))]
        row[:] = [before + amount for before, amount in zip(row, amounts, strict=True)]
    columns = {span: names.index(name) for name, span in measures.items() if span}
    lasting = await reader.rows(
        f"SELECT s.span, s.since, w.seen_until FROM {OPEN} "  # noqa: S608
        f"WHERE s.span IN :spans{scope.where(column='s.place')}{among.where('s.person')}",
        {**scope.parameters, **among.parameters, "spans": tuple(columns)},
    )
    for span, since, until in lasting:
        for quarter, milliseconds in split(max(since, edges[0], period.first or 0), min(until, edges[-1], period.last)):
            found[bucket(edges, quarter * QUARTER_MS)][columns[span]] += milliseconds
    return found


def bucket(edges: Sequence[int], moment: int) -> int:
    """The bucket that a moment lies in."""
    return bisect.bisect_right(edges, moment) - 1


def quarters(period: Period, edges: Sequence[int]) -> dict[str, int]:
    """The quarter hours of the buckets that lie in the period: `first`, and `last` which is the one after."""
    first = max(edges[0], period.first or 0) // QUARTER_MS
    return {"first": first, "last": min(edges[-1], period.last) // QUARTER_MS}


def _where(scope: Scope) -> str:
    # Without a list of places the key (place, quarter) could not be used.
    return " AND place IN (SELECT place FROM places)" if scope.places is None else scope.where()


async def _first(reader: Reader, scope: Scope, period: Period, known: Sequence[Stretch]) -> int | None:
    """When the buckets begin: with the period, or with the first there is to know; None when there is nothing."""
    if period.first is not None:
        return period.first
    ((quarter,),) = await reader.rows(
        f"SELECT MIN(quarter) FROM place_quarters WHERE 1 = 1{_where(scope)}",  # noqa: S608
        scope.parameters,
    )
    moments = [stretch.since for stretch in known] + ([] if quarter is None else [quarter * QUARTER_MS])
    return min((moment for moment in moments if moment < period.end), default=None)
