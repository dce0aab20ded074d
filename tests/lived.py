"""A world after something happened, on a SQLite file of its own: for tests with generated events."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.say import Gap, World
from userstats.contract.events import Event
from userstats.service import Message
from userstats.statistic import Statistic
from userstats.store.sqlite import SQLiteStore


class Lived(NamedTuple):
    """A world, and the stream that it counted."""

    world: World
    stream: list[Message]


@asynccontextmanager
async def lived(
    rooms: Sequence[Statistic], *said: str | Gap | Event, batch: int = 0, restarting: bool = False
) -> AsyncIterator[Lived]:
    """All this told `batch` messages at a time (0: at once), with a restart after each batch or without."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SQLiteStore.open(Path(folder) / "x.db")
        try:
            world = await World.open(store, *rooms)
            stream = world.messages(*said)
            size = batch or max(1, len(stream))
            for first in range(0, len(stream), size):
                await world.apply(stream[first : first + size])
                for _ in range(restarting):
                    await world.restart()
            yield Lived(world, stream)
        finally:
            await store.close()
