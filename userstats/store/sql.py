"""Verbs as SQL that both databases understand. All writing SQL of the project is made here.

The subset: TEXT, BIGINT, DOUBLE PRECISION, natural keys, ON CONFLICT, `:name` parameters. What differs between the
databases (how many rows reach one statement) is the text between `insert` and `on_conflict`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from ..statistic import Table
from ..writes import Key, Row, Rows

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
POSITION_MOVE: Final = (
    "UPDATE stream_position SET seq = :seq, stamp = :stamp, stream = :stream "
    "WHERE shard = 0 AND epoch = :epoch AND seq = :old"
)

_PARAMETER = re.compile(r":([a-z_][a-z0-9_]*)")
_encode = msgspec.json.Encoder().encode


def create_table(table: Table, suffix: str = "") -> str:
    """CREATE TABLE with the natural key as primary key; `suffix` is the database's own ending."""
    columns = [f"{name} {column.type} NOT NULL" for name, column in table.key.items()]
    columns += [f"{name} {column_type(table, name)}" for name in table.columns]
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)})){suffix}"
    )


def column_type(table: Table, name: str) -> str:
    """Type and default of a column."""
    column = table.columns[name]
    return f"{column.type} NOT NULL DEFAULT 0" if column.merge == "add" else column.type


def create_indexes(table: Table) -> Iterator[str]:
    """One CREATE INDEX for each declared index."""
    for columns in table.indexes:
        name = "_".join([table.name, *(column.split(" ")[0] for column in columns)])
        yield f"CREATE INDEX IF NOT EXISTS idx_{name} ON {table.name} ({', '.join(columns)})"


def add_column(table: Table, name: str) -> str:
    """ALTER TABLE for a column that a newer room brought along."""
    return f"ALTER TABLE {table.name} ADD COLUMN {name} {column_type(table, name)}"


@lru_cache(maxsize=4096)
def insert(table: str, columns: tuple[str, ...]) -> str:
    """The head of an upsert; the database adds its own source of rows."""
    return f"INSERT INTO {table} ({', '.join(columns)})"


def on_conflict(table: Table, columns: Sequence[str]) -> str:
    """The tail of an upsert: what happens to a row that is there already."""
    name = table.name
    sets = ", ".join(f"{column} = {_merged(table, column)}" for column in columns)
    key = ", ".join(table.key)
    if not sets:
        return f"ON CONFLICT ({key}) DO NOTHING"
    guard = f" WHERE excluded.{table.newest} >= {name}.{table.newest}" if table.newest else ""
    return f"ON CONFLICT ({key}) DO UPDATE SET {sets}{guard}"


def _merged(table: Table, column: str) -> str:
    old, new = f"{table.name}.{column}", f"excluded.{column}"
    merge = table.columns[column].merge
    if merge == "add":
        return f"{old} + {new}"
    if merge == "low":
        return f"CASE WHEN {old} IS NULL OR {new} < {old} THEN {new} ELSE {old} END"
    if merge == "high":
        return f"CASE WHEN {old} IS NULL OR {new} > {old} THEN {new} ELSE {old} END"
    return new


def groups(rows: Rows) -> tuple[dict[tuple[str, ...], list[tuple[Key, Row]]], list[Key]]:
    """Rows to write, by which columns they set, in key order; and the keys of rows to delete."""
    written: dict[tuple[str, ...], list[tuple[Key, Row]]] = {}
    deleted: list[Key] = []
    for key in sorted(rows):
        row = rows[key]
        if row is None:
            deleted.append(key)
        else:
            written.setdefault(tuple(row), []).append((key, row))
    return written, deleted


def plain(value: Any) -> Any:
    """A value as both databases take it: structs as JSON text."""
    if isinstance(value, msgspec.Struct):
        return _encode(value).decode()
    return int(value) if isinstance(value, bool) else value


def expand(sql: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Replace parameters that are lists by a parenthesised list of parameters; an empty list matches nothing."""
    flat: dict[str, object] = {}
    for name, value in parameters.items():
        if isinstance(value, (list, tuple, set, frozenset)):
            names = [f"{name}_{index}" for index in range(len(value))]
            flat.update(zip(names, value, strict=True))
            inside = ", ".join(f":{one}" for one in names) or "NULL"
            sql = re.sub(rf":{name}\b", f"({inside})", sql)
        else:
            flat[name] = value
    return sql, flat


def numbered(sql: str, parameters: Mapping[str, object]) -> tuple[str, list[object]]:
    """`:name` parameters as `$1`, `$2`, ... and their values in that order."""
    order: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${order.setdefault(match.group(1), len(order) + 1)}"

    return _PARAMETER.sub(number, sql), [parameters[name] for name in _names(sql)]


def _names(sql: str) -> Iterable[str]:
    return dict.fromkeys(_PARAMETER.findall(sql))
