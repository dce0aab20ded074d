"""Who says how much, and where."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.say import World, clock, message, named, person, started
from tests.say_guild import GENERAL, GUILD, message_deleted, message_edited
from tests.stats.ask import ask, refusal
from userstats.contract.events import Place
from userstats.stats import aliases, emotes, messages, people
from userstats.stats.emotes import UsedHere
from userstats.stats.messages import Kinds, Talk, Talker
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, aliases.STATISTIC, messages.STATISTIC, people.STATISTIC)


SIDE = Place("discord", "100", "201")


@pytest.fixture
async def guild(store: Store) -> World:
    world = await World.open(store, aliases.STATISTIC, emotes.STATISTIC, messages.STATISTIC, people.STATISTIC)
    await world.tell(started(GUILD), named("amy", GUILD), named("bob", GUILD))
    return world


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
    assert told[1] == Talk("cytu.be", "lounge", 1, 2, 8, 1, 0, 0)


async def test_nobody_by_that_name_is_said_and_not_shown_as_zero(world: World) -> None:
    code, words = await refusal(world, "user.messages", username="zoe")

    assert (code, words) == (404, "nobody called 'zoe' was ever seen")


@pytest.mark.parametrize("limit", [0, -1, 1001, "abc"])
async def test_an_impossible_limit_is_refused_by_its_name(world: World, limit: object) -> None:
    code, words = await refusal(world, "leaderboard.messages", limit=limit)

    assert (code, words.partition(":")[0]) == (400, "limit")


async def test_g13_an_edit_is_counted_and_a_deleted_message_is_in_the_gross_number_and_told_beside_it(
    guild: World,
) -> None:
    await guild.tell(
        "20:00", message("amy", GENERAL, words=3, emotes=[":x:", ":x:"]), message("amy", GENERAL, words=2),
        "21:00", message_edited("amy"), message_deleted("amy", sent="20:00", words=3, characters=5, emotes=[":x:"] * 2),
    )  # fmt: skip

    told = await ask(guild, "user.messages", username="amy")
    assert told == [Talk("100", "200", 2, 5, 10, 1, 1, 1)]
    in_its_hour = {"from": "2025-03-03T20:00", "to": "2025-03-03T20:15"}
    (kinds,) = await ask(guild, "channel.messages", **in_its_hour)  # type: ignore[arg-type]
    assert (kinds.messages, kinds.deleted, kinds.edited) == (2, 1, 0)
    assert await ask(guild, "channel.emotes") == [UsedHere(":x:", 2, 1, 2)]


async def test_g13_a_delete_of_a_message_that_nobody_remembers_is_nobodys(guild: World) -> None:
    await guild.tell("20:00", message("amy", GENERAL), message_deleted(None, sent="01:00"), "20:20")

    (kinds,) = await ask(guild, "channel.messages")
    assert (kinds.messages, kinds.deleted, kinds.deleted_unknown) == (1, 0, 1)
    assert await ask(guild, "leaderboard.messages") == [Talker("amy", 1)]


async def test_g16_blocks_of_ten_minutes_tell_talk_from_spam(guild: World) -> None:
    spam = [message("bob", GENERAL) for _ in range(50)]
    await guild.tell("20:00", *spam, message("amy", GENERAL), "20:12", message("amy", GENERAL), "20:31")
    await guild.tell(message("amy", SIDE), message("amy", GENERAL), "20:41")

    amy = await ask(guild, "user.messages", username="amy")
    bob = await ask(guild, "user.messages", username="bob")
    assert sorted((talk.channel, talk.messages, talk.blocks) for talk in amy) == [("200", 3, 2), ("201", 1, 1)]
    assert [(talk.messages, talk.blocks) for talk in bob] == [(50, 1)]


async def test_g16_a_late_line_of_an_earlier_block_counts_as_a_message_and_as_no_block(guild: World) -> None:
    await guild.tell("20:00", message("amy", GENERAL), "20:15", message("amy", GENERAL))
    await guild.tell(message("amy", GENERAL, at=clock("20:01")), "20:20")

    (talk,) = await ask(guild, "user.messages", username="amy")
    assert (talk.messages, talk.blocks) == (3, 2)


async def test_a_channel_says_what_its_messages_were(guild: World) -> None:
    said = message("amy", GENERAL, links=2, reply_to="bob")
    await guild.tell("20:00", replace(said, files=3, embeds=1, stickers=1, thread="900"), message("bob", GENERAL))
    await guild.tell(message("robot", GENERAL, by="bot"), replace(message("bob", GENERAL), backfilled=7), "20:20")

    assert await ask(guild, "channel.messages") == [
        Kinds(
            "100", "200", messages=3, edited=0, deleted=0, deleted_unknown=0, links=2, with_files=1, with_embeds=1,
            with_stickers=1, replies=1, thread_messages=1, backfilled=1, bot_messages=1,
        )
    ]  # fmt: skip
