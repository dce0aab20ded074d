"""What the place where the answer goes can do: its width, its characters, its colours."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Final, TextIO

from ..drawing import NARROWEST, WIDEST, Look
from ..sparkline import LEVELS
from .options import Options

_DRAWN: Final = LEVELS + "…·─░▒▓█"


def look(options: Options, stream: TextIO, environment: Mapping[str, str]) -> Look:
    """How tables are drawn there."""
    terminal = stream.isatty()
    cells = WIDEST
    if options.width:
        cells = options.width
    elif terminal:
        cells = max(NARROWEST, shutil.get_terminal_size().columns)
    return Look(
        cells=cells,
        unicode=draws(stream),
        colour=not options.no_color and colourful(terminal, environment),
        rules=terminal,
    )


def colourful(terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether bold and dim text is wanted: no-color.org, FORCE_COLOR, and what the terminal says of itself."""
    if environment.get("NO_COLOR"):
        return False
    if forced := environment.get("FORCE_COLOR"):
        return forced != "0"
    if os.name == "nt" and not (environment.get("WT_SESSION") or environment.get("ANSICON")):
        return False  # an old console prints escape sequences as they are
    return terminal and environment.get("TERM") != "dumb"


def draws(stream: TextIO) -> bool:
    """Whether lines and shades can be written there."""
    try:
        _DRAWN.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def prepare(form: str, stream: TextIO) -> None:
    """What the stream cannot write becomes a question mark; files of rows are UTF-8 whatever the console speaks."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    if form in {"csv", "ndjson", "json", "markdown"} and not stream.isatty():
        reconfigure(encoding="utf-8", errors="replace")
    else:
        reconfigure(errors="replace")


def conversational() -> bool:
    """Whether somebody can be asked something; in a cron job there may be no stdin at all."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def clear() -> str:
    """Begins a terminal's screen anew."""
    return "\x1b[H\x1b[2J"


def silence() -> None:
    """Nobody reads our output any more: let what the interpreter still flushes go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
