"""A TCP relay between the clients and the server, so that a test can freeze, cut and refuse as real networks do."""

from __future__ import annotations

import asyncio


class _Pipe(asyncio.Protocol):
    """One end of a relayed connection; what it reads goes to its peer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: _Pipe | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def pause_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.resume_reading()


class _Client(_Pipe):
    """The end towards the client. It reads nothing before the server's end exists."""

    def __init__(self, cable: Cable) -> None:
        super().__init__()
        self.cable = cable
        self.frozen = False
        self.port = 0
        """The local port of the server's end: how the server knows the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.pause_reading()
        self.cable.accepted(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.cable.lost(self)
        super().connection_lost(exc)

    def freeze(self) -> None:
        """Nothing is read at either end; what is sent piles up in the kernel, a goodbye goes unnoticed."""
        self.frozen = True
        for end in (self, self.peer):
            if end is not None and end.transport is not None:
                end.transport.pause_reading()

    def thaw(self) -> None:
        """Everything that piled up goes through."""
        self.frozen = False
        for end in (self, self.peer):
            if end is not None and end.transport is not None:
                end.transport.resume_reading()

    def cut(self) -> None:
        """Both ends are reset."""
        for end in (self, self.peer):
            if end is not None and end.transport is not None:
                end.transport.abort()


class Cable:
    """Listens where clients connect and relays to the server's own port."""

    def __init__(self) -> None:
        self._listener: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self._dialling: set[asyncio.Task[None]] = set()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._server_port = 0

    async def plug_in(self, host: str, port: int, server_port: int) -> int:
        """Start listening; the port (chosen by the system for 0). OSError if it is taken."""
        self._server_port = server_port
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Client(self), host, port, reuse_address=True, backlog=512)
        self._thawed.set()
        chosen: int = self._listener.sockets[0].getsockname()[1]
        return chosen

    async def pull(self) -> None:
        """Stop listening and reset every connection."""
        if self._listener is not None:
            self._listener.close()
        for task in self._dialling:
            task.cancel()
        for client in list(self._clients):
            client.cut()
        await asyncio.sleep(0)

    def freeze(self, port: int | None = None) -> None:
        """Freeze one connection (by its port as the server sees it), or all: new ones are accepted, then silent."""
        if port is None:
            self._thawed.clear()
        for client in self._clients:
            if port is None or client.port == port:
                client.freeze()

    def thaw(self) -> None:
        """Nothing is frozen any more."""
        self._thawed.set()
        for client in self._clients:
            client.thaw()

    def cut(self, port: int | None = None) -> None:
        """Reset one connection, or all of them."""
        for client in list(self._clients):
            if port is None or client.port == port:
                client.cut()

    def accepted(self, client: _Client) -> None:
        """A client's connection is there: dial the server, now or when thawed."""
        self._clients.add(client)
        task = asyncio.get_running_loop().create_task(self._dial(client))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    def lost(self, client: _Client) -> None:
        """A client's connection is gone."""
        self._clients.discard(client)

    async def _dial(self, client: _Client) -> None:
        await self._thawed.wait()
        loop = asyncio.get_running_loop()
        try:
            transport, pipe = await loop.create_connection(_Pipe, "127.0.0.1", self._server_port)
        except OSError:
            client.cut()
            return
        pipe.peer, client.peer = client, pipe
        client.port = transport.get_extra_info("sockname")[1]
        assert client.transport is not None
        if client.transport.is_closing():
            transport.abort()
        elif client.frozen or not self._thawed.is_set():
            client.freeze()
        else:
            client.transport.resume_reading()
