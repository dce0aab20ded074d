"""What tests can make the stand-in CyTube do, seen by real Socket.IO clients."""

from __future__ import annotations

import asyncio
import itertools

import aiohttp
import pytest
from socketio.exceptions import ConnectionError as Refused

from .cytube import Room, Settings, StandIn
from .listener import Listener

QUICK = Settings(usercount_every=0)


def lines(listener: Listener) -> list[tuple[str, str]]:
    """Chat lines of people: who, and the HTML."""
    said = [(line["username"], line["msg"]) for line in listener.all("chatMsg")]
    return [(who, html) for who, html in said if not who.startswith("[")]


async def settled(site: StandIn) -> None:
    """What was told has arrived at the clients."""
    await site.flushed()
    await asyncio.sleep(0.03)


async def fetch(url: str) -> tuple[int, object]:
    """A GET's status and JSON."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def test_socketconfig_answers_for_every_valid_name_and_can_point_elsewhere() -> None:
    async with StandIn() as site, StandIn() as other:
        elsewhere = [{"url": other.url, "secure": False}]
        site.servers["moved"] = elsewhere
        here = [{"url": site.url, "secure": False}]
        assert await fetch(f"{site.url}/socketconfig/NoSuchChannel.json") == (200, {"servers": here})
        assert await fetch(f"{site.url}/socketconfig/Moved.json") == (200, {"servers": elsewhere})
        refusal = {"error": 'Channel "bad name" does not exist.'}
        assert await fetch(f"{site.url}/socketconfig/bad%20name.json") == (404, refusal)


@pytest.mark.parametrize("transports", [("websocket",), ("polling",), ("polling", "websocket")])
async def test_every_transport_hears_the_same_burst(transports: tuple[str, ...]) -> None:
    async with StandIn(QUICK) as site:
        room = site.room("grindhouse")
        async with Listener(site.url, transports=transports) as visitor:
            await visitor.join("grindhouse")
            amy = await room.enter("Amy", rank=0)
            await amy.say("hello")
            await visitor.until("chatMsg")
            assert visitor.names == [
                *("rank", "setPermissions", "setPlaylistLocked", "emoteList", "drinkCount", "channelCSSJS", "setMotd"),
                *("channelOpts", "setPlaylistMeta", "playlist", "userlist", "usercount"),
                *("usercount", "addUser", "chatMsg"),
            ]


async def test_the_history_is_the_last_fifteen_lines_with_their_old_times() -> None:
    clock = itertools.count(1_000).__next__
    async with StandIn(Settings(clock=clock)) as site:
        amy = await site.room("grindhouse").enter("Amy")
        times = [await amy.say(f"line {number}") for number in range(20)]
        async with Listener(site.url) as visitor:
            await visitor.join("grindhouse")
            replayed = [(line["msg"], line["time"]) for line in visitor.all("chatMsg")]
            assert replayed == [(f"line {number}", times[number]) for number in range(5, 20)]
            assert visitor.names.index("userlist") > visitor.names.index("chatMsg") + 14


async def test_what_plays_is_told_between_the_playlist_and_the_roster() -> None:
    async with StandIn(QUICK) as site:
        room = site.room("grindhouse")
        await room.play("First")
        await room.play("Second", 600)
        room.open_poll("Again?", ["yes & no", "no"])
        async with Listener(site.url) as visitor:
            await visitor.join("grindhouse")
            await visitor.until("usercount")
            at = visitor.names.index("setPlaylistMeta")
            assert visitor.names[at:] == [
                *("setPlaylistMeta", "playlist", "setCurrent", "setCurrent", "changeMedia"),
                *("newPoll", "userlist", "usercount"),
            ]
            assert visitor.all("setCurrent") == [1, 1]
            playing = await visitor.until("changeMedia")
            assert (playing["title"], playing["duration"], playing["paused"]) == ("Second", "10:00", True)
            assert -3.1 < playing["currentTime"] <= -2


async def test_a_media_change_is_told_in_order_and_an_emptied_playlist_says_nothing_of_it() -> None:
    async with StandIn(QUICK) as site:
        room = site.room("grindhouse")
        await room.play("First")
        async with Listener(site.url) as visitor:
            await visitor.join("grindhouse")
            await visitor.until("usercount")
            visitor.heard.clear()
            await room.play("Second")
            room.playlist.clear()
            await settled(site)
            assert visitor.names == [
                *("queue", "setPlaylistMeta", "delete", "setPlaylistMeta", "setCurrent", "changeMedia", "drinkCount"),
                *("playlist", "setPlaylistMeta"),
            ]


async def test_a_timed_item_ticks_and_the_next_one_follows() -> None:
    async with StandIn(Settings(media_update_every=0.05, lead_in=0.1, advance_after=0.1)) as site:
        room = site.room("grindhouse")
        await room.play("Short", 1, temp=False)
        room.playlist.queue("Live", temp=False)
        async with Listener(site.url) as visitor:
            await visitor.join("grindhouse")
            assert await visitor.until("mediaUpdate") == {"currentTime": pytest.approx(0, abs=0.5), "paused": False}
            await visitor.until("changeMedia", lambda media: media["title"] == "Live")


async def test_anonymous_people_may_be_blocked_until_they_log_in() -> None:
    async with StandIn(QUICK) as site:
        site.room("grindhouse").set_options(block_anonymous_users=True)
        async with Listener(site.url) as visitor:
            await visitor.send("joinChannel", {"name": "grindhouse"})
            await visitor.until("errorMsg")
            assert visitor.names == ["rank", "errorMsg"]
            await visitor.login("Masked")
            roster = await visitor.until("userlist")
            assert [user["name"] for user in roster] == ["Masked"]
            assert visitor.all("addUser") == []


async def test_a_banned_name_is_kicked_and_not_asked_back() -> None:
    async with StandIn(QUICK) as site:
        site.room("grindhouse").ban("Rude")
        async with Listener(site.url) as visitor:
            await visitor.login("Rude")
            await visitor.send("joinChannel", {"name": "grindhouse"})
            assert await visitor.until("@disconnect") == "server disconnect"
            assert visitor.heard[-2:] == [
                ("kick", [{"reason": "You are banned from this channel."}]),
                ("@disconnect", ["server disconnect"]),
            ]


async def test_the_sixth_connection_within_seconds_is_refused_in_the_handshake() -> None:
    async with StandIn(Settings(connection_burst=5)) as site:
        for _ in range(5):
            async with Listener(site.url) as visitor:
                await visitor.until("rank")
        with pytest.raises(Refused):
            async with Listener(site.url):
                pass


async def test_one_socket_too_many_is_kicked_and_its_transport_closed() -> None:
    async with StandIn(Settings(sockets_per_address=1)) as site, Listener(site.url), Listener(site.url) as second:
        await second.until("@disconnect")
        assert second.heard == [
            ("kick", [{"reason": "Too many connections from your IP address"}]),
            ("@disconnect", ["transport error"]),
        ]


async def test_somebody_who_is_silent_for_long_is_away() -> None:
    async with StandIn(QUICK) as site:
        room = site.room("grindhouse")
        room.set_options(afk_timeout=0.05)
        async with Listener(site.url) as visitor:
            await visitor.join("grindhouse")
            amy = await room.enter("Amy")
            await visitor.until("setAFK", lambda payload: payload == {"name": "Amy", "afk": True})
            assert amy.is_afk
            await amy.say("back")
            await visitor.until("chatMsg")
            about = [(name, args) for name, args in visitor.heard if args and "Amy" in str(args) and "AFK" in name]
            assert about == [
                ("setAFK", [{"name": "Amy", "afk": True}]),
                ("setAFK", [{"name": "Amy", "afk": False}]),
            ]


async def test_the_usercount_is_sent_at_once_and_then_at_most_every_so_often() -> None:
    async with StandIn(Settings(usercount_every=0.2)) as site:
        room = site.room("grindhouse")
        async with Listener(site.url) as visitor:
            await visitor.join("grindhouse")
            await visitor.until("usercount")
            people: list[object] = [await room.enter() for _ in range(5)]
            assert visitor.all("usercount") == [1]
            await visitor.until("usercount", lambda count: count == 1 + len(people))
            assert visitor.all("usercount") == [1, 6]


async def test_private_messages_reach_both_ends_and_nobody_else() -> None:
    async with StandIn(QUICK) as site:
        room = site.room("grindhouse")
        amy = await room.enter("Amy")
        ben = await room.enter("Ben")
        async with Listener(site.url) as bot, Listener(site.url) as stranger:
            for one, name in ((bot, "Bot"), (stranger, "Stranger")):
                await one.login(name)
                await one.join("grindhouse")
            room.mute("Amy")
            await amy.pm("bot", "a < b")
            await bot.send("pm", {"to": "BEN", "msg": "hi"})
            await bot.until("pm", lambda pm: pm["to"] == "Ben")
            said = [(pm["username"], pm["to"], pm["msg"]) for pm in bot.all("pm")]
            assert said == [("Amy", "Bot", "a &lt; b"), ("Bot", "Ben", "hi")]
            assert [pm["msg"] for pm in ben.pms] == ["hi"]
            assert stranger.all("pm") == []


async def test_a_shadow_muted_line_is_marked_for_moderators_and_hidden_from_members() -> None:
    async with StandIn(QUICK) as site:
        room = site.room("grindhouse")
        site.account("Mod", "pw")
        room.grant("Mod", 2)
        amy = await room.enter("Amy")
        room.mute("Amy", shadow=True)
        async with Listener(site.url) as moderator, Listener(site.url) as member:
            await moderator.login("Mod", "pw")
            await moderator.join("grindhouse")
            await member.login("Guest")
            await member.join("grindhouse")
            await amy.say("psst")
            line = await moderator.until("chatMsg", lambda line: line["username"] == "Amy")
            assert (line["msg"], line["meta"]) == ("psst", {"shadow": True})
            await settled(site)
            assert lines(member) == []
            assert room.report()["people"]["Amy"]["messages"] == 0


async def test_too_many_messages_at_once_are_dropped_with_a_cooldown() -> None:
    async with StandIn(Settings(chat_burst=20)) as site, Listener(site.url) as bot:
        await bot.login("Bot")
        await bot.join("grindhouse")
        for number in range(25):
            await bot.send("chatMsg", {"msg": f"burst {number}"})
        await bot.until("cooldown")
        await settled(site)
        assert lines(bot) == [("Bot", f"burst {number}") for number in range(20)]
        assert bot.all("cooldown") == [100] * 5


async def test_an_announcement_reaches_everybody_even_before_joining() -> None:
    async with StandIn() as site, Listener(site.url) as early:
        await early.until("rank")
        site.announce("Maintenance", "Back at <b>noon</b>")
        await early.until("announcement")
        async with Listener(site.url) as late:
            await late.until("announcement")
            assert late.names == ["rank", "announcement"]


async def test_a_cookie_logs_in_during_the_handshake() -> None:
    async with StandIn() as site:
        site.account("Vic")
        async with Listener(site.url, cookie=site.cookie("Vic")) as vic:
            await vic.until("rank")
            assert vic.heard == [
                ("login", [{"success": True, "name": "Vic", "guest": False}]),
                ("rank", [1]),
            ]


async def moved_room(site: StandIn, other: StandIn) -> Room:
    """A room that just went to another server."""
    room = site.room("grindhouse")
    room.move([{"url": other.url, "secure": False}])
    return room


async def test_a_room_that_moves_says_where_and_is_refused_here_from_then_on() -> None:
    async with StandIn() as site, StandIn() as other, Listener(site.url) as visitor:
        await visitor.join("grindhouse")
        await moved_room(site, other)
        assert await visitor.until("@disconnect") == "server disconnect"
        assert visitor.heard[-2] == ("partitionChange", [{"servers": [{"url": other.url, "secure": False}]}])
        status, config = await fetch(f"{site.url}/socketconfig/grindhouse.json")
        assert (status, config) == (200, {"servers": [{"url": other.url, "secure": False}]})
        async with Listener(site.url) as again:
            await again.send("joinChannel", {"name": "grindhouse"})
            refusal = await again.until("errorMsg")
            assert refusal["msg"].startswith("Channel 'grindhouse' is hosted on another server.")
            assert again.names == ["rank", "errorMsg"]
