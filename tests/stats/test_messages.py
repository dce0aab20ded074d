"""Who says how much, and where."""

from __future__ import annotations

import pytest

from tests.say import World, message, named, person
from tests.stats.ask import ask, refusal
from userstats.stats import aliases, messages, people
from userstats.stats.messages import Talk, Talker
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, aliases.STATISTIC, messages.STATISTIC, people.STATISTIC)


async def test_messages_words_characters_and_links_are_counted_where_they_were_said(world: World) -> None:
    await world.tell("20:00", message("amy", words=3, characters=15), message("amy", words=1, characters=4, links=2))
    await world.tell(message("amy", "lobby"), message("bob", words=2, characters=9))

    rows = await world.rows(
        "SELECT p.channel, t.person, t.messages, t.words, t.characters, t.links FROM person_totals t "
        "JOIN places p ON p.place = t.place ORDER BY p.channel, t.messages DESC"
    )

    assert [(channel, who, said) for channel, who, said, *_ in rows] == [
        ("lobby", person("amy"), 1), ("lounge", person("amy"), 2), ("lounge", person("bob"), 1),
    ]  # fmt: skip
    assert rows[1][3:] == (4, 19, 2)


async def test_g08_bots_webhooks_and_system_lines_are_counted_apart(world: World) -> None:
    await world.tell("20:00", message("robot", by="bot"), message("hook", by="webhook"), message("sys", by="system"))

    assert await world.rows("SELECT SUM(messages), SUM(bot_messages) FROM person_totals") == [(0, 3)]
    assert await ask(world, "leaderboard.messages", since="all") == []


async def test_g17_the_boards_of_all_channels_add_up_to_the_board_of_everything(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "20:00", *(message("amy") for _ in range(3)), message("bob"))
    await world.tell(*(message("bob", "lobby") for _ in range(4)), message("amy", "attic"), "20:20")

    everywhere = await ask(world, "leaderboard.messages")
    parts = [await ask(world, "leaderboard.messages", channel=channel) for channel in ("lounge", "lobby", "attic")]

    assert everywhere == [Talker("bob", 5), Talker("amy", 4)]
    assert sum(row.count for part in parts for row in part) == sum(row.count for row in everywhere)


async def test_g31_the_board_has_30_days_unless_all_time_is_asked_for(world: World) -> None:
    await world.tell(named("amy"), "20:00", message("amy"), "2025-05-20 20:00", message("amy"), "2025-05-20 20:20")

    assert await ask(world, "leaderboard.messages") == [Talker("amy", 1)]
    assert await ask(world, "leaderboard.messages", since="all") == [Talker("amy", 2)]


async def test_one_persons_messages_are_told_place_by_place_whatever_the_spelling(world: World) -> None:
    await world.tell(named("Amy"), "20:00", message("amy", words=2, characters=8), message("amy", "lobby"))

    told = await ask(world, "user.messages", username="AMY")

    assert [(talk.domain, talk.channel, talk.messages) for talk in told] == [
        ("cytu.be", "lobby", 1), ("cytu.be", "lounge", 1),
    ]  # fmt: skip
    assert told[1] == Talk("cytu.be", "lounge", 1, 2, 8)


async def test_nobody_by_that_name_is_said_and_not_shown_as_zero(world: World) -> None:
    code, words = await refusal(world, "user.messages", username="zoe")

    assert (code, words) == (404, "nobody called 'zoe' was ever seen")


@pytest.mark.parametrize("limit", [0, -1, 1001, "abc"])
async def test_an_impossible_limit_is_refused_by_its_name(world: World, limit: object) -> None:
    code, words = await refusal(world, "leaderboard.messages", limit=limit)

    assert (code, words.partition(":")[0]) == (400, "limit")
