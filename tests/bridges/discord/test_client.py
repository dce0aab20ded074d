"""Through discord.py as it is, with a stand-in as Discord: what happens is told, once, as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest_asyncio

from tests.bridges.cytube.watching import Watching
from tests.stand_ins.discord import Actor, Channel, Guild, Settings, StandIn, activities

from .watching import counts, of_guild, opened, shard_of, watching, whole


class Scene(NamedTuple):
    """A guild with some people, and the bridge that watches it."""

    site: StandIn
    guild: Guild
    general: Channel
    lounge: Channel
    attic: Channel
    amy: Actor
    bob: Actor
    seen: Watching


@pytest_asyncio.fixture
async def scene() -> AsyncIterator[Scene]:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        guild = site.guild("cinema")
        general = site.channel(guild, "general")
        lounge, attic = site.channel(guild, "lounge", "voice"), site.channel(guild, "attic", "voice")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(guild, amy, bob)
        async with watching(shard_of(site)) as seen:
            await seen.until(lambda: seen.of("PresencesSeen"))
            yield Scene(site, guild, general, lounge, attic, amy, bob, seen)
        assert (site.violations, site.unknown) == ([], [])


def said(seen: Watching) -> list[dict[str, Any]]:
    return [event for event in seen.told if event["kind"] == "MessageSent"]


async def test_an_evening_of_chat_is_told_as_it_happened(scene: Scene) -> None:
    site, _, general, _, _, amy, bob, seen = scene
    hi = await amy.say(general, f"hi {bob.mention}++ <:kappa:77>", files=["a.png"])
    await bob.say(general, "hello 😂", reply_to=hi)
    await bob.react(hi, "👍")
    await bob.unreact(hi, "👍")
    await amy.react(hi, "❤️")
    await amy.edit(hi, "hi all")
    site.webhook(general, "feed", "news")
    site.automod_alert(general, amy, "rude")
    await amy.delete(hi)
    await amy.dm("psst to you")
    await seen.until(lambda: seen.of("PrivateMessageSent"))

    assert said(seen) == [
        {"kind": "MessageSent", "at": hi.at, "author": str(amy.id), "characters": 17, "words": 3, "emotes": [":kappa:"],
         "mentions": [str(bob.id)], "thanks": [{"who": "the name bob", "token": "++"}], "files": 1},
        {"kind": "MessageSent", "at": said(seen)[1]["at"], "author": str(bob.id), "characters": 7, "words": 2,
         "emotes": ["😂"], "reply_to": str(amy.id)},
        {"kind": "MessageSent", "at": said(seen)[2]["at"], "author": said(seen)[2]["author"], "by": "webhook",
         "characters": 4, "words": 1},
        {"kind": "MessageSent", "at": said(seen)[3]["at"], "author": str(amy.id), "by": "system", "embeds": 1},
    ]  # fmt: skip
    assert [(event["person"], event["emote"], event.get("cleared")) for event in seen.of("ReactionRemoved")] == [
        (str(bob.id), "👍", None), (str(amy.id), "❤️", True),
    ]  # fmt: skip
    assert [event["author"] for event in seen.of("MessageEdited")] == [str(amy.id)]
    assert [(event["characters"], event["sent"]) for event in seen.of("MessageDeleted")] == [(17, hi.at)]
    assert [(event["author"], event["words"]) for event in seen.of("PrivateMessageSent")] == [(str(amy.id), 3)]
    assert seen.of("EventRefused") == []


async def test_g04_a_burst_is_told_with_the_state_that_each_event_carried(scene: Scene) -> None:
    site, _, _, lounge, attic, amy, bob, seen = scene
    statuses = [("online", "idle", "dnd")[n % 3] for n in range(1000)]
    rooms = [(lounge, attic)[n % 2] for n in range(1000)]
    with site.burst():
        for status, room in zip(statuses, rooms, strict=True):
            await amy.presence(status)
            await bob.join_voice(room)
    await seen.until(lambda: counts(seen.events)["VoiceMoved"] == 1000, within=20)

    changes = [event["presence"]["status"] for event in seen.of("PresenceChanged")]
    moves = seen.of("VoiceMoved")
    assert changes == statuses
    assert [event["now"]["channel"] for event in moves] == [str(room.id) for room in rooms]
    assert [event.get("before", "") for event in moves] == ["", *(str(room.id) for room in rooms[:-1])]


async def test_a_malformed_dispatch_is_counted_dropped_and_survived(scene: Scene) -> None:
    site, _, general, _, _, amy, _, seen = scene
    site.faults.dispatch("MESSAGE_CREATE", {"broken": "secret words"})
    site.faults.dispatch("GUILD_ROLE_CREATE", {"broken": "secret words"})
    site.faults.dispatch("GUILD_MEMBER_ADD", {"guild_id": "secret words"})
    site.faults.dispatch("SOMETHING_NEW", {"broken": "secret words"})
    await amy.say(general, "still here")
    await seen.until(lambda: said(seen))

    refused = [(event["refused"], event["reason"]) for event in seen.of("EventRefused")]
    assert refused == [
        ("MESSAGE_CREATE", "type"), ("GUILD_ROLE_CREATE", "malformed"), ("GUILD_MEMBER_ADD", "malformed"),
    ]  # fmt: skip
    assert "secret" not in str(seen.events)


async def test_a_resumed_connection_misses_nothing_and_goes_on_under_the_same_watch(scene: Scene) -> None:
    site, guild, general, lounge, _, amy, bob, seen = scene
    before = opened(seen)
    await amy.join_voice(lounge)
    site.faults.abort()
    await bob.say(general, "said while nobody listened")
    await amy.leave_voice()
    site.faults.reconnect()
    await seen.until(lambda: said(seen) and counts(seen.events)["VoiceMoved"] == 2)

    assert opened(seen) == before == [("+/", "w1.1"), (f"+{guild.id}/", "w1.2")]


async def test_g02_g03_after_a_lost_session_everything_is_opened_anew_with_what_is_there(scene: Scene) -> None:
    site, guild, general, lounge, attic, amy, bob, seen = scene
    await amy.join_voice(lounge)
    await seen.until(lambda: seen.of("VoiceMoved"))
    site.faults.lose_sessions()
    await amy.leave_voice()
    await bob.join_voice(attic)
    await seen.until(lambda: len(seen.of("PresencesSeen")) == 2)
    await amy.say(general, "back")
    await seen.until(lambda: said(seen))

    assert opened(seen) == [
        ("+/", "w1.1"), (f"+{guild.id}/", "w1.2"), (f"-{guild.id}/", "lost"), ("-/", "lost"), ("+/", "w1.3"),
        (f"+{guild.id}/", "w1.4"),
    ]  # fmt: skip
    assert [event.get("people", []) for event in seen.of("VoiceSeen")] == [
        [], [{"person": str(bob.id), "channel": str(attic.id)}],
    ]  # fmt: skip
    assert [event["now"]["channel"] for event in seen.of("VoiceMoved")] == [str(lounge.id)]


async def test_g03_an_outage_closes_the_guild_and_its_end_opens_it(scene: Scene) -> None:
    site, guild, general, lounge, _, amy, _, seen = scene
    await amy.join_voice(lounge)
    site.building.outage(guild)
    await seen.until(lambda: (f"-{guild.id}/", "lost") in opened(seen))
    site.building.outage_over(guild)
    await seen.until(lambda: (f"+{guild.id}/", "w1.3") in opened(seen))
    await amy.say(general, "back")
    await seen.until(lambda: said(seen))

    assert {event.watch for event in seen.events if type(event).__name__ == "MessageSent"} == {"w1.3"}


async def test_a_heartbeat_that_is_answered_is_a_sign_of_life(scene: Scene) -> None:
    seen = scene.seen
    heard = len(seen.observations)
    await seen.until(lambda: len(seen.observations) > heard + 1)

    assert counts([event for one in seen.observations[heard:] for event in one.events]) == {}


async def test_the_numbers_of_a_guild_are_told_with_a_beat_when_they_have_changed(scene: Scene) -> None:
    site, guild, _, lounge, _, amy, _, seen = scene
    bridge = seen.bridge
    first, again = bridge.beat(1_700_000_000_000), bridge.beat(1_700_000_000_000)
    await amy.join_voice(lounge)
    await amy.presence("idle")
    await site.user("cyd").join(guild)
    await seen.until(lambda: seen.of("MemberJoined"))
    await seen.until(lambda: bridge.beat is not None and not bridge._visit._saying)  # type: ignore[attr-defined]
    (changed,) = seen.desk.spelled(bridge.beat(1_700_000_000_000))

    assert (len(first), again) == (1, [])
    assert {key: changed[key] for key in ("members", "online", "idle", "voice", "text", "voice_channels")} == {
        "members": len(guild.members), "online": 1, "idle": 1, "voice": 1, "text": 1, "voice_channels": 2,
    }  # fmt: skip


async def test_members_threads_and_channels_are_told(scene: Scene) -> None:
    site, guild, general, _, _, amy, bob, seen = scene
    cyd = site.user("cyd")
    await cyd.join(guild)
    await cyd.nick(guild, "Boss")
    await cyd.rename(global_name="Cydney")
    await cyd.leave(guild)
    thread = await amy.thread(general, "secret plans")
    await bob.say(thread, "in it")
    await amy.archive(thread)
    site.channel(guild, "late")
    await amy.presence("online", activities.playing("Chess"))
    await seen.until(lambda: seen.of("PresenceChanged"))

    told = of_guild(seen, guild)
    names = [event["name"] for event in told if event["kind"] == "Named" and event["person"] == str(cyd.id)]
    assert names == ["cyd", "cyd", "Boss", "cyd", "Cydney", "Boss"]
    assert [event["kind"] for event in told if event["kind"].startswith(("Member", "Thread"))] == [
        "MembersSeen", "ThreadsSeen", "MemberJoined", "MemberLeft", "ThreadCreated", "ThreadJoined", "ThreadArchived",
    ]  # fmt: skip
    assert [event["thread"] for event in told if event["kind"] == "MessageSent" and "thread" in event] == [
        str(thread.id)
    ]
    assert [event["name"] for event in told if event["kind"] == "PlaceNamed"][-1] == "late"
    assert "secret" not in str(told)


async def test_the_members_of_a_large_guild_are_asked_for() -> None:
    async with StandIn(Settings(large_guild=5, chunk_size=4)) as site:
        guild = site.guild("crowd")
        people = site.populate(guild, 11)
        async with watching(shard_of(site)) as seen:
            await seen.until(lambda: seen.of("MembersSeen"))
            (roster,) = seen.of("MembersSeen")

        assert {one["person"] for one in roster["people"]} == {str(one) for one in guild.members}
        assert len(roster["people"]) == len(people) + 2
        assert site.violations == []


async def test_two_shards_in_one_process_tell_each_fact_once() -> None:
    async with StandIn() as site:
        guilds = [site.guild(f"guild{n}") for n in range(4)]
        amy = site.user("amy")
        for guild in guilds:
            site.enrol(guild, amy)
        channels = [site.channel(guild, "general") for guild in guilds]
        first, second = (shard_of(site, shard, shard_count=2) for shard in (0, 1))
        async with watching(first, "w1") as one, watching(second, "w2") as two:
            await one.until(lambda: all(whole(one, guild) for guild in guilds[::2]))
            await two.until(lambda: all(whole(two, guild) for guild in guilds[1::2]))
            for channel in channels:
                await amy.say(channel, "hello")
            await amy.dm("psst")
            await one.until(lambda: counts(one.events)["MessageSent"] == 2 and one.of("PrivateMessageSent"))
            await two.until(lambda: counts(two.events)["MessageSent"] == 2)
            await asyncio.sleep(0.1)

        both = [*one.events, *two.events]
        assert counts(both)["MessageSent"] == 4
        assert counts(two.events)["PrivateMessageSent"] == 0
        assert len({event.id for event in both}) == len(both)
        assert (first.place.channel, second.place.channel) == ("shard.0.2", "shard.1.2")
        assert [where for where, _ in opened(one)] == ["+/", f"+{guilds[0].id}/", f"+{guilds[2].id}/"]
        assert [where for where, _ in opened(two)] == ["+/shard.1.2", f"+{guilds[1].id}/", f"+{guilds[3].id}/"]


async def test_who_is_there_when_the_bridge_comes_is_told_as_they_are() -> None:
    async with StandIn() as site:
        guild = site.guild("cinema")
        lounge = site.channel(guild, "lounge", "voice")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(guild, amy, bob)
        doing = (
            activities.playing("Chess"),
            activities.custom("secret words"),
            activities.listening("Spotify", details="secret song"),
        )
        await amy.presence("dnd", *doing, clients={"mobile": "dnd", "web": "dnd"})
        await bob.join_voice(lounge, self_mute=True)
        async with watching(shard_of(site)) as seen:
            await seen.until(lambda: seen.of("PresencesSeen"))

        assert [event.get("people") for event in seen.of("PresencesSeen", "VoiceSeen")] == [
            [{"person": str(bob.id), "channel": str(lounge.id), "muted": True}],
            [
                {"person": str(amy.id), "status": "dnd", "on": ["mobile", "web"], "activities": [
                    {"type": "playing", "name": "Chess"}, {"type": "custom"}, {"type": "listening", "name": "Spotify"},
                ]},
            ],
        ]  # fmt: skip
        assert "secret" not in str(seen.events)
