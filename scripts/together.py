"""The parts, started in order, watched, and stopped in reverse."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from nats.errors import Error as NatsError

from userstats.contract import subjects
from userstats.contract.broker import connect

from .broker import BrokerFailed, EmbeddedBroker
from .parts import Part
from .plan import Plan

_PATIENCE: Final = 60.0
"""Seconds until a part that does not answer is reported; it goes on starting."""


class Together:
    """Everything that runs, for as long as it runs."""

    def __init__(self, planned: Plan, config: Path, folder: Path, say: Callable[[str], None]) -> None:
        self._planned = planned
        self._folder = folder
        self._say = say
        python = sys.executable
        given = ["--config", str(config)]
        self._userstats = Part("userstats", [python, "-m", "userstats", *given], folder)
        self._bridges = [Part(f"bridge {name}", [python, "-m", "bridges", name, *given], folder)
                         for name in planned.bridges]  # fmt: skip
        os.environ["USERSTATS_AUTO_VIA"] = planned.auto
        os.environ["USERSTATS_ROOMS"] = json.dumps(planned.rooms)

    async def run(self, broker: EmbeddedBroker | None, stopping: asyncio.Event) -> int:
        """Start what is planned, keep it running, stop it all when told to."""
        running: list[asyncio.Task[None]] = []
        try:
            if broker:
                running.append(asyncio.create_task(self._keep(broker)))
            if self._planned.userstats:
                running.append(asyncio.create_task(self._userstats.run()))
                await self._or(stopping, self._await_userstats())
            for part in self._bridges:
                running.append(asyncio.create_task(part.run()))
                self._say(f"  {part.name:11} started")
            if not stopping.is_set():
                self._say(await self._what_next(stopping))
            await self._watch(running, stopping)
        finally:
            self._say("Stopping ...")
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.gather(*(part.stop() for part in self._bridges))
            await self._userstats.stop()
        return 0 if stopping.is_set() else 1

    async def _watch(self, running: list[asyncio.Task[None]], stopping: asyncio.Event) -> None:
        """Until told to stop, or until no part is left that could be started again."""
        told = asyncio.create_task(stopping.wait())
        while running and not told.done():
            done, _ = await asyncio.wait({told, *running}, return_when=asyncio.FIRST_COMPLETED)
            running[:] = [task for task in running if task not in done]
            failed = [part.name for part in (self._userstats, *self._bridges) if part.failed]
            if failed and not told.done():
                self._say(f"  {', '.join(failed)} ended for good; the log above says why")
                break
        told.cancel()

    async def _keep(self, broker: EmbeddedBroker) -> None:
        """Start the broker again when it dies, or when it says that a stream is broken (a disk that was full)."""
        unwell = 0
        while True:
            await asyncio.sleep(1)
            if broker.alive:
                unwell = 0 if await broker.healthy() else unwell + 1
                if unwell < 30:
                    continue
                self._say("  broker      is unwell for half a minute; starting it again")
            await broker.stop()
            try:
                running = await broker.start()
                self._say(f"  broker      started again on {running.url}")
            except BrokerFailed as error:
                self._say(f"  broker      does not start: {error}")
                await asyncio.sleep(5)
            unwell = 0

    async def _await_userstats(self) -> None:
        began = time.monotonic()
        told = False
        while not self._userstats.failed:
            answer = await self._ask("system.ping")
            if answer is not None:
                self._say(f"  userstats   answering, {self._planned.http}/metrics")
                return
            if time.monotonic() - began > _PATIENCE and not told:
                self._say("  userstats   does not answer yet; its log lines say why")
                told = True
            await asyncio.sleep(0.2)

    async def _ask(self, question: str) -> dict[str, Any] | None:
        """The data of an answer, or None."""
        try:
            client = await connect(self._planned.nats, "client", name="start", folder=self._folder, within=0.5)
        except (NatsError, OSError):
            return None
        try:
            reply = await client.request(subjects.question(question), b"{}", timeout=2)
            body: dict[str, Any] = json.loads(reply.data)
            return body if body.get("success") else None
        except (NatsError, TimeoutError, ValueError):
            return None
        finally:
            await client.close()

    async def _what_next(self, stopping: asyncio.Event) -> str:
        """What a person may do now."""
        ask = "python query_cli.py"
        if not self._bridges and not self._planned.userstats:
            return "Nothing to run."
        if not self._bridges:
            return (
                "\nUp. No bridge runs: add rooms to `channels` in the configuration, or start again with --demo\n"
                "(an invented room) or --channel cytu.be/NAME (a CyTube room, as a guest).\nCtrl-C stops everything."
            )
        if self._planned.userstats:
            await self._or(stopping, self._first_counts())
        return (
            "\nUp. Try:\n"
            f"  {ask} system stats\n"
            f"  {ask} leaderboard messages --limit 10\n"
            f"  {ask} channel list\n"
            f"  curl {self._planned.http}/metrics\n"
            "Ctrl-C stops everything."
        )

    async def _first_counts(self) -> None:
        """Until something was counted, but not for long: a quiet room is no fault."""
        for _ in range(100):
            answer = await self._ask("channel.list")
            if answer and answer.get("data"):
                rooms = ", ".join(f"{row.get('domain')}/{row.get('channel')}" for row in answer["data"][:5])
                self._say(f"  counting    {rooms}")
                return
            await asyncio.sleep(0.2)
        self._say("  counting    nothing yet; the bridge's log lines say whether it is connected")

    @staticmethod
    async def _or(stopping: asyncio.Event, something: Any) -> None:
        """Wait for something, or for being told to stop."""
        tasks = {asyncio.create_task(something), asyncio.create_task(stopping.wait())}
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()
