"""Payloads to events to writes to one transaction a batch. Kill it anywhere: every count stays exact."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from .backfilled import Backfills
from .catalogue import Catalogue
from .consenting import BY_REQUEST, CLOSED_NOW, NAMES, Consenting
from .contract.admission import Anonymous
from .contract.events import Event
from .contract.wire import Bad, decode, kind_of
from .linking import Linking
from .places import Places
from .producers import Producers
from .statistic import DAY_MS, QUARTER_MS
from .store.seam import Position, Store
from .tables import DEAD_LETTERS, ENGINE, PARKED, TALLIES
from .watching import Watching
from .writes import MEMORY, OPEN_SPANS, Moment, Open, State, Writes, base_name, roll_up

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
        self,
        store: Store,
        catalogue: Catalogue,
        settings: Mapping[str, msgspec.Struct] | None = None,
        *,
        refused_days: int = 90,
        anonymous: Anonymous | None = None,
    ) -> None:
        """`settings` are the rooms', by room (see `Catalogue.settings`); without them each room has its defaults.

        `refused_days`: how long dead letters and parked events are kept, in the stream's time; 0: for ever.
        `anonymous`: what people who are anonymous are called in a watch (`Pseudonyms.anonymous`).
        """
        self.store = store
        self.catalogue = catalogue
        self.settings = catalogue.defaults() | dict(settings or {})
        self.refused_days = refused_days
        self.position = Position()
        self.rewound = 0
        """How often the stream was begun again."""
        self.applied: Counter[str] = Counter()
        """Events applied since start, by kind; `duplicate`, `dead` and `ahead` beside them."""
        self.state = State()
        self.producers = Producers()
        self.places = Places()
        self.watching = Watching()
        self.backfills = Backfills()
        self._anonymous = anonymous
        self.consenting = Consenting(anonymous=anonymous)
        self.linking = Linking()
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
            await self.store.commit(writes.tables, self.position, new, self._too_old(new))
            self._stale = False
            self.position = new
            self.applied.update(seen)
            return

    async def rewind(self, position: Position) -> None:
        """Read the stream again from this position on: what was counted is recognised by its producer's rows."""
        await self.store.commit({}, self.position, position)
        self.position = position
        self.rewound += 1

    def _too_old(self, new: Position) -> dict[str, int]:
        """Before which moment rows are too old to be kept, by table. With each day of the stream's time it moves by a
        day, so that it is the same whatever the batches were; nothing while it does not move."""
        day, before = (position.stamp // 1_000_000 // DAY_MS for position in (new, self.position))
        if day == before:
            return {}
        kept = {table.name: self.refused_days for table in ENGINE if table.aging}
        for room in self.catalogue.rooms:
            kept |= {
                table.name: getattr(self.settings[room.name], table.aging.days) for table in room.tables if table.aging
            }
        return {table: (day - days) * DAY_MS for table, days in kept.items() if 0 < days < day}

    def _reduce(self, messages: Sequence[Message], parked: _Parked) -> tuple[Writes, Counter[str]]:
        writes = Writes()
        moment = Moment(self.state, writes, self.catalogue.spans, self.settings, self.places, self.watching)
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
                new = self.places.first_time(moment.place, event.id) and self.backfills.accept(event, moment.place)
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
            admitted = self._admitted(event, moment)
            if admitted is None:
                tallies[event.place.platform, kind, "refused_consent"] += 1
                continue
            self._tell_rooms(admitted, moment, parked, message.stamp // 1_000_000)
        for (platform, kind, column), number in sorted(tallies.items()):
            writes.add(TALLIES.name, (platform, kind), {column: number})
        for keeper in (self.producers, self.places, self.watching, self.backfills):
            keeper.save(writes)
        roll_up(writes, self.catalogue.ledgers)
        return writes, seen

    def _admitted(self, event: Event, moment: Moment) -> Event | None:
        """What of the event may be counted; None: nothing."""
        if type(event) not in BY_REQUEST:
            return self.consenting.admitted(event)
        self.consenting.decide(event, moment)
        self.linking.decide(event, moment)
        return event

    def _tell_rooms(self, event: Event, moment: Moment, parked: _Parked, stored_at: int) -> None:
        for room, reducer in self.catalogue.reducers.get(type(event), ()):
            moment.room = room
            if parked.holds(room, moment.seq):
                values = {"kind": kind_of(event), "error": "the room failed on it"}
                moment.writes.put(PARKED.name, (room, moment.seq, stored_at), values)
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
            await load("SELECT place, platform, space, channel, observer FROM places ORDER BY place"),
            await load("SELECT place, ids FROM recent_ids"),
        )
        self.backfills = Backfills(await load("SELECT place, thread, oldest FROM backfills WHERE oldest IS NOT NULL"))
        watches = await load("SELECT place, watch, since, seen_until, hour, ended FROM watches")
        self.watching = Watching(watches, self.places)
        ((revision,),) = await load("SELECT COALESCE(MAX(revision), 0) FROM consents")
        self.consenting = Consenting(await load(CLOSED_NOW), await load(NAMES), revision, self._anonymous)
        self.linking = Linking(await load("SELECT other, person, link FROM links ORDER BY other"))
        state = State()
        for span, place, person, *times in await load(f"SELECT span, place, person, since, began FROM {OPEN_SPANS}"):
            if base_name(span) in self.catalogue.spans:  # the room may be gone
                state.keep(span, place, person, Open(*times))
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
    }  # fmt: skip
    writes.put(DEAD_LETTERS.name, (message.seq, message.stamp // 1_000_000), values)
