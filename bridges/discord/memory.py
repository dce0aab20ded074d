"""What a bridge remembers of what it has told, within bounds."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import Struct

K = TypeVar("K")
V = TypeVar("V")

By = Literal["person", "bot", "webhook", "system"]
MOST_REACTIONS = 1_000
"""Remembered of one message."""


class Recent(Generic[K, V]):
    """The latest that were put, at least half of `limit` of them and at most all.

    Two generations: what is read or put is young; when the young fill half, the old are forgotten.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + sum(key not in self._young for key in self._old)

    def __contains__(self, key: object) -> bool:
        return key in self._young or key in self._old

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        if not self._half:
            return
        if len(self._young) >= self._half and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def pop(self, key: K) -> V | None:
        young, old = self._young.pop(key, None), self._old.pop(key, None)
        return old if young is None else young


class Reaction(Struct, frozen=True, gc=False):
    """An emote under a message."""

    account: str
    emote: str
    super: bool = False
    """One that is paid for; it may stand beside a plain one."""
    bot: bool = False


class Said(Struct, gc=False):
    """What is remembered of a message."""

    author: str = ""
    """An account; empty: not known."""
    by: By = "person"
    silent: bool = False
    """It is not to be told about."""
    counted: bool = False
    """It was told as sent, with these numbers."""
    characters: int = 0
    words: int = 0
    emotes: tuple[str, ...] = ()
    edited: str = ""
    """When it was edited last, as Discord writes it."""
    reactions: list[Reaction] | None = None
