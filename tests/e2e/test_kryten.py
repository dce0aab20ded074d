"""Kryten's whole line: a robot's envelopes, the bridge and userstats as processes, a client's question; no keys."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import nats.errors
from nats.aio.client import Client

from tests.bridges.kryten.robot import Robot, chat, listening, user
from tests.brokers import Brokers
from tests.e2e.processes import Part, configure
from userstats.contract import subjects

ROOM = "420Grindhouse"
QUICK = {
    "beat_seconds": 0.3, "lease_seconds": 2, "renew_seconds": 0.2, "settings_seconds": 0.2, "retry_seconds": 0.05,
    "slowest_retry_seconds": 0.2, "stop_seconds": 2,
}  # fmt: skip


async def reply(client: Client, command: str, **request: Any) -> Any:
    """The data of an answer, waiting until userstats is there."""
    body = json.dumps({"service": "userstats", "command": command, **request}).encode()
    async with asyncio.timeout(30):
        while True:
            try:
                answer = json.loads((await client.request(subjects.KRYTEN_COMMAND, body, timeout=5)).data)
            except nats.errors.Error:
                await asyncio.sleep(0.1)
                continue
            return answer["data"]


async def until(client: Client, expected: Any, pick: Any, command: str, **request: Any) -> Any:
    """Ask until what is picked from the data is as expected; returns it, for the test to compare."""
    picked = None
    for _ in range(300):
        picked = pick(await reply(client, command, **request))
        if picked == expected:
            return picked
        await asyncio.sleep(0.1)
    return picked


async def test_a_scripted_room_is_counted_exactly_though_bridge_and_robot_are_restarted(fresh_broker: Brokers) -> None:
    configure(
        fresh_broker.folder, nats={"port": -1}, http={"port": 0}, bridge=QUICK,
        channels=[{"domain": "cytu.be", "channel": ROOM, "via": "kryten"}],
    )  # fmt: skip
    robot, client = Robot(await fresh_broker.keyless(), ROOM), await fresh_broker.keyless()
    await robot.keep(users=[user("Alice"), user("Bob", afk=True), user("KrytenBot")], list=[{"name": "#PogChamp"}])
    await robot.start()
    async with (
        Part(fresh_broker.folder, "userstats") as userstats,
        Part(fresh_broker.folder, "bridges", "kryten") as bridge,
    ):
        await until(client, 2, lambda data: data["active_sessions"], "system.stats")

        now = int(time.time() * 1000) - 60_000
        lines = [chat(("Alice", "Bob")[n % 2], f"line {n}", now + n * 1000) for n in range(20)]
        lines += [
            chat("Alice", "Bob++ that was good #PogChamp #pogchamp", now + 20_000),
            chat("Bob", "lol Alice", now + 21_000),
            chat("Bob", "<strong>alice</strong>++", now + 22_000),
        ]
        for line in lines:
            await robot.say("chatMsg", line)
        await robot.say("chatMsg", chat("[server]", "Carol joined (aliases: x)", now + 22_500))
        await robot.say("chatMsg", chat("Bob", "nobody sees this", now + 22_600, shadow=True))
        await robot.say("pm", {**chat("Alice", "hello bot", now + 22_700), "to": "KrytenBot"})
        await robot.say("addUser", user("Carol-Ann"))
        counted = ("total_messages", "total_pms", "active_sessions")
        await until(client, [23, 1, 3], lambda data: [data[name] for name in counted], "system.stats")

        await bridge.kill()
        await listening(fresh_broker, 0)
        missed = [chat("Alice", f"missed {n}", now + 30_000 + n) for n in range(3)]
        for line in missed:
            await robot.say("chatMsg", line)
        await robot.mute()
        await bridge.start()
        await listening(fresh_broker)
        for _ in range(2):
            await robot.start()
            await robot.join([user("Alice"), user("Bob"), user("KrytenBot")], [*lines[-12:], *missed])
        await robot.say("chatMsg", chat("Bob", "the end", now + 40_000))
        total = await until(client, 27, lambda data: data["total_messages"], "system.stats")
        alice = await reply(client, "user.stats", username="ALICE", channel=ROOM.lower())
        bob = await reply(client, "user.stats", username="bob")
        board = await reply(client, "leaderboard.messages")
        stopped = [await bridge.stop(), await userstats.stop()]

    assert total == 27
    assert {**alice, "activity": ...} == {
        "username": "ALICE", "messages": 14, "all_messages": [{"channel": ROOM, "count": 14}], "pms": 1,
        "kudos_plusplus": 1, "kudos_phrases": [{"phrase": "lol", "count": 1}],
        "emotes": [{"emote": "pogchamp", "count": 1}], "activity": ...,
    }  # fmt: skip
    assert {**bob, "all_activity": ...} == {
        "username": "bob", "messages": 0, "all_messages": [{"channel": ROOM, "count": 13}], "pms": 0,
        "kudos_plusplus": 1, "kudos_phrases": [], "emotes": [], "all_activity": ...,
    }  # fmt: skip
    assert board == {"channel": None, "leaderboard": [
        {"username": "Alice", "count": 14}, {"username": "Bob", "count": 13},
    ]}  # fmt: skip
    assert stopped == [0, 0]
