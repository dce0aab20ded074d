"""What a real Kryten-Robot was seen to publish and to keep, through a real broker and the bridge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridges.cytube_room import Channel
from bridges.kryten import KrytenBridge, KrytenSettings
from tests.bridges.cytube.watching import Watching
from tests.brokers import Brokers

from .robot import Robot, listening

CAPTURES = Path(__file__).parents[4] / "shared" / "reference" / "kryten"
pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures of a real robot are not in this checkout")

NOW = 1_700_000_000_000

KEPT: list[dict[str, Any]] = [
    {"kind": "PlaceNamed", "at": NOW, "name": "420Grindhouse"},
    {"kind": "Named", "at": NOW, "key": "the name alice", "name": "Alice", "person": "alice", "account": "alice"},
    {"kind": "MediaStarted", "at": NOW, "title": "First.In.List.1984.mkv", "media_type": "yt", "media_id": "first01",
     "seconds": 5400, "queued_by": "alice", "resumed": True},
    {"kind": "Named", "at": NOW, "key": "the name bob", "name": "Bob", "person": "bob", "account": "bob"},
    {"kind": "RosterSeen", "at": NOW, "people": [{"person": "alice", "afk": True}, {"person": "bob", "afk": False}]},
]  # fmt: skip

MEANT: dict[str, list[dict[str, Any]]] = {
    "userlist": [
        {"kind": "RosterSeen", "at": NOW, "people": [{"person": "alice", "afk": True}, {"person": "bob", "afk": False}]}
    ],
    "chatmsg": [{"kind": "MessageSent", "at": 1763630000000, "author": "alice", "characters": 44, "words": 8}],
    "changemedia": [
        {"kind": "MediaStarted", "at": NOW, "title": "Really Playing (1999)", "media_type": "yt",
         "media_id": "second02", "seconds": 6000, "queued_by": "bob"},
    ],
    "adduser": [
        {"kind": "Named", "at": NOW, "key": "the name carol-ann", "name": "Carol-Ann", "person": "carol-ann",
         "account": "carol-ann"},
        {"kind": "Joined", "at": NOW, "person": "carol-ann"},
    ],
    "pm": [{"kind": "PrivateMessageSent", "at": 1763630104000, "author": "bob", "characters": 9, "words": 2}],
    "setusermeta": [{"kind": "AfkStarted", "at": NOW, "person": "bob"}],
    "userleave": [{"kind": "Left", "at": NOW, "person": "carol-ann"}],
}  # fmt: skip
"""What is not listed means nothing to statistics, or was said before (setAFK after setUserMeta)."""


def capture(name: str) -> Any:
    return json.loads((CAPTURES / name).read_text())


async def test_every_frame_and_every_bucket_of_a_real_robot_means_what_it_should(fresh_broker: Brokers) -> None:
    client = await fresh_broker.keyless()
    robot = Robot(client)
    for bucket in capture("robot_kv.json").values():
        await robot.keep(**{key: value for key, value in bucket["keys"].items() if key not in ("motd", "css", "js")})
    await robot.start()
    frames = capture("robot_events.json")
    channel = Channel(domain="cytu.be", channel="420Grindhouse", via="kryten")
    bridge = KrytenBridge(KrytenSettings(), fresh_broker.settings, fresh_broker.folder, channel)
    async with Watching(bridge) as seen:
        await seen.joined()
        for frame in frames.values():
            await client.publish(frame["subject"], json.dumps(frame["data"]).encode())
        await seen.until(lambda: len(seen.observations) == 1 + len(frames))
        (population,) = seen.desk.spelled(bridge.beat(NOW))

    assert seen.desk.spelled(seen.observations[0].events) == KEPT
    meant = {
        name: seen.desk.spelled(observation.events)
        for name, observation in zip(frames, seen.observations[1:], strict=True)
    }
    assert meant == {name: MEANT.get(name, []) for name in frames}
    assert population == {"kind": "PopulationCounted", "at": NOW, "connected": 4, "named": 2, "not_afk": 0}


async def test_every_moment_of_a_real_robots_life_is_understood(fresh_broker: Brokers) -> None:
    client = await fresh_broker.keyless()
    channel = Channel(domain="cytu.be", channel="420grindhouse", via="kryten")
    bridge = KrytenBridge(KrytenSettings(), fresh_broker.settings, fresh_broker.folder, channel)
    async with Watching(bridge) as seen:
        await listening(fresh_broker)
        for message in capture("robot_lifecycle.json"):
            await client.publish(message["subject"], json.dumps(message["data"]).encode())
        ended = await seen.ended()

    assert (ended.reason, ended.explanation) == ("lost", "the robot has left the room")
    assert [event["kind"] for event in seen.told] == ["PlaceNamed"]
