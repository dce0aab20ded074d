"""A surface that takes events over HTTP, before a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from tests.brokers import Brokers
from tests.say import PSEUDONYMS, World, phrase_added
from tests.stored import messages
from tests.test_metrics import of
from userstats.answer import Answers
from userstats.contract import http
from userstats.gateway import Gateway
from userstats.store.sqlite import SQLiteStore
from userstats.surfaces.http import HttpSurface

TOKEN: Final = "for bridges"
OPERATOR: Final = "for operators"
SHOWN: Final = {"Authorization": f"Bearer {TOKEN}", "Content-Type": http.NDJSON}


class Said(NamedTuple):
    """An answer."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def problem(self) -> tuple[int, str]:
        return self.status, self.body["error"]["message"]


class Intake:
    """A running surface with a gateway to a real broker."""

    def __init__(self, brokers: Brokers, broker: str, surface: HttpSurface, session: aiohttp.ClientSession) -> None:
        self.brokers = brokers
        self.broker = broker
        self.surface = surface
        self.session = session

    async def post(self, lines: Iterable[bytes], headers: Mapping[str, str] = SHOWN, **options: Any) -> Said:
        body = b"\n".join(lines)
        async with self.session.post(http.EVENTS, data=body, headers=headers, **options) as response:
            return Said(response.status, await response.json(), response.headers)

    async def get(self, path: str, headers: Mapping[str, str] = SHOWN) -> Said:
        async with self.session.get(path, headers=headers) as response:
            return Said(response.status, await response.json(), response.headers)

    async def stored(self) -> list[tuple[str, bytes]]:
        """Subject and payload of everything in the stream."""
        return [(one.subject, one.data) for one in await messages(self.brokers)]


@asynccontextmanager
async def taking(
    brokers: Brokers, folder: Path, token: str = TOKEN, *, operator: str = OPERATOR, port: int = 0
) -> AsyncIterator[Intake]:
    """Listen, for as long as the block runs."""
    world = await World.open(await SQLiteStore.open(folder / "asked.db"))
    await world.tell("20:00", phrase_added("bravo"), "20:01")
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)
    connection = await brokers.connect("gateway")
    surface = HttpSurface(
        answers, of(world), host="127.0.0.1", port=port, token=operator,
        events_token=token, gateway=Gateway(connection),
    )  # fmt: skip
    await surface.start()
    async with aiohttp.ClientSession(surface.address) as session:
        yield Intake(brokers, connection.server_id, surface, session)
    await surface.stop()
    await world.store.close()
