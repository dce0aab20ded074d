"""What many tests share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

from scripts.broker import EmbeddedBroker, server_binary
from scripts.broker_probe import addresses
from tests.brokers import Brokers, started

pytest_plugins = ["tests.stores"]

# No deadline: a shared machine may pause for longer than any. In CI the examples are the same each time, so that a
# change is judged by what it changed; at a desk they are new each time, and find more.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


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


@pytest.fixture
def external(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start a plain nats-server, as somebody else would run it, with these lines added to its configuration. Returns
    its address without the scheme."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(configuration: str) -> str:
        folder = tmp_path / f"external{len(servers)}"
        folder.mkdir()
        conf = folder / "nats-server.conf"
        conf.write_text(
            f'listen: "127.0.0.1:-1"\nhttp: "127.0.0.1:-1"\nports_file_dir: "{folder}"\nserver_name: external\n'
            f'log_file: "{folder}/log"\n{configuration}'
        )
        servers.append(subprocess.Popen([str(server_binary()), "-c", str(conf)], cwd=folder))
        while (found := addresses(folder)) is None:
            assert servers[-1].poll() is None, (folder / "log").read_text()
        return found[0].split("://")[1]

    yield start
    for server in servers:
        server.kill()
        server.wait()
