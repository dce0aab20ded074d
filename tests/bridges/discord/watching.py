"""A shard watched by a test as the runner would watch it, with a stand-in as Discord."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bridges.discord.identify import Turns
from bridges.discord.settings import Discord
from bridges.discord.shard import DiscordBridge
from tests.bridges.cytube.watching import Watching
from tests.bridges.desk import FakeDesk
from tests.stand_ins.discord import StandIn
from userstats.contract.events import Event, Place

from .play import LEXICON

HOME = Place("discord", "", "")


class LiveDesk(FakeDesk):
    """A desk with a clock that goes."""

    def __init__(self) -> None:
        super().__init__(LEXICON)

    def now(self) -> int:
        return time.time_ns() // 1_000_000


def shard_of(site: StandIn, shard: int = 0, *, token: str = "", turns: Turns | None = None, **settings: Any) -> Any:
    """A bridge to a stand-in; `settings` are those of the section `discord`."""
    return DiscordBridge(
        Discord(**{"ready_timeout": 5.0, **settings}), token or site.token, shard, turns or Turns(0.0),
        connector=site.connector,
    )  # fmt: skip


def watching(bridge: Any, watch: str = "w1") -> Watching:
    """`async with watching(shard_of(site)) as seen:` runs one watch in the background."""
    return Watching(bridge, LiveDesk(), watch)


def opened(seen: Watching) -> list[tuple[str, str]]:
    """Where something was opened or closed (`guild/channel`), and under which watch or why, in order."""
    found: list[tuple[str, str]] = []
    for observation in seen.observations:
        found.extend((f"+{place.space}/{place.channel}", watch) for place, watch in (observation.opened or {}).items())
        found.extend((f"-{place.space}/{place.channel}", why) for place, why in observation.closed.items())
    return found


def whole(seen: Watching, guild: Any) -> bool:
    """Whether everything was told of a guild."""
    return any(event["kind"] == "ThreadsSeen" for event in of_guild(seen, guild))


def of_guild(seen: Watching, guild: Any) -> list[dict[str, Any]]:
    """What was told of one guild."""
    events = [event for event in seen.events if event.place.space == str(guild.id)]
    return seen.desk.spelled(events)


def counts(events: list[Event]) -> Mapping[str, int]:
    """How many events of each kind."""
    return Counter(type(event).__name__ for event in events)
