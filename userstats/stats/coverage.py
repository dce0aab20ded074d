"""Coverage: how much of a time each room was observed, and when it was not.

Stored: nothing; it reads `observed` and `watches`, which the engine keeps. What no watch saw is unknown: it is never
credited to anybody and never shown as zero.
"""

from __future__ import annotations

import msgspec

from ..asking import Limit, Period, Scope
from ..observed import merged, stretches
from ..statistic import GRACE_MS, Metric, Statistic, query
from ..store.seam import Reader


class Gap(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Time in which a room was not observed."""

    start: str
    """ISO time."""
    end: str
    ms: int


class RoomCoverage(msgspec.Struct, frozen=True):
    """How much of the period a room was observed."""

    domain: str
    channel: str
    ratio: float | None
    """Observed share of the period, for all time of the time since the first observation; None: never observed."""
    observed_ms: int
    gaps: int
    """How many there were."""
    latest_gaps: list[Gap]
    """The newest ones, newest first."""


@query("system.coverage")
async def coverage(reader: Reader, scope: Scope, period: Period, limit: Limit = 20) -> list[RoomCoverage]:
    """How much of the period each room was observed, and its latest `limit` gaps.

    The silence since the last sign of life is a gap once it is longer than three beats (90 s).
    """
    rows = await reader.rows(
        "SELECT COALESCE(p.observer, p.place), p.place, p.space, p.channel, "
        "(SELECT MIN(o.since) FROM observed o WHERE o.place = COALESCE(p.observer, p.place)) "
        f"FROM places p WHERE 1 = 1{scope.where(column='p.place')} ORDER BY p.platform, p.space, p.channel",
        scope.parameters,
    )
    known: dict[int, list[tuple[int, int]]] = {}
    for place, since, until in await stretches(reader, scope, period):
        known.setdefault(place, []).append((since, until))
    return [
        _room(domain, channel, first, merged(known.get(observer, [])), period, limit)
        for observer, place, domain, channel, first in rows
        if scope.places is not None or (first is not None and observer == place)
    ]


def _room(
    domain: str, channel: str, first: int | None, known: list[tuple[int, int]], period: Period, limit: int
) -> RoomCoverage:
    start = period.start if period.start is not None else first
    if first is None or start is None:
        return RoomCoverage(domain, channel, None, 0, 0, [])
    gaps = []
    position = start
    for since, until in known:
        if since > position:
            gaps.append((position, since))
        position = until
    if period.end - position > GRACE_MS:
        gaps.append((position, period.end))
    observed = sum(until - since for since, until in known)
    latest = [Gap(period.iso(since), period.iso(until), until - since) for since, until in reversed(gaps[-limit:])]
    ratio = round(min(1.0, observed / max(1, period.end - start)), 6)
    return RoomCoverage(domain, channel, ratio, observed, len(gaps), latest)


STATISTIC = Statistic(
    name="coverage",
    questions=(coverage,),
    metrics=(
        Metric(
            "userstats_observed_seconds_total", "Time that rooms were observed, summed over rooms, by platform.",
            "SELECT p.platform, SUM(o.until - o.since) / 1000.0 FROM observed o JOIN places p ON p.place = o.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
        Metric(
            "userstats_rooms_observed",
            "Rooms whose watch has not ended, by platform; also those that are silent (see the oldest sign of life).",
            "SELECT p.platform, SUM(CASE WHEN w.watch <> '' THEN 1 ELSE 0 END) FROM watches w "
            "JOIN places p ON p.place = w.place GROUP BY p.platform ORDER BY p.platform",
            ("platform",),
        ),
        Metric(
            "userstats_oldest_sign_of_life_timestamp_seconds",
            "When the observed room that is silent the longest gave its last sign of life, by platform.",
            "SELECT p.platform, MIN(w.seen_until) / 1000.0 FROM watches w JOIN places p ON p.place = w.place "
            "WHERE w.watch <> '' GROUP BY p.platform ORDER BY p.platform",
            ("platform",),
        ),
    ),
)  # fmt: skip
