"""When a session may begin: Discord allows one in five seconds and 1000 a day, and takes the token away beyond."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

DAY: Final = 86_400.0
AT_ONCE: Final = 100
"""Sessions in a day that may begin as fast as they can."""
SLOW: Final = 96.0
"""Seconds between two beyond them: 1000 a day are never reached."""


class Turns:
    """Shared by all shards of a process."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = asyncio.Lock()
        self._begun: deque[float] = deque(maxlen=AT_ONCE)

    async def mine(self) -> None:
        """Wait until the next session may begin."""
        async with self._lock:
            await asyncio.sleep(self.wait())
            self._begun.append(self._clock())

    def wait(self) -> float:
        """Seconds until then."""
        if not self._begun:
            return 0.0
        now = self._clock()
        many = len(self._begun) == AT_ONCE and now - self._begun[0] < DAY
        return max(0.0, self._begun[-1] + (max(self._seconds, SLOW) if many else self._seconds) - now)
