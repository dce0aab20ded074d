"""A broker with Kryten's world in it, bridges to its rooms, and no waiting for what tests know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridges.cytube_room import Channel
from bridges.kryten import KrytenBridge, KrytenSettings, client, robot
from tests.brokers import Brokers

Bridging = Callable[..., KrytenBridge]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Robots of tests answer at once, or not at all."""
    monkeypatch.setattr(robot, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(robot, "GATHER_SECONDS", 0.1)
    monkeypatch.setattr(client, "ASK_SECONDS", 0.3)
    monkeypatch.setattr(client, "ASK_AGAIN_SECONDS", 0.05)


@pytest.fixture
def bridging(fresh_broker: Brokers) -> Bridging:
    """A bridge to a room; `bots` are the channel's, other settings those of the section `kryten`."""

    def make(channel: str = "420grindhouse", domain: str = "cytu.be", bots: tuple[str, ...] = (), **kryten: Any) -> Any:
        entry = Channel(domain=domain, channel=channel, via="kryten", bots=bots)
        return KrytenBridge(KrytenSettings(**kryten), fresh_broker.settings, fresh_broker.folder, entry)

    return make
