"""From the outbox to the stream: in order, and each row again until it is acknowledged.

Nothing is ever skipped, so the stream has the order of the outbox. How rows get there is the way's (`way.py`): over
NATS in atomic batches, or over HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Final

import nats.errors

from userstats.contract import subjects, wire
from userstats.contract.appending import BATCH_ROWS, NotTaken, Sealed

from .outbox import Outbox
from .outbox_file import Row
from .way import Way

log = logging.getLogger(__name__)

BATCH_BYTES: Final = 2 * 1024 * 1024
AGAIN_ROWS: Final = 200
"""How many rows of the grace window are under way at once: nearly all of them are known to the broker already."""
_IDLE_SECONDS: Final = 0.25
_SLOWEST_RETRY: Final = 5.0
_BROKER: Final = "broker"


class Publisher:
    """Drains one outbox over one way. `held` says why nothing may be published now, or nothing."""

    def __init__(self, way: Way, outbox: Outbox, held: Callable[[], str]) -> None:
        self._way = way
        self._outbox = outbox
        self._held = held
        self._failures = 0
        self._complaint = ""
        self.published = 0
        """Rows acknowledged since the start."""

    async def run(self) -> None:
        """Publish until cancelled. Raises ConnectionClosedError when the connection is closed for good."""
        while True:
            if self._way.is_closed:
                raise nats.errors.ConnectionClosedError
            if not self._way.ready or self._held():
                await asyncio.sleep(_IDLE_SECONDS / 5)
                continue
            try:
                await self._recognise()
                rows = await self._outbox.take(BATCH_ROWS, BATCH_BYTES)
                if rows:
                    await self._send(rows)
                    self._succeeded()
                else:
                    await self._outbox.ready(_IDLE_SECONDS)
            except NotTaken as refused:
                await self._back_off(refused)

    async def _recognise(self) -> None:
        """Publish the grace window again if this is not the broker that acknowledged it: it may have lost its end."""
        broker = await self._way.broker()
        if self._outbox.recall(_BROKER) == broker:
            return
        repeated = 0
        after = 0
        while rows := await self._outbox.kept(after):
            for part in _parts(rows, AGAIN_ROWS):
                await self._way.repeat(self._sealed(part))
            repeated += len(rows)
            after = rows[-1].n
        if repeated:
            log.info("another broker process: %d events published again", repeated)
        await self._outbox.remember(_BROKER, broker)

    async def _send(self, rows: Sequence[Row]) -> None:
        done = 0
        async with aclosing(self._way.publish(self._sealed(rows))) as progress:
            async for stored in progress:
                self._outbox.acknowledge(rows[stored - 1])
                self.published += stored - done
                done = stored
                if self._held():
                    return

    def _sealed(self, rows: Sequence[Row]) -> list[Sealed]:
        producer = self._outbox.producer
        return [
            Sealed(row.subject, wire.seal(row.body, producer, row.n), subjects.message_id(producer, row.n))
            for row in rows
        ]

    def _succeeded(self) -> None:
        self._failures = 0
        if self._complaint:
            self._complaint = ""
            log.info("events are published again")

    async def _back_off(self, refused: NotTaken) -> None:
        """Say once what is wrong, and wait: nothing else is sent before this row."""
        complaint = str(refused)
        if complaint != self._complaint and self._way.is_connected:
            self._complaint = complaint
            log.error("events wait in the outbox (%d): %s", self._outbox.waiting, complaint)
        self._failures += 1
        longest = min(_SLOWEST_RETRY, 0.05 * 2 ** min(self._failures, 10))
        await asyncio.sleep(max(refused.wait, longest * random.uniform(0.5, 1.0)))


def _parts(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
