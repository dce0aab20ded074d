"""What was said before the bot came: counted once, marked, and honest about what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.say import World, clock, message, named, started
from tests.say_guild import GENERAL, GUILD, backfill_reached
from tests.stats.ask import ask
from userstats.backfilled import Backfills
from userstats.contract.events import MessageSent
from userstats.stats import aliases, backfill, messages, people
from userstats.stats.backfill import Backfill, Counted
from userstats.stats.messages import Talker
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, aliases.STATISTIC, backfill.STATISTIC, messages.STATISTIC, people.STATISTIC)
    await world.tell(started(GUILD), named("amy", GUILD), named("bob", GUILD))
    return world


def old(who: str, number: int, thread: str = "") -> MessageSent:
    """A message of the history with this id, sent in the morning."""
    said = message(who, GENERAL, at=clock("03:00") + number, id=10_000 + number)
    return replace(said, backfilled=number, thread=thread)


async def test_g26_a_history_counts_once_however_often_it_is_read(world: World) -> None:
    await world.tell("20:00", backfill_reached(100, "20:00", newest=99), message("amy", GENERAL))
    page = [old("amy", 99), old("bob", 98), old("amy", 97)]
    await world.tell(*page, backfill_reached(97, "03:00"))
    await world.restart()
    await world.tell(*[replace(one, id=one.id + 500) for one in page], old("bob", 96), backfill_reached(96, "02:00"))

    assert await ask(world, "leaderboard.messages", since="all") == [Talker("amy", 3), Talker("bob", 2)]
    assert await ask(world, "backfill.messages") == [Counted("100", "200", 5, 4, 1)]
    tallies = "SELECT duplicates FROM event_tallies WHERE kind = 'MessageSent'"
    assert await world.rows(tallies) == [(3,)]


async def test_g26_the_status_says_how_far_back_and_what_is_missing(world: World) -> None:
    await world.tell("20:00", backfill_reached(100, "19:00", newest=99), old("amy", 99), backfill_reached(99, "03:00"))
    await world.tell(backfill_reached(50, "01:00", state="complete", thread="900"))
    await world.tell(backfill_reached(70, "02:00", GUILD, state="forbidden"))

    assert await ask(world, "backfill.status") == [
        Backfill("100", "", "", "forbidden", "2025-03-03T02:00:00+00:00", "70", ""),
        Backfill("100", "200", "", "running", "2025-03-03T03:00:00+00:00", "99", "99"),
        Backfill("100", "200", "900", "complete", "2025-03-03T01:00:00+00:00", "50", ""),
    ]


async def test_g26_a_bridge_that_lost_what_it_knew_does_not_change_the_status(world: World) -> None:
    await world.tell("20:00", backfill_reached(100, "19:00", newest=99), old("amy", 99), backfill_reached(99, "03:00"))
    await world.tell("21:00", backfill_reached(120, "21:00", newest=119), backfill_reached(99, "03:00"))

    assert await ask(world, "backfill.status") == [
        Backfill("100", "200", "", "running", "2025-03-03T03:00:00+00:00", "99", "99")
    ]


async def test_the_status_is_told_in_parts(world: World) -> None:
    await world.tell("20:00", *[backfill_reached(100, "19:00", thread=str(900 + n)) for n in range(5)])

    parts = [await ask(world, "backfill.status", after=after, limit=2) for after in (0, 2, 4, 6)]

    assert [[row.thread for row in part] for part in parts] == [["900", "901"], ["902", "903"], ["904"], []]


async def test_a_thread_has_a_history_of_its_own(world: World) -> None:
    await world.tell("20:00", backfill_reached(10, "03:00"), old("amy", 500, "900"), old("amy", 499, "900"))

    assert await ask(world, "backfill.messages") == [Counted("100", "200", 2, 2, 2)]


async def test_what_was_observed_is_no_part_of_the_history(world: World) -> None:
    await world.tell("20:00", backfill_reached(100, "20:00", newest=99), old("amy", 100), old("amy", 101))

    assert await ask(world, "backfill.messages") == []


@given(st.lists(st.integers(1, 30), max_size=40))
def test_only_what_is_older_than_everything_before_is_new(numbers: list[int]) -> None:
    keeper = Backfills()
    accepted = [number for number in numbers if keeper.accept(old("amy", number), 7)]

    assert accepted == sorted(set(accepted), reverse=True)
    assert accepted[:1] == numbers[:1]
    assert accepted[-1:] == sorted(numbers)[:1]
