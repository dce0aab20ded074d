"""Places by number, and the ids lately seen at each: duplicates that two bridges told are recognised by id."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Iterable
from typing import Final

from .contract.events import Place
from .tables import PLACES, RINGS
from .writes import Writes

RING: Final = 256


class Ring:
    """The last 256 ids of a place."""

    __slots__ = ("_ids", "_next", "_set")

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._ids = list(ids)[-RING:]
        self._set = set(self._ids)
        self._next = 0

    def add(self, event_id: int) -> bool:
        """Whether the id is new here."""
        if event_id in self._set:
            return False
        self._set.add(event_id)
        if len(self._ids) < RING:
            self._ids.append(event_id)
            return True
        self._set.discard(self._ids[self._next])
        self._ids[self._next] = event_id
        self._next = (self._next + 1) % RING
        return True

    def text(self) -> str:
        """The ids, oldest first, as the database holds them."""
        ordered = self._ids[self._next :] + self._ids[: self._next]
        return base64.b64encode(array("q", ordered).tobytes()).decode()

    @classmethod
    def of_text(cls, text: str) -> Ring:
        """The opposite of `text`."""
        ids = array("q")
        ids.frombytes(base64.b64decode(text))
        return cls(ids)


class Places:
    """Numbers for places, in the order in which they were first heard of."""

    def __init__(self, places: Iterable[tuple[int, str, str, str]] = (), rings: Iterable[tuple[int, str]] = ()) -> None:
        self._numbers = {Place(platform, space, channel): number for number, platform, space, channel in places}
        self._rings = {number: Ring.of_text(text) for number, text in rings}
        self._touched: set[int] = set()

    def number(self, place: Place, writes: Writes) -> int:
        """The place's number; a place not heard of before gets the next one."""
        known = self._numbers.get(place)
        if known is None:
            known = self._numbers[place] = len(self._numbers) + 1
            values = {"platform": place.platform, "space": place.space, "channel": place.channel}
            writes.put(PLACES.name, (known,), values)
        return known

    def first_time(self, number: int, event_id: int) -> bool:
        """Whether this id was not among the last ones of the place; from now on it is."""
        ring = self._rings.get(number)
        if ring is None:
            ring = self._rings[number] = Ring()
        if not ring.add(event_id):
            return False
        self._touched.add(number)
        return True

    def save(self, writes: Writes) -> None:
        """The rows to commit with the batch."""
        for number in sorted(self._touched):
            writes.put(RINGS.name, (number,), {"ids": self._rings[number].text()})
        self._touched.clear()
