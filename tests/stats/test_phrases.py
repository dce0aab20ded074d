"""Phrases of thanks: taught and taken away."""

from __future__ import annotations

import pytest

from tests.say import World
from tests.stats.ask import ask
from tests.stats.changing import change, refused
from userstats.recorder import Changed
from userstats.stats import phrases
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, phrases.STATISTIC)


async def test_a_phrase_is_kept_without_capitals_and_outer_blanks(world: World) -> None:
    assert await change(world, "phrase.add", phrase="  Well   DONE ") == Changed(True, "Added kudos phrase 'well done'")
    assert await change(world, "phrase.add", phrase="well done") == Changed(False, "Phrase 'well done' already exists")
    assert await ask(world, "phrase.list") == ["well done"]


async def test_a_removed_phrase_stays_known_as_removed(world: World) -> None:
    await change(world, "phrase.add", phrase="lol")

    assert await change(world, "phrase.remove", phrase="LOL") == Changed(True, "Removed kudos phrase 'lol'")

    assert await change(world, "phrase.remove", phrase="lol") == Changed(False, "Phrase 'lol' not found")
    assert await ask(world, "phrase.list") == []
    assert await world.rows("SELECT phrase, active FROM phrases") == [("lol", 0)]


@pytest.mark.parametrize("phrase", [" ", "a\nb"[:1] + "\x07", "x" * 65])
async def test_what_is_no_phrase_is_refused(world: World, phrase: str) -> None:
    assert (await refused(world, "phrase.add", phrase=phrase))[0] == 400
    assert await world.rows("SELECT phrase FROM phrases") == []
