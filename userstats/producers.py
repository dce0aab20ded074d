"""Exactly once: which rows of which outbox were counted already, however often and in whatever order they come."""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable
from typing import Any, Final

from .tables import PRODUCERS
from .writes import Writes

_MOST_HOLES: Final = 10_000
"""The oldest beyond these are given up: rows that come after all do not count."""


class Producers:
    """Per outbox the highest row seen and the rows below it that never came (holes)."""

    def __init__(self, rows: Iterable[tuple[str, int, str]] = ()) -> None:
        self._high: dict[str, int] = {}
        self._holes: dict[str, list[list[int]]] = {}
        for producer, high, holes in rows:
            self._high[producer] = high
            self._holes[producer] = json.loads(holes)
        self._touched: set[str] = set()

    def accept(self, producer: str, n: int) -> bool:
        """Whether row n of this outbox is new; from now on it is not."""
        high = self._high.get(producer, 0)
        if n == high + 1:
            self._high[producer] = n
        elif n > high:
            holes = self._holes.setdefault(producer, [])
            holes.append([high + 1, n - 1])
            self._high[producer] = n
            del holes[:-_MOST_HOLES]
        elif not self._fill(producer, n):
            return False
        self._touched.add(producer)
        return True

    def save(self, writes: Writes) -> None:
        """The rows to commit with the batch."""
        for producer in sorted(self._touched):
            holes = self._holes.get(producer, [])
            values: dict[str, Any] = {"high": self._high[producer], "holes": json.dumps(holes, separators=(",", ":"))}
            writes.put(PRODUCERS.name, (producer,), values)
        self._touched.clear()

    def holes(self) -> dict[str, list[list[int]]]:
        """Rows that never came, as [first, last] ranges, by outbox."""
        return {producer: holes for producer, holes in self._holes.items() if holes}

    def _fill(self, producer: str, n: int) -> bool:
        holes = self._holes.get(producer, [])
        index = bisect.bisect_right(holes, n, key=_first) - 1
        if index < 0 or n > holes[index][1]:
            return False
        first, last = holes[index]
        holes[index : index + 1] = [[a, b] for a, b in ((first, n - 1), (n + 1, last)) if a <= b]
        del holes[:-_MOST_HOLES]
        return True


def _first(hole: list[int]) -> int:
    return hole[0]
