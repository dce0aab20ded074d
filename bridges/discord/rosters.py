"""Asks for the members of guilds, one guild at a time: Discord answers for each at most once in 30 seconds."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

AGAIN: Final = 31.0
"""Seconds between two requests about one guild."""
LONGEST: Final = 120.0
"""Seconds that all chunks of one guild may take."""
TRIES: Final = 3
NONCE: Final = "userstats-"
"""With which a request of ours begins, so that its chunks are told from those that discord.py asks for."""

Ask = Callable[[str, str], Awaitable[bool]]
"""Asks for the members of a guild under a nonce; false if it is not observed (any more)."""


class Rosters:
    """What `session.Asking` is, with a connection behind it."""

    def __init__(self, ask: Ask, *, again: float = AGAIN, longest: float = LONGEST) -> None:
        self._ask = ask
        self._again = again
        self._longest = longest
        self._wanted: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._asked: dict[str, float] = {}
        self._running = ""
        self._limited = 0.0
        self._answered = asyncio.Event()

    def want(self, guild: str) -> None:
        if guild == self._running:  # whatever is still to come of it is of a session that is over
            self._answered.set()
        elif guild not in self._queued:
            self._queued.add(guild)
            self._wanted.put_nowait(guild)

    def came(self, guild: str) -> None:
        if guild == self._running:
            self._running = ""
            self._answered.set()

    def limited(self, guild: str, seconds: float) -> None:
        if guild == self._running:
            self._limited = seconds
            self._answered.set()

    def missing(self, guild: str) -> bool:
        """Whether the members of this guild are still to come."""
        return guild in self._queued or guild == self._running

    async def run(self) -> None:
        """Ask for what is wanted, until cancelled."""
        while True:
            guild = await self._wanted.get()
            self._queued.discard(guild)
            for _ in range(TRIES):
                if await self._asked_for(guild):
                    break
            else:
                self._running = ""
                log.warning("guild %s: Discord did not send all its members; who left meanwhile is not known", guild)

    async def _asked_for(self, guild: str) -> bool:
        """Whether the members came, or nobody wants them any more."""
        await asyncio.sleep(max(0.0, self._asked.get(guild, float("-inf")) + self._again - time.monotonic()))
        self._running, self._limited = guild, 0.0
        self._answered.clear()
        self._asked[guild] = time.monotonic()
        if not await self._ask(guild, f"{NONCE}{secrets.token_hex(8)}"):
            self._running = ""
            return True
        try:
            async with asyncio.timeout(self._longest):
                await self._answered.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(self._limited)
        return not self._running
