"""aliases.json and the configured phrases, said to the stream once: what was removed at run time stays removed."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from pathlib import Path
from typing import Annotated, Any, Final

import jsonschema
import msgspec

from .asking import Refused
from .contract.config import ConfigError
from .contract.events import AliasAdded, Event, Named, PhraseAdded
from .recorder import Recorder
from .store.seam import Reader, Store

log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 2.0

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Phrase = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class AliasFile(msgspec.Struct, frozen=True):
    """aliases.json: the other names of each person, and phrases of thanks."""

    aliases: dict[_Name, list[_Name]] = {}
    kudos_phrases: list[_Phrase] = []


def read(path: Path) -> AliasFile:
    """The file's content; an absent file is an empty one. Raises ConfigError that names the JSON path."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return AliasFile()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(str(path), f"is not readable JSON: {error}") from error
    validator = jsonschema.Draft202012Validator(msgspec.json.schema(AliasFile))
    for problem in validator.iter_errors(document):
        raise ConfigError(f"{path.name} {problem.json_path}", problem.message)
    return msgspec.convert(document, AliasFile)


async def seed(store: Store, recorder: Recorder, file: AliasFile, default_phrases: tuple[str, ...]) -> int:
    """Say what the database has never heard of. Returns how many events that took. Refused (503)."""
    said = 0
    async with store.reading() as reader:
        phrases = list(file.kudos_phrases)
        if not await reader.rows("SELECT 1 FROM phrases LIMIT 1"):
            phrases = [*default_phrases, *phrases]
        for phrase in dict.fromkeys(" ".join(phrase.casefold().split()) for phrase in phrases):
            if phrase and not await reader.rows("SELECT 1 FROM phrases WHERE phrase = :phrase", {"phrase": phrase}):
                said += await _taken(recorder, PhraseAdded, phrase=phrase)
        for owner, aliases in file.aliases.items():
            for alias in aliases:
                said += await _seed_alias(reader, recorder, owner, alias)
    return said


async def _seed_alias(reader: Reader, recorder: Recorder, owner: str, alias: str) -> int:
    owner_key, alias_key = recorder.name_key(owner), recorder.name_key(alias)
    if await reader.rows("SELECT 1 FROM aliases WHERE alias = :key", {"key": alias_key}):
        return 0
    if owner_key == alias_key:
        log.warning("aliases.json: a name is given as its own alias; ignored")
        return 0
    for key, name in ((owner_key, owner), (alias_key, alias)):
        known = await reader.rows("SELECT 1 FROM names WHERE name_key = :key", {"key": key})
        if not known and not await _taken(recorder, Named, key=key, name=name):
            return 0
    return await _taken(recorder, AliasAdded, owner=owner_key, alias=alias_key)


async def _taken(recorder: Recorder, kind: type[Event], **fields: Any) -> bool:
    """Say it; what cannot be said as an event is left out, so that the rest is not. Refused (503)."""
    try:
        await recorder.append(kind, **fields)
    except Refused as refused:
        if refused.code != 400:
            raise
        log.warning("aliases.json or kudos.default_phrases: an entry is left out; %s", refused.message)
        return False
    return True


async def seed_patiently(store: Store, recorder: Recorder, file: AliasFile, default_phrases: tuple[str, ...]) -> None:
    """Seed, when the database is there; where the stream does not take it now, the next start will."""
    while True:
        try:
            said = await seed(store, recorder, file, default_phrases)
        except Refused as refused:
            log.warning("aliases and phrases were not taken over: %s", refused.message)
            return
        except (OSError, sqlite3.Error):
            await asyncio.sleep(_PAUSE_SECONDS)  # that it is gone, and back, is said by those who count
            continue
        if said:
            log.info("took over %d aliases and phrases", said)
        return
