"""Presence: who is online, idle or dnd, and on which devices, of people who want that known.

Stored: measures of the ledger of people, in milliseconds by quarter hour; the ledger `activities` (see `games`); single
changes of status, for some weeks. All of it is about a connection to the platform, not about a guild: who is in many
guilds has one status (see `presences.py` and `connections.py`). Invisible is offline (guarantee G27). Where nobody
told anything the answer is that it is not tracked, never offline and never 0 (guarantee G28).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from .. import frames
from ..asking import Now, Period, Scope, Username, during
from ..buckets import Step
from ..connections import STATUS_SPANS, connected, connections, untracked
from ..contract.consents import CLOSED
from ..contract.events import ConsentChanged, Presence, PresenceChanged, PresencesSeen
from ..contract.pseudonym import FIRST_PERSON
from ..directory import Directory, Who
from ..frames import Cell
from ..lasting import OPEN, WITHIN, bounds, lasting
from ..observed import ALIVE, alive
from ..presences import (
    ACTIVITIES,
    CUSTOM,
    DEVICES,
    DOING,
    LOG,
    PLAIN,
    SPANS,
    STATUSES,
    Known,
    PresenceSettings,
    changed,
    chose,
    seen,
)
from ..snapshots import Parts
from ..statistic import PEOPLE, Metric, Section, Statistic, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader

Word = Literal["online", "idle", "dnd", "offline", "not tracked"]

_MEASURES: Final = {span.measure: span.name for span in STATUSES.values()}
_PLAIN: Final = [span.name for span in PLAIN]


class Doing(msgspec.Struct, frozen=True):
    """What somebody is shown to be doing."""

    type: str
    """playing, streaming, listening, watching or competing."""
    name: str
    """Of the game or service."""
    since: str
    """ISO time from which on it was seen without a break."""


class Status(msgspec.Struct, frozen=True):
    """Somebody's status now."""

    username: str
    status: Word
    """offline: or invisible, which is the same to everybody else."""
    since: str | None
    """ISO time from which on it was seen without a break; of offline: of the last change, while that is kept."""
    devices: list[str]
    activities: list[Doing]
    custom_status: bool
    """Whether they have one; what it says is not known here."""
    why: str
    """Why it is not tracked; empty where it is."""


class Times(msgspec.Struct, frozen=True):
    """One person's statuses in a period; what lasts now is included."""

    username: str
    online_ms: int
    idle_ms: int
    dnd_ms: int
    desktop_ms: int
    mobile_ms: int
    web_ms: int
    custom_status_ms: int


class Summary(msgspec.Struct, frozen=True):
    """Everybody whose status is told, taken together; all of it None where nobody's was ever told."""

    people: int | None
    """How many were online, idle or dnd in the period; nobody who is anonymous is among them."""
    online: int | None
    """Now."""
    idle: int | None
    dnd: int | None
    online_ms: int | None
    """In the period, of all of them together; what lasts now is included."""
    idle_ms: int | None
    dnd_ms: int | None


class StatusBucket(msgspec.Struct, frozen=True):
    """Statuses in one hour, day, week or month; None when nothing of it was observed."""

    at: str
    """ISO time of its beginning."""
    online_ms: int | None
    """Of all people together."""
    idle_ms: int | None
    dnd_ms: int | None
    observed: float
    """Observed share of its time within the period, averaged over the connections."""


_LASTS_NOW = f"SELECT s.span, s.began FROM {OPEN} WHERE s.person IN :people AND s.place IN :known AND {ALIVE}"
_LIVING = f"SELECT w.place FROM watches w WHERE w.place IN :known AND {ALIVE}"
_CHOSEN = "SELECT person, level FROM consents WHERE person IN :people AND topic = 'presence'"
_LAST = "SELECT status, at FROM presence_log WHERE person IN :people ORDER BY at DESC, seq DESC LIMIT 1"


@query("presence.now", shape="card", period="all", topic="presence")
async def now(reader: Reader, directory: Directory, scope: Scope, now: Now, username: Username) -> Status:
    """Whether somebody is online, idle, dnd or offline now, on which devices, and doing what."""
    who = await directory.find(username, scope)
    found = await connected(reader, scope)
    if found.untracked:
        return _untracked(who, found.untracked)
    known = await found.of(reader, who.people)
    if not known:
        return _untracked(who, "their status was never told here; people opt in")
    if not await _may_be_told(reader, directory, who):
        return _untracked(who, "they do not let their status be told")
    about: dict[str, Any] = {"people": who.people, "known": known, **alive(now.at)}
    if not await reader.rows(_LIVING, about):
        return _untracked(who, "the platform is not connected now")
    lasts = dict(sorted(await reader.rows(_LASTS_NOW, about)))
    for status, span in STATUSES.items():
        if span.name in lasts:
            return _status(who, status, lasts, now)
    latest = await reader.rows(_LAST, about)
    since = now.iso(latest[0][1]) if latest and latest[0][0] == "offline" else None
    return Status(who.name, "offline", since, [], [], False, "")


async def _may_be_told(reader: Reader, directory: Directory, who: Who) -> bool:
    """Whether any of their accounts lets its status be told now; what was told of the others is no news any more."""
    chosen = dict(await reader.rows(_CHOSEN, {"people": who.people}))
    policy = directory.asking.privacy.policy("presence")
    return any((chosen.get(person) or policy) not in CLOSED for person in who.people)


def _status(who: Who, status: Known, lasts: dict[str, int], now: Now) -> Status:
    """The status of somebody of whom these spans last, each since when."""
    devices = [device for device, span in DEVICES.items() if span.name in lasts]
    activities = []
    for name, began in lasts.items():
        base, _, activity = name.partition(":")
        if base == DOING.name:
            kind, _, called = activity.partition(":")
            activities.append(Doing(kind, called, now.iso(began)))
    since = now.iso(lasts[STATUSES[status].name])
    return Status(who.name, status, since, devices, activities, CUSTOM.name in lasts, "")


def _untracked(who: Who, why: str) -> Status:
    return Status(who.name, "not tracked", None, [], [], False, why)


@query("presence.user", shape="card", topic="presence")
async def user(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> Times:
    """How long one person was online, idle and dnd, and on which devices; includes what lasts now."""
    who = await directory.find(username, scope)
    found = await connections(reader, scope)
    if not await found.of(reader, who.people):
        raise untracked(f"the status of {who.name!r} was never told here; people opt in")
    places = found.scope
    columns = [span.measure for span in PLAIN]
    facts, parameters = during(PEOPLE, period, ", ".join(columns), f" AND person IN :people{places.where()}")
    ((*sums,),) = await reader.rows(
        f"SELECT {', '.join(f'COALESCE(SUM({name}), 0)' for name in columns)} FROM {facts}",
        {**parameters, **places.parameters, "people": who.people},
    )
    for one in await lasting(reader, places, period, _PLAIN, who.people):
        sums[_PLAIN.index(one.span)] += one.milliseconds
    return Times(who.name, *sums)


_LASTS = ", ".join(f"CASE WHEN s.span = '{span}' THEN {WITHIN} ELSE 0 END" for span in _MEASURES.values())
_STATS = f"""
WITH {ACCOUNTS}, sums AS (
    SELECT person, {", ".join(_MEASURES)} FROM {{facts}}
    UNION ALL SELECT s.person, {_LASTS} FROM {OPEN} WHERE s.span IN :statuses AND {WITHIN} > 0{{where}}
)
SELECT COUNT(DISTINCT CASE WHEN sums.person >= {FIRST_PERSON} THEN COALESCE(main, sums.person) END),
    {", ".join(f"COALESCE(SUM({measure}), 0)" for measure in _MEASURES)}
FROM sums LEFT JOIN accounts ON accounts.person = sums.person WHERE online_ms + idle_ms + dnd_ms > 0
"""
_COUNTS = f"SELECT s.span, COUNT(*) FROM {OPEN} WHERE s.span IN :statuses AND {ALIVE}{{where}} GROUP BY s.span"


@query("presence.stats", shape="card", topic="presence")
async def stats(reader: Reader, scope: Scope, period: Period, now: Now) -> Summary:
    """How many people are online, idle and dnd now, and how long all together, of those who let it be counted."""
    places, among, untold = await connections(reader, scope)
    if untold:
        return Summary(None, None, None, None, None, None, None)
    facts, parameters = during(PEOPLE, period, ", ".join(("person", *_MEASURES)), f"{places.where()}{among.where()}")
    parameters |= {**places.parameters, **among.parameters, **bounds(period), **alive(now.at), "statuses": STATUS_SPANS}
    where = f"{places.where(column='s.place')}{among.where('s.person')}"
    ((people, *times),) = await reader.rows(_STATS.format(facts=facts, where=where), parameters)
    counts = dict(await reader.rows(_COUNTS.format(where=where), parameters))
    return Summary(people, *(counts.get(span, 0) for span in STATUS_SPANS), *times)


@query("presence.series", shape="series", period="7d", topic="presence")
async def series(reader: Reader, scope: Scope, period: Period, step: Step = "day") -> list[StatusBucket]:
    """Time online, idle and dnd of all people together, by hour, day, week or month of the time zone.

    The first and the last bucket hold what lies within the period.
    """
    places, among, _ = await connections(reader, scope)
    edges, shares = await frames.frame(reader, places, period, step)
    sums = await frames.sums(reader, places, period, edges, _MEASURES, among)
    found = []
    for at, share, times in zip(edges, shares, sums, strict=False):
        online, idle, dnd = times if share or any(times) else (None, None, None)
        found.append(StatusBucket(period.iso(at), online, idle, dnd, round(share, 4)))
    return found


@query("presence.peak", shape="heatmap", topic="presence")
async def peak(
    reader: Reader, scope: Scope, period: Period, kind: Literal["any", "online", "idle", "dnd"] = "any"
) -> list[Cell]:
    """At which hours of the week people are about: milliseconds of all together, by status or of any but offline."""
    places, among, _ = await connections(reader, scope)
    measures = _MEASURES if kind == "any" else {STATUSES[kind].measure: STATUSES[kind].name}
    return await frames.heatmap(reader, places, period, measures, among)


def _seconds(status: Known) -> str:
    return (
        f"SELECT p.platform, '{status}', SUM(t.{STATUSES[status].measure}) / 1000.0 FROM place_totals t "
        "JOIN places p ON p.place = t.place WHERE t.online_ms + t.idle_ms + t.dnd_ms > 0 GROUP BY p.platform"
    )


STATISTIC = Statistic(
    name="presence",
    on={PresenceChanged: changed, PresencesSeen: seen, ConsentChanged: chose},
    measures=tuple(span.measure for span in PLAIN),
    ledgers=(ACTIVITIES,),
    tables=(LOG,),
    spans=SPANS,
    memory=Parts[Presence],
    settings=Section("presence", PresenceSettings),
    questions=(now, user, stats, series, peak),
    metrics=(
        Metric(
            "userstats_presence_people", "People who are online, idle or dnd, of those who let it be counted.",
            f"SELECT p.platform, s.span, COUNT(*) FROM {OPEN} WHERE s.span IN ('online', 'idle', 'dnd') AND {ALIVE} "
            "GROUP BY p.platform, s.span ORDER BY 1, 2",
            ("platform", "status"),
        ),
        Metric(
            "userstats_presence_seconds_total", "Time that people were in a status, credited at hour borders.",
            " UNION ALL ".join(map(_seconds, STATUSES)) + " ORDER BY 1, 2", ("platform", "status"), "counter",
        ),
    ),
    reads=("guilds", "people", "aliases"),
)  # fmt: skip
