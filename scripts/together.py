"""The parts, started in order, watched, and stopped in reverse."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client
from nats.errors import Error as NatsError

from bridges.cytube_room import AUTO_VIA, GIVEN_ROOMS
from userstats.contract import subjects
from userstats.contract.broker import connect

from .broker import BrokerFailed, EmbeddedBroker, StoreHeld
from .parts import Part
from .plan import Plan

_PATIENCE: Final = 60.0
"""Seconds until a part that does not answer is reported; it goes on starting."""
_QUIET: Final = 20.0
"""Seconds until a room in which nothing is counted is reported: that is no fault."""
_UNWELL: Final = 30
"""Seconds for which the broker may call itself unwell."""
_CLI: Final = Path(__file__).resolve().parents[1] / "query_cli.py"


class Together:
    """Everything that runs, for as long as it runs."""

    def __init__(self, planned: Plan, config: Path, folder: Path, say: Callable[[str], None]) -> None:
        self._planned = planned
        self._config = config
        self._folder = folder
        self._say = say
        environment = {AUTO_VIA: planned.auto, GIVEN_ROOMS: json.dumps(planned.rooms)}

        def part(name: str, *words: str) -> Part:
            command = [sys.executable, "-m", *words, "--config", str(config)]
            return Part(name, command, folder, environment=environment)

        self._userstats = part("userstats", "userstats")
        self._http = ""
        """Where userstats says that it answers over HTTP."""
        self._bridges = [part(f"bridge {name}", "bridges", name) for name in planned.bridges]

    async def run(self, broker: EmbeddedBroker | None, stopping: asyncio.Event) -> int:
        """Start what is planned, keep it running, stop it all when told to."""
        running: set[asyncio.Task[None]] = set()

        def start(work: Coroutine[Any, Any, None]) -> None:
            running.add(asyncio.create_task(work))

        try:
            if broker:
                start(self._keep(broker))
            if self._planned.userstats:
                start(self._userstats.run())
            for part in self._bridges:
                start(part.run())
                self._say(f"  {part.name:11} started")
            start(self._welcome())
            await self._watch(running, stopping)
        finally:
            self._say("Stopping ...")
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.gather(*(part.stop() for part in self._bridges))
            await self._userstats.stop()
        return 0 if stopping.is_set() else 1

    async def _watch(self, running: set[asyncio.Task[None]], stopping: asyncio.Event) -> None:
        """Until told to stop, or until a part ended for good. Raises what went wrong here."""
        told = asyncio.create_task(stopping.wait())
        try:
            while running and not told.done():
                done, _ = await asyncio.wait({told, *running}, return_when=asyncio.FIRST_COMPLETED)
                running -= done
                for task in done:
                    task.result()
                failed = [part.name for part in (self._userstats, *self._bridges) if part.failed]
                if failed and not told.done():
                    self._say(f"  {', '.join(failed)} ended for good; the log above says why")
                    return
        finally:
            told.cancel()

    async def _keep(self, broker: EmbeddedBroker) -> None:
        """Start the broker again when it dies, or when it says that a stream is broken (a disk that was full)."""
        unwell = 0
        while True:
            await asyncio.sleep(1)
            if broker.alive:
                unwell = 0 if await broker.healthy() else unwell + 1
                if unwell < _UNWELL:
                    continue
                self._say("  broker      is unwell for half a minute; starting it again")
            await broker.stop()
            try:
                running = await broker.start()
                self._say(f"  broker      started again on {running.url}")
            except (BrokerFailed, StoreHeld, OSError) as error:
                self._say(f"  broker      does not start: {error}")
                await asyncio.sleep(5)
            unwell = 0

    async def _welcome(self) -> None:
        """Say how it goes, and what a person may do now."""
        if self._planned.userstats:
            await self._say_when_answering()
        if self._planned.userstats and self._bridges:
            await self._say_when_counting()
        self._say(self._what_next())

    async def _say_when_answering(self) -> None:
        patience = time.monotonic() + _PATIENCE
        while (pong := await self._ask(subjects.PING)) is None:
            if patience and time.monotonic() > patience:
                self._say("  userstats   does not answer yet; its log lines say why")
                patience = 0.0
            await asyncio.sleep(0.2)
        self._http = (pong.get("metadata") or {}).get(subjects.HTTP, "")
        self._say(f"  userstats   answering, {self._http}/metrics")

    async def _say_when_counting(self) -> None:
        patience = time.monotonic() + _QUIET
        while time.monotonic() < patience:
            answer = await self._ask(subjects.question("system.coverage"))
            rooms = [f"{row['domain']}/{row['channel']}" for row in (answer or {}).get("data") or ()]
            if rooms:
                more = f" and {len(rooms) - 5} more" if len(rooms) > 5 else ""
                self._say(f"  counting    {', '.join(rooms[:5])}{more}")
                return
            await asyncio.sleep(0.2)
        self._say("  counting    nothing yet; the bridge's log lines say whether it is connected")

    async def _ask(self, subject: str) -> dict[str, Any] | None:
        """The answer, or None where none comes."""
        client: Client | None = None
        try:
            client = await connect(self._planned.nats, "client", name="start", folder=self._folder, within=0.5)
            reply = await client.request(subject, b"{}", timeout=2)
            body: dict[str, Any] = json.loads(reply.data)
        except (NatsError, TimeoutError, OSError, ValueError):
            return None
        finally:
            if client:
                await client.close()
        return body

    def _what_next(self) -> str:
        if not self._bridges:
            return (
                "\nUp. No bridge runs: add rooms to `channels` in the configuration, or start again with --demo\n"
                "(an invented room) or --channel cytu.be/NAME (a CyTube room, as a guest).\nCtrl-C stops everything."
            )
        ask = _command(self._config, Path.cwd())
        curl = f"  curl {self._http}/metrics\n" if self._http else ""
        return (
            "\nUp. Try:\n"
            f"  {ask} leaderboard messages --limit 10\n"
            f"  {ask} channel present\n"
            f"  {ask} --help\n"
            f"{curl}Ctrl-C stops everything."
        )


def _command(config: Path, here: Path) -> str:
    """How the command line is called in this folder, so that it finds this configuration."""
    program = str(_CLI.relative_to(here)) if _CLI.is_relative_to(here) else str(_CLI)
    found = config in (here / "config.json", _CLI.parent / "config.json")
    return f"python {program}" if found else f"python {program} --config {config}"
