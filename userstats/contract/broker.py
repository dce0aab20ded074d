"""One way to reach NATS, for every part.

Without `servers` the broker is the embedded one: it writes where it listens and what it is called today to
`<store>/broker.json`, and the key of each role to `<store>/keys/<role>.nk`. A server that does not have today's name is
not ours (an orphan on the same port, another project's), and is told nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import nats.errors
from nats.aio.client import Client, Server
from nats.aio.msg import Msg

from .broker_credentials import BrokerRefused, BrokerUnreachable, options
from .broker_settings import (
    PLATFORMS,
    ROLES,
    NatsSettings,
    Role,
    Running,
    TlsSettings,
    chosen,
    key_file,
    running,
    running_file,
    store_folder,
)

__all__ = [
    "PLATFORMS", "REQUEST_INFO", "ROLES", "BrokerRefused", "BrokerUnreachable", "Connection", "ConnectionEnded",
    "NatsSettings", "Role", "Running", "TlsSettings", "asked_from", "chosen", "connect", "key_file", "running",
    "running_file", "store_folder",
]  # fmt: skip

log = logging.getLogger(__name__)

_BLANKS: Final = " \t\n\r\x0b\x0c"
PING_SECONDS: Final = 5
"""A broker that does not answer two of these is gone."""
SLOWEST_RETRY_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 1.0

REQUEST_INFO: Final = "Nats-Request-Info"


class ConnectionEnded(nats.errors.Error):
    """The broker ended this connection for good (too large a message, a role withdrawn): `connect` anew."""


class Connection(Client):
    """A connection to NATS that looks at the server before it says anything to it."""

    def __init__(self, api: str, admit: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self.api = api
        """The prefix of the JetStream API for this role: `jetstream(prefix=connection.api)`."""
        self.leaving = False
        """Whether we ended this ourselves."""
        self._admit = admit

    @property
    def server_name(self) -> str:
        """What may be logged: addresses can hold passwords."""
        return str(self._server_info.get("server_name", ""))

    @property
    def server_id(self) -> str:
        """New at every start of the server."""
        return str(self._server_info.get("server_id", ""))

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """Headers as nats-py reads them, in a fifth of its time: every event of the stream carries some."""
        found: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            name = name.strip(_BLANKS)
            if colon and name.isascii() and (not name or name.split() == [name]):
                found[name] = value.strip(_BLANKS)
        return found

    def _connect_command(self) -> bytes:
        self._admit(self._server_info)
        command: bytes = super()._connect_command()
        return command

    # A server passes on whatever bytes somebody names a subject or a reply with. nats-py would stop reading at the
    # first that are no text, and be deaf until the broker gives it up.

    def _build_message(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: dict[str, str] | None
    ) -> Msg | None:
        try:
            message: Msg | None = super()._build_message(sid, subject, reply, data, headers)
        except UnicodeDecodeError:
            readable = subject.decode("utf-8", "replace").encode()
            message = super()._build_message(sid, readable, reply if reply.isascii() else b"", data, headers)
        return message

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        try:
            found: dict[str, str] | None = await super()._process_headers(headers)
        except (UnicodeDecodeError, IndexError):
            return None
        return found

    async def close(self) -> None:
        self.leaving = True
        # nats-py waits for ever for the end of a transport whose TLS handshake failed; there is nothing left to lose
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await super().close()

    async def drain(self) -> None:
        self.leaving = True
        await super().drain()


def _nothing(*_: object) -> None:
    pass


async def connect(
    settings: NatsSettings,
    role: Role,
    *,
    name: str,
    folder: Path = Path(),
    within: float | None = 10.0,
    on_gone: Callable[[], None] = _nothing,
    on_back: Callable[[], None] = _nothing,
    on_error: Callable[[Exception], None] = _nothing,
) -> Connection:
    """A connection for this role that comes back by itself, however long the broker is away.

    `name` is what the broker's monitoring shows. `within`: seconds until BrokerUnreachable is raised, None waits as
    long as it takes; BrokerRefused is raised at once. The callbacks run in the event loop: `on_gone` and `on_back`
    once for each change, `on_error` for every error, permission violations among them (a denied request never gets an
    answer, so whoever waits for one should listen here). After ConnectionEnded there it does not come back.

    While disconnected, publishing fails at once (OutboundBufferLimitError): nothing waits in memory unseen.
    """
    line = _Line(settings, role, folder, _Callbacks(on_gone, on_back, on_error))
    clock = asyncio.get_running_loop()
    deadline = None if within is None else clock.time() + within
    attempt = 0
    while True:
        try:
            return await line.attempt(name)
        except BrokerRefused:
            raise
        except (nats.errors.Error, OSError, TimeoutError) as error:
            wait = _delay(attempt)
            if deadline is not None and clock.time() + wait > deadline:
                raise BrokerUnreachable(f"no broker within {within:g} s: {_reason(error)}") from error
            if attempt == 0:
                log.info("%s: no broker yet (%s), trying again", name, _reason(error))
            attempt += 1
            await asyncio.sleep(wait)


def asked_from(headers: Mapping[str, str] | None) -> str:
    """The account that a question came from: BRIDGES, CLIENTS or KRYTEN; empty where the broker does not say.

    With the embedded broker this cannot be forged: the server itself puts the header on every question that crosses
    accounts, over whatever the client sent. At an external broker where all share one account the header is merely
    what the client wrote, so there it proves nothing.
    """
    try:
        info = json.loads((headers or {}).get(REQUEST_INFO, "{}"))
    except (ValueError, RecursionError):
        return ""
    account = info.get("acc", "") if isinstance(info, dict) else ""
    return account if isinstance(account, str) else ""


class _Callbacks(NamedTuple):
    gone: Callable[[], None]
    back: Callable[[], None]
    error: Callable[[Exception], None]


class _Line:
    """What is known about one connection: whether it stands, and what has been said about it already."""

    def __init__(self, settings: NatsSettings, role: Role, folder: Path, tell: _Callbacks) -> None:
        self.settings = settings
        self.role = role
        self.folder = folder
        self.tell = tell
        self.client = Connection(settings.api(role), self.admit)
        self.connected = False
        self.gone = False
        self.failures = 0
        self.said: set[str] = set()

    async def attempt(self, name: str) -> Connection:
        """Try every server once."""
        credentials = options(self.settings, self.role, self.folder)
        self.client = Connection(self.settings.api(self.role), self.admit)
        self.failures = 0
        try:
            await self.client.connect(
                name=name,
                error_cb=self.errored,
                disconnected_cb=self.disconnected,
                reconnected_cb=self.reconnected,
                closed_cb=self.closed,
                reconnect_to_server_handler=self.choose,
                connect_timeout=self.settings.connect_timeout,  # type: ignore[arg-type]  # a float does too
                max_reconnect_attempts=-1,
                ping_interval=PING_SECONDS,
                max_outstanding_pings=2,
                pending_size=0,
                **credentials,
            )
        except BaseException:
            await self.client.close()
            raise
        self.connected = True
        log.info("%s: connected to %s as %s", name, self.client.server_name, self.role)
        return self.client

    def admit(self, info: Mapping[str, Any]) -> None:
        """Raise if this is not a server to speak to."""
        if self.settings.embedded:
            ours = running(self.settings, self.folder)
            if ours is None or info.get("server_name") != ours.server_name:
                raise BrokerUnreachable("another server answers where the embedded broker should be")
        elif self.settings.secure and not info.get("tls_required"):
            raise BrokerRefused("the broker offers no TLS, and the settings ask for it")

    def choose(self, servers: list[Server], _info: Mapping[str, Any]) -> tuple[Server, float]:
        """Where to reconnect, and after how many seconds. An embedded broker may have come back on another port: the
        new address is taken from the next attempt on."""
        ours = running(self.settings, self.folder) if self.settings.embedded else None
        if ours is not None and ours.url not in [server.uri.geturl() for server in servers]:
            self.client.set_server_pool([ours.url])
        best = min(servers, key=lambda server: server.reconnects)
        return best, _delay(best.reconnects)

    async def errored(self, error: Exception) -> None:
        if self.connected:
            self.tell.error(error)
            if not isinstance(error, (OSError, nats.errors.UnexpectedEOF)):  # "gone" says these
                self.say(_reason(error))
            return
        self.failures += 1
        if "authorization" in str(error).lower():
            raise BrokerRefused(f"the broker does not accept the role {self.role}") from error
        if isinstance(error, BrokerRefused) or self.failures >= max(1, len(self.settings.servers)):
            raise error

    def say(self, text: str) -> None:
        """Log an error, once for as long as the connection stands."""
        if text not in self.said and len(self.said) < 1000:
            self.said.add(text)
            log.warning("%s: %s", self.role, text)

    async def disconnected(self) -> None:
        if self.connected and not self.client.leaving and not self.gone:
            self.gone = True
            log.warning("%s: the broker is gone", self.role)
            self.tell.gone()

    async def reconnected(self) -> None:
        self.gone = False
        self.said.clear()
        log.info("%s: the broker is back (%s)", self.role, self.client.server_name)
        self.tell.back()

    async def closed(self) -> None:
        if self.connected and not self.client.leaving:
            await self.disconnected()
            why = _reason(self.client.last_error) if self.client.last_error else "it did not say why"
            self.tell.error(ConnectionEnded(f"the broker ended the connection: {why}"))


def _delay(attempt: int) -> float:
    """Seconds until the next attempt: doubling from a tenth, with jitter, so that not everybody comes at once."""
    longest: float = min(SLOWEST_RETRY_SECONDS, 0.1 * 2.0 ** min(attempt, 10))
    return longest * random.uniform(0.5, 1.0)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
