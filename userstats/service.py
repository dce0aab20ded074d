"""Payloads to events to writes to one transaction a batch. Kill it anywhere: every count stays exact."""

from __future__ import annotations

import hashlib
import logging
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

    async def start(self, views: Sequence[tuple[str, str]] = ()) -> Position:
        """Prepare the database, become its owner, load what must be in memory. Returns the position to read on from."""
        await self.store.prepare(self.catalogue.schema(views))
        self.position = await self.store.take()
        await self._load()
        return self.position

    async def apply(self, messages: Sequence[Message], stream: str = "") -> None:
        """Apply messages, in stream order, in one transaction. Raises Fenced; after any error memory is as before."""
        parked: set[tuple[str, int]] = set()
        while messages:
            try:
                writes, seen = self._reduce(messages, parked)
                new = Position(messages[-1].seq, messages[-1].stamp, stream or self.position.stream)
                await self.store.commit(writes.tables, self.position, new)
            except _RoomFailed as failed:
                parked.add((failed.room, failed.seq))
                await self._load()
                continue
            except BaseException:
                await self._load()
                raise
            self.position = new
            self.applied.update(seen)
            return

    async def rewind(self, position: Position) -> None:
        """Read the stream again from this position on: what was counted is recognised by its producer's rows."""
        await self.store.commit({}, self.position, position)
        self.position = position

    def _reduce(self, messages: Sequence[Message], parked: set[tuple[str, int]]) -> tuple[Writes, Counter[str]]:
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

    def _tell_rooms(self, event: Event, moment: Moment, parked: set[tuple[str, int]], writes: Writes) -> None:
        for room, reducer in self.catalogue.reducers.get(type(event), ()):
            moment.room = room
            if parked and (room, moment.seq) in parked:
                values = {"kind": kind_of(event), "error": "the room failed on it", "at": moment.at}
                writes.put(PARKED.name, (room, moment.seq), values)
                continue
            try:
                reducer(event, moment)
            except Exception as error:
                log.exception("the room %s failed on a %s, message %d; it is parked", room, kind_of(event), moment.seq)
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
    values = {
        "reason": bad.reason, "path": bad.path, "detail": bad.detail, "subject": message.subject,
        "sha256": hashlib.sha256(message.data).hexdigest(), "bytes": len(message.data),
        "at": message.stamp // 1_000_000, "published": 0,
    }  # fmt: skip
    writes.put(DEAD_LETTERS.name, (message.seq,), values)
