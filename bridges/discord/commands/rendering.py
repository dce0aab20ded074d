"""An answer as pages for Discord: a title, facts as fields, tables, grids and lines in a block of code, and below them
what the answer is about. Numbers and words are those of every other surface (G30)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from userstats.surfaces import text
from userstats.surfaces.clean import clean, cut, width
from userstats.surfaces.drawing import Look, drawn_rows, grid, sparklines
from userstats.surfaces.rows import Facts, Rows, cell, is_numeric, label, parts, with_names

from .pages import Page, Section, paged
from .plain import plain, shortened, verbatim

Reply = Mapping[str, Any]
"""A reply (contract/questions.py) as JSON has it."""

NOWHERE: Final[Mapping[str, str]] = {}
FIELDS: Final = 24
_NAME, _VALUE, _FOOTER, _ABOUT, _TITLE = 40, 100, 600, 400, 200
"""Most characters of each; together with a block they stay below the 6000 that Discord allows in a message."""
_COLOUR: Final = 0x4F7CAC
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Drawn(NamedTuple):
    """An answer, drawn."""

    title: str
    about: str
    """A sentence, or several."""
    pages: tuple[Page, ...]
    footer: str


def drawn(reply: Reply, about: str, cells: int, home: Mapping[str, str] = NOWHERE) -> Drawn:
    """The whole answer, in lines of at most so many cells. `about`: what the question says of itself; `home`: platform
    and domain of the server where it is shown, which need not be said in every row."""
    look, shape = Look(cells=cells), reply.get("shape")
    data = with_names(_at(home, reply["data"]), reply.get("places") or {})
    fields: list[tuple[str, str]] = []
    sections: list[Section] = []
    if shape == "text" and isinstance(data, str):
        sections.append(Section((), tuple((line,) for line in _wrapped(data, cells))))
    else:
        for part in parts(data):
            if isinstance(part, Facts) and shape == "card" and len(part.pairs) <= FIELDS:
                fields += [_field(name, value) for name, value in part.pairs]
            elif isinstance(part, Facts):
                sections.append(Section((), tuple((line,) for line in _facts(part, look))))
            elif part.rows and part.columns:
                sections += _tables(_readable(part, str(reply.get("generated_at"))), look, str(shape))
    pages = paged(tuple(fields), sections)
    said = [clean(about)]
    if not pages:
        said.append(f"**{plain(text.nothing(reply)).capitalize()}.**")
    return Drawn(
        shortened(clean(str(reply["question"])), _TITLE), shortened("\n".join(said), _ABOUT), pages or (Page(),),
        shortened(" · ".join(text.footer(reply)), _FOOTER),
    )  # fmt: skip


def embed(answer: Drawn, page: int) -> dict[str, Any]:
    """One page as Discord's API takes it; pages are counted from 0, and there is none beyond the last."""
    at = min(max(page, 0), len(answer.pages) - 1)
    shown = answer.pages[at]
    block = "\n```\n" + "\n".join(shown.lines) + "\n```" if shown.lines else ""
    counted = f" · page {at + 1} of {len(answer.pages)}" if len(answer.pages) > 1 else ""
    return {
        "type": "rich",
        "title": answer.title,
        "description": answer.about + block,
        "color": _COLOUR,
        "fields": [{"name": name, "value": value, "inline": True} for name, value in shown.fields],
        "footer": {"text": answer.footer + counted},
    }


def file(reply: Reply, form: str) -> bytes:
    """The answer as a file in one of the formats that every surface has."""
    return text.render(reply, form, Look(), str(reply["question"])).encode()


def _at(home: Mapping[str, str], data: Any) -> Any:
    """The data without what every row says of where it is, where that is here."""
    if isinstance(data, Mapping):
        return {key: _at(home, value) for key, value in data.items() if home.get(key, data) != value}
    if not isinstance(data, (list, tuple)):
        return data
    rows = [one for one in data if isinstance(one, Mapping)]
    same = {key: value for key, value in home.items() if rows and all(row.get(key) == value for row in rows)}
    return [_at(same, one) for one in data]


def _readable(part: Rows, now: str) -> Rows:
    """With short moments: without seconds, and without a year that is this one."""
    columns = [_moments(part.column(index), now[:4]) for index in range(len(part.columns))]
    return Rows(part.name, part.columns, tuple(zip(*columns, strict=True)))


def _moments(values: list[Any], year: str) -> list[Any]:
    shown = ["" if value is None else cell("", value) for value in values if isinstance(value, (str, type(None)))]
    if len(shown) < len(values) or not all(_MOMENT.fullmatch(one) for one in shown if one) or not any(shown):
        return values
    start = 5 if all(one.startswith(year) for one in shown if one) else 0
    end = 10 if all(one.endswith(" 00:00:00") for one in shown if one) else 16
    return [one[start:end] or None for one in shown]


def _field(name: str, value: Any) -> tuple[str, str]:
    """Words that strangers may have written stand between backticks: they are shown as they are."""
    shown = cell(name, value, text.UNKNOWN)
    called = shortened(plain(label(name, [value]).replace("_", " ").replace(".", " · ")), _NAME) or "value"
    written = isinstance(value, (list, tuple)) or (isinstance(value, str) and shown == clean(value))
    if not value or not written:
        return called, shortened(plain(shown) or "none", _VALUE)
    return called, f"`{shortened(verbatim(cut(shown, _VALUE // 2)), _VALUE - 2)}`"


def _facts(facts: Facts, look: Look) -> Iterator[str]:
    labels = [clean(label(name, [value])) for name, value in facts.pairs]
    longest = min(max(map(width, labels)), look.cells // 2)
    for said, (name, value) in zip(labels, facts.pairs, strict=True):
        short = cut(said, longest, look.mark)
        line = short + " " * (longest - width(short) + 2) + cell(name, value, text.UNKNOWN)
        yield cut(line, look.cells, look.mark)


def _tables(part: Rows, look: Look, shape: str) -> Iterator[Section]:
    name = (cut(clean(part.name), look.cells, look.mark),) if part.name else ()
    if shape == "heatmap" and (shades := grid(part, look) or grid(_turned(part), look)):
        yield Section((), ((*name, *shades),))
        return
    if shape == "series":
        if lines := sparklines(part, look):
            yield Section((), tuple((line,) for line in (*name, *lines)))
        part, unseen = _latest(part)
        if unseen:
            yield Section((), ((cut(f"not observed: {unseen} more", look.cells, look.mark),),))
    lines = drawn_rows(part, look)
    if len(lines) == len(part.rows) + 1:
        yield Section((*name, lines[0]), tuple((line,) for line in lines[1:]))
    else:
        yield Section(name, tuple(_blocks(lines)))


def _latest(part: Rows) -> tuple[Rows, int]:
    """The newest first, without rows that know nothing but their time; and how many those are."""
    known = [row for row in part.rows if any(row[at] is not None for at in _measures(part))]
    kept = known if known else list(part.rows)
    first, last = (str(kept[at][0]) for at in (0, -1))
    return Rows(part.name, part.columns, tuple(kept if first > last else kept[::-1])), len(part.rows) - len(kept)


def _measures(part: Rows) -> list[int]:
    """The columns of numbers that are not about how much was observed; all of them where there are none."""
    found = [at for at, name in enumerate(part.columns) if is_numeric(part.column(at)) and name != "observed"]
    return found or list(range(len(part.columns)))


def _turned(part: Rows) -> Rows:
    """A grid that is too wide, with its columns as rows: days across, hours down."""
    if len(part.columns) < 3:
        return part
    rows = sorted(part.rows, key=lambda row: (_sortable(row[1]), _sortable(row[0])))
    turned = tuple((row[1], row[0], *row[2:]) for row in rows)
    return Rows(part.name, (part.columns[1], part.columns[0], *part.columns[2:]), turned)


def _sortable(value: Any) -> tuple[bool, float, str]:
    number = isinstance(value, (int, float))
    return not number, value if number else 0.0, "" if number else str(value)


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Rows that became blocks of lines with a blank line between them."""
    block: list[str] = []
    for line in lines:
        if line:
            block.append(line)
        elif block:
            yield (*block, "")
            block = []
    if block:
        yield tuple(block)


def _wrapped(said: str, cells: int) -> Iterator[str]:
    for line in map(clean, said.splitlines()):
        yield from textwrap.wrap(line, cells if line.isascii() else cells // 2) or [""]
