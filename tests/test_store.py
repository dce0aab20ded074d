"""The seam's promises, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.say import World
from tests.stores import Cluster, Database
from userstats import catalogue
from userstats.contract.config import ConfigError
from userstats.service import Message
from userstats.statistic import ADD, HIGH, KEY, KEY_TEXT, LOW, PUT, PUT_TEXT, Column, Table
from userstats.store.open import DatabaseSettings, open_store
from userstats.store.postgres import MissingDriver
from userstats.store.seam import Fenced, Position, Schema, Store, WrongSchema
from userstats.store.sqlite import SQLiteStore
from userstats.store.views import views
from userstats.writes import Rows, Writes

FACTS = Table(
    "facts",
    {"place": KEY, "name": KEY_TEXT},
    {"hits": ADD, "least": LOW, "most": HIGH, "label": PUT_TEXT, "at": PUT},
    indexes=(("hits DESC", "name"),),
    newest="at",
)
NOTES = Table("notes", {"note": KEY}, {"text": PUT_TEXT, "weight": Column("DOUBLE PRECISION")})
SCHEMA = Schema((FACTS, NOTES), (), {})
AMY = (1, "amy")
ALL = "SELECT place, name, hits, least, most, label, at FROM facts ORDER BY place, name"
COUNTING = (
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000000) "
    "SELECT COUNT(*) FROM numbers"
)


class Sample(msgspec.Struct):
    words: tuple[str, ...]


class Owner:
    """A store that is prepared and owned, and how far it got."""

    def __init__(self, store: Store, position: Position) -> None:
        self.store = store
        self.position = position

    @classmethod
    async def of(cls, store: Store, schema: Schema = SCHEMA) -> Owner:
        await store.prepare(schema)
        return cls(store, await store.take())

    async def commit(self, writes: Writes | Mapping[str, Rows]) -> None:
        new = Position(self.position.seq + 1, self.position.stamp + 7, "now")
        await self.store.commit(writes.tables if isinstance(writes, Writes) else writes, self.position, new)
        self.position = new

    async def rows(self, sql: str = ALL, **parameters: object) -> list[tuple[Any, ...]]:
        async with self.store.reading() as reader:
            return await reader.rows(sql, parameters)


@pytest.fixture
async def owner(store: Store) -> Owner:
    return await Owner.of(store)


def hits(amount: int, key: tuple[int, str] = AMY) -> Writes:
    writes = Writes()
    writes.add("facts", key, {"hits": amount})
    return writes


async def test_amounts_add_up_within_a_batch_and_across_batches(owner: Owner) -> None:
    twice = hits(1)
    twice.add("facts", AMY, {"hits": 2})
    await owner.commit(twice)
    await owner.commit(hits(4))
    assert await owner.rows() == [(1, "amy", 7, None, None, None, None)]


async def test_an_older_value_changes_nothing_and_the_later_of_two_equally_old_ones_stays(owner: Owner) -> None:
    for batch in ([("b", 20), ("a", 10)], [("c", 15)], [("d", 20)], [("e", 19)]):
        writes = Writes()
        for label, at in batch:
            writes.put("facts", AMY, {"label": label, "at": at}, "at")
        await owner.commit(writes)
    assert await owner.rows() == [(1, "amy", 0, None, None, "d", 20)]


async def test_an_old_value_does_not_keep_amounts_from_being_added(owner: Owner) -> None:
    for label, at in (("new", 20), ("old", 10)):
        writes = hits(1)
        writes.put("facts", AMY, {"label": label, "at": at}, "at")
        await owner.commit(writes)
    await owner.commit(hits(1))
    assert await owner.rows() == [(1, "amy", 3, None, None, "new", 20)]


async def test_the_lowest_and_the_highest_stay(owner: Owner) -> None:
    for values in ((5, 6), (3, 4), (9,)):
        writes = Writes()
        for value in values:
            writes.extreme("facts", AMY, {"least": value}, min)
            writes.extreme("facts", AMY, {"most": value}, max)
        await owner.commit(writes)
    assert await owner.rows() == [(1, "amy", 0, 3, 9, None, None)]


async def test_a_forgotten_row_is_gone_and_a_new_one_under_its_key_starts_from_nothing(owner: Owner) -> None:
    for name in ("amy", "bob", "cid"):
        await owner.commit(hits(5, (1, name)))
    writes = hits(1, (1, "amy"))
    writes.forget("facts", (1, "amy"))
    writes.forget("facts", (1, "bob"))
    writes.put("facts", (1, "bob"), {"label": "again", "at": 1}, "at")
    await owner.commit(writes)
    assert await owner.rows() == [(1, "bob", 0, None, None, "again", 1), (1, "cid", 5, None, None, None, None)]


async def test_rows_of_one_batch_may_set_different_columns(owner: Owner) -> None:
    writes = hits(1, (2, "bob"))
    writes.extreme("facts", (1, "zoe"), {"least": 3}, min)
    writes.put("facts", (1, "amy"), {"at": 5, "label": "x"}, "at")
    writes.add("facts", (1, "zoe"), {"hits": 8})
    await owner.commit(writes)
    assert await owner.rows() == [
        (1, "amy", 0, None, None, "x", 5),
        (1, "zoe", 8, 3, None, None, None),
        (2, "bob", 1, None, None, None, None),
    ]


async def test_structs_are_kept_as_json_and_truth_as_a_number(owner: Owner) -> None:
    writes = Writes()
    writes.put("notes", (1,), {"text": Sample(("a", "ü")), "weight": 0.5})
    writes.put("facts", AMY, {"label": "bot", "at": True})
    await owner.commit(writes)
    found = await owner.rows("SELECT text, weight, at FROM notes, facts")
    assert found == [('{"words":["a","ü"]}', 0.5, 1)]


async def test_an_owner_that_was_replaced_is_refused_and_nothing_of_its_batch_remains(database: Database) -> None:
    first = await Owner.of(await database.open())
    await first.commit(hits(1))
    second = await Owner.of(await database.open())
    with pytest.raises(Fenced):
        await first.commit(hits(100))
    await second.commit(hits(2))
    with pytest.raises(Fenced):
        await first.commit(hits(100))
    assert await second.rows() == [(1, "amy", 3, None, None, None, None)]
    assert second.position == Position(2, 14, "now")


async def test_a_commit_that_does_not_begin_at_the_position_is_refused(owner: Owner) -> None:
    await owner.commit(hits(1))
    with pytest.raises(Fenced):
        await owner.store.commit(hits(1).tables, Position(), Position(1))
    assert await owner.rows() == [(1, "amy", 1, None, None, None, None)]


async def test_an_error_between_two_statements_leaves_the_old_rows_and_the_old_position(owner: Owner) -> None:
    await owner.commit(hits(1))
    broken: dict[str, Rows] = {**hits(100).tables, "no_such_table": {(1,): {"hits": 1}}}
    with pytest.raises(KeyError):
        await owner.commit(broken)
    assert await owner.store.take() == Position(1, 7, "now")
    await owner.commit(hits(2))
    assert await owner.rows() == [(1, "amy", 3, None, None, None, None)]


async def test_a_reopened_database_goes_on_where_it_was(database: Database) -> None:
    first = await Owner.of(await database.open())
    await first.commit(hits(1))
    await first.store.close()
    second = await Owner.of(await database.open())
    assert second.position == Position(1, 7, "now")
    await second.commit(hits(2))
    assert await second.rows() == [(1, "amy", 3, None, None, None, None)]


async def test_columns_that_a_newer_room_brings_are_added_to_the_rows_there_are(database: Database) -> None:
    old = Table("facts", FACTS.key, {"label": PUT_TEXT})
    before = await Owner.of(await database.open(), Schema((old,), (), {}))
    await before.commit({"facts": {AMY: {"label": "old"}}})
    after = await Owner.of(await database.open())
    await after.commit(hits(2))
    assert await after.rows() == [(1, "amy", 2, None, None, "old", None)]


async def test_a_key_that_a_newer_version_widens_is_widened_and_every_row_stays(database: Database) -> None:
    old = Table("letters", {"seq": KEY}, {"reason": PUT_TEXT, "at": PUT}, (("reason", "seq"),))
    new = Table("letters", {"seq": KEY, "at": KEY}, {"reason": PUT_TEXT, "times": ADD}, (("reason", "seq"),))
    before = await Owner.of(await database.open(), Schema((old,), (), {}))
    await before.commit({"letters": {(1,): {"reason": "crc", "at": 5}, (2,): {"reason": "json", "at": 6}}})
    for _ in range(2):
        after = await Owner.of(await database.open(), Schema((new,), (), {}))
        await after.commit({"letters": {(1, 5): {"reason": "crc", "times": 1}, (1, 9): {"reason": "new", "times": 1}}})
    assert await after.rows("SELECT seq, at, reason, times FROM letters ORDER BY seq, at") == [
        (1, 5, "crc", 2), (1, 9, "new", 2), (2, 6, "json", 0),
    ]  # fmt: skip


async def test_a_database_of_the_first_version_is_taken_over_and_not_given_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In it, a dead letter had the key `seq`, a parked event the keys `room` and `seq`."""
    first = {
        "dead_letters": Table("dead_letters", {"seq": KEY}, {"reason": PUT_TEXT, "at": PUT}),
        "parked_events": Table(
            "parked_events", {"room": KEY_TEXT, "seq": KEY}, {"kind": PUT_TEXT, "error": PUT_TEXT, "at": PUT}
        ),
    }
    known = catalogue.read().schema()
    tables = tuple(first.get(table.name, table) for table in known.tables if table.name != "aged_rows")
    with monkeypatch.context() as older:
        older.setattr(f"userstats.store.{database.kind}.SCHEMA_VERSION", 1)
        store = await database.open()
        before = await Owner.of(store, known._replace(tables=tables, views=views(store.dialect)))
    await before.commit({
        "dead_letters": {(3,): {"reason": "json", "at": 7_000}},
        "parked_events": {("kudos", 4): {"kind": "MessageSent", "error": "x", "at": 8_000}},
    })  # fmt: skip
    world = await World.open(await database.open())
    await world.service.apply([Message(3, 9_000_000_000, "a.subject", b"no event")])
    assert await world.rows("SELECT seq, at, reason FROM dead_letters ORDER BY at") == [
        (3, 7_000, "json"), (3, 9_000, "json"),
    ]  # fmt: skip
    assert await world.rows("SELECT room, seq, at, kind FROM parked_events") == [("kudos", 4, 8_000, "MessageSent")]
    monkeypatch.setattr(f"userstats.store.{database.kind}.SCHEMA_VERSION", 1)
    with pytest.raises(WrongSchema, match="schema 2, this one knows 1"):
        await Owner.of(await database.open())


async def test_a_database_of_a_newer_version_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(f"userstats.store.{database.kind}.SCHEMA_VERSION", 99)
        await Owner.of(await database.open())
    with pytest.raises(WrongSchema, match="schema 99, this one knows 2"):
        await Owner.of(await database.open())


async def test_views_are_made_anew_at_every_start(database: Database) -> None:
    for view, expected in (("SELECT 1 AS one", [(1,)]), ("SELECT 2 AS one, 3 AS more", [(2,)])):
        views = (("older", view), ("newer", "SELECT one FROM older"))
        owner = await Owner.of(await database.open(), SCHEMA._replace(views=views))
        assert await owner.rows("SELECT one FROM newer") == expected


async def test_two_that_start_at_once_both_find_a_prepared_database(database: Database) -> None:
    stores = [await database.open() for _ in range(3)]
    await asyncio.gather(*(store.prepare(SCHEMA) for store in stores))
    owner = await Owner.of(stores[2])
    await owner.commit(hits(1))
    assert await owner.rows() == [(1, "amy", 1, None, None, None, None)]


async def test_g23_a_question_sees_one_moment_and_holds_up_nothing(owner: Owner) -> None:
    await owner.commit(hits(1))
    async with owner.store.reading() as long:
        assert await long.rows(ALL) == [(1, "amy", 1, None, None, None, None)]
        for _ in range(50):
            await owner.commit(hits(1))
        assert await long.rows(ALL) == [(1, "amy", 1, None, None, None, None)]
    assert await owner.rows() == [(1, "amy", 51, None, None, None, None)]


async def test_g23_more_questions_than_readers_take_turns(owner: Owner) -> None:
    await owner.commit(hits(1))
    answers = await asyncio.gather(*(owner.rows("SELECT hits + :n FROM facts", n=n) for n in range(20)))
    assert answers == [[(1 + n,)] for n in range(20)]


async def test_a_question_past_its_deadline_is_stopped_and_its_reader_serves_the_next(owner: Owner) -> None:
    for _ in range(6):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await owner.rows(COUNTING)
    assert await owner.rows("SELECT 1") == [(1,)]


async def test_a_question_cannot_write(owner: Owner) -> None:
    await owner.commit(hits(1))
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await owner.rows("DELETE FROM facts")
    assert await owner.rows() == [(1, "amy", 1, None, None, None, None)]


async def test_one_text_of_sql_means_the_same_on_both_databases(owner: Owner) -> None:
    writes = Writes()
    for number, name in enumerate(("b", "a", "B", "_", "ä")):
        writes.put(
            "facts", (number, name), {"hits": 2**40 + number, "label": f"label :{name}", "at": 1_700_000_000_000}
        )
    await owner.commit(writes)

    async def both(sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        read = await owner.rows(sql, **parameters)
        assert await owner.store.load(sql, parameters) == read
        return read

    assert await both("SELECT name FROM facts ORDER BY name") == [("B",), ("_",), ("a",), ("b",), ("ä",)]
    assert await both("SELECT name FROM facts WHERE place IN :n ORDER BY place", n=(4, 0)) == [("b",), ("ä",)]
    assert await both("SELECT name FROM facts WHERE name NOT IN :n ORDER BY 1", n=["a", "b", "ä"]) == [("B",), ("_",)]
    assert await both("SELECT name FROM facts WHERE place IN :n", n=()) == []
    assert await both("SELECT COUNT(*) FROM facts WHERE name NOT IN :n", n=[]) == [(5,)]
    assert await both("SELECT name FROM facts WHERE label = 'label :a' AND name = :a", a="a") == [("a",)]
    assert await both("SELECT DISTINCT at / 900000 - :at / 900000 FROM facts", at=1_700_000_000_000) == [(0,)]
    assert await both("SELECT name FROM facts WHERE :p IS NULL OR place = :p LIMIT :most", p=3, most=9) == [("_",)]
    assert await both("SELECT COUNT(*) FROM facts WHERE :p IS NULL OR place = :p", p=None) == [(5,)]
    ((total, mean, number),) = await both("SELECT SUM(hits), AVG(place), COUNT(*) FROM facts")
    assert (total, mean, number) == (5 * 2**40 + 10, 2.0, 5)
    assert [type(total), type(mean), type(number)] == [int, float, int]


VERBS = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 9)),
    st.tuples(st.just("put"), st.integers(1, 9)),
    st.tuples(st.just("low"), st.integers(1, 9)),
    st.tuples(st.just("high"), st.integers(1, 9)),
    st.tuples(st.just("forget"), st.just(0)),
)


def said(writes: Writes, verb: str, value: int, key: tuple[int, str], number: int) -> None:
    """One verb on one row."""
    verbs = {
        "add": lambda: writes.add("facts", key, {"hits": value}),
        "put": lambda: writes.put("facts", key, {"label": f"put {number}", "at": value}, "at"),
        "low": lambda: writes.extreme("facts", key, {"least": value}, min),
        "high": lambda: writes.extreme("facts", key, {"most": value}, max),
        "forget": lambda: writes.forget("facts", key),
    }
    verbs[verb]()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VERBS, st.sampled_from(["amy", "bob"]), st.booleans()), max_size=25))
def test_verbs_leave_the_same_rows_however_they_are_cut_into_batches(
    script: list[tuple[tuple[str, int], str, bool]],
) -> None:
    async def rows(*, cut: bool) -> list[tuple[Any, ...]]:
        with tempfile.TemporaryDirectory() as folder:
            store = await SQLiteStore.open(Path(folder) / "x.db")
            owner = await Owner.of(store)
            writes = Writes()
            for number, ((verb, value), name, border) in enumerate(script):
                said(writes, verb, value, (1, name), number)
                if cut and border:
                    await owner.commit(writes)
                    writes = Writes()
            await owner.commit(writes)
            found = await owner.rows()
            await store.close()
            return found

    assert asyncio.run(rows(cut=True)) == asyncio.run(rows(cut=False))


async def test_the_configured_database_is_opened_beside_the_configuration(tmp_path: Path) -> None:
    store = await open_store(DatabaseSettings(), tmp_path)
    owner = await Owner.of(store)
    await owner.commit(hits(1))
    await store.close()
    assert (store.dialect, (tmp_path / "data" / "userstats.db").exists()) == ("sqlite", True)


async def test_a_configured_url_wins_and_its_schema_is_made(postgres: Cluster, tmp_path: Path) -> None:
    store = await open_store(DatabaseSettings(url=postgres.url, schema='odd "name"'), tmp_path)
    owner = await Owner.of(store)
    await owner.commit(hits(1))
    assert await owner.rows("SELECT current_schema()") == [('odd "name"',)]
    await store.close()


async def test_a_url_of_something_else_is_named_by_its_json_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^\$\.database\.url: must begin with postgresql://$"):
        await open_store(DatabaseSettings(url="mysql://root:secret@db/x"), tmp_path)


async def test_without_the_driver_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(MissingDriver, match=r"pip install chat-userstats\[postgres\]"):
        await open_store(DatabaseSettings(url="postgresql://localhost/x"), tmp_path)


async def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "userstats.db"
    with closing(sqlite3.connect(path)) as old:
        old.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT)")
    store = await SQLiteStore.open(path)

    with pytest.raises(WrongSchema, match=r"belongs to another program .it has tables users.*import_kryten"):
        await store.prepare(catalogue.read().schema(views("sqlite")))

    assert await store.load("SELECT name FROM sqlite_master") == [("users",)]
    await store.close()
