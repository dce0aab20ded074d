"""Events into the stream, in order, each again until the broker has acknowledged it.

Many go as one atomic batch (all of it is stored, or nothing), few go one by one. A batch whose outcome is in doubt, or
that the broker refuses because it holds an event already, is sent again one by one: the broker knows each event by its
`Nats-Msg-Id`. Nothing is ever skipped, so the stream has the order in which they were given.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final, NamedTuple

import nats.errors
from nats.aio.msg import Msg
from nats.js.api import Header

from .broker import Connection

log = logging.getLogger(__name__)

BATCH_FROM: Final = 16
"""Fewer events than this are faster one by one: a batch costs two round trips."""
BATCH_ROWS: Final = 1000
"""The most that a broker takes in one batch."""
ACK_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.25
_FULL: Final = (10077, 10047, 10023)
"""The stream is full (`discard=new`), or the broker has no more room for it."""
_ALONE: Final[Mapping[str, str]] = {}


class Sealed(NamedTuple):
    """One event as it is published."""

    subject: str
    payload: bytes
    """See `wire.seal`."""
    message_id: str
    """See `subjects.message_id`."""


class NotTaken(Exception):
    """An event was not taken, and none after it. The message says why, and holds nothing of the event."""

    def __init__(self, why: str, code: int = 0, wait: float = 0.0) -> None:
        super().__init__("the stream is full" if code in _FULL else why)
        self.wait = wait
        """Seconds after which to try again at the earliest, where whoever refused said so."""


class Appender:
    """Appends to the event stream over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._doubtful: frozenset[str] = frozenset()
        """What a batch failed with is sent one by one until all of it is through."""

    async def append(self, events: Sequence[Sealed]) -> AsyncGenerator[int, None]:
        """Append at most BATCH_ROWS events; yields how many of them are stored by now, the last time: all.

        Raises NotTaken, or ConnectionClosedError when the connection is closed for good.
        """
        if len(events) >= BATCH_FROM and events[0].message_id not in self._doubtful:
            if await self._batch(events):
                yield len(events)
                return
            self._doubtful = frozenset(event.message_id for event in events)
        for stored, event in enumerate(events, 1):
            await self._single(event)
            yield stored
        self._doubtful = frozenset()

    async def repeat(self, events: Sequence[Sealed]) -> None:
        """Append events that the broker most probably has; those that fail, and all after them, one by one."""
        results = await asyncio.gather(*(self._single(event) for event in events), return_exceptions=True)
        for index, result in enumerate(results):
            if isinstance(result, BaseException) and not isinstance(result, NotTaken):
                raise result
            if isinstance(result, NotTaken):
                for event in events[index:]:
                    await self._single(event)
                return

    async def _batch(self, events: Sequence[Sealed]) -> bool:
        """Append these as one atomic batch. False: it was refused, or nobody knows."""
        name = uuid.uuid4().hex
        try:
            for position, event in enumerate(events[:-1], 1):
                headers: dict[str, str] = {
                    Header.MSG_ID: event.message_id, Header.BATCH_ID: name, Header.BATCH_SEQUENCE: str(position),
                }  # fmt: skip
                await self._connection.publish(event.subject, event.payload, headers=headers)
            last: dict[str, str] = {
                Header.BATCH_ID: name,
                Header.BATCH_SEQUENCE: str(len(events)),
                Header.BATCH_COMMIT: "1",
            }
            await self._single(events[-1], last)
        except NotTaken as refused:
            log.debug("a batch of %d is sent again one by one: %s", len(events), refused)
            return False
        except (nats.errors.Error, OSError) as error:
            log.debug("a batch of %d is in doubt: %s", len(events), type(error).__name__)
            return False
        return True

    async def _single(self, event: Sealed, batch: Mapping[str, str] = _ALONE) -> None:
        """Publish with a reply address and await the acknowledgement; NotTaken if none comes."""
        headers: dict[str, str] = {Header.MSG_ID: event.message_id, **batch}
        try:
            reply = await self._reply(event, headers)
        except nats.errors.ConnectionClosedError:
            raise
        except nats.errors.NoRespondersError as error:
            raise NotTaken("there is no stream for it") from error
        except nats.errors.MaxPayloadError as error:
            raise NotTaken("the broker's max_payload is too small") from error
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise NotTaken("no acknowledgement") from error
        answer = json.loads(reply.data)
        if refused := answer.get("error"):
            raise NotTaken(str(refused.get("description", "refused")), int(refused.get("err_code", 0)))

    async def _reply(self, event: Sealed, headers: dict[str, str]) -> Msg:
        """The broker's answer, or TimeoutError: at once if it goes away meanwhile."""
        asked = asyncio.ensure_future(
            self._connection.request(event.subject, event.payload, timeout=ACK_SECONDS, headers=headers)
        )
        try:
            while not (await asyncio.wait({asked}, timeout=_LOOK_SECONDS))[0]:
                if not self._connection.is_connected:
                    raise TimeoutError
            return asked.result()
        finally:
            asked.cancel()
