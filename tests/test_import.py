"""What another program counted is taken over whole, once, and labelled: no history is made up for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest

from scripts.kryten_checks import REASONS
from scripts.kryten_database import COLUMNS
from scripts.kryten_people import account
from tests.old_kryten import EVENING, NOW, ROOM, SITE, Asking, Lost, Tables, imported, old_database, planned
from tests.say import PSEUDONYMS, World, key, named, place, started
from tests.stats.ask import ask, reply
from userstats import opening
from userstats.catalogue import read
from userstats.contract import events as e
from userstats.contract.questions import Reply
from userstats.service import Message
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore
from userstats.store.views import views

SCHEMA: Final = Path(__file__).parents[2] / "shared" / "reference" / "kryten" / "db_schema.sql"
VIEWED: Final = tuple(table for table in get_args(e.OldTable) if table != "population_watermarks")
"""Of watermarks the views show those of each day, worked out anew."""
OF_THE_RUN: Final = {"producers", "recent_ids", "event_tallies", "stream_position", "imports", "import_events"}
"""Tables with what is different each time: when, and after what else, something was recorded."""


async def world_of(store: Store) -> World:
    """A world with every room and the old tables as views."""
    world = World(store, read())
    await world.service.start(views(store.dialect))
    world.now = NOW
    return world


@pytest.fixture
async def world(store: Store) -> World:
    return await world_of(store)


async def viewed(world: World, table: str) -> list[tuple[Any, ...]]:
    """What SQL written for the old table finds now, without ids."""
    return sorted(await world.rows(f"SELECT {', '.join(COLUMNS[table])} FROM {table}"))  # type: ignore[index]


def as_viewed(table: str, rows: Any) -> list[tuple[Any, ...]]:
    """Old rows as the views show them: channels in lower case, times to the millisecond."""
    columns = COLUMNS[table]  # type: ignore[index]
    spelled = {"channel": str.lower}
    times = {"timestamp", "first_seen_at", "last_seen_at"}
    found = []
    for row in rows:
        texts = [spelled.get(name, lambda value: value)(value) for name, value in zip(columns, row, strict=True)]
        found.append(tuple(_millis(v) if name in times else v for name, v in zip(columns, texts, strict=True)))
    return sorted(found)


def _millis(text: str) -> str:
    seconds, _, fraction = text.removesuffix("+00:00").partition(".")
    return f"{seconds}.{fraction[:3]:0<3}+00:00"


async def dump(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every table but what differs from run to run."""
    return {name: rows for name, rows in (await world.dump()).items() if name not in OF_THE_RUN}


# --- everything, once -------------------------------------------------------------------------------------------------


async def test_g32_n17_every_row_of_the_old_tables_is_in_the_views_afterwards(world: World, tmp_path: Path) -> None:
    assert await imported(world, planned(old_database(tmp_path / "old.db")))

    found = {table: await viewed(world, table) for table in VIEWED}

    assert found == {table: as_viewed(table, EVENING[table]) for table in VIEWED}


async def test_an_opening_balance_is_in_no_period_and_in_the_sums_of_every_kind(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))

    quarters = {ledger.name: await world.rows(f"SELECT * FROM {ledger.quarters}") for ledger in read().ledgers}

    assert {name: len(rows) for name, rows in quarters.items() if rows} == {"media": 3}
    assert await world.rows("SELECT SUM(messages), SUM(private_messages) FROM person_totals") == [(435, 8)]
    assert await world.rows("SELECT SUM(messages), SUM(present_ms), SUM(afk_ms) FROM place_totals") == [
        (435, 864_000_000, 180_000_000)
    ]
    assert await world.rows("SELECT SUM(messages) FROM everyone_totals") == [(435,)]
    assert await world.rows("SELECT SUM(times), SUM(plusplus) FROM kudos_received") == [(19, 13)]
    assert await world.rows("SELECT emote, uses FROM emotes_everywhere ORDER BY emote") == [
        ("kappa", 4), ("pogchamp", 12),
    ]  # fmt: skip
    assert await world.rows("SELECT SUM(uses) FROM emotes_place_totals") == [(16,)]
    assert await world.rows("SELECT SUM(uses) FROM emotes_by_place") == [(16,)]


async def test_importing_the_same_database_again_changes_nothing(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))
    before = await world.dump()

    again = await imported(world, planned(old_database(tmp_path / "copy.db")))

    assert not again
    assert await world.dump() == before


async def whole(folder: Path) -> tuple[dict[str, list[tuple[Any, ...]]], int]:
    """What an import without any trouble leaves, and how many requests it takes."""
    world = await world_of(await SQLiteStore.open(folder / "whole.db"))
    asking = Asking(world)
    await imported(world, planned(folder / "old.db"), asking)
    found = await dump(world)
    await world.store.close()
    return found, asking.requests


async def test_an_import_may_be_interrupted_at_any_request_and_run_again(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db", {**EVENING, "pm_counts": [("Alice", 7), ("Bob", -1)]})
    expected, requests = await whole(tmp_path)
    for last in range(1, requests):
        world = await world_of(await SQLiteStore.open(tmp_path / f"{last}.db"))
        with pytest.raises(Lost):
            await imported(world, planned(path), Asking(world, stop_after=last))
        await world.restart()
        assert await imported(world, planned(path))
        assert await dump(world) == expected
        assert (await ask(world, "system.imports"))[0].finished is not None
        await world.store.close()


async def test_a_batch_that_is_applied_twice_or_out_of_order_counts_once(world: World, tmp_path: Path) -> None:
    plan = planned(old_database(tmp_path / "old.db"))
    asking = Asking(world)
    room, rows = plan.rooms[0], [msgspec.to_builtins(row) for where, row in plan.facts if where == plan.rooms[0]]
    first = 1 + next(number for number, (where, _) in enumerate(plan.facts) if where == room)
    head = {"batch": plan.batch, "room": msgspec.to_builtins(room)}
    begun = {"source": "kryten-userstats", "file": "x.db", "facts": len(plan.facts), "names": len(plan.names)}
    await asking.ask("import.begin", batch=plan.batch, rooms=[head["room"]], **begun)

    await asking.ask("import.rows", **head, first=first + 1, rows=rows[1:3])
    await asking.ask("import.rows", **head, first=first, rows=rows[:3])
    await asking.ask("import.rows", **head, first=first, rows=rows[:3])

    assert await world.rows("SELECT SUM(messages) FROM place_totals") == [(430,)]


# --- what is not simply taken -----------------------------------------------------------------------------------------

WRONG: Final[Tables] = {
    "users": [
        ("Amy", "2026-01-01T00:00:00", "2026-02-01T00:00:00Z"),
        ("[server]", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"),
        ("AMY", "2025-06-01T02:00:00+02:00", "2026-01-15 00:00:00"),
        ("", "x", "x"),
        ("bob", "yesterday", "2026-01-15 00:00:00"),
        ("I'm", "2026-01-15 00:00:00", "2026-01-15 00:00:00"),
    ],
    "user_aliases": [("Amy", "a"), ("bob", "A"), ("amy", "A"), ("Amy", ""), ("amy's", "b"), ("bob", "BOB")],
    "message_counts": [
        ("Amy", ROOM, SITE, 10), ("amy", ROOM.upper(), "CYTU.BE", 5), ("Amy", "no room!", SITE, 1),
        ("Amy", ROOM, "http://user:password@cytu.be/x", 1), ("Amy", ROOM, SITE, -3), ("Amy", ROOM, SITE, "many"),
        ("Amy", ROOM, SITE, 2**31), ("Amy", ROOM, SITE, 1.5), ("Amy", ROOM, SITE, None), (b"\xff", ROOM, SITE, 1),
    ],
    "pm_counts": [("bob", 1), ("Bob", 2), ("no one", 4)],
    "population_snapshots": [
        (ROOM, SITE, "2026-01-01T00:00:00.000100", 3, 2), (ROOM, SITE, "2026-01-01T00:00:00.000900", 9, 9),
        (ROOM, SITE, "1999-12-31T00:00:00", 3, 2), (ROOM, SITE, "2030-01-01T00:00:00", 3, 2),
        (ROOM, SITE, 1767225600, 3, 2), (ROOM, SITE, "2026-01-01T00:05:00", None, 2),
    ],
    "media_changes": [
        (ROOM, SITE, "2026-01-01T00:00:00", "x" * 600, None, None), (ROOM, SITE, "then", "Alien", "yt", "a"),
        (ROOM, SITE, "2026-01-01T00:00:00", "one\ntwo", "yt", "a"), (ROOM, SITE, "2026-01-01T00:00:00", "fine", "", ""),
    ],
    "user_activity": [("Amy", ROOM, SITE, 10, 12), ("amy", ROOM, SITE, 5, 1), ("Amy", ROOM, SITE, 5, -1)],
    "emote_usage": [("Amy", ROOM, SITE, "x" * 65, 1), ("Amy", ROOM, SITE, "ok", 2), ("Amy", ROOM, SITE, "o\nk", 2)],
    "kudos_plusplus": [("never-seen", ROOM, SITE, 4)],
    "kudos_phrases": [("Amy", ROOM, SITE, "++", 1), ("Amy", ROOM, SITE, "LOL", 2), ("Amy", ROOM, SITE, "lol", 3)],
    "kudos_trigger_phrases": [("LOL",), ("lol",), ("",)],
    "population_watermarks": [(ROOM, SITE, "2026-01-02T00:00:00", 40, 30)],
    "movie_votes": [
        (ROOM, SITE, "Alien", "yt", "a", "Amy", 1, "2026-01-01T00:00:00"),
        (ROOM, SITE, "Alien", "yt", "a", "amy", -1, "2026-01-02T00:00:00"),
        (ROOM, SITE, "Alien", "yt", "a", "bob", 7, "2026-01-02T00:00:00"),
        (ROOM, SITE, "", "yt", "a", "bob", 1, "2026-01-02T00:00:00"),
    ],
}  # fmt: skip
REMARKS: Final = [
    ("emote_usage", 1, "refused", "emote"), ("emote_usage", 3, "refused", "emote"),
    ("kudos_phrases", 1, "refused", "phrase"), ("kudos_phrases", 3, "merged", "capitals"),
    ("kudos_trigger_phrases", 2, "merged", "capitals"), ("kudos_trigger_phrases", 3, "refused", "phrase"),
    ("media_changes", 1, "changed", "text_cut"), ("media_changes", 2, "refused", "timestamp"),
    ("media_changes", 3, "changed", "text_cut"),
    ("message_counts", 2, "merged", "capitals"), ("message_counts", 3, "refused", "channel"),
    ("message_counts", 4, "refused", "domain"), ("message_counts", 5, "refused", "negative"),
    ("message_counts", 6, "refused", "no_number"), ("message_counts", 7, "refused", "too_large"),
    ("message_counts", 8, "refused", "no_number"), ("message_counts", 9, "refused", "no_number"),
    ("message_counts", 10, "refused", "name"),
    ("movie_votes", 2, "merged", "capitals"), ("movie_votes", 3, "refused", "vote"),
    ("movie_votes", 4, "refused", "title"),
    ("pm_counts", 2, "merged", "capitals"), ("pm_counts", 3, "refused", "name"),
    ("population_snapshots", 2, "merged", "same_moment"), ("population_snapshots", 3, "refused", "timestamp"),
    ("population_snapshots", 4, "refused", "future"), ("population_snapshots", 5, "refused", "timestamp"),
    ("population_snapshots", 6, "refused", "no_number"),
    ("user_activity", 1, "changed", "not_afk_cut"), ("user_activity", 2, "merged", "capitals"),
    ("user_activity", 3, "refused", "negative"),
    ("user_aliases", 2, "refused", "taken"), ("user_aliases", 3, "merged", "capitals"),
    ("user_aliases", 4, "refused", "alias"), ("user_aliases", 5, "refused", "name"),
    ("user_aliases", 6, "refused", "taken"),
    ("users", 2, "refused", "name"), ("users", 3, "merged", "capitals"), ("users", 4, "refused", "name"),
    ("users", 5, "changed", "time_unknown"), ("users", 6, "refused", "name"),
]  # fmt: skip


async def test_g32_each_row_that_is_not_simply_taken_is_told_with_table_number_and_reason(
    world: World, tmp_path: Path
) -> None:
    plan = planned(old_database(tmp_path / "old.db", WRONG))
    await imported(world, plan)

    assert [tuple(remark) for remark in plan.source.remarks] == REMARKS
    assert sorted(await world.rows("SELECT old_table, old_row, outcome, reason FROM import_remarks")) == REMARKS
    assert {reason for *_, reason in REMARKS} == set(REASONS)
    assert [(one.table, one.rows, one.taken, one.merged, one.refused) for one in plan.source.tables] == [
        (one.table, one.rows, one.taken, one.merged, one.refused)
        for one in sorted(
            (await ask(world, "system.imports"))[0].tables, key=lambda one: list(COLUMNS).index(one.table)
        )
    ]
    assert await world.rows("SELECT reason FROM dead_letters") == await world.rows("SELECT room FROM parked_events")


async def test_what_is_right_beside_what_is_wrong_is_taken_over(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db", WRONG)))

    assert {table: await viewed(world, table) for table in VIEWED} == {
        "users": [
            ("Amy", "2025-06-01T00:00:00.000+00:00", "2026-02-01T00:00:00.000+00:00"),
            ("bob", "2026-01-15T00:00:00.000+00:00", "2026-01-15T00:00:00.000+00:00"),
        ],
        "user_aliases": [("Amy", "a")],
        "message_counts": [("Amy", "420grindhouse", SITE, 15)],
        "pm_counts": [("bob", 3)],
        "population_snapshots": [
            ("420grindhouse", SITE, "2026-01-01T00:00:00.000+00:00", 3, 2),
            ("420grindhouse", SITE, "2026-01-02T00:00:00.000+00:00", 40, 30),
        ],
        "media_changes": [
            ("420grindhouse", SITE, "2026-01-01T00:00:00.000+00:00", "fine", "", ""),
            ("420grindhouse", SITE, "2026-01-01T00:00:00.000+00:00", "one two", "yt", "a"),
            ("420grindhouse", SITE, "2026-01-01T00:00:00.000+00:00", "x" * 512, "", ""),
        ],
        "user_activity": [("Amy", "420grindhouse", SITE, 15, 11)],
        "emote_usage": [("Amy", "420grindhouse", SITE, "ok", 2)],
        "kudos_plusplus": [("never-seen", "420grindhouse", SITE, 4)],
        "kudos_phrases": [("Amy", "420grindhouse", SITE, "lol", 5)],
        "kudos_trigger_phrases": [("lol",)],
        "movie_votes": [
            ("420grindhouse", SITE, "Alien", "yt", "a", "Amy", -1, "2026-01-02T00:00:00.000+00:00"),
        ],
    }  # fmt: skip


async def test_g32_whoever_left_and_renamed_keeps_their_hours(world: World, tmp_path: Path) -> None:
    aliases = [("Phoenix", "Old-Name")]
    await imported(world, planned(old_database(tmp_path / "old.db", {**EVENING, "user_aliases": aliases})))
    await world.tell(named("Phoenix", place(ROOM.lower())))

    hours = await ask(world, "user.activity", username="phoenix", since="all")

    assert [(stay.channel, stay.total_ms, stay.not_afk_ms) for stay in hours] == [
        ("420grindhouse", 140 * 3_600_000, 140 * 3_600_000)
    ]


async def test_the_same_rooms_are_not_imported_from_a_second_database(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))
    before = await world.dump()
    later = {**EVENING, "message_counts": [("Alice", ROOM, SITE, 401)]}

    with pytest.raises(AssertionError, match=r"cytu\.be/420grindhouse was imported already"):
        await imported(world, planned(old_database(tmp_path / "later.db", later)))

    assert await world.dump() == before


async def test_another_site_may_be_imported_too(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))
    other: Tables = {"message_counts": [("Alice", ROOM, "other.example", 9)], "users": [], "pm_counts": [("Alice", 2)]}
    await imported(world, planned(old_database(tmp_path / "other.db", other)))

    assert await world.rows(
        "SELECT p.space, SUM(t.messages), SUM(t.private_messages) FROM place_totals t "
        "JOIN places p ON p.place = t.place GROUP BY p.space ORDER BY p.space"
    ) == [("cytu.be", 435, 8), ("other.example", 9, 2)]


# --- labelled, and beside what is counted since -----------------------------------------------------------------------


def person(name: str) -> int:
    """The pseudonym of somebody who is known from the import, as bridges have it."""
    return PSEUDONYMS.person("cytube", account(SITE, name.casefold()))


def live(name: str) -> e.MessageSent:
    """A line of theirs."""
    return e.MessageSent(id=0, at=0, seen=0, watch="", place=place(ROOM.lower()), author=person(name), words=1)


async def test_what_is_counted_since_is_added_and_has_its_periods(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))
    await world.tell(started(place(ROOM.lower())), live("Alice"), live("Alice"), "+1m")

    assert [(row.username, row.count) for row in await ask(world, "leaderboard.messages", since="all")] == [
        ("Alice", 407), ("Bob", 30),
    ]  # fmt: skip
    assert [(row.username, row.count) for row in await ask(world, "leaderboard.messages")] == [("Alice", 2)]
    assert [(row.username, row.count) for row in await ask(world, "leaderboard.messages", days=3000)] == [("Alice", 2)]


async def test_answers_say_that_they_hold_an_opening_balance(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))
    await world.tell(started("elsewhere"), "+1m")

    async def until(**request: Any) -> str | None:
        found = await reply(world, "leaderboard.messages", **request)
        assert isinstance(found, Reply)
        assert found.coverage is not None
        return found.coverage.imported_until

    assert await until(since="all") == "2026-11-19T23:00:00+00:00"
    assert await until(since="all", channel=ROOM) == "2026-11-19T23:00:00+00:00"
    assert await until(since="all", channel="elsewhere") is None
    assert await until() is None
    assert await until(since="all", to="2026-11-19") is None


async def test_imported_media_and_populations_say_so(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))

    media = await ask(world, "channel.media", channel=ROOM)
    crowds = await ask(world, "channel.population", channel=ROOM)
    marks = await ask(world, "channel.watermarks", channel=ROOM)

    assert [(one.at, one.title, one.imported) for one in media] == [
        ("2026-11-19T23:00:00+00:00", "Alien", True), ("2026-11-19T22:00:00+00:00", "Dune", True),
        ("2026-11-19T20:00:00+00:00", "Alien", True),
    ]  # fmt: skip
    assert [(one.at, one.connected, one.named, one.not_afk, one.chatters, one.imported) for one in crowds] == [
        ("2026-11-19T20:00:01+00:00", 4, 4, 3, None, True), ("2026-11-19T20:05:01+00:00", 9, 9, 8, None, True),
    ]  # fmt: skip
    assert [(one.high.total_users, one.low.total_users) for one in marks] == [(9, 4)]
    assert [(one.title, one.plays) for one in await ask(world, "channel.top_media")] == [("Alien", 2), ("Dune", 1)]


async def test_imported_thanks_count_for_who_received_them_and_for_no_giver(world: World, tmp_path: Path) -> None:
    await imported(world, planned(old_database(tmp_path / "old.db")))

    assert [(one.username, one.count) for one in await ask(world, "leaderboard.kudos", since="all")] == [
        ("Bob", 16), ("Alice", 3),
    ]  # fmt: skip
    assert await ask(world, "leaderboard.givers", since="all") == []
    assert await ask(world, "kudos.pairs", since="all") == []
    assert await ask(world, "kudos.pairs", since="all", username="Bob") == []
    assert (await ask(world, "user.kudos", username="bob")).received == 16


async def test_a_name_that_is_worn_since_is_not_replaced_by_the_old_spelling(world: World, tmp_path: Path) -> None:
    now = e.Named(
        id=0, at=0, seen=0, watch="", place=place(ROOM.lower()), key=key("alice"), name="ALICE",
        person=person("alice"), account="alice",
    )  # fmt: skip
    await world.tell(now)
    await imported(world, planned(old_database(tmp_path / "old.db")))

    assert [one.username for one in await ask(world, "leaderboard.messages", since="all")] == ["ALICE", "Bob"]


async def test_a_rebuild_from_kept_tables_alone_has_the_same_balances(tmp_path: Path) -> None:
    world = await world_of(await SQLiteStore.open(tmp_path / "old-world.db"))
    await imported(world, planned(old_database(tmp_path / "old.db", WRONG)))
    again = await world_of(await SQLiteStore.open(tmp_path / "new-world.db"))
    kept = opening.messages(await world.rows("SELECT batch, n, body FROM import_events ORDER BY batch, n"))

    await again.service.apply([Message(0, one.stamp, one.subject, one.data) for one in kept])

    derived = ("person_totals", "everyone_totals", "kudos_totals", "emotes_totals", "media_totals", "votes")
    for table in derived:
        assert await again.rows(f"SELECT * FROM {table}") == await world.rows(f"SELECT * FROM {table}")
    assert await again.rows("SELECT * FROM imports") == await world.rows("SELECT * FROM imports")
    assert await again.rows("SELECT holes FROM producers") == [("[]",)]
    texts = [body for (body,) in await world.rows("SELECT body FROM import_events")]
    assert not [text for text in texts if re.search("amy|bob", text, re.IGNORECASE)]
    await world.store.close()
    await again.store.close()
