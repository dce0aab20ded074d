"""Who was seen where, first and last, and what they are called."""

from __future__ import annotations

import pytest

from tests.say import World, afk, clock, joined, key, left, message, named, person, place_named, private, roster
from userstats.stats import people
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, people.STATISTIC)


async def test_any_sign_of_a_person_is_a_sighting_there(world: World) -> None:
    await world.tell("20:00", joined("amy"), "20:01", message("amy"), "20:02", afk("amy"), "20:03", left("amy"))
    await world.tell("20:04", private("bob"), "20:05", roster("cid", where="lobby"))

    rows = await world.rows("SELECT person, first_at, last_at FROM sightings ORDER BY first_at")

    assert rows == [
        (person("amy"), clock("20:00"), clock("20:03")),
        (person("bob"), clock("20:04"), clock("20:04")),
        (person("cid"), clock("20:05"), clock("20:05")),
    ]


async def test_a_late_event_moves_the_first_sighting_back_and_never_the_last(world: World) -> None:
    await world.tell("20:00", message("amy"), "21:00", message("amy", at=clock("19:00")))

    assert await world.rows("SELECT first_at, last_at FROM sightings") == [(clock("19:00"), clock("20:00"))]


async def test_g19_a_change_of_capitals_is_the_same_person_with_a_newer_name(world: World) -> None:
    await world.tell("20:00", named("amy"), "20:01", named("Amy"), "20:02", named("AMY"))

    assert await world.rows("SELECT name_key, name FROM names") == [(key("amy"), "AMY")]
    assert await world.rows("SELECT person, name_key FROM wearers") == [(person("amy"), key("amy"))]


async def test_an_older_name_that_comes_late_changes_nothing(world: World) -> None:
    await world.tell("20:00", named("AMY"), "20:01", named("amy", at=clock("19:00")))

    assert await world.rows("SELECT name, at FROM names") == [("AMY", clock("20:00"))]


async def test_a_place_is_called_what_its_platform_calls_it(world: World) -> None:
    await world.tell("20:00", message("amy"), place_named("The Lounge"))

    assert await world.rows("SELECT channel, name, type FROM places") == [("lounge", "The Lounge", "room")]
