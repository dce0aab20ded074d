"""The SQLite database of kryten-userstats, read and never written: its tables, checked before anything is believed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, get_args

from userstats.contract.events import OldTable

COLUMNS: Final[Mapping[OldTable, tuple[str, ...]]] = {
    "users": ("username", "first_seen_at", "last_seen_at"),
    "user_aliases": ("username", "alias"),
    "message_counts": ("username", "channel", "domain", "message_count"),
    "pm_counts": ("username", "pm_count"),
    "population_snapshots": ("channel", "domain", "timestamp", "connected_count", "chat_count"),
    "media_changes": ("channel", "domain", "timestamp", "media_title", "media_type", "media_id"),
    "user_activity": ("username", "channel", "domain", "total_time_seconds", "not_afk_time_seconds"),
    "emote_usage": ("username", "channel", "domain", "emote", "usage_count"),
    "kudos_plusplus": ("username", "channel", "domain", "kudos_count"),
    "kudos_phrases": ("username", "channel", "domain", "phrase", "kudos_count"),
    "kudos_trigger_phrases": ("phrase",),
    "population_watermarks": ("channel", "domain", "timestamp", "total_users", "chat_users"),
    "movie_votes": ("channel", "domain", "media_title", "media_type", "media_id", "username", "vote", "timestamp"),
}
"""What is read of each table."""
_NEEDED: Final[frozenset[OldTable]] = frozenset({"users", "message_counts"})
"""Every version has these; others came later."""


class Unusable(Exception):
    """This is no database of kryten-userstats, or it is damaged."""


class OldDatabase:
    """One snapshot of an open database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.tables: tuple[OldTable, ...] = tuple(name for name in get_args(OldTable) if self._has(name))

    def rows(self, table: OldTable) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Number and values of each row, in order of their numbers; nothing where there is no such table."""
        if table in self.tables:
            columns = ", ".join(COLUMNS[table])
            for row, *values in self._connection.execute(f"SELECT rowid, {columns} FROM {table} ORDER BY rowid"):  # noqa: S608
                yield row, tuple(values)

    def _has(self, table: OldTable) -> bool:
        found = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
        kind = self._connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        if kind != ("table",):
            if table in _NEEDED:
                raise Unusable(f"it has no table {table}; it is no database of kryten-userstats")
            return False
        if missing := set(COLUMNS[table]) - found:
            raise Unusable(f"its table {table} has no column {min(missing)}")
        return True


@contextmanager
def opened(path: Path) -> Iterator[OldDatabase]:
    """The database in this file, read-only and in one snapshot, so that a program may go on writing to it.

    Raises Unusable.
    """
    if not path.is_file():
        raise Unusable("there is no such file")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.text_factory = _text
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("BEGIN")
        faults = [str(fault) for (fault,) in connection.execute("PRAGMA quick_check(3)")]
        if faults != ["ok"]:
            raise Unusable(f"it is damaged: {'; '.join(faults)}")
        yield OldDatabase(connection)
    except sqlite3.Error as error:
        raise Unusable(str(error)) from error
    finally:
        connection.close()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
