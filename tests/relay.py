"""What stands between a bridge and userstats on a bad day: a relay that says everything twice and loses answers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

_KEPT: Final = ("Authorization", "Content-Type", "If-Match")


class Relay:
    """Every request goes through twice; the answers to some never come back."""

    def __init__(self, to: str, *, lose: float = 0.0, seed: int = 1) -> None:
        """`lose`: the share of answers that are lost."""
        self._to = to
        self._lose = lose
        self._chance = random.Random(seed)
        self.passed = self.lost = 0
        self.address = ""

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        try:
            async with aiohttp.ClientSession(self._to) as there:
                for _ in range(2):
                    async with there.request(request.method, request.rel_url, data=body, headers=headers) as answer:
                        said, status, kind = await answer.read(), answer.status, answer.content_type
        except (aiohttp.ClientError, OSError):
            return self._nothing(request)
        self.passed += 1
        if self._chance.random() < self._lose:
            self.lost += 1
            return self._nothing(request)
        return web.Response(body=said, status=status, content_type=kind)

    @staticmethod
    def _nothing(request: web.Request) -> web.StreamResponse:
        """The connection breaks."""
        if request.transport:
            request.transport.abort()
        return web.Response()


@asynccontextmanager
async def relayed(to: str, *, lose: float = 0.0) -> AsyncIterator[Relay]:
    """A relay to this address, for as long as the block runs."""
    relay = Relay(to, lose=lose)
    application = web.Application(client_max_size=16 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", relay._pass)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    relay.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield relay
    await runner.cleanup()
