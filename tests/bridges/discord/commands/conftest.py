"""What tests of commands share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.say import World
from userstats.store.sqlite import SQLiteStore


@pytest_asyncio.fixture
async def sqlite_world(tmp_path: Path) -> AsyncIterator[World]:
    """A world in one database: what both of them answer is tested elsewhere."""
    store = await SQLiteStore.open(tmp_path / "world.db")
    yield await World.open(store)
    await store.close()
