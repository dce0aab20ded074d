"""Which games and services people are shown to be using, and for how long."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, gap, message, named, started, stopped
from tests.say_guild import (
    CONNECTION,
    GENERAL,
    GUILD,
    consent_changed,
    presence,
    presence_changed,
    presences_seen,
    shard,
)
from tests.stats.ask import ask
from userstats.stats import aliases, games, guilds, people
from userstats.stats import presence as room
from userstats.stats.games import Did, Game
from userstats.store.seam import Store

MINUTE = 60_000
NAMES = ("amy", "bob", "cid")


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(
        store, room.STATISTIC, games.STATISTIC, guilds.STATISTIC, people.STATISTIC, aliases.STATISTIC
    )
    names = [named(name, CONNECTION, everywhere=True) for name in NAMES]
    await world.tell(*names, *(consent_changed(name, "presence", "shown") for name in NAMES), started(CONNECTION))
    return world


async def test_games_have_their_people_time_and_how_often_they_were_begun(world: World) -> None:
    await world.tell("18:30", presence_changed("amy", "online", "playing:Chess"), "18:40")
    await world.tell(presence_changed("bob", "idle", "playing:Chess", "playing:Go"), "19:10")
    await world.tell(presence_changed("amy"), "19:20", presence_changed("amy", "online", "playing:Chess"), "19:30")
    board = [Game("Chess", 2, (40 + 10 + 50) * MINUTE, 3), Game("Go", 1, 50 * MINUTE, 1)]
    assert await ask(world, "presence.games") == board
    assert await ask(world, "presence.games", since="all", limit=1) == board[:1]
    assert await ask(world, "presence.games", from_="2025-03-03T19:15", to="2025-03-03T19:30") == [
        Game("Chess", 2, 25 * MINUTE, 1), Game("Go", 1, 15 * MINUTE, 0),
    ]  # fmt: skip
    await world.tell(presence_changed("amy", "offline"), stopped(CONNECTION))
    assert await ask(world, "presence.games") == board


async def test_what_is_streamed_listened_to_and_watched_is_told_apart(world: World) -> None:
    doing = ["streaming:Chess", "listening:Radio", "watching:Film", "competing:Cup"]
    await world.tell("20:00", presence_changed("amy", "online", "playing:Chess", *doing, "custom"), "20:10")
    found = {kind: await ask(world, "presence.games", kind=kind) for kind in ("streaming", "listening", "watching")}
    assert found == {
        "streaming": [Game("Chess", 1, 10 * MINUTE, 1)],
        "listening": [Game("Radio", 1, 10 * MINUTE, 1)],
        "watching": [Game("Film", 1, 10 * MINUTE, 1)],
    }
    assert await ask(world, "presence.activities", username="amy", limit=3) == [
        Did("competing", "Cup", 10 * MINUTE),
        Did("listening", "Radio", 10 * MINUTE),
        Did("playing", "Chess", 10 * MINUTE),
    ]


async def test_what_one_person_did_the_longest_first_under_all_their_accounts(world: World) -> None:
    await world.tell(
        alias_added("amy", "bob"), "18:50", presence_changed("amy", "online", "playing:Go", "listening:Radio")
    )
    await world.tell("19:05", presence_changed("amy", "online", "listening:Radio"), "19:10")
    await world.tell(
        presence_changed("bob", "online", "playing:Go"), presence_changed("cid", "online", "playing:Go"), "19:20"
    )
    assert await ask(world, "presence.activities", username="amy") == [
        Did("listening", "Radio", 30 * MINUTE), Did("playing", "Go", 25 * MINUTE),
    ]  # fmt: skip
    (game,) = await ask(world, "presence.games")
    assert game == Game("Go", 2, 35 * MINUTE, 3)


async def test_what_went_on_when_the_connection_came_is_time_but_was_not_begun(world: World) -> None:
    await world.tell("20:00", presences_seen(presence("amy", "online", "playing:Chess")), "20:10")
    assert await ask(world, "presence.games") == [Game("Chess", 1, 10 * MINUTE, 0)]


async def test_g05_a_game_that_two_connections_tell_of_is_played_once(world: World) -> None:
    second = shard(1, 2)
    await world.tell(started(second), "20:00", presence_changed("amy", "online", "playing:Chess"))
    await world.tell(presence_changed("amy", "online", "playing:Chess", where=second), "20:10")
    assert await ask(world, "presence.games") == [Game("Chess", 1, 10 * MINUTE, 1)]


async def test_a_guild_has_the_games_of_the_people_who_were_seen_there(world: World) -> None:
    await world.tell(
        started(GUILD), message("amy", GENERAL), "20:00", presence_changed("amy", "online", "playing:Chess")
    )
    await world.tell(presence_changed("bob", "online", "playing:Go"), "20:10")
    assert await ask(world, "presence.games", domain="100") == [Game("Chess", 1, 10 * MINUTE, 1)]
    assert await ask(world, "presence.games", channel="200") == [Game("Chess", 1, 10 * MINUTE, 1)]


async def test_g10_people_who_are_anonymous_are_in_the_time_and_are_not_counted(world: World) -> None:
    await world.tell(consent_changed("amy", "presence", "anonymous"), "20:00")
    await world.tell(
        presence_changed("amy", "online", "playing:Chess"), presence_changed("bob", "online", "playing:Chess")
    )
    await world.tell("20:10", gap("20:11"))
    assert await ask(world, "presence.games") == [Game("Chess", 1, 20 * MINUTE, 2)]
