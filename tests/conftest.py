"""What many tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from scripts.broker import EmbeddedBroker
from tests.brokers import Brokers, started

pytest_plugins = ["tests.stores"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedBroker]:
    """The server that `broker` stands for."""
    embedded = await started(tmp_path_factory.mktemp("broker"))
    yield embedded
    await embedded.stop()


@pytest_asyncio.fixture
async def broker(shared_broker: EmbeddedBroker) -> AsyncIterator[Brokers]:
    """A provisioned broker that all tests of the session share: what others published may be in its streams."""
    brokers = Brokers(shared_broker)
    yield brokers
    await brokers.disconnect()


@pytest_asyncio.fixture
async def fresh_broker(tmp_path: Path) -> AsyncIterator[Brokers]:
    """A provisioned broker of this test's own, with empty streams; it may be killed. Takes about 50 ms."""
    brokers = Brokers(await started(tmp_path))
    yield brokers
    await brokers.disconnect()
    await brokers.embedded.stop()
