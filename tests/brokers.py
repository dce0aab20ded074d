"""A real nats-server for tests, and connections to it that end with the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from scripts.broker import EmbeddedBroker
from scripts.provision import provision
from userstats.contract.broker import Connection, NatsSettings, Role, Running, connect
from userstats.contract.stream import StreamSettings

ANY_PORT = NatsSettings(port=-1)


class Brokers:
    """One running broker as a test sees it. `folder` and `settings` are what `connect` wants."""

    def __init__(self, embedded: EmbeddedBroker) -> None:
        self.embedded = embedded
        self.folder = embedded.folder
        self.settings = embedded.settings
        self._connections: list[Client] = []

    @property
    def running(self) -> Running:
        assert self.embedded.running is not None
        return self.embedded.running

    async def connect(self, role: Role, **options: Any) -> Connection:
        """A connection for this role, closed when the test ends; `options` are those of `contract.broker.connect`."""
        options = {"name": f"test-{role}", "folder": self.folder, **options}
        connection = await connect(self.settings, role, **options)
        self._connections.append(connection)
        return connection

    async def keyless(self, **options: Any) -> Client:
        """A connection as Kryten's programs make it."""
        client = await nats.connect(self.running.url, **options)
        self._connections.append(client)
        return client

    async def disconnect(self) -> None:
        for connection in self._connections:
            await connection.close()


async def started(folder: Path, stream: StreamSettings | None = None) -> EmbeddedBroker:
    """A broker in this folder on any port, with its streams."""
    embedded = EmbeddedBroker(ANY_PORT, folder)
    await embedded.start()
    client = await connect(ANY_PORT, "provision", name="test-provision", folder=folder)
    await provision(client, stream or StreamSettings(), embedded=True)
    await client.close()
    return embedded
