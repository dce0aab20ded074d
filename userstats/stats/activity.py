"""Activity: how long people are in a room, and how much of that not AFK.

Stored: measures of the ledger of people, in milliseconds by quarter hour (`present_ms`, `afk_ms`) and `joins`. What
still lasts is in `open_spans`, credited up to the last hour border; questions add the rest up to the last sign of
life of the place's watch, never more. Not AFK = present - AFK, computed when asked.

CyTube marks somebody AFK only after `afk_timeout` of silence (600 s unless the room says otherwise, never where it is
0), so time not AFK includes up to ten idle minutes before each AFK. It is shown as the platform told it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from ..asking import Limit, Now, Period, Scope, Username, during
from ..contract.events import AfkEnded, AfkStarted, BalanceImported, Joined, Left, Present, RosterSeen
from ..directory import Directory
from ..lasting import lasting
from ..observed import ALIVE, alive
from ..ranking import ranked
from ..shown import Shown
from ..snapshots import Parts, taken
from ..statistic import PEOPLE, Metric, Span, Statistic, query
from ..store.seam import Reader
from ..writes import Moment

PRESENT = Span("present", "present_ms")
AFK = Span("afk", "afk_ms")
NOT_AFK = "(present_ms - afk_ms)"


def joined(event: Joined, moment: Moment) -> None:
    if moment.open(PRESENT, event.person):
        moment.count(event.person, {"joins": 1})
    _set_afk(event.person, event.afk, moment)


def left(event: Left, moment: Moment) -> None:
    moment.close(AFK, event.person)
    moment.close(PRESENT, event.person)


def went_away(event: AfkStarted, moment: Moment) -> None:
    _set_afk(event.person, True, moment)


def came_back(event: AfkEnded, moment: Moment) -> None:
    _set_afk(event.person, False, moment)


def roster(event: RosterSeen, moment: Moment) -> None:
    if not moment.current:
        return
    key = str(moment.place)
    known: Parts[Present] | None = moment.recall(key, Parts)
    rest, people = taken(known, event)
    if rest is not known:
        moment.remember(key, rest)
    if people is not None:
        _apply({one.person: one.afk for one in people}, moment)


def _apply(people: dict[int, bool], moment: Moment) -> None:
    moment.close_except(AFK, (person for person, afk in people.items() if afk))
    moment.close_except(PRESENT, people)
    for person, afk in people.items():
        moment.open(PRESENT, person)
        _set_afk(person, afk, moment)


def _set_afk(person: int, afk: bool, moment: Moment) -> None:
    # AFK lies within presence: of somebody who is not known to be here nothing is credited.
    if afk and moment.is_open(PRESENT, person):
        moment.open(AFK, person)
    else:
        moment.close(AFK, person)


def imported(event: BalanceImported, moment: Moment) -> None:
    if event.present_seconds or event.afk_seconds:
        amounts = {"present_ms": 1000 * event.present_seconds, "afk_ms": 1000 * event.afk_seconds}
        moment.carry(PEOPLE, (moment.place, event.person), amounts)


class Stay(msgspec.Struct, frozen=True):
    """The time of one person in one room."""

    domain: str
    channel: str
    total_ms: int
    not_afk_ms: int
    joins: int


class Active(msgspec.Struct, frozen=True):
    """One row of the leaderboard."""

    username: str
    not_afk_ms: int


class Here(msgspec.Struct, frozen=True):
    """Somebody who is here."""

    username: str
    domain: str
    channel: str
    since: str
    """ISO time from which on they were seen here without a break."""
    present_ms: int
    """How long that is."""
    afk_since: str | None
    """ISO time; None: they are not AFK."""


class Stayed(NamedTuple):
    """What a person's open spans have beyond what is credited, within a period."""

    place: int
    person: int
    present_ms: int
    not_afk_ms: int


async def _lasting(
    reader: Reader, scope: Scope, period: Period, people: Collection[int] | None = None, shown: Shown | None = None
) -> list[Stayed]:
    found: dict[tuple[int, int], dict[str, int]] = {}
    for one in await lasting(reader, scope, period, (PRESENT.name, AFK.name), people, shown):
        found.setdefault((one.place, one.person), {})[one.span] = one.milliseconds
    return [
        Stayed(place, person, spans["present"], spans["present"] - spans.get("afk", 0))
        for (place, person), spans in found.items()
    ]


@query("user.activity", period="all")
async def user(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> list[Stay]:
    """How long one person was in each room, and how long of that not AFK.

    Includes what lasts now. Time not AFK includes the silence before a platform calls somebody AFK (CyTube: 600 s).
    """
    who = await directory.find(username, scope)
    where = f" AND person IN :people{scope.where()}"
    facts, parameters = during(PEOPLE, period, "place, present_ms, afk_ms, joins", where)
    rows = await reader.rows(
        f"SELECT place, SUM(present_ms), SUM(present_ms) - SUM(afk_ms), SUM(joins) FROM {facts} GROUP BY place",
        {**parameters, **scope.parameters, "people": who.people},
    )
    times = {place: (total, not_afk, joins) for place, total, not_afk, joins in rows}
    for place, _, total, not_afk in await _lasting(reader, scope, period, who.people):
        before = times.get(place, (0, 0, 0))
        times[place] = (before[0] + total, before[1] + not_afk, before[2])
    names = await reader.rows("SELECT place, space, channel FROM places WHERE place IN :some", {"some": tuple(times)})
    stays = [Stay(space, channel, *times[place]) for place, space, channel in names if any(times[place])]
    return sorted(stays, key=lambda stay: (-stay.not_afk_ms, -stay.total_ms, stay.domain, stay.channel))


@query("leaderboard.activity")
async def leaderboard(
    reader: Reader, directory: Directory, scope: Scope, period: Period, limit: Limit = 10
) -> list[Active]:
    """Who is in the room and not AFK the longest.

    Includes what lasts now. Time not AFK includes the silence before a platform calls somebody AFK (CyTube: 600 s).
    """
    still: dict[int, int] = {}
    for one in await _lasting(reader, scope, period, shown=await directory.shown(scope)):
        still[one.person] = still.get(one.person, 0) + one.not_afk_ms
    return [Active(*row) for row in await ranked(reader, directory, scope, period, NOT_AFK, limit, still)]


@query("channel.present", period="all")
async def present(reader: Reader, directory: Directory, scope: Scope, now: Now, limit: Limit = 200) -> list[Here]:
    """Who is here, since when, and whether they are AFK; as of the last sign of life of each room's watch.

    Of a room that is silent for more than 90 s nobody knows who is there. Who is not shown is not told.
    """
    shown = await directory.shown(scope)
    rows = await reader.rows(
        "SELECT s.person, p.space, p.channel, s.began, w.seen_until - s.began, a.began FROM open_spans s "
        "JOIN places p ON p.place = s.place JOIN watches w ON w.place = COALESCE(p.observer, p.place) "
        "LEFT JOIN open_spans a ON a.span = 'afk' AND a.place = s.place AND a.person = s.person "
        f"WHERE s.span = 'present' AND {ALIVE}{scope.where(column='s.place')}{shown.rows('s.person', 's.place')} "
        "ORDER BY s.began, s.person, s.place LIMIT :most",
        {**scope.parameters, **shown.parameters, **alive(now.at), "most": limit},
    )
    labels = await directory.labels(row[0] for row in rows)
    return [
        Here(labels[person], space, channel, now.iso(began), lasted, None if afk is None else now.iso(afk))
        for person, space, channel, began, lasted, afk in rows
    ]


_OPEN = (
    "SELECT p.platform, COUNT(s.person) FROM places p "
    f"LEFT JOIN watches w ON w.place = COALESCE(p.observer, p.place) AND {ALIVE} "
    "LEFT JOIN open_spans s ON s.place = p.place AND s.span = '{span}' AND w.place IS NOT NULL "
    "WHERE p.place IN (SELECT place FROM watches) GROUP BY p.platform ORDER BY p.platform"
)
_SUM = (
    "SELECT p.platform, SUM(t.{measure}){unit} FROM place_totals t JOIN places p ON p.place = t.place "
    "GROUP BY p.platform ORDER BY p.platform"
)

STATISTIC = Statistic(
    name="activity",
    on={
        Joined: joined, Left: left, AfkStarted: went_away, AfkEnded: came_back, RosterSeen: roster,
        BalanceImported: imported,
    },
    measures=("present_ms", "afk_ms", "joins"),
    indexes={
        "person_totals": (("place", f"{NOT_AFK} DESC", "person"),),
        "everyone_totals": ((f"{NOT_AFK} DESC", "person"),),
    },
    spans=(PRESENT, AFK),
    memory=Parts[Present],
    questions=(user, leaderboard, present),
    metrics=(
        Metric("userstats_present", "People who are here, by platform.", _OPEN.format(span="present"), ("platform",)),
        Metric("userstats_afk", "People who are here but AFK, by platform.", _OPEN.format(span="afk"), ("platform",)),
        Metric(
            "userstats_present_seconds_total", "Time that people were here, credited at hour borders, by platform.",
            _SUM.format(measure="present_ms", unit=" / 1000.0"), ("platform",), "counter",
        ),
        Metric(
            "userstats_afk_seconds_total", "Time that people were here but AFK, credited at hour borders, by platform.",
            _SUM.format(measure="afk_ms", unit=" / 1000.0"), ("platform",), "counter",
        ),
        Metric(
            "userstats_joins_total", "Times that somebody connected to a room, by platform.",
            _SUM.format(measure="joins", unit=""), ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
