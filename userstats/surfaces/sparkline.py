"""Numbers over time as one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

LEVELS: Final = "▁▂▃▅▇"
ASCII_LEVELS: Final = "_.-=#"


def sparkline(values: Sequence[float | None], cells: int, *, unicode: bool = True) -> str:
    """The values, oldest first, in at most so many characters, drawn from 0 up to the largest.

    None (not observed) is a blank, which no number is. More values than cells are averaged over stretches of equal
    length.
    """
    levels = LEVELS if unicode else ASCII_LEVELS
    shown = _fitting(values, cells)
    known = [value for value in shown if value is not None]
    low = min([0.0, *known])
    high = max([0.0, *known])
    return "".join(" " if value is None else _level(value, low, high, levels) for value in shown)


def _level(value: float, low: float, high: float, levels: str) -> str:
    share = (value - low) / (high - low) if high > low else 0.0
    return levels[min(len(levels) - 1, int(share * len(levels)))]


def _fitting(values: Sequence[float | None], cells: int) -> list[float | None]:
    if len(values) <= cells or cells < 1:
        return list(values)
    borders = [step * len(values) // cells for step in range(cells + 1)]
    return [_mean(values[start:end]) for start, end in pairwise(borders)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
