"""Databases for tests: a SQLite file, and a PostgreSQL cluster that lives as long as the session.

`store` and `world` run a test on both; `database` opens any number of stores on one database.
PostgreSQL's server programs are looked for in PATH and in /usr/lib/postgresql/*/bin (Debian: package `postgresql`).
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio

from tests.say import World
from userstats.store.postgres import PostgresStore
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore

KINDS: Final = ("sqlite", "postgres")
_SETTINGS: Final = (
    "listen_addresses=", "fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=100",
    "shared_buffers=64MB", "autovacuum=off", "max_locks_per_transaction=1024",
)  # fmt: skip


class Cluster(NamedTuple):
    """A running PostgreSQL of the tests' own."""

    url: str
    folder: Path
    """Where its socket is."""


class Database:
    """One fresh database; each store that a test opens on it is closed at the end."""

    def __init__(self, kind: str, connect: Callable[[], Awaitable[Store]]) -> None:
        self.kind = kind
        self._connect = connect
        self._stores: list[Store] = []

    async def open(self) -> Store:
        """A further store on the same database, as another process would open it."""
        store = await self._connect()
        self._stores.append(store)
        return store

    async def close(self) -> None:
        for store in self._stores:
            await store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster on a Unix socket, dropped at the end of the session."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs here (initdb, postgres); Debian: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="userstats-pg-", dir="/tmp"))
    process = _started(programs, folder)
    yield Cluster(f"postgresql://postgres@/postgres?host={folder}", folder)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    shutil.rmtree(folder)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)


def _started(programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "nobody")
        options |= {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    data = folder / "data"
    log = folder / "log"
    initdb = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, capture_output=True, **options)
    dies_with_us = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    settings = [part for setting in (*_SETTINGS, f"unix_socket_directories={folder}") for part in ("-c", setting)]
    with log.open("wb") as output:
        command = [*dies_with_us, str(programs / "postgres"), "-D", str(data), *settings]
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
    deadline = time.monotonic() + 30
    while not _ready(data):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()  # noqa: PT018
        time.sleep(0.02)
    return process


def _ready(data: Path) -> bool:
    status = data / "postmaster.pid"
    return status.exists() and status.read_text().rstrip().endswith("ready")


@pytest_asyncio.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh database of each kind."""
    made = fresh(request.param, tmp_path, lambda: request.getfixturevalue("postgres"))
    yield made
    await made.close()


@pytest_asyncio.fixture
async def store(database: Database) -> Store:
    """A store on a fresh database of each kind; `prepare` and `take` are up to the test."""
    return await database.open()


@pytest_asyncio.fixture
async def world(store: Store) -> World:
    """A world with every room, on a fresh database of each kind."""
    return await World.open(store)


def fresh(kind: str, folder: Path, cluster: Callable[[], Cluster]) -> Database:
    """A database that nobody has used."""
    name = f"t_{secrets.token_hex(6)}"
    if kind == "sqlite":
        return Database(kind, lambda: SQLiteStore.open(folder / f"{name}.db"))
    url = cluster().url
    return Database(kind, lambda: PostgresStore.open(url, name))
