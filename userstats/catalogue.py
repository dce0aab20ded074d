"""Every statistic and every question there is, read from the folder `stats/`. Nobody keeps a second list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from . import stats
from .contract.config import Config
from .contract.events import Event
from .statistic import PEOPLE, Ledger, Metric, Question, Reducer, Span, Statistic, Table
from .store.seam import Schema
from .tables import ENGINE


@dataclass(frozen=True)
class Catalogue:
    """The rooms, and what follows from their declarations."""

    rooms: tuple[Statistic, ...]
    reducers: Mapping[type[Event], tuple[tuple[str, Reducer], ...]]
    """For each kind of event the rooms that want it, in order of their names."""
    spans: Mapping[str, Span]
    ledgers: tuple[Ledger, ...]
    measures: Mapping[str, tuple[str, ...]]
    """Columns of each ledger, by its name."""
    questions: Mapping[str, Question]
    metrics: tuple[Metric, ...]
    memories: Mapping[str, type]
    """Type of what each room remembers."""

    def tables(self) -> tuple[Table, ...]:
        """Every table, the engine's own included."""
        own = (table for room in self.rooms for table in room.tables)
        ledgers = (table for ledger in self.ledgers for table in ledger.tables(self.measures[ledger.name]))
        return (*ENGINE, *own, *(self._indexed(table) for table in ledgers))

    def _indexed(self, table: Table) -> Table:
        further = tuple(index for room in self.rooms for index in room.indexes.get(table.name, ()))
        return replace(table, indexes=(*table.indexes, *further)) if further else table

    def defaults(self) -> dict[str, msgspec.Struct]:
        """The settings of each room that has any, as they are when nothing is set."""
        return {room.name: room.settings.kind() for room in self.rooms if room.settings}

    def settings(self, config: Config) -> dict[str, msgspec.Struct]:
        """The settings of each room that has any. Raises ConfigError."""
        return {room.name: config.section(*room.settings) for room in self.rooms if room.settings}

    def schema(self, views: Iterable[tuple[str, str]] = ()) -> Schema:
        """What the database must hold."""
        return Schema(self.tables(), self.ledgers, self.measures, tuple(views))


def read() -> Catalogue:
    """Read the folder. Raises ValueError where two rooms claim one name."""
    names = sorted(module.name for module in pkgutil.iter_modules(stats.__path__))
    rooms = [importlib.import_module(f"{stats.__name__}.{name}").STATISTIC for name in names]
    return build(rooms)


def build(rooms: Iterable[Statistic]) -> Catalogue:
    """A catalogue of these rooms."""
    rooms = tuple(rooms)
    reducers: dict[type[Event], list[tuple[str, Reducer]]] = {}
    for room in rooms:
        for kind, reducer in room.on.items():
            reducers.setdefault(kind, []).append((room.name, reducer))
    measures = {PEOPLE.name: tuple(_once(measure for room in rooms for measure in room.measures))}
    ledgers = [PEOPLE]
    for ledger in (ledger for room in rooms for ledger in room.ledgers):
        ledgers.append(ledger)
        measures[ledger.name] = ledger.measures
    declared = [answer.__question__ for room in rooms for answer in room.questions]  # type: ignore[attr-defined]
    questions = {question.name: question for question in declared}
    _once(question.name for question in declared)
    _once(span.name for room in rooms for span in room.spans)
    return Catalogue(
        rooms,
        {kind: tuple(found) for kind, found in reducers.items()},
        {span.name: span for room in rooms for span in room.spans},
        tuple(ledgers),
        measures,
        dict(sorted(questions.items())),
        tuple(metric for room in rooms for metric in room.metrics),
        {room.name: room.memory for room in rooms if room.memory},
    )


def _once(names: Iterable[str]) -> list[str]:
    seen: dict[str, None] = {}
    for name in names:
        if name in seen:
            raise ValueError(f"two rooms declare {name!r}")
        seen[name] = None
    return list(seen)
