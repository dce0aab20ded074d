"""What userstats asks of a database. Two stand behind it: SQLite (`sqlite.py`) and PostgreSQL (`postgres.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from ..statistic import Ledger, Table
from ..writes import Rows

SCHEMA_VERSION: Final = 2
"""Raised where an older program could not write into what a newer one has prepared."""


class Position(msgspec.Struct, frozen=True):
    """How far the stream is applied, and how to recognise that it is still the same stream."""

    seq: int = 0
    stamp: int = 0
    """Nanoseconds since the epoch at which the broker stored message `seq`."""
    stream: str = ""
    """When the stream was created, as the broker says it."""


class Schema(NamedTuple):
    """Everything that must exist before the first batch."""

    tables: Sequence[Table]
    ledgers: Sequence[Ledger]
    measures: Mapping[str, tuple[str, ...]]
    """Columns of each ledger, by its name."""
    views: Sequence[tuple[str, str]] = ()
    """Compatibility views: name and SELECT, already in the database's dialect."""


class Fenced(Exception):
    """Another userstats owns the position now; this one must stop writing."""


class DatabaseGone(ConnectionError):
    """The database went away; nothing of the batch is stored, and it may be committed again."""


class WrongSchema(Exception):
    """The database belongs to a newer version of this program."""


class Reader(Protocol):
    """A snapshot for one question: every statement sees the same moment."""

    async def rows(self, sql: str, parameters: Mapping[str, object] = ...) -> list[tuple[Any, ...]]:
        """The rows of a SELECT with `:name` parameters; a list or tuple stands for a parenthesised list."""
        ...


class Store(Protocol):
    """Where userstats keeps everything."""

    dialect: str

    async def prepare(self, schema: Schema) -> None:
        """Create what is missing (tables, columns, keys, indexes, views). Raises WrongSchema."""
        ...

    async def take(self) -> Position:
        """Become the owner of the position: every earlier owner's next commit is refused. Returns the position."""
        ...

    async def commit(
        self, rows: Mapping[str, Rows], old: Position, new: Position, before: Mapping[str, int] = ...
    ) -> None:
        """One transaction: all rows, and the position from `old` to `new`; all or nothing.

        Of the tables in `before` it deletes and counts the rows of before that moment (see `Table.aging`).
        Raises Fenced, or what went wrong (DatabaseGone: the same batch may be committed again).
        """
        ...

    async def load(self, sql: str, parameters: Mapping[str, object] = ...) -> list[tuple[Any, ...]]:
        """Rows as the writer sees them; used at start."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot to answer a question from; never waits for the writer."""
        ...

    async def close(self) -> None: ...
