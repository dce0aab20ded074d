"""A stand-in CyTube site: HTTP and Socket.IO on a loopback port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import socketio
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as HandshakeRefused

from .accounts import Accounts
from .cable import Cable
from .connection import CHANNEL, Connection
from .frames import Frame, Json
from .replay import Recording
from .room import Room
from .settings import Settings

HOST = "127.0.0.1"


class StandIn:
    """`async with StandIn() as site: room = site.room("grindhouse")`. Everything runs in the running event loop."""

    def __init__(self, settings: Settings | None = None, *, port: int = 0) -> None:
        self.settings = settings or Settings()
        self.port = port
        """0 until started: the system chooses, and a restart keeps it."""
        self.accounts = Accounts(self.settings.guest_login_delay)
        self.rooms: dict[str, Room] = {}
        self.servers: dict[str, list[Json]] = {}
        """What /socketconfig says of a room (lower case) that is not served here."""
        self.moved: set[str] = set()
        """Rooms (lower case) that refuse to be joined here: they are on another partition."""
        self.connections: dict[str, Connection] = {}
        self.announcement: Json = None
        self.aliases: dict[str, dict[str, None]] = {}
        """Names that logged in, in order, by address. A client says its address with X-Forwarded-For."""
        self._cable = Cable()
        self._runner: web.AppRunner | None = None
        self._server: Any = None
        self._ports: dict[str, set[int]] = {}
        self._connecting: dict[str, tuple[float, float]] = {}
        """By address: tokens used, and when (monotonic seconds)."""

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Between start and stop."""
        return self._runner is not None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- the process --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. OSError if the port is taken."""
        self._server = self._new_server()
        app = web.Application(middlewares=[self._note_port])
        app.router.add_get("/socketconfig/{channel}.json", self._socketconfig)
        self._server.attach(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        inner = web.TCPSite(self._runner, HOST, 0, backlog=512)
        await inner.start()
        self.port = await self._cable.plug_in(HOST, self.port, self._runner.addresses[0][1])
        for room in self.rooms.values():
            room.wake()

    async def stop(self, *, crash: bool = False) -> None:
        """Everything drops without a word; a crash loses the chat history as well."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for room in self.rooms.values():
            room.empty(keep_history=not crash)
        for connection in list(self.connections.values()):
            connection.gone()
        await self._cable.pull()
        await self._server.shutdown()
        await runner.cleanup()
        self.connections.clear()
        self._ports.clear()
        self.accounts.forget_guests()

    async def restart(self, *, down: float = 0.0, crash: bool = False) -> None:
        """Stop, stay down for so many seconds, start on the same port. People have to enter again."""
        await self.stop(crash=crash)
        await asyncio.sleep(down)
        await self.start()

    def freeze(self) -> None:
        """A dead server as a stopped process is one: connections stay, nothing is answered, nothing is noticed."""
        self._cable.freeze()

    def thaw(self) -> None:
        """The server goes on."""
        self._cable.thaw()

    def drop(self, name: str | None = None) -> None:
        """Reset the transport of everybody, or of the sockets logged in under one name."""
        for connection in self._sockets(name):
            self._cut(connection.ports)

    def black_hole(self, name: str) -> None:
        """One client's packets get lost from now on, both ways, without a reset: it becomes a ghost in its room."""
        for connection in self._sockets(name):
            for port in connection.ports:
                self._cable.freeze(port)

    async def flushed(self) -> None:
        """Everything the sockets were told so far was handed to their transports."""
        for connection in list(self.connections.values()):
            await connection.flushed()

    # -- what is there ------------------------------------------------------------------------------------------

    def room(self, name: str) -> Room:
        """The registered room of this name; made if there is none."""
        if name.lower() not in self.rooms:
            self.rooms[name.lower()] = Room(self, name.lower())
        return self.rooms[name.lower()]

    def visited(self, name: str) -> Room:
        """The room that a visitor asks for: one that nobody registered is made on the spot."""
        if name not in self.rooms:
            self.rooms[name] = Room(self, name, registered=False)
        return self.rooms[name]

    def replay(self, name: str, file: Path, *, client: str = "bot", pace: float = 0.0) -> Recording:
        """Make a room play a recorded frame file to whoever joins (see `replay.Recording`)."""
        recording = Recording.read(file, client=client, pace=pace)
        self.room(name).recording = recording
        return recording

    def account(self, name: str, password: str | None = None, *, global_rank: float = 1) -> None:
        """Register a name."""
        self.accounts.register(name, password, global_rank)

    @staticmethod
    def cookie(name: str) -> str:
        """The Cookie header of a handshake that is logged in already."""
        return f"auth={name}"

    def announce(self, title: str, text: str, *, by: str = "SiteRoot") -> None:
        """An announcement to every socket, and to every new one until the next."""
        self.announcement = {"id": f"{len(title):04x}-{len(text):04x}", "title": title, "text": text, "from": by}
        for connection in self.connections.values():
            connection.deliver(Frame("announcement", self.announcement))

    async def joined(self, name: str, room: str, *, within: float = 10.0) -> None:
        """Until a socket of this name ("" for any) is inside the room. TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while not any(member.is_socket and name.lower() in ("", member.key) for member in self.room(room).members):
                await self.room(room).changed.wait()

    def _sockets(self, name: str | None) -> list[Connection]:
        return [one for one in self.connections.values() if name is None or one.member.key == name.lower()]

    # -- HTTP and Socket.IO -------------------------------------------------------------------------------------

    async def _socketconfig(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        if not CHANNEL.fullmatch(channel):
            return web.json_response({"error": f'Channel "{channel}" does not exist.'}, status=404)
        here = [{"url": self.url, "secure": False}]
        return web.json_response({"servers": self.servers.get(channel.lower(), here)})

    @web.middleware
    async def _note_port(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        eio_sid = request.query.get("sid")
        if eio_sid is not None and request.transport is not None:
            self._ports.setdefault(eio_sid, set()).add(request.transport.get_extra_info("peername")[1])
        return await handler(request)

    def _new_server(self) -> Any:
        server = socketio.AsyncServer(
            async_mode="aiohttp",
            async_handlers=False,
            cors_allowed_origins="*",
            ping_interval=self.settings.ping_interval,
            ping_timeout=self.settings.ping_timeout,
            max_http_buffer_size=1_048_576,
            http_compression=False,
        )
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        server.on("*", self._hear)
        return server

    def _connect(self, sid: str, environ: Mapping[str, Any], _auth: Json = None) -> None:
        request: web.Request = environ["aiohttp.request"]
        ip = request.headers.get("X-Forwarded-For", HOST)
        if self._too_many_connections(ip):
            raise HandshakeRefused("Rate limit exceeded")
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        connection = Connection(self, self._server, sid, eio_sid, ip)
        connection.ports = self._ports.setdefault(eio_sid, set())
        if request.transport is not None:
            connection.ports.add(request.transport.get_extra_info("peername")[1])
        allowed = self.settings.sockets_per_address
        crowded = allowed and sum(other.member.ip == ip for other in self.connections.values()) >= allowed
        self.connections[sid] = connection
        if crowded:
            connection.member.send("kick", {"reason": "Too many connections from your IP address"})
            connection.close()
            return
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("auth")
        connection.greet(None if cookie is None else cookie.value)
        if self.announcement is not None:
            connection.member.send("announcement", self.announcement)

    def _disconnect(self, sid: str, reason: str = "") -> None:
        connection = self.connections.pop(sid, None)
        if connection is not None:
            if reason == "client disconnect":  # python-engineio would leave its waiting poll open
                asyncio.get_running_loop().call_later(0.02, self._cut, set(connection.ports))
            self._ports.pop(connection.eio_sid, None)
            connection.gone()

    def _hear(self, event: str, sid: str, *args: Json) -> None:
        connection = self.connections.get(sid)
        if connection is not None:
            connection.hear(event, *args)

    async def close_transport(self, connection: Connection) -> None:
        """End a connection below Socket.IO, after what was sent."""
        await asyncio.sleep(0.02)
        self._cut(connection.ports)

    def _cut(self, ports: Iterable[int]) -> None:
        for port in list(ports):
            self._cable.cut(port)

    def _too_many_connections(self, ip: str) -> bool:
        """The token bucket of new connections; a refused one costs nothing."""
        if not self.settings.connection_burst:
            return False
        now = time.monotonic()
        level, at = self._connecting.get(ip, (0.0, now))
        level = max(0.0, level - (now - at) / self.settings.connection_refill)
        if level + 1 > self.settings.connection_burst:
            return True
        self._connecting[ip] = (level + 1, now)
        return False
