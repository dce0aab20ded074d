"""Voice channels: which ones are used the most, when, and how full they are.

Stored: nothing; it reads the ledger of people, the headcounts and the peaks that `voice` keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from .. import frames
from ..asking import Now, Period, Scope, during
from ..buckets import SLOT, Step, slots
from ..contract.pseudonym import FIRST_PERSON
from ..frames import Cell, bucket, quarters
from ..lasting import OPEN, WITHIN, bounds
from ..observed import ALIVE, alive
from ..statistic import PEOPLE, QUARTER_MS, Statistic, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader
from ..voiced import KINDS, Kind

_MEASURES: Final = {span.measure: span.name for span in KINDS.values()}
_COLUMNS: Final = ", ".join(("place", "person", "voice_sessions", *_MEASURES))
_LASTS: Final = ", ".join(f"CASE WHEN s.span = '{span.name}' THEN {WITHIN} ELSE 0 END" for span in KINDS.values())


class VoiceChannel(msgspec.Struct, frozen=True):
    """One voice channel; what lasts now is included."""

    domain: str
    channel: str
    raw_ms: int
    """Of all people together whose time is counted."""
    active_ms: int
    social_ms: int
    people: int
    """How many different people; accounts that share an alias are one, and nobody who is anonymous is among them."""
    sessions: int
    """Stays that ended."""
    peak: int | None
    """The most humans at once, also those who want no time kept; None: not told."""
    now: int | None
    """Humans in it now; None: it is not observed, or not told."""


class VoiceBucket(msgspec.Struct, frozen=True):
    """The voice channels in one hour, day, week or month; numbers are None when nothing of it was observed."""

    at: str
    """ISO time of its beginning."""
    raw_ms: int | None
    """Of all people together whose time is counted."""
    active_ms: int | None
    social_ms: int | None
    peak: int | None
    """The most humans at once: in all channels of a guild, or where a channel is asked about in this one."""
    observed: float
    """Observed share of its time within the period, averaged over the rooms asked about."""


_CHANNELS = f"""
WITH {ACCOUNTS}, sums AS (
    SELECT {_COLUMNS} FROM {{facts}}
    UNION ALL SELECT s.place, s.person, 0, {_LASTS} FROM {OPEN} WHERE s.span IN :spans AND {WITHIN} > 0{{where}}
)
SELECT sums.place, p.space, p.channel, SUM(voice_ms), SUM(voice_active_ms), SUM(voice_social_ms),
    COUNT(DISTINCT CASE WHEN sums.person >= {FIRST_PERSON} THEN COALESCE(main, sums.person) END), SUM(voice_sessions)
FROM sums JOIN places p ON p.place = sums.place LEFT JOIN accounts ON accounts.person = sums.person
GROUP BY sums.place, p.space, p.channel ORDER BY 4 DESC, 2, 3
"""
_PEAKS = """
SELECT place, MAX(COALESCE(people, named)) FROM voice_peaks
WHERE quarter >= :first AND quarter < :last{where} GROUP BY place
"""
_FULL = f"""
SELECT n.place, n.people + n.deafened FROM voice_now n JOIN places p ON p.place = n.place
JOIN watches w ON w.place = COALESCE(p.observer, p.place) AND {ALIVE} WHERE 1 = 1{{where}}
"""


@query("voice.channels", topic="voice")
async def channels(reader: Reader, scope: Scope, period: Period, now: Now) -> list[VoiceChannel]:
    """Which voice channels are used the most: time, people, and the most at once.

    Includes what lasts now.
    """
    # While a stay lasts, states in it may have ended, and be credited before it is.
    times = " + ".join(_MEASURES)
    facts, parameters = during(PEOPLE, period, _COLUMNS, f" AND {times} > 0{scope.where()}")
    rows = await reader.rows(
        _CHANNELS.format(facts=facts, where=scope.where(column="s.place")),
        {**parameters, **scope.parameters, **bounds(period), "spans": tuple(_MEASURES.values())},
    )
    borders = {"first": (period.first or 0) // QUARTER_MS, "last": period.last // QUARTER_MS}
    peaks = dict(await reader.rows(_PEAKS.format(where=scope.where()), {**borders, **scope.parameters}))
    where = scope.where(column="n.place")
    full = dict(await reader.rows(_FULL.format(where=where), {**alive(now.at), **scope.parameters}))
    return [
        VoiceChannel(space, channel, raw, active, social, people, ended, peaks.get(place), full.get(place))
        for place, space, channel, raw, active, social, people, ended in rows
    ]


@query("voice.series", shape="series", period="7d", topic="voice")
async def series(reader: Reader, scope: Scope, period: Period, step: Step = "day") -> list[VoiceBucket]:
    """Time in voice channels, and the most people at once, by hour, day, week or month of the time zone.

    The first and the last bucket hold what lies within the period.
    """
    edges, shares = await frames.frame(reader, scope, period, step)
    sums = await frames.sums(reader, scope, period, edges, _MEASURES)
    found = []
    for at, share, times, most in zip(edges, shares, sums, await _highest(reader, scope, period, edges), strict=False):
        known = share or any(times)
        raw, active, social = times if known else (None, None, None)
        found.append(VoiceBucket(period.iso(at), raw, active, social, most if known else None, round(share, 4)))
    return found


@query("voice.heatmap", shape="heatmap", topic="voice")
async def heatmap(reader: Reader, scope: Scope, period: Period, kind: Kind = "raw") -> list[Cell]:
    """At which hours of the week people are in voice channels: milliseconds of all together."""
    return await frames.heatmap(reader, scope, period, {KINDS[kind].measure: KINDS[kind].name})


@query("voice.peak", shape="heatmap", topic="voice")
async def peak(reader: Reader, scope: Scope, period: Period) -> list[Cell]:
    """At which hours of the week the voice channels are the fullest: the most people at once."""
    hours = await frames.week(reader, scope, period)
    values: dict[tuple[int, int], int] = {}
    for cell, number in zip(hours.cells, await _highest(reader, scope, period, hours.edges), strict=True):
        values[cell] = max(values.get(cell, 0), number)
    return hours.heatmap(values)


_HIGHEST = f"""
SELECT {SLOT} AS slot, MAX(COALESCE(v.people, v.named)) FROM voice_peaks v JOIN places p ON p.place = v.place
WHERE v.quarter >= :first AND v.quarter < :last AND {{which}}{{where}} GROUP BY slot
"""


async def _highest(reader: Reader, scope: Scope, period: Period, edges: Sequence[int]) -> list[int]:
    """The most people at once in each bucket: of a guild, or where channels are asked about of one of these."""
    found = [0] * max(0, len(edges) - 1)
    if not found:
        return found
    widths = slots(edges)
    which = "p.channel = ''" if scope.channel is None else "p.channel <> ''"
    rows = await reader.rows(
        _HIGHEST.format(which=which, where=scope.where(column="v.place")),
        {**quarters(period, edges), **widths.parameters, **scope.parameters},
    )
    for slot, number in rows:
        index = bucket(edges, widths.start(slot))
        found[index] = max(found[index], number)
    return found


STATISTIC = Statistic(
    name="voice_channels", questions=(channels, series, heatmap, peak), reads=("voice", "people", "aliases")
)
