"""How a stand-in behaves: the real service's numbers by default, with what slows tests down switchable."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

Json = Any
Clock = Callable[[], int]

ALL_INTENTS: Final = (1 << 22) - 1 | 1 << 24 | 1 << 25


def wall_clock() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


class HandClock:
    """A clock that a test moves: `Settings(clock=HandClock(start))`, then `clock.advance(minutes=5)`."""

    def __init__(self, now: int) -> None:
        self.now = now
        """Milliseconds since the epoch, UTC."""

    def __call__(self) -> int:
        return self.now

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Later, by so much."""
        self.now += round((hours * 3600 + minutes * 60 + seconds) * 1000)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Seconds unless said otherwise. All of them but `clock` are spans of real time, whatever the clock says."""

    clock: Clock = wall_clock
    """ms; snowflakes and timestamps come from it."""
    heartbeat_interval: float = 41.25
    heartbeats_missed: float = 3.0
    """A connection that sent no heartbeat for so many intervals is closed with 4009."""
    resume_window: float = 180.0
    """A session without a connection is forgotten after this."""
    members_request_every: float = 30.0
    """One request for all members of a guild in this time (op 8); others are answered RATE_LIMITED."""
    reflexes: float = 0.03
    """Nobody presses a button or submits a form sooner: the application must first learn that it was shown."""
    identify_every: float = 0.0
    """Really 5 (max_concurrency 1); sooner is answered with op 9 false. 0 does not limit."""
    sends_per_minute: int = 120
    """More frames from a client close its connection with 4008. 0 does not limit."""
    ack_window: float = 3.0
    """An interaction that is not acknowledged within is unknown (10062)."""
    token_lifetime: float = 900.0
    """An acknowledged interaction's token."""
    global_rate: int = 50
    """REST requests per second, interactions apart. 0 does not limit."""
    rates: Mapping[str, tuple[int, float]] = dataclasses.field(default_factory=dict)
    """Limits of routes, by "GET /channels/{channel_id}/messages": so many requests in so many seconds."""
    granted: int = ALL_INTENTS
    """Intents the application may ask for; asking for others is answered with 4014."""
    hidden_history_is_empty: bool = False
    """Without READ_MESSAGE_HISTORY a channel lists no messages, as the documentation says, instead of refusing."""
    verified: bool = False
    """An application in 100 guilds or more: its granted intents show as unlimited flags."""
    recommended_shards: int = 1
    shards_required: bool = False
    """Without a shard, IDENTIFY is answered with 4011."""
    large_guild: int = 75_000
    """Guilds of more members send no presences and only few members in GUILD_CREATE."""
    chunk_size: int = 1000
    judged: bool = True
    """Check requests, responses and dispatches against Discord's schemas, where they are beside the project."""
