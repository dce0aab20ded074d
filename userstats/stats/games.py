"""Games: which games and services people are shown to be using, and for how long.

Stored: nothing; it reads the ledger `activities` that `presence` keeps. Names are those that the applications call
themselves by. Where no status is told, games are not tracked (guarantee G28).
"""

from __future__ import annotations

from typing import Final

import msgspec

from ..asking import Limit, Period, Scope, Username, during
from ..connections import connections, untracked
from ..contract.pseudonym import FIRST_PERSON
from ..directory import Directory
from ..lasting import OPEN, WITHIN, bounds
from ..presences import ACTIVITIES, DOING, Kind
from ..statistic import Statistic, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader


class Game(msgspec.Struct, frozen=True):
    """A game or service, by how much it is used; what lasts now is included."""

    name: str
    people: int
    """How many different ones; nobody who is anonymous is among them."""
    time_ms: int
    """Of all people together."""
    times: int
    """How often somebody was seen to begin."""


class Did(msgspec.Struct, frozen=True):
    """How long somebody was shown to be doing something; what lasts now is included."""

    type: str
    """playing, streaming, listening, watching or competing."""
    name: str
    """Of the game or service."""
    time_ms: int


_SUMS: Final = f"""
SELECT person, activity, time_ms, times FROM {{facts}}
UNION ALL SELECT s.person, SUBSTR(s.span, {len(DOING.name) + 2}), {WITHIN}, 0 FROM {OPEN}
WHERE s.span LIKE '{DOING.name}:%' AND {WITHIN} > 0{{where}}
"""
_GAMES: Final = f"""
WITH {ACCOUNTS}, sums AS ({_SUMS})
SELECT activity, COUNT(DISTINCT CASE WHEN sums.person >= {FIRST_PERSON} THEN COALESCE(main, sums.person) END),
    SUM(time_ms), SUM(times)
FROM sums LEFT JOIN accounts ON accounts.person = sums.person WHERE activity LIKE :kind
GROUP BY activity ORDER BY 3 DESC, 1 LIMIT :most
"""
_DID: Final = f"""
SELECT activity, SUM(time_ms) FROM ({_SUMS}) AS sums GROUP BY activity ORDER BY 2 DESC, 1 LIMIT :most
"""


@query("presence.games", topic="presence")
async def games(reader: Reader, scope: Scope, period: Period, kind: Kind = "playing", limit: Limit = 10) -> list[Game]:
    """Which games are played the most; or what is streamed, listened to, watched or competed in."""
    places, among, _ = await connections(reader, scope)
    facts, parameters = during(
        ACTIVITIES, period, "person, activity, time_ms, times", f"{places.where()}{among.where()}"
    )
    rows = await reader.rows(
        _GAMES.format(facts=facts, where=f"{places.where(column='s.place')}{among.where('s.person')}"),
        {
            **parameters, **places.parameters, **among.parameters, **bounds(period), "kind": f"{kind}:%",
            "most": limit,
        },
    )  # fmt: skip
    return [Game(activity.removeprefix(f"{kind}:"), *rest) for activity, *rest in rows]


@query("presence.activities", topic="presence")
async def activities(
    reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username, limit: Limit = 25
) -> list[Did]:
    """What one person was shown to be doing, and how long: the longest first."""
    who = await directory.find(username, scope)
    found = await connections(reader, scope)
    if not await found.of(reader, who.people):
        raise untracked(f"the status of {who.name!r} was never told here; people opt in")
    places = found.scope
    facts, parameters = during(
        ACTIVITIES, period, "person, activity, time_ms, times", f"{places.where()} AND person IN :people"
    )
    rows = await reader.rows(
        _DID.format(facts=facts, where=f"{places.where(column='s.place')} AND s.person IN :people"),
        {**parameters, **places.parameters, **bounds(period), "people": who.people, "most": limit},
    )
    named = [(*activity.partition(":")[::2], milliseconds) for activity, milliseconds in rows]
    return [Did(kind, name, milliseconds) for kind, name, milliseconds in named]


STATISTIC = Statistic(name="games", questions=(games, activities), reads=("presence", "guilds", "people", "aliases"))
