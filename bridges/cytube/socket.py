"""One Socket.IO connection: what arrives, in the order it arrives, in one bounded queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
import socketio
from engineio.payload import Payload  # type: ignore[import-untyped]

from bridges.bridge import Ended
from bridges.cytube_room import HEARD, Site

from .site import server_of

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
"""Frames that may wait to be read. Beyond it the connection is given up, since what is missing cannot be asked for."""
LARGEST_MESSAGE: Final = 16 * 1024 * 1024
SIGN_OF_LIFE: Final = 5.0
"""Seconds after which traffic without a frame for us, such as a ping, is reported as life."""
CLOSING: Final = 2.0

_SILENT: Final = logging.Logger("socketio", logging.CRITICAL + 1)
"""The libraries log what goes over the wire, passwords and messages included; they get a logger that says nothing."""


class Frame(NamedTuple):
    """Something that arrived. An empty name is a sign of life."""

    at: int
    """Milliseconds, the bridge's clock."""
    name: str
    args: tuple[object, ...] = ()


class Closed(NamedTuple):
    """The last thing that comes out of a socket."""

    overflow: str = ""
    """The name of the first frame that found no room in the queue, if that is why."""


class Wiring(NamedTuple):
    """How to connect."""

    transports: tuple[str, ...]
    connect_timeout: float
    """Seconds for each step of connecting."""
    ping_timeout: float
    """Seconds that a ping of the server may be late before it counts as dead."""
    verify_tls: bool


class Socket:
    """What arrives on one connection. Made by `opened`."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._arrived: asyncio.Queue[Frame | Closed] = asyncio.Queue(MOST_WAITING + 1)
        self._told_at = float("-inf")
        self._closed = False
        self.refusal = ""
        """What the server said when it refused the connection."""

    async def next(self) -> Frame | Closed:
        """The next thing that arrived; `Closed` is the last."""
        return await self._arrived.get()

    def heard(self, name: object, *args: object) -> None:
        """python-socketio runs each event in a task of its own; up to here, and no further, their order is kept."""
        if isinstance(name, str) and name in HEARD:
            self._put(Frame(self._now(), name, args))

    def alive(self) -> None:
        """Something came over the wire; told now and then."""
        if asyncio.get_running_loop().time() - self._told_at >= SIGN_OF_LIFE:
            self._put(Frame(self._now(), ""))

    def refused(self, content: object = None) -> None:
        """The server does not let us connect; it says why in `message`. (A network error is told as a string.)"""
        message = content.get("message") if isinstance(content, dict) else None
        self.refusal = message if isinstance(message, str) else ""

    def lost(self, *_reason: object) -> None:
        """The connection is over. What arrived before may still wait in tasks of its own, which are run first."""
        asyncio.get_running_loop().call_soon(self._close, Closed())

    def _put(self, frame: Frame) -> None:
        if self._closed:
            return
        if self._arrived.qsize() >= MOST_WAITING:
            self._close(Closed(frame.name or "ping"))
            return
        self._told_at = asyncio.get_running_loop().time()
        self._arrived.put_nowait(frame)

    def _close(self, closed: Closed) -> None:
        if not self._closed:
            self._closed = True
            self._arrived.put_nowait(closed)


class Connection(NamedTuple):
    """An open socket, and how to send on it."""

    socket: Socket
    sio: Any
    downgraded: bool
    """Whether the site is reached over https, but its server is not."""

    async def emit(self, name: str, content: object) -> None:
        """Send one frame. Raises Ended where the connection is gone."""
        try:
            await self.sio.emit(name, content)
        except socketio.exceptions.SocketIOError as error:
            raise Ended("lost", "the connection was lost") from error


@asynccontextmanager
async def opened(site: Site, channel: str, wiring: Wiring, now: Callable[[], int]) -> AsyncIterator[Connection]:
    """Connected to the server that holds the room, without having joined it.

    Raises Ended: `lost` where nobody answers, `refused` or `banned` where the server says no.
    """
    socket = Socket(now)
    async with _http(wiring.verify_tls, socket.alive) as http:
        server = await server_of(http, site, channel, wiring.connect_timeout)
        sio = _client(http, wiring, socket)
        watcher: asyncio.Task[None] | None = None
        try:
            await _connect(sio, server.url, wiring, socket)
            watcher = asyncio.create_task(_watch(sio, socket))
            yield Connection(socket, sio, site.origin.startswith("https:") and not server.secure)
        finally:
            await _disconnect(sio, watcher)


def _client(http: aiohttp.ClientSession, wiring: Wiring, socket: Socket) -> Any:
    if "polling" in wiring.transports:
        # The library's only knob against its limit of 16 packets in one answer; a join alone brings about 30.
        Payload.max_decode_packets = max(Payload.max_decode_packets, MOST_WAITING)
    sio = socketio.AsyncClient(
        reconnection=False,
        handle_sigint=False,
        logger=_SILENT,
        engineio_logger=_SILENT,
        http_session=http,
        ssl_verify=wiring.verify_tls,
        websocket_extra_options={"max_msg_size": LARGEST_MESSAGE},
    )
    sio.on("*", socket.heard)
    sio.on("connect_error", socket.refused)
    sio.on("disconnect", socket.lost)
    return sio


async def _connect(sio: Any, url: str, wiring: Wiring, socket: Socket) -> None:
    try:
        async with asyncio.timeout(wiring.connect_timeout):
            await sio.connect(url, transports=list(wiring.transports), wait_timeout=wiring.connect_timeout)
    except (socketio.exceptions.ConnectionError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _refusal(socket.refusal) from error
    sio.eio.ping_timeout = wiring.ping_timeout


def _refusal(message: str) -> Ended:
    if not message:
        return Ended("lost", "the server does not answer")
    if message.startswith("Rate limit exceeded"):
        return Ended("refused", "the server's limit of connections: one per 10 seconds", 15.0)
    if message.startswith("You are banned"):
        return Ended("banned", "banned from the site", 3600.0)
    return Ended("refused", "the server refuses the connection", 60.0)


async def _watch(sio: Any, socket: Socket) -> None:
    """python-socketio does not tell of a transport that is lost while it still connects; its read loop does."""
    try:
        await sio.eio.wait()
    finally:
        socket.lost()


async def _disconnect(sio: Any, watcher: asyncio.Task[None] | None) -> None:
    try:
        async with asyncio.timeout(CLOSING):
            await sio.disconnect()
    except TimeoutError:
        logger.debug("the server did not say goodbye")
    left = [task for task in (watcher, sio.eio.write_loop_task) if task is not None]
    for task in left:  # cancelling the watcher cancels the read loop that it waits for
        task.cancel()
    if left:
        await asyncio.wait(left)


@asynccontextmanager
async def _http(verify_tls: bool, alive: Callable[[], None]) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that calls `alive` for all that comes from the server: python-socketio does not tell of pings."""

    class Listening(aiohttp.ClientWebSocketResponse):
        async def receive(self, timeout: float | None = None) -> Any:
            message = await super().receive(timeout)
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                alive()
            return message

    async def responded(*_about: object) -> None:
        alive()

    tracing = aiohttp.TraceConfig()
    tracing.on_response_chunk_received.append(responded)
    connector = aiohttp.TCPConnector(ssl=verify_tls)
    async with aiohttp.ClientSession(connector=connector, ws_response_class=Listening, trace_configs=[tracing]) as http:
        yield http
