"""Which channels there are, and who says the most there."""

from __future__ import annotations

from tests.say import World, alias_added, gap, joined, message, named, phrase_added, place_named, started, stopped
from tests.stats.ask import ask, refusal
from userstats.contract.events import Place
from userstats.stats.channels import Channel, Top

GUILD = Place("discord", "123", "9")


def at(clock: str) -> str:
    return f"2025-03-03T{clock}:00+00:00"


async def test_every_channel_is_listed_with_what_is_known_of_it(world: World) -> None:
    await world.tell(named("robot", bot=True), phrase_added("lol"), "20:00", joined("amy"), message("amy"))
    await world.tell(message("robot", by="bot"), "20:10", message("bob"), message("amy", "lobby"), "20:20")
    await world.tell(stopped("lobby"), place_named("general", GUILD, type="text"))
    assert await ask(world, "channel.list") == [
        Channel("cytube", "cytu.be", "lobby", "lobby", "", 1, 1, at("20:10"), at("20:10"), False),
        Channel("cytube", "cytu.be", "lounge", "lounge", "", 2, 2, at("20:00"), at("20:10"), True),
        Channel("discord", "123", "9", "general", "text", 0, 0, None, None, True),
    ]
    assert [one.channel for one in await ask(world, "channel.list", platform="discord")] == ["9"]
    berlin = await ask(world, "channel.list", channel="lobby", tz="Europe/Berlin")
    assert berlin[0].first_activity == "2025-03-03T21:10:00+01:00"


async def test_a_channel_whose_bridge_was_killed_is_not_observed_any_more(world: World) -> None:
    await world.tell("20:00", started(), "20:10", gap("20:11:30"))
    assert [one.observed for one in await ask(world, "channel.list")] == [True]
    await world.tell(gap("20:12"))
    assert [one.observed for one in await ask(world, "channel.list")] == [False]


async def test_the_top_of_a_channel(world: World) -> None:
    await world.tell(*map(named, ("amy", "amy2", "bob", "cid")), alias_added("amy", "amy2"), "20:00")
    await world.tell(message("amy"), message("amy2"), *(message("bob") for _ in range(3)), message("cid", "lobby"))
    await world.tell("20:10")
    assert await ask(world, "channel.top", channel="Lounge") == [Top("bob", 3), Top("amy", 2)]
    assert await ask(world, "channel.top", channel="lounge", limit=1) == [Top("bob", 3)]
    assert await ask(world, "channel.top", channel="lobby", domain="cytu.be") == [Top("cid", 1)]
    assert (await refusal(world, "channel.top", channel="attic"))[0] == 404


async def test_g31_the_top_has_30_days_and_all_time_is_explicit(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "20:00", message("amy"), gap("2025-04-20 20:00"), message("bob"))
    await world.tell("2025-04-20 20:10")
    assert await ask(world, "channel.top", channel="lounge") == [Top("bob", 1)]
    assert len(await ask(world, "channel.top", channel="lounge", since="all")) == 2


async def test_g30_the_top_of_a_channel_is_its_board_of_messages(world: World) -> None:
    await world.tell(*map(named, ("amy", "bob")), "20:00", message("amy"), message("bob"), message("bob"), "20:10")
    top = [(one.username, one.count) for one in await ask(world, "channel.top", channel="lounge")]
    board = [(one.username, one.count) for one in await ask(world, "leaderboard.messages", channel="lounge")]
    assert top == board


async def test_an_empty_database_has_no_channels(world: World) -> None:
    assert await ask(world, "channel.list") == []
    assert await ask(world, "channel.top") == []
