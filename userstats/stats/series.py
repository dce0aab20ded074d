"""Series: what happened in rooms hour by hour, day by day, and at which hours of the week, in the zone of the asker.

Stored: nothing; it reads the ledger of people. Hours and days have their true lengths, also when clocks change. A
bucket in which nothing was observed has no numbers, rather than zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from .. import frames
from ..asking import Period, Refused, Scope, during
from ..buckets import SLOT, Step, slots
from ..directory import Directory
from ..frames import Cell, bucket, quarters
from ..statistic import DAY_MS, PEOPLE, Statistic, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader

_MOST_DAYS: Final = 62
"""For which people are told by hour or day: those are read one quarter hour and person at a time."""
_MEASURES: Final = {"messages": "", "words": "", "present_ms": "present"}


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


@query("channel.messages_by_hour", shape="series", period="7d")
async def series(reader: Reader, scope: Scope, period: Period, step: Step = "hour") -> list[Bucket]:
    """Messages, words and time present by hour, day, week or month of the time zone.

    The first and the last bucket hold what lies within the period.
    """
    edges, shares = await frames.frame(reader, scope, period, step)
    found = []
    for edge, share, sums in zip(
        edges, shares, await frames.sums(reader, scope, period, edges, _MEASURES), strict=False
    ):
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
    edges, shares = await frames.frame(reader, scope, period, step)
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
    return await frames.heatmap(reader, scope, period, {measure: _MEASURES[measure]})


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
    widths, limits = slots(edges), quarters(period, edges)
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
        found[bucket(edges, widths.start(slot))].add(mains.get(person, person))
    return [len(people) for people in found]


def _cut(period: Period, start: int, end: int) -> Period:
    """A bucket, as far as it lies in the period."""
    return Period(max(start, period.first or 0), min(end, period.end), period.zone)


STATISTIC = Statistic(
    name="series", questions=(series, talkers, heatmap), reads=("messages", "activity", "people", "aliases")
)
