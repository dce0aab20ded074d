"""Answers as text: a table for people, JSON, NDJSON, CSV or Markdown. One function for every surface that writes text.

What is not known is printed as such and never as 0. Whatever strangers wrote goes through `clean` first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from .clean import clean, cut, json_escaped, width
from .drawing import Look, bold, dim, drawn_rows, grid, sparklines
from .rows import Facts, Rows, cell, label, leaves, parts, percent, with_names

Envelope = Mapping[str, Any]
"""A reply (contract/questions.py) as JSON has it."""

UNKNOWN: Final = "not observed"
_FORMULAS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_KEYS: Final = ("question", "shape", "generated_at", "timezone", "period", "coverage", "as_of", "data")


def render(reply: Envelope, form: str, look: Look, title: str = "", *, bare: bool = False) -> str:
    """A reply in one of `FORMATS`, ending with a line feed.

    `title` goes above tables, period, coverage and position below; `bare`: neither. `look` is for tables only.
    """
    return _FORMATS[form](reply, look, "" if bare else title, bare)


def footer(reply: Envelope) -> list[str]:
    """What an answer is about: its period in its zone, how much of it was observed, and up to where it counts."""
    zone, period, coverage = reply["timezone"], reply.get("period"), reply.get("coverage")
    said = [period["text"] if period else f"{cell('', reply['generated_at'])} {zone}"]
    if coverage and coverage["ratio"] is None:
        said.append(UNKNOWN)
    elif coverage:
        said.append(f"{percent(coverage['ratio'])} observed since {cell('', coverage['observed_since'])}")
    if coverage and coverage.get("imported_until"):
        said.append(f"imported until {cell('', coverage['imported_until'])}")
    said.append(f"as of event {reply['as_of']}")
    return [clean(one) for one in said]


def document(reply: Envelope) -> dict[str, Any]:
    """The reply as one JSON document; its keys and their order do not change."""
    return {"schema": f"userstats.v1/{reply['question']}"} | {key: reply.get(key) for key in _KEYS}


def nothing(reply: Envelope) -> str:
    """What stands where rows would: nothing happened, or nobody looked."""
    coverage = reply.get("coverage")
    if coverage and not coverage["ratio"]:
        return "not observed in this period"
    return "nothing in this period" if reply.get("period") else "nothing"


def _table(reply: Envelope, look: Look, title: str, bare: bool) -> str:
    blocks = [list(block) for block in _blocks(reply, look)] or [[cut(nothing(reply), look.cells, look.mark)]]
    if title:
        blocks.insert(0, [bold(cut(clean(title), look.cells, look.mark), look)])
    if not bare:
        blocks.append([dim(line, look) for line in _folded(footer(reply), look)])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _blocks(reply: Envelope, look: Look) -> Iterator[Iterable[str]]:
    data, shape = with_names(reply["data"], reply.get("places") or {}), reply.get("shape")
    if shape == "text" and isinstance(data, str):
        yield [cut(clean(line) if line else "", look.cells, look.mark) for line in data.splitlines()]
        return
    for part in parts(data):
        if isinstance(part, Facts):
            yield _facts(part, look)
        elif not part.rows:
            yield [cut(nothing(reply), look.cells, look.mark)]
        else:
            name = [bold(cut(clean(part.name), look.cells, look.mark), look)] if part.name else []
            yield [*name, *((grid(part, look) if shape == "heatmap" else None) or drawn_rows(part, look))]
            if shape == "series" and (lines := sparklines(part, look)):
                yield lines


def _facts(facts: Facts, look: Look) -> list[str]:
    labels = [clean(label(name, [value])) + ":" for name, value in facts.pairs]
    longest = max(map(width, labels))
    lines = []
    for text, (name, value) in zip(labels, facts.pairs, strict=True):
        line = text + " " * (longest - width(text) + 2) + cell(name, value, UNKNOWN)
        lines.append(cut(line, look.cells, look.mark))
    return lines


def _folded(said: list[str], look: Look) -> list[str]:
    """On one line, or one below the other where that is too wide."""
    line = f" {look.dot} ".join(said)
    return [line] if width(line) <= look.cells else [cut(one, look.cells, look.mark) for one in said]


def _json(reply: Envelope, _look: Look, _title: str, _bare: bool) -> str:
    return json_escaped(json.dumps(document(reply), ensure_ascii=False, indent=2)) + "\n"


def _ndjson(reply: Envelope, _look: Look, _title: str, _bare: bool) -> str:
    data = reply["data"]
    items = data if isinstance(data, list) else [data]
    return "".join(json_escaped(json.dumps(item, ensure_ascii=False)) + "\n" for item in items)


def _csv(reply: Envelope, _look: Look, _title: str, _bare: bool) -> str:
    """The rows if the answer is a list; otherwise each value with the path to it."""
    data = reply["data"]
    if isinstance(data, list):
        (rows,) = (part for part in parts(data) if isinstance(part, Rows))
        lines: list[Iterable[Any]] = [rows.columns, *rows.rows]
    else:
        lines = [("name", "value"), *leaves(data)]
    return "".join((",".join(map(_csv_cell, line)) or '""') + "\n" for line in lines)  # no line is blank


def _csv_cell(value: Any) -> str:
    """Numbers bare, absent values empty, all else quoted; what a spreadsheet would compute is made text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)) and not any(isinstance(item, (Mapping, list)) for item in value):
        text = ", ".join(clean(str(item)) for item in value)
    else:
        text = clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if text.lstrip().startswith(_FORMULAS):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"'


def _markdown(reply: Envelope, _look: Look, title: str, bare: bool) -> str:
    blocks = [f"### {_plain(title)}"] if title else []
    data = with_names(reply["data"], reply.get("places") or {})
    for part in parts(data):
        name = [f"**{_plain(part.name)}**", ""] if isinstance(part, Rows) and part.name else []
        blocks.append("\n".join([*name, *(_pipes(part) or [nothing(reply)])]))
    if not bare:
        blocks.append(f"_{' · '.join(map(_plain, footer(reply)))}_")
    return "\n\n".join(blocks) + "\n"


def _pipes(part: Facts | Rows) -> list[str]:
    if isinstance(part, Facts):
        head, body = ["", ""], [[name, cell(name, value, UNKNOWN)] for name, value in part.pairs]
        right = [False, False]
    elif not part.rows:
        return []
    else:
        columns = [part.column(index) for index in range(len(part.columns))]
        head = [label(name, values) for name, values in zip(part.columns, columns, strict=True)]
        body = [[cell(name, one) for name, one in zip(part.columns, row, strict=True)] for row in part.rows]
        right = [all(isinstance(one, (int, float, type(None))) for one in values) for values in columns]
    rule = ["---:" if numbers else "---" for numbers in right]
    return [_piped(map(_plain, head)), _piped(rule), *(_piped(map(_plain, row)) for row in body)]


def _piped(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, and that mentions nobody."""
    escaped = "".join(f"\\{one}" if one in "\\`*_{}[]()#|~!" else one for one in clean(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u200b")


_FORMATS: Final[Mapping[str, Callable[[Envelope, Look, str, bool], str]]] = {
    "table": _table, "json": _json, "ndjson": _ndjson, "csv": _csv, "markdown": _markdown,
}  # fmt: skip
FORMATS: Final = tuple(_FORMATS)
"""The formats `render` knows; the first is for people."""
