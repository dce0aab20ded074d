"""Reads the metrics that are in the database: the rooms' own and those over the engine's tables, in one snapshot.

The database works for this at most a hundredth of the time: what was expensive to read is shown for longer, and as
long as nothing new is counted nothing is read again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from ..contract.process import told
from ..statistic import Metric
from ..store.seam import Reader, Store
from .peer_metrics import Samples
from .service_metrics import moments

log = logging.getLogger(__name__)

_PATIENCE: Final = 5.0
"""Seconds the database has to answer: Prometheus itself waits ten."""
_SHARE: Final = 100
"""The database works for this at most one part in so many of the time."""
_OLDEST: Final = 30.0
"""Seconds after which the same position is read anew: coverage changes even when nothing is counted."""
_POSITION: Final = "SELECT seq FROM stream_position WHERE shard = 0"

Rooms = Mapping[str, tuple[Metric, ...]]
_T = TypeVar("_T")


class Sampled(NamedTuple):
    """What the database said at one moment."""

    position: int
    at: float
    """Of the process' clock, in seconds."""
    cost: float
    """Seconds."""
    samples: Mapping[str, Samples]
    """By metric; those that could not be read are not here."""
    seconds: Mapping[str, float]
    """How long the metrics of a room took, by room; the rooms that failed are not here."""


class Sampler:
    """Reads these metrics from this store."""

    def __init__(self, store: Store, rooms: Rooms, now: Callable[[], int]) -> None:
        """`now` is milliseconds since the epoch."""
        self.rooms = rooms
        self._store = store
        self._now = now
        self._turn = asyncio.Lock()
        self._last: Sampled | None = None
        self._gone = False
        self._failed: frozenset[str] = frozenset()

    async def answers(self) -> bool:
        """Whether the database answers."""
        return await self._patiently(self._position) is not None

    async def sample(self) -> Sampled | None:
        """What the database says now, or said not long ago; None: it does not answer."""
        return await self._patiently(self._in_turn)

    async def _in_turn(self) -> Sampled:
        async with self._turn:
            self._last = await self._read()
            return self._last

    async def _position(self) -> int:
        async with self._store.reading() as reader:
            return await _position(reader)

    async def _read(self) -> Sampled:
        began = time.monotonic()
        waiting = deque(self.rooms)
        position = -1
        samples: dict[str, Samples] = {}
        seconds: dict[str, float] = {}
        while waiting:  # once, unless a room fails: after an error a snapshot may be of no use any more
            async with self._store.reading() as reader:
                position = await _position(reader)
                if self._last and still_good(self._last, position, began):
                    return self._last
                await self._read_rooms(reader, waiting, samples, seconds)
        for room in self._failed & frozenset(seconds):
            log.warning("the metrics of %s can be read again", room)
        self._failed = frozenset(self.rooms) - frozenset(seconds)
        return Sampled(position, began, time.monotonic() - began, samples, seconds)

    async def _read_rooms(
        self, reader: Reader, waiting: deque[str], samples: dict[str, Samples], seconds: dict[str, float]
    ) -> None:
        """Read room after room, until one fails."""
        while waiting:
            room = waiting.popleft()
            began = time.monotonic()
            try:
                found = {one.name: await _rows(reader, one, self._now()) for one in self.rooms[room]}
            except Exception as error:
                level = logging.DEBUG if room in self._failed else logging.ERROR
                log.log(level, "the metrics of %s cannot be read, the others can: %s", room, told(error))
                return
            samples.update(found)
            seconds[room] = time.monotonic() - began

    async def _patiently(self, work: Callable[[], Awaitable[_T]]) -> _T | None:
        """What this gives, or None when the database does not let it; says so when that changes."""
        try:
            async with asyncio.timeout(_PATIENCE):
                result = await work()
        except Exception as error:  # whatever a driver may raise: the page must say it, not fail with it
            if not self._gone:
                log.warning("the database does not answer (%s)", type(error).__name__)
            self._gone = True
            return None
        if self._gone:
            log.warning("the database answers again")
        self._gone = False
        return result


async def _position(reader: Reader) -> int:
    ((position,),) = await reader.rows(_POSITION)
    return int(position)


async def _rows(reader: Reader, metric: Metric, now: int) -> Samples:
    rows = await reader.rows(metric.sql, moments(now))
    return [(tuple(map(str, labels)), float(number or 0)) for *labels, number in rows]


def still_good(last: Sampled, position: int, now: float) -> bool:
    age = now - last.at
    return age < last.cost * _SHARE or (position == last.position and age < _OLDEST)
