"""A bridge whose platform is the test, and a userstats that answers what bridges ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from nats.aio.msg import Msg

from bridges.bridge import Desk, Observation
from bridges.outbox import Outbox
from bridges.over_nats import OverNats
from bridges.runner import Runner
from bridges.settings import BridgeSettings
from tests.bridges.observed import FAST, ROOM
from tests.brokers import Brokers
from userstats.contract import subjects
from userstats.contract.broker import Connection
from userstats.contract.consents import Choice, Choices
from userstats.contract.events import Event, Place, PopulationCounted
from userstats.contract.privacy import PrivacySettings

KEY = b"the key of these tests, all of them"
SETTINGS: dict[str, Any] = {"revision": 1, "phrases": ["LOL"], "names": {}, "aliases": []}


class Stage:
    """A bridge that says what the test puts on `script`: an observation, or an exception to raise."""

    name = "demo"

    def __init__(self, place: Place = ROOM) -> None:
        self._place = place
        self.script: asyncio.Queue[Observation | Exception] = asyncio.Queue()
        self.desks: list[Desk] = []
        self.watches: list[str] = []
        self.closed = 0

    @property
    def place(self) -> Place:
        return self._place

    @property
    def desk(self) -> Desk:
        return self.desks[-1]

    async def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        self.desks.append(desk)
        self.watches.append(watch)
        try:
            while True:
                said = await self.script.get()
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            self.closed += 1

    def beat(self, now: int) -> Sequence[Event]:
        return [PopulationCounted(id=now, at=now, seen=now, place=self._place, watch=self.watches[-1], named=3,
                                  not_afk=2)]  # fmt: skip

    def say(self, *events: Event, **cursor: str) -> None:
        self.script.put_nowait(Observation(events, cursor))

    def breathe(self) -> None:
        """A sign of life, and nothing more."""
        self.script.put_nowait(Observation())

    def fail(self, error: Exception) -> None:
        self.script.put_nowait(error)


class Userstats:
    """Answers `settings.for_bridge` with `settings`, or says nothing while that is None; `consent.list` with `choices`,
    two to a page."""

    def __init__(self, settings: dict[str, Any] | None, choices: Sequence[Choice] = ()) -> None:
        self.settings = settings
        self.choices = list(choices)
        self.asked: list[dict[str, Any]] = []
        self.pages: list[int] = []

    async def answer(self, message: Msg) -> None:
        question = json.loads(message.data)
        self.asked.append(question)
        if self.settings is None:
            return
        known = question["since"] == self.settings["revision"]
        data = {"revision": self.settings["revision"]} if known else self.settings
        await self._respond(message, "settings.for_bridge", {**data, "consents": len(self.choices)})

    async def list_choices(self, message: Msg) -> None:
        after = json.loads(message.data)["after"]
        self.pages.append(after)
        if self.settings is None:
            return
        page = tuple(self.choices[after : after + 2])
        data = Choices(after + len(page), len(self.choices), page)
        await self._respond(message, "consent.list", msgspec.to_builtins(data))

    @staticmethod
    async def _respond(message: Msg, question: str, data: dict[str, Any]) -> None:
        await message.respond(json.dumps({"success": True, "question": question, "data": data}).encode())


async def userstats(brokers: Brokers, settings: dict[str, Any] | None, *choices: Choice) -> Userstats:
    """A userstats that answers with these settings and choices, for as long as the test runs."""
    answering = Userstats(settings, choices)
    connection = await brokers.connect("userstats")
    await connection.subscribe(subjects.question("settings.for_bridge"), cb=answering.answer)
    await connection.subscribe(subjects.question("consent.list"), cb=answering.list_choices)
    await connection.flush()
    await connection.flush()
    return answering


class Running:
    """A runner at work on some stages."""

    def __init__(self, runner: Runner, outbox: Outbox, connection: Connection, task: asyncio.Task[None]) -> None:
        self.runner = runner
        self.outbox = outbox
        self.connection = connection
        self.task = task

    def has_published(self, count: int) -> bool:
        return self.runner.health.published == count


@asynccontextmanager
async def running(
    brokers: Brokers,
    file: Path,
    *stages: Stage,
    settings: BridgeSettings = FAST,
    phrases: Sequence[str] = (),
    privacy: PrivacySettings = PrivacySettings(),  # noqa: B008  (frozen)
) -> AsyncIterator[Running]:
    """Observe the stages; at the end of the block stop, as SIGTERM does."""
    connection = await brokers.connect("bridge_demo")
    outbox = await Outbox.open(file, settings)
    runner = Runner(stages, OverNats(connection), outbox, settings, key=KEY, phrases=phrases, privacy=privacy)
    task = asyncio.create_task(runner.run())
    try:
        yield Running(runner, outbox, connection, task)
        runner.stop()
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})
        await outbox.close()
