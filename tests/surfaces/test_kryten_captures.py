"""Every request that kryten-userstats 0.7.1 was seen to answer, sent to a userstats process: the same shapes."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from tests.brokers import Brokers
from tests.e2e.processes import Part, configure
from tests.say import (
    World,
    afk,
    joined,
    left,
    media,
    message,
    named,
    phrase_added,
    place_named,
    population,
    roster,
    started,
)
from userstats.contract import subjects
from userstats.service import Message
from userstats.store.sqlite import SQLiteStore

CAPTURES = Path(__file__).parents[3] / "shared" / "reference" / "kryten" / "userstats_commands.json"
pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures of the peer are not in this checkout")

RIGHTED = {
    "leaderboard.messages (no channel)": "the peer asks for a channel, though its own clients send none",
    "alias.resolve (kryten-economy plans to call it)": "the peer does not know it",
    "timeseries.kudos": "the peer's list is always empty",
    "malformed JSON": "the peer's reply has no service and success",
    "JSON array": "the peer's reply has no service and success",
    "older subjects": "nobody answered these",
}
"""Captures that are answered otherwise on purpose; test_kryten.py says how."""
KEY = b"the key of the tests, all of them".hex()
ROOM = "420Grindhouse"


def captures() -> dict[str, Any]:
    listed = json.loads(CAPTURES.read_text())
    return {name: capture for name, capture in listed.items() if name not in RIGHTED}


def shape(value: Any) -> Any:
    """A value with types instead of contents; of a list the shape of its first element."""
    kinds: dict[type, Any] = {
        dict: lambda: {key: shape(item) for key, item in value.items()},
        list: lambda: [shape(item) for item in value[:1]],
        int: lambda: "number",
        float: lambda: "number",
    }
    return kinds.get(type(value), lambda: type(value).__name__)()


async def events(world: World) -> list[Message]:
    """What an evening like the captured one leaves in the stream; Alice never joined, so she has no time there."""
    grind = "420grindhouse"
    world.now = int(time.time() * 1000) - 40 * 60_000
    world.now -= world.now % 300_000
    return world.messages(
        started(grind),
        place_named(ROOM, grind),
        phrase_added("haha"),
        *(named(name, grind) for name in ("Alice", "Bob", "Troll")),
        roster("bob", where=grind),
        media("First In List 1984", grind, media_id="first01"),
        population(3, 3, 3, grind),
        message("alice", grind, emotes=("#PogChamp",), thanks=["bob", ("bob", "lol")], vote=1),
        message("bob", grind, thanks=["alice", ("troll", "haha")], vote=-1),
        message("troll", grind, thanks=[("alice", "haha")]),
        message("troll", grind, thanks=[("bob", "lol")]),
        "+5m",
        afk("bob", grind),
        joined("troll", grind),
        population(6, 6, 6, grind),
        media("Another Movie 2001", grind, media_type="fi", media_id="m2"),
        "+10m",
        left("bob", grind),
        population(5, 4, 4, grind),
        "+5m",
    )


async def answered(client: Client, capture: dict[str, Any]) -> Any:
    raw = capture.get("request_raw") or json.dumps(capture["request"])
    reply = await client.request(subjects.KRYTEN_COMMAND, raw.encode(), timeout=5)
    return json.loads(reply.data)


async def test_every_captured_request_is_answered_in_the_shape_of_the_peer(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERSTATS_PSEUDONYM_KEY", KEY)
    channels = [{"domain": "cytu.be", "channel": ROOM}]
    configure(fresh_broker.folder, nats={"port": -1}, http={"port": 0}, channels=channels)
    await publish(fresh_broker, tmp_path)
    client = await fresh_broker.keyless()
    heard = await client.subscribe(subjects.kryten_lifecycle("userstats", "startup"))
    await client.flush()
    listed = captures()
    async with Part(fresh_broker.folder, "userstats") as userstats:
        await heard.next_msg(timeout=20)
        async with asyncio.timeout(20):
            while await messages(client) < 4:  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.05)
        replies = {name: await answered(client, capture) for name, capture in listed.items()}
        stopped = await userstats.stop()

    assert {name: shape(reply) for name, reply in replies.items()} == {
        name: shape(capture["response"]) for name, capture in listed.items()
    }
    same = [name for name in listed if name.startswith("alias.") or not listed[name]["response"]["success"]]
    assert {name: replies[name] for name in same} == {name: listed[name]["response"] for name in same}
    assert stopped == 0


async def publish(brokers: Brokers, folder: Path) -> None:
    """Put the evening into the stream."""
    store = await SQLiteStore.open(folder / "scratch.db")
    said = await events(await World.open(store))
    await store.close()
    bridge, recorder = await brokers.connect("bridge_cytube"), await brokers.connect("recorder")
    for one in said:
        ours = one.subject.startswith(subjects.events_of("userstats").removesuffix(">"))
        await (recorder if ours else bridge).request(one.subject, one.data, timeout=5)


async def messages(client: Client) -> int:
    """How many are counted."""
    reply = await answered(client, {"request": {"command": "channel.top_users", "channel": ROOM}})
    return sum(row["count"] for row in reply["data"]["top_users"])
