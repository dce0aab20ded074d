"""The stand-in's REST answers, refuses, limits and fails as the real one, under the real discord.py."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime

import discord
import pytest

from .discord import HandClock, Overwrite, Permission, Settings, StandIn
from .discord.intents import Intent
from .discord.settings import ALL_INTENTS
from .discord.world import Channel, Guild
from .discord_client import Listener, listening, standing

START = 1_741_000_000_000
MESSAGES = "GET /channels/{channel_id}/messages"


def text(client: Listener, channel: Channel) -> discord.TextChannel:
    """As discord.py knows it."""
    known = client.get_channel(channel.id)
    assert isinstance(known, discord.TextChannel)
    return known


def house(client: Listener, guild: Guild) -> discord.Guild:
    """As discord.py knows it."""
    known = client.get_guild(guild.id)
    assert known is not None
    return known


async def test_a_history_is_read_page_by_page_in_either_direction() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        amy = site.user("amy")
        told = site.history(general, [(START + number * 1000, amy, f"{number}") for number in range(250)])
        async with listening(site) as client:
            channel = text(client, general)
            back = [one.content async for one in channel.history(limit=None)]
            forth = [one.content async for one in channel.history(limit=None, oldest_first=True)]
            some = [one.content async for one in channel.history(limit=None, before=told[120], after=told[117])]
        numbers = [str(number) for number in range(250)]
        assert (back, forth, some) == (numbers[::-1], numbers, ["118", "119"])
        assert [one.query.get("limit") for one in site.rest.of(MESSAGES)][:4] == ["100", "100", "100", "100"]


async def test_history_needs_two_permissions() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        async with listening(site) as client:
            channel = text(client, general)
            for denied in (Permission.READ_MESSAGE_HISTORY, Permission.VIEW_CHANNEL):
                site.building.change_channel(general, overwrites=[Overwrite(cinema.id, deny=int(denied))])
                with pytest.raises(discord.Forbidden) as refused:
                    [one async for one in channel.history()]
                assert refused.value.code == 50001


async def test_history_without_the_permission_may_be_empty_instead() -> None:
    async with standing(Settings(hidden_history_is_empty=True)) as site:
        cinema = site.guild("cinema")
        no = Overwrite(cinema.id, deny=int(Permission.READ_MESSAGE_HISTORY))
        general = site.channel(cinema, "general", overwrites=[no])
        site.history(general, [(START, site.owner, "before")])
        async with listening(site) as client:
            assert [one async for one in text(client, general).history()] == []


async def test_history_without_message_content_has_none() -> None:
    async with standing(Settings(granted=ALL_INTENTS & ~Intent.MESSAGE_CONTENT)) as site:
        general = site.channel(site.guild("cinema"), "general")
        site.history(general, [(START, site.owner, "before")])
        async with listening(site, intents=discord.Intents.default()) as client:
            assert [one.content async for one in text(client, general).history()] == [""]


async def test_messages_are_sent_edited_and_deleted() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            embed = discord.Embed(title="t", timestamp=datetime(2025, 3, 3, tzinfo=UTC)).add_field(name="a", value="b")
            file = discord.File(io.BytesIO(b"png"), "chart.png", description="a chart")
            said = await text(client, general).send("hi", embed=embed, file=file)
            await said.edit(content="better", attachments=[])
            assert (await text(client, general).fetch_message(said.id)).content == "better"
            await said.delete()
            with pytest.raises(discord.NotFound):
                await text(client, general).fetch_message(said.id)
            names = [name for name, _ in client.raw if name.startswith("MESSAGE")]
        assert names == ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]
        assert list(site.uploads.values()) == [b"png"]


async def test_mentions_are_only_those_allowed() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy = site.user("amy")
        site.enrol(cinema, amy)
        async with listening(site, allowed_mentions=discord.AllowedMentions.none()) as client:
            await text(client, general).send(f"{amy.mention}")
            await text(client, general).send(f"{amy.mention}", allowed_mentions=discord.AllowedMentions.all())
            told = await client.dispatched("MESSAGE_CREATE", 2)
        assert [[user["username"] for user in one["mentions"]] for one in told] == [[], ["amy"]]


async def test_a_repeated_post_with_the_same_nonce_is_one_message() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            first = await text(client, general).send("once", nonce="n1")
            again = await text(client, general).send("once", nonce="n1")
        assert (first.id, len(general.messages)) == (again.id, 1)


@pytest.mark.parametrize(("content", "code"), [("", 50006), ("x" * 2001, 50035)])
async def test_what_cannot_be_posted_is_refused(content: str, code: int) -> None:
    async with StandIn() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            with pytest.raises(discord.HTTPException) as refused:
                await text(client, general).send(content)
        assert (refused.value.status, refused.value.code) == (400, code)


async def test_roles_and_kicks_obey_the_hierarchy_and_carry_a_reason() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        quiet = site.role(cinema, "quiet")
        high = site.role(cinema, "admins", position=50)
        amy = site.user("amy")
        site.enrol(cinema, amy)
        async with listening(site) as client:
            member = house(client, cinema).get_member(amy.id)
            assert member is not None
            await member.add_roles(discord.Object(quiet.id), reason="inactive for 30 days")
            with pytest.raises(discord.Forbidden) as refused:
                await member.add_roles(discord.Object(high.id))
            await member.remove_roles(discord.Object(quiet.id))
            await member.kick(reason="gone quiet")
            with pytest.raises(discord.Forbidden):
                await house(client, cinema).kick(discord.Object(site.owner.id))
        assert refused.value.code == 50013
        deeds = [(deed.what, deed["reason"]) for deed in site.record.of("role_given", "role_taken", "kicked")]
        assert deeds == [("role_given", "inactive for 30 days"), ("role_taken", None), ("kicked", "gone quiet")]


async def test_guilds_members_and_counts_are_looked_up() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        people = site.populate(cinema, 5)
        await people[0].presence("online")
        async with listening(site) as client:
            fetched = await client.fetch_guild(cinema.id, with_counts=True)
            members = [one.name async for one in house(client, cinema).fetch_members(limit=None)]
            one = await house(client, cinema).fetch_member(people[2].id)
            with pytest.raises(discord.NotFound):
                await house(client, cinema).fetch_member(42)
            found = await client.http.request(
                discord.http.Route("GET", "/guilds/{guild_id}/members/search", guild_id=cinema.id),
                params={"query": "member3", "limit": 5},
            )
            start = await client.http.get_bot_gateway()
        assert (fetched.approximate_member_count, fetched.approximate_presence_count) == (7, 1)
        assert sorted(members) == sorted([site.me.name, "developer", *(f"member{number}" for number in range(5))])
        assert (one.name, start[0], [each["user"]["username"] for each in found]) == ("member2", 1, ["member3"])


async def test_direct_messages_reach_those_who_accept_them() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        bob.user.accepts_dms = False
        async with listening(site) as client:
            said = await (await client.fetch_user(amy.id)).send("psst")
            with pytest.raises(discord.Forbidden) as refused:
                await (await client.fetch_user(bob.id)).send("psst")
        assert (said.guild, refused.value.code) == (None, 50007)


async def test_reactions_are_listed_added_and_taken_away() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        people = site.populate(cinema, 3)
        said = await people[0].say(general, "vote")
        for one in people:
            await one.react(said, "👍")
        async with listening(site) as client:
            message = await text(client, general).fetch_message(said.id)
            assert {user.name async for user in message.reactions[0].users()} == {"member0", "member1", "member2"}
            await message.add_reaction("👀")
            await message.remove_reaction("👀", discord.Object(site.me.id))
            await message.remove_reaction("👍", discord.Object(people[1].id))
            await message.clear_reactions()
            await client.dispatched("MESSAGE_REACTION_REMOVE_ALL")
        assert said.reactions == {}


async def test_archived_threads_are_listed_newest_first() -> None:
    clock = HandClock(START)
    async with standing(Settings(clock=clock)) as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        for number in range(5):
            clock.advance(minutes=1)
            thread = await site.owner.thread(general, f"thread {number}")
            await site.owner.archive(thread, archived=number != 3)
        secret = await site.owner.thread(general, "secret", private=True)
        site.threads.join(secret, site.me)
        await site.owner.archive(secret)
        async with listening(site) as client:
            channel = text(client, general)
            public = [one.name async for one in channel.archived_threads(limit=None)]
            joined = [one.name async for one in channel.archived_threads(private=True, joined=True, limit=None)]
            active = [one.name for one in await house(client, cinema).active_threads()]
            page = await client.http.get_public_archived_threads(general.id, limit=2)
        assert public == ["thread 4", "thread 2", "thread 1", "thread 0"]
        assert (joined, active) == (["secret"], ["thread 3"])
        assert ([one["name"] for one in page["threads"]], page["has_more"]) == (["thread 4", "thread 2"], True)


async def test_a_limited_route_is_paced_by_its_headers() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        site.history(general, [(START + number, site.owner, f"{number}") for number in range(350)])
        site.limit(MESSAGES, 2, 0.15)
        async with listening(site) as client:
            told = [one async for one in text(client, general).history(limit=None)]
        assert len(told) == 350
        assert {one.status for one in site.rest.of(MESSAGES)} == {200}


async def test_too_many_requests_are_refused_and_served_later() -> None:
    async with standing(Settings(global_rate=5)) as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            await asyncio.gather(*(text(client, general).send(f"{number}") for number in range(6)))
        assert sorted(one["text"] for one in site.record.of("message")) == [str(number) for number in range(6)]
        assert 429 in {one.status for one in site.rest.of("POST /channels/{channel_id}/messages")}


@pytest.mark.parametrize("status", [429, 502])
async def test_an_injected_failure_is_retried_by_discord_py(status: int) -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            site.faults.fail("POST /channels/{channel_id}/messages", status)
            await text(client, general).send("at last")
        statuses = [one.status for one in site.rest.of("POST /channels/{channel_id}/messages")]
        assert (statuses, len(general.messages)) == ([status, 200], 1)


async def test_failures_that_discord_py_does_not_retry() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            site.faults.fail("POST /channels/{channel_id}/messages", 503)
            with pytest.raises(discord.DiscordServerError):
                await text(client, general).send("no")
            site.faults.fail("*", 429, html=True)
            with pytest.raises(discord.HTTPException):
                await text(client, general).send("no")
            site.faults.fail("POST /channels/{channel_id}/messages", hangs=True)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(text(client, general).send("no"), 0.2)
            site.faults.late("POST /channels/{channel_id}/messages", 0.1)
            await text(client, general).send("yes")
        assert [one["text"] for one in site.record.of("message")] == ["yes"]


async def test_a_route_that_the_stand_in_does_not_serve_is_a_violation() -> None:
    async with StandIn() as site:
        cinema = site.guild("cinema")
        async with listening(site) as client:
            with pytest.raises(discord.NotFound):
                await house(client, cinema).invites()
        assert site.violations == [
            f"GET /api/v10/guilds/{cinema.id}/invites: the stand-in serves no such route",
        ]
