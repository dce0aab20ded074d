"""The stand-in CyTube breaks as real servers and networks do."""

from __future__ import annotations

import asyncio

import pytest
from socketio.exceptions import ConnectionError as Refused

from .cytube import Settings, StandIn
from .listener import Listener


async def test_a_kick_is_told_to_the_victim_alone_and_ends_with_a_server_disconnect() -> None:
    async with StandIn() as site:
        room = site.room("grindhouse")
        async with Listener(site.url) as bot, Listener(site.url) as other:
            await bot.login("Bot")
            await bot.join("grindhouse")
            await other.join("grindhouse")
            room.kick("bot", "go <away>")
            assert await bot.until("@disconnect") == "server disconnect"
            assert bot.heard[-2] == ("kick", [{"reason": "go <away>"}])
            assert await other.until("userLeave") == {"name": "Bot"}
            assert other.all("kick") == []


async def test_a_dropped_transport_is_a_leave_for_the_others() -> None:
    async with StandIn() as site, Listener(site.url) as bot, Listener(site.url) as other:
        await bot.login("Bot")
        await bot.join("grindhouse")
        await other.join("grindhouse")
        site.drop("Bot")
        assert await bot.until("@disconnect") == "transport error"
        assert await other.until("userLeave") == {"name": "Bot"}


async def test_a_restart_keeps_the_port_and_the_history_and_forgets_who_was_there() -> None:
    async with StandIn() as site:
        room = site.room("grindhouse")
        amy = await room.enter("Amy")
        await amy.say("before")
        await room.play("Film")
        async with Listener(site.url) as bot:
            await bot.join("grindhouse")
            await site.restart()
            assert await bot.until("@disconnect") == "transport error"
        assert not amy.inside
        async with Listener(site.url) as bot:
            await bot.join("grindhouse")
            assert [line["msg"] for line in bot.all("chatMsg")] == ["before"]
            assert bot.all("userlist") == [[]]
            assert await room.play("Film again") == 0
            await amy.enter()
            await bot.until("addUser")


async def test_a_crash_loses_the_history() -> None:
    async with StandIn() as site:
        amy = await site.room("grindhouse").enter("Amy")
        await amy.say("before")
        await site.restart(crash=True)
        async with Listener(site.url) as bot:
            await bot.join("grindhouse")
            assert bot.all("chatMsg") == []


async def test_while_the_server_is_down_connections_are_refused() -> None:
    async with StandIn() as site:
        await site.stop()
        with pytest.raises(Refused):
            async with Listener(site.url):
                pass
        await site.start()
        async with Listener(site.url) as bot:
            await bot.join("grindhouse")


async def test_a_frozen_server_answers_nobody_and_goes_on_when_thawed() -> None:
    async with StandIn() as site:
        room = site.room("grindhouse")
        amy = await room.enter("Amy")
        async with Listener(site.url) as bot:
            await bot.join("grindhouse")
            site.freeze()
            await amy.say("unheard")
            with pytest.raises(TimeoutError):
                await bot.until("chatMsg", within=0.2)
            with pytest.raises((TimeoutError, Refused)):
                async with asyncio.timeout(0.2), Listener(site.url):
                    pass
            site.thaw()
            assert (await bot.until("chatMsg"))["msg"] == "unheard"


async def test_a_frozen_server_is_noticed_by_missing_pings() -> None:
    async with StandIn(Settings(ping_interval=0.1, ping_timeout=0.2)) as site, Listener(site.url) as bot:
        await bot.join("grindhouse")
        await asyncio.sleep(0.5)
        assert "@disconnect" not in bot.names
        site.freeze()
        assert await bot.until("@disconnect") == "transport error"


async def test_a_black_holed_client_stays_as_a_ghost_until_its_pings_are_missed() -> None:
    quick = Settings(ping_interval=0.1, ping_timeout=0.3)
    async with StandIn(quick) as site, Listener(site.url) as bot, Listener(site.url) as other:
        await bot.login("Bot")
        await bot.join("grindhouse")
        await other.join("grindhouse")
        site.black_hole("Bot")
        assert [member.name for member in site.room("grindhouse").members] == ["Bot", ""]
        assert await other.until("userLeave") == {"name": "Bot"}
        assert await bot.until("@disconnect") == "transport error"


async def test_an_account_that_comes_back_replaces_its_ghost() -> None:
    async with StandIn() as site:
        site.account("Bot", "pw")
        async with Listener(site.url) as ghost, Listener(site.url) as other, Listener(site.url) as bot:
            await ghost.login("Bot", "pw")
            await ghost.join("grindhouse")
            await other.join("grindhouse")
            site.black_hole("Bot")
            other.heard.clear()
            await bot.login("Bot", "pw")
            await bot.join("grindhouse")
            await other.until("addUser")
            about = [name for name in other.names if name in ("userLeave", "addUser")]
            assert about == ["userLeave", "addUser"]
            assert site.room("grindhouse").report()["people"]["Bot"]["replaced"] == 1
            site.thaw()


async def test_a_channel_that_shuts_down_kicks_without_anybody_leaving() -> None:
    async with StandIn() as site, Listener(site.url) as bot:
        await site.room("grindhouse").enter("Amy")
        await bot.join("grindhouse")
        site.room("grindhouse").shut_down()
        assert await bot.until("@disconnect") == "server disconnect"
        assert bot.heard[-2] == ("kick", [{"reason": "Channel shutting down"}])
        assert bot.all("userLeave") == []
