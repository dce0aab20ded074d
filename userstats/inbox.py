"""Events off JetStream, in stream order, in batches by lag.

The consumer is disposable: an AckNone pull cursor, made anew from the database's position at start, after a
reconnect, on a gap or on silence. The broker keeps nothing that the counts depend on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from .contract.subjects import EVENT_ROOT, STREAM
from .service import Message
from .store.seam import Position

log = logging.getLogger(__name__)

BATCH: Final = 5000
_BYTES: Final = 4 * 1024 * 1024
"""The most that one pull request asks for: two are under way, and our broker drops whoever has 16 MB waiting."""
_EXPIRES: Final = 20.0
"""Seconds a pull request waits for messages."""
_FIRST: Final = Position()
_EVENTS: Final = f"{EVENT_ROOT}.>"
_NO_MESSAGE: Final = "10037"


class StreamGone(Exception):
    """The stream or the broker does not answer, or refuses (`code`); try again later."""

    def __init__(self, why: str, code: str = "") -> None:
        super().__init__(why)
        self.code = code


class BrokerWentBack(Exception):
    """The stream is not the one the position is from, or lost its end: it must be read again, from `first` on."""

    def __init__(self, why: str, first: int) -> None:
        super().__init__(why)
        self.first = first


class Inbox:
    """Reads one stream from a position on."""

    def __init__(self, client: Client, stream: str = STREAM, batch: int = BATCH) -> None:
        self._client = client
        self._stream = stream
        self._batch = batch
        self._waiting: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._reset = False
        self._missing = 0
        """The first message that was not delivered although one behind it was, and nobody has asked why yet."""
        self.ready = asyncio.Event()
        """Set once the stream is known and being read."""
        self.last_seq = 0
        """The last message there is to read, as far as known: lag = last_seq - position."""
        self.created = ""
        self.fill = 0.0
        """How full the stream is: its bytes over its limit, 0 where it has none."""
        self.lost_before = 0
        """Retention removed everything before this message although it was not counted; 0: nothing was lost."""

    @property
    def waiting(self) -> int:
        """Messages that are delivered and not taken yet."""
        return len(self._waiting)

    def reset(self) -> None:
        """Make the consumer anew; called after a reconnect."""
        self._reset = True
        self._arrived.set()

    async def look(self) -> None:
        """Ask how long and how full the stream is, and whether retention overtook the reading. Raises StreamGone."""
        info = await self._api(f"$JS.API.STREAM.INFO.{self._stream}", {})
        state, most = info["state"], info["config"].get("max_bytes", -1)
        self.fill = state["bytes"] / most if most > 0 else 0.0
        missing, self._missing = self._missing, 0
        if missing and missing < state["first_seq"]:
            self._lost(missing, state["first_seq"])
        # Where the end of the stream was erased, its last number is nobody's, and never read.
        if state["last_seq"] > self.last_seq and await self._get({"seq": self.last_seq + 1, "next_by_subj": _EVENTS}):
            self.last_seq = max(self.last_seq, state["last_seq"])

    async def batches(self, position: Position) -> AsyncGenerator[list[Message], None]:
        """Messages after `position`, a batch at a time; ends when the consumer must be made anew.

        Raises BrokerWentBack when the stream is not the one the position is from, StreamGone when nothing answers.
        """
        self._reset = False  # first of all: a broker that changes while it is asked is asked again
        after = await self._verify(position)
        self._waiting.clear()
        name = f"userstats_{secrets.token_hex(8)}"  # a fresh name: a create whose reply was lost cannot collide
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0)
        try:
            if not await self._create(name, after + 1):
                self.last_seq = position.seq
            self.ready.set()
            async with aclosing(self._pull(name, inbox, after)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            self.ready.clear()
            await self._drop(name, subscription)

    async def _take(self, message: Msg) -> None:
        self._waiting.append(message)
        self._arrived.set()

    async def _pull(self, name: str, inbox: str, after: int) -> AsyncGenerator[list[Message], None]:
        expected = 1
        outstanding = 0
        asked_at = 0.0
        request = json.dumps({"batch": self._batch, "max_bytes": _BYTES, "expires": int(_EXPIRES * 1e9)}).encode()
        while not self._reset:
            if outstanding < self._batch:
                await self._client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{name}", request, reply=inbox)
                outstanding += self._batch
                asked_at = time.monotonic()
            if not await self._something(asked_at + _EXPIRES + 5):
                return
            batch: list[Message] = []
            while self._waiting and len(batch) < self._batch:
                message = self._waiting.popleft()
                if not message.reply:
                    outstanding = max(0, outstanding - self._unserved(message))
                    continue
                parsed, consumer_seq, pending = _parse(message)
                if consumer_seq != expected or parsed.seq <= after:
                    log.warning("a gap in delivery (wanted %d, got %d); reading again", expected, consumer_seq)
                    self._reset = True
                    break
                if parsed.seq != after + 1 and after:
                    self._missing = self._missing or after + 1
                expected += 1
                outstanding -= 1
                after = parsed.seq
                self.last_seq = parsed.seq + pending
                batch.append(parsed)
            if batch:
                yield batch

    async def _something(self, deadline: float) -> bool:
        """Wait for messages; False when nothing, not even the end of a pull request, came in time."""
        while not self._waiting and not self._reset:
            self._arrived.clear()
            try:
                async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                    await self._arrived.wait()
            except TimeoutError:
                return False
        return not self._reset

    def _unserved(self, message: Msg) -> int:
        """How many messages of a pull request will not come, by the status that ends it. Any other status than that
        the time is over or the bytes are full means that this consumer delivers nothing more."""
        headers = message.headers or {}
        status, why = headers.get("Status", ""), headers.get("Description", "")
        if status in {"404", "408"} or (status == "409" and why.endswith(("MaxBytes", "Batch Completed"))):
            return int(headers.get("Nats-Pending-Messages") or self._batch)
        if status not in {"", "100"} and not self._reset:
            log.info("the consumer is gone (status %s); making another one", status)
            self._reset = True
        return 0

    async def _create(self, name: str, first: int) -> int:
        """Make the consumer; returns how many messages there are for it."""
        config = {
            "name": name, "deliver_policy": "by_start_sequence", "opt_start_seq": first, "ack_policy": "none",
            "replay_policy": "instant", "mem_storage": True, "inactive_threshold": int(60e9), "num_replicas": 1,
            "filter_subject": _EVENTS,
        }  # fmt: skip
        subject = f"$JS.API.CONSUMER.CREATE.{self._stream}.{name}.{_EVENTS}"
        created = await self._api(subject, {"stream_name": self._stream, "config": config})
        return int(created.get("num_pending", 1))

    async def _drop(self, name: str, subscription: Any) -> None:
        try:
            await subscription.unsubscribe()
            await self._client.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{name}", b"")
        except NatsError:
            log.debug("the consumer could not be dropped; the broker drops it by itself")

    async def _verify(self, position: Position) -> int:
        """Is this still the stream that the position is from? Returns the last message that is not to be read."""
        info = await self._api(f"$JS.API.STREAM.INFO.{self._stream}", {})
        self.created, state = info["created"], info["state"]
        first, self.last_seq = state["first_seq"], state["last_seq"]
        if position.stream and position.stream != self.created:
            raise BrokerWentBack("the stream was made anew", first)
        if position.seq > self.last_seq:
            raise BrokerWentBack(f"the stream ends at {self.last_seq}, before the position {position.seq}", first)
        if position.seq and position.seq >= first and position.stamp:
            found = await self._get({"seq": position.seq})
            if found and nanoseconds(found["time"]) != position.stamp:
                raise BrokerWentBack(f"message {position.seq} is another one than the one that was counted", first)
        if first > position.seq + 1 and position != _FIRST:
            self._lost(position.seq + 1, first)
        return max(position.seq, int(first) - 1)

    def _lost(self, since: int, first: int) -> None:
        """Retention overtook the counting."""
        self.lost_before = first
        log.error("messages %d to %d were removed before they were counted", since, first - 1)

    async def _get(self, which: dict[str, Any]) -> dict[str, Any] | None:
        """A message of the stream as the API tells it, or None where there is none (it was erased)."""
        try:
            found = await self._api(f"$JS.API.STREAM.MSG.GET.{self._stream}", which)
        except StreamGone as error:
            if error.code == _NO_MESSAGE:
                return None
            raise
        message: dict[str, Any] = found["message"]
        return message

    async def _api(self, subject: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            reply = await self._client.request(subject, json.dumps(request).encode(), timeout=5)
        except (NatsError, TimeoutError) as error:
            raise StreamGone(f"no answer from JetStream ({type(error).__name__})") from error
        body: dict[str, Any] = json.loads(reply.data)
        if "error" in body:
            code = str(body["error"].get("err_code", ""))
            raise StreamGone(f"{body['error'].get('description')} ({code})", code)
        return body


def nanoseconds(text: str) -> int:
    """RFC 3339 as JetStream writes it, exactly: nanoseconds since the epoch."""
    head, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


def _parse(message: Msg) -> tuple[Message, int, int]:
    """The message, its number in the consumer and how many wait behind it, from the reply subject.

    `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.<pending>`, or the same with domain and account hash
    before the stream and a random token at the end. Raises StreamGone where it is neither.
    """
    tokens = message.reply.split(".")
    base = 2 if len(tokens) == 9 else 4
    try:
        sseq, cseq, stamp, pending = tokens[base + 3 : base + 7]
        return Message(int(sseq), int(stamp), message.subject, message.data), int(cseq), int(pending)
    except ValueError as error:
        raise StreamGone("a message came in a form that this version does not know") from error
