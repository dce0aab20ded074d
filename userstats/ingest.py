"""Follows the stream: batches from the inbox into the service, again and again, whatever the broker does."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import aclosing
from typing import Final

from nats.errors import Error as NatsError

from .inbox import BrokerWentBack, Inbox, StreamGone
from .service import Service
from .store.seam import Fenced, Position

log = logging.getLogger(__name__)

_SLOWEST: Final = 10.0
_LOOK_SECONDS: Final = 30.0
_NEARLY_FULL: Final = 0.8


class Ingest:
    """The loop, and what it says of itself."""

    def __init__(self, service: Service, inbox: Inbox) -> None:
        self.service = service
        self.inbox = inbox
        self._state = "starting"
        self._refused = False
        """Whether the database did not take the last batch."""
        self._changed = asyncio.Condition()

    @property
    def state(self) -> str:
        """starting, following, waiting (for the broker or the database), or fenced."""
        if self._state == "fenced" or self._refused or not self.inbox.ready.is_set():
            return self._state
        return "following"

    @property
    def lag(self) -> int:
        """Messages in the stream that are not counted yet, as far as known."""
        return max(0, self.inbox.last_seq - self.service.position.seq)

    async def caught_up(self) -> None:
        """Wait, however long, until what was in the stream when it was first looked at is counted."""
        await self.inbox.ready.wait()
        last = self.inbox.last_seq  # less where the end of the stream turns out to be erased
        async with self._changed:
            await self._changed.wait_for(lambda: self.service.position.seq >= min(last, self.inbox.last_seq))

    async def reached(self, seq: int, within: float = 5.0) -> None:
        """Wait until message `seq` is counted. Raises TimeoutError."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: self.service.position.seq >= seq)

    async def run(self) -> None:
        """Until cancelled. Raises Fenced when another userstats has taken over."""
        delay = 0.2
        while True:
            before = self.service.position
            try:
                await self._read()
            except (StreamGone, NatsError, OSError, sqlite3.OperationalError) as error:
                if self._state != "waiting":
                    log.warning("not counting: %s", error)
                self._state = "waiting"
            except Fenced:
                self._state = "fenced"
                raise
            delay = 0.2 if self.service.position != before else min(_SLOWEST, delay * 2)
            await asyncio.sleep(delay)

    async def look(self) -> None:
        """Look at the stream now and then, until cancelled: what waits in it, and whether it is filling up."""
        warned = False
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.inbox.look()
            except StreamGone:
                continue  # `run` says so
            full = self.inbox.fill > _NEARLY_FULL
            if full and not warned:
                log.warning(
                    "the stream is %.0f %% full; when it is full, events wait in the bridges. Raise stream.max_bytes, "
                    "or lower stream.max_age_days", self.inbox.fill * 100,
                )  # fmt: skip
            warned = full

    async def _read(self) -> None:
        try:
            await self._follow()
        except BrokerWentBack as why:
            log.error("the broker lost messages: %s; reading the stream again from its beginning", why)
            await self.service.rewind(Position(max(0, why.first - 1), 0, self.inbox.created))

    async def _follow(self) -> None:
        async with aclosing(self.inbox.batches(self.service.position)) as batches:
            async for batch in batches:
                self._refused = True  # until the database has taken it
                await self.service.apply(batch, self.inbox.created)
                self._refused = False
                if self._state != "following":
                    log.info("counting from message %d on", batch[0].seq)
                    self._state = "following"
                async with self._changed:
                    self._changed.notify_all()
