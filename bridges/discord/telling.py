"""What there is to say, as observations of a bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from bridges.bridge import NOTHING, Observation, Reason
from userstats.contract import wire
from userstats.contract.events import ROSTER_PART, Event, Place

MOST_EVENTS: Final = 300
"""In one observation: it is one transaction of the outbox."""
PART_BYTES: Final = wire.LARGEST - 2048
"""Of people in one part of a snapshot."""
ALIVE: Final = Observation(opened={})
"""A sign of life."""

T = TypeVar("T")
_encoder: Final = msgspec.json.Encoder()


class Telling:
    """Collects; `take` gives it all. Within an observation places are opened first, and closed last."""

    def __init__(self) -> None:
        self._done: list[Observation] = []
        self._events: list[Event] = []
        self._opened: dict[Place, str] = {}
        self._closed: dict[Place, Reason] = {}

    @property
    def waiting(self) -> int:
        """Events that wait to be taken."""
        return len(self._events) + sum(len(observation.events) for observation in self._done)

    def tell(self, event: Event) -> None:
        if self._closed:
            self._cut()
        self._events.append(event)

    def open(self, place: Place, watch: str) -> None:
        """From here on this place is observed, under this watch."""
        if self._events or self._closed:
            self._cut()
        self._opened[place] = watch

    def close(self, place: Place, reason: Reason) -> None:
        """This place is not observed any more."""
        if place in self._opened:
            self._cut()
        self._closed[place] = reason

    def take(self) -> list[Observation]:
        """All of it, in order; it is told once."""
        if self._events or self._opened or self._closed:
            self._cut()
        done, self._done = self._done, []
        return done

    def _cut(self) -> None:
        pieces = [self._events[start : start + MOST_EVENTS] for start in range(0, len(self._events), MOST_EVENTS)]
        for index, piece in enumerate(pieces or [[]]):
            opened = self._opened if index == 0 else {}
            closed = self._closed if index == len(pieces or [[]]) - 1 else {}
            self._done.append(Observation(piece, NOTHING, opened, closed))
        self._events, self._opened, self._closed = [], {}, {}


def parts(people: Sequence[T], most: int = ROSTER_PART) -> list[tuple[T, ...]]:
    """A snapshot in parts that fit into an event; one empty part where there is nobody."""
    found: list[tuple[T, ...]] = []
    part: list[T] = []
    size = 0
    for one in people:
        weight = len(_encoder.encode(one)) + 1
        if part and (len(part) >= most or size + weight > PART_BYTES):
            found.append(tuple(part))
            part, size = [], 0
        part.append(one)
        size += weight
    if part or not found:
        found.append(tuple(part))
    return found
