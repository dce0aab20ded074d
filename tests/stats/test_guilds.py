"""A guild's numbers, snapshot by snapshot, and what is not tracked there."""

from __future__ import annotations

import pytest

from tests.say import World, gap, message, named, started, stopped
from tests.say_guild import (
    ELSEWHERE,
    GENERAL,
    GUILD,
    VOICE,
    guild_counted,
    member_joined,
    not_granted,
    place_closed,
    reaction_added,
    thread_created,
    voice_moved,
)
from tests.stats.ask import ask
from userstats.stats.guilds import Count, Overview


@pytest.fixture
async def told(world: World) -> World:
    await world.tell(started(GUILD), named("amy", GUILD), named("bob", GUILD))
    return world


async def test_g28_what_is_not_granted_is_told_as_not_tracked_and_never_as_0(told: World) -> None:
    await told.tell("20:00", not_granted("presences", where=GUILD), guild_counted(50, voice=2, channels={"text": 3}))

    (guild,) = await ask(told, "guild.now")
    assert (guild.members, guild.online, guild.idle, guild.voice, guild.text) == (50, None, None, 2, 3)
    assert guild.not_tracked == ["presences"]

    await told.tell(not_granted(where=GUILD), guild_counted(50, online=7, idle=1))
    (guild,) = await ask(told, "guild.now")
    assert (guild.online, guild.idle, guild.not_tracked) == (7, 1, [])


async def test_a_snapshot_is_the_first_count_after_each_border_and_an_unobserved_border_has_none(told: World) -> None:
    await told.tell("19:59", guild_counted(10), "20:01", guild_counted(11), "20:30", guild_counted(12), stopped(GUILD))
    await told.tell(gap("22:10"), started(GUILD), guild_counted(13), "22:30")

    assert await ask(told, "guild.population") == [
        Count("2025-03-03T19:00:00+00:00", "100", 10, None, None, None, None),
        Count("2025-03-03T20:00:00+00:00", "100", 11, None, None, None, None),
        Count("2025-03-03T22:00:00+00:00", "100", 13, None, None, None, None),
    ]


async def test_an_overview_adds_up_what_happened_in_all_channels_of_a_guild(told: World) -> None:
    await told.tell(
        "20:00", guild_counted(3), member_joined("bob"), message("amy", GENERAL), message("amy", GENERAL),
        reaction_added("amy", "👍"), thread_created("amy", "900"), voice_moved("bob", VOICE.channel), "20:10",
        voice_moved("bob", before=VOICE.channel), "20:20", started(ELSEWHERE), message("cid", ELSEWHERE),
    )  # fmt: skip

    assert await ask(told, "guild.overview") == [
        Overview("100", active=2, authors=1, in_voice=1, messages=2, with_files=0, with_embeds=0, with_stickers=0,
                 reactions=1, voice_ms=600_000, threads_created=1, joined=1, left=0)
    ]  # fmt: skip


async def test_a_channel_that_is_gone_keeps_what_was_counted(told: World) -> None:
    await told.tell("20:00", message("amy", GENERAL), place_closed(GENERAL), "20:20")

    (channel,) = await ask(told, "channel.list", channel="200")
    assert channel.messages == 1
    assert await told.rows("SELECT COUNT(*) FROM places WHERE closed_at > 0") == [(1,)]
