"""PostgreSQL behind the seam, over asyncpg (the extra `postgres`).

One connection writes, a small pool answers questions. The rows of a batch travel as arrays, one statement for each
table and set of columns. A database that goes away is waited for, with the outcome of a commit that it may or may
not have finished: nothing is counted twice and nothing is left out.

A little over 300 lines: connection, writer and reader share what a lost connection means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from ..statistic import Table
from ..writes import Key, Rows
from . import sql
from .seam import SCHEMA_VERSION, DatabaseGone, Fenced, Position, Schema, WrongSchema

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger(__name__)

_READERS: Final = 4
_WRITER: Final = {
    "application_name": "userstats",
    "synchronous_commit": "off",  # data and position are lost together, so a power cut costs nothing
    "idle_in_transaction_session_timeout": "30s",  # a writer that the network cut off must not keep the position
}
_READER: Final = {
    "application_name": "userstats-questions",
    "default_transaction_read_only": "on",
    "jit": "off",  # compiling a question takes longer than answering it
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
}
_PATIENCE: Final = 60.0
"""Seconds a statement of the writer may take before its connection counts as lost."""
_LONG: Final = 3600.0
"""Seconds that making what is missing may take (an index over a big table)."""
_PREPARING: Final = 7_234_115_098
"""Advisory lock: two that start at once must not both create a table."""
_PRESENT: Final = """
SELECT c.relname, a.attname, COALESCE(a.attnum = ANY(i.indkey), FALSE) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
"""Every column there is, and whether it is of its table's key."""
_ROWS: Final = " WITH (fillfactor = 80)"
_TEXT: Final = 'TEXT COLLATE "C"'
_ARRAYS: Final = {"BIGINT": "bigint[]", "TEXT": "text[]", "DOUBLE PRECISION": "double precision[]"}


class MissingDriver(RuntimeError):
    """asyncpg is not installed."""


class PostgresReader:
    """One read transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: str, parameters: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        text, values = sql.numbered(statement, parameters)
        return [tuple(row) for row in await self._connection.fetch(text, *values)]


class PostgresStore:
    """See `seam.Store`."""

    dialect = "postgres"

    def __init__(self, driver: Any, url: str, schema: str) -> None:
        self._driver = driver
        self._url = url
        self._schema = schema
        self._lost: tuple[type[BaseException], ...] = (
            OSError,  # and with it TimeoutError
            driver.InterfaceError,
            driver.PostgresConnectionError,
            driver.AdminShutdownError,
            driver.CrashShutdownError,
            driver.CannotConnectNowError,
            driver.TooManyConnectionsError,
            driver.IdleInTransactionSessionTimeoutError,
        )
        self._refusals: tuple[type[BaseException], ...] = (
            driver.InsufficientResourcesError,  # a full disk
            driver.OperatorInterventionError,
            driver.TransactionRollbackError,
            driver.PostgresSystemError,
            driver.ReadOnlySQLTransactionError,  # a replica that is to become the primary
            driver.LockNotAvailableError,
        )
        """What passes by itself, or once somebody has made room."""
        self._turn = asyncio.Lock()
        self._writer: asyncpg.Connection | None = None
        self._pool: asyncpg.Pool = driver.create_pool(
            url, min_size=0, max_size=_READERS, init=_whole_numbers, server_settings=self._settings(_READER)
        )
        self._epoch = 0
        self._tables: dict[str, Table] = {}

    @classmethod
    async def open(cls, url: str, schema: str = "") -> PostgresStore:
        """Connect to `postgresql://...`; `schema` is made if absent (default: the role's own first one).

        Raises MissingDriver, or asyncpg's or the system's error when the database does not answer now.
        """
        store = cls(_driver(), url, schema)
        store._writer = await store._connect()
        if schema:
            await store._writer.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
        await store._pool
        return store

    async def prepare(self, schema: Schema) -> None:
        async with self._turn:
            writer = await self._writing()
            async with writer.transaction():
                await writer.execute(f"SELECT pg_advisory_xact_lock({_PREPARING})", timeout=_LONG)
                await self._check_version(writer)
                present: dict[str, dict[str, bool]] = {}
                for table, column, in_key in await writer.fetch(_PRESENT):
                    present.setdefault(table, {})[column] = in_key
                missing = _preparations(schema, present)
                await writer.execute(";\n".join(missing), timeout=_LONG)
        self._tables = {table.name: table for table in schema.tables}

    @staticmethod
    async def _check_version(writer: asyncpg.Connection) -> None:
        await writer.execute(sql.POSITION_TABLE)
        await writer.execute(sql.POSITION_START.format(version=SCHEMA_VERSION))
        version = await writer.fetchval(sql.POSITION_READ)
        if version > SCHEMA_VERSION:
            raise WrongSchema(
                f"the database was written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})"
            )
        await writer.execute(sql.POSITION_UPGRADE.format(version=SCHEMA_VERSION))

    async def take(self) -> Position:
        async with self._turn:
            with self._noticing():
                self._epoch, *position = await (await self._writing()).fetchrow(sql.POSITION_TAKE)
        return Position(*position)

    async def commit(
        self, rows: Mapping[str, Rows], old: Position, new: Position, before: Mapping[str, int] = {}
    ) -> None:
        async with self._turn:
            writer = await self._writing()
            try:
                with self._noticing():
                    await writer.execute("BEGIN")
                    await self._move(writer, old, new)
                    for name, table_rows in rows.items():
                        await self._write(writer, self._tables[name], table_rows)
                    for statement, parameters in sql.age(self._tables, before):
                        text, values = sql.numbered(statement, parameters)
                        await writer.execute(text, *values)
            except BaseException:
                await self._abandon(writer)
                raise
            try:
                await writer.execute("COMMIT")
            except self._lost as error:
                writer.terminate()
                await self._resolve(new, error)
            except BaseException:
                writer.terminate()
                with self._noticing():
                    raise

    async def _move(self, writer: asyncpg.Connection, old: Position, new: Position) -> None:
        """Take the position's row, so that one writer at a time goes on from here, and move it."""
        parameters = {"seq": new.seq, "stamp": new.stamp, "stream": new.stream, "epoch": self._epoch, "old": old.seq}
        text, values = sql.numbered(sql.POSITION_MOVE, parameters)
        if await writer.execute(text, *values) != "UPDATE 1":
            raise Fenced("another userstats has taken over this database")

    async def _write(self, writer: asyncpg.Connection, table: Table, rows: Rows) -> None:
        written, deleted = sql.groups(rows)
        if deleted:
            await writer.execute(_delete(table), *_columns(deleted))
        for columns, group in written.items():
            values = [key + tuple(map(sql.plain, row.values())) for key, row in group]
            await writer.execute(_upsert(table, columns), *_columns(values))

    async def _abandon(self, writer: asyncpg.Connection) -> None:
        """Roll back; a connection that cannot even do that is dropped, and the server rolls back by itself."""
        rolled_back = False
        try:
            await writer.execute("ROLLBACK", timeout=5)
            rolled_back = True
        except self._lost as error:
            log.debug("the connection is lost, the server rolls back by itself (%s)", type(error).__name__)
        finally:
            if not rolled_back:
                writer.terminate()

    async def _resolve(self, new: Position, error: BaseException) -> None:
        """The connection broke during COMMIT: find out whether it happened; if not, raise why.

        Taking the row's lock waits for the server to be done with the broken transaction, one way or the other.
        """
        found = None
        while found is None:
            try:
                found = await (await self._writing()).fetchrow(sql.POSITION_LOCK)
            except self._lost as again:
                log.debug("asking for the outcome of a commit failed (%s); asking again", type(again).__name__)
                await asyncio.sleep(0.1)
        epoch, seq = found
        if epoch != self._epoch:
            raise Fenced("another userstats has taken over this database") from error
        if seq != new.seq:
            raise DatabaseGone("the connection broke during a commit, which did not happen") from error
        log.info("the connection broke during a commit; it had happened")

    async def load(self, statement: str, parameters: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        text, values = sql.numbered(statement, parameters)
        async with self._turn:
            with self._noticing():
                return [tuple(row) for row in await (await self._writing()).fetch(text, *values)]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PostgresReader]:
        with self._noticing():
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield PostgresReader(connection)

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()
        if self._writer:
            self._writer.terminate()

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except self._lost as error:
            raise DatabaseGone(f"the database is gone ({type(error).__name__})") from error
        except self._refusals as error:
            raise DatabaseGone(f"the database refuses ({type(error).__name__})") from error

    async def _writing(self) -> asyncpg.Connection:
        """The writer's connection; a database that is gone is waited for."""
        wait = 0.1
        gone = False
        while self._writer is None or self._writer.is_closed():
            try:
                self._writer = await self._connect()
            except self._lost as error:
                if not gone:
                    log.warning("the database is gone (%s); waiting for it", type(error).__name__)
                gone = True
                await asyncio.sleep(wait)
                wait = min(2 * wait, 5.0)
        if gone:
            log.warning("the database is back")
        return self._writer

    async def _connect(self) -> asyncpg.Connection:
        connection = await self._driver.connect(
            self._url, command_timeout=_PATIENCE, statement_cache_size=1000, server_settings=self._settings(_WRITER)
        )
        await _whole_numbers(connection)
        return connection

    def _settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        return {**settings, "search_path": _quoted(self._schema)} if self._schema else dict(settings)


def _driver() -> Any:
    try:
        import asyncpg  # noqa: PLC0415  (an extra; SQLite works without it)
    except ImportError as error:
        raise MissingDriver(
            "database.url is set, but the PostgreSQL driver is not installed: pip install chat-userstats[postgres]"
        ) from error
    return asyncpg


async def _whole_numbers(connection: asyncpg.Connection) -> None:
    """A sum of BIGINT is NUMERIC and written without a point: an int, as in SQLite. What has a point is a float."""
    await connection.set_type_codec(
        "numeric",
        schema="pg_catalog",
        encoder=str,
        decoder=lambda text: int(text) if text.lstrip("-").isdigit() else float(text),
        format="text",
    )


def _preparations(schema: Schema, present: Mapping[str, Mapping[str, bool]]) -> list[str]:
    """The statements that make what is missing; `present` says of each table's columns whether they are of its key."""
    names = [name for name, _ in schema.views]
    statements = [f"DROP VIEW IF EXISTS {', '.join(names)} CASCADE"] if names else []
    for table in schema.tables:
        columns = present.get(table.name)
        if columns is None:
            statements.append(sql.create_table(table, _ROWS, _TEXT))
        elif {name for name, in_key in columns.items() if in_key} != set(table.key):
            statements += sql.rekey(table, columns, _ROWS, _TEXT)
        else:
            statements += [sql.add_column(table, name, _TEXT) for name in table.columns if name not in columns]
        statements += sql.create_indexes(table)
    return [*statements, *(f"CREATE VIEW {name} AS {select}" for name, select in schema.views)]


def _upsert(table: Table, columns: tuple[str, ...]) -> str:
    names = (*table.key, *columns)
    return f"{sql.insert(table.name, names)} SELECT * FROM {_unnest(table, names)} {sql.on_conflict(table, columns)}"


def _delete(table: Table) -> str:
    names = tuple(table.key)
    where = " AND ".join(f"{table.name}.{name} = gone.{name}" for name in names)
    return f"DELETE FROM {table.name} USING {_unnest(table, names)} AS gone ({', '.join(names)}) WHERE {where}"


def _unnest(table: Table, names: Sequence[str]) -> str:
    columns = {**table.key, **table.columns}
    arrays = (f"${index}::{_ARRAYS[columns[name].type]}" for index, name in enumerate(names, 1))
    return f"unnest({', '.join(arrays)})"


def _columns(rows: Sequence[Key | tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
