"""The tables that users of kryten-userstats know, as views on both databases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.say import (
    World,
    afk,
    alias_added,
    alias_removed,
    joined,
    left,
    media,
    message,
    named,
    person,
    phrase_added,
    phrase_removed,
    population,
    private,
    started,
)
from tests.say_guild import CONNECTION, consent_changed, presence_changed
from userstats.catalogue import read
from userstats.contract.events import Place
from userstats.store.seam import Store
from userstats.store.views import views

SHARED = Path(__file__).parent.parent.parent / "shared"
GUILD = Place("discord", "123", "general")
ACTIVITY_LOG = ["id", "user_id", "status", "activity_type", "activity_name", "timestamp"]
"""The table of a bot that watched statuses, and its columns."""
STATUSES = {"amy": "1", "bob": "2", "cid": "3"}
KNOWN = [
    "users", "user_aliases", "message_counts", "pm_counts", "population_snapshots", "media_changes", "user_activity",
    "emote_usage", "kudos_plusplus", "kudos_phrases", "kudos_trigger_phrases", "population_watermarks", "movie_votes",
]  # fmt: skip


@pytest.fixture
async def world(store: Store) -> World:
    world = World(store, read())
    await world.service.start(views(store.dialect))
    return world


async def table(world: World, name: str) -> list[tuple[Any, ...]]:
    """Every row of a view, without its id."""
    return [row[1:] for row in await world.rows(f"SELECT * FROM {name} ORDER BY id")]


def at(clock: str) -> str:
    return f"2025-03-03T{clock}.000+00:00"


async def test_every_table_is_there_and_empty_with_the_columns_that_are_known(world: World) -> None:
    for name in (*KNOWN, "activity_log"):
        assert await world.rows(f"SELECT * FROM {name}") == []
    assert await world.rows(f"SELECT {', '.join(ACTIVITY_LOG)} FROM activity_log") == []
    assert [name for name, _ in views(world.store.dialect)] == [*KNOWN, "activity_log"]


async def test_no_view_has_the_name_of_a_table(world: World) -> None:
    assert not {table.name for table in world.service.catalogue.tables()} & {*KNOWN, "activity_log"}


async def test_changes_of_status_are_there_of_people_who_are_shown(world: World) -> None:
    world_people = [named(name, CONNECTION, everywhere=True, account=number) for name, number in STATUSES.items()]
    await world.tell(
        *world_people, consent_changed("1", "presence", "shown"), consent_changed("2", "presence", "counted")
    )
    await world.tell("20:00", started(CONNECTION), presence_changed("1", "online", "custom", "playing:Chess"))
    await world.tell(presence_changed("2"), presence_changed("3"), "20:00:01", presence_changed("1", "idle", "custom"))
    await world.tell("20:00:02", presence_changed("1", "idle", "custom"), presence_changed("1", "offline"))
    assert await table(world, "activity_log") == [
        ("1", "online", "playing", "Chess", at("20:00:00")),
        ("1", "idle", None, None, at("20:00:01")),
        ("1", "offline", None, None, at("20:00:02")),
    ]
    await world.service.start(views(world.store.dialect, presence_by_default=True))
    assert {row[0] for row in await table(world, "activity_log")} == {"1", "3"}


async def test_the_views_are_made_again_at_each_start(world: World) -> None:
    await world.tell("20:00", message("amy"))
    await world.service.start(views(world.store.dialect))
    assert len(await table(world, "users")) == 1


async def test_users_and_aliases(world: World) -> None:
    await world.tell(named("amy"), named("kc"), named("old", worn=False), alias_added("amy", "kc"))
    await world.tell(alias_added("amy", "old"), alias_removed("old"), "20:00", message("amy"), "20:00:01")
    await world.tell(named("AMY"), message("amy"), named("bot", bot=True), message("bot", by="bot"), message("zoe"))
    zoe = f"#{person('zoe') % 10**6:06d}"
    assert await table(world, "users") == [
        ("AMY", at("20:00:00"), at("20:00:01")), (zoe, at("20:00:01"), at("20:00:01")),
    ]  # fmt: skip
    assert await table(world, "user_aliases") == [("AMY", "kc")]


async def test_messages_private_messages_and_emotes(world: World) -> None:
    await world.tell(named("amy"), "20:00", message("amy", emotes=["#PogChamp", "PogChamp", ":kappa:"]))
    await world.tell(message("amy", "lobby"), private("amy"), private("amy", "lobby"), message("r", by="bot"))
    assert await table(world, "message_counts") == [("amy", "lounge", "cytu.be", 1), ("amy", "lobby", "cytu.be", 1)]
    assert await table(world, "pm_counts") == [("amy", 2)]
    assert await table(world, "emote_usage") == [
        ("amy", "lounge", "cytu.be", ":kappa:", 1), ("amy", "lounge", "cytu.be", "pogchamp", 2),
    ]  # fmt: skip


async def test_activity_is_in_whole_seconds_with_what_lasts_now(world: World) -> None:
    await world.tell(named("amy"), named("bob"), named("robot", bot=True), "20:00", joined("amy"), joined("robot"))
    await world.tell(joined("bob"), "20:30", afk("amy"), left("bob"), "21:10", joined("bob"), "21:10:30")
    rows = {row[0]: row[1:] for row in await table(world, "user_activity")}
    assert rows == {"amy": ("lounge", "cytu.be", 4230, 1800), "bob": ("lounge", "cytu.be", 1830, 1830)}


async def test_population_and_its_marks_of_each_day(world: World) -> None:
    await world.tell("20:00", population(9, 7, 5), "20:05", population(12, 8, 6), "20:10", population(None, 4, 3))
    await world.tell("20:15", population(9, 7, 4), "2025-03-04 00:05", population(0, 0, 0))
    snapshots = await table(world, "population_snapshots")
    assert snapshots == [
        ("lounge", "cytu.be", at("20:00:00"), 9, 5), ("lounge", "cytu.be", at("20:05:00"), 12, 6),
        ("lounge", "cytu.be", at("20:10:00"), 4, 3), ("lounge", "cytu.be", at("20:15:00"), 9, 4),
        ("lounge", "cytu.be", "2025-03-04T00:05:00.000+00:00", 0, 0),
    ]  # fmt: skip
    assert await table(world, "population_watermarks") == [
        ("lounge", "cytu.be", at("20:00:00"), 9, 5, 0), ("lounge", "cytu.be", at("20:05:00"), 12, 6, 1),
        ("lounge", "cytu.be", "2025-03-04T00:05:00.000+00:00", 0, 0, 0),
        ("lounge", "cytu.be", "2025-03-04T00:05:00.000+00:00", 0, 0, 1),
    ]  # fmt: skip


async def test_media_and_votes(world: World) -> None:
    await world.tell(named("amy"), "20:00:00.032", media("One (1984)", media_type="yt", media_id="a1"))
    await world.tell("20:10", message("amy", vote=1), message("amy", vote=-1))
    played = "2025-03-03T20:00:00.032+00:00"
    assert await table(world, "media_changes") == [("lounge", "cytu.be", played, "One (1984)", "yt", "a1")]
    assert await table(world, "movie_votes") == [
        ("lounge", "cytu.be", "One (1984)", "yt", "a1", "amy", -1, at("20:10:00"))
    ]


async def test_kudos_are_those_that_count(world: World) -> None:
    await world.tell(named("Kevin"), named("amy"), named("amy2"), named("Zed", worn=False), named("z", worn=False))
    await world.tell(alias_added("kevin", "kc"), alias_added("amy", "amy2"), alias_added("zed", "z"), "20:00")
    await world.tell(message("amy", thanks=["kc", "nobody", "amy2", "z"]), message("bob", thanks=["amy2"]))
    await world.tell(message("bob", "lobby", thanks=["kevin"]), message("bob", thanks=[("kc", "lol"), ("amy", "ha")]))
    await world.tell(message("amy2", thanks=[("amy", "lol")]), message("bob", thanks=[("KEVIN", "lol")]))
    assert sorted(await table(world, "kudos_plusplus")) == [
        ("Kevin", "lobby", "cytu.be", 1), ("Kevin", "lounge", "cytu.be", 1), ("Zed", "lounge", "cytu.be", 1),
        ("amy", "lounge", "cytu.be", 1),
    ]  # fmt: skip
    assert sorted(await table(world, "kudos_phrases")) == [
        ("Kevin", "lounge", "cytu.be", "lol", 2), ("amy", "lounge", "cytu.be", "ha", 1),
    ]  # fmt: skip
    total = "SELECT SUM(kudos_count) FROM {}"
    counted = {"plusplus": (4,), "phrase": (3,)}
    assert await world.rows(total.format("kudos_plusplus")) == [counted["plusplus"]]
    assert await world.rows(total.format("kudos_phrases")) == [counted["phrase"]]


async def test_phrases_of_thanks_that_are_in_use(world: World) -> None:
    await world.tell(phrase_added("lol"), phrase_added("nice"), phrase_added("haha"), phrase_removed("lol"))
    assert await table(world, "kudos_trigger_phrases") == [("haha",), ("nice",)]


def examples() -> list[str]:
    """The SQL in the README of the seed that names these tables."""
    seed = next((SHARED / "seeds").glob("004_*.txt"), None) if SHARED.exists() else None
    if seed is None:
        pytest.skip("the reference beside the project is not there")
    return re.findall(r"```sql\n(.*?)```", seed.read_text(), re.DOTALL)


async def test_the_sql_of_the_seed_runs_as_it_is(world: World) -> None:
    queries = [" ".join(query.split()) for query in examples()]
    await world.tell(named("amy"), named("bob"), "20:00", joined("amy"), message("amy", emotes=["#Pog", "#Pog"]))
    await world.tell(message("amy", thanks=["bob"]), message("bob", "lobby", emotes=["#pog"]), "20:30", media("One"))
    await world.tell(afk("amy"), "20:40", media("Two"), "21:00")
    results = [await world.rows(query.rstrip(" ;")) for query in queries]
    hours = results.pop()
    assert results == [
        [("amy", "lounge", 2), ("bob", "lobby", 1)],
        [("bob", "lounge", 1)],
        [("pog", 3)],
        [("lounge", at("20:40:00"), "Two"), ("lounge", at("20:30:00"), "One")],
    ]
    assert [(name, channel, float(whole), float(active)) for name, channel, whole, active in hours] == [
        ("amy", "lounge", 1.0, 0.5)
    ]


def columns() -> dict[str, list[str]]:
    """Columns of each table of kryten-userstats, from its schema."""
    schema = SHARED / "reference" / "kryten" / "db_schema.sql"
    if not schema.exists():
        pytest.skip("the reference beside the project is not there")
    found = {}
    for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\s*\);", schema.read_text(), re.DOTALL):
        lines = [line.split()[0] for line in body.strip().splitlines()]
        found[name] = [line for line in lines if not line.startswith("UNIQUE")]
    return found


async def test_the_columns_are_those_of_the_known_tables(world: World) -> None:
    for name, wanted in columns().items():
        assert await world.rows(f"SELECT {', '.join(wanted)} FROM {name}") == []
    assert sorted(columns()) == sorted(KNOWN)
