"""What people think of what plays."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, gap, media, message, named, started, stopped
from tests.stats.ask import ask
from userstats.stats import aliases, people, votes
from userstats.stats.votes import Verdict
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, votes.STATISTIC, people.STATISTIC, aliases.STATISTIC)


def verdict(title: str, up: int, down: int, last: str, channel: str = "lounge") -> Verdict:
    at = f"2025-03-03T{last}:00+00:00"
    return Verdict("cytu.be", channel, title, "yt", title.casefold(), up, down, up + down, up - down, at)


async def test_votes_are_about_what_plays_one_for_each_person_and_the_newest_wins(world: World) -> None:
    await world.tell("20:00", media("Alien"), "20:01", message("amy", vote=1), message("bob", vote=-1), "20:02")
    await world.tell(message("amy", vote=1), message("cid"), message("bob", vote=1), message("cid", vote=-1), "20:30")
    await world.tell(media("Dune"), message("amy", vote=-1), "21:00")
    assert await ask(world, "channel.votes") == [verdict("Alien", 2, 1, "20:02"), verdict("Dune", 0, 1, "20:30")]
    assert await world.rows("SELECT title, vote, COUNT(*) FROM votes GROUP BY title, vote ORDER BY title, vote") == [
        ("Alien", -1, 1), ("Alien", 1, 2), ("Dune", -1, 1),
    ]  # fmt: skip


async def test_a_vote_about_nothing_is_no_vote(world: World) -> None:
    await world.tell("20:00", message("amy", vote=1), media("Alien", "lobby"), message("bob", vote=1), "20:10")
    assert await ask(world, "channel.votes") == []


async def test_a_new_watch_knows_nothing_of_what_plays_until_it_is_told(world: World) -> None:
    await world.tell("20:00", media("Alien"), "20:10", stopped(), gap("20:20"), started(), message("amy", vote=1))
    await world.tell(media("Alien", resumed=True), "20:21", message("bob", vote=1), "20:30")
    await world.restart()
    await world.tell(message("cid", vote=1), message("dan", vote=-1, watch="watch-1"), "20:40")
    assert await ask(world, "channel.votes") == [verdict("Alien", 2, 0, "20:30")]


async def test_g08_bots_have_no_vote(world: World) -> None:
    await world.tell("20:00", media("Alien"), message("robot", by="bot", vote=1), message("hook", by="webhook", vote=1))
    assert await ask(world, "channel.votes") == []


async def test_accounts_that_share_an_alias_have_one_vote(world: World) -> None:
    await world.tell(named("amy"), named("amy2"), "20:00", media("Alien"), message("amy", vote=1), "20:01")
    await world.tell(message("amy2", vote=-1), message("bob", vote=1), "20:02")
    assert await ask(world, "channel.votes") == [verdict("Alien", 2, 1, "20:01")]
    await world.tell(alias_added("amy", "amy2"))
    assert await ask(world, "channel.votes") == [verdict("Alien", 1, 1, "20:01")]


async def test_verdicts_are_of_a_room_a_title_and_a_period(world: World) -> None:
    await world.tell("20:00", media("Alien"), media("Alien", "lobby"), message("amy", "lobby", vote=-1), "20:10")
    await world.tell(message("amy", vote=1), "20:20", media("Dune"), message("amy", vote=1), message("bob", vote=1))
    await world.tell("20:30")
    alien, dune = verdict("Alien", 1, 0, "20:10"), verdict("Dune", 2, 0, "20:20")
    lobby = verdict("Alien", 0, 1, "20:00", "lobby")
    assert await ask(world, "channel.votes") == [dune, alien, lobby]
    assert await ask(world, "channel.votes", limit=1) == [dune]
    assert await ask(world, "channel.votes", channel="lobby") == [lobby]
    assert await ask(world, "channel.votes", title="Alien") == [alien, lobby]
    assert await ask(world, "channel.votes", title="Nothing") == []
    assert await ask(world, "channel.votes", to="2025-03-03T20:15") == [alien, lobby]


async def test_an_empty_database_has_no_votes(world: World) -> None:
    assert await ask(world, "channel.votes") == []


async def test_metrics_count_votes_up_and_down(world: World) -> None:
    await world.tell("20:00", media("Alien"), message("amy", vote=1), message("bob", vote=1), message("cid", vote=-1))
    assert [await world.rows(metric.sql) for metric in votes.STATISTIC.metrics] == [
        [("cytube", "down", 1), ("cytube", "up", 2)]
    ]
