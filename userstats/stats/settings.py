"""What bridges must know: phrases of thanks, names known in their places, and whether anybody chose what may be counted
of them (see `consent`). And what an operator may take away.

Stored: nothing; it reads the tables of `aliases`, `phrases` and `people`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec

from ..contract.questions import LARGEST_REPLY
from ..directory import aliases_by_owner
from ..statistic import Statistic, query
from ..store.seam import Reader

MOST_NAMES = 4000
"""Of one place, the latest seen first: with the room's roster, more than a chat's lines can name."""
_MOST_BYTES = LARGEST_REPLY * 3 // 4
"""Of all words in one answer; a bridge that got none would never publish."""

_NAMES = """
SELECT n.name FROM sightings s JOIN wearers w ON w.person = s.person JOIN names n ON n.name_key = w.name_key
WHERE s.place = :place AND w.at >= s.first_at - 1 AND s.person NOT IN (
    SELECT person FROM consents WHERE topic = 'messages' AND level IN ('off', 'anonymous')
) ORDER BY s.last_at DESC, n.name LIMIT :most
"""
_REVISION = "SELECT COALESCE(MAX(revision), 0) FROM consents"
_PLACES = "SELECT place, platform, space, channel FROM places ORDER BY place"


class ForBridge(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a bridge should know; with `since` equal to the present revision only the revision."""

    revision: int
    phrases: list[str] | None = None
    names: dict[str, list[str]] | None = None
    """Names of people lately seen, by `platform/space/channel`."""
    aliases: list[str] | None = None
    consents: int = 0
    """How often anybody chose what may be counted of them: with another number ask `consent.list`."""


class Export(msgspec.Struct, frozen=True):
    """aliases.json as it would be written now."""

    aliases: dict[str, list[str]]
    kudos_phrases: list[str]


@query("settings.for_bridge", shape="card", audience="staff", period="all")
async def for_bridge(reader: Reader, since: int = 0, places: list[str] = []) -> ForBridge:  # noqa: B006
    """Phrases, aliases and known names, for a bridge that recognises thanks."""
    phrases, left = _within(_MOST_BYTES // 4, await _phrases(reader))
    known = {alias for aliases in (await aliases_by_owner(reader)).values() for alias in aliases}
    aliases, more = _within(_MOST_BYTES // 4, sorted(known))
    asked = [(place, label) for place, *parts in await reader.rows(_PLACES) if (label := "/".join(parts)) in places]
    left += more + _MOST_BYTES // 2
    names: dict[str, list[str]] = {}
    for number, (place, label) in enumerate(asked):
        share = left // (len(asked) - number)
        rows = await reader.rows(_NAMES, {"place": place, "most": MOST_NAMES})
        latest, more = _within(share, dict.fromkeys(name for (name,) in rows))
        names[label] = sorted(latest)  # who was seen last changes all the time, who is known does not
        left += more - share
    revision = zlib.crc32(msgspec.json.encode((phrases, aliases, names))) or 1
    ((consents,),) = await reader.rows(_REVISION)
    if revision == since:
        return ForBridge(revision, consents=consents)
    return ForBridge(revision, phrases, names, aliases, consents)


def _within(most: int, words: Iterable[str]) -> tuple[list[str], int]:
    """The first words that take so many bytes at most as JSON, and how many bytes they leave."""
    found = []
    for word in words:
        size = len(msgspec.json.encode(word)) + 1
        if size > most:
            break
        most -= size
        found.append(word)
    return found, most


@query("settings.export", shape="card", audience="staff", period="all")
async def export(reader: Reader) -> Export:
    """Aliases and phrases in the form of aliases.json."""
    return Export(await aliases_by_owner(reader), await _phrases(reader))


async def _phrases(reader: Reader) -> list[str]:
    return sorted(phrase for (phrase,) in await reader.rows("SELECT phrase FROM phrases WHERE active = 1"))


STATISTIC = Statistic(name="settings", questions=(for_bridge, export), reads=("aliases", "phrases", "people"))
