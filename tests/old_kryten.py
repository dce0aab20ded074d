"""Databases as kryten-userstats leaves them, and worlds into which they are imported."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import msgspec
from nats.aio.client import Client

from scripts.kryten_database import COLUMNS, opened
from scripts.kryten_plan import Plan, plan
from scripts.kryten_sending import send
from tests.say import PSEUDONYMS, World, clock
from userstats.answer import Answers
from userstats.contract.questions import Failure, Reply
from userstats.recorder import Recorder

NOW: Final = clock("2026-11-20 12:00")
SITE, ROOM = "cytu.be", "420Grindhouse"
Tables = Mapping[str, Sequence[tuple[Any, ...]]]

EVENING: Final[Tables] = {
    "users": [
        ("Alice", "2025-12-06T18:00:00.123456+00:00", "2026-11-19T22:00:00+00:00"),
        ("Bob", "2025-12-07T18:00:00+00:00", "2026-03-01T01:00:00+00:00"),
        ("Old-Name", "2025-12-07T19:00:00+00:00", "2025-12-31T23:00:00+00:00"),
    ],
    "user_aliases": [("Alice", "al"), ("Alice", "ally"), ("Bob", "bobby")],
    "message_counts": [("Alice", ROOM, SITE, 400), ("Bob", ROOM, SITE, 30), ("Alice", "Lobby", SITE, 5)],
    "pm_counts": [("Alice", 7), ("Bob", 1)],
    "population_snapshots": [
        (ROOM, SITE, "2026-11-19T20:00:01.500000+00:00", 4, 3),
        (ROOM, SITE, "2026-11-19T20:05:01.500000+00:00", 9, 8),
    ],
    "media_changes": [
        (ROOM, SITE, "2026-11-19T20:00:00+00:00", "Alien", "yt", "a1"),
        (ROOM, SITE, "2026-11-19T22:00:00+00:00", "Dune", "fi", "https://x/dune.mp4"),
        (ROOM, SITE, "2026-11-19T23:00:00+00:00", "Alien", "yt", "a1"),
    ],
    "user_activity": [("Alice", ROOM, SITE, 360_000, 180_000), ("Old-Name", ROOM, SITE, 504_000, 504_000)],
    "emote_usage": [
        ("Alice", ROOM, SITE, "pogchamp", 12), ("Alice", ROOM, SITE, "kappa", 3), ("Bob", ROOM, SITE, "kappa", 1),
    ],
    "kudos_plusplus": [("Bob", ROOM, SITE, 11), ("Alice", ROOM, SITE, 2)],
    "kudos_phrases": [("Bob", ROOM, SITE, "lol", 5), ("Alice", ROOM, SITE, "haha", 1)],
    "kudos_trigger_phrases": [("lol",), ("haha",)],
    "population_watermarks": [(ROOM, SITE, "2026-11-19T20:05:01.500000+00:00", 9, 8)],
    "movie_votes": [
        (ROOM, SITE, "Alien", "yt", "a1", "Alice", 1, "2026-11-19T20:30:00+00:00"),
        (ROOM, SITE, "Alien", "yt", "a1", "Bob", -1, "2026-11-19T20:31:00+00:00"),
    ],
}  # fmt: skip
"""A database in which nothing is wrong."""


def old_database(path: Path, tables: Tables = EVENING, schema: str = "") -> Path:
    """A database file with these rows. `schema`: SQL of the tables; without it they take whatever they are given."""
    connection = sqlite3.connect(path)
    connection.executescript(schema or "".join(_create(table) for table in COLUMNS))
    for table, rows in tables.items():
        columns = list(COLUMNS[table])  # type: ignore[index]
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            if schema and table == "population_watermarks":
                values["is_high_mark"] = 1
            marks = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    connection.commit()
    connection.close()
    return path


def _create(table: str) -> str:
    return f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {', '.join(COLUMNS[table])});"  # type: ignore[index]


def planned(path: Path, domain: str = SITE) -> Plan:
    """What would be taken over of this database."""
    with opened(path) as database:
        return plan(database, domain, NOW)


class _Said(NamedTuple):
    data: bytes


class _Stream:
    """Stands for the broker: what is appended is applied at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._one_by_one = asyncio.Lock()

    async def request(self, subject: str, payload: bytes, **_: Any) -> _Said:
        async with self._one_by_one:
            message = self._world._appended(subject, payload)
            await self._world.apply([message])
        return _Said(json.dumps({"seq": message.seq}).encode())


async def _at_once(_: int) -> None:
    pass


def recorder_of(world: World) -> Recorder:
    """The real recorder; what it appends is counted at once."""
    return Recorder(cast(Client, _Stream(world)), PSEUDONYMS, _at_once)


class Lost(Exception):
    """The answer did not come."""


class Asking:
    """A world that is asked as the tool asks userstats. `stop_after`: its answer to this request is lost, and no more
    come."""

    def __init__(self, world: World, stop_after: int = 0) -> None:
        self.requests = 0
        self._stop_after = stop_after
        self._answers = Answers(
            world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now, services=(recorder_of(world),)
        )

    async def reply(self, question: str, **values: Any) -> Reply | Failure:
        return await self._answers.answer(question, json.loads(json.dumps(values)))

    async def ask(self, question: str, **values: Any) -> Any:
        """The data as JSON has it, as `scripts.service.Service` gives it."""
        reply = await self.reply(question, **values)
        assert isinstance(reply, Reply), reply
        self.requests += 1
        if self.requests == self._stop_after:
            raise Lost
        return msgspec.to_builtins(reply.data)


async def imported(world: World, planned: Plan, asking: Asking | None = None) -> bool:
    """Whether something was taken over."""
    return await send(asking or Asking(world), planned, "userstats.db", lambda *_: None)
