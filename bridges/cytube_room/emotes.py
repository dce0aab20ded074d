"""Which emotes the room has: emoteList, updateEmote, renameEmote, removeEmote."""

from __future__ import annotations

from typing import Final

from . import payload
from .payload import Refused
from .reading import Reading

LONGEST_NAME: Final = 64
MOST_EMOTES: Final = 10_000


def emote_list(reading: Reading, content: object) -> None:
    """All of them."""
    if not isinstance(content, list):
        raise Refused("type")
    names: set[str] = set()
    first_fault: Refused | None = Refused("overflow") if len(content) > MOST_EMOTES else None
    for entry in content[:MOST_EMOTES]:
        try:
            names.add(_name(payload.record(entry).get("name")))
        except Refused as fault:
            first_fault = first_fault or fault
    reading.change(emotes=frozenset(names))
    if first_fault is not None:
        reading.refuse("emoteList", first_fault.reason, content)


def update_emote(reading: Reading, content: object) -> None:
    """A new emote, or a new picture for an old one."""
    _add(reading, _name(payload.record(content).get("name")))


def rename_emote(reading: Reading, content: object) -> None:
    """An emote has another name."""
    entry = payload.record(content)
    old, new = _name(entry.get("old")), _name(entry.get("name"))
    reading.change(emotes=reading.room.emotes - {old})
    _add(reading, new)


def remove_emote(reading: Reading, content: object) -> None:
    """An emote less. The payload is whatever the remover sent, and may name one that never was."""
    reading.change(emotes=reading.room.emotes - {_name(payload.record(content).get("name"))})


def _add(reading: Reading, name: str) -> None:
    if len(reading.room.emotes) >= MOST_EMOTES:
        raise Refused("overflow")
    reading.change(emotes=reading.room.emotes | {name})


def _name(value: object) -> str:
    name = payload.name(value)
    if len(name) > LONGEST_NAME:
        raise Refused("too_big")
    return name
