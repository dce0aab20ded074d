"""A surface of Kryten's that answers about an evening."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.brokers import Brokers
from tests.say import World
from tests.surfaces.kryten_asking import Asking, WorldAnswers, evening
from userstats.store.sqlite import SQLiteStore
from userstats.surfaces import kryten as surfaces

ROOMS = (("cytu.be", "lounge"), ("cytu.be", "attic"))


@pytest_asyncio.fixture
async def kryten(fresh_broker: Brokers, tmp_path: Path) -> AsyncIterator[Asking]:
    """Asks about an evening whose configured rooms are two of cytu.be; heartbeats come quickly."""
    store = await SQLiteStore.open(tmp_path / "kryten.db")
    world = await World.open(store)
    await evening(world)
    shared = surfaces.World(
        WorldAnswers(world), ROOMS, metrics_endpoint="http://localhost:28282/metrics", now=lambda: world.now / 1000
    )
    surface = surfaces.KrytenSurface(shared, surfaces.Life("1.2.3", 28282, 2), heartbeat_seconds=0.2)
    await surface.start(await fresh_broker.connect("kryten"))
    yield Asking(await fresh_broker.keyless(), surface, world)
    await surface.stop()
    await store.close()
