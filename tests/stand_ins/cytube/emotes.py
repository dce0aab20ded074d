"""A room's emotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frames import Json
from .text import emote_source, escape

if TYPE_CHECKING:
    from .hall import Hall

IMAGE = "https://img.example.org/e.png"


class Emotes:
    """Every change is told to everybody inside."""

    def __init__(self, room: Hall) -> None:
        self._room = room
        self._emotes: dict[str, Json] = {}

    @property
    def names(self) -> frozenset[str]:
        """As they are typed."""
        return frozenset(self._emotes)

    def everything(self) -> list[Json]:
        """For `emoteList`."""
        return list(self._emotes.values())

    def add(self, name: str, image: str = IMAGE) -> None:
        """New, or another image for a known name: `updateEmote`."""
        self._emotes[name] = {"name": name, "image": escape(image), "source": emote_source(name)}
        self._room.tell("updateEmote", self._emotes[name])

    def rename(self, old: str, name: str, image: str = IMAGE) -> None:
        """`renameEmote`; nothing if there is none of the old name."""
        if self._emotes.pop(old, None) is None:
            return
        self._emotes[name] = {"name": name, "image": escape(image), "source": emote_source(name)}
        self._room.tell("renameEmote", {"old": old, **self._emotes[name]})

    def remove(self, sent: Json) -> None:
        """`removeEmote` with whatever the remover sent (an object with a `name`), known or not."""
        self._emotes.pop(str(sent.get("name")), None)
        self._room.tell("removeEmote", sent)

    def replace(self, emotes: list[tuple[str, str]]) -> None:
        """An import of names and images: everybody gets a fresh `emoteList`."""
        self._emotes = {
            name: {"name": name, "image": escape(image), "source": emote_source(name)} for name, image in emotes
        }
        self._room.tell("emoteList", self.everything())
