"""Which emotes are used, where and by whom."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, gap, message, named, person
from tests.stats.ask import ask, refusal
from userstats.stats import aliases, emotes, people
from userstats.stats.emotes import Used, UsedHere
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, emotes.STATISTIC, people.STATISTIC, aliases.STATISTIC)


async def test_each_use_is_counted_in_the_spelling_of_the_platform(world: World) -> None:
    await world.tell("20:00", message("amy", emotes=["#Pog", ":kappa:", "#Pog"]), message("bob", emotes=["#pog"]))
    await world.tell("20:05", message("amy", emotes=["#Pog"]), message("amy"), "20:10")
    assert await world.rows("SELECT emote, person, uses FROM emotes_totals ORDER BY emote, person") == [
        ("#Pog", person("amy"), 3), ("#pog", person("bob"), 1), (":kappa:", person("amy"), 1),
    ]  # fmt: skip
    assert await ask(world, "leaderboard.emotes") == [Used("#Pog", 3), Used("#pog", 1), Used(":kappa:", 1)]


async def test_g08_what_bots_say_is_not_counted(world: World) -> None:
    await world.tell("20:00", message("robot", by="bot", emotes=["#Pog"]), message("hook", by="webhook", emotes=["#P"]))
    assert await world.rows("SELECT * FROM emotes_totals") == []


@pytest.mark.parametrize("since", ["30d", "all"])
async def test_the_board_is_of_one_channel_of_several_or_of_all(world: World, since: str) -> None:
    await world.tell("20:00", message("amy", emotes=["#a"] * 3), message("bob", "lobby", emotes=["#b"] * 2 + ["#a"]))
    await world.tell("20:30", message("bob", "attic", emotes=["#c"] * 9), "20:45")
    assert await ask(world, "leaderboard.emotes", since=since) == [Used("#c", 9), Used("#a", 4), Used("#b", 2)]
    assert await ask(world, "leaderboard.emotes", since=since, limit=1) == [Used("#c", 9)]
    assert await ask(world, "leaderboard.emotes", since=since, domain="cytu.be", limit=1) == [Used("#c", 9)]
    assert await ask(world, "leaderboard.emotes", since=since, channel="lobby") == [Used("#b", 2), Used("#a", 1)]


async def test_g31_the_board_has_30_days_and_all_time_is_explicit(world: World) -> None:
    await world.tell("20:00", message("amy", emotes=["#old"]), gap("2025-04-20 20:00"), message("amy", emotes=["#new"]))
    await world.tell("2025-04-20 20:20")
    assert await ask(world, "leaderboard.emotes") == [Used("#new", 1)]
    assert await ask(world, "leaderboard.emotes", since="all") == [Used("#new", 1), Used("#old", 1)]
    assert await ask(world, "channel.emotes", to="2025-03-10", since="all") == [UsedHere("#old", 1, 1)]


async def test_people_who_share_an_alias_are_one_that_used_it(world: World) -> None:
    await world.tell(named("amy"), named("amy2"), named("bob"), alias_added("amy", "amy2"), "20:00")
    await world.tell(*(message(who, emotes=["#a", "#b"]) for who in ("amy", "amy2")), message("bob", emotes=["#a"]))
    await world.tell("20:20")
    assert await ask(world, "channel.emotes", channel="lounge") == [UsedHere("#a", 3, 2), UsedHere("#b", 2, 1)]
    assert await ask(world, "channel.emotes", limit=1, since="all") == [UsedHere("#a", 3, 2)]
    assert await ask(world, "user.emotes", username="AMY2") == [Used("#a", 2), Used("#b", 2)]


async def test_the_emotes_of_one_person_here_and_in_a_period(world: World) -> None:
    await world.tell(named("amy"), "20:00", message("amy", emotes=["#a"]), message("amy", "lobby", emotes=["#b"] * 2))
    await world.tell("22:00", message("amy", emotes=["#c"] * 3), "22:30")
    assert await ask(world, "user.emotes", username="amy", limit=2) == [Used("#c", 3), Used("#b", 2)]
    assert await ask(world, "user.emotes", username="amy", channel="lobby") == [Used("#b", 2)]
    assert await ask(world, "user.emotes", username="amy", hours=2) == [Used("#c", 3)]
    assert (await refusal(world, "user.emotes", username="zoe"))[0] == 404


async def test_an_empty_database_has_no_emotes(world: World) -> None:
    assert await ask(world, "leaderboard.emotes") == []
    assert await ask(world, "leaderboard.emotes", since="all") == []
    assert await ask(world, "channel.emotes") == []


async def test_the_metric_counts_uses_by_platform(world: World) -> None:
    await world.tell("20:00", message("amy", emotes=["#a", "#b"]), message("amy", "lobby", emotes=["#a"]))
    assert await world.rows(emotes.STATISTIC.metrics[0].sql) == [("cytube", 3)]
