"""Voice, presence, membership and intents in the stand-in Discord, as the real discord.py hears of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord
import pytest

from .discord import HandClock, Impossible, Overwrite, Permission, Settings, activities
from .discord_client import listening, standing

START = 1_741_000_000_000


async def test_a_thousand_voice_moves_in_one_write_arrive_in_order() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        rooms = [site.channel(cinema, name, "voice") for name in ("a", "b")]
        amy = site.user("amy")
        site.enrol(cinema, amy)
        async with listening(site) as client:
            with site.burst():
                for number in range(1000):
                    await amy.join_voice(rooms[number % 2])
                await amy.leave_voice()
            told = await client.dispatched("VOICE_STATE_UPDATE", 1001)
        assert [one["channel_id"] for one in told] == [str(room.id) for room in rooms] * 500 + [None]
        moved = [(deed["from"], deed["to"]) for deed in site.record.of("voice")]
        assert moved[:2] == [(None, rooms[0].id), (rooms[0].id, rooms[1].id)]
        assert moved[-1] == (rooms[1].id, None)


async def test_voice_says_who_is_muted_deafened_streaming_or_on_a_stage() -> None:
    async with standing() as site:
        cinema, theatre = site.guild("cinema"), site.guild("theatre")
        lounge, stage = site.channel(cinema, "lounge", "voice"), site.channel(theatre, "stage", "stage")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        site.enrol(theatre, amy)
        async with listening(site) as client:
            await amy.join_voice(lounge)
            await amy.change_voice(self_mute=True, self_deaf=True)
            await amy.change_voice(stream=True, video=True)
            await site.owner.server_mute(cinema, amy, muted=True)
            await amy.join_voice(stage)
            await amy.change_voice(suppress=False)
            told = await client.dispatched("VOICE_STATE_UPDATE", 7)
        flags = ("guild_id", "channel_id", "self_mute", "self_deaf", "self_stream", "self_video", "mute", "suppress")
        here, there = (str(cinema.id), str(lounge.id)), (str(theatre.id), str(stage.id))
        assert [tuple(one.get(flag) for flag in flags) for one in told] == [
            (*here, False, False, None, False, False, False),
            (*here, True, True, None, False, False, False),
            (*here, True, True, True, True, False, False),
            (*here, True, True, True, True, True, False),
            (str(cinema.id), None, True, True, True, True, True, False),
            (*there, False, False, None, False, False, True),
            (*there, False, False, None, False, False, False),
        ]


async def test_a_presence_is_told_once_per_mutual_guild_and_invisible_is_offline() -> None:
    async with standing() as site:
        cinema, theatre = site.guild("cinema"), site.guild("theatre")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        site.enrol(theatre, amy)
        async with listening(site) as client:
            await amy.presence("dnd", activities.custom("busy"), clients={"mobile": "dnd"})
            await amy.presence("invisible")
            told = await client.dispatched("PRESENCE_UPDATE", 4)
        shown = [(one["guild_id"], one["status"], one["client_status"], len(one["activities"])) for one in told]
        assert shown == [
            (str(cinema.id), "dnd", {"mobile": "dnd"}, 1),
            (str(theatre.id), "dnd", {"mobile": "dnd"}, 1),
            (str(cinema.id), "offline", {}, 0),
            (str(theatre.id), "offline", {}, 0),
        ]
        assert {tuple(one["user"]) for one in told} == {("id",)}


async def test_members_come_go_are_renamed_and_get_roles() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        vip = site.role(cinema, "vip")
        amy, boss = site.user("amy"), site.owner
        async with listening(site) as client:
            await amy.join(cinema)
            await amy.nick(cinema, "Ames")
            await amy.rename(global_name="Amy")
            await boss.give_role(cinema, amy, vip)
            await boss.take_role(cinema, amy, vip)
            await boss.kick(cinema, amy)
            await amy.join(cinema)
            await boss.ban(cinema, amy)
            removed = await client.dispatched("GUILD_MEMBER_REMOVE", 2)
        changes = [(one["nick"], one["user"]["global_name"], one["roles"]) for one in client.all("GUILD_MEMBER_UPDATE")]
        assert changes == [("Ames", None, []), ("Ames", "Amy", []), ("Ames", "Amy", [str(vip.id)]), ("Ames", "Amy", [])]
        assert [one["user"]["id"] for one in removed] == [str(amy.id)] * 2
        assert len(client.all("GUILD_BAN_ADD")) == 1
        with pytest.raises(Impossible):
            await amy.join(cinema)
        deeds = [deed.what for deed in site.record.of(who=amy.id)]
        assert deeds == ["joined", "nick", "renamed", "role_given", "role_taken", "kicked", "joined", "banned"]


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ("members", {"GUILD_MEMBER_ADD", "THREAD_MEMBERS_UPDATE"}),
        ("presences", {"PRESENCE_UPDATE"}),
        ("voice_states", {"VOICE_STATE_UPDATE"}),
        ("guild_reactions", {"MESSAGE_REACTION_ADD"}),
        ("guild_messages", {"MESSAGE_CREATE"}),
    ],
)
async def test_what_no_intent_was_asked_for_is_not_told(missing: str, lost: set[str]) -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general, lounge = site.channel(cinema, "general"), site.channel(cinema, "lounge", "voice")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, bob)
        intents = discord.Intents.all()
        setattr(intents, missing, False)
        async with listening(site, intents=intents) as client:
            await amy.join(cinema)
            thread = await bob.thread(general, "plans")
            said = await amy.say(thread, "hi")
            await bob.react(said, "👍")
            await amy.join_voice(lounge)
            await amy.presence("online")
            site.building.change_guild(cinema, name="end")
            await client.dispatched("GUILD_UPDATE")
        everything = {
            *("GUILD_MEMBER_ADD", "THREAD_MEMBERS_UPDATE", "PRESENCE_UPDATE", "VOICE_STATE_UPDATE"),
            *("MESSAGE_REACTION_ADD", "MESSAGE_CREATE"),
        }
        assert everything - {name for name, _ in client.raw} == lost


@pytest.mark.parametrize(
    "attempt",
    [
        lambda site, amy, there: amy.say(there["staff"], "hi"),
        lambda site, amy, there: amy.say(there["voiceless"], "hi"),
        lambda site, amy, there: amy.say(there["general"], ""),
        lambda site, amy, there: amy.join_voice(there["general"]),
        lambda site, amy, there: amy.leave_voice(),
        lambda site, amy, there: amy.edit(there["said"], "mine now"),
        lambda site, amy, there: amy.delete(there["said"]),
        lambda site, amy, there: amy.kick(there["cinema"], site.owner),
        lambda site, amy, there: amy.slash(there["general"], "stats"),
        lambda site, amy, there: site.user("stranger").say(there["general"], "hi"),
    ],
)
async def test_actors_cannot_do_what_a_client_would_not_let_them(attempt: Callable[..., Any]) -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        there: dict[str, Any] = {
            "cinema": cinema,
            "general": site.channel(cinema, "general"),
            "voiceless": site.channel(cinema, "rooms", "category"),
            "staff": site.channel(
                cinema, "staff", overwrites=[Overwrite(cinema.id, deny=int(Permission.VIEW_CHANNEL))]
            ),
        }
        there["said"] = await site.owner.say(there["general"], "mine")
        with pytest.raises(Impossible):
            await attempt(site, amy, there)


async def test_guild_create_without_presences_shows_the_bot_and_who_is_in_voice() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        lounge = site.channel(cinema, "lounge", "voice")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        await amy.join_voice(lounge)
        intents = discord.Intents.all()
        intents.presences = False
        async with listening(site, intents=intents, chunk_guilds_at_startup=False) as client:
            told = client.all("GUILD_CREATE")[0]
        assert [one["user"]["username"] for one in told["members"]] == [site.me.name, "amy"]
        assert (told["presences"], told["member_count"]) == ([], 4)


async def test_the_bots_own_name_roles_and_thread_settings_are_told_without_any_privilege() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        vip = site.role(cinema, "vip")
        async with listening(site, intents=discord.Intents.default()) as client:
            site.membership.rename(site.me, name="countbot", global_name=None)
            await site.owner.give_role(cinema, site.bot, vip)
            thread = await site.owner.thread(general, "plans")
            await site.owner.add_to_thread(thread, site.bot)
            site.threads.own_settings(thread)
            await client.dispatched("THREAD_MEMBER_UPDATE")
        own = ("USER_UPDATE", "GUILD_MEMBER_UPDATE", "THREAD_MEMBERS_UPDATE", "THREAD_MEMBER_UPDATE")
        assert [name for name, _ in client.raw if name in own] == [own[0], own[1], own[1], own[2], own[3]]


async def test_the_record_knows_who_was_when_in_voice() -> None:
    clock = HandClock(START)
    async with standing(Settings(clock=clock)) as site:
        cinema = site.guild("cinema")
        lounge, balcony = (site.channel(cinema, name, "voice") for name in ("lounge", "balcony"))
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        await amy.join_voice(lounge)
        clock.advance(minutes=1)
        await bob.join_voice(lounge)
        await amy.change_voice(self_mute=True)
        clock.advance(minutes=2)
        await amy.join_voice(balcony)
        clock.advance(minutes=4)
        await amy.leave_voice()
        spans = sorted(site.record.voice_spans(clock.now))
        shown = [(one.who, one.channel, (one.ended - one.began) // 60_000, one.facts["self_mute"]) for one in spans]
        assert shown == [
            (amy.id, lounge.id, 1, False),
            (amy.id, lounge.id, 2, True),
            (amy.id, balcony.id, 4, True),
            (bob.id, lounge.id, 6, False),
        ]


async def test_bursts_of_presences_keep_what_each_said() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        people = site.populate(cinema, 1000)
        async with listening(site, chunk_guilds_at_startup=False) as client:
            with site.burst():
                for number, one in enumerate(people):
                    await one.presence(("online", "idle", "dnd")[number % 3])
            told = await client.dispatched("PRESENCE_UPDATE", 1000)
        wanted = [(str(one.id), ("online", "idle", "dnd")[number % 3]) for number, one in enumerate(people)]
        assert [(one["user"]["id"], one["status"]) for one in told] == wanted
