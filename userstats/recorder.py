"""Requests to change something, as events: appended to the stream like everything else, and answered once applied."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError

from .asking import Refused
from .contract import subjects, wire
from .contract.events import NO_WATCH, Event, Place
from .contract.pseudonym import Pseudonyms

PLACE: Final = Place("userstats", "", "")
E = TypeVar("E", bound=Event)


class Recorder:
    """Appends what was decided here. Each process is a producer of its own, with rows counted from 1."""

    userstats_service = True

    def __init__(self, client: Client, pseudonyms: Pseudonyms, reached: Callable[[int], Awaitable[None]]) -> None:
        self._client = client
        self._pseudonyms = pseudonyms
        self._reached = reached
        self._producer = f"recorder-{secrets.token_hex(8)}"
        self._n = 0

    def name_key(self, name: str) -> int:
        """The key of a name."""
        return self._pseudonyms.name(name)

    async def record(self, kind: type[E], **fields: Any) -> int:
        """Append an event of this kind and wait until it is counted. Refused (503) when the stream does not take it."""
        seq = await self.append(kind, **fields)
        try:
            await self._reached(seq)
        except TimeoutError as error:
            raise Refused(503, "recorded, but not counted yet; look again in a moment") from error
        return seq

    async def append(self, kind: type[E], **fields: Any) -> int:
        """Append an event of this kind and do not wait. Returns its position in the stream. Refused (503)."""
        self._n += 1
        n, now = self._n, int(time.time() * 1000)
        event_id = self._pseudonyms.event("recorder", self._producer, n)
        event = kind(id=event_id, at=now, seen=now, place=PLACE, watch=NO_WATCH, **fields)
        payload = wire.seal(wire.body(event), self._producer, n)
        return await self._publish(subjects.event(PLACE, wire.kind_of(event)), payload, n)

    async def _publish(self, subject: str, payload: bytes, n: int) -> int:
        headers = {"Nats-Msg-Id": subjects.message_id(self._producer, n)}
        for _ in range(3):  # the message id makes a repetition harmless
            try:
                reply = await self._client.request(subject, payload, timeout=2, headers=headers)
            except (NatsError, TimeoutError):
                continue
            body = json.loads(reply.data)
            if "error" in body:
                raise Refused(503, f"the stream did not take it: {body['error'].get('description', 'no reason given')}")
            return int(body["seq"])
        raise Refused(503, "the stream does not answer")
