"""What was observed when: so that a number can say how much of its time it knows about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from .asking import Period, Scope
from .statistic import GRACE_MS
from .store.seam import Reader

ALIVE: Final = "w.watch <> '' AND w.seen_until >= :alive"
"""SQL: whether the watch `w` observes its place now. It has not ended, and is not silent for longer than three beats:
who was killed says no goodbye."""


def alive(now: int) -> dict[str, int]:
    """The parameter of `ALIVE`; `now` is milliseconds, UTC."""
    return {"alive": now - GRACE_MS}


class Stretch(NamedTuple):
    """A place was observed without a break."""

    place: int
    since: int
    until: int
    """Milliseconds, UTC."""


async def stretches(reader: Reader, scope: Scope, period: Period) -> list[Stretch]:
    """What was observed of these places in the period, cut to it, by place and time; nothing for those never seen."""
    rows = await reader.rows(
        f"SELECT place, since, until FROM observed WHERE since < :end AND until > :start{scope.seen.where()} "  # noqa: S608
        "ORDER BY place, since",
        {"start": period.start or 0, "end": period.end, **scope.seen.parameters},
    )
    start = period.start or 0
    return [Stretch(place, max(since, start), min(until, period.end)) for place, since, until in rows]


def covered(known: Iterable[tuple[int, int]], edges: Sequence[int]) -> list[int]:
    """For each bucket between two edges: the observed milliseconds in it, summed over overlapping stretches."""
    steps: dict[int, int] = {}
    for since, until in known:
        if since < until:
            steps[since] = steps.get(since, 0) + 1
            steps[until] = steps.get(until, 0) - 1
    moments = sorted(steps)
    totals: list[int] = []
    alive = total = position = 0
    last = moments[0] if moments else 0
    for edge in edges:
        while position < len(moments) and moments[position] <= edge:
            total += alive * (moments[position] - last)
            last = moments[position]
            alive += steps[last]
            position += 1
        totals.append(total + alive * max(0, edge - last))
    return [end - start for start, end in pairwise(totals)]


def merged(known: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that overlap or touch as one, in order of time."""
    found: list[tuple[int, int]] = []
    for since, until in sorted(known):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        elif since < until:
            found.append((since, until))
    return found
