"""PostgreSQL that goes away at the worst moment: every batch is counted once."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import asyncpg
import pytest
import pytest_asyncio

from tests.stores import Cluster
from tests.test_store import ALL, AMY, Owner, hits
from userstats.store.postgres import PostgresStore
from userstats.store.seam import DatabaseGone, Fenced, Position
from userstats.writes import Rows

Fate = Literal["", "lost on the way", "done, answer lost"]


class Wire:
    """A line to PostgreSQL that can be cut: on a COMMIT, before or after it arrived, or altogether."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.path = folder / ".s.PGSQL.5432"
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self.fate: Fate = ""
        """What happens to the next COMMIT."""
        self.stays_down = False
        """Whether the line stays cut after that, until `up`."""
        self.happened = asyncio.Event()
        self._target = cluster.folder / ".s.PGSQL.5432"
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def up(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def down(self) -> None:
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)
        self.cut()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _strike(self) -> None:
        self.fate = ""
        if self.stays_down:
            await self.down()
        self.cut()
        self.happened.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._target)
        self._open |= {writer, back}
        for task in (asyncio.create_task(self._up(reader, back)), asyncio.create_task(self._down(there, writer))):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _up(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if b"COMMIT" in data and self.fate == "lost on the way":
                await self._strike()
                return
            back.write(data)
        back.close()

    async def _down(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(there):
            if b"COMMIT" in data and self.fate == "done, answer lost":
                await self._strike()
                return
            writer.write(data)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@pytest_asyncio.fixture
async def wire(postgres: Cluster) -> AsyncIterator[Wire]:
    with tempfile.TemporaryDirectory(prefix="wire-", dir="/tmp") as folder:
        line = Wire(Path(folder), postgres)
        await line.up()
        yield line
        await line.down()


@pytest_asyncio.fixture
async def owner(wire: Wire) -> AsyncIterator[Owner]:
    store = await PostgresStore.open(wire.url, f"t_{secrets.token_hex(6)}")
    yield await Owner.of(store)
    await store.close()


def rows(amount: int) -> list[tuple[Any, ...]]:
    return [(*AMY, amount, None, None, None, None)]


async def test_a_commit_whose_answer_was_lost_is_known_to_have_happened(owner: Owner, wire: Wire) -> None:
    await owner.commit(hits(1))
    wire.fate = "done, answer lost"
    await owner.commit(hits(2))
    await owner.commit(hits(4))
    assert (wire.fate, await owner.rows()) == ("", rows(7))


async def test_a_commit_that_was_lost_on_its_way_raises_and_the_same_batch_is_accepted_again(
    owner: Owner, wire: Wire
) -> None:
    await owner.commit(hits(1))
    wire.fate = "lost on the way"
    with pytest.raises(DatabaseGone):
        await owner.commit(hits(2))
    assert await owner.store.load(ALL) == rows(1)
    await owner.commit(hits(2))
    assert (wire.fate, await owner.rows()) == ("", rows(3))


async def test_a_commit_of_unknown_outcome_waits_for_a_database_that_is_gone(owner: Owner, wire: Wire) -> None:
    wire.fate, wire.stays_down = "done, answer lost", True
    commit = asyncio.create_task(owner.commit(hits(2)))
    await wire.happened.wait()
    done, _ = await asyncio.wait({commit}, timeout=0.2)
    await wire.up()
    await commit
    assert (done, await owner.rows()) == (set(), rows(2))


async def test_whoever_lost_the_position_during_a_broken_commit_is_refused(
    owner: Owner, wire: Wire, postgres: Cluster
) -> None:
    assert isinstance(owner.store, PostgresStore)
    successor = await PostgresStore.open(postgres.url, owner.store._schema)
    wire.fate, wire.stays_down = "lost on the way", True
    commit = asyncio.create_task(owner.commit(hits(2)))
    await wire.happened.wait()
    taken = await successor.take()
    await successor.close()
    await wire.up()
    with pytest.raises(Fenced):
        await commit
    assert (taken, await owner.rows()) == (Position(), [])


async def test_a_connection_that_the_server_ended_is_made_again(owner: Owner, postgres: Cluster) -> None:
    await owner.commit(hits(1))
    await owner.rows()
    other = await asyncpg.connect(postgres.url)
    await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    await other.close()
    await asyncio.sleep(0.1)
    await owner.commit(hits(2))
    assert await owner.rows() == rows(3)


async def test_a_batch_whose_connection_broke_half_way_is_as_if_it_never_was(owner: Owner, wire: Wire) -> None:
    class CutBetweenTables(dict[str, Rows]):
        def items(self) -> Any:
            for number, item in enumerate(super().items()):
                asyncio.get_running_loop().call_soon(wire.cut if number else int)
                yield item

    await owner.commit(hits(1))
    with pytest.raises(DatabaseGone):
        await owner.commit(CutBetweenTables(hits(2).tables, notes={(1,): {"text": "x"}}))
    await owner.commit(hits(4))
    assert await owner.rows() == rows(5)
