"""docs/reference/tables.md: every table and view of the database, from the rooms' declarations."""

from __future__ import annotations

import ast
import importlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from scripts.reference_words import code, page, paragraph, table, texts_below
from userstats import catalogue
from userstats.statistic import PEOPLE, Column, Ledger, Statistic, Table
from userstats.store import sql
from userstats.store.views import views
from userstats.tables import ENGINE

_HOME: Final = Path(str(catalogue.__file__)).parent
_MERGE: Final = {"add": " +", "low": " min", "high": " max", "put": ""}
_OPENING: Final = """
The same in SQLite and in PostgreSQL. Columns are 64-bit integers unless they say *text*; times are milliseconds since
the epoch, UTC. A `person` is a pseudonym, a `place` a number of the table `places`. What happens when a row is written
again is in its columns: `+` adds up, `min` and `max` keep the extreme, all others have the newest value.

For SQL of your own, begin with the [views](#views): they hold names and whole seconds, and stay as they are. The tables
may change from one version to the next.
"""
_LEDGERS: Final = """
A *ledger* is a family of tables with the same sums. Reducers write quarter hours only; days (UTC), totals and further
roll-ups follow in the same transaction. `quarter` and `day` count from the epoch: `quarter * 900000` and
`day * 86400000` are milliseconds.
"""


def text() -> str:
    """The page."""
    known = catalogue.read()
    notes = _notes()
    people = known.measures[PEOPLE.name]
    parts = [f"## Ledgers\n\n{_LEDGERS.strip()}"]
    parts.append(f"### {code(PEOPLE.name)}\n\nThe ledger of what people did where; every room may add measures to it.")
    parts.append(_tables(PEOPLE.tables(people), notes))
    parts += [_room(room, notes) for room in known.rooms if room.tables or room.ledgers or room.measures]
    parts.append(f"## The engine's own tables\n\n{_tables(ENGINE, _ENGINE | notes)}\n\n{_POSITION.strip()}")
    parts.append(_views(known))
    return page("Tables and views", _OPENING, *parts)


_ENGINE: Final = {
    "places": "Every room and server by its number; `name` and `type` are what the platform calls it.",
    "producers": "Which rows of which outbox are counted: the highest, and those below it that never came.",
    "recent_ids": "The ids of the last 256 facts of a place: what two bridges told is recognised.",
    "watches": "Who observes a place, since when, and when it last gave a sign of life.",
    "observed": "When a place was observed without a break. What is in none of these rows is unknown.",
    "open_spans": "States that last (present, AFK): since `began`, credited up to `since`.",
    "room_memory": "What a statistic remembers between two events.",
    "dead_letters": "Messages of the stream that were no events: why, and where in them; nothing of their text.",
    "parked_events": "Events that one statistic failed on; the others have counted them.",
    "aged_rows": "How many dead letters (by reason) and parked events (by statistic) grew old and were deleted.",
}
_POSITION: Final = """
`stream_position` has one row: how far the stream is counted (`seq`, `stamp`), of which stream (`stream`), who may write
(`epoch`: each start raises it, and an older process is refused), and the version of the schema.
"""


def _notes() -> dict[str, str]:
    """What stands in the source below the declaration of a table or ledger, by its name."""
    found: dict[str, str] = {}
    for file in (*sorted(_HOME.glob("*.py")), *sorted((_HOME / "stats").glob("*.py"))):
        for value, below in texts_below(file).values():
            if below and isinstance(value, ast.Call) and ast.unparse(value.func) in ("Table", "Ledger"):
                found[str(ast.literal_eval(value.args[0]))] = below
    return found


def _room(room: Statistic, notes: Mapping[str, str]) -> str:
    module = importlib.import_module(f"userstats.stats.{room.name}")
    parts = [f"## {code(room.name)}", paragraph(module.__doc__)]
    if room.measures:
        parts.append(f"Measures of the ledger {code(PEOPLE.name)}: {_codes(room.measures)}.")
    for ledger in room.ledgers:
        parts += [_ledger(ledger, notes), _tables(ledger.tables(ledger.measures), {})]
    if room.tables:
        parts.append(_tables(room.tables, notes))
    return "\n\n".join(parts)


def _ledger(ledger: Ledger, notes: Mapping[str, str]) -> str:
    return f"Ledger {code(ledger.name)}. {notes.get(ledger.name, '')}".strip()


def _tables(tables: Iterable[Table], notes: Mapping[str, str]) -> str:
    rows = []
    for one in tables:
        columns = ", ".join(_column(name, column) for name, column in one.columns.items())
        kept = "Kept by every rebuild. " if one.kept else ""
        key = ", ".join(_column(name, column) for name, column in one.key.items())
        rows.append((code(one.name), key, f"{columns}. {kept}{notes.get(one.name, '')}".strip()))
    return table(("Table", "Key", "Columns"), rows)


def _column(name: str, column: Column) -> str:
    kind = {"TEXT": " text", "BIGINT": "", "DOUBLE PRECISION": " fraction"}[column.type]
    return f"{code(name)}{kind}{_MERGE[column.merge]}"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _views(known: catalogue.Catalogue) -> str:
    """Every view with its columns, as a database with these tables has them."""
    module = importlib.import_module("userstats.store.views")
    database = sqlite3.connect(":memory:")
    for one in known.tables():
        database.execute(sql.create_table(one))
    rows = []
    for name, select in views("sqlite"):
        database.execute(f"CREATE VIEW {name} AS {select}")
        rows.append((code(name), _codes(column[1] for column in database.execute(f"PRAGMA table_info({name})"))))
    database.close()
    return f"## Views\n\n{paragraph(module.__doc__)}\n\n{table(('View', 'Columns'), rows)}"
