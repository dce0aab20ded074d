"""A made-up platform: rooms full of invented people, so that every statistic shows something without any account."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from bridges.bridge import Bridge
from userstats.contract.config import Config, ConfigError
from userstats.contract.events import Place

from .client import DemoRoom
from .script import Script

SPACE: Final = "demo.local"
_SMALLER: Final = 0.35
"""The part of the cast that also comes to each room but the first."""


Room = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,30}$")]


class Settings(Struct, frozen=True):
    """The section `demo` of config.json."""

    rooms: Annotated[tuple[Room, ...], Meta(min_length=1, max_length=16)] = ("grindhouse", "matinee")
    """The first has the whole cast, the others are smaller."""
    people: Annotated[int, Meta(ge=5, le=1000)] = 60
    """How many invented people there are besides the bot."""
    speed: Annotated[float, Meta(ge=0.1, le=100)] = 1.0
    """How many times as much happens as in a real room; only from now on, the past is played at 1."""
    history_hours: Annotated[float, Meta(ge=0, le=144)] = 48.0
    """How much past the rooms have at the first start; at most six days, older events are not believed."""
    seed: int = 420
    """The same seed plays the same people in the same way at the same time."""


def bridges(config: Config) -> list[Bridge]:
    """One bridge for each demo room. Raises ConfigError."""
    settings = config.section("demo", Settings)
    channels = [title.casefold() for title in settings.rooms]
    if len(set(channels)) < len(channels):
        raise ConfigError("$.demo.rooms", "the same room is named twice")
    return [
        DemoRoom(
            Script(settings.seed, channel, settings.people, _SMALLER if number else 1.0),
            Place("demo", SPACE, channel),
            title=title,
            seed=settings.seed,
            history_hours=settings.history_hours,
            speed=settings.speed,
        )
        for number, (channel, title) in enumerate(zip(channels, settings.rooms, strict=True))
    ]
