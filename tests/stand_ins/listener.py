"""A real Socket.IO client that writes down what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import socketio

from .cytube.frames import Json


class Listener:
    """`async with Listener(site.url) as one: await one.join("grindhouse")`. It never reconnects by itself."""

    def __init__(self, url: str, *, transports: tuple[str, ...] = ("websocket",), cookie: str = "") -> None:
        self._url = url
        self._transports = list(transports)
        self._headers = {"Cookie": cookie} if cookie else {}
        self._came = asyncio.Event()
        self.socket: Any = socketio.AsyncClient(reconnection=False)
        self.socket.on("*", self._note)
        self.socket.on("disconnect", lambda reason: self._note("@disconnect", reason))
        self.heard: list[tuple[str, list[Json]]] = []
        """Events with their arguments; `@disconnect` with python-socketio's reason."""

    async def __aenter__(self) -> Self:
        await self.socket.connect(self._url, transports=self._transports, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.disconnect()

    async def send(self, event: str, *args: Json) -> None:
        """One frame."""
        await self.socket.emit(event, args)

    async def join(self, channel: str, **more: Json) -> None:
        """joinChannel, until the roster is there."""
        await self.send("joinChannel", {"name": channel, **more})
        await self.until("userlist")

    async def login(self, name: str, password: str = "") -> Json:
        """The payload of the answer."""
        await self.send("login", {"name": name, "pw": password} if password else {"name": name})
        return await self.until("login")

    async def until(self, event: str, found: Callable[[Json], bool] = lambda _: True, within: float = 5.0) -> Json:
        """The first argument of the first such event, heard already or not yet. TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while True:
                for name, args in self.heard:
                    payload = args[0] if args else None
                    if name == event and found(payload):
                        return payload
                self._came.clear()
                await self._came.wait()

    async def heard_so_many(self, count: int, within: float = 5.0) -> None:
        """Until so many events were heard. TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while len(self.heard) < count:
                self._came.clear()
                await self._came.wait()

    def all(self, event: str) -> list[Json]:
        """The first arguments of every such event so far."""
        return [args[0] for name, args in self.heard if name == event]

    @property
    def names(self) -> list[str]:
        """The names of the events so far."""
        return [name for name, _ in self.heard]

    def _note(self, event: str, *args: Json) -> None:
        self.heard.append((event, list(args)))
        self._came.set()
