"""Ids as Discord makes them: 42 bits of milliseconds since 2015, then a counter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from .settings import Clock

EPOCH: Final = 1_420_070_400_000
_COUNTER_BITS: Final = 22
_PAST: Final = 400 * 86_400_000
_GUILD_STEP: Final = 2520
"""A multiple of every shard count up to ten: the first guild is on shard 0 of any of them."""


def moment(snowflake: int) -> int:
    """When it was made: ms since the Unix epoch."""
    return (snowflake >> _COUNTER_BITS) + EPOCH


def first_at(ms: int) -> int:
    """The smallest snowflake of a millisecond."""
    return (ms - EPOCH) << _COUNTER_BITS


def stamp(ms: int) -> str:
    """ISO 8601 with microseconds and offset, as Discord writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="microseconds")


class Ids:
    """Hands out unique snowflakes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = (0, 0)
        long_ago = clock() - _PAST - EPOCH
        self._guilds = EPOCH + long_ago - long_ago % _GUILD_STEP
        self._past = self._guilds + 86_400_000
        self._history = 0

    def new(self) -> int:
        """Of now; larger than every id made now before."""
        now = self._clock()
        ms, count = self._last
        self._last = (now, 0) if now > ms else (ms, count + 1)
        ms, count = self._last
        return first_at(ms) | count

    def at(self, ms: int) -> int:
        """Of another moment: history that was there before the site started."""
        self._history += 1
        return first_at(ms) | 1 << 21 | self._history & (1 << 21) - 1

    def old(self) -> int:
        """Of more than a year ago: accounts, channels and roles were there before."""
        self._past += 1
        return first_at(self._past)

    def guild(self) -> int:
        """Of long ago; the n-th guild (from 0) belongs to shard n modulo the shard count."""
        self._guilds += 1
        return first_at(self._guilds - 1)
