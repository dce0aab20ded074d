"""What every statistic promises, asked of each one in the folder before its author writes a line of test."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.say import World, clock
from tests.stores import KINDS, Cluster, Database, fresh
from tests.strategies import of_kind
from userstats import catalogue, stats
from userstats.contract import events
from userstats.contract.events import Event
from userstats.statistic import Statistic
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore
from userstats.tables import ENGINE

KNOWN = catalogue.read()
every_room = pytest.mark.parametrize("room", KNOWN.rooms, ids=[room.name for room in KNOWN.rooms])
REDUCERS = [(room, kind) for room in KNOWN.rooms for kind in room.on]
FUTURE = clock("2099-12-31 23:59")
"""No generated clock is ahead of this one."""


@every_room
def test_has_a_test_file(room: Statistic) -> None:
    assert (Path(__file__).parent / "stats" / f"test_{room.name}.py").is_file()


@every_room
def test_is_named_like_its_file(room: Statistic) -> None:
    assert (Path(stats.__path__[0]) / f"{room.name}.py").is_file()


@every_room
async def test_has_tables_that_both_databases_make_and_keep(room: Statistic, store: Store) -> None:
    world = await World.open(store, room)
    await world.restart()
    columns = {table.name: (*table.key, *table.columns) for table in world.service.catalogue.tables()}
    assert {name: await world.rows(f"SELECT {', '.join(of)} FROM {name}") for name, of in columns.items()} == {
        name: [] for name in columns
    }


async def test_all_of_them_live_in_one_database(world: World) -> None:
    await world.restart()
    assert await world.dump() == {}


@every_room
def test_names_what_exists(room: Statistic) -> None:
    assert set(room.on) <= set(events.KINDS.values())
    assert set(room.reads) <= {one.name for one in KNOWN.rooms}
    for span in room.spans:
        assert {span.measure} - {""} <= set(room.measures if span.ledger is None else span.ledger.measures)
        assert not span.stays or {span.stays.rows, span.stays.records} <= set(room.tables)
        assert not span.stays or span.stays.measure in room.measures


@every_room
def test_declares_columns_that_can_be_merged(room: Statistic) -> None:
    own = {table.name: table for table in room.tables}
    for table in own.values():
        assert table.newest in {"", *table.columns}
        assert table.aging is None or {table.aging.at, table.aging.by} <= {*table.key, *table.columns}
        assert table.aging is None or (room.settings and table.aging.days in room.settings.kind.__struct_fields__)
        assert {name.split(" ")[0] for index in table.indexes for name in index} <= {*table.key, *table.columns}
    assert not set(own) & {table.name for table in ENGINE}


@pytest.mark.parametrize(("room", "kind"), REDUCERS, ids=[f"{room.name}-{kind.__name__}" for room, kind in REDUCERS])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_survives_whatever_an_event_may_say(room: Statistic, kind: type[Event], data: st.DataObject) -> None:
    said = data.draw(st.lists(of_kind(kind), min_size=1, max_size=8))
    assert asyncio.run(parked([room], said)) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of([of_kind(kind) for kind in events.KINDS.values()]), min_size=1, max_size=20))
def test_all_of_them_together_survive_any_stream_of_events(said: list[Event]) -> None:
    assert asyncio.run(parked(list(KNOWN.rooms), said)) == []


async def parked(rooms: list[Statistic], said: list[Event]) -> list[tuple[Any, ...]]:
    """What the rooms failed on, and what was no event at all."""
    with tempfile.TemporaryDirectory() as folder:
        world = await World.open(await SQLiteStore.open(Path(folder) / "x.db"), *rooms)
        world.now = FUTURE
        await world.tell(*said)
        found = await world.rows("SELECT room, kind FROM parked_events")
        found += await world.rows("SELECT reason, detail FROM dead_letters")
        await world.store.close()
        return found


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of([of_kind(kind) for kind in events.KINDS.values()]), min_size=10, max_size=40))
def test_both_databases_keep_the_same_of_any_stream_of_events(postgres: Cluster, said: list[Event]) -> None:
    async def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
        world = await World.open(await database.open())
        world.now = FUTURE
        await world.tell(*said, batch=10)
        found = await world.dump()
        await database.close()
        return found

    with tempfile.TemporaryDirectory() as folder:
        one, other = (fresh(kind, Path(folder), lambda: postgres) for kind in KINDS)
        assert asyncio.run(dump(one)) == asyncio.run(dump(other))
