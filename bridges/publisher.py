"""From the outbox to the stream: in order, and each row again until the broker has acknowledged it.

Many waiting rows go as one atomic batch (all of it is stored, or nothing), few go one by one. A batch whose outcome is
in doubt, or that the broker refuses because it holds a row already, is sent again row by row: the broker knows each
row by its `Nats-Msg-Id`. Nothing is ever skipped, so the stream has the order of the outbox.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Final

import nats.errors
from nats.aio.msg import Msg
from nats.js.api import Header

from userstats.contract import subjects, wire
from userstats.contract.broker import Connection

from .outbox import Outbox
from .outbox_file import Row

log = logging.getLogger(__name__)

BATCH_FROM: Final = 16
"""Fewer waiting rows than this are faster one by one: a batch costs two round trips."""
BATCH_ROWS: Final = 1000
"""The most that a broker takes in one batch."""
BATCH_BYTES: Final = 2 * 1024 * 1024
ACK_SECONDS: Final = 5.0
AGAIN_ROWS: Final = 200
"""How many rows of the grace window are under way at once: nearly all of them are known to the broker already."""
_IDLE_SECONDS: Final = 0.25
_SLOWEST_RETRY: Final = 5.0
_FULL: Final = (10077, 10047, 10023)
"""The stream is full (`discard=new`), or the broker has no more room for it."""
_BROKER: Final = "broker"


class _Refused(Exception):
    """The broker did not take a row. The message holds nothing of the row."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code


class Publisher:
    """Drains one outbox over one connection. `held` says why nothing may be published now, or nothing."""

    def __init__(self, connection: Connection, outbox: Outbox, held: Callable[[], str]) -> None:
        self._connection = connection
        self._outbox = outbox
        self._held = held
        self._doubtful = 0
        """Rows up to this one are sent one by one."""
        self._failures = 0
        self._complaint = ""
        self.published = 0
        """Rows acknowledged since the start."""

    async def run(self) -> None:
        """Publish until cancelled. Raises ConnectionClosedError when the connection is closed for good."""
        while True:
            if self._connection.is_closed:
                raise nats.errors.ConnectionClosedError
            if not self._connection.is_connected or self._held():
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
            except _Refused as refused:
                await self._back_off(refused)

    async def _recognise(self) -> None:
        """Publish the grace window again if this is not the broker that acknowledged it: it may have lost its end."""
        broker = self._connection.server_id
        if self._outbox.recall(_BROKER) == broker:
            return
        repeated = 0
        after = 0
        while rows := await self._outbox.kept(after):
            for part in _parts(rows, AGAIN_ROWS):
                await self._again(part)
            repeated += len(rows)
            after = rows[-1].n
        if repeated:
            log.info("another broker process: %d events published again", repeated)
        await self._outbox.remember(_BROKER, broker)

    async def _again(self, rows: Sequence[Row]) -> None:
        """Publish acknowledged rows once more; those that fail, and all after them, one by one."""
        results = await asyncio.gather(*(self._single(row) for row in rows), return_exceptions=True)
        for index, result in enumerate(results):
            if isinstance(result, BaseException) and not isinstance(result, _Refused):
                raise result
            if isinstance(result, _Refused):
                for row in rows[index:]:
                    await self._single(row)
                return

    async def _send(self, rows: Sequence[Row]) -> None:
        if len(rows) >= BATCH_FROM and rows[0].n > self._doubtful:
            if await self._batch(rows):
                self._outbox.acknowledge(rows[-1])
                self.published += len(rows)
                return
            self._doubtful = rows[-1].n
        for row in rows:
            if self._held():
                return
            await self._single(row)
            self._outbox.acknowledge(row)
            self.published += 1

    async def _batch(self, rows: Sequence[Row]) -> bool:
        """Publish these as one atomic batch. False: it was refused, or nobody knows."""
        name = uuid.uuid4().hex
        try:
            for position, row in enumerate(rows[:-1], 1):
                headers = self._id(row) | {Header.BATCH_ID: name, Header.BATCH_SEQUENCE: str(position)}
                await self._connection.publish(row.subject, self._seal(row), headers=headers)
            last = rows[-1]
            headers = self._id(last) | {
                Header.BATCH_ID: name, Header.BATCH_SEQUENCE: str(len(rows)), Header.BATCH_COMMIT: "1",
            }  # fmt: skip
            await self._request(last, headers)
        except _Refused as refused:
            log.debug("a batch of %d is sent again one by one: %s", len(rows), refused)
            return False
        except (nats.errors.Error, OSError) as error:
            log.debug("a batch of %d is in doubt: %s", len(rows), type(error).__name__)
            return False
        return True

    async def _single(self, row: Row) -> None:
        await self._request(row, self._id(row))

    async def _request(self, row: Row, headers: dict[str, str]) -> None:
        """Publish with a reply address and await the acknowledgement; _Refused if none comes."""
        try:
            reply = await self._reply(row, headers)
        except nats.errors.ConnectionClosedError:
            raise
        except nats.errors.NoRespondersError as error:
            raise _Refused("there is no stream for it") from error
        except nats.errors.MaxPayloadError as error:
            raise _Refused("the broker's max_payload is too small") from error
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise _Refused("no acknowledgement") from error
        answer = json.loads(reply.data)
        if refused := answer.get("error"):
            raise _Refused(str(refused.get("description", "refused")), int(refused.get("err_code", 0)))

    async def _reply(self, row: Row, headers: dict[str, str]) -> Msg:
        """The broker's answer, or TimeoutError: at once if it goes away meanwhile."""
        asked = asyncio.ensure_future(
            self._connection.request(row.subject, self._seal(row), timeout=ACK_SECONDS, headers=headers)
        )
        try:
            while not (await asyncio.wait({asked}, timeout=_IDLE_SECONDS))[0]:
                if not self._connection.is_connected:
                    raise TimeoutError
            return asked.result()
        finally:
            asked.cancel()

    def _seal(self, row: Row) -> bytes:
        return wire.seal(row.body, self._outbox.producer, row.n)

    def _id(self, row: Row) -> dict[str, str]:
        return {Header.MSG_ID: subjects.message_id(self._outbox.producer, row.n)}

    def _succeeded(self) -> None:
        self._failures = 0
        if self._complaint:
            self._complaint = ""
            log.info("events are published again")

    async def _back_off(self, refused: _Refused) -> None:
        """Say once what is wrong, and wait: nothing else is sent before this row."""
        complaint = "the stream is full" if refused.code in _FULL else str(refused)
        if complaint != self._complaint and self._connection.is_connected:
            self._complaint = complaint
            log.error("events wait in the outbox (%d): %s", self._outbox.waiting, complaint)
        self._failures += 1
        longest = min(_SLOWEST_RETRY, 0.05 * 2 ** min(self._failures, 10))
        await asyncio.sleep(longest * random.uniform(0.5, 1.0))


def _parts(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
