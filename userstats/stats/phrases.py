"""Phrases of thanks: words that are kudos when they stand next to a name.

Stored: `phrases`. Kept by every rebuild. A removed phrase stays as an inactive row, so that an old aliases.json does
not bring it back.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from ..asking import Refused
from ..contract.events import PhraseAdded, PhraseRemoved
from ..recorder import Changed, Recorder
from ..statistic import KEY_TEXT, PUT, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

PHRASES = Table("phrases", {"phrase": KEY_TEXT}, {"active": PUT, "at": PUT}, kept=True)

Phrase = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


def added(event: PhraseAdded, moment: Moment) -> None:
    moment.put(PHRASES, (event.phrase,), {"active": 1, "at": moment.at})


def removed(event: PhraseRemoved, moment: Moment) -> None:
    moment.put(PHRASES, (event.phrase,), {"active": 0, "at": moment.at})


async def _active(reader: Reader, phrase: str) -> bool:
    return bool(await reader.rows("SELECT 1 FROM phrases WHERE phrase = :phrase AND active = 1", {"phrase": phrase}))


def folded(phrase: str) -> str:
    """A phrase as it is compared: without outer blanks and capitals. Refused (400) when nothing is left."""
    text = " ".join(phrase.casefold().split())
    if not text or any(character < " " for character in text):
        raise Refused(400, "phrase: it has no characters, or control characters")
    return text


@query("phrase.list", period="all")
async def listed(reader: Reader) -> list[str]:
    """The phrases that are thanks when they stand next to a name."""
    rows = await reader.rows("SELECT phrase FROM phrases WHERE active = 1")
    return sorted(phrase for (phrase,) in rows)


@query("phrase.add", shape="card", audience="staff", period="all", changes=True)
async def add(reader: Reader, recorder: Recorder, phrase: Phrase) -> Changed:
    """Count a phrase next to a name as thanks from now on."""
    text = folded(phrase)
    if await _active(reader, text):
        return Changed(False, f"Phrase '{text}' already exists")
    await recorder.record(PhraseAdded, phrase=text)
    return Changed(True, f"Added kudos phrase '{text}'")


@query("phrase.remove", shape="card", audience="staff", period="all", changes=True)
async def remove(reader: Reader, recorder: Recorder, phrase: Phrase) -> Changed:
    """No longer count a phrase as thanks."""
    text = folded(phrase)
    if not await _active(reader, text):
        return Changed(False, f"Phrase '{text}' not found")
    await recorder.record(PhraseRemoved, phrase=text)
    return Changed(True, f"Removed kudos phrase '{text}'")


STATISTIC = Statistic(
    name="phrases",
    on={PhraseAdded: added, PhraseRemoved: removed},
    tables=(PHRASES,),
    questions=(listed, add, remove),
)
