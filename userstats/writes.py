"""The verbs of reducers, merged in memory until a batch is committed.

A reducer gets an event and a `Moment` and says what follows: `count`, `carry`, `add`, `put`, `low`, `high`, `forget`,
`open`, `close`, `remember`. Nothing here touches a database or a clock; the same events in the same order leave the
same rows, whatever the batches were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from .statistic import PEOPLE, QUARTER_MS, QUARTERS_A_DAY, Ledger, Span, Table

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
        """By span name, place and person."""
        self.memory: dict[str, dict[str, Any]] = {}
        """By room and key."""


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


class Moment:
    """One event's place and time, and the verbs. One object serves a whole batch; the service sets it to each event."""

    __slots__ = (
        "at", "current", "observed_since", "place", "quarter", "room", "seen", "seq", "spans", "state", "told",
        "writes",
    )  # fmt: skip

    def __init__(
        self, state: State, writes: Writes, spans: Mapping[str, Span], told: Mapping[str, msgspec.Struct] | None = None
    ) -> None:
        self.state = state
        self.writes = writes
        self.spans = spans
        self.told = told or {}
        """The rooms' settings, by room."""
        self.place = 0
        """The place's number."""
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

    def count(self, person: int, amounts: Mapping[str, int]) -> None:
        """This person did this here, now: added to the ledger of people and its roll-ups."""
        self.writes.add("person_quarters", (self.quarter, self.place, person), amounts)

    def tally(self, ledger: Ledger, dimensions: Key, amounts: Mapping[str, int]) -> None:
        """This happened now, in a room's own ledger."""
        self.writes.add(ledger.quarters, (self.quarter, *dimensions), amounts)

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

    def open(self, span: Span, person: int) -> bool:
        """This state of this person begins here, now; nothing happens if it lasts already. Says whether it began."""
        if not self.current:
            return False
        here = self.state.spans.setdefault(span.name, {}).setdefault(self.place, {})
        if person in here:
            return False
        self._begin(span.name, here, person, Open(self.seen, self.seen))
        return True

    def close(self, span: Span, person: int) -> bool:
        """This state of this person ends here, now; nothing happens if it did not last. Says whether it ended."""
        if not self.current:
            return False
        here = self.state.spans.get(span.name, {}).get(self.place, {})
        lasted = here.pop(person, None)
        if lasted is None:
            return False
        self._credit(span, person, lasted.since, self.seen)
        self.writes.forget(OPEN_SPANS, (span.name, self.place, person))
        return True

    def is_open(self, span: Span, person: int) -> bool:
        """Whether this state of this person lasts here."""
        return person in self.state.spans.get(span.name, {}).get(self.place, {})

    def close_except(self, span: Span, people: Iterable[int]) -> None:
        """This state ends here, now, for everybody but these."""
        stay = frozenset(people)
        for person in [one for one in self.state.spans.get(span.name, {}).get(self.place, {}) if one not in stay]:
            self.close(span, person)

    def credit_open(self, until: int, again_from: int | None) -> None:
        """Credit every span open here up to `until`, then let it go on from `again_from`, or end it when None."""
        for name, places in self.state.spans.items():
            here = places.get(self.place)
            if not here:
                continue
            for person, lasted in sorted(here.items()):
                self._credit(self.spans[name], person, lasted.since, until)
                if again_from is None:
                    self.writes.forget(OPEN_SPANS, (name, self.place, person))
                else:
                    self._begin(name, here, person, Open(max(again_from, lasted.since), lasted.began))
            if again_from is None:
                here.clear()

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

    def _begin(self, name: str, here: dict[int, Open], person: int, span: Open) -> None:
        here[person] = span
        self.writes.put(OPEN_SPANS, (name, self.place, person), {"since": span.since, "began": span.began})

    def _credit(self, span: Span, person: int, since: int, until: int) -> None:
        for quarter, milliseconds in split(since, until):
            self.writes.add("person_quarters", (quarter, self.place, person), {span.measure: milliseconds})


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
