"""Guilds: their members, who of them is online, how many are in voice channels, their channels by type, snapshot by
snapshot; what happened in them as a whole; and what the platform does not tell.

Stored: `guild_snapshots`, the first count after each border of stream time (every `interval_seconds` of the section
`guild_snapshots`); `guild_now`, the latest one. What the platform does not tell is NULL and answered as null with its
intent among `not_tracked`, never as 0 (guarantee G28).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from ..asking import Limit, Now, Period, Scope, during
from ..contract.events import GuildCounted, NotGranted, PlaceClosed
from ..statistic import KEY, PEOPLE, PUT, PUT_TEXT, Aging, Metric, Section, Statistic, Table, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader
from ..tables import PLACES
from ..writes import Moment

_COUNTS: Final = ("members", "online", "idle", "voice", "threads")
_TYPES: Final = ("categories", "text", "voice_channels", "stages", "forums", "announcements")
_COLUMNS: Final = dict.fromkeys((*_COUNTS, *_TYPES), PUT)
SNAPSHOTS: Final = Table(
    "guild_snapshots", {"place": KEY, "at": KEY}, _COLUMNS, (("at",),), aging=Aging("at", "place", "keep_days")
)
LATEST: Final = Table("guild_now", {"place": KEY}, {"at": PUT, **_COLUMNS}, newest="at")
MISSING: Final = Table("guild_missing", {"place": KEY}, {"missing": PUT_TEXT, "at": PUT}, newest="at")
"""Intents that are not granted, with blanks between."""


class GuildSnapshots(msgspec.Struct, frozen=True):
    """Section `guild_snapshots`."""

    interval_seconds: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 3600
    keep_days: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Snapshots that are older are deleted. 0: never."""


class Border(msgspec.Struct, frozen=True):
    """Of a guild's last snapshot."""

    at: int


def counted(event: GuildCounted, moment: Moment) -> None:
    values: dict[str, Any] = {name: getattr(event, name) for name in _COLUMNS}
    moment.put(LATEST, (moment.place,), {"at": moment.at, **values})
    interval = moment.settings(GuildSnapshots).interval_seconds * 1000
    border = moment.seen // interval * interval
    known = moment.recall(str(moment.place), Border)
    if not moment.current or (known is not None and border <= known.at):
        return
    moment.put(SNAPSHOTS, (moment.place, border), values)
    moment.remember(str(moment.place), Border(border))


def missing(event: NotGranted, moment: Moment) -> None:
    moment.put(MISSING, (moment.place,), {"missing": " ".join(sorted(event.missing)), "at": moment.at})


def closed(_: PlaceClosed, moment: Moment) -> None:
    moment.put(PLACES, (moment.place,), {"closed_at": moment.at})


class Guild(msgspec.Struct, frozen=True):
    """One guild, as the platform told it last."""

    domain: str
    at: str
    """ISO time."""
    members: int
    online: int | None
    """Neither offline nor invisible; None: not tracked."""
    idle: int | None
    voice: int | None
    """Humans in voice channels."""
    threads: int | None
    """Open ones."""
    categories: int
    text: int
    voice_channels: int
    stages: int
    forums: int
    announcements: int
    not_tracked: list[str]
    """Intents that are not granted to the bridge: what depends on them is not known."""


class Count(msgspec.Struct, frozen=True):
    """One guild at one moment."""

    at: str
    """ISO time."""
    domain: str
    members: int
    online: int | None
    idle: int | None
    voice: int | None
    threads: int | None


class Overview(msgspec.Struct, frozen=True):
    """What happened in one guild in a period."""

    domain: str
    active: int
    """People who said something or were in a voice channel."""
    authors: int
    """People who said something."""
    in_voice: int
    """People who were in a voice channel, of those whose time there is counted."""
    messages: int
    with_files: int
    with_embeds: int
    with_stickers: int
    reactions: int
    voice_ms: int
    threads_created: int
    joined: int
    left: int


@query("guild.now", period="all")
async def latest(reader: Reader, scope: Scope, now: Now) -> list[Guild]:
    """Members, who is online, voice, threads and channels by type of each guild, and what is not tracked there."""
    rows = await reader.rows(
        f"SELECT p.space, n.at, {', '.join(f'n.{name}' for name in _COLUMNS)}, m.missing "
        "FROM guild_now n JOIN places p ON p.place = n.place LEFT JOIN guild_missing m ON m.place = n.place "
        f"WHERE 1 = 1{scope.where(column='n.place')} ORDER BY n.members DESC, p.space",
        scope.parameters,
    )
    return [Guild(*(space, now.iso(at), *counts, (intents or "").split())) for space, at, *counts, intents in rows]


@query("guild.population", shape="series", period="7d")
async def population(reader: Reader, scope: Scope, period: Period, limit: Limit = 300) -> list[Count]:
    """Members, online, idle, in voice and open threads, snapshot by snapshot: the latest `limit` of the period."""
    rows = await reader.rows(
        f"SELECT s.at, p.space, {', '.join(f's.{name}' for name in _COUNTS)} FROM guild_snapshots s "
        "JOIN places p ON p.place = s.place "
        f"WHERE s.at >= :start AND s.at < :end{scope.where(column='s.place')} ORDER BY s.at DESC, p.space LIMIT :most",
        {"start": period.start or 0, "end": period.end, "most": limit, **scope.parameters},
    )
    return [Count(period.iso(at), *rest) for at, *rest in reversed(rows)]


_SUMS: Final = (
    "messages", "with_files", "with_embeds", "with_stickers", "reactions_given", "voice_ms", "threads_created",
    "member_joins", "member_leaves",
)  # fmt: skip


@query("guild.overview", period="7d")
async def overview(reader: Reader, scope: Scope, period: Period) -> list[Overview]:
    """How many people were active in each guild, and what they did: messages, reactions, voice, threads, joins."""
    facts, parameters = during(PEOPLE, period, f"place, person, {', '.join(_SUMS)}", scope.where())
    rows = await reader.rows(
        f"WITH {ACCOUNTS}, sums AS (SELECT p.platform, p.space, facts.person, "
        f"{', '.join(f'SUM({name}) AS {name}' for name in _SUMS)} FROM {facts} "
        "JOIN places p ON p.place = facts.place WHERE EXISTS (SELECT 1 FROM guild_now n JOIN places g "
        "ON g.place = n.place WHERE g.platform = p.platform AND g.space = p.space) "
        "GROUP BY p.platform, p.space, facts.person) "
        f"SELECT space, {_people('messages > 0 OR voice_ms > 0')}, {_people('messages > 0')}, "
        f"{_people('voice_ms > 0')}, {', '.join(f'SUM({name})' for name in _SUMS)} FROM sums "
        "LEFT JOIN accounts ON accounts.person = sums.person GROUP BY platform, space "
        "ORDER BY SUM(messages) DESC, space",
        {**parameters, **scope.parameters},
    )
    return [Overview(*row) for row in rows]


def _people(condition: str) -> str:
    """How many people it is so of; who is anonymous is not known again and counts once for each watch."""
    return f"COUNT(DISTINCT CASE WHEN {condition} THEN COALESCE(main, sums.person) END)"


_NOW = (
    "SELECT p.platform, SUM(n.{column}) FROM guild_now n JOIN places p ON p.place = n.place "
    "JOIN watches w ON w.place = n.place WHERE w.watch <> '' AND n.{column} IS NOT NULL "
    "GROUP BY p.platform ORDER BY p.platform"
)

STATISTIC = Statistic(
    name="guilds",
    on={GuildCounted: counted, NotGranted: missing, PlaceClosed: closed},
    tables=(SNAPSHOTS, LATEST, MISSING),
    memory=Border,
    settings=Section("guild_snapshots", GuildSnapshots),
    questions=(latest, population, overview),
    metrics=(
        Metric(
            "userstats_guild_members", "Members of observed guilds, by platform.",
            _NOW.format(column="members"), ("platform",),
        ),
        Metric(
            "userstats_guild_online", "Members of observed guilds who are online, where it is told, by platform.",
            _NOW.format(column="online"), ("platform",),
        ),
    ),
    reads=("membership", "messages", "reactions", "threads", "voice", "people", "aliases"),
)  # fmt: skip
