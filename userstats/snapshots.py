"""Lists that travel in parts: they are true when all parts have arrived; one that stays incomplete is discarded."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Parted(Protocol[T_co]):
    """An event with a part of such a list."""

    @property
    def snapshot(self) -> str: ...
    @property
    def part(self) -> int: ...
    @property
    def parts(self) -> int: ...
    @property
    def people(self) -> tuple[T_co, ...]: ...


class Parts(msgspec.Struct, Generic[T], frozen=True):
    """A list of which not all parts have arrived."""

    snapshot: str
    parts: dict[int, tuple[T, ...]]


def taken(known: Parts[T] | None, event: Parted[T]) -> tuple[Parts[T] | None, list[T] | None]:
    """What is to be remembered of the list from now on, and everybody in it once it is whole."""
    parts = {event.part: event.people}
    if known and known.snapshot == event.snapshot:
        parts = {**known.parts, **parts}
    if len(parts) < event.parts:
        return Parts(event.snapshot, parts), None
    return None, [one for part in sorted(parts) for one in parts[part]]
