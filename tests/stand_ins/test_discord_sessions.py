"""The stand-in's gateway begins, breaks, resumes and ends sessions as the real one, under the real discord.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import aiohttp
import discord
import pytest

from .discord import Settings, StandIn
from .discord.intents import Intent
from .discord.settings import ALL_INTENTS, Json
from .discord_client import Listener, listening, running, standing


async def interrupted(site: StandIn, break_off: Callable[[StandIn], None]) -> list[str]:
    """What a client heard in all: a line before the interruption, one told while nobody listens, one after."""
    general = site.channel(site.guild("cinema"), "general")
    async with listening(site) as client:
        await site.owner.say(general, "before")
        await client.dispatched("MESSAGE_CREATE")
        begun = (site.gateway.identifies, site.gateway.resumes)
        with site.burst():
            break_off(site)
            await site.owner.say(general, "between")
        async with asyncio.timeout(5):
            while (site.gateway.identifies, site.gateway.resumes) == begun:
                await site.gateway.changed.wait()
        await site.connected()
        await site.owner.say(general, "after")
        await client.until("message", lambda message: message.content == "after")
        return [one["content"] for one in client.all("MESSAGE_CREATE")]


@pytest.mark.parametrize(
    "break_off",
    [
        lambda site: site.faults.reconnect(),
        lambda site: site.faults.invalidate(resumable=True),
        lambda site: site.faults.close(1000),
        lambda site: site.faults.close(4000),
        lambda site: site.faults.close(4008),
        lambda site: site.faults.abort(),
    ],
    ids=["op 7", "op 9 true", "1000", "4000", "4008", "reset"],
)
async def test_a_broken_connection_is_resumed_and_what_was_missed_replayed(
    break_off: Callable[[StandIn], None],
) -> None:
    async with standing() as site:
        assert await interrupted(site, break_off) == ["before", "between", "after"]
        assert (site.gateway.identifies, site.gateway.resumes) == (1, 1)


@pytest.mark.parametrize(
    "break_off",
    [
        lambda site: site.faults.invalidate(),
        lambda site: site.faults.close(4009),
        lambda site: site.faults.lose_sessions(),
    ],
    ids=["op 9 false", "4009", "lost"],
)
async def test_a_lost_session_begins_anew_and_what_was_missed_stays_unknown(
    break_off: Callable[[StandIn], None],
) -> None:
    async with standing() as site:
        assert await interrupted(site, break_off) == ["before", "after"]
        assert (site.gateway.identifies, site.gateway.resumes) == (2, 0)


async def test_a_session_survives_a_restart_of_the_site() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            await site.stop()
            await site.owner.say(general, "while down")
            await site.start()
            await client.until("message", lambda message: message.content == "while down", within=10)
        assert site.gateway.resumes == 1


async def test_a_dead_line_is_noticed_by_its_silence() -> None:
    async with standing(Settings(heartbeat_interval=0.1)) as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site, heartbeat_timeout=0.4) as client:
            site.faults.silence()
            await site.owner.say(general, "unheard")
            await client.until("message")
        assert site.gateway.resumes == 1


async def test_a_line_that_stalls_delivers_everything_at_once_when_it_works_again() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            site.faults.silence()
            with site.burst():
                for number in range(3):
                    await site.owner.say(general, str(number))
            assert client.all("MESSAGE_CREATE") == []
            site.faults.speak()
            told = await client.dispatched("MESSAGE_CREATE", 3)
        assert ([one["content"] for one in told], site.gateway.resumes) == (["0", "1", "2"], 0)


async def test_actors_do_not_wait_for_a_client_that_reads_nothing() -> None:
    async with standing() as site, aiohttp.ClientSession() as http:
        general = site.channel(site.guild("cinema"), "general")
        async with http.ws_connect(site.gateway_base, params={"v": "10"}) as socket:
            await socket.send_json({"op": 2, "d": {"token": site.token, "intents": int(Intent.GUILD_MESSAGES)}})
            await site.connected()
            assert socket._conn is not None
            assert socket._conn.transport is not None
            socket._conn.transport.pause_reading()
            with site.burst():
                for _ in range(3000):
                    await site.owner.say(general, "x" * 4000)
            for _ in range(3):
                await site.owner.say(general, "more")
            socket._conn.transport.abort()
        assert len(general.messages) == 3003


async def test_heartbeats_are_acknowledged_unless_withheld() -> None:
    async with standing(Settings(heartbeat_interval=0.05)) as site:
        site.guild("cinema")
        async with listening(site) as client:
            site.faults.withhold_acks()
            before = len(site.gateway.heard)
            await asyncio.sleep(0.3)
            assert {op for op, _ in list(site.gateway.heard)[before:]} == {1}
            assert client.latency < 1
            assert not client.is_closed()


async def test_a_client_that_sends_no_heartbeats_is_closed() -> None:
    async with (
        standing(Settings(heartbeat_interval=0.05, heartbeats_missed=2)) as site,
        aiohttp.ClientSession() as http,
        http.ws_connect(site.gateway_base, params={"v": "10"}) as socket,
    ):
        assert (await socket.receive_json())["op"] == 10
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4009)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"op": 1, "d": None, "padding": "x" * 5000}, 4002),
        ("not json", 4002),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 2, "d": {"token": "wrong", "intents": 1}}, 4004),
        ({"op": 2, "d": {"token": "right", "intents": 1, "shard": [2, 2]}}, 4010),
        ({"op": 2, "d": {"token": "right", "intents": 1 << 40}}, 4013),
        ({"op": 2, "d": {"token": "right", "intents": int(Intent.GUILD_PRESENCES)}}, 4014),
        ([{"op": 2, "d": {"token": "right", "intents": 1}}, {"op": 2, "d": {}}], 4005),
        ([{"op": 2, "d": {"token": "right", "intents": 1}}, {"op": 12, "d": {}}], 4001),
        ([{"op": 1, "d": None}] * 121, 4008),
    ],
)
async def test_what_the_gateway_does_not_take_closes_with_its_code(sent: Json, code: int) -> None:
    settings = Settings(granted=ALL_INTENTS & ~Intent.GUILD_PRESENCES)
    async with standing(settings) as site, aiohttp.ClientSession() as http:
        frames = sent if isinstance(sent, list) else [sent]
        async with http.ws_connect(site.gateway_base, params={"v": "10"}) as socket:
            for frame in frames:
                await socket.send_str(json.dumps(frame).replace('"right"', json.dumps(site.token)))
            async for message in socket:
                assert message.type is aiohttp.WSMsgType.TEXT
            assert socket.close_code == code


async def test_an_intent_that_was_not_granted_ends_the_client() -> None:
    async with standing(Settings(granted=ALL_INTENTS & ~Intent.GUILD_MEMBERS)) as site:
        client = Listener(connector=site.connector())
        async with running(client, site.token) as task:
            with pytest.raises(discord.PrivilegedIntentsRequired):
                await asyncio.wait_for(task, 5)
        assert client.application is not None
        flags = client.application.flags
        assert (flags.gateway_guild_members_limited, flags.gateway_presence_limited) == (False, True)


async def test_a_wrong_token_is_refused_at_login() -> None:
    async with standing() as site:
        client = Listener(connector=site.connector())
        async with running(client, "wrong") as task:
            with pytest.raises(discord.LoginFailure):
                await asyncio.wait_for(task, 5)


async def test_two_shards_get_each_their_guilds_and_the_first_direct_messages() -> None:
    async with standing() as site:
        guilds = [site.guild(f"guild {number}") for number in range(4)]
        channels = [site.channel(guild, "general") for guild in guilds]
        async with (
            listening(site, shard_id=0, shard_count=2) as first,
            listening(site, shard_id=1, shard_count=2) as second,
        ):
            for number, channel in enumerate(channels):
                await site.owner.say(channel, str(number))
            await site.user("amy").dm("psst")
            await first.dispatched("MESSAGE_CREATE", 3)
            await second.dispatched("MESSAGE_CREATE", 2)
            site.faults.abort(shard=1)
            async with asyncio.timeout(5):
                while not site.gateway.resumes:
                    await site.gateway.changed.wait()
        assert [one["content"] for one in first.all("MESSAGE_CREATE")] == ["0", "2", "psst"]
        assert [one["content"] for one in second.all("MESSAGE_CREATE")] == ["1", "3"]
        assert "RESUMED" not in [name for name, _ in first.raw]


async def test_two_processes_on_the_same_shard_both_hear_everything() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as one, listening(site) as other:
            await site.owner.say(general, "hi")
            assert await one.dispatched("MESSAGE_CREATE") == await other.dispatched("MESSAGE_CREATE")


async def test_all_members_come_in_chunks_but_only_once_in_a_while() -> None:
    async with standing(Settings(chunk_size=100)) as site:
        cinema = site.guild("cinema")
        site.populate(cinema, 250)
        async with listening(site, chunk_guilds_at_startup=False) as client:
            guild = client.get_guild(cinema.id)
            assert guild is not None
            assert len(await guild.chunk(cache=False)) == 252
            sizes = [
                (one["chunk_index"], one["chunk_count"], len(one["members"]))
                for one in client.all("GUILD_MEMBERS_CHUNK")
            ]
            assert sizes == [(0, 3, 100), (1, 3, 100), (2, 3, 52)]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(guild.chunk(), 0.2)
            limited = await client.dispatched("RATE_LIMITED")
        assert [(one["opcode"], one["meta"]["guild_id"], one["retry_after"] > 25) for one in limited] == [
            (8, str(cinema.id), True)
        ]


async def test_members_are_found_by_id_and_by_name_with_presences() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        amy, amos, bob = (site.user(name) for name in ("amy", "amos", "bob"))
        site.enrol(cinema, amy, amos, bob)
        await amos.presence("dnd")
        async with listening(site, chunk_guilds_at_startup=False) as client:
            guild = client.get_guild(cinema.id)
            assert guild is not None
            named = await guild.query_members("am", limit=5, presences=True)
            given = await guild.query_members(user_ids=[bob.id, 42])
        assert [(one.name, str(one.status)) for one in named] == [("amy", "offline"), ("amos", "dnd")]
        assert ([one.name for one in given], client.all("GUILD_MEMBERS_CHUNK")[-1]["not_found"]) == (["bob"], ["42"])


async def test_the_bots_own_presence_and_voice_reach_the_guild() -> None:
    async with standing() as site:
        cinema = site.guild("cinema")
        lounge = site.channel(cinema, "lounge", "voice")
        async with listening(site) as client:
            await client.change_presence(status=discord.Status.idle, activity=discord.Game("numbers"))
            guild = client.get_guild(cinema.id)
            assert guild is not None
            await guild.change_voice_state(channel=guild.get_channel(lounge.id), self_deaf=True)
            await client.dispatched("VOICE_STATE_UPDATE")
            told = await client.dispatched("PRESENCE_UPDATE")
        assert [(one["status"], one["activities"][0]["name"]) for one in told] == [("idle", "numbers")]
        assert list(cinema.voice) == [site.me.id]


async def test_unknown_dispatches_are_survived_and_malformed_ones_end_discord_py() -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        client = Listener(connector=site.connector())
        async with running(client, site.token) as task:
            await client.until("ready")
            site.faults.dispatch("SOMETHING_NEW", {"what": 1})
            await site.owner.say(general, "still there")
            await client.dispatched("MESSAGE_CREATE")
            site.faults.dispatch("MESSAGE_CREATE", {"broken": True})
            with pytest.raises(KeyError):
                await asyncio.wait_for(task, 5)


async def test_new_connections_are_refused_until_they_are_not() -> None:
    async with standing() as site:
        site.guild("cinema")
        async with listening(site) as client:
            site.faults.refuse_connections()
            site.faults.abort()
            await client.until("disconnect")
            site.faults.refuse_connections(on=False)
            await client.until("resumed", within=15)


async def test_identifying_too_often_is_refused() -> None:
    async with standing(Settings(identify_every=0.3)) as site:
        site.guild("cinema")
        async with listening(site), listening(site) as late:
            assert late.names.count("ready") == 1
        refused = [op for op, _ in site.gateway.heard if op == 2]
        assert len(refused) > 2
        assert site.gateway.identifies == 2
