"""Answers in Kryten's world: `kryten.userstats.command`, the older dialect, and what services say of themselves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from ...asking import Refused
from ...contract import subjects
from ...contract.questions import LARGEST_REQUEST, Failure, Problem, Reply
from ..nats import parameters
from .commands import COMMANDS
from .dialect import DOCUMENTED, query_of
from .inquiry import Handler, Inquiry, NotAnswered, World
from .life import Life

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_WAITING: Final = 64
_INBOXES: Final = ("_INBOX", "_R_")
"""How the subjects of replies begin; to any other nothing is sent, whoever asks."""
_LARGEST_REPLY: Final = 1024 * 1024
_LONGEST_ECHO: Final = 100
_STOP_SECONDS: Final = 5.0
_BUSY: Final = "too many requests at once; ask again"

_encode = msgspec.json.Encoder().encode


class KrytenSurface:
    """The service `userstats` as Kryten knows it, on one connection at a time."""

    def __init__(self, world: World, life: Life, *, heartbeat_seconds: float = 30.0) -> None:
        self._world = world
        self._life = life
        self._heartbeat_seconds = heartbeat_seconds
        self._client: Client | None = None
        self._subscriptions: list[Subscription] = []
        self._beating: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, client: Client) -> None:
        """Answer on this connection, and say that we are here."""
        self._client = client
        for subject, hear in (
            (subjects.KRYTEN_COMMAND, self._asked(self._commanded, self._busy_command)),
            (f"{subjects.SEED_QUERY}.>", self._asked(self._queried, self._busy_query)),
            (subjects.KRYTEN_DISCOVERY, self._discovered),
            (subjects.kryten_lifecycle("robot", "startup"), self._robot_started),
        ):
            self._subscriptions.append(await client.subscribe(subject, cb=hear))
        await client.flush()
        await self._life.startup(client)
        self._beating = asyncio.create_task(self._beat(client))

    async def announce(self) -> None:
        """Say again that we are here: the broker was away."""
        if self._client:
            await self._life.startup(self._client)

    async def stop(self, reason: str = "Normal shutdown") -> None:
        """Take no more requests, finish those under way, say goodbye. It may be started again."""
        client, self._client = self._client, None
        if self._beating:
            self._beating.cancel()
        for subscription in self._subscriptions:
            try:
                await subscription.unsubscribe()
            except (nats.errors.Error, ValueError) as error:
                log.debug("a subscription ended by itself (%s)", type(error).__name__)
        self._subscriptions = []
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        if client and client.is_connected:
            await self._life.shutdown(client, reason)

    def _asked(
        self, answer: Callable[[Msg], Awaitable[bytes]], busy: Callable[[Msg], bytes]
    ) -> Callable[[Msg], Awaitable[None]]:
        """A task for each request, a bounded number at once."""

        async def hear(message: Msg) -> None:
            if not message.reply.startswith(_INBOXES):
                return
            if len(self._tasks) >= _AT_ONCE + _WAITING:
                await self._reply(message, busy(message))
                return
            task = asyncio.create_task(self._answer(message, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return hear

    async def _answer(self, message: Msg, answer: Callable[[Msg], Awaitable[bytes]]) -> None:
        async with self._slots:
            await self._reply(message, await answer(message))

    async def _reply(self, message: Msg, body: bytes) -> None:
        try:
            await message.respond(body)
        except (nats.errors.Error, OSError) as error:
            log.info("a reply could not be sent (%s)", type(error).__name__)

    async def _commanded(self, message: Msg) -> bytes:
        """The reply to a request on `kryten.userstats.command`, always with `service` and `success`."""
        try:
            request = parameters(message.data)
        except Refused:
            return _command_error({}, _unreadable(message.data))
        service, command = request.get("service"), request.get("command")
        if service and service != subjects.SERVICE:
            return _command_error({}, f"Command intended for '{_echo(service)}', not '{subjects.SERVICE}'")
        if not command:
            return _command_error({}, "Missing 'command' field")
        about = {"command": _echo(command)}
        handler = COMMANDS.get(command) if isinstance(command, str) else None
        if handler is None:
            return _command_error(about, f"Unknown command: {_echo(command)}")
        try:
            data = await self._handled(handler, request)
        except NotAnswered as why:
            return _command_error(about, str(why))
        body = _encode({"service": subjects.SERVICE, **about, "success": True, "data": data})
        return body if len(body) <= self._largest else _command_error(about, _too_large(body))

    async def _queried(self, message: Msg) -> bytes:
        """The reply to a query of the older dialect."""
        query = query_of(message.subject)
        try:
            request = parameters(message.data)
        except Refused:
            return _flat_error(_unreadable(message.data))
        asked = self._world.answers.asked.get(query.name)
        handler = DOCUMENTED.get(query.name) or (None if asked else COMMANDS.get(query.name))
        if handler is None:
            scoped = {"domain": query.domain} if query.domain and asked and asked.has_scope else {}
            return await self._enveloped(query.name, {**scoped, **request})
        try:
            body = _encode(await self._handled(handler, {"domain": query.domain, **request}))
        except NotAnswered as why:
            return _flat_error(str(why))
        return body if len(body) <= self._largest else _flat_error(_too_large(body))

    async def _enveloped(self, name: str, request: Mapping[str, Any]) -> bytes:
        """One of our questions, in our own envelope."""
        reply: Reply | Failure = await self._world.answers.answer(name, request, "staff")
        body = _encode(reply)
        if len(body) > self._largest:
            body = _encode(Failure(question=name, error=Problem(code=400, message=_too_large(body))))
        return body

    async def _handled(self, handler: Handler, request: Mapping[str, Any]) -> Any:
        return await handler(await Inquiry.of(self._world, request))

    @staticmethod
    def _busy_command(_message: Msg) -> bytes:
        return _command_error({}, _BUSY)

    @staticmethod
    def _busy_query(_message: Msg) -> bytes:
        return _flat_error(_BUSY)

    async def _discovered(self, _message: Msg) -> None:
        if self._client:
            await self._life.startup(self._client)

    async def _robot_started(self, _message: Msg) -> None:
        if self._client:
            await self._life.startup(self._client, again=True)

    async def _beat(self, client: Client) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await self._life.heartbeat(client)

    @property
    def _largest(self) -> int:
        return min(_LARGEST_REPLY, self._client.max_payload) if self._client else _LARGEST_REPLY


def _command_error(about: Mapping[str, str], error: str) -> bytes:
    return _encode({"service": subjects.SERVICE, **about, "success": False, "error": error})


def _flat_error(error: str) -> bytes:
    return _encode({"success": False, "error": error})


def _unreadable(data: bytes) -> str:
    """Why a request cannot be read, in Kryten's words where it has any."""
    if len(data) > LARGEST_REQUEST:
        return f"the request has {len(data)} bytes, the most is {LARGEST_REQUEST}"
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return "Invalid JSON"
    return "the request must be a JSON object"


def _too_large(body: bytes) -> str:
    return f"the answer has {len(body)} bytes; ask for less with limit or hours"


def _echo(value: Any) -> str:
    return str(value)[:_LONGEST_ECHO]
