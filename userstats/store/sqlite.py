"""SQLite behind the seam: WAL, one writer, read-only connections for questions (guarantee G23)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiosqlite

from ..statistic import Table
from ..writes import Rows
from . import sql
from .seam import SCHEMA_VERSION, Fenced, Position, Schema, WrongSchema

_PRAGMAS: Final = (
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # data and position roll back together, so a power cut costs nothing
    "PRAGMA busy_timeout = 5000",
    "PRAGMA secure_delete = ON",  # an erased name must not stay readable in free pages
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32000",
    "PRAGMA wal_autocheckpoint = 4000",
)
_READER_PRAGMAS: Final = ("PRAGMA query_only = ON", "PRAGMA busy_timeout = 5000", "PRAGMA cache_size = -4000")
_READERS: Final = 3
_ROWS: Final = " WITHOUT ROWID"


class SQLiteReader:
    """One read transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: str, parameters: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        text, flat = sql.expand(statement, parameters)
        return [tuple(row) for row in await self._connection.execute_fetchall(text, flat)]


class SQLiteStore:
    """See `seam.Store`."""

    dialect = "sqlite"

    def __init__(self, path: Path, writer: aiosqlite.Connection) -> None:
        self._path = path
        self._writer = writer
        self._free: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._readers: list[aiosqlite.Connection] = []
        self._opened = 0
        self._epoch = 0
        self._tables: dict[str, Table] = {}

    @classmethod
    async def open(cls, path: Path) -> SQLiteStore:
        """Open the database file, or make it (0600: there are names in it)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        writer = await aiosqlite.connect(path, isolation_level=None)
        try:
            for pragma in _PRAGMAS:
                await writer.execute(pragma)
        except BaseException:
            await writer.close()  # its thread would keep the process from ending
            raise
        return cls(path, writer)

    async def prepare(self, schema: Schema) -> None:
        try:
            await self._writer.execute("BEGIN IMMEDIATE")
            await self._check_owner({name for name, _ in schema.views})
            await self._check_version()
            for table in schema.tables:
                await self._prepare_table(table)
            for name, select in schema.views:
                await self._writer.execute(f"DROP VIEW IF EXISTS {name}")
                await self._writer.execute(f"CREATE VIEW {name} AS {select}")
            await self._writer.execute("COMMIT")
        except BaseException:
            await self._writer.rollback()  # nothing to do where SQLite has rolled back already (a full disk)
            raise

    async def _check_owner(self, views: Set[str]) -> None:
        """Refuse a database whose tables have the names of our views: it is another program's."""
        tables = {name for (name,) in await self._fetch("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if taken := sorted(views & tables):
            raise WrongSchema(
                f"{self._path}: belongs to another program (it has tables {', '.join(taken)}). To take over a database "
                "of kryten-userstats, move it aside and run scripts/import_kryten.py --db FILE"
            )

    async def _check_version(self) -> None:
        await self._writer.execute(sql.POSITION_TABLE)
        await self._writer.execute(sql.POSITION_START.format(version=SCHEMA_VERSION))
        ((version,),) = await self._fetch(sql.POSITION_READ)
        if version > SCHEMA_VERSION:
            raise WrongSchema(
                f"{self._path}: written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})"
            )
        await self._writer.execute(sql.POSITION_UPGRADE.format(version=SCHEMA_VERSION))

    async def _prepare_table(self, table: Table) -> None:
        self._tables[table.name] = table
        await self._writer.execute(sql.create_table(table, _ROWS))
        present = {row[1]: bool(row[5]) for row in await self._fetch(f"PRAGMA table_info({table.name})")}
        if {name for name, in_key in present.items() if in_key} != set(table.key):
            for statement in sql.rekey(table, present, _ROWS):
                await self._writer.execute(statement)
            present |= dict.fromkeys(table.columns, False)
        for name in table.columns:
            if name not in present:
                await self._writer.execute(sql.add_column(table, name))
        for index in sql.create_indexes(table):
            await self._writer.execute(index)

    async def take(self) -> Position:
        ((epoch, seq, stamp, stream),) = await self._fetch(sql.POSITION_TAKE)
        self._epoch = epoch
        return Position(seq, stamp, stream)

    async def commit(
        self, rows: Mapping[str, Rows], old: Position, new: Position, before: Mapping[str, int] = {}
    ) -> None:
        writer = self._writer
        try:
            await writer.execute("BEGIN IMMEDIATE")
            moved = await writer.execute(
                sql.POSITION_MOVE,
                {"seq": new.seq, "stamp": new.stamp, "stream": new.stream, "epoch": self._epoch, "old": old.seq},
            )
            if moved.rowcount != 1:
                raise Fenced("another userstats has taken over this database")
            for name, table_rows in rows.items():
                await self._write(self._tables[name], table_rows)
            for statement, parameters in sql.age(self._tables, before):
                await writer.execute(statement, parameters)
            await writer.execute("COMMIT")
        except BaseException:
            await self._writer.rollback()  # nothing to do where SQLite has rolled back already (a full disk)
            raise

    async def _write(self, table: Table, rows: Rows) -> None:
        written, deleted = sql.groups(rows)
        if deleted:
            where = " AND ".join(f"{name} = ?" for name in table.key)
            await self._writer.executemany(f"DELETE FROM {table.name} WHERE {where}", deleted)
        for columns, group in written.items():
            names = (*table.key, *columns)
            marks = ", ".join("?" * len(names))
            statement = f"{sql.insert(table.name, names)} VALUES ({marks}) {sql.on_conflict(table, columns)}"
            values = [key + tuple(map(sql.plain, row.values())) for key, row in group]
            await self._writer.executemany(statement, values)

    async def load(self, statement: str, parameters: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        text, flat = sql.expand(statement, parameters)
        return await self._fetch(text, flat)

    async def _fetch(self, text: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self._writer.execute_fetchall(text, parameters or {})]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SQLiteReader]:
        connection = await self._reader()
        try:
            await connection.execute("BEGIN")
            yield SQLiteReader(connection)
        except asyncio.CancelledError:
            await connection.interrupt()  # past its deadline; its thread must not work on
            raise
        finally:
            await self._returned(connection)

    async def _returned(self, connection: aiosqlite.Connection) -> None:
        try:
            await connection.rollback()
        finally:
            self._free.put_nowait(connection)

    async def _reader(self) -> aiosqlite.Connection:
        if not self._free.empty() or self._opened == _READERS:
            return await self._free.get()
        self._opened += 1
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            connection = await aiosqlite.connect(uri, uri=True, isolation_level=None)
            self._readers.append(connection)
            for pragma in _READER_PRAGMAS:
                await connection.execute(pragma)
        except BaseException:
            self._opened -= 1
            raise
        return connection

    async def close(self) -> None:
        for connection in (*self._readers, self._writer):
            try:
                await connection.close()
            except (ValueError, sqlite3.Error):  # closed already
                continue
