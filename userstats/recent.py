"""Costly answers, kept until something new is counted: a crowd that asks the same is answered once."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

SECONDS: Final = 5.0
"""How long at most: a period's end moves with the clock even while nothing is counted."""
COSTLY_SECONDS: Final = 0.005
"""What is answered faster than this is not worth keeping."""
_MOST: Final = 64


class Kept(NamedTuple):
    """An answer, and as of which position of the stream."""

    as_of: int
    until: float
    data: Any
    coverage: Any


class Recent:
    """The latest costly answers. One is given again only at the very position of the stream it was made at."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[Hashable, Kept] = {}

    def get(self, key: Hashable, as_of: int) -> Kept | None:
        """The answer to this as of this position, if it was made a moment ago."""
        kept = self._kept.get(key)
        if kept is None or kept.as_of != as_of or kept.until < self._clock():
            return None
        return kept

    def keep(self, key: Hashable, as_of: int, data: Any, coverage: Any) -> None:
        """Keep an answer; the oldest goes when there are too many."""
        self._kept.pop(key, None)
        while len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = Kept(as_of, self._clock() + SECONDS, data, coverage)
