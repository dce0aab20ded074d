"""The real discord.py, unpatched, writing down what it hears.

    async with standing() as site, listening(site) as client:
        await amy.say(general, "hi")
        message = await client.until("message")

As a process (`python -m tests.stand_ins.discord_client`): through the proxy that HTTPS_PROXY names, with the token of
DISCORD_BOT_TOKEN; prints one JSON line per message it hears, until a message says "bye".
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands

from .discord import Settings, StandIn
from .discord.settings import Json


@asynccontextmanager
async def standing(settings: Settings | None = None) -> AsyncIterator[StandIn]:
    """A stand-in; at the end nothing may have been said that Discord's documents do not allow."""
    async with StandIn(settings) as site:
        yield site
        said_wrong = [*site.violations, *site.unknown]
        if said_wrong:
            raise AssertionError("\n".join(said_wrong))


class Listener(discord.Client):
    """`heard`: discord.py's own events. `raw`: the gateway's dispatches."""

    def __init__(self, *, intents: discord.Intents | None = None, **options: Any) -> None:
        options = {"guild_ready_timeout": 0.05, "enable_debug_events": True, "enable_raw_presences": True, **options}
        super().__init__(intents=intents or discord.Intents.all(), **options)
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        self.raw: list[tuple[str, Json]] = []
        self.tree = app_commands.CommandTree(self)
        self._came = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Not even five seconds."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Synchronous, in order."""
        if event == "socket_raw_receive":
            frame = json.loads(args[0])
            if frame["op"] == 0:
                self.raw.append((frame["t"], frame["d"]))
        elif not event.startswith("socket"):
            self.heard.append((event, args))
        self._came.set()
        super().dispatch(event, *args, **kwargs)

    async def until(self, event: str, found: Callable[..., Any] = lambda *_: True, *, within: float = 5.0) -> Any:
        """The first argument of the first such event, heard already or not yet. TimeoutError after `within` s."""
        return await self._until(
            self.heard, event, lambda args: found(*args), lambda args: args[0] if args else None, within
        )

    async def dispatched(self, event: str, count: int = 1, *, within: float = 5.0) -> list[Json]:
        """The payloads of the first `count` dispatches of a kind."""
        async with asyncio.timeout(within):
            while len(self.all(event)) < count:
                self._came.clear()
                await self._came.wait()
        return self.all(event)[:count]

    def all(self, event: str) -> list[Json]:
        """The payloads of every dispatch of a kind so far."""
        return [data for name, data in self.raw if name == event]

    async def _until(
        self,
        where: list[tuple[str, Any]],
        event: str,
        found: Callable[[Any], Any],
        shown: Callable[[Any], Any],
        within: float,
    ) -> Any:
        async with asyncio.timeout(within):
            while True:
                for name, what in where:
                    if name == event and found(what):
                        return shown(what)
                self._came.clear()
                await self._came.wait()

    @property
    def names(self) -> list[str]:
        """Of discord.py's events so far."""
        return [name for name, _ in self.heard]


@asynccontextmanager
async def listening(
    site: StandIn, *, ready: bool = True, intents: discord.Intents | None = None, **options: Any
) -> AsyncIterator[Listener]:
    """A client that runs; `ready` waits for that."""
    client = Listener(intents=intents, connector=site.connector(), **options)
    async with running(client, site.token):
        if ready:
            await client.until("ready")
        yield client


@asynccontextmanager
async def running(client: discord.Client, token: str) -> AsyncIterator[asyncio.Task[None]]:
    """Start, and close at the end. What ends the client is raised by the task."""
    task = asyncio.create_task(client.start(token))
    try:
        yield task
    finally:
        await client.close()
        await asyncio.gather(task, return_exceptions=True)


async def _main() -> None:
    client = Listener(proxy=os.environ["HTTPS_PROXY"])
    async with running(client, os.environ["DISCORD_BOT_TOKEN"]):
        ready = await client.until("ready") or client.user
        sys.stdout.write(f"{json.dumps({'ready': str(ready)})}\n")
        sys.stdout.flush()
        said = 0
        while True:
            said += 1
            message = (await client.dispatched("MESSAGE_CREATE", said, within=20))[-1]
            sys.stdout.write(f"{json.dumps({'content': message['content']})}\n")
            sys.stdout.flush()
            if message["content"] == "bye":
                return


if __name__ == "__main__":
    asyncio.run(_main())
