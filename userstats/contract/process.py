"""What every process of an installation is told alike: sections `log` and `pseudonyms` of config.json."""

from __future__ import annotations

import json
import logging
import sqlite3
import traceback
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct

_TALKATIVE: Final = ("nats", "aiosqlite", "socketio", "engineio", "aiohttp", "discord")
"""Libraries that may quote what they carry."""


class PseudonymSettings(Struct, frozen=True, kw_only=True):
    """Section `pseudonyms`: the key of all keyed hashes. All parts of an installation need the same one."""

    key_file: str = "data/pseudonym.key"
    """Made at the first start. The environment variable USERSTATS_PSEUDONYM_KEY (hexadecimal) goes before it."""


class LogSettings(Struct, frozen=True, kw_only=True):
    """Section `log`."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["console", "json"] = "console"


class JsonLines(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, and the error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_log(settings: LogSettings) -> None:
    """Send what is this important to standard error."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if settings.format == "json" else plain)
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.ERROR)


def told(error: BaseException) -> str:
    """What may be logged of an error: its kind and where it arose, innermost first. Its text may quote a name, or what
    somebody wrote; only the system's and SQLite's own never do."""
    said = f" ({error})" if isinstance(error, (OSError, sqlite3.Error)) and str(error) else ""
    frames = traceback.extract_tb(error.__traceback__)[:-5:-1]
    where = ", ".join(f"{frame.name} at {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}{said} in {where or 'an unknown place'}"
