"""Commands of the program that ask no question (`config`): they come from outside, where more may be imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Extra(NamedTuple):
    """A command that stands in a noun's place."""

    run: Callable[[Sequence[str]], int]
    """The words after its name to an exit code. May raise Trouble."""
    help: str
    verbs: tuple[str, ...]
