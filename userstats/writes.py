"""The verbs of reducers, merged in memory until a batch is committed.

A reducer gets an event and a `Moment` and says what follows: `count`, `carry`, `add`, `put`, `low`, `high`, `forget`,
`open`, `close`, `remember`. Nothing here touches a database or a clock; the same events in the same order leave the
same rows, whatever the batches were.

More than 400 lines: a moment is one object with every verb, and what it writes to is read beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from .contract.events import Place
from .statistic import GRACE_MS, PEOPLE, QUARTER_MS, QUARTERS_A_DAY, Ledger, Span, Table

Key = tuple[int | str, ...]
Row = dict[str, Any]
Rows = dict[Key, Row | None]
"""Rows by key; None: the row is to be deleted."""


OPEN_SPANS = "open_spans"
MEMORY = "room_memory"

M = TypeVar("M", bound=msgspec.Struct)


class Anew(dict[str, Any]):
    """A row that was deleted and written again within a batch: what the database had of it is gone."""


class Open(msgspec.Struct):
    """A span that has not ended."""

    since: int
    """Milliseconds; what lies before is credited already."""
    began: int
    """When the state began, as far as it was observed."""


class State:
    """What userstats keeps in memory between events: open spans and the rooms' own memory. Mirrored in the database."""

    def __init__(self) -> None:
        self.spans: dict[str, dict[int, dict[int, Open]]] = {}
        """By span name (with its detail, `playing:chess`), place and person."""
        self.details: dict[tuple[str, int, int], set[str]] = {}
        """By span, place and person: the names, details and all, under which it is open."""
        self.memory: dict[str, dict[str, Any]] = {}
        """By room and key."""

    def keep(self, name: str, place: int, person: int, span: Open) -> None:
        """This span is open."""
        self.spans.setdefault(name, {}).setdefault(place, {})[person] = span
        base = base_name(name)
        if base != name:
            self.details.setdefault((base, place, person), set()).add(name)

    def drop(self, name: str, place: int, person: int) -> Open | None:
        """This span is not open any more; what it was, if it was."""
        gone = self.spans.get(name, {}).get(place, {}).pop(person, None)
        base = base_name(name)
        if base != name and (names := self.details.get((base, place, person))):
            names.discard(name)
            if not names:
                del self.details[base, place, person]
            if not self.spans[name][place]:
                del self.spans[name][place]
            if not self.spans[name]:
                del self.spans[name]
        return gone


def base_name(name: str) -> str:
    """The span's own name, without the detail."""
    return name.partition(":")[0]


class Writes:
    """The rows of one batch, merged."""

    def __init__(self) -> None:
        self.tables: dict[str, Rows] = {}

    def add(self, table: str, key: Key, amounts: Mapping[str, int]) -> None:
        rows = self.tables.get(table)
        if rows is None:
            rows = self.tables[table] = {}
        row = rows.get(key)
        if row is None:
            rows[key] = Anew(amounts) if key in rows else dict(amounts)
            return
        for name, amount in amounts.items():
            row[name] = row.get(name, 0) + amount

    def put(self, table: str, key: Key, values: Mapping[str, Any], newest: str = "") -> None:
        row = self._row(table, key)
        if not newest or newest not in row or row[newest] <= values[newest]:
            row.update(values)

    def extreme(self, table: str, key: Key, values: Mapping[str, int], choose: Callable[[int, int], int]) -> None:
        row = self._row(table, key)
        for name, value in values.items():
            row[name] = choose(row[name], value) if name in row else value

    def forget(self, table: str, key: Key) -> None:
        self.tables.setdefault(table, {})[key] = None

    def _row(self, table: str, key: Key) -> Row:
        rows = self.tables.setdefault(table, {})
        row = rows.get(key)
        if row is None:
            row = rows[key] = Anew() if key in rows else {}
        return row


class Places(Protocol):
    """What a moment asks of `places.Places`."""

    def beside(self, place: Place, observer: int, writes: Writes) -> int: ...

    def around(self, observer: int) -> Sequence[int]: ...

    def observer(self, number: int) -> int: ...


class Watching(Protocol):
    """What a moment asks of `watching.Watching`."""

    def seen_until(self, place: int) -> int: ...


class Moment:
    """One event's place and time, and the verbs. One object serves a whole batch; the service sets it to each event."""

    __slots__ = (
        "_places", "_watching", "around", "at", "current", "observed_since", "observer", "place", "quarter", "room",
        "seen", "seq", "spans", "state", "told", "writes",
    )  # fmt: skip

    def __init__(
        self,
        state: State,
        writes: Writes,
        spans: Mapping[str, Span],
        told: Mapping[str, msgspec.Struct],
        places: Places,
        watching: Watching,
    ) -> None:
        self.state = state
        self.writes = writes
        self.spans = spans
        self.told = told
        """The rooms' settings, by room."""
        self._places = places
        self._watching = watching
        self.place = 0
        """The place's number."""
        self.observer = 0
        """The number of the place whose watch sees this one: the guild of a channel, or the place itself."""
        self.around: Sequence[int] = ()
        """Every place which that watch sees."""
        self.at = 0
        """When it happened: milliseconds, UTC."""
        self.seen = 0
        """When the bridge saw it, never before what its watch saw earlier: the time spans are measured in."""
        self.quarter = 0
        self.seq = 0
        """Position in the stream."""
        self.current = True
        """Whether the event's watch is the one that observes the place now; only that one moves spans."""
        self.observed_since = 0
        """Since when the place is observed without a break, where `current`."""
        self.room = ""
        """The room whose reducer runs."""

    def count(self, person: int, amounts: Mapping[str, int], place: int = 0, at: int = 0) -> None:
        """This person did this here (or there), now (or then): added to the ledger of people and its roll-ups."""
        quarter = at // QUARTER_MS if at else self.quarter
        self.writes.add("person_quarters", (quarter, place or self.place, person), amounts)

    def tally(self, ledger: Ledger, dimensions: Key, amounts: Mapping[str, int], at: int = 0) -> None:
        """This happened now (or then), in a room's own ledger."""
        self.writes.add(ledger.quarters, (at // QUARTER_MS if at else self.quarter, *dimensions), amounts)

    def carry(self, ledger: Ledger, dimensions: Key, amounts: Mapping[str, int]) -> None:
        """This happened before, elsewhere counted, nobody knows when: added to a ledger's sums for all time only.

        Those sums are then more than the quarter hours add up to: no period shows what nobody knows the time of.
        """
        given = dict(zip(ledger.dimensions, dimensions, strict=True))
        for rollup in ledger.timeless():
            self.writes.add(rollup.name, tuple(given[name] for name in rollup.key), amounts)

    def add(self, table: Table, key: Key, amounts: Mapping[str, int]) -> None:
        """Add to the ADD columns of a row."""
        self.writes.add(table.name, key, amounts)

    def put(self, table: Table, key: Key, values: Mapping[str, Any]) -> None:
        """The newest values of a row."""
        self.writes.put(table.name, key, values, table.newest)

    def low(self, table: Table, key: Key, values: Mapping[str, int]) -> None:
        """Keep the lowest."""
        self.writes.extreme(table.name, key, values, min)

    def high(self, table: Table, key: Key, values: Mapping[str, int]) -> None:
        """Keep the highest."""
        self.writes.extreme(table.name, key, values, max)

    def forget(self, table: Table, key: Key) -> None:
        """Delete a row."""
        self.writes.forget(table.name, key)

    def number_of(self, place: Place) -> int:
        """The number of a place that the event's watch sees beside its own (a channel of the guild); a place not heard
        of before gets the next one."""
        number = self._places.beside(place, self.observer if self.current else 0, self.writes)
        self.around = self._places.around(self.observer)
        return number

    def lives(self, place: int) -> bool:
        """Whether the watch that sees this place, be it another one, gave a sign of life within the grace."""
        return self.seen - self._watching.seen_until(place) <= GRACE_MS

    def open(self, span: Span, person: int, detail: str = "", place: int = 0, began: int = 0) -> bool:
        """This state of this person begins now; nothing happens if it lasts already. Says whether it began.

        Here, or at a `place` that the same watch sees (see `number_of`). It may be known that it `began` earlier: that
        is remembered, and credited from now on.
        """
        place = place or self.place
        name = f"{span.name}:{detail}" if detail else span.name
        if not self.current or person in self.state.spans.get(name, {}).get(place, {}):
            return False
        self._begin(name, place, person, Open(self.seen, began or self.seen))
        return True

    def let(self, span: Span, person: int, lasts: bool, place: int = 0) -> bool:
        """This state of this person lasts from now on, or does not. Says whether that is new."""
        return self.open(span, person, place=place) if lasts else self.close(span, person, place=place)

    def close(self, span: Span, person: int, detail: str = "", place: int = 0, why: str = "") -> bool:
        """This state of this person ends now; nothing happens if it did not last. Says whether it ended.

        At a place that another watch sees it ended with that watch's last sign of life, if that was before.
        """
        if not self.current:
            return False
        place = place or self.place
        return self._end(span, f"{span.name}:{detail}" if detail else span.name, place, person, why)

    def is_open(self, span: Span, person: int, detail: str = "", place: int = 0) -> bool:
        """Whether this state of this person lasts."""
        name = f"{span.name}:{detail}" if detail else span.name
        return person in self.state.spans.get(name, {}).get(place or self.place, {})

    def began(self, span: Span, person: int) -> int | None:
        """When this state of this person began here, as far as it was observed; None: it does not last."""
        lasted = self.state.spans.get(span.name, {}).get(self.place, {}).get(person)
        return None if lasted is None else lasted.began

    def details(self, span: Span, person: int, place: int = 0) -> list[str]:
        """What this state of this person is about, of all that lasts."""
        names = self.state.details.get((span.name, place or self.place, person), ())
        return sorted(name.partition(":")[2] for name in names)

    def people(self, span: Span, place: int = 0) -> list[int]:
        """Everybody in whom this state lasts."""
        return sorted(self.state.spans.get(span.name, {}).get(place or self.place, {}))

    def how_many(self, span: Span, place: int = 0) -> int:
        """In how many people this state lasts."""
        return len(self.state.spans.get(span.name, {}).get(place or self.place, ()))

    def places(self, span: Span) -> list[int]:
        """Where this state lasts in anybody, of all places that this watch sees."""
        places = self.state.spans.get(span.name, {})
        return [place for place in _shared(places, self.around) if places[place]]

    def places_of(self, span: Span, person: int) -> list[int]:
        """Where this state of this person lasts, of all places that this watch sees."""
        places = self.state.spans.get(span.name, {})
        return [place for place in _shared(places, self.around) if person in places[place]]

    def everywhere(self, span: Span, person: int) -> list[int]:
        """Where this state of this person lasts, whoever sees it; for states that few places have."""
        places = self.state.spans.get(span.name, {})
        return sorted(place for place, people in places.items() if person in people)

    def close_except(self, span: Span, people: Iterable[int], place: int = 0, why: str = "") -> int:
        """This state ends now for everybody here but these. Says for how many."""
        stay = frozenset(people)
        gone = [person for person in self.people(span, place) if person not in stay]
        for person in gone:
            self.close(span, person, place=place, why=why)
        return len(gone)

    def forget_person(self, span: Span, person: int) -> None:
        """This state of this person ends everywhere, whoever observes it, and what is not credited yet never will be:
        they do not want it kept."""
        for name in [one for one in self.state.spans if base_name(one) == span.name]:
            for place in list(self.state.spans[name]):
                if self.state.drop(name, place, person) is not None:
                    self.writes.forget(OPEN_SPANS, (name, place, person))

    def credit_open(self, until: int, again_from: int | None) -> None:
        """Credit every span open at the watch's places up to `until`, then let it go on from `again_from`, or end it
        when None. What goes on later than it was credited begins anew: nobody saw it in between. States that are not
        credited go on whatever happens."""
        for name in list(self.state.spans):
            span = self.spans[base_name(name)]
            if not span.measure:
                continue
            places = self.state.spans[name]
            for place in _shared(places, self.around):
                for person, lasted in sorted(places[place].items()):
                    self._credit(span, name, place, person, lasted.since, until)
                    if again_from != until:
                        self._stayed(span, place, person, lasted.began, until, "unobserved")
                    if again_from is None:
                        self.state.drop(name, place, person)
                        self.writes.forget(OPEN_SPANS, (name, place, person))
                        continue
                    began = lasted.began if again_from == until else max(again_from, lasted.began)
                    self._begin(name, place, person, Open(max(again_from, lasted.since), began))

    def settings(self, kind: type[M]) -> M:
        """This room's settings: the struct it declared."""
        settings = self.told[self.room]
        if not isinstance(settings, kind):
            raise TypeError(f"the settings of {self.room} are no {kind.__name__}")
        return settings

    def recall(self, key: str, kind: type[M]) -> M | None:
        """What this room remembers under this key, of its `Statistic.memory` kind; changes must be remembered."""
        memory = self.state.memory.get(self.room, {}).get(key)
        return memory if isinstance(memory, kind) else None

    def remember(self, key: str, value: msgspec.Struct | None) -> None:
        """Remember this under this key from now on; None forgets it."""
        room = self.state.memory.setdefault(self.room, {})
        if value is None:
            room.pop(key, None)
            self.writes.forget(MEMORY, (self.room, key))
            return
        room[key] = value
        self.writes.put(MEMORY, (self.room, key), {"value": value})

    def _begin(self, name: str, place: int, person: int, span: Open) -> None:
        self.state.keep(name, place, person, span)
        self.writes.put(OPEN_SPANS, (name, place, person), {"since": span.since, "began": span.began})

    def _end(self, span: Span, name: str, place: int, person: int, why: str) -> bool:
        lasted = self.state.drop(name, place, person)
        if lasted is None:
            return False
        until = self.seen
        if self._places.observer(place) != self.observer:
            until = min(until, self._watching.seen_until(place))
        if span.measure:
            self._credit(span, name, place, person, lasted.since, until)
        self._stayed(span, place, person, lasted.began, until, why)
        self.writes.forget(OPEN_SPANS, (name, place, person))
        return True

    def _stayed(self, span: Span, place: int, person: int, since: int, until: int, why: str) -> None:
        """Keep what is to be kept of a state that ended."""
        stays = span.stays
        if stays is None or until - since < stays.least_ms:
            return
        self.writes.put(stays.rows.name, (place, since, person), {"until": until, "ended": why})
        self.writes.extreme(stays.records.name, (place, person), {"longest_ms": until - since, "last_at": until}, max)
        self.writes.add("person_quarters", ((until - 1) // QUARTER_MS, place, person), {stays.measure: 1})

    def _credit(self, span: Span, name: str, place: int, person: int, since: int, until: int) -> None:
        if span.ledger is not None:
            detail = name.partition(":")[2]
            for quarter, milliseconds in split(since, until):
                self.writes.add(span.ledger.quarters, (quarter, place, person, detail), {span.measure: milliseconds})
            return
        for quarter, milliseconds in split(since, until):
            self.writes.add("person_quarters", (quarter, place, person), {span.measure: milliseconds})


def _shared(places: Mapping[int, object], around: Sequence[int]) -> list[int]:
    """Those of some places that a watch sees, in the order of their numbers."""
    if len(around) == 1:
        return [around[0]] if around[0] in places else []
    return sorted(places.keys() & set(around)) if len(around) > 8 else [one for one in sorted(around) if one in places]


def split(since: int, until: int) -> Iterator[tuple[int, int]]:
    """The quarter hours between two moments, each with its milliseconds. Nothing where until <= since."""
    while since < until:
        quarter = since // QUARTER_MS
        end = min(until, (quarter + 1) * QUARTER_MS)
        yield quarter, end - since
        since = end


def roll_up(writes: Writes, ledgers: Iterable[Ledger]) -> None:
    """Derive each ledger's coarser rows from its quarter rows, merged, in the same batch."""
    for ledger in ledgers:
        finest = writes.tables.get(ledger.quarters)
        if not finest:
            continue
        names = ("quarter", *ledger.dimensions)
        for rollup in ledger.all_rollups():
            _roll_up(writes, finest, names, rollup.name, rollup.key)


def _roll_up(writes: Writes, finest: Rows, names: tuple[str, ...], table: str, key: tuple[str, ...]) -> None:
    rows = writes.tables.setdefault(table, {})
    positions = [names.index("quarter" if name == "day" else name) for name in key]
    day = key.index("day") if "day" in key else -1
    for full, row in finest.items():
        if row is None:
            continue
        parts = [full[position] for position in positions]
        if day >= 0:
            parts[day] = int(parts[day]) // QUARTERS_A_DAY
        coarse = tuple(parts)
        present = rows.get(coarse)
        if present is None:
            rows[coarse] = row.copy()
            continue
        for name, amount in row.items():
            present[name] = present.get(name, 0) + amount


__all__ = [
    "MEMORY",
    "OPEN_SPANS",
    "PEOPLE",
    "Anew",
    "Key",
    "Moment",
    "Open",
    "Row",
    "Rows",
    "State",
    "Writes",
    "roll_up",
    "split",
]
