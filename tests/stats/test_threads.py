"""Threads: begun, joined, archived, open; and what is said in them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.say import World, gap, message, named, started, stopped
from tests.say_guild import GENERAL, GUILD, thread_archived, thread_created, thread_joined, threads_seen
from tests.stats.ask import ask
from userstats.stats import aliases, messages, people, threads
from userstats.stats.threads import ChannelThreads, UserThreads
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, aliases.STATISTIC, messages.STATISTIC, people.STATISTIC, threads.STATISTIC)
    await world.tell(started(GUILD), named("amy", GUILD), named("bob", GUILD))
    return world


async def test_what_is_said_in_a_thread_counts_at_its_channel_and_at_the_thread(world: World) -> None:
    await world.tell(
        "20:00", thread_created("amy", "900"), thread_joined("bob", "900"),
        replace(message("amy", GENERAL), thread="900"),
        replace(message("bob", GENERAL), thread="900"), message("bob", GENERAL), "20:20",
    )  # fmt: skip

    assert await ask(world, "channel.threads") == [ChannelThreads("100", "200", 1, 1, 0, 2, 1)]
    assert await ask(world, "user.threads", username="bob") == [UserThreads("100", "200", 0, 1, 1)]
    assert await ask(world, "user.threads", username="amy") == [UserThreads("100", "200", 1, 0, 1)]
    assert await world.rows("SELECT thread, messages FROM threads") == [("900", 2)]


async def test_a_thread_is_archived_once_and_may_be_opened_again(world: World) -> None:
    await world.tell("20:00", thread_created("amy", "900"), thread_archived("900"), thread_archived("900"), "20:20")
    assert await ask(world, "channel.threads") == [ChannelThreads("100", "200", 1, 0, 1, 0, 0)]

    await world.tell(thread_archived("900", open=True), "20:40")
    assert await ask(world, "channel.threads") == [ChannelThreads("100", "200", 1, 0, 1, 0, 1)]


async def test_g03_a_list_of_open_threads_ends_those_that_were_archived_unseen(world: World) -> None:
    await world.tell("20:00", thread_created("amy", "900"), thread_created("amy", "901"), stopped(GUILD))
    await world.tell(gap("21:00"), started(GUILD), threads_seen("901", part=1, parts=2, snapshot="s"))
    await world.restart()
    await world.tell(threads_seen("902", part=2, parts=2, snapshot="s"))

    rows = await world.rows("SELECT thread, archived_at > 0 FROM threads ORDER BY thread")
    assert [(thread, bool(gone)) for thread, gone in rows] == [("900", True), ("901", False), ("902", False)]


async def test_a_thread_that_was_begun_unseen_is_open_at_its_channel(world: World) -> None:
    await world.tell("20:00", thread_created("amy", "900"), stopped(GUILD), gap("21:00"), started(GUILD))
    await world.tell(threads_seen("900", "901"), "21:20")

    assert await ask(world, "channel.threads") == [ChannelThreads("100", "200", 1, 0, 0, 0, 2)]


async def test_a_thread_that_nobody_is_known_to_have_begun_is_nobodys(world: World) -> None:
    await world.tell("20:00", thread_created(None, "900"), "20:20")

    assert await ask(world, "channel.threads") == [ChannelThreads("100", "200", 1, 0, 0, 0, 1)]


async def test_the_numbers_are_the_same_in_batches_of_one(world: World, store: Store) -> None:
    await world.tell(
        "20:00", thread_created("amy", "900"), thread_archived("900"), threads_seen("900"), thread_archived("900"),
        "20:20", batch=1,
    )  # fmt: skip

    assert await ask(world, "channel.threads") == [ChannelThreads("100", "200", 1, 0, 2, 0, 0)]
