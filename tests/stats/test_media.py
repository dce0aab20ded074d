"""What played, and how often."""

from __future__ import annotations

import pytest

from tests.say import World, gap, media, named, started, stopped
from tests.stats.ask import ask
from userstats.stats import aliases, people
from userstats.stats import media as room
from userstats.stats.media import Play, Played
from userstats.store.seam import Store

TITLES = "SELECT title FROM media_plays ORDER BY place, at, seq"


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, room.STATISTIC, people.STATISTIC, aliases.STATISTIC)


async def titles(world: World) -> list[str]:
    return [title for (title,) in await world.rows(TITLES)]


async def test_a_medium_that_is_said_again_after_a_reconnect_is_no_new_play(world: World) -> None:
    await world.tell("20:00", started(), media("Alien"), "20:10", gap("20:15"), started(), media("Alien", resumed=True))
    await world.restart()
    await world.tell("20:20", media("Alien", resumed=True), "20:30", media("Aliens"), "20:40", media("Alien"))
    assert await titles(world) == ["Alien", "Aliens", "Alien"]
    assert await world.rows("SELECT title, plays FROM media_totals ORDER BY title") == [("Alien", 2), ("Aliens", 1)]
    assert await world.rows("SELECT plays FROM media_places") == [(3,)]


async def test_a_medium_that_changed_while_nobody_observed_is_a_play(world: World) -> None:
    await world.tell("20:00", media("Alien"), stopped(), gap("21:00"), started(), media("Dune", resumed=True))
    assert await titles(world) == ["Alien", "Dune"]


async def test_a_medium_that_begins_again_is_a_new_play(world: World) -> None:
    await world.tell("20:00", media("Loop"), "20:03", media("Loop"), "20:06", media("Loop"))
    assert await titles(world) == ["Loop"] * 3


async def test_each_room_plays_its_own(world: World) -> None:
    await world.tell("20:00", media("Alien"), media("Alien", "lobby", resumed=True), media("Alien", resumed=True))
    assert await world.rows("SELECT place, title FROM media_plays ORDER BY place") == [(1, "Alien"), (2, "Alien")]


async def test_titles_are_kept_as_they_are(world: World) -> None:
    await world.tell(media("Mr. Robot - S.W.A.T. vs. Dr. No 1.5 \N{FACE WITH TEARS OF JOY}"))
    assert await titles(world) == ["Mr. Robot - S.W.A.T. vs. Dr. No 1.5 \N{FACE WITH TEARS OF JOY}"]


async def test_history_is_newest_first_with_who_put_it_there(world: World) -> None:
    await world.tell(named("Amy"), "20:00", media("Alien", seconds=7020, queued_by="amy"), "20:30")
    await world.tell(media("Live", media_type="tw", media_id="x1"), media("Cube", "lobby", queued_by="zoe"), "21:00")
    alien = Play("2025-03-03T20:00:00+00:00", "cytu.be", "lounge", "Alien", "yt", "alien", 7020, "Amy")
    live = Play("2025-03-03T20:30:00+00:00", "cytu.be", "lounge", "Live", "tw", "x1", None, None)
    found = await ask(world, "channel.media")
    assert [play.title for play in found] == ["Cube", "Live", "Alien"]
    assert found[0].queued_by.startswith("#")
    assert await ask(world, "channel.media", channel="lounge") == [live, alien]
    assert await ask(world, "channel.media", channel="lounge", limit=1) == [live]
    assert await ask(world, "channel.media", to="2025-03-03T20:30") == [alien]
    assert await ask(world, "channel.media", from_="2025-03-03T20:00", to="2025-03-03T20:01") == [alien]


async def test_g31_top_media_has_30_days_and_all_time_is_explicit(world: World) -> None:
    await world.tell("20:00", media("Old"), media("New"), media("Old"), media("Old", "lobby"))
    await world.tell(stopped(), stopped("lobby"), "2025-05-01 20:00", media("New"), media("New"), media("Other"))
    await world.tell("+1s")
    assert await ask(world, "channel.top_media") == [Played("New", 2), Played("Other", 1)]
    assert await ask(world, "channel.top_media", since="all", limit=2) == [Played("New", 3), Played("Old", 3)]
    assert await ask(world, "channel.top_media", since="all", channel="lobby") == [Played("Old", 1)]


async def test_an_empty_database_has_no_media(world: World) -> None:
    assert await ask(world, "channel.media") == []
    assert await ask(world, "channel.top_media") == []


async def test_metrics_count_plays(world: World) -> None:
    await world.tell("20:00", media("Alien"), media("Alien", resumed=True), media("Dune"))
    assert [await world.rows(metric.sql) for metric in room.STATISTIC.metrics] == [[("cytube", 2)]]
