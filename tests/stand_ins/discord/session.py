"""A gateway session: what one IDENTIFY asked for, and what was dispatched to it, kept for a RESUME."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING

from . import wire
from .intents import Intent

if TYPE_CHECKING:
    from .connection import Connection


class Session:
    """Outlives its connection."""

    def __init__(self, shard: int, shards: int, intents: int, large_threshold: int) -> None:
        self.id = secrets.token_hex(16)
        self.shard = shard
        self.shards = shards
        self.intents = intents
        self.large_threshold = large_threshold
        self.seq = 0
        self.connection: Connection | None = None
        self.detached_at = 0.0
        """When it lost its connection, by the loop's clock."""
        self._log: deque[tuple[int, bytes]] = deque()
        self._forgotten = 0
        """The last sequence that a heartbeat confirmed; nothing up to it is kept."""

    def covers(self, guild: int | None) -> bool:
        """Whether a guild's (None: direct conversations') events go to this shard."""
        return self.shard == (0 if guild is None else (guild >> 22) % self.shards)

    def asked(self, intent: int) -> bool:
        """Whether all of these intents were asked for."""
        return self.intents & intent == intent

    @property
    def reads(self) -> bool:
        """It has MESSAGE_CONTENT."""
        return self.asked(Intent.MESSAGE_CONTENT)

    def dispatch(self, event: str, data: bytes) -> None:
        """Send now, or keep for the RESUME."""
        self.seq += 1
        text = wire.dispatch(event, self.seq, data)
        self._log.append((self.seq, text))
        if self.connection is not None:
            self.connection.write(text)

    def confirmed(self, seq: int) -> None:
        """The client has everything up to here."""
        while self._log and self._log[0][0] <= seq:
            self._forgotten = self._log.popleft()[0]

    @property
    def is_heard(self) -> bool:
        """Whether a heartbeat has confirmed everything that was dispatched."""
        return self._forgotten >= self.seq

    def can_resume_at(self, seq: int) -> bool:
        """Everything after `seq` is still known."""
        return self._forgotten <= seq

    def attach(self, connection: Connection, after: int) -> None:
        """Continue on another connection: replay what came after `after`."""
        self.connection = connection
        self.confirmed(after)
        for _, text in self._log:
            connection.write(text)

    def detach(self, connection: Connection) -> None:
        """The connection ended; from now on what is dispatched waits."""
        if self.connection is connection:
            self.connection = None
            self.detached_at = asyncio.get_running_loop().time()
