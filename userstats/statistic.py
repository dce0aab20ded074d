"""The words a statistic is written in: tables, ledgers, spans, questions, and the declaration that binds them.

A room (`stats/<name>.py`) declares what it keeps and what each kind of event does to it. It holds no database, no
clock and no other room; see `writes.py` for the verbs its reducers use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeVar

import msgspec

from .contract.events import Event, Topic

QUARTER_MS: Final = 15 * 60_000
"""Activity is kept in quarter hours, so that the days of every time zone are whole numbers of buckets."""
QUARTERS_A_DAY: Final = 96
HOUR_MS: Final = 60 * 60_000
DAY_MS: Final = 24 * HOUR_MS
GRACE_MS: Final = 90_000
"""Longer silence of a watch than this (three beats) is unobserved time."""

Merge = Literal["add", "low", "high", "put"]
SqlType = Literal["BIGINT", "TEXT", "DOUBLE PRECISION"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what happens when a row is written again: summed, lowest, highest, or the newest value stays."""

    type: SqlType = "BIGINT"
    merge: Merge = "put"


ADD: Final = Column(merge="add")
LOW: Final = Column(merge="low")
HIGH: Final = Column(merge="high")
PUT: Final = Column()
PUT_TEXT: Final = Column("TEXT")
KEY: Final = Column()
KEY_TEXT: Final = Column("TEXT")


class Aging(NamedTuple):
    """How rows grow old: one day they are deleted, and counted in `aged_rows`: a counter of rows never falls."""

    at: str
    """The column with a row's time in milliseconds."""
    by: str
    """The column by whose values the deleted ones are counted."""
    days: str = ""
    """The room's setting with how many days rows are kept (0: for ever); of the engine's tables `refused_days` is."""


@dataclass(frozen=True)
class Table:
    """A table with a natural key. ADD columns start at 0, all others may be NULL."""

    name: str
    key: Mapping[str, Column]
    columns: Mapping[str, Column]
    indexes: tuple[tuple[str, ...], ...] = ()
    """Columns of each further index; a name may be followed by ` DESC`."""
    newest: str = ""
    """A PUT column with a time: a row that is older than the stored one changes nothing."""
    aging: Aging | None = None
    """None: rows stay for ever."""
    kept: bool = False
    """Carried over by every rebuild: the stream may no longer hold what this table knows (names, settings, consent)."""

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Rollup:
    """The same facts under a coarser key, kept in the same transaction."""

    name: str
    key: tuple[str, ...]
    """Of `quarter`, `day` and the ledger's dimensions."""
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Ledger:
    """Facts that add up: for some dimensions, by quarter hour, with roll-ups by day and for all time.

    Makes the tables `<name>_quarters` (keyed time first, so that what is written now lies together), `<name>_days`
    (UTC days, a short cut for long periods) and `<name>_totals`, plus the extra roll-ups.
    """

    name: str
    dimensions: Mapping[str, Column]
    measures: tuple[str, ...] = ()
    rollups: tuple[Rollup, ...] = ()
    totals_indexes: tuple[tuple[str, ...], ...] = ()

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def quarters(self) -> str:
        """The finest table; reducers add to it and the rest follows."""
        return f"{self.name}_quarters"

    @property
    def days(self) -> str:
        return f"{self.name}_days"

    @property
    def totals(self) -> str:
        return f"{self.name}_totals"

    def all_rollups(self) -> tuple[Rollup, ...]:
        """Every coarser table of this ledger."""
        dimensions = tuple(self.dimensions)
        return (
            Rollup(self.days, ("day", *dimensions)),
            Rollup(self.totals, dimensions, self.totals_indexes),
            *self.rollups,
        )

    def timeless(self) -> tuple[Rollup, ...]:
        """The coarser tables that keep sums for all time."""
        return tuple(rollup for rollup in self.all_rollups() if not {"quarter", "day"} & {*rollup.key})

    def tables(self, measures: tuple[str, ...]) -> tuple[Table, ...]:
        """The tables, with these measures as their columns."""
        columns = dict.fromkeys(measures, ADD)
        types = {"quarter": KEY, "day": KEY, **self.dimensions}
        finest = Table(self.quarters, {"quarter": KEY, **self.dimensions}, columns)
        coarser = (
            Table(rollup.name, {name: types[name] for name in rollup.key}, columns, rollup.indexes)
            for rollup in self.all_rollups()
        )
        return (finest, *coarser)


PEOPLE: Final = Ledger(
    "person",
    {"place": KEY, "person": KEY},
    rollups=(
        Rollup("place_quarters", ("place", "quarter")),
        Rollup("place_totals", ("place",)),
        Rollup("everyone_totals", ("person",)),
    ),
    totals_indexes=(("person",),),
)
"""The wide ledger of what people did where. Rooms add measures to it (`Statistic.measures`, `Statistic.indexes`)."""


class Stays(NamedTuple):
    """What is kept of each time that a state lasted, besides the sum of all: whatever ended it."""

    rows: Table
    """Keyed by `place`, `since`, `person`; `until`, and why it `ended` (`Moment.close`; else `unobserved`)."""
    records: Table
    """Keyed by `place`, `person`; `longest_ms`, and `last_at`: when the last one ended."""
    measure: str
    """The measure of the ledger of people that says how many there were."""
    least_ms: int
    """Of a state that was shorter the time counts, and no more is kept."""


@dataclass(frozen=True)
class Span:
    """A state that lasts (present, AFK): opened and closed by events, credited in milliseconds to a measure."""

    name: str
    measure: str = ""
    """Of the ledger of people, or of `ledger`. Without one it is not credited: such a state (membership of a guild)
    goes on while nobody looks, and ends only when an event ends it."""
    ledger: Ledger | None = None
    """Dimensions `place`, `person` and what the state is about (`Moment.open`'s `detail`): a game that is played."""
    stays: Stays | None = None
    topic: Topic = "messages"
    """What somebody may be off about for it to end, and never be credited."""


Reducer = Callable[[Any, Any], None]
"""(event, moment) -> None: what a kind of event does, said in the verbs of `writes.Moment`."""

Shape = Literal["card", "table", "series", "heatmap", "text"]
Audience = Literal["everyone", "self", "staff", "bridge", "operator"]
"""self: the person it is about. staff: bridges, and who is in Kryten's world. Each includes those named after it."""
Answer = Callable[..., Awaitable[Any]]
F = TypeVar("F", bound=Answer)


@dataclass(frozen=True)
class Question:
    """One question: its name, the function that answers it, and how surfaces may show the answer."""

    name: str
    """`noun.verb`"""
    answer: Answer
    shape: Shape
    audience: Audience
    period: str
    """The period when none is asked for: `30d`, `24h`, or `all`."""
    changes: bool
    """A request to change something rather than to know something."""
    topic: Topic = "messages"
    """Whose numbers it tells: of those who let everybody see what they do in this regard (see `shown.py`)."""

    @property
    def help(self) -> str:
        """The first line of the function's docstring."""
        return (self.answer.__doc__ or "").strip().splitlines()[0]


def query(
    name: str,
    *,
    shape: Shape = "table",
    audience: Audience = "everyone",
    period: str = "30d",
    changes: bool = False,
    topic: Topic = "messages",
) -> Callable[[F], F]:
    """Make a question of a function. Its signature is the interface, its docstring the help, its result the schema."""

    def declare(function: F) -> F:
        question = Question(name, function, shape, audience, period, changes, topic)
        function.__question__ = question  # type: ignore[attr-defined]
        return function

    return declare


@dataclass(frozen=True)
class Metric:
    """One Prometheus metric of a room, computed from the database when scraped."""

    name: str
    help: str
    sql: str
    """Gives one row a sample: the label values in order, then the value. Labels come from closed sets only."""
    labels: tuple[str, ...] = ()
    type: Literal["gauge", "counter"] = "gauge"
    alias_of: str = ""
    """The idiomatic metric that this one repeats under the peer's name."""


class Section(NamedTuple):
    """A room's settings: the section of config.json and the struct it is read as; every field has a default."""

    name: str
    kind: type[msgspec.Struct]


@dataclass(frozen=True)
class Statistic:
    """A room, declared."""

    name: str
    on: Mapping[type[Event], Reducer] = field(default_factory=dict)
    measures: tuple[str, ...] = ()
    """What this room adds to the wide ledger of people (`PEOPLE`)."""
    indexes: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """Further indexes of the tables of `PEOPLE`, over this room's measures; also over expressions in parentheses."""
    ledgers: tuple[Ledger, ...] = ()
    tables: tuple[Table, ...] = ()
    spans: tuple[Span, ...] = ()
    memory: type | None = None
    """The struct this room remembers under a key, loaded at start and saved with each batch."""
    settings: Section | None = None
    """What an operator may set; reducers get it from `moment.settings`."""
    questions: tuple[Answer, ...] = ()
    metrics: tuple[Metric, ...] = ()
    reads: tuple[str, ...] = ()
    """Rooms whose tables this room's questions read."""
