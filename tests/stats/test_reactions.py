"""Reactions: given and received, gross and net."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.say import World, named, started
from tests.say_guild import ELSEWHERE, GUILD, reaction_added, reaction_removed
from tests.stats.ask import ask
from userstats.places import Places
from userstats.stats import aliases, people, reactions
from userstats.stats.reactions import REACTIONS, Reaction, Reactions, Reactor
from userstats.store.seam import Store
from userstats.watching import Watching
from userstats.writes import Moment, State, Writes


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, aliases.STATISTIC, people.STATISTIC, reactions.STATISTIC)
    await world.tell(started(GUILD), named("amy", GUILD), named("bob", GUILD), named("cid", GUILD))
    return world


async def test_g13_a_reaction_that_was_taken_back_is_in_the_gross_number_and_not_in_the_net_one(world: World) -> None:
    await world.tell(
        "20:00", reaction_added("amy", ":heart:", to="bob"), reaction_added("cid", ":heart:", to="bob"),
        reaction_added("cid", "👍", to="amy"), "20:05", reaction_removed("cid", ":heart:", to="bob"), "20:20",
    )  # fmt: skip

    assert sorted(await ask(world, "leaderboard.reactions"), key=str) == [Reactor("amy", 1), Reactor("bob", 1)]
    given = await ask(world, "leaderboard.reactions", kind="given")
    assert sorted(given, key=str) == [Reactor("amy", 1), Reactor("cid", 1)]
    assert await ask(world, "channel.reactions") == [Reaction(":heart:", 1, 2, 1), Reaction("👍", 1, 1, 0)]
    assert await ask(world, "user.reactions", username="bob") == [Reactions("100", "200", 0, 0, 2, 1)]
    assert await ask(world, "user.reactions", username="cid") == [Reactions("100", "200", 2, 1, 0, 0)]


async def test_a_reaction_to_ones_own_message_is_given_and_received_from_nobody(world: World) -> None:
    await world.tell("20:00", reaction_added("amy", "👍", to="amy"), reaction_removed("amy", "👍", to="amy"), "20:20")

    assert await ask(world, "leaderboard.reactions") == []
    assert await ask(world, "user.reactions", username="amy") == [Reactions("100", "200", 1, 1, 0, 0)]


async def test_a_moderator_who_clears_a_message_takes_back_what_nobody_remembers(world: World) -> None:
    await world.tell(
        "20:00", reaction_added("amy", "👍", to="bob"), reaction_removed(None, "👍", to="bob", cleared=True), "20:20"
    )

    assert await ask(world, "channel.reactions") == [Reaction("👍", 0, 1, 1)]
    assert await ask(world, "leaderboard.reactions") == []
    assert await ask(world, "leaderboard.reactions", kind="given") == [Reactor("amy", 1)]


async def test_g08_reactions_of_bots_do_not_count(world: World) -> None:
    await world.tell(
        "20:00", reaction_added("robot", "👍", to="amy", bot=True), reaction_removed("robot", "👍", to="amy", bot=True)
    )

    assert await ask(world, "channel.reactions") == []


async def test_g17_the_reactions_of_all_channels_add_up_to_those_of_the_guild(world: World) -> None:
    await world.tell(started(ELSEWHERE), "20:00", reaction_added("amy", "👍"), reaction_added("bob", "👍", GUILD))
    await world.tell(reaction_added("amy", "👍", ELSEWHERE), "20:20")

    assert await ask(world, "channel.reactions", domain="100") == [Reaction("👍", 2, 2, 0)]
    assert await ask(world, "channel.reactions", domain="100", channel="200") == [Reaction("👍", 1, 1, 0)]
    assert await ask(world, "channel.reactions") == [Reaction("👍", 3, 3, 0)]


_DEEDS = st.lists(st.tuples(st.sampled_from(["amy", "bob", "cid"]), st.sampled_from(["👍", ":x:"])), max_size=30)


@given(_DEEDS)
def test_net_is_what_is_still_there_whatever_came_before(deeds: list[tuple[str, str]]) -> None:
    """Each deed puts the emote there, or takes it back where it is there already."""
    there: Counter[tuple[str, str]] = Counter()
    moment = Moment(State(), Writes(), {}, {}, Places(), Watching())
    say: Sequence[Callable[[str, str], Any]] = (reaction_added, reaction_removed)
    reduce: Sequence[Callable[[Any, Moment], None]] = (reactions.added, reactions.removed)
    for who, emote in deeds:
        taken_back = there[who, emote] % 2
        reduce[taken_back](say[taken_back](who, emote), moment)
        there[who, emote] += 1

    rows = [row for row in moment.writes.tables.get(REACTIONS.quarters, {}).values() if row is not None]
    net = sum(row.get("given", 0) - row.get("taken_back", 0) for row in rows)
    assert net == sum(times % 2 for times in there.values())
