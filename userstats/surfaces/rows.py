"""An answer's data as what text can show: facts (label and value) and rows (columns and cells). Knows no question.

Data is JSON as it crosses the wire. Nested structs become dotted names, nested lists become rows of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from .clean import clean

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


class Facts(NamedTuple):
    """Labels with one value each."""

    pairs: tuple[tuple[str, Any], ...]


class Rows(NamedTuple):
    """A table. A value that a row does not have is None."""

    name: str
    """Where in the data it was found; empty: it is the data."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def column(self, index: int) -> list[Any]:
        return [row[index] for row in self.rows]


def with_names(data: Any, names: Mapping[str, str]) -> Any:
    """The data with what the platform calls a place instead of its id."""
    if not names:
        return data
    if isinstance(data, Mapping):
        return {key: _place(key, value, names) for key, value in data.items()}
    return [with_names(item, names) for item in data] if isinstance(data, (list, tuple)) else data


def _place(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if key in {"domain", "channel"} and isinstance(value, str):
        name = names.get(value, value)
        return f"#{name}" if key == "channel" and name != value else name
    if key == "domains" and isinstance(value, list):
        return [names.get(one, one) for one in value]
    return with_names(value, names)


def parts(data: Any) -> list[Facts | Rows]:
    """What the data consists of, in its own order; facts come first."""
    if isinstance(data, Mapping):
        flat = dict(_flat(data))
        nested = {key: value for key, value in flat.items() if _is_table(value)}
        pairs = tuple((key, value) for key, value in flat.items() if key not in nested)
        facts: list[Facts | Rows] = [Facts(pairs)] if pairs else []
        return facts + [table(value, name) for name, value in nested.items()]
    if isinstance(data, (list, tuple)):
        return [table(data)]
    return [Facts((("value", data),))]


def table(items: Sequence[Any], name: str = "") -> Rows:
    """A list as a table: a column for each name that any of its structs has, or the one column `value`."""
    flat = [dict(_flat(item)) if isinstance(item, Mapping) else {"value": item} for item in items]
    columns = dict.fromkeys(key for row in flat for key in row)
    # A struct that is absent in one row (None) and present in another has columns for what it holds only.
    outer = {column for column in columns if any(other.startswith(f"{column}.") for other in columns)}
    if all(row.get(column) is None for column in outer for row in flat):
        columns = {column: None for column in columns if column not in outer}
    kept = tuple(columns)
    return Rows(name, kept, tuple(tuple(row.get(column) for column in kept) for row in flat))


def leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with the path to it: `emotes.0.count`. Empty lists and structs have no values."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(data, Mapping):
        items = data.items()
    elif isinstance(data, (list, tuple)):
        items = enumerate(data)
    else:
        yield path, data
        return
    for key, value in items:
        yield from leaves(value, f"{path}.{key}" if path else str(key))


def cell(name: str, value: Any, unknown: str = "-") -> str:
    """A value as text for people. `name` tells durations (`total_ms`, `seconds`), shares (`ratio`, `observed`) and days
    (`weekday`, Monday is 1) from counts."""
    if value is None:
        return unknown
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return _number(name, value)
    if isinstance(value, Mapping):
        return " ".join(cell(str(key), item, unknown) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(name, item, unknown) for item in value) or "none"
    moment = _MOMENT.fullmatch(value)
    return f"{moment.group(1)} {moment.group(2)}" if moment else clean(str(value))


def label(name: str, values: Iterable[Any]) -> str:
    """What a column is called for people: without the unit that its values are printed in."""
    durations = all(isinstance(value, int) or value is None for value in values)
    return clean(name.removesuffix("_ms") if durations and name != "_ms" else name)


def is_numeric(values: Iterable[Any]) -> bool:
    """Whether a column holds numbers, and something at all."""
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)


def percent(ratio: float) -> str:
    """A share in per cent, never rounded up or to nothing: 100 % means all of it, 0 % none."""
    if 0 < ratio < 0.001:
        return "< 0.1 %"
    return f"{math.floor(ratio * 1000 + 1e-9) / 10:g} %"


def duration(milliseconds: float) -> str:
    """`6 h 10 min`, `10 min 13 s`, `13 s`, `2 h`; what is left over is dropped."""
    if milliseconds < 0:
        return f"-{duration(-milliseconds)}"
    seconds = int(milliseconds // 1000)
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "min"), (seconds % 60, "s"))
    leading = [(number, unit) for number, unit in parts[0 if seconds >= 3600 else 1 :]][:2]
    return " ".join(f"{number} {unit}" for number, unit in leading if number) or "0 s"


def _number(name: str, value: float) -> str:
    last = name.rpartition(".")[2]
    if last == "ms" or last.endswith("_ms"):
        return duration(value)
    if last.endswith("seconds"):
        return duration(value * 1000)
    if last.endswith(("ratio", "observed")) and isinstance(value, float) and 0 <= value <= 1:
        return percent(value)
    if last == "weekday" and value in range(1, 8):
        return _WEEKDAYS[int(value) - 1]
    if isinstance(value, int) or not abs(value) < 1e15:
        return str(value)
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _flat(struct: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in struct.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _is_table(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value)
