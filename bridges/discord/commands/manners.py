"""How much at once: of one person in a while, and of one server at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

BURST: Final = 6
"""Questions that somebody may ask without waiting."""
REFILL: Final = 2.5
"""Seconds until they may ask one more."""
AT_ONCE: Final = 6
"""Of one server; further ones are told to wait."""
AT_ONCE_IN_ALL: Final = 24
_FORGET: Final = 4096


class Busy(Exception):
    """Not now. `seconds`: when again; 0: in a moment."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__("busy")
        self.seconds = seconds


class Manners:
    """Counts who asks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent: dict[str, float] = {}
        """By account: when everything that was asked will have been paid for."""
        self._asking: dict[str, int] = {}

    @contextmanager
    def asking(self, account: str, guild: str) -> Iterator[None]:
        """While a question is answered. Raises Busy."""
        here = guild or account
        if sum(self._asking.values()) >= AT_ONCE_IN_ALL or self._asking.get(here, 0) >= AT_ONCE:
            raise Busy
        self._pay(account)
        self._asking[here] = self._asking.get(here, 0) + 1
        try:
            yield
        finally:
            self._asking[here] -= 1
            if not self._asking[here]:
                del self._asking[here]

    def _pay(self, account: str) -> None:
        now = self._clock()
        debt = max(self._spent.get(account, now), now)
        wait = debt - now - (BURST - 1) * REFILL
        if wait > 0:
            raise Busy(wait)
        if len(self._spent) >= _FORGET:
            self._spent = {one: until for one, until in self._spent.items() if until > now}
        self._spent[account] = debt + REFILL
