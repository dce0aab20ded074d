"""The bridge to CyTube rooms in which a Kryten-Robot already is: it hears what the robot publishes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bridges.bridge import Bridge
from bridges.cytube_room import AUTO_VIA, Channel
from userstats.contract.broker_settings import NatsSettings
from userstats.contract.config import Config, ConfigError
from userstats.contract.kryten import KrytenSettings

from .client import KrytenBridge

__all__ = ["KrytenBridge", "KrytenSettings", "bridges"]


def bridges(config: Config, environment: Mapping[str, str] = os.environ) -> list[Bridge]:
    """One bridge for each of `channels` that is left to a robot.

    Raises ConfigError naming the channel whose domain or name cannot be, or that is listed twice.
    """
    settings = config.section("kryten", KrytenSettings)
    nats = config.section("nats", NatsSettings)
    folder = Path(config.where or "config.json").parent.absolute()
    found: list[Bridge] = []
    for index, channel in enumerate(config.section("channels", list[Channel])):
        via = environment.get(AUTO_VIA, "cytube") if channel.via == "auto" else channel.via
        if via != "kryten":
            continue
        try:
            bridge = KrytenBridge(settings, nats, folder, channel)
        except ValueError as error:
            raise ConfigError(f"$.channels[{index}]", str(error)) from error
        if any(bridge.place == other.place for other in found):
            raise ConfigError(f"$.channels[{index}]", "this room is listed twice")
        found.append(bridge)
    return found
