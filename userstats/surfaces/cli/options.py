"""The options that every question has: where to ask, and how to show the answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..drawing import NARROWEST
from ..text import FORMATS


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was said; None and False: nothing."""

    domain: str | None = None
    format: str | None = None
    width: int | None = None
    no_color: bool = False
    quiet: bool = False
    verbose: int = 0
    yes: bool = False
    watch: float | None = None
    config: Path | None = None
    server: str | None = None
    creds: Path | None = None
    timeout: float = 15.0


class Flag(NamedTuple):
    """One option, as argparse wants it."""

    names: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def valued(self) -> bool:
        """Whether the next word belongs to it."""
        return "action" not in self.settings


def _at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value < 1e6:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least:g} up")
        return value

    return read


def _format(text: str) -> str:
    if text not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(FORMATS)}")
    return text


def _flag(*names: str, about: str, **settings: Any) -> Flag:
    return Flag(names, {**settings, "help": about})


def _valued(name: str, metavar: str, about: str, kind: Callable[[str], Any] = str) -> Flag:
    return Flag((name,), {"metavar": metavar, "type": kind, "help": about})


DOMAIN: Final = _valued("--domain", "DOMAIN", "only this site: cytu.be, or a Discord server's id")
"""Also said before the noun, as users of Kryten know it; questions about everything take no notice of it."""

FLAGS: Final = (
    _valued("--format", "FORMAT", f"how to print the answer: {', '.join(FORMATS)}", _format),
    _flag("--json", about="short for --format json", action="store_const", const="json", dest="format"),
    _valued("--width", "N", "cells of a line (default: the terminal's, else unlimited)", _at_least(NARROWEST, int)),
    _flag("--no-color", about="no bold and dim text; so does NO_COLOR in the environment", action="store_true"),
    _flag("-q", "--quiet", about="the rows alone, and no remarks", action="store_true"),
    _flag("-v", "--verbose", about="say on stderr what is asked where; -vv: more", action="count"),
    _flag("-y", "--yes", about="do not ask before something is changed", action="store_true"),
    _valued("--watch", "SECONDS", "ask again and again", _at_least(0.1, float)),
    _valued("--config", "FILE", "config.json (default: here, or in the program's folder)", Path),
    _valued("--server", "URL", "NATS, without a password (default: NATS_URL, config.json, the embedded one)"),
    _valued("--creds", "FILE", "a NATS credentials file (default: NATS_CREDS)", Path),
    _valued("--timeout", "SECONDS", "to wait for an answer (default 15)", _at_least(0.05, float)),
)


def add_to(parser: argparse.ArgumentParser, *flags: Flag) -> None:
    """Let the parser know these options. What is not said is not in its namespace."""
    group = parser.add_argument_group("options of every question")
    for flag in flags:
        group.add_argument(*flag.names, **{"default": argparse.SUPPRESS, **flag.settings})
    group.add_argument("-h", "--help", action="store_true", default=argparse.SUPPRESS, help="show this and end")
