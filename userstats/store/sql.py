"""Verbs as SQL that both databases understand. All writing SQL of the project is made here.

The subset: TEXT, BIGINT, DOUBLE PRECISION, natural keys, ON CONFLICT, `:name` parameters. What differs between the
databases (how many rows reach one statement) is the text between `insert` and `on_conflict`.

Where one text would mean two things, questions must say it so that it means one:
- `CAST(SUM(x) AS BIGINT) / n`: PostgreSQL's sums of BIGINT are NUMERIC, which does not divide like an integer
  (a sum that is only read needs no cast: it arrives as an int).
- `ORDER BY x IS NULL, x`: PostgreSQL sorts NULL last, SQLite first.
- `CASE` instead of MAX(a, b) or GREATEST; no date functions; text compares by bytes (`COLLATE "C"`) in both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from ..statistic import Column, Table
from ..tables import AGED
from ..writes import Anew, Key, Row, Rows

POSITION_TABLE: Final = """CREATE TABLE IF NOT EXISTS stream_position (
    shard BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, stamp BIGINT NOT NULL, stream TEXT NOT NULL,
    schema_version BIGINT NOT NULL)"""
POSITION_START: Final = (
    "INSERT INTO stream_position (shard, epoch, seq, stamp, stream, schema_version) "
    "VALUES (0, 0, 0, 0, '', {version}) ON CONFLICT (shard) DO NOTHING"
)
POSITION_TAKE: Final = (
    "UPDATE stream_position SET epoch = epoch + 1 WHERE shard = 0 RETURNING epoch, seq, stamp, stream"
)
POSITION_READ: Final = "SELECT schema_version FROM stream_position WHERE shard = 0"
POSITION_UPGRADE: Final = (
    "UPDATE stream_position SET schema_version = {version} WHERE shard = 0 AND schema_version < {version}"
)
POSITION_LOCK: Final = "SELECT epoch, seq FROM stream_position WHERE shard = 0 FOR UPDATE"
POSITION_MOVE: Final = (
    "UPDATE stream_position SET seq = :seq, stamp = :stamp, stream = :stream "
    "WHERE shard = 0 AND epoch = :epoch AND seq = :old"
)

_PARAMETER = re.compile(r"'(?:[^']|'')*'|(?P<test>\b(?:NOT\s+)?IN\s+)?(?<!:):(?P<name>[a-z_][a-z0-9_]*)", re.IGNORECASE)
"""A parameter with the IN before it; a quoted text is matched too, so that what looks like one inside it is not."""
_LISTS = (list, tuple, set, frozenset)
_encode = msgspec.json.Encoder().encode


def create_table(table: Table, suffix: str = "", text: str = "TEXT") -> str:
    """CREATE TABLE with the natural key as primary key; `suffix` is the database's own ending, `text` its TEXT."""
    columns = [f"{name} {_type(column, text)} NOT NULL" for name, column in table.key.items()]
    columns += [f"{name} {column_type(table, name, text)}" for name in table.columns]
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)})){suffix}"
    )


def column_type(table: Table, name: str, text: str = "TEXT") -> str:
    """Type and default of a column."""
    column = table.columns[name]
    return f"{column.type} NOT NULL DEFAULT 0" if column.merge == "add" else _type(column, text)


def _type(column: Column, text: str) -> str:
    return text if column.type == "TEXT" else column.type


def create_indexes(table: Table) -> Iterator[str]:
    """One CREATE INDEX for each declared index."""
    for columns in table.indexes:
        name = "_".join([table.name, *(re.sub(r"\W+", "_", one.removesuffix(" DESC")).strip("_") for one in columns)])
        yield f"CREATE INDEX IF NOT EXISTS idx_{name} ON {table.name} ({', '.join(columns)})"


def add_column(table: Table, name: str, text: str = "TEXT") -> str:
    """ALTER TABLE for a column that a newer room brought along."""
    return f"ALTER TABLE {table.name} ADD COLUMN {name} {column_type(table, name, text)}"


def rekey(table: Table, present: Collection[str], suffix: str = "", text: str = "TEXT") -> Iterator[str]:
    """What gives a table the key that a newer version declares, of columns that are `present`; no row changes."""
    names = ", ".join(name for name in (*table.key, *table.columns) if name in present)
    yield f"ALTER TABLE {table.name} RENAME TO {table.name}_before"
    yield create_table(table, suffix, text)
    yield f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {table.name}_before"
    yield f"DROP TABLE {table.name}_before"


def age(tables: Mapping[str, Table], before: Mapping[str, int]) -> Iterator[tuple[str, dict[str, int]]]:
    """What counts and deletes the rows of before some moment, by table, and the parameters."""
    head = insert(AGED.name, (*AGED.key, *AGED.columns))
    tail = on_conflict(AGED, tuple(AGED.columns))
    for name, moment in before.items():
        if (aging := tables[name].aging) is None:
            raise ValueError(f"rows of {name} do not grow old")
        old = f"FROM {name} WHERE {aging.at} < :before"
        yield f"{head} SELECT '{name}', {aging.by}, COUNT(*) {old} GROUP BY {aging.by} {tail}", {"before": moment}
        yield f"DELETE {old}", {"before": moment}


@lru_cache(maxsize=4096)
def insert(table: str, columns: tuple[str, ...]) -> str:
    """The head of an upsert; the database adds its own source of rows."""
    return f"INSERT INTO {table} ({', '.join(columns)})"


def on_conflict(table: Table, columns: Sequence[str]) -> str:
    """The tail of an upsert: what happens to a row that is there already."""
    sets = ", ".join(f"{column} = {_merged(table, column, columns)}" for column in columns)
    key = ", ".join(table.key)
    return f"ON CONFLICT ({key}) DO UPDATE SET {sets}" if sets else f"ON CONFLICT ({key}) DO NOTHING"


def _merged(table: Table, column: str, columns: Sequence[str]) -> str:
    old, new = f"{table.name}.{column}", f"excluded.{column}"
    merge = table.columns[column].merge
    if merge == "add":
        return f"{old} + {new}"
    if merge == "low":
        return f"CASE WHEN {old} IS NULL OR {new} < {old} THEN {new} ELSE {old} END"
    if merge == "high":
        return f"CASE WHEN {old} IS NULL OR {new} > {old} THEN {new} ELSE {old} END"
    if table.newest in columns:
        stored, given = f"{table.name}.{table.newest}", f"excluded.{table.newest}"
        return f"CASE WHEN {stored} IS NULL OR {given} >= {stored} THEN {new} ELSE {old} END"
    return new


def groups(rows: Rows) -> tuple[dict[tuple[str, ...], list[tuple[Key, Row]]], list[Key]]:
    """Rows to write, by which columns they set, in key order; and the keys of rows to delete before that."""
    written: dict[tuple[str, ...], list[tuple[Key, Row]]] = {}
    deleted: list[Key] = []
    for key in sorted(rows):
        row = rows[key]
        if row is None or isinstance(row, Anew):
            deleted.append(key)
        if row is not None:
            written.setdefault(tuple(row), []).append((key, row))
    return written, deleted


def plain(value: Any) -> Any:
    """A value as both databases take it: structs as JSON text."""
    if isinstance(value, msgspec.Struct):
        return _encode(value).decode()
    return int(value) if isinstance(value, bool) else value


def expand(sql: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """`:name` parameters for SQLite: one that is a list becomes a parenthesised list of parameters."""
    flat: dict[str, object] = {}

    def replace(match: re.Match[str]) -> str:
        name = match.group("name")
        if name is None:
            return match.group()
        value = parameters[name]
        if not isinstance(value, _LISTS):
            flat[name] = value
            return match.group()
        names = [f"{name}_{index}" for index in range(len(value))]
        flat.update(zip(names, value, strict=True))
        return f"{match.group('test') or ''}({', '.join(f':{one}' for one in names)})"

    return _PARAMETER.sub(replace, sql), flat


def numbered(sql: str, parameters: Mapping[str, object]) -> tuple[str, list[object]]:
    """`$1` parameters for PostgreSQL, each with its type, and their values in order; lists are arrays."""
    order: dict[str, int] = {}

    def replace(match: re.Match[str]) -> str:
        name, test = match.group("name"), match.group("test")
        if name is None:
            return match.group()
        value = parameters[name]
        if value is None:  # a parameter without a value has no type, and `:x IS NULL` gives it none
            return f"{test or ''}NULL"
        mark = f"${order.setdefault(name, len(order) + 1)}"
        if not isinstance(value, _LISTS):
            return f"{test or ''}{mark}{_cast(value)}"
        if test is None:
            raise ValueError(f":{name} is a list; it may only follow IN or NOT IN")
        array = f"{mark}{_cast(next(iter(value)))}[]" if value else mark
        return f"<> ALL({array})" if test.upper().startswith("NOT") else f"= ANY({array})"

    text = _PARAMETER.sub(replace, sql)
    return text, [list(value) if isinstance(value, _LISTS) else plain(value) for value in map(parameters.get, order)]


def _cast(value: object) -> str:
    # Without it `:at / 900000` would make an INTEGER of a parameter that holds milliseconds.
    if isinstance(value, int):
        return "::bigint"
    if isinstance(value, float):
        return "::double precision"
    return "::text" if isinstance(value, str) else ""
