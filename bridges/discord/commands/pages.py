"""Lines of code blocks divided into pages that Discord takes and a phone can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from .plain import units, verbatim

LINES: Final = 18
"""Of a table on one page."""
BLOCK: Final = 3300
"""Characters of a block of code; Discord allows 4096 in a description."""


class Page(NamedTuple):
    """What is seen at once."""

    fields: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


class Section(NamedTuple):
    """Lines that belong together. The head is repeated on each page; a unit is kept on one page if it can be."""

    head: tuple[str, ...]
    units: tuple[tuple[str, ...], ...]


def paged(fields: tuple[tuple[str, str], ...], sections: Iterable[Section]) -> tuple[Page, ...]:
    """As few pages as hold everything. Fields are on the first."""
    pages: list[Page] = []
    lines: list[str] = []
    room = max(LINES - len(fields) // 2, LINES // 3)
    most = max(BLOCK - sum(units(name) + units(value) for name, value in fields), BLOCK // 3)
    for section in sections:
        head = tuple(map(verbatim, section.head))
        begun = False
        for unit in _small(section.units):
            own = tuple(map(verbatim, unit))
            before = ([""] if lines else []) + list(head) if not begun else []
            if lines and (len(lines) + len(before) + len(own) > room or _weight([*lines, *before, *own]) > most):
                pages.append(Page(fields if not pages else (), tuple(lines)))
                lines, before, room, most = [], list(head), LINES, BLOCK
            lines += [*before, *own]
            begun = True
    if lines or (fields and not pages):
        pages.append(Page(fields if not pages else (), tuple(lines)))
    return tuple(pages)


def _small(units_: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Those that fit on a page of their own; larger ones, but for grids, are cut into such."""
    for unit in units_:
        if len(unit) <= 2 * LINES and _weight(unit) <= BLOCK // 3:
            yield unit
        else:
            yield from ((line,) for line in unit)


def _weight(lines: Iterable[str]) -> int:
    return sum(units(line) + 1 for line in lines)
