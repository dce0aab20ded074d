"""The bridge against a stand-in CyTube over real sockets: being thrown out, lost and coming back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridges.bridge import Ended, Observation
from bridges.cytube import socket
from tests.bridges.desk import FakeDesk
from tests.stand_ins.cytube import Settings, StandIn

from .watching import Watching, bridge_to


async def test_a_kick_ends_the_watch_and_its_words_are_not_repeated() -> None:
    async with StandIn() as site, Watching(bridge_to(site, name="StatsBot")) as seen:
        await seen.joined()
        site.room("lounge").kick("StatsBot", "get lost, spy")
        kicked = await seen.ended()

    assert (kicked.reason, kicked.explanation, kicked.retry_in) == ("kicked", "kicked by a moderator", 300.0)


async def test_a_ban_ends_the_watch_and_the_next_ones() -> None:
    async with StandIn() as site:
        bridge = bridge_to(site, name="StatsBot")
        async with Watching(bridge) as seen:
            await seen.joined()
            site.room("lounge").ban("StatsBot")
            banned = await seen.ended()
        async with Watching(bridge, watch="w2") as again:
            still = await again.ended()

    assert [(end.reason, end.retry_in) for end in (banned, still)] == [("banned", 3600.0)] * 2


async def test_a_login_elsewhere_replaces_the_bot_which_stays_away_for_long() -> None:
    async with StandIn() as site:
        site.account("StatsBot", "hunter2")
        bridge = bridge_to(site, name="StatsBot", account_password="hunter2")
        async with Watching(bridge) as seen:
            await seen.joined()
            async with Watching(bridge_to(site, name="StatsBot", account_password="hunter2"), watch="w2") as other:
                await other.joined()
                replaced = await seen.ended()

    assert (replaced.reason, replaced.retry_in) == ("replaced", 300.0)
    assert other.of("Joined", "Left") == []


async def test_a_room_that_moves_is_found_again_through_a_fresh_socketconfig() -> None:
    async with StandIn() as site, StandIn() as elsewhere:
        await elsewhere.room("lounge").enter("Amy")
        bridge = bridge_to(site)
        async with Watching(bridge) as seen:
            await seen.joined()
            servers = [{"url": elsewhere.url, "secure": False}]
            site.servers["lounge"] = servers
            site.room("lounge").move(servers)
            moved = await seen.ended()
        async with Watching(bridge, watch="w2") as there:
            await there.joined()

    assert (moved.reason, moved.retry_in) == ("moved", 1.0)
    assert len(there.of("RosterSeen")[0]["people"]) == 1


async def test_a_wrong_partition_is_a_move() -> None:
    async with StandIn() as site:
        site.moved.add("lounge")
        async with Watching(bridge_to(site)) as seen:
            moved = await seen.ended()

    assert (moved.reason, moved.retry_in) == ("moved", 5.0)


async def test_a_dead_server_is_noticed_by_the_pings_that_stay_away() -> None:
    async with StandIn(Settings(ping_interval=0.2)) as site:
        async with Watching(bridge_to(site, ping_timeout=0.3)) as seen:
            await seen.joined()
            site.freeze()
            lost = await seen.ended()
        site.thaw()

    assert (lost.reason, lost.retry_in) == ("lost", 0.0)


async def test_g06_what_was_said_while_the_bot_was_away_counts_once_on_its_return() -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        amy = await room.enter("Amy")
        desk, bridge = FakeDesk(), bridge_to(site)
        times = [await amy.say("one")]
        async with Watching(bridge, desk) as first:
            await first.joined()
            times.append(await amy.say("two"))
            await first.until(lambda: len(first.of("MessageSent")) == 2)
            site.drop()
            lost = await first.ended()
        times += [await amy.say("three"), await amy.say("four")]
        async with Watching(bridge, desk, "w2") as second:
            await second.joined()
            times.append(await amy.say("five"))
            await second.until(lambda: len(second.of("MessageSent")) == 3)

    assert lost.reason == "lost"
    assert [event["at"] for event in [*first.of("MessageSent"), *second.of("MessageSent")]] == times


async def test_g02_after_a_restart_of_the_server_a_new_roster_replaces_the_old() -> None:
    async with StandIn() as site:
        await site.room("lounge").enter("Amy")
        desk, bridge = FakeDesk(), bridge_to(site)
        async with Watching(bridge, desk) as first:
            await first.joined()
            await site.restart()
            await first.ended()
        async with Watching(bridge, desk, "w2") as second:
            await second.joined()

    def roster(seen: Watching) -> list[Any]:
        return [event.get("people", []) for event in seen.of("RosterSeen")]

    assert [roster(first), roster(second)] == [[[{"person": "amy", "afk": False}]], [[]]]


async def test_a_server_that_is_down_or_knows_no_such_room_ends_the_watch_before_it_began() -> None:
    async with StandIn() as site:
        site.servers["nowhere"] = []
        async with Watching(bridge_to(site, "nowhere")) as nowhere:
            unnamed = await nowhere.ended()
        await site.stop()
        async with Watching(bridge_to(site)) as down:
            lost = await down.ended()

    assert [(end.reason, end.retry_in) for end in (unnamed, lost)] == [("refused", 60.0), ("lost", 0.0)]
    assert (nowhere.observations, down.observations) == ([], [])


async def test_a_frozen_server_is_not_waited_for_longer_than_the_timeout() -> None:
    async with StandIn() as site:
        site.freeze()
        async with Watching(bridge_to(site, join_timeout=0.3)) as seen:
            lost = await seen.ended()
        site.thaw()

    assert lost.reason == "lost"


async def test_the_limit_of_connections_is_kept_to() -> None:
    async with StandIn(Settings(connection_burst=1)) as site:
        bridge = bridge_to(site)
        async with Watching(bridge) as first:
            await first.joined()
        async with Watching(bridge, watch="w2") as second:
            refused = await second.ended()

    assert (refused.reason, refused.retry_in) == ("refused", 15.0)


async def test_too_many_sockets_of_one_address_are_refused() -> None:
    async with StandIn(Settings(sockets_per_address=1)) as site, Watching(bridge_to(site)) as first:
        await first.joined()
        async with Watching(bridge_to(site), watch="w2") as second:
            refused = await second.ended()

    assert (refused.reason, refused.retry_in) == ("refused", 60.0)


async def test_hostile_frames_are_refused_and_the_watch_goes_on() -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        async with Watching(bridge_to(site)) as seen:
            await seen.joined()
            room.tell("chatMsg", {"username": ["x"], "msg": "hi"})
            room.tell("addUser", {"name": "ctrl\x07", "meta": {"afk": False}})
            room.tell("userLeave")
            await room.enter("Amy")
            await seen.until(lambda: seen.of("Joined"))

    assert [(event["refused"], event["reason"]) for event in seen.of("EventRefused")] == [
        ("chatMsg", "type"),
        ("addUser", "control"),
        ("userLeave", "type"),
    ]


async def _rest(observations: AsyncIterator[Observation], kinds: list[str]) -> None:
    async for observation in observations:
        kinds += [type(event).__name__ for event in observation.events]


async def test_more_frames_than_can_wait_end_the_watch_after_those_that_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "MOST_WAITING", 20)
    async with StandIn() as site:
        room = site.room("lounge")
        amy = await room.enter("Amy")
        seen = Watching(bridge_to(site))
        observations = seen.bridge.watch(seen.desk, "w1")
        await anext(observations)
        for _ in range(50):
            await amy.say("x")
        await asyncio.sleep(0.3)
        kinds: list[str] = []
        with pytest.raises(Ended) as ended:
            await _rest(observations, kinds)

    assert ended.value.reason == "lost"
    assert kinds[-1] == "EventRefused"
    assert 0 < kinds.count("MessageSent") <= 21


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_watch_that_ends_leaves_no_task_behind(transport: str) -> None:
    before = asyncio.all_tasks()
    async with StandIn() as site:
        bridge = bridge_to(site, name="StatsBot", transports=(transport,))
        async with Watching(bridge) as stopped:
            await stopped.joined()
        async with Watching(bridge, watch="w2") as kicked:
            await kicked.joined()
            site.room("lounge").kick("StatsBot")
            await kicked.ended()
        async with Watching(bridge, watch="w3") as frozen:
            await frozen.joined()
            site.freeze()
        async with Watching(bridge_to(site, join_timeout=0.1), watch="w4") as refused:
            await refused.ended()
        site.thaw()
        async with Watching(bridge, watch="w5") as lost:
            await lost.joined()
            await site.stop()
            await lost.ended()
    await asyncio.sleep(0.1)

    left = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - before}
    ours = [name for name in left if name.startswith(("AsyncClient.", "_watch", "Visit", "CytubeBridge"))]
    assert ours == []  # the stand-in has some of its own
