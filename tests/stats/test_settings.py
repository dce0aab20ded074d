"""What bridges are told, and aliases.json as it would be written now."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, alias_removed, joined, named, phrase_added, phrase_removed
from tests.stats.ask import ask
from userstats.stats import aliases, people, phrases, settings
from userstats.stats.settings import Export, ForBridge
from userstats.store.seam import Store

ROOM = "cytube/cytu.be/lounge"


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, aliases.STATISTIC, people.STATISTIC, phrases.STATISTIC, settings.STATISTIC)


async def test_a_bridge_is_told_phrases_aliases_and_the_names_of_its_own_places(world: World) -> None:
    await world.tell("20:00", named("amy"), joined("amy"), named("bob", "lobby"), joined("bob", "lobby"))
    await world.tell(phrase_added("lol"), phrase_added("meh"), phrase_removed("meh"))
    await world.tell(named("kc"), alias_added("amy", "kc"))

    told = await ask(world, "settings.for_bridge", places=[ROOM])

    assert (told.phrases, told.names, told.aliases) == (["lol"], {ROOM: ["amy"]}, ["kc"])


async def test_a_bridge_that_is_up_to_date_is_told_only_that(world: World) -> None:
    await world.tell("20:00", phrase_added("lol"))
    first = await ask(world, "settings.for_bridge", places=[ROOM])

    assert await ask(world, "settings.for_bridge", places=[ROOM], since=first.revision) == ForBridge(first.revision)

    await world.tell(phrase_added("haha"))
    assert (await ask(world, "settings.for_bridge", places=[ROOM], since=first.revision)).phrases == ["haha", "lol"]


async def test_the_export_is_aliases_json_as_it_stands_now(world: World) -> None:
    await world.tell(named("Kevin"), named("kc"), named("kev"), named("amy"), named("al"))
    await world.tell(alias_added("kevin", "kc"), alias_added("kevin", "kev"), alias_added("amy", "al"))
    await world.tell(alias_removed("al"), phrase_added("lol"))

    assert await ask(world, "settings.export") == Export({"Kevin": ["kc", "kev"]}, ["lol"])
