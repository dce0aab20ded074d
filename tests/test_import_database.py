"""Databases of kryten-userstats: read whole, left alone, and believed in nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridges.cytube_room.reading import Reading
from bridges.cytube_room.room import Room
from scripts.kryten_database import COLUMNS, Unusable, opened
from scripts.kryten_people import account
from tests.bridges.desk import FakeDesk
from tests.old_kryten import EVENING, ROOM, SITE, Tables, old_database, planned
from tests.say import place
from userstats.catalogue import read
from userstats.contract import events as e
from userstats.contract.import_rows import Row
from userstats.service import Service
from userstats.store.sqlite import SQLiteStore
from userstats.store.views import views

SCHEMA: Final = Path(__file__).parents[2] / "shared" / "reference" / "kryten" / "db_schema.sql"


def test_accounts_are_those_that_bridges_tell_of() -> None:
    desk = FakeDesk()
    reading = Reading(Room(place=place("lounge"), watch="w"), 0, desk)

    assert reading.person("alice") == desk.pseudonyms.person("cytube", account("cytu.be", "alice"))


@pytest.mark.skipif(not SCHEMA.exists(), reason="the folder with the peer's schema is not here")
def test_the_peers_own_schema_is_read(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db", EVENING, SCHEMA.read_text())

    found = planned(path)

    assert found.batch == planned(old_database(tmp_path / "own.db")).batch
    assert found.source.tables == planned(tmp_path / "own.db").source.tables


def test_an_older_database_without_the_later_tables_is_read(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db")
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE population_watermarks; DROP TABLE movie_votes;")
    connection.close()

    found = planned(path)

    assert [one.table for one in found.source.tables] == [
        table for table in get_args(e.OldTable) if table not in {"population_watermarks", "movie_votes"}
    ]
    assert found.totals["votes"] == 0


def test_g24_a_database_that_is_still_written_to_is_read_whole_and_left_alone(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("UPDATE message_counts SET message_count = 1000 WHERE username = 'Bob'")
    file_before = path.read_bytes()
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE message_counts SET message_count = 5 WHERE username = 'Bob'")

    found = planned(path)

    assert found.totals["messages"] == 1405
    assert path.read_bytes() == file_before
    writer.execute("ROLLBACK")
    writer.close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"this is no database, and long enough to be looked at as one" * 20, "file is not a database"),
        (b"", "it has no table users; it is no database of kryten-userstats"),
    ],
)
def test_what_is_no_old_database_is_said_plainly(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)

    with pytest.raises(Unusable, match=complaint), opened(path):
        pass


def test_rows_that_together_are_too_much_are_not_added_up(tmp_path: Path) -> None:
    most = 2**31 - 1
    tables: Tables = {
        "message_counts": [("Amy", ROOM, SITE, most), ("amy", ROOM, SITE, 1)],
        "emote_usage": [("Amy", ROOM, SITE, "ok", 1), ("amy", ROOM, SITE, "ok", most)],
        "pm_counts": [("Amy", most), ("amy", most)],
    }

    found = planned(old_database(tmp_path / "old.db", tables))

    assert [tuple(remark) for remark in found.source.remarks] == [
        (table, 2, "refused", "too_large") for table in ("emote_usage", "message_counts", "pm_counts")
    ]
    assert (found.totals["messages"], found.totals["emotes"], found.totals["private messages"]) == (most, 1, most)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="there is no such file"), opened(tmp_path / "x.db"):
        pass

    assert list(tmp_path.iterdir()) == []


async def test_our_own_database_is_not_taken_for_an_old_one(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "own.db")
    await Service(store, read()).start(views(store.dialect))
    await store.close()

    with pytest.raises(Unusable, match="it has no table users"), opened(tmp_path / "own.db"):
        pass


def test_a_damaged_database_is_not_believed(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db", {**EVENING, "pm_counts": [(f"u{n}", n) for n in range(2000)]})
    content = bytearray(path.read_bytes())
    content[-9000:-4200] = b"\x55" * 4800
    path.write_bytes(content)

    with pytest.raises(Unusable), opened(path):
        pass


values = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=8), st.text(max_size=12),
    st.sampled_from([ROOM, SITE, "Amy", "amy", "lol", "2026-01-01T00:00:00+00:00", 1, 2, -1]),
    st.sampled_from([ROOM, SITE, "Amy", "amy", "lol", "2026-01-01T00:00:00+00:00", 1, 2, -1]),
)  # fmt: skip
tables = st.fixed_dictionaries(
    {
        table: st.lists(st.tuples(*[values] * len(columns)), max_size=4)
        for table, columns in COLUMNS.items()
    }
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tables)
def test_g32_whatever_the_tables_hold_every_row_is_accounted_for(found: Tables) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = old_database(Path(folder) / "old.db", found)
        plan = planned(path)

        assert planned(path).batch == plan.batch
    counted = {one.table: (one.rows, one.taken + one.merged + one.refused) for one in plan.source.tables}
    assert counted == {table: (len(rows), len(rows)) for table, rows in found.items()}
    for _, row in (*plan.facts, *plan.names):
        assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row
