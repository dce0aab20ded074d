"""Opens the database that config.json names."""

from __future__ import annotations

from pathlib import Path

import msgspec

from .seam import Store
from .sqlite import SQLiteStore


class DatabaseSettings(msgspec.Struct, frozen=True):
    """Section `database`: a SQLite file, or a PostgreSQL `url`, which wins."""

    path: str = "data/userstats.db"
    url: str = ""


async def open_store(settings: DatabaseSettings, folder: Path) -> Store:
    """The store; a relative path begins at `folder`."""
    return await SQLiteStore.open(folder / settings.path)
