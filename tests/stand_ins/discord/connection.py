"""One WebSocket of a bot: HELLO, heartbeats, and its commands to the gateway."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web

from . import wire
from .compression import Plain, stream
from .settings import Json

if TYPE_CHECKING:
    from .gateway import Gateway
    from .session import Session

HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, MEMBERS = 1, 2, 3, 4, 6, 8
RECONNECT, INVALID_SESSION, HELLO, ACK = 7, 9, 10, 11
MAX_FRAME: Final = 4096


class Connection:
    """Everything is written at once or, while held, in one piece at the release."""

    def __init__(self, gateway: Gateway, request: web.Request) -> None:
        self.gateway = gateway
        self.session: Session | None = None
        self.closed = False
        self.version = request.query.get("v")
        self.compression = request.query.get("compress")
        """As asked for: zlib-stream, zstd-stream, or none."""
        self._compression = stream(self.compression)
        self._opcode = wire.TEXT if isinstance(self._compression, Plain) else wire.BINARY
        self._held: list[bytes] | None = None
        self._sends: deque[float] = deque()
        self._watchdog: asyncio.TimerHandle | None = None
        self.base = request.url.origin().with_scheme("wss" if request.secure else "ws")
        """How the client reached the gateway."""
        self.tolerated = 1 << 18
        """Bytes that may wait in the socket's buffer before actors wait."""
        self._transport: asyncio.Transport | None = None

    # -- writing ------------------------------------------------------------------------------------------------

    def send(self, op: int, data: Json = None) -> None:
        """Anything but a dispatch."""
        self.write(wire.encode({"t": None, "s": None, "op": op, "d": data}))

    def write(self, text: bytes) -> None:
        """One gateway message."""
        if not self.closed:
            self._put(wire.frame(self._opcode, self._compression.pack(text)))

    def hold(self) -> bool:
        """From now on nothing goes out: a burst is being collected, or the line is dead. False if it was so before."""
        if self._held is not None:
            return False
        self._held = []
        return True

    def release(self) -> None:
        """Everything held goes out in one write."""
        held, self._held = self._held, None
        if held and self._transport is not None:
            self._transport.write(b"".join(held))

    @property
    def backlog(self) -> int:
        """Bytes that were written and not yet taken by the socket."""
        there = self._transport
        return 0 if there is None or self.closed or there.is_closing() else there.get_write_buffer_size()

    def _put(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
        elif self._transport is not None:
            self._transport.write(data)

    # -- ending -------------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code; what was held goes first."""
        if not self.closed:
            self.release()
            self._put(wire.close_frame(code, reason))
            self._end()
            asyncio.get_running_loop().call_later(2.0, self.abort)

    def abort(self) -> None:
        """Reset the TCP connection."""
        self._end()
        if self._transport is None or self._transport.is_closing():
            return
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _end(self) -> None:
        self.closed = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self.session is not None:
            self.session.detach(self)

    # -- reading ------------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Until the connection ends."""
        websocket = web.WebSocketResponse(autoping=True, max_msg_size=1 << 20, compress=False)
        await websocket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        self._transport = request.transport
        self.send(HELLO, {"heartbeat_interval": round(self.gateway.settings.heartbeat_interval * 1000)})
        self._feed_watchdog()
        try:
            async for message in websocket:
                if self.closed:
                    continue
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._hear(message.data)
        finally:
            self._end()
            code = websocket.close_code
            if self.session is not None and code in (1000, 1001):
                self.gateway.forget(self.session)
        return websocket

    def _hear(self, data: str | bytes) -> None:
        size = len(data.encode() if isinstance(data, str) else data)
        if size > MAX_FRAME:
            self.close(4002, "Error while decoding payload.")
            return
        if self._too_fast():
            self.close(4008, "You are being rate limited.")
            return
        try:
            frame = wire.decode(data)
            op, body = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError):
            self.close(4002, "Error while decoding payload.")
            return
        self.gateway.heard.append((op, body))
        try:
            self._obey(op, body)
        except (KeyError, TypeError, ValueError) as error:
            self.gateway.site.court.violations.append(f"gateway op {op}: {error!r}")
            self.close(4002, "Error while decoding payload.")

    def _obey(self, op: int, body: Json) -> None:
        if op == HEARTBEAT:
            self._beat(body)
        elif op in (IDENTIFY, RESUME):
            if self.session is not None:
                self.close(4005, "Already authenticated.")
            elif op == IDENTIFY:
                self.gateway.identify(self, body)
            else:
                self.gateway.resume(self, body)
        elif self.session is None:
            self.close(4003, "Not authenticated.")
        elif op in (PRESENCE, VOICE, MEMBERS):
            self.gateway.commanded(self.session, op, body)
        else:
            self.close(4001, "Unknown opcode.")

    def _beat(self, seq: int | None) -> None:
        self._feed_watchdog()
        if self.session is not None and seq is not None:
            self.session.confirmed(seq)
        if not self.gateway.withholds_acks:
            self.send(ACK)

    def _feed_watchdog(self) -> None:
        settings = self.gateway.settings
        if self._watchdog is not None:
            self._watchdog.cancel()
        patience = settings.heartbeat_interval * settings.heartbeats_missed
        self._watchdog = asyncio.get_running_loop().call_later(patience, self.close, 4009, "Session timed out.")

    def _too_fast(self) -> bool:
        allowed = self.gateway.settings.sends_per_minute
        if not allowed:
            return False
        now = asyncio.get_running_loop().time()
        while self._sends and self._sends[0] <= now - 60:
            self._sends.popleft()
        self._sends.append(now)
        return len(self._sends) > allowed
