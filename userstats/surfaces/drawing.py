"""Tables, grids and lines of numbers, drawn with characters into a given width. Knows rows and cells only."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .clean import cut, pad, width
from .rows import Rows, cell, is_numeric, label
from .sparkline import sparkline

WIDEST: Final = 1_000_000
"""Cells of a line that may be as long as it likes."""
NARROWEST: Final = 20
_GAP: Final = 2
_NARROW_TEXT: Final = 8
_SHADES: Final = " ░▒▓█"
_ASCII_SHADES: Final = " .:*#"
_MOST_LINES: Final = 12


class Look(NamedTuple):
    """What the place where text is shown can do."""

    cells: int = WIDEST
    """Width of a line; at least NARROWEST."""
    unicode: bool = True
    colour: bool = False
    rules: bool = False
    """Whether a line is drawn under the names of columns."""

    @property
    def mark(self) -> str:
        """Stands where something was cut off."""
        return "…" if self.unicode else "~"

    @property
    def dot(self) -> str:
        return "·" if self.unicode else "|"


def bold(text: str, look: Look) -> str:
    return f"\x1b[1m{text}\x1b[0m" if look.colour and text else text


def dim(text: str, look: Look) -> str:
    return f"\x1b[2m{text}\x1b[0m" if look.colour and text else text


def drawn_rows(rows: Rows, look: Look) -> list[str]:
    """The table in aligned columns, numbers to the right. Too wide ones lose the ends of long texts, never of numbers;
    where that is not enough each row becomes a block of lines."""
    columns = [rows.column(index) for index in range(len(rows.columns))]
    head = [label(name, values) for name, values in zip(rows.columns, columns, strict=True)]
    body = [[cell(name, one) for name, one in zip(rows.columns, row, strict=True)] for row in rows.rows]
    numeric = [is_numeric(values) for values in columns]
    widths = _fitted(_widths(head, body), numeric, look.cells)
    if widths is None:
        return _blocks(head, body, look)
    lines = [bold(_line(head, widths, numeric, look), look)]
    if look.rules:
        lines.append((" " * _GAP).join(("─" if look.unicode else "-") * cells for cells in widths))
    return lines + [_line(row, widths, numeric, look) for row in body]


def _widths(head: list[str], body: list[list[str]]) -> list[int]:
    return [max(map(width, column)) for column in zip(head, *body, strict=True)]


def _fitted(natural: list[int], numeric: list[bool], cells: int) -> list[int] | None:
    """Widths that fit, taken from the widest texts first; None where they cannot."""
    widths = list(natural)
    surplus = sum(widths) + _GAP * (len(widths) - 1) - cells
    while surplus > 0:
        texts = [index for index in range(len(widths)) if not numeric[index] and widths[index] > _NARROW_TEXT]
        if not texts:
            return None
        widest = max(texts, key=lambda index: widths[index])
        others = [widths[index] for index in texts if widths[index] < widths[widest]]
        ties = [index for index in texts if widths[index] == widths[widest]]
        step = min(-(-surplus // len(ties)), widths[widest] - max([_NARROW_TEXT, *others]))
        for index in ties:
            taken = min(max(step, 1), surplus, widths[index] - _NARROW_TEXT)
            widths[index] -= taken
            surplus -= taken
    return widths


def _line(cells: list[str], widths: list[int], numeric: list[bool], look: Look) -> str:
    padded = [
        pad(cut(text, room, look.mark), room, right=number)
        for text, room, number in zip(cells, widths, numeric, strict=True)
    ]
    return (" " * _GAP).join(padded).rstrip()


def _blocks(head: list[str], body: list[list[str]], look: Look) -> list[str]:
    """Each row as lines `name  value`, a blank line between two rows."""
    names = min(max(map(width, head)), look.cells // 3)
    lines: list[str] = []
    for row in body:
        lines += [""] if lines else []
        for name, text in zip(head, row, strict=True):
            lines.append(cut(pad(cut(name, names, look.mark), names) + " " * _GAP + text, look.cells, look.mark))
    return lines


def sparklines(rows: Rows, look: Look) -> list[str]:
    """One line for each column of numbers, of each group of rows that differ in a text (several channels).

    Rows are in order of their first column, the time; newest first is turned round. Fewer than two rows: nothing.
    """
    if not rows.columns or not all(isinstance(one, str) for one in rows.column(0)):
        return []
    columns = range(1, len(rows.columns))
    numbers = [index for index in columns if is_numeric(rows.column(index))]
    texts = [index for index in columns if all(isinstance(one, str) for one in rows.column(index))]
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows.rows:
        groups.setdefault(tuple(row[index] for index in texts), []).append(row)
    lines = []
    for group, found in groups.items():
        ordered = found if found[0][0] <= found[-1][0] else found[::-1]
        for index in numbers if len(found) > 1 else ():
            name = label(rows.columns[index], rows.column(index))
            named = " ".join([*(cell("", one) for one in group if len(groups) > 1), name])
            lines.append((named, rows.columns[index], [row[index] for row in ordered]))
    return _sparks(lines[:_MOST_LINES], look)


def _sparks(lines: list[tuple[str, str, list[Any]]], look: Look) -> list[str]:
    longest = min(max((width(name) for name, _, _ in lines), default=0), look.cells // 2)
    drawn = []
    for name, column, values in lines:
        known = [value for value in values if value is not None]
        about = f"{cell(column, min(known))} to {cell(column, max(known))}" if known else "not observed"
        room = min(look.cells - longest - width(about) - 2 * _GAP, 80)
        line = sparkline(values, max(room, 1), unicode=look.unicode)
        text = f"{pad(cut(name, longest, look.mark), longest)}  {line}  {about}"
        drawn.append(cut(text, look.cells, look.mark))
    return drawn


def grid(rows: Rows, look: Look) -> list[str] | None:
    """Rows that begin with (row, column, number) as a grid of shades, with its scale below; None if they do not, or if
    that is too wide.

    A cell that is absent or unknown is a question mark: nobody looked, which is not the same as nothing.
    """
    if len(rows.columns) < 3 or not is_numeric(rows.column(2)):
        return None
    shades = _SHADES if look.unicode else _ASCII_SHADES
    down, across = ({cell(rows.columns[index], one): None for one in rows.column(index)} for index in (0, 1))
    values = {(cell(rows.columns[0], row[0]), cell(rows.columns[1], row[1])): row[2] for row in rows.rows}
    high = max([0, *(one for one in values.values() if one is not None)])
    names, each = max(map(width, down)), max(map(width, across))
    if names + (each + 1) * len(across) > look.cells:
        return None
    lines = [" ".join([" " * names, *(pad(name, each, right=True) for name in across)])]
    for name in down:
        shown = [_shade(values.get((name, other)), high, shades) * each for other in across]
        lines.append(" ".join([pad(name, names), *shown]).rstrip())
    scale = f"{shades[1:]} up to {cell(rows.columns[2], high)}, blank 0, ? not observed"
    return [*lines, "", cut(scale, look.cells, look.mark)]


def _shade(value: float | None, high: float, shades: str) -> str:
    if value is None:
        return "?"
    return shades[0] if value <= 0 else shades[min(len(shades) - 1, 1 + int(value / high * (len(shades) - 1)))]
