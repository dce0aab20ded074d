"""Population: how many are in a room, by snapshots at fixed borders of stream time.

Stored: `population`, a row for each place and border (every `interval_seconds`, counted from the epoch) that a watch
lived through; `population_now`, the latest count. The row of a border holds the first count after it, also when that
is 0. A border that nobody observed has no row. `connected` includes anonymous connections and is NULL where the
platform has not told it; `chatters` are the people who said something since the last snapshot.
"""

from __future__ import annotations

import bisect
from typing import Annotated

import msgspec

from ..asking import Limit, Now, Period, Scope
from ..contract.events import MessageSent, PopulationCounted, PopulationImported
from ..observed import ALIVE, alive
from ..statistic import KEY, PUT, Metric, Section, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

SNAPSHOTS = Table(
    "population",
    {"place": KEY, "at": KEY},
    {"connected": PUT, "named": PUT, "not_afk": PUT, "chatters": PUT, "imported": PUT},
    (("place", "connected", "at"), ("at",)),
)
"""`imported` 1: another program counted it, at a moment that is no border."""
LATEST = Table(
    "population_now", {"place": KEY}, {"at": PUT, "connected": PUT, "named": PUT, "not_afk": PUT}, newest="at"
)


class Snapshots(msgspec.Struct, frozen=True):
    """Section `snapshots`."""

    interval_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300


class Collected(msgspec.Struct, frozen=True):
    """What is remembered of a place between two snapshots."""

    border: int
    """Of the last snapshot; 0 before the first."""
    since: int
    """Border of the interval in which the first of these people talked."""
    people: tuple[int, ...]
    """Who talked since the last snapshot, in order of their numbers."""


def counted(event: PopulationCounted, moment: Moment) -> None:
    values = {"connected": event.connected, "named": event.named, "not_afk": event.not_afk}
    moment.put(LATEST, (moment.place,), {"at": moment.at, **values})
    border, collected = _now(moment, moment.settings(Snapshots).interval_seconds * 1000)
    if not moment.current or border <= collected.border or border < moment.observed_since:
        return
    moment.put(SNAPSHOTS, (moment.place, border), {**values, "chatters": len(collected.people)})
    moment.remember(str(moment.place), Collected(border, border, ()))


def said(event: MessageSent, moment: Moment) -> None:
    interval = moment.settings(Snapshots).interval_seconds * 1000
    if event.by != "person" or not moment.current or moment.seen - moment.at > interval:
        return  # a line that is told this late (the history at a join) is nobody talking now
    border, collected = _now(moment, interval)
    people = collected.people
    index = bisect.bisect_left(people, event.author)
    if people[index : index + 1] != (event.author,):
        since = collected.since if people else border
        people = (*people[:index], event.author, *people[index:])
        moment.remember(str(moment.place), Collected(collected.border, since, people))


def _now(moment: Moment, interval: int) -> tuple[int, Collected]:
    """The border before this moment, and what was collected since the last snapshot.

    Talk from before a border that got no snapshot is dropped: it belongs to none, and memory must not grow with it.
    """
    border = moment.seen // interval * interval
    collected = moment.recall(str(moment.place), Collected) or Collected(0, border, ())
    if collected.since < border - interval or collected.since < moment.observed_since // interval * interval:
        return border, Collected(collected.border, border, ())
    return border, collected


def imported(event: PopulationImported, moment: Moment) -> None:
    for count in event.counts:
        # The other program counted the people it knew by name, and called them connected.
        values = {"connected": count.connected, "named": count.connected, "not_afk": count.not_afk}
        moment.put(SNAPSHOTS, (moment.place, count.at), {**values, "imported": 1})
        moment.put(LATEST, (moment.place,), {"at": count.at, **values})


class Population(msgspec.Struct, frozen=True):
    """How many were in a room at one moment."""

    at: str
    """ISO time."""
    domain: str
    channel: str
    connected: int | None
    """Anonymous connections included; None where the platform has not told it."""
    named: int
    not_afk: int
    chatters: int | None
    """Who talked since the snapshot before; None for what is no snapshot, and where it is not known."""
    imported: bool = False
    """Taken over from another program."""


class Mark(msgspec.Struct, frozen=True):
    """A highest or lowest snapshot."""

    at: str
    """ISO time at which it was reached first."""
    total_users: int
    """Connections, anonymous ones included."""
    chat_users: int
    """Named and not AFK."""


class Watermarks(msgspec.Struct, frozen=True):
    """The marks of one room; None where nobody told how many were connected."""

    domain: str
    channel: str
    high: Mark | None
    low: Mark | None


@query("channel.population", shape="series", period="24h")
async def population(reader: Reader, scope: Scope, period: Period, limit: Limit = 300) -> list[Population]:
    """How many were in a room, snapshot by snapshot, oldest first: the latest `limit` of the period."""
    rows = await reader.rows(
        "SELECT s.at, p.space, p.channel, s.connected, s.named, s.not_afk, s.chatters, "
        "COALESCE(s.imported, 0) FROM population s "
        "JOIN places p ON p.place = s.place "
        f"WHERE s.at >= :start AND s.at < :end{scope.where(column='s.place')} "
        "ORDER BY s.at DESC, s.place DESC LIMIT :most",
        {"start": period.start or 0, "end": period.end, "most": limit, **scope.parameters},
    )
    return [
        Population(period.iso(at), domain, channel, connected, named, not_afk, chatters, bool(old))
        for at, domain, channel, connected, named, not_afk, chatters, old in reversed(rows)
    ]


@query("channel.now", period="all")
async def latest(reader: Reader, scope: Scope, now: Now) -> list[Population]:
    """How many are in each room that is observed, by its latest count."""
    rows = await reader.rows(
        "SELECT n.at, p.space, p.channel, n.connected, n.named, n.not_afk, NULL FROM population_now n "
        "JOIN places p ON p.place = n.place JOIN watches w ON w.place = n.place "
        f"WHERE {ALIVE}{scope.where(column='n.place')} ORDER BY n.named DESC, n.place",
        {**scope.parameters, **alive(now.at)},
    )
    return [Population(now.iso(row[0]), *row[1:]) for row in rows]


_MARKS = """
WITH extremes AS (
    SELECT n.place, 'high' AS mark, (SELECT MAX({value}) FROM population t WHERE t.place = n.place{during}) AS connected
    FROM population_now n WHERE 1 = 1{scope}
    UNION ALL
    SELECT n.place, 'low' AS mark, (SELECT MIN({value}) FROM population t WHERE t.place = n.place{during}) AS connected
    FROM population_now n WHERE 1 = 1{scope}
), marks AS (
    SELECT e.place, e.mark, e.connected,
        (SELECT MIN(t.at) FROM population t WHERE t.place = e.place AND t.connected = e.connected{during}) AS at
    FROM extremes e
)
SELECT p.space, p.channel, m.at, m.connected, s.not_afk
FROM marks m JOIN places p ON p.place = m.place LEFT JOIN population s ON s.place = m.place AND s.at = m.at
ORDER BY m.place, m.mark
"""


@query("channel.watermarks", period="all")
async def watermarks(reader: Reader, scope: Scope, period: Period) -> list[Watermarks]:
    """The most and the fewest people there were in each room at once, and when first."""
    if period.start is None:
        value, during = "t.connected", " AND t.at < :end"
    else:  # the plus keeps the index on `connected` out: of a short period it knows less than the key does
        value, during = "+t.connected", " AND t.at >= :start AND t.at < :end"
    sql = _MARKS.format(value=value, during=during, scope=scope.where(column="n.place"))
    rows = await reader.rows(sql, {"start": period.start, "end": period.end, **scope.parameters})
    found = []
    for (space, channel, *high), (_, _, *low) in zip(rows[::2], rows[1::2], strict=True):
        found.append(Watermarks(space, channel, _mark(period, *high), _mark(period, *low)))
    return found


def _mark(period: Period, at: int | None, connected: int, not_afk: int) -> Mark | None:
    return None if at is None else Mark(period.iso(at), connected, not_afk)


_NOW = (
    "SELECT p.platform, SUM(n.{column}) FROM population_now n JOIN places p ON p.place = n.place "
    f"JOIN watches w ON w.place = n.place WHERE {ALIVE} AND n.{{column}} IS NOT NULL "
    "GROUP BY p.platform ORDER BY p.platform"
)

STATISTIC = Statistic(
    name="population",
    on={PopulationCounted: counted, MessageSent: said, PopulationImported: imported},
    tables=(SNAPSHOTS, LATEST),
    memory=Collected,
    settings=Section("snapshots", Snapshots),
    questions=(population, latest, watermarks),
    metrics=(
        Metric(
            "userstats_population_connected", "Connections to observed rooms, anonymous ones included, by platform.",
            _NOW.format(column="connected"), ("platform",),
        ),
        Metric(
            "userstats_population_named", "People with a name in observed rooms, by platform.",
            _NOW.format(column="named"), ("platform",),
        ),
        Metric(
            "userstats_population_not_afk", "People with a name in observed rooms who are not AFK, by platform.",
            _NOW.format(column="not_afk"), ("platform",),
        ),
    ),
)  # fmt: skip
