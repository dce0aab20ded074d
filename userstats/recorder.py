"""Requests to change something, as events: appended to the stream like everything else, and answered once applied."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from .asking import Refused
from .contract import subjects, wire
from .contract.events import NO_WATCH, Event, Place
from .contract.pseudonym import Pseudonyms

if TYPE_CHECKING:  # rooms import this module, and the command line must start without a NATS client
    from nats.aio.client import Client

PLACE: Final = Place("userstats", "", "")
E = TypeVar("E", bound=Event)


class Changed(msgspec.Struct, frozen=True):
    """What a request to change came to."""

    changed: bool
    message: str


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

    def person(self, platform: str, account: str) -> int:
        """The pseudonym of an account."""
        return self._pseudonyms.person(platform, account)

    async def record(self, kind: type[E], **fields: Any) -> int:
        """Append an event of this kind and wait until it is counted. Refused (503) when the stream does not take it."""
        seq = await self.append(kind, **fields)
        await self.counted(seq)
        return seq

    async def append(self, kind: type[E], **fields: Any) -> int:
        """Append an event of this kind and do not wait. Returns its position in the stream. Refused (400, 503)."""
        self._n += 1
        try:
            return await self.append_as(self._producer, self._n, kind, **fields)
        except Refused as refused:
            if refused.code == 400:  # said before anything else could happen here: the row is free again
                self._n -= 1
            raise

    async def append_as(self, producer: str, n: int, kind: type[E], *, at: int | None = None, **fields: Any) -> int:
        """Append row n of an outbox that is not this process's: whoever appends that row again changes nothing.

        Returns its position in the stream. Refused: 400 where this is no event, 503.
        """
        now = int(time.time() * 1000)
        event_id = self._pseudonyms.event("recorder", producer, n)
        event = kind(id=event_id, at=now if at is None else at, seen=now, place=PLACE, watch=NO_WATCH, **fields)
        subject, payload = subjects.event(PLACE, wire.kind_of(event)), wire.seal(wire.body(event), producer, n)
        if isinstance(bad := wire.decode(payload, subject), wire.Bad):
            raise Refused(400, f"this cannot be recorded: {bad.detail} at {bad.path}")
        return await self._publish(subject, payload, subjects.message_id(producer, n))

    async def counted(self, seq: int) -> None:
        """Wait until this position of the stream is counted. Refused (503) when that takes long."""
        try:
            await self._reached(seq)
        except TimeoutError as error:
            raise Refused(503, "recorded, but not counted yet; look again in a moment") from error

    async def _publish(self, subject: str, payload: bytes, message_id: str) -> int:
        from nats.errors import Error as NatsError  # noqa: PLC0415  (as above)

        headers = {"Nats-Msg-Id": message_id}
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
