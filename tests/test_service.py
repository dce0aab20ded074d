"""Counted exactly once: however often, in whatever order and in whatever batches the stream says it."""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rooms import FRAGILE, PRESENCE, SPEECH, UNLUCKY
from tests.say import Gap, World, clock, gap, joined, key, left, message, named, person, roster, started
from tests.stores import Database
from tests.strategies import evenings
from userstats.contract import wire
from userstats.contract.events import Event
from userstats.service import Message
from userstats.stats import messages, people
from userstats.store.seam import Fenced, Position, Store
from userstats.store.sqlite import SQLiteStore
from userstats.writes import Rows

ROOMS = (messages.STATISTIC, people.STATISTIC, PRESENCE, SPEECH)
TOTALS = "SELECT place, person, messages, words FROM person_totals ORDER BY place, person"
EVENING: tuple[str | Gap | Event, ...] = (
    "20:00", started(), roster("amy", "bob", away=("bob",)), named("Amy"), message("amy", words=3),
    message("bob", "lobby", words=2), "20:20", message("amy"), left("bob"), gap("20:40"), message("cid", words=7),
    "21:10", joined("bob"), message("bob", by="bot"), started("lobby"), roster("dan", where="lobby"), "22:00",
)  # fmt: skip


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, *ROOMS)


async def counted(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every table, but for the tallies of duplicates."""
    dump = await world.dump()
    dump["event_tallies"] = [row[:3] for row in dump["event_tallies"]]
    return dump


async def test_each_message_twice_is_counted_once(world: World, tmp_path: Path) -> None:
    once = await World.open(await SQLiteStore.open(tmp_path / "once.db"), *ROOMS)
    await once.tell(*EVENING)
    stream = world.messages(*EVENING)
    doubled = [copy for one in stream for copy in (one, one)]
    await world.apply([one._replace(seq=seq) for seq, one in enumerate(doubled, 1)], batch=7)
    assert await counted(world) == await counted(once)
    assert world.service.applied["duplicate"] == len(stream)
    await once.store.close()


async def test_a_whole_evening_said_again_later_changes_nothing(world: World) -> None:
    stream = world.messages(*EVENING)
    await world.apply(stream)
    before = await counted(world)
    await world.apply(world.again(stream), batch=10)
    await world.restart()
    await world.apply(world.again(stream[::-1]), batch=3)
    assert await counted(world) == before


@pytest.mark.parametrize("seed", range(5))
async def test_re_sends_in_any_order_fill_the_holes_and_count_once(world: World, seed: int) -> None:
    dice = random.Random(seed)
    stream = world.messages("20:00", *(message("amy", words=n) for n in range(60)))
    missing = set(dice.sample(range(len(stream)), 20))
    first = [one for n, one in enumerate(stream) if n not in missing] * 2
    dice.shuffle(first)
    await world.apply(world.again(first), batch=11)
    present = sorted(wire.decode(one.data).n for one in first)  # type: ignore[union-attr]
    holes = {n for begin, end in world.service.producers.holes()["outbox-1"] for n in range(begin, end + 1)}
    assert holes == set(range(1, present[-1])) - set(present)
    await world.restart()
    everything = stream * 2
    dice.shuffle(everything)
    await world.apply(world.again(everything), batch=13)
    assert await world.rows(TOTALS) == [(1, person("amy"), 60, sum(range(60)))]
    assert world.service.producers.holes() == {}


async def test_the_same_fact_told_by_two_bridges_is_counted_once(world: World) -> None:
    said = [message("amy", id=1000 + n) for n in range(300)]
    await world.apply(world.messages("20:00", *said, producer="one")[:-3])
    await world.restart()
    await world.apply(world.messages(*said[100:], producer="two"))
    assert await world.rows(TOTALS) == [(1, person("amy"), 300, 300)]


async def test_the_same_id_at_two_places_is_two_facts(world: World) -> None:
    await world.tell("20:00", message("amy", "lounge", id=77), message("amy", "lobby", id=77))
    assert await world.rows(TOTALS) == [(1, person("amy"), 1, 1), (2, person("amy"), 1, 1)]


@settings(max_examples=25, deadline=None)
@given(evenings, st.lists(st.integers(1, 9), max_size=20))
def test_batches_of_any_size_and_restarts_leave_byte_identical_databases(
    evening: list[str | Gap | Event], sizes: list[int]
) -> None:
    async def image(sizes: Sequence[int], restarts: int) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            store = await SQLiteStore.open(Path(folder) / "x.db")
            world = await World.open(store, *ROOMS)
            stream = world.messages("20:00", *evening, "+10m")
            for size in sizes:
                await world.apply(stream[:size])
                stream = stream[size:]
                await world.restart()
            await world.apply(stream)
            for _ in range(restarts):  # each start takes the position, and its epoch is part of the image
                await world.restart()
            await store.close()
            return await vacuumed(Path(folder))

    assert asyncio.run(image(sizes, 0)) == asyncio.run(image((), len(sizes)))


async def vacuumed(folder: Path) -> bytes:
    async with aiosqlite.connect(folder / "x.db") as connection:
        await connection.execute("VACUUM INTO ?", [str(folder / "image.db")])
    return (folder / "image.db").read_bytes()


async def test_both_databases_hold_the_same(world: World, tmp_path: Path) -> None:
    other = await World.open(await SQLiteStore.open(tmp_path / "other.db"), *ROOMS)
    await other.tell(*EVENING)
    await world.tell(*EVENING, batch=5)
    assert await world.dump() == await other.dump()
    await other.store.close()


async def test_a_room_that_raises_is_parked_for_that_event_and_the_others_count_it(store: Store) -> None:
    world = await World.open(store, FRAGILE, PRESENCE, messages.STATISTIC)
    told = world.messages("20:00", message("amy"), message("bob", words=UNLUCKY), message("amy", words=2), "20:01")
    await world.apply(told)
    assert await world.rows(TOTALS) == [(1, *row) for row in sorted([(person("amy"), 2, 3), (person("bob"), 1, 13)])]
    assert await world.rows("SELECT seq, part, person FROM traces ORDER BY seq, part DESC") == [
        (1, "before", person("amy")), (1, "after", person("amy")),
        (3, "before", person("amy")), (3, "after", person("amy")),
    ]  # fmt: skip
    assert await world.rows("SELECT room, seq, kind, error, at FROM parked_events") == [
        ("fragile", 2, "MessageSent", "the room failed on it", clock("20:00"))
    ]
    assert await world.rows("SELECT person FROM open_spans") == [(person("amy"),)]
    memory = await world.rows("SELECT value FROM room_memory WHERE room = 'fragile'")
    assert memory == [(f'{{"person":{person("amy")},"length":2}}',)]


async def test_a_failing_room_leaves_the_same_rows_whatever_the_batches_were(store: Store, tmp_path: Path) -> None:
    def evening() -> list[Event]:
        return [message("amy", words=UNLUCKY - n % 3) for n in range(12)]

    whole = await World.open(await SQLiteStore.open(tmp_path / "whole.db"), FRAGILE, PRESENCE)
    await whole.tell("20:00", *evening(), "20:05")
    pieces = await World.open(store, FRAGILE, PRESENCE)
    await pieces.tell("20:00", *evening(), "20:05", batch=2)
    assert await pieces.dump() == await whole.dump()
    assert len(await pieces.rows("SELECT seq FROM parked_events")) == 4
    await whole.store.close()


async def test_what_is_no_event_becomes_a_dead_letter_without_what_it_said(world: World) -> None:
    good, other = world.messages("20:00", message("amy"), message("amy", words=2))
    marker = b"somebody-wrote-this"
    faults = {
        "json": b'{"kind": "MessageSent", "text": "%b' % marker,
        "unknown_type": good.data.replace(b'"MessageSent"', b'"%b"' % marker),
        "crc": good.data.replace(b'"characters":5', b'"characters":5,"text":"%b"' % marker),
        "schema": good.data.replace(b'"cytube"', b'"%b !"' % marker),
        "too_big": b'{"text":"%b"}' % (marker * 1000),
    }
    stream = world.again([good, *(Message(0, 0, "the.subject", data) for data in faults.values()), other])
    await world.apply(stream)
    assert await world.rows("SELECT seq, reason, subject, bytes, at, sha256 FROM dead_letters ORDER BY seq") == [
        (bad.seq, reason, "the.subject", len(bad.data), clock("20:00"), hashlib.sha256(bad.data).hexdigest())
        for bad, reason in zip(stream[1:-1], faults, strict=True)
    ]
    assert marker.decode() not in str(await world.dump())
    assert await world.rows(TOTALS) == [(1, person("amy"), 2, 3)]


async def test_a_dead_letter_stays_when_its_stream_is_made_anew_and_comes_once_however_often_it_is_read(
    world: World,
) -> None:
    old, new = Message(7, 1_000_000_000, "a.subject", b"first"), Message(7, 2_000_000_000, "a.subject", b"{}")
    await world.service.apply([old], "one")
    await world.service.rewind(Position(0, 0, "one"))
    await world.service.apply([old], "one")
    await world.service.rewind(Position(0, 0, "two"))
    await world.service.apply([new], "two")
    assert await world.rows("SELECT seq, at, reason, bytes FROM dead_letters ORDER BY at") == [
        (7, 1_000, "json", 5), (7, 2_000, "unknown_type", 2),
    ]  # fmt: skip


async def refusals(store: Store, batch: int = 0, days: int = 90) -> World:
    """A world in which something could not be counted on 3 March at 00:00 and 20:00, on 1 June and on 2 June."""
    world = await World.open(store, FRAGILE, PRESENCE)
    world.service.refused_days = days
    for moment in ("00:00", "20:00", "2025-06-01 00:00", "2025-06-02 19:00"):
        told = world.messages(gap(moment), message("amy", words=UNLUCKY), message("amy", at=clock("00:00")))
        noise = told[-1]._replace(data=b"no event", subject="a.subject")
        await world.apply([*told[:-1], noise], batch)
    return world


async def test_what_could_not_be_counted_is_kept_for_90_days_of_the_streams_time_and_its_number_for_ever(
    store: Store, tmp_path: Path
) -> None:
    world = await refusals(store)
    kept = [clock("2025-06-01 00:00"), clock("2025-06-02 19:00")]
    assert [at for (at,) in await world.rows("SELECT at FROM dead_letters ORDER BY at")] == kept
    assert [at for (at,) in await world.rows("SELECT at FROM parked_events ORDER BY at")] == kept
    assert await world.rows("SELECT kept_in, label, number FROM aged_rows ORDER BY kept_in") == [
        ("dead_letters", "json", 2), ("parked_events", "fragile", 2),
    ]  # fmt: skip
    other = await refusals(await SQLiteStore.open(tmp_path / "other.db"), batch=1)
    assert await other.dump() == await world.dump()
    await other.store.close()


@pytest.mark.parametrize(("days", "kept"), [(0, 4), (1, 2), (91, 4)])
async def test_how_long_what_could_not_be_counted_is_kept_is_a_setting(store: Store, days: int, kept: int) -> None:
    world = await refusals(store, days=days)
    found = [len(await world.rows(f"SELECT at FROM {table}")) for table in ("dead_letters", "parked_events")]
    assert found == [kept, kept]


async def test_a_stream_that_is_read_again_from_its_beginning_is_not_counted_again(world: World) -> None:
    stream = world.messages(*EVENING)
    await world.apply(stream)
    before = await counted(world)
    await world.service.rewind(Position(0, 0, "made anew"))
    await world.apply(stream, batch=9)
    assert await counted(world) == before
    assert (world.service.position.seq, world.service.position.stream) == (len(stream), "made anew")


async def test_a_service_that_was_replaced_stops_writing(database: Database) -> None:
    first = await World.open(await database.open(), *ROOMS)
    stream = first.messages("20:00", message("amy"), message("amy"))
    await first.apply(stream[:1])
    second = await World.open(await database.open(), *ROOMS)
    with pytest.raises(Fenced):
        await first.apply(stream[1:])
    await second.apply(stream[1:])
    assert await second.rows(TOTALS) == [(1, person("amy"), 2, 2)]


class Faulty:
    """A store of which the next so many calls of `commit` and `load` fail, after or before they did their work."""

    def __init__(self, store: Store, *, commits: int = 0, loads: int = 0) -> None:
        self._store = store
        self.commits = commits
        self.loads = loads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(
        self, rows: Mapping[str, Rows], old: Position, new: Position, before: Mapping[str, int] = {}
    ) -> None:
        if self.commits:
            self.commits -= 1
            raise OSError("disk")
        await self._store.commit(rows, old, new, before)

    async def load(self, sql: str, parameters: Mapping[str, object] = {}) -> list[tuple[Any, ...]]:
        if self.loads:
            self.loads -= 1
            raise OSError("disk")
        return await self._store.load(sql, parameters)


@pytest.mark.parametrize("loads", [0, 1, 4])
async def test_a_batch_that_could_not_be_stored_is_counted_when_it_is_applied_again(world: World, loads: int) -> None:
    await world.tell("19:00", joined("amy"), message("amy"), "19:10")
    stream = world.messages(message("amy", words=2), left("amy"), message("bob"), "19:30")
    world.service.store = Faulty(world.store, commits=2, loads=loads)
    while world.service.position.seq < stream[-1].seq:
        with suppress(OSError):
            await world.apply(stream)
    assert sorted(await world.rows(TOTALS)) == sorted([(1, person("amy"), 2, 3), (1, person("bob"), 1, 1)])
    assert await world.rows("SELECT here_ms FROM person_totals WHERE here_ms > 0") == [(600_000,)]
    assert world.service.applied["MessageSent"] == 3


async def test_a_clock_that_runs_ahead_of_the_broker_is_not_believed(world: World) -> None:
    tomorrow = clock("2025-03-04 20:00")
    await world.tell("20:00", message("amy", at=tomorrow, seen=tomorrow))
    assert await world.rows("SELECT quarter, messages FROM person_quarters") == [(clock("20:01") // 900_000, 1)]
    assert world.service.applied["ahead"] == 1


async def test_a_late_message_is_counted_when_it_was_said(world: World) -> None:
    await world.tell("20:00", message("amy"), message("amy", at=clock("08:00")), "20:01")
    assert await world.rows("SELECT quarter, messages FROM person_quarters ORDER BY quarter") == [
        (clock("08:00") // 900_000, 1),
        (clock("20:00") // 900_000, 1),
    ]
    assert await world.rows("SELECT first_at, last_at FROM sightings") == [(clock("08:00"), clock("20:00"))]


async def test_a_name_is_the_newest_one_even_when_an_older_one_arrives_late(world: World) -> None:
    await world.tell("20:00", named("Amy"), named("AMY", at=clock("19:00")), "20:01")
    assert await world.rows("SELECT name_key, name FROM names") == [(key("amy"), "Amy")]


async def test_no_messages_are_no_batch(world: World) -> None:
    await world.service.apply([])
    assert (world.service.position, await world.dump()) == (Position(), {})
