"""The file under an outbox: what is stored, and every statement that reads or writes it.

Rows are numbered from 1 without gaps; the numbers are never used twice. `total` is the weight of all rows up to and
including this one, so that the weight of any span of rows is one subtraction. A row's number may change until it was
first tried on the broker, never after.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import aiosqlite

log = logging.getLogger(__name__)

_VERSION: Final = 1
_SCHEMA: Final = """
    CREATE TABLE outbox (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        subject TEXT NOT NULL,
        body BLOB NOT NULL,
        at INTEGER NOT NULL,
        total INTEGER NOT NULL
    );
    CREATE TABLE cursors (
        place TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (place, key)
    ) WITHOUT ROWID;
    CREATE TABLE acks (second INTEGER PRIMARY KEY, n INTEGER NOT NULL);
    CREATE TABLE known (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_ROW_WEIGHT: Final = 40
_CHUNK: Final = 1000


class OutboxTaken(Exception):
    """Another process uses this outbox."""


class OutboxUnreadable(Exception):
    """The file is no outbox, is damaged, or was written by a newer version."""


class Row(NamedTuple):
    """One event in the outbox."""

    n: int
    subject: str
    body: bytes
    """Unsealed, see `wire.seal`."""
    at: int
    """When it was observed, by this machine's clock, in milliseconds since the epoch."""
    total: int


class Draft(NamedTuple):
    """An event that has no number yet."""

    subject: str
    body: bytes
    at: int

    @property
    def weight(self) -> int:
        """Bytes that this takes in the file, about."""
        return len(self.subject) + len(self.body) + _ROW_WEIGHT


Judge = Callable[[Row], bytes | None]
"""What becomes of a row: its body, another body, or None: the row goes."""


class OutboxFile:
    """One open outbox. Each write is one transaction, on disk (fsync) when its call returns."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._lock = asyncio.Lock()
        self.producer = ""
        self.cursors: dict[tuple[str, str], str] = {}
        self.known: dict[str, str] = {}
        self.first = 1
        """The lowest number in the file; `last + 1` where it is empty."""
        self.last = 0
        self.total = 0
        self.freed = 0
        """Weight of everything before `first`."""
        self.acked = 0
        self.acked_total = 0
        self.tried = 0
        """Rows up to this one may be known to the broker, so they keep their numbers."""

    @classmethod
    async def open(cls, path: Path) -> Self:
        """The outbox in this file, which is made if absent (0600).

        Raises OutboxTaken or OutboxUnreadable.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = await aiosqlite.connect(path, isolation_level=None, timeout=1.0)
        file = cls(connection)
        try:
            await file._prepare()
            await file._load()
        except BaseException as error:
            await connection.close()
            if not isinstance(error, sqlite3.DatabaseError):
                raise
            if "locked" in str(error):
                raise OutboxTaken(f"{path.name} is used by another process") from error
            raise OutboxUnreadable(f"{path.name}: {error}") from error
        return file

    async def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            await self._connection.execute(f"PRAGMA {pragma}")
        async with self._transaction():
            version = await self._number("PRAGMA user_version")
            if version > _VERSION:
                raise OutboxUnreadable(f"the outbox has version {version}, this program knows {_VERSION}")
            if version == 0:
                for statement in _SCHEMA.split(";")[:-1]:
                    await self._connection.execute(statement)
                await self._connection.execute("INSERT INTO known VALUES ('producer', ?)", (uuid.uuid4().hex,))
                await self._connection.execute(f"PRAGMA user_version={_VERSION}")

    async def _load(self) -> None:
        self.known = dict(await self._all("SELECT key, value FROM known"))
        self.producer = self.known["producer"]
        self.cursors = {(p, k): v for p, k, v in await self._all("SELECT place, key, value FROM cursors")}
        self.last = await self._number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")
        ends = await self._all(
            "SELECT n, subject, body, at, total FROM outbox"
            " WHERE n IN ((SELECT min(n) FROM outbox), (SELECT max(n) FROM outbox)) ORDER BY n"
        )
        self.first = self.last + 1
        if ends:
            lowest = Row(*ends[0])
            self.first = lowest.n
            self.freed = lowest.total - Draft(lowest.subject, lowest.body, lowest.at).weight
            self.total = ends[-1][4]
        self.acked = max(self.first - 1, await self._number("SELECT coalesce(max(n), 0) FROM acks"))
        self.acked_total = await self._total_at(self.acked)
        self.tried = self.last if self.known.get("tried") else 0

    async def close(self) -> None:
        async with self._lock:
            await self._connection.close()

    async def append(self, drafts: Sequence[Draft], cursors: Mapping[tuple[str, str], str], second: int) -> None:
        """Add these rows, these cursors, and how far the broker has acknowledged, all of it or nothing."""
        async with self._transaction():
            n, total = self.last, self.total  # known only now: `revise` may have changed them while we waited
            rows = []
            for draft in drafts:
                n += 1
                total += draft.weight
                rows.append((n, draft.subject, draft.body, draft.at, total))
            if rows:
                await self._connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", rows)
            if cursors:
                changed = [(place, key, value) for (place, key), value in cursors.items()]
                await self._connection.executemany("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", changed)
            await self._connection.execute("INSERT OR REPLACE INTO acks VALUES (?, ?)", (second, self.acked))
        self.last, self.total = n, total

    async def take(self, most: int, weight: int) -> list[Row]:
        """The next rows to publish, at least one if there is any; from now on they keep their numbers."""
        async with self._lock:
            if self.acked >= self.last:
                return []
            if not self.known.get("tried"):
                await self._connection.execute("INSERT OR REPLACE INTO known VALUES ('tried', 'yes')")
                self.known["tried"] = "yes"
            rows = await self._rows(self.acked, most)
            while len(rows) > 1 and rows[-1].total - self.acked_total > weight:
                rows = rows[: max(1, len(rows) // 2)]
            self.tried = max(self.tried, rows[-1].n)
            return rows

    async def acknowledged(self, after: int) -> list[Row]:
        """The next acknowledged rows after this one that are still kept."""
        async with self._lock:
            return [row for row in await self._rows(after, _CHUNK) if row.n <= self.acked]

    async def graceless(self, second: int) -> int:
        """The highest number that was acknowledged before this second."""
        async with self._lock:
            return await self._number("SELECT coalesce(max(n), 0) FROM acks WHERE second < ?", (second,))

    async def trim(self, until: int, second: int) -> None:
        """Delete rows up to this number, at most some thousands, and the marks of what is gone."""
        until = min(until, self.acked, self.first + 5 * _CHUNK - 1)
        if until < self.first:
            return
        freed = await self._total_at(until)
        async with self._transaction():
            await self._connection.execute("DELETE FROM outbox WHERE n <= ?", (until,))
            await self._connection.execute("DELETE FROM acks WHERE n <= ? AND second < ?", (until, second))
        self.first, self.freed = until + 1, freed

    async def revise(self, judge: Judge) -> int:
        """Judge every row that was never tried, closing the gaps; returns how many rows went."""
        changed = False
        async with self._transaction():
            old = new = self.tried
            total = await self._total_at(self.tried)
            while rows := [row for row in await self._rows(old, _CHUNK) if row.n <= self.last]:
                kept: list[tuple[int, str, bytes, int, int]] = []
                for row in rows:
                    body = judge(row)
                    changed = changed or body != row.body
                    if body is not None:
                        new += 1
                        total += Draft(row.subject, body, row.at).weight
                        kept.append((new, row.subject, body, row.at, total))
                if changed:
                    await self._connection.execute("DELETE FROM outbox WHERE n > ? AND n <= ?", (old, rows[-1].n))
                    await self._connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", kept)
                old = rows[-1].n
            if changed:
                await self._connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'outbox'", (new,))
        gone = self.last - new
        self.last, self.total = new, total
        return gone

    async def remember(self, key: str, value: str) -> None:
        """Keep a text under this key."""
        async with self._transaction():
            await self._connection.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", (key, value))
        self.known[key] = value

    async def reread(self) -> None:
        """After a failed write: what the file really holds now."""
        tried = self.tried
        async with self._lock:
            acked = self.acked
            await self._load()
            if acked > self.acked:
                self.acked, self.acked_total = acked, await self._total_at(acked)
        self.tried = tried

    async def _rows(self, after: int, most: int) -> list[Row]:
        found = await self._all(
            "SELECT n, subject, body, at, total FROM outbox WHERE n > ? AND n <= ? ORDER BY n LIMIT ?",
            (after, self.last, most),
        )
        return [Row(*row) for row in found]

    async def _total_at(self, n: int) -> int:
        if n >= self.last:
            return self.total
        if n < self.first:
            return self.freed
        return await self._number("SELECT total FROM outbox WHERE n = ?", (n,))

    async def _number(self, statement: str, values: Sequence[object] = ()) -> int:
        return int((await self._all(statement, values))[0][0])

    async def _all(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        return list(await self._connection.execute_fetchall(statement, values))

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._lock:
            await self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                await self._connection.commit()
            except BaseException:
                await self._connection.rollback()
                raise
