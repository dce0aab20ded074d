"""Messages, threads and guilds of the stand-in Discord reach the real discord.py as they should."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from .discord import HandClock, Impossible, Intent, Overwrite, Permission, Settings, StandIn, activities
from .discord.settings import Json
from .discord_client import listening, standing

START = 1_741_000_000_000


def keys(data: Json, *names: str) -> dict[str, Any]:
    """Some fields of a payload."""
    return {name: data.get(name) for name in names}


async def test_a_client_logs_in_and_sees_the_guilds() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        lounge = site.channel(cinema, "lounge", "voice")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        await amy.presence("idle", activities.playing("Chess"))
        await amy.join_voice(lounge, self_mute=True)
        async with listening(site) as client:
            guild = client.get_guild(cinema.id)
            assert guild is not None
            assert (guild.name, guild.member_count) == ("cinema", 3)
            assert {channel.id: channel.name for channel in guild.channels} == {
                general.id: "general",
                lounge.id: "lounge",
            }
            member = guild.get_member(amy.id)
            assert member is not None
            assert (str(member.status), member.activity.name if member.activity else None) == ("idle", "Chess")
            assert member.voice is not None
            assert (member.voice.channel.id if member.voice.channel else 0, member.voice.self_mute) == (lounge.id, True)
            assert client.application is not None
            assert client.application.flags.gateway_presence_limited


async def test_messages_arrive_with_their_parts() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        async with listening(site) as client:
            first = await amy.say(general, "hi", files=["a.png", ("b.ogg", 10, "audio/ogg")], stickers=["wave"])
            await bob.say(general, f"hello {amy.mention}", reply_to=first, ping=False)
            poll = {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "yes"}}]}
            await bob.say(general, "", poll=poll)
            told = await client.dispatched("MESSAGE_CREATE", 3)
        assert [keys(one, "content", "type", "guild_id", "channel_id") for one in told] == [
            {"content": "hi", "type": 0, "guild_id": str(cinema.id), "channel_id": str(general.id)},
            {"content": f"hello {amy.mention}", "type": 19, "guild_id": str(cinema.id), "channel_id": str(general.id)},
            {"content": "", "type": 0, "guild_id": str(cinema.id), "channel_id": str(general.id)},
        ]
        assert [file["filename"] for file in told[0]["attachments"]] == ["a.png", "b.ogg"]
        assert [sticker["name"] for sticker in told[0]["sticker_items"]] == ["wave"]
        assert told[1]["referenced_message"]["id"] == str(first.id)
        assert [user["username"] for user in told[1]["mentions"]] == ["amy"]
        assert told[2]["poll"]["question"] == {"text": "?"}
        assert [
            keys(deed.facts, "text", "reply_to", "attachments", "stickers") for deed in site.record.of("message")
        ] == [
            {"text": "hi", "reply_to": None, "attachments": 2, "stickers": 1},
            {"text": f"hello {amy.mention}", "reply_to": amy.id, "attachments": 0, "stickers": 0},
            {"text": "", "reply_to": None, "attachments": 0, "stickers": 0},
        ]


async def test_bots_webhooks_system_messages_and_automod_can_be_told_apart() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        site.building.change_guild(cinema, system_channel=general)
        amy, robot = site.user("amy"), site.user("robot", bot=True)
        site.enrol(cinema, robot)
        async with listening(site) as client:
            await amy.join(cinema)
            await robot.say(general, "beep")
            site.webhook(general, "feed", "news")
            site.automod_alert(general, amy, "something rude")
            told = await client.dispatched("MESSAGE_CREATE", 4)
        shown = [
            (one["type"], one["author"]["username"], one["author"].get("bot"), "webhook_id" in one) for one in told
        ]
        assert shown == [
            (7, "amy", None, False),
            (0, "robot", True, False),
            (0, "feed", True, True),
            (24, "amy", None, False),
        ]


async def test_edits_unfurled_links_and_deletions() -> None:
    clock = HandClock(START)
    async with standing(Settings(clock=clock)) as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        async with listening(site) as client:
            said = [await amy.say(general, f"line {number}") for number in range(4)]
            site.unfurl(said[0])
            clock.advance(seconds=5)
            await amy.edit(said[1], "better")
            await amy.delete(said[0])
            await site.owner.purge(general, said[1:3])
            updates = await client.dispatched("MESSAGE_UPDATE", 2)
            bulk = await client.dispatched("MESSAGE_DELETE_BULK")
        assert [(one["content"], one["edited_timestamp"], len(one["embeds"])) for one in updates] == [
            ("line 0", None, 1),
            ("better", "2025-03-03T11:06:45.000000+00:00", 0),
        ]
        where = {"channel_id": str(general.id), "guild_id": str(cinema.id)}
        assert client.all("MESSAGE_DELETE") == [{"id": str(said[0].id), **where}]
        assert bulk == [{"ids": [str(said[1].id), str(said[2].id)], **where}]
        assert list(general.messages) == [said[3].id]


async def test_reactions_come_go_and_are_cleared() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        async with listening(site) as client:
            said = await amy.say(general, "hi")
            for emoji in ("👍", "kek:123"):
                await bob.react(said, emoji)
            await amy.react(said, "👍", burst=True)
            await bob.unreact(said, "👍")
            await site.owner.clear_reactions(said, "👍")
            await site.owner.clear_reactions(said)
            await client.dispatched("MESSAGE_REACTION_REMOVE_ALL")
        added = [(one["user_id"], one["emoji"], one["burst"]) for one in client.all("MESSAGE_REACTION_ADD")]
        thumb = {"id": None, "name": "👍"}
        assert added == [
            (str(bob.id), thumb, False),
            (str(bob.id), {"id": "123", "name": "kek"}, False),
            (str(amy.id), thumb, True),
        ]
        assert [one["user_id"] for one in client.all("MESSAGE_REACTION_REMOVE")] == [str(bob.id)]
        assert [one["emoji"] for one in client.all("MESSAGE_REACTION_REMOVE_EMOJI")] == [thumb]
        assert [deed["gone"] for deed in site.record.of("reactions_cleared")] == [
            {"👍": [amy.id]},
            {"kek:123": [bob.id]},
        ]


async def test_threads_are_created_joined_spoken_in_archived_and_deleted() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general, forum = site.channel(cinema, "general"), site.channel(cinema, "help", "forum")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        async with listening(site) as client:
            said = await amy.say(general, "who is in?")
            thread = await amy.thread(general, "plans", message=said)
            await bob.say(thread, "me")
            await amy.archive(thread)
            await bob.say(thread, "still me")
            loose = await bob.thread(general, "loose")
            post = await amy.thread(forum, "how?", text="tell me")
            await site.owner.delete_thread(loose)
            await client.dispatched("THREAD_DELETE")
        assert thread.id == said.id
        created = [(one["id"], one["newly_created"], one["parent_id"]) for one in client.all("THREAD_CREATE")]
        assert created == [
            (str(thread.id), True, str(general.id)),
            (str(loose.id), True, str(general.id)),
            (str(post.id), True, str(forum.id)),
        ]
        updates = [one["thread_metadata"]["archived"] for one in client.all("THREAD_UPDATE")]
        assert updates == [True, False]
        joined = [one["added_members"][0]["user_id"] for one in client.all("THREAD_MEMBERS_UPDATE")]
        assert joined == [str(bob.id)]
        told = [(one["type"], one["channel_id"], one["content"]) for one in client.all("MESSAGE_CREATE")]
        assert told == [
            (0, str(general.id), "who is in?"),
            (21, str(thread.id), ""),
            (0, str(thread.id), "me"),
            (0, str(thread.id), "still me"),
            (18, str(general.id), "loose"),
            (0, str(post.id), "tell me"),
        ]
        assert client.all("MESSAGE_CREATE")[-1]["id"] == str(post.id)


async def test_private_threads_and_hidden_channels_are_unseen_until_the_bot_gets_in() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        everyone = Overwrite(cinema.id, deny=int(Permission.VIEW_CHANNEL))
        amy = site.user("amy")
        staff = site.channel(cinema, "staff", overwrites=[everyone, Overwrite(amy.id, allow=1 << 10, member=True)])
        general = site.channel(cinema, "general")
        site.enrol(cinema, amy)
        async with listening(site) as client:
            await amy.say(staff, "hush")
            inner = await amy.thread(staff, "inner")
            secret = await amy.thread(general, "secret", private=True)
            await amy.say(secret, "hush")
            await amy.say(general, "loud")
            site.threads.join(secret, site.me)
            await amy.say(secret, "welcome")
            site.building.change_channel(staff, overwrites=[])
            await amy.say(staff, "open now")
            told = await client.dispatched("MESSAGE_CREATE", 3)
        assert [one["content"] for one in told] == ["loud", "welcome", "open now"]
        assert [(one["id"], "newly_created" in one) for one in client.all("THREAD_CREATE")] == [(str(secret.id), False)]
        synced = client.all("THREAD_LIST_SYNC")
        assert [(one["channel_ids"], [each["id"] for each in one["threads"]]) for one in synced] == [
            ([str(staff.id)], [str(inner.id)])
        ]


async def test_channels_roles_and_guilds_change() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        async with listening(site) as client:
            lounge = site.channel(cinema, "lounge", "voice")
            site.building.change_channel(lounge, name="salon")
            amy = site.user("amy")
            site.enrol(cinema, amy)
            await amy.join_voice(lounge)
            site.building.delete_channel(lounge)
            vip = site.role(cinema, "vip")
            site.building.change_role(cinema, vip, name="guests")
            site.building.delete_role(cinema, vip)
            site.building.change_guild(cinema, name="kino")
            second = site.guild("second")
            site.membership.leave(second, site.me)
            await client.dispatched("GUILD_DELETE")
        wanted = [name for name, _ in client.raw if name.startswith(("CHANNEL", "GUILD_", "VOICE"))]
        assert wanted == [
            *("GUILD_CREATE", "CHANNEL_CREATE", "CHANNEL_UPDATE", "VOICE_STATE_UPDATE", "VOICE_STATE_UPDATE"),
            *("CHANNEL_DELETE", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE", "GUILD_UPDATE"),
            *("GUILD_CREATE", "GUILD_DELETE"),
        ]


async def test_a_direct_message_comes_without_a_guild() -> None:
    async with standing() as site:
        site.guild("cinema")
        async with listening(site, intents=discord.Intents.default()) as client:
            await site.user("amy").dm("psst")
            message = await client.until("message")
        assert (message.guild, message.content, message.author.name) == (None, "psst", "amy")


async def test_without_message_content_only_own_direct_and_mentioning_messages_have_any() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        intents = discord.Intents.all()
        intents.message_content = False
        async with listening(site, intents=intents) as client:
            said = await amy.say(general, "nobody reads this", files=["a.png"])
            await amy.say(general, f"{site.me.mention} read", reply_to=said)
            channel = client.get_channel(general.id)
            assert isinstance(channel, discord.TextChannel)
            await channel.send("mine")
            await amy.dm("direct")
            told = await client.dispatched("MESSAGE_CREATE", 4)
        assert [(one["content"], len(one["attachments"])) for one in told] == [
            ("", 0),
            (f"{site.me.mention} read", 0),
            ("mine", 0),
            ("direct", 0),
        ]
        assert told[1]["referenced_message"]["content"] == ""


async def test_time_is_the_tests() -> None:
    clock = HandClock(START)
    async with standing(Settings(clock=clock)) as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        async with listening(site) as client:
            await amy.say(general, "early")
            clock.advance(hours=2)
            await amy.say(general, "late")
            late = await client.until("message", lambda message: message.content == "late")
        assert [deed.at for deed in site.record.of("message")] == [START, START + 7_200_000]
        assert round(late.created_at.timestamp() * 1000) == START + 7_200_000
        assert discord.utils.snowflake_time(late.id) == late.created_at


async def test_nothing_of_a_guild_that_is_down_is_told() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general, lounge = site.channel(cinema, "general"), site.channel(cinema, "lounge", "voice")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        await amy.join_voice(lounge)
        await bob.join_voice(lounge)
        async with listening(site) as client:
            site.building.outage(cinema)
            with pytest.raises(Impossible):
                await amy.say(general, "anybody?")
            site.voice.vanish(cinema, amy.user)
            site.building.outage_over(cinema)
            await client.dispatched("GUILD_CREATE", 2)
        assert client.all("GUILD_DELETE") == [{"id": str(cinema.id), "unavailable": True}]
        assert [[one["user_id"] for one in told["voice_states"]] for told in client.all("GUILD_CREATE")] == [
            [str(amy.id), str(bob.id)],
            [str(bob.id)],
        ]
        assert client.all("VOICE_STATE_UPDATE") == []


async def test_the_site_works_without_being_judged() -> None:
    async with StandIn(Settings(judged=False)) as site, listening(site) as client:
        await site.user("amy").dm("psst")
        assert (await client.until("message")).content == "psst"
        await asyncio.sleep(0)
    assert site.settings.granted & Intent.MESSAGE_CONTENT
