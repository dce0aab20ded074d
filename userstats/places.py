"""Places by number, and the ids lately seen at each: duplicates that two bridges told are recognised by id."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Iterable, Sequence
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

    def __init__(
        self,
        places: Iterable[tuple[int, str, str, str, int | None]] = (),
        rings: Iterable[tuple[int, str]] = (),
    ) -> None:
        self._numbers: dict[Place, int] = {}
        self._observers: dict[int, int] = {}
        self._around: dict[int, list[int]] = {}
        for number, platform, space, channel, observer in places:
            self._numbers[Place(platform, space, channel)] = number
            if observer is not None and observer != number:
                self._observers[number] = observer
                self._around.setdefault(observer, [observer]).append(number)
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

    def known(self, place: Place) -> int | None:
        """The place's number, if it was heard of."""
        return self._numbers.get(place)

    def observer(self, number: int) -> int:
        """The place whose watch sees this one: a channel's guild, or itself."""
        return self._observers.get(number, number)

    def around(self, observer: int) -> Sequence[int]:
        """Every place that the watch of this one sees, itself first."""
        return self._around.get(observer) or (observer,)

    def beside(self, place: Place, observer: int, writes: Writes) -> int:
        """The number of a place that the watch of `observer` sees, which is known from now on. 0: nobody's watch."""
        number = self.number(place, writes)
        if observer and number != observer and number not in self._observers:
            self.observed_by(number, observer, writes)
        return number

    def observed_by(self, number: int, observer: int, writes: Writes) -> None:
        """From now on this place is seen by the watch of that one."""
        self._observers[number] = observer
        self._around.setdefault(observer, [observer]).append(number)
        writes.put(PLACES.name, (number,), {"observer": observer})

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
