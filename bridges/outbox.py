"""What was observed and is not yet safely with the broker.

An event counts as observed once it is here, on disk, in one transaction with the cursor of its bridge. Events wait in
the order in which they were observed; acknowledged ones are kept for a while, in case a restarted broker lost them.

The outbox is bounded. When it is nearly full, beats and population counts are dropped (their number is published
later, as EventRefused); when it is full `put` waits, so the bridge stops reading from its platform. Rows that are in
the file are never dropped for lack of room: their numbers would be missing.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Self

from userstats.contract import subjects, wire
from userstats.contract.events import INT63, Event, Place

from .bridge import NOTHING
from .losses import CHEAP, Losses, too_big
from .outbox_file import Draft, Judge, OutboxFile, Row
from .settings import BridgeSettings

log = logging.getLogger(__name__)

_SCARCE: Final = 0.9
_CROWDED: Final = 0.5
_QUEUE_ROWS: Final = 2000
_QUEUE_WEIGHT: Final = 8 * 1024 * 1024
_TICK: Final = 1.0
"""Seconds between two looks at what can be deleted, and between two attempts to write."""
_TRIM_ROWS: Final = 5000
_TRIM_SECONDS: Final = 5.0


class _Entry(NamedTuple):
    drafts: list[Draft]
    cursors: dict[tuple[str, str], str]
    weight: int


def place_key(place: Place) -> str:
    """How a place is called in the outbox and in `settings.for_bridge`: `platform/space/channel`."""
    return f"{place.platform}/{place.space}/{place.channel}"


class Outbox:
    """One process's outbox. `open` it, and `close` it when no more is put."""

    def __init__(self, file: OutboxFile, settings: BridgeSettings, clock: Callable[[], float]) -> None:
        self._file = file
        self._settings = settings
        self._clock = clock
        self._seal = len(wire.seal(b"{}", file.producer, INT63))
        self._queue: list[_Entry] = []
        self._queued_rows = 0
        self._queued_weight = 0
        self._accepted = 0
        self._committed = 0
        self._changed = asyncio.Event()
        self._work = asyncio.Event()
        self._closing = False
        self._failed: sqlite3.Error | None = None
        self._losses = Losses()
        self._marked = file.acked
        self._looked = self._trimmed = 0.0
        self._graceless = 0
        self._writer = asyncio.create_task(self._write(), name="outbox")

    @classmethod
    async def open(cls, path: Path, settings: BridgeSettings, clock: Callable[[], float] = time.time) -> Self:
        """The outbox in this file, made if absent.

        Raises OutboxTaken if another process has it, OutboxUnreadable if it is no outbox of ours.
        """
        return cls(await OutboxFile.open(path), settings, clock)

    @property
    def producer(self) -> str:
        """The identity of this outbox on the wire, made with the file."""
        return self._file.producer

    @property
    def waiting(self) -> int:
        """Events on disk that the broker has not acknowledged."""
        return self._file.last - self._file.acked

    @property
    def crowded(self) -> bool:
        """Whether what waits takes more than half of the room there is."""
        return self._held(_CROWDED)

    @property
    def lost(self) -> int:
        """Events dropped since the start for lack of room."""
        return self._losses.total

    @property
    def acked(self) -> int:
        """The number of the last event that the broker acknowledged."""
        return self._file.acked

    async def put(self, events: Sequence[Event], place: Place, cursor: Mapping[str, str] = NOTHING) -> None:
        """Take what was observed in this place; returns once there is room for it. `flush` waits for the disk."""
        while self._full(events):
            await self._changed.wait()
        entry = self._entry(events, place, cursor)
        self._queue.append(entry)
        self._queued_rows += len(entry.drafts)
        self._queued_weight += entry.weight
        self._accepted += 1
        self._file.cursors.update(entry.cursors)
        self._work.set()

    async def flush(self) -> None:
        """Return when everything taken so far is on disk. Raises sqlite3.Error if the closing outbox cannot write."""
        goal = self._accepted
        await self._until(lambda: self._committed >= goal)

    async def published(self) -> None:
        """Return when the broker has acknowledged everything taken so far."""
        await self.flush()
        goal = self._file.last
        await self._until(lambda: self._file.acked >= goal)

    async def ready(self, timeout: float) -> None:
        """Return when something waits for the broker, or after so many seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._until(lambda: self.waiting > 0)
        except TimeoutError:
            return

    async def take(self, most: int, weight: int) -> list[Row]:
        """The next events to publish, at most so many and about so many bytes, but one at least if any waits."""
        return await self._file.take(most, weight)

    def acknowledge(self, row: Row) -> None:
        """The broker has this row and all before it."""
        if row.n > self._file.acked:
            self._file.acked, self._file.acked_total = row.n, row.total
            self._signal()
            self._work.set()

    async def kept(self, after: int) -> list[Row]:
        """Acknowledged events after this number that are still here, in parts; an empty list is the end."""
        return await self._file.acknowledged(after)

    async def revise(self, judge: Judge) -> int:
        """Judge each event that the broker cannot know yet: keep, change (a body) or drop (None). Returns the dropped.

        The numbers of those that stay close up, so there are still no gaps.
        """
        await self.flush()
        gone = await asyncio.shield(self._file.revise(judge))
        self._signal()
        return gone

    def cursor(self, place: Place, key: str) -> str | None:
        """What an observation of this place left under this key."""
        return self._file.cursors.get((place_key(place), key))

    def recall(self, key: str) -> str | None:
        """A text that `remember` kept, in this run or an earlier one."""
        return self._file.known.get(f"kept {key}")

    async def remember(self, key: str, value: str) -> None:
        """Keep a text beside the events."""
        await asyncio.shield(self._file.remember(f"kept {key}", value))

    async def closed(self) -> None:
        """Return when the outbox is closed; raise what stopped it from working, should that ever happen."""
        await asyncio.shield(self._writer)

    async def close(self) -> None:
        """Write what was taken, then let go of the file. Raises sqlite3.Error if it could not be written."""
        self._closing = True
        self._work.set()
        try:
            await asyncio.shield(self._writer)
        finally:
            await self._file.close()

    def _entry(self, events: Sequence[Event], place: Place, cursor: Mapping[str, str]) -> _Entry:
        at = int(self._clock() * 1000)
        where = place_key(place)
        scarce = self._held(_SCARCE)
        drafts: list[Draft] = []
        for event in events:
            if scarce and isinstance(event, CHEAP):
                self._losses.add(where, event)
            else:
                drafts.append(self._draft(event, at))
        if drafts and not scarce:
            drafts += [self._draft(loss, at) for loss in self._losses.tell(where, events[-1])]
        return _Entry(drafts, {(where, key): value for key, value in cursor.items()}, sum(d.weight for d in drafts))

    def _draft(self, event: Event, at: int) -> Draft:
        body = wire.body(event)
        if len(body) + self._seal > wire.LARGEST:
            event = too_big(event, len(body))
            body = wire.body(event)
        return Draft(_subject(event.place, wire.kind_of(event)), body, at)

    def _held(self, share: float) -> bool:
        """Whether what waits takes this share of the room there is."""
        rows = self.waiting + self._queued_rows
        weight = self._file.total - self._file.acked_total + self._queued_weight
        limits = self._settings
        return rows >= limits.outbox_max_rows * share or weight >= limits.outbox_max_bytes * share

    def _full(self, events: Sequence[Event]) -> bool:
        """Whether these must wait: for the disk, or, if they may not be dropped, for the broker."""
        if len(self._queue) + self._queued_rows >= _QUEUE_ROWS or self._queued_weight >= _QUEUE_WEIGHT:
            return True
        return self._held(1.0) and not all(isinstance(event, CHEAP) for event in events)

    async def _write(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_TICK):
                    await self._work.wait()
            except TimeoutError:
                pass  # nothing to write, but perhaps something to delete
            self._work.clear()
            written = await self._commit()
            if self._closing and not (written and self._queue):
                break
            if written:
                await self._trim()
        if self._queue and self._failed is not None:
            raise self._failed

    async def _commit(self) -> bool:
        """Put everything that waits in memory on disk. False: it could not be written, and still waits."""
        entries = self._queue[:]
        drafts = [draft for entry in entries for draft in entry.drafts]
        cursors = {key: value for entry in entries for key, value in entry.cursors.items()}
        acked = self._file.acked
        if not entries and acked == self._marked:
            return True
        try:
            if self._failed is not None:
                await self._file.reread()
                self._file.cursors.update(cursors)
            await self._file.append(drafts, cursors, int(self._clock()))
        except sqlite3.Error as error:
            if self._failed is None:
                log.error("the outbox cannot be written (%s); nothing is read until it can", error)
            self._failed = error
            self._signal()
            self._work.set()
            await asyncio.sleep(0 if self._closing else _TICK)
            return False
        if self._failed is not None:
            log.info("the outbox can be written again")
            self._failed = None
        self._marked = acked
        del self._queue[: len(entries)]
        self._queued_rows -= len(drafts)
        self._queued_weight -= sum(entry.weight for entry in entries)
        self._committed += len(entries)
        self._signal()
        return True

    async def _trim(self) -> None:
        """Delete what was acknowledged longer ago than the grace, and sooner if the room is needed."""
        file, limits, now = self._file, self._settings, self._clock()
        second = int(now - limits.grace_seconds)
        if now - self._looked >= _TICK or now < self._looked:
            self._looked = now
            self._graceless = await file.graceless(second)
        until = self._graceless
        if file.total - file.freed > limits.outbox_max_bytes or file.last - file.first >= limits.outbox_max_rows:
            until = file.acked
        elif until - file.first < _TRIM_ROWS and now - self._trimmed < _TRIM_SECONDS:
            return
        self._trimmed = now
        await file.trim(until, second)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            if self._failed is not None and self._closing:
                raise self._failed
            await self._changed.wait()

    def _signal(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@lru_cache(4096)
def _subject(place: Place, kind: str) -> str:
    return subjects.event(place, kind)
