"""The bridge to CyTube rooms over connections of our own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping

from bridges.bridge import Bridge
from bridges.cytube_room import AUTO_VIA, GIVEN_ROOMS, Channel, parse_channel, place_of
from userstats.contract.config import Config, ConfigError

from .client import CytubeBridge
from .settings import Cytube

__all__ = ["Channel", "Cytube", "bridges", "parse_channel", "rooms"]


def bridges(config: Config, environment: Mapping[str, str] = os.environ) -> list[Bridge]:
    """One bridge for each of `channels` that is not left to a kryten-robot, and for each room of the command line.

    In the latter we are a guest where the configuration has no name for us. Raises ConfigError.
    """
    settings = config.section("cytube", Cytube)
    channels = config.section("channels", list[Channel])
    given = _given(environment.get(GIVEN_ROOMS, ""))
    found = rooms(settings, channels, auto=environment.get(AUTO_VIA, "cytube"))
    for channel in given:
        if all(place_of(channel) != other.place for other in found):
            found.append(CytubeBridge(settings, channel, guest=not settings.name))
    return found


def rooms(settings: Cytube, channels: Iterable[Channel], *, auto: str = "cytube") -> list[Bridge]:
    """One bridge for each channel whose `via` is `cytube`, or `auto` where that means cytube.

    Raises ConfigError naming the channel whose domain or name cannot be, or that is listed twice.
    """
    found: list[Bridge] = []
    for index, channel in enumerate(channels):
        if (auto if channel.via == "auto" else channel.via) != "cytube":
            continue
        try:
            bridge = CytubeBridge(settings, channel)
        except ValueError as error:
            raise ConfigError(f"$.channels[{index}]", str(error)) from error
        if any(bridge.place == other.place for other in found):
            raise ConfigError(f"$.channels[{index}]", "this room is listed twice")
        found.append(bridge)
    return found


def _given(text: str) -> list[Channel]:
    """The rooms that came from the command line."""
    try:
        addresses = json.loads(text or "[]")
    except ValueError as error:
        raise ConfigError(GIVEN_ROOMS, "must be a JSON list of rooms") from error
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise ConfigError(GIVEN_ROOMS, "must be a JSON list of rooms")
    try:
        return [parse_channel(address) for address in addresses]
    except ValueError as error:
        raise ConfigError(GIVEN_ROOMS, str(error)) from error
