"""What every part needs to reach NATS: the settings, the roles, and one way to connect.

Without `servers` the broker is the embedded one: it writes where it listens and what it is called today to
`<store>/broker.json`, and the key of each role to `<store>/keys/<role>.nk`. A server that cannot say today's name is
not ours (an orphan on the same port, another project's), and is never told anything.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec
import nats.errors
import nkeys
from nats.aio.client import Client, Server

from . import subjects

log = logging.getLogger(__name__)

Role = Literal[
    "userstats", "recorder", "provision",
    "bridge_cytube", "bridge_kryten", "bridge_demo", "bridge_discord",
    "client", "kryten",
]  # fmt: skip
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Who may connect. What each may do is written in the embedded broker's configuration."""

PING_SECONDS: Final = 5
"""A broker that does not answer two of these is gone."""
SLOWEST_RETRY_SECONDS: Final = 5.0


class TlsSettings(msgspec.Struct, frozen=True):
    """Files in PEM; `ca` verifies the broker (default: the system's), `cert` and `key` are ours, if it asks for one."""

    ca: str = ""
    cert: str = ""
    key: str = ""


class NatsSettings(msgspec.Struct, frozen=True):
    """Section `nats`. An empty `servers` means the embedded broker; `port` and `store` are about that one only."""

    servers: tuple[str, ...] = ()
    user: str = ""
    password: str = ""
    token: str = ""
    creds: str = ""
    """A .creds file. `{role}` here, in `nkey_seed_file`, `user` and `inbox_prefix` stands for the role's name."""
    nkey_seed_file: str = ""
    tls: TlsSettings | None = None
    """Present: a broker that does not offer TLS is refused before anything is said to it."""
    inbox_prefix: str = "_INBOX"
    bridge_api: str = ""
    """The JetStream API's prefix for bridges, where an external broker keeps them in an account of their own."""
    port: int = 4222
    """If it is taken the embedded broker chooses another and says so."""
    store: str = "data/broker"
    connect_timeout: float = 2.0
    """Seconds for one attempt."""

    def __repr__(self) -> str:
        return f"NatsSettings({'external' if self.servers else 'embedded'})"

    @property
    def embedded(self) -> bool:
        return not self.servers


class Running(msgspec.Struct, frozen=True):
    """broker.json: the embedded broker that runs now."""

    url: str
    server_name: str
    """New at every start, so that no other server can be taken for it."""
    pid: int
    started: int
    """Milliseconds since the epoch."""
    monitor: str
    """Address of its monitoring, on loopback."""


class BrokerUnreachable(nats.errors.Error):
    """There is no broker, or it does not answer. Trying again may help."""


class BrokerRefused(nats.errors.Error):
    """The broker does not want us, or is not the one we want. Trying again does not help."""


def store_folder(settings: NatsSettings, folder: Path) -> Path:
    """Where the embedded broker keeps everything; a relative `store` is below `folder`."""
    return folder / settings.store


def running_file(settings: NatsSettings, folder: Path) -> Path:
    return store_folder(settings, folder) / "broker.json"


def key_file(settings: NatsSettings, folder: Path, role: Role) -> Path:
    return store_folder(settings, folder) / "keys" / f"{role}.nk"


def running(settings: NatsSettings, folder: Path) -> Running | None:
    """The embedded broker that says it runs; None where none does."""
    try:
        return msgspec.json.decode(running_file(settings, folder).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


REQUEST_INFO: Final = "Nats-Request-Info"


def asked_from(headers: Mapping[str, str] | None) -> str:
    """The account that a question came from: BRIDGES, CLIENTS or KRYTEN; empty where the broker does not say.

    With the embedded broker this cannot be forged: the server puts the header on every imported question itself, over
    whatever the client sent. An external broker does so only if its imports have `share: true`; otherwise the header
    is merely what the client wrote, so there it proves nothing.
    """
    try:
        info = json.loads((headers or {}).get(REQUEST_INFO, "{}"))
    except ValueError:
        return ""
    account = info.get("acc", "") if isinstance(info, dict) else ""
    return account if isinstance(account, str) else ""


class Connection(Client):
    """A connection to NATS that looks at the server before it says anything to it."""

    def __init__(self, admit: Callable[[Mapping[str, Any]], None], api: str) -> None:
        super().__init__()
        self._admit = admit
        self.api = api
        """The prefix of the JetStream API for this role, for `jetstream(prefix=...)`."""
        self.leaving = False
        """Whether we ended this ourselves."""

    @property
    def server_name(self) -> str:
        """What may be logged: addresses can hold passwords."""
        return str(self._server_info.get("server_name", ""))

    @property
    def server_id(self) -> str:
        """New at every start of the server."""
        return str(self._server_info.get("server_id", ""))

    def _connect_command(self) -> bytes:
        self._admit(self._server_info)
        command: bytes = super()._connect_command()
        return command

    async def close(self) -> None:
        self.leaving = True
        await super().close()

    async def drain(self) -> None:
        self.leaving = True
        await super().drain()


def _api(settings: NatsSettings, role: Role) -> str:
    if not role.startswith("bridge_"):
        return subjects.JS_API
    return subjects.BRIDGE_API if settings.embedded else settings.bridge_api or subjects.JS_API


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
    """A connection for this role, that comes back by itself, however long the broker is away.

    `name` is what the broker's monitoring shows. `within`: seconds until BrokerUnreachable is raised, None waits as
    long as it takes; BrokerRefused is raised at once. The callbacks run in the event loop: `on_gone` and `on_back`
    once for each change; `on_error` for every error, permission violations among them (a denied request never gets an
    answer, so whoever waits for one should listen here). A BrokerRefused there means: this connection is at its end.

    While disconnected, publishing fails at once (OutboundBufferLimitError): nothing waits in memory unseen.
    """
    events = _Watcher(settings, role, folder, on_gone, on_back, on_error)
    clock = asyncio.get_running_loop()
    deadline = None if within is None else clock.time() + within
    attempt = 0
    while True:
        try:
            return await events.attempt(name)
        except BrokerRefused:
            raise
        except (nats.errors.Error, OSError, TimeoutError) as error:
            if attempt == 0:
                log.info("%s: no broker yet (%s), trying again", name, _reason(error))
            wait = _delay(attempt)
            attempt += 1
            if deadline is not None and clock.time() + wait > deadline:
                raise BrokerUnreachable(f"no broker within {within:g} s: {_reason(error)}") from error
            await asyncio.sleep(wait)


class _Watcher:
    """The callbacks of one connection."""

    def __init__(
        self,
        settings: NatsSettings,
        role: Role,
        folder: Path,
        on_gone: Callable[[], None],
        on_back: Callable[[], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self.settings = settings
        self.role = role
        self.folder = folder
        self.on_gone = on_gone
        self.on_back = on_back
        self.on_error = on_error
        self.client = Connection(self.admit, _api(settings, role))
        self.connected = False
        self.gone = False
        self.failures = 0
        self.said: set[str] = set()

    async def attempt(self, name: str) -> Connection:
        """Try every server once."""
        self.client = Connection(self.admit, self.client.api)
        self.failures = 0
        options = _options(self.settings, self.role, self.folder)
        try:
            await self.client.connect(
                name=name,
                error_cb=self.errored,
                disconnected_cb=self.disconnected,
                reconnected_cb=self.reconnected,
                closed_cb=self.closed,
                reconnect_to_server_handler=self.choose,
                max_reconnect_attempts=-1,
                ping_interval=PING_SECONDS,
                max_outstanding_pings=2,
                pending_size=0,
                **options,
            )
        except BaseException:
            await self.client.close()
            raise
        self.connected = True
        log.info("%s: connected to %s as %s", name, self.client.server_name, self.role)
        return self.client

    def admit(self, info: Mapping[str, Any]) -> None:
        """Raise BrokerRefused if this is not a server to speak to."""
        if self.settings.embedded:
            ours = running(self.settings, self.folder)
            if ours is None or info.get("server_name") != ours.server_name:
                raise BrokerRefused("another server answers where the embedded broker should be")
        elif self.settings.tls and not info.get("tls_required"):
            raise BrokerRefused("the broker offers no TLS, and `nats.tls` asks for it")

    def choose(self, servers: list[Server], _info: Mapping[str, Any]) -> tuple[Server, float]:
        """Where to reconnect, and after how many seconds. An embedded broker may have come back on another port."""
        ours = running(self.settings, self.folder) if self.settings.embedded else None
        if ours is not None and ours.url not in [server.uri.geturl() for server in servers]:
            self.client.set_server_pool([ours.url])
        best = min(servers, key=lambda server: server.reconnects)
        return best, _delay(best.reconnects)

    async def errored(self, error: Exception) -> None:
        if not self.connected:
            self.failures += 1
            if isinstance(error, BrokerRefused):
                raise error
            if "authorization" in str(error).lower():
                raise BrokerRefused(f"the broker does not accept the role {self.role}") from error
            if self.failures >= max(1, len(self.settings.servers)):
                raise error
            return
        self.on_error(error)
        text = _reason(error)
        if text not in self.said and len(self.said) < 1000:
            self.said.add(text)
            log.warning("%s: %s", self.role, text)

    async def disconnected(self) -> None:
        if self.connected and not self.client.leaving and not self.gone:
            self.gone = True
            log.warning("%s: the broker is gone", self.role)
            self.on_gone()

    async def reconnected(self) -> None:
        self.gone = False
        self.said.clear()
        log.info("%s: the broker is back (%s)", self.role, self.client.server_name)
        self.on_back()

    async def closed(self) -> None:
        if self.connected and not self.client.leaving:
            await self.disconnected()
            reason = _reason(self.client.last_error) if self.client.last_error else "it does not say why"
            self.on_error(BrokerRefused(f"the broker closed the connection for good: {reason}"))


def _options(settings: NatsSettings, role: Role, folder: Path) -> dict[str, Any]:
    options: dict[str, Any] = {"connect_timeout": settings.connect_timeout}
    if settings.embedded:
        ours = running(settings, folder)
        if ours is None:
            raise BrokerUnreachable(f"no embedded broker runs in {settings.store}")
        return options | {
            "servers": [ours.url],
            "nkeys_seed": _seed(key_file(settings, folder, role)),
            "inbox_prefix": f"_INBOX_{role}",
        }
    options["servers"] = list(settings.servers)
    options["inbox_prefix"] = settings.inbox_prefix.replace("{role}", role)
    if settings.nkey_seed_file:
        options["nkeys_seed"] = _seed(folder / settings.nkey_seed_file.replace("{role}", role))
    if settings.creds:
        options["user_credentials"] = str(folder / settings.creds.replace("{role}", role))
    if settings.user:
        options |= {"user": settings.user.replace("{role}", role), "password": settings.password}
    if settings.token:
        options["token"] = settings.token
    if settings.tls:
        options["tls"] = _tls(settings.tls, folder)
    return options


def _seed(path: Path) -> str:
    """The path, if there is a usable seed in it: nats-py would only notice while reconnecting, and then stay away."""
    try:
        nkeys.from_seed(bytearray(path.read_bytes().strip())).wipe()
    except OSError as error:
        raise BrokerRefused(f"the key {path.name} cannot be read: {error.strerror}") from error
    except (nkeys.NkeysError, ValueError) as error:
        raise BrokerRefused(f"the key {path.name} is not an nkey seed") from error
    return str(path)


def _tls(settings: TlsSettings, folder: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(folder / settings.ca) if settings.ca else None)
        if settings.cert:
            context.load_cert_chain(folder / settings.cert, folder / settings.key if settings.key else None)
    except OSError as error:
        raise BrokerRefused(f"`nats.tls` cannot be used: {error.strerror or error}") from error
    return context


def _delay(attempt: int) -> float:
    """Seconds until the next attempt: doubling from a tenth, with jitter, so that not everybody comes at once."""
    longest: float = min(SLOWEST_RETRY_SECONDS, 0.1 * 2.0 ** min(attempt, 10))
    return longest * random.uniform(0.5, 1.0)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
