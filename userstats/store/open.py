"""Opens the database that config.json names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from ..contract.config import ConfigError
from .postgres import PostgresStore
from .seam import Store
from .sqlite import SQLiteStore


class DatabaseSettings(msgspec.Struct, frozen=True):
    """Section `database`: a SQLite file, or a PostgreSQL `url`, which wins."""

    path: str = "data/userstats.db"
    url: str = ""
    """`postgresql://user:password@host:5432/database`; a secret where it holds a password."""
    schema: str = ""
    """The PostgreSQL schema to keep the tables in, made if absent; empty: the role's own first one."""
    refused_days: Annotated[int, msgspec.Meta(ge=0)] = 90
    """How long dead letters and parked events are kept; 0: for ever."""


async def open_store(settings: DatabaseSettings, folder: Path) -> Store:
    """The store; a relative path begins at `folder`.

    Raises ConfigError for a `url` of something else, MissingDriver, or the driver's error when the database does not
    answer.
    """
    if not settings.url:
        return await SQLiteStore.open(folder / settings.path)
    if not settings.url.startswith(("postgresql://", "postgres://")):
        raise ConfigError("$.database.url", "must begin with postgresql://")
    return await PostgresStore.open(settings.url, settings.schema)
