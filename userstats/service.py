"""Payloads to events to writes to one transaction a batch. Kill it anywhere: every count stays exact."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from .catalogue import Catalogue
from .contract.events import Event
from .contract.wire import Bad, decode, kind_of
from .places import Places
from .producers import Producers
from .statistic import QUARTER_MS
from .store.seam import Position, Store
from .tables import DEAD_LETTERS, PARKED, TALLIES
from .watching import Watching
from .writes import MEMORY, OPEN_SPANS, Moment, Open, State, Writes, roll_up

log = logging.getLogger(__name__)

_AHEAD_MS = 60_000
"""A clock further ahead of the broker's than this is not believed."""


_MOST_FAILURES = 20


class Message(NamedTuple):
    """One message of the stream."""

    seq: int
    stamp: int
    """Nanoseconds since the epoch at which the broker stored it."""
    subject: str
    data: bytes


class _RoomFailed(Exception):
    def __init__(self, room: str, seq: int) -> None:
        super().__init__(f"{room} failed on message {seq}")
        self.room = room
        self.seq = seq


class _Parked:
    """What is kept from rooms that failed on it. Each failure begins the batch anew, so a room that fails again and
    again gets nothing more of this batch: all of it is parked."""

    def __init__(self) -> None:
        self._events: set[tuple[str, int]] = set()
        self._failures: Counter[str] = Counter()

    def add(self, room: str, seq: int) -> None:
        self._events.add((room, seq))
        self._failures[room] += 1

    def holds(self, room: str, seq: int) -> bool:
        return bool(self._events) and ((room, seq) in self._events or self._failures[room] >= _MOST_FAILURES)


class Service:
    """Applies the stream to the store. One at a time owns the store's position."""

    def __init__(
        self, store: Store, catalogue: Catalogue, settings: Mapping[str, msgspec.Struct] | None = None
    ) -> None:
        """`settings` are the rooms', by room (see `Catalogue.settings`); without them each room has its defaults."""
        self.store = store
        self.catalogue = catalogue
        self.settings = catalogue.defaults() | dict(settings or {})
        self.position = Position()
        self.applied: Counter[str] = Counter()
        """Events applied since start, by kind; `duplicate`, `dead` and `ahead` beside them."""
        self.state = State()
        self.producers = Producers()
        self.places = Places()
        self.watching = Watching()
        self._stale = False
        """Whether memory may say what the database does not: load before the next batch."""

    async def start(self, views: Sequence[tuple[str, str]] = ()) -> Position:
        """Prepare the database, become its owner, load what must be in memory. Returns the position to read on from."""
        await self.store.prepare(self.catalogue.schema(views))
        self.position = await self.store.take()
        await self._load()
        return self.position

    async def apply(self, messages: Sequence[Message], stream: str = "") -> None:
        """Apply messages, in stream order, in one transaction. Raises Fenced, or what the database raises: then nothing
        of the batch is stored, and the same batch may be applied again."""
        parked = _Parked()
        while messages:
            if self._stale:
                await self._load()
            self._stale = True  # until the batch is stored, memory is ahead of the database
            try:
                writes, seen = self._reduce(messages, parked)
            except _RoomFailed as failed:
                parked.add(failed.room, failed.seq)
                continue
            new = Position(messages[-1].seq, messages[-1].stamp, stream or self.position.stream)
            await self.store.commit(writes.tables, self.position, new)
            self._stale = False
            self.position = new
            self.applied.update(seen)
            return

    async def rewind(self, position: Position) -> None:
        """Read the stream again from this position on: what was counted is recognised by its producer's rows."""
        await self.store.commit({}, self.position, position)
        self.position = position

    def _reduce(self, messages: Sequence[Message], parked: _Parked) -> tuple[Writes, Counter[str]]:
        writes = Writes()
        moment = Moment(self.state, writes, self.catalogue.spans, self.settings)
        seen: Counter[str] = Counter()
        tallies: Counter[tuple[str, str, str]] = Counter()
        for message in messages:
            event = decode(message.data, message.subject)
            if isinstance(event, Bad):
                _bury(writes, message, event)
                seen["dead"] += 1
                continue
            kind = kind_of(event)
            new = self.producers.accept(event.producer, event.n)
            if new:
                moment.place = self.places.number(event.place, writes)
                new = self.places.first_time(moment.place, event.id)
            if new and event.about is not event.place:
                moment.place = self.places.number(event.about, writes)
            tallies[event.place.platform, kind, "events" if new else "duplicates"] += 1
            if not new:
                seen["duplicate"] += 1
                continue
            seen[kind] += 1
            if _set(moment, event, message):
                seen["ahead"] += 1
            self.watching.observe(event, moment)
            self._tell_rooms(event, moment, parked, writes)
        for (platform, kind, column), number in sorted(tallies.items()):
            writes.add(TALLIES.name, (platform, kind), {column: number})
        for keeper in (self.producers, self.places, self.watching):
            keeper.save(writes)
        roll_up(writes, self.catalogue.ledgers)
        return writes, seen

    def _tell_rooms(self, event: Event, moment: Moment, parked: _Parked, writes: Writes) -> None:
        for room, reducer in self.catalogue.reducers.get(type(event), ()):
            moment.room = room
            if parked.holds(room, moment.seq):
                values = {"kind": kind_of(event), "error": "the room failed on it", "at": moment.at}
                writes.put(PARKED.name, (room, moment.seq), values)
                continue
            try:
                reducer(event, moment)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]  # the error's own text may hold a name
                log.error(
                    "the room %s failed on a %s, message %d (%s at %s:%d); it is parked",
                    room, kind_of(event), moment.seq, type(error).__name__, where.name, where.lineno or 0,
                )  # fmt: skip
                raise _RoomFailed(room, moment.seq) from error

    async def _load(self) -> None:
        """Memory as the database has it."""
        load = self.store.load
        self.producers = Producers(await load("SELECT producer, high, holes FROM producers"))
        self.places = Places(
            await load("SELECT place, platform, space, channel FROM places ORDER BY place"),
            await load("SELECT place, ids FROM recent_ids"),
        )
        self.watching = Watching(await load("SELECT place, watch, since, seen_until, hour, ended FROM watches"))
        state = State()
        for span, place, person, *times in await load(f"SELECT span, place, person, since, began FROM {OPEN_SPANS}"):
            if span in self.catalogue.spans:  # the room may be gone
                state.spans.setdefault(span, {}).setdefault(place, {})[person] = Open(*times)
        for room, item, value in await load(f"SELECT room, item, value FROM {MEMORY}"):
            if room in self.catalogue.memories:
                kind = self.catalogue.memories[room]
                state.memory.setdefault(room, {})[item] = msgspec.json.decode(value, type=kind)
        self.state = state


def _set(moment: Moment, event: Event, message: Message) -> bool:
    """Point the moment to this event; says whether its clock ran ahead of the broker's and was not believed."""
    latest = message.stamp // 1_000_000 + _AHEAD_MS
    moment.seq = message.seq
    moment.at = min(event.at, latest)
    moment.seen = min(event.seen, latest)
    moment.quarter = moment.at // QUARTER_MS
    return event.at > latest or event.seen > latest


def _bury(writes: Writes, message: Message, bad: Bad) -> None:
    """A dead letter: why and where, and a hash to recognise it by; never a value of the refused text."""
    subject = "".join(one if one.isprintable() else "\ufffd" for one in message.subject)  # no database takes a NUL
    values = {
        "reason": bad.reason, "path": bad.path, "detail": bad.detail, "subject": subject,
        "sha256": hashlib.sha256(message.data).hexdigest(), "bytes": len(message.data),
        "at": message.stamp // 1_000_000,
    }  # fmt: skip
    writes.put(DEAD_LETTERS.name, (message.seq,), values)
