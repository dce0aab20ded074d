"""Channels: which ones there are, and who says the most there.

Stored: nothing; it reads the tables of `people` and `messages`.
"""

from __future__ import annotations

import msgspec

from ..asking import Limit, Now, Period, Scope
from ..contract.pseudonym import FIRST_PERSON
from ..directory import Directory
from ..observed import ALIVE, alive
from ..ranking import ranked
from ..statistic import Statistic, query
from ..store.seam import Reader


class Channel(msgspec.Struct, frozen=True):
    """A channel and how much is known of it."""

    platform: str
    domain: str
    channel: str
    name: str
    """What the platform calls it."""
    type: str
    people: int
    """How many were ever seen there; neither bots nor anonymous people are counted."""
    messages: int
    first_activity: str | None
    """ISO time at which somebody was first seen there."""
    last_activity: str | None
    observed: bool
    """Whether a bridge observes it now: one that is silent for more than 90 s does not."""


class Top(msgspec.Struct, frozen=True):
    """One row of a channel's board."""

    username: str
    count: int


_CHANNELS = """
SELECT p.platform, p.space, p.channel, COALESCE(p.name, p.channel), COALESCE(p.type, ''), COALESCE(s.people, 0),
    COALESCE(t.messages, 0), s.first_at, s.last_at, CASE WHEN {alive} THEN 1 ELSE 0 END
FROM places p LEFT JOIN place_totals t ON t.place = p.place
LEFT JOIN watches w ON w.place = COALESCE(p.observer, p.place)
LEFT JOIN (
    SELECT place, COUNT(CASE WHEN person >= {first} THEN 1 END) AS people, MIN(first_at) AS first_at,
        MAX(last_at) AS last_at FROM sightings
    WHERE person NOT IN (SELECT person FROM wearers WHERE bot = 1) GROUP BY place
) AS s ON s.place = p.place
WHERE p.channel <> '' AND p.space <> ''{where} ORDER BY p.platform, p.space, p.channel
"""


@query("channel.list", period="all")
async def channels(reader: Reader, scope: Scope, now: Now) -> list[Channel]:
    """Every channel there is, and how much is known of it."""
    sql = _CHANNELS.format(first=FIRST_PERSON, where=scope.where(column="p.place"), alive=ALIVE)
    rows = await reader.rows(sql, {**scope.parameters, **alive(now.at)})
    return [
        Channel(platform, domain, channel, name, kind, people, messages, _iso(now, first), _iso(now, last), bool(seen))
        for platform, domain, channel, name, kind, people, messages, first, last, seen in rows
    ]


def _iso(now: Now, at: int | None) -> str | None:
    return None if at is None else now.iso(at)


@query("channel.top")
async def top(reader: Reader, directory: Directory, scope: Scope, period: Period, limit: Limit = 10) -> list[Top]:
    """Who says the most in a channel."""
    return [Top(*row) for row in await ranked(reader, directory, scope, period, "messages", limit)]


STATISTIC = Statistic(name="channels", questions=(channels, top), reads=("aliases", "messages", "people"))
