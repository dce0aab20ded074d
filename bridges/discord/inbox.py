"""What has arrived and is not read yet: one bounded queue, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

MOST_WAITING: Final = 50_000
"""Dispatches. Beyond it the connection is given up, since what is missing cannot be asked for."""


class Frame(NamedTuple):
    """A dispatch that arrived."""

    name: str
    data: Any
    at: int
    """Milliseconds, the bridge's clock."""


class Inbox:
    """Filled by discord.py's reader, within its call; emptied by the watch."""

    def __init__(self, now: Callable[[], int], most: int) -> None:
        self._now = now
        self._most = most
        self._waiting: deque[Frame] = deque()
        self._arrived = asyncio.Event()
        self.lost: dict[str, int] = {}
        """How many dispatches of each name there was no room for; once there is one, nothing more gets in."""

    def put(self, name: str, data: object) -> None:
        """This has arrived, now."""
        if self.lost or len(self._waiting) >= self._most:
            self.lost[name] = self.lost.get(name, 0) + 1
        else:
            self._waiting.append(Frame(name, data, self._now()))
        self._arrived.set()

    def wake(self) -> None:
        """Let whoever waits look again."""
        self._arrived.set()

    async def arrived(self, seconds: float) -> None:
        """Until there is something to read, or somebody was to wake, or so many seconds have passed."""
        if self._waiting:
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    def read(self, most: int) -> Iterator[Frame]:
        """The frames that have arrived, at most so many; each is taken out when it is its turn."""
        for _ in range(min(most, len(self._waiting))):
            yield self._waiting.popleft()

    def __len__(self) -> int:
        return len(self._waiting)
