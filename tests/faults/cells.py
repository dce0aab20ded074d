"""Every cell of the counts: who, in which room, how much of what - as the database has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from userstats.contract.pseudonym import Pseudonyms
from userstats.store.open import DatabaseSettings, open_store

MEASURES: Final = ("messages", "words", "links", "private_messages", "joins", "bot_messages")
Cells = Counter[tuple[object, ...]]
"""By (`platform/space/channel`, person, measure, ...); the kudos and emotes of a person have a further part."""


async def stored(settings: DatabaseSettings, folder: Path) -> Cells:
    """What this database says, all that is not zero."""
    store = await open_store(settings, folder)
    try:
        async with store.reading() as reader:
            places = {
                place: "/".join(where)
                for place, *where in await reader.rows("SELECT place, platform, space, channel FROM places")
            }
            people = await reader.rows(f"SELECT place, person, {', '.join(MEASURES)} FROM person_totals")
            emotes = await reader.rows("SELECT place, person, emote, uses FROM emotes_totals")
            kudos = await reader.rows("SELECT place, giver, who, times FROM kudos_totals")
            media = await reader.rows("SELECT place, title, plays FROM media_totals")
    finally:
        await store.close()
    cells: Cells = Counter()
    for place, person, *numbers in people:
        for measure, number in zip(MEASURES, numbers, strict=True):
            cells[places[place], person, measure] += number
    for place, person, emote, uses in emotes:
        cells[places[place], person, "emote", emote] += uses
    for place, giver, who, times in kudos:
        cells[places[place], giver, "kudos", who] += times
    for place, title, plays in media:
        cells[places[place], "media", title] += plays
    return +cells


async def presence(settings: DatabaseSettings, folder: Path) -> dict[int, int]:
    """Milliseconds that each person is said to have been in the CyTube room, what lasts still included."""
    store = await open_store(settings, folder)
    try:
        async with store.reading() as reader:
            rows = await reader.rows(
                "SELECT t.person, t.present_ms FROM person_totals t JOIN places p ON p.place = t.place "
                "WHERE p.platform = 'cytube' UNION ALL SELECT s.person, w.seen_until - s.since FROM open_spans s "
                "JOIN watches w ON w.place = s.place JOIN places p ON p.place = s.place "
                "WHERE p.platform = 'cytube' AND s.span = 'present'"
            )
    finally:
        await store.close()
    found: Counter[int] = Counter()
    for person, milliseconds in rows:
        found[person] += milliseconds
    return dict(found)


def of_site(oracle: Mapping[str, Any], domain: str, room: str, bot: str, pseudonyms: Pseudonyms) -> Cells:
    """What a stand-in site says happened, as far as a bridge hears it whenever it is there again."""
    cells: Cells = Counter()
    where = f"cytube/{domain}/{room}"
    for name, row in oracle["people"].items():
        who = pseudonyms.person("cytube", f"{domain}/{name.lower()}")
        if name == bot:
            continue
        for measure in ("messages", "words", "joins"):
            cells[where, who, measure] += row[measure]
        for emote, uses in row["emotes"].items():
            cells[where, who, "emote", emote] += uses
        for thanked, times in row["thanks"].items():
            if thanked != name.lower():
                cells[where, who, "kudos", pseudonyms.name(thanked)] += times
    return +cells


def difference(expected: Cells, found: Cells) -> dict[tuple[object, ...], tuple[int, int]]:
    """The cells that differ: what is expected, what was found. CyTube's links are not known to the site's oracle."""
    known = {key for key in expected | found if not (str(key[0]).startswith("cytube/") and key[2] == "links")}
    return {key: (expected[key], found[key]) for key in known if expected[key] != found[key]}
