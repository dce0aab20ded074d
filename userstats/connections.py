"""Where statuses are told: to a connection to a platform, not in a guild. And whether they are told at all.

A question about a guild is about everybody who was ever seen there. Where the platform does not let the bot know
statuses they are not tracked, and questions say so; where nobody's was ever told there is nothing to tell. Neither is
offline, or 0 (guarantee G28).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .asking import Refused, Scope
from .frames import EVERYBODY, Among
from .presences import STATUSES
from .store.seam import Reader

STATUS_SPANS: Final = tuple(span.name for span in STATUSES.values())
NOT_GRANTED: Final = "the platform does not tell this bot who is online; it is not granted the presence intent"
NOBODY_TOLD: Final = "nobody's status was ever told here; people opt in"
_MISSING: Final = """
SELECT m.missing FROM guild_missing m JOIN places c ON c.place = m.place WHERE 1 = 1{where}
ORDER BY m.at DESC, m.place LIMIT 1
"""
_CONNECTED: Final = """
SELECT c.place FROM places c WHERE c.space = ''{where} AND (
    c.place IN (SELECT place FROM place_totals WHERE online_ms + idle_ms + dnd_ms > 0)
    OR c.place IN (SELECT place FROM open_spans WHERE span IN :statuses)
) ORDER BY c.place
"""
_THERE: Final = """
SELECT person FROM sightings WHERE place IN :there UNION SELECT person FROM person_totals WHERE place IN :there
UNION SELECT person FROM open_spans WHERE place IN :there
"""
_TOLD: Final = """
SELECT DISTINCT place FROM person_totals
WHERE person IN :people AND place IN :places AND online_ms + idle_ms + dnd_ms > 0
UNION SELECT place FROM open_spans WHERE person IN :people AND place IN :places AND span IN :statuses
"""


class Connections(NamedTuple):
    """Where the statuses are told that a question is about, and of whom."""

    scope: Scope
    """No place at all where nothing was ever told."""
    among: Among
    untracked: str
    """Why nothing was ever told; empty where something was."""

    async def of(self, reader: Reader, people: tuple[int, ...]) -> tuple[int, ...]:
        """Those of them that ever told the status of these people."""
        told = {"people": people, "places": self.scope.places, "statuses": STATUS_SPANS}
        return tuple(place for (place,) in await reader.rows(_TOLD, told))


async def connected(reader: Reader, scope: Scope) -> Connections:
    """The connections that tell of these places."""
    where, there = "", dict[str, Any]()
    if scope.places is not None:
        where = " AND c.platform IN (SELECT platform FROM places WHERE place IN :there)"
        there = {"there": scope.places}
    missing = await reader.rows(_MISSING.format(where=where), there)
    if missing and "presences" in missing[0][0].split():
        return Connections(Scope(()), EVERYBODY, NOT_GRANTED)
    rows = await reader.rows(_CONNECTED.format(where=where), {**there, "statuses": STATUS_SPANS})
    local = scope.domain is not None or scope.channel is not None
    among = Among(_THERE, there) if local else EVERYBODY
    return Connections(Scope(tuple(place for (place,) in rows)), among, "" if rows else NOBODY_TOLD)


async def connections(reader: Reader, scope: Scope) -> Connections:
    """The connections that tell of these places. Refused (404) where the platform does not let them."""
    found = await connected(reader, scope)
    if found.untracked == NOT_GRANTED:
        raise untracked(found.untracked)
    return found


def untracked(why: str) -> Refused:
    """The answer to a question about what is not tracked."""
    return Refused(404, f"not tracked: {why}", tracked=False)
