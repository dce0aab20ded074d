"""How much people wrote to the bot in private."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, named, private
from tests.stats.ask import ask, refusal
from userstats.stats import aliases, people
from userstats.stats import private as room
from userstats.stats.private import Private
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, room.STATISTIC, people.STATISTIC, aliases.STATISTIC)


async def test_private_messages_are_counted_for_each_person(world: World) -> None:
    await world.tell(named("Amy"), named("amy2"), named("bob"), "20:00", private("amy"), private("amy", "lobby"))
    await world.tell(private("amy2", words=90), "21:00")
    assert await ask(world, "user.private_messages", username="amy") == Private("Amy", 2)
    assert await ask(world, "user.private_messages", username="amy", channel="lobby") == Private("Amy", 1)
    assert await ask(world, "user.private_messages", username="bob") == Private("bob", 0)
    await world.tell(alias_added("amy", "amy2"))
    assert await ask(world, "user.private_messages", username="AMY2", since="1h") == Private("Amy", 3)
    assert await ask(world, "user.private_messages", username="amy", since="15m") == Private("Amy", 0)


async def test_others_do_not_see_who_writes_in_private(world: World) -> None:
    await world.tell(named("amy"), private("amy"))
    assert (await refusal(world, "user.private_messages", "everyone", username="amy"))[0] == 403
    assert [name for name in world.service.catalogue.questions if "private" in name] == ["user.private_messages"]


async def test_metrics_count_private_messages(world: World) -> None:
    await world.tell(private("amy"), private("bob"))
    assert [await world.rows(metric.sql) for metric in room.STATISTIC.metrics] == [[("cytube", 2)]]
