"""Names that belong to one person: taught, refused, taken away, and applied to the past."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, key, message, named
from tests.stats.ask import ask
from tests.stats.changing import change
from userstats.recorder import Changed
from userstats.stats import aliases, messages, people
from userstats.stats.aliases import Aliased, Found
from userstats.stats.messages import Talker
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, aliases.STATISTIC, messages.STATISTIC, people.STATISTIC)


async def test_an_alias_is_added_listed_and_found_in_any_spelling(world: World) -> None:
    assert await change(world, "alias.add", username="Alice", alias="Al") == Changed(
        True, "Added alias 'Al' for user 'Alice'"
    )
    assert await ask(world, "alias.list") == [Aliased("Alice", ["Al"])]
    assert await change(world, "alias.find", alias="AL") == Found("AL", "Alice")
    assert await change(world, "alias.get", username="ALICE") == Aliased("ALICE", ["Al"])


async def test_an_alias_is_added_once_and_to_one_person(world: World) -> None:
    await change(world, "alias.add", username="Alice", alias="al")

    again = await change(world, "alias.add", username="alice", alias="AL")
    taken = await change(world, "alias.add", username="Bob", alias="al")

    assert again == Changed(False, "Alias 'AL' already exists for user 'Alice'")
    assert taken == Changed(False, "Alias 'al' is already assigned to user 'Alice'")
    assert await world.rows("SELECT alias, owner FROM aliases") == [(key("al"), key("alice"))]


@pytest.mark.parametrize(
    ("username", "alias", "message"),
    [
        ("Al", "al", "'al' and 'Al' are the same name"),
        ("al", "allie", "'al' is itself an alias of 'Alice'"),
        ("Bob", "alice", "'alice' has aliases of its own; remove those first"),
    ],
)
async def test_aliases_never_form_a_chain_or_a_ring(world: World, username: str, alias: str, message: str) -> None:
    await change(world, "alias.add", username="Alice", alias="al")

    assert await change(world, "alias.add", username=username, alias=alias) == Changed(False, message)


async def test_a_removed_alias_is_nobodys_and_may_be_given_to_another(world: World) -> None:
    await change(world, "alias.add", username="Alice", alias="al")

    removed = await change(world, "alias.remove", alias="AL")
    given = await change(world, "alias.add", username="Bob", alias="al")

    assert removed == Changed(True, "Deleted alias 'AL' for user 'Alice'")
    assert given == Changed(True, "Added alias 'al' for user 'Bob'")
    assert await change(world, "alias.remove", alias="zz") == Changed(False, "Alias 'zz' not found")
    assert await ask(world, "alias.list") == [Aliased("Bob", ["al"])]


async def test_g19_a_corrected_alias_corrects_the_past(world: World) -> None:
    await world.tell(named("amy"), named("amy2"), named("bob"))
    await world.tell("20:00", message("amy"), message("amy2"), message("bob"), message("bob"), message("bob"), "20:20")
    before = await ask(world, "leaderboard.messages")

    await world.tell(alias_added("amy", "amy2"), message("amy2"), message("amy2"), "20:40")

    assert before == [Talker("bob", 3), *before[1:]]
    assert {row.username for row in before[1:]} == {"amy", "amy2"}
    assert await ask(world, "leaderboard.messages") == [Talker("amy", 4), Talker("bob", 3)]
    await change(world, "alias.remove", alias="amy2")
    apart = await ask(world, "leaderboard.messages")
    assert {(row.username, row.count) for row in apart} == {("bob", 3), ("amy2", 3), ("amy", 1)}
