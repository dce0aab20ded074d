"""Chance that falls the same way each time, and the lengths of time it is rolled for."""

from __future__ import annotations

from random import Random
from typing import Final

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def dice(*words: str | int) -> Random:
    """A source of chance that depends on these words and on nothing else: not the process, not the hash seed."""
    return Random("\x1f".join(map(str, words)))


def weekday(day: int) -> int:
    """Monday is 0. `day` counts from the epoch, which was a Thursday."""
    return (day + 3) % 7
