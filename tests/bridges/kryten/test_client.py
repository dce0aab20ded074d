"""The bridge to a Kryten-Robot over a real broker: waiting for it, hearing it, losing it, and its defects."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from bridges.bridge import Bridge
from bridges.cytube_room import enter, frame
from bridges.kryten import client, line
from tests.bridges.cytube.watching import Watching
from tests.bridges.desk import FakeDesk
from tests.brokers import Brokers
from userstats.contract.events import MessageSent

from .conftest import Bridging
from .robot import Robot, chat, listening, user

THEN = 1_763_630_000_000
LINES = [chat("Alice", f"line {n}", THEN + n * 1000) for n in range(15)]


async def robot_in(brokers: Brokers, **options: Any) -> Robot:
    """A robot that is in its room and keeps a roster of two."""
    robot = Robot(await brokers.keyless(), **options)
    await robot.keep(users=[user("Alice"), user("Bob", afk=True), user("KrytenBot")], list=[{"name": "#Pog"}])
    await robot.start()
    return robot


def roster(seen: Watching) -> list[list[tuple[str, bool]]]:
    return [[(one["person"], one["afk"]) for one in event.get("people", [])] for event in seen.of("RosterSeen")]


async def test_the_roster_that_the_robot_keeps_begins_the_watch_without_the_robot(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = await robot_in(fresh_broker)
    async with Watching(bridging()) as seen:
        await seen.joined()
        await robot.say("chatMsg", chat("Bob", "#Pog #Nope", THEN))
        await seen.until(lambda: seen.of("MessageSent"))

    first = seen.desk.spelled(seen.observations[0].events)
    assert [event["kind"] for event in first] == ["PlaceNamed", "Named", "Named", "RosterSeen"]
    assert roster(seen) == [[("alice", False), ("bob", True)]]
    assert [(event["author"], event["emotes"]) for event in seen.of("MessageSent")] == [("bob", ["#Pog"])]


async def test_without_a_robot_nothing_is_observed_however_long_its_last_roster_is_kept(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = Robot(await fresh_broker.keyless())
    await robot.keep(users=[user("Alice")])
    bridge = bridging()
    async with Watching(bridge) as seen:
        await asyncio.sleep(0.8)

    assert seen.observations == []
    assert bridge.beat(THEN) == ()


async def test_a_robot_that_answers_nothing_is_believed_when_it_says_something(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = Robot(await fresh_broker.keyless())
    await robot.keep(users=[user("Alice")])
    async with Watching(bridging(bot="KrytenBot")) as seen:
        await listening(fresh_broker)
        await robot.life("heartbeat")
        await robot.say("addUser", user("Bob"))
        await robot.life("heartbeat")
        await seen.until(lambda: len(seen.observations) == 3)

    assert roster(seen) == [[("alice", False)]]
    assert [event["person"] for event in seen.of("Joined")] == ["bob"]
    assert list(seen.observations[2].events) == []


async def test_g06_lines_that_a_robot_repeats_at_each_restart_count_once(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    desk, bridge = FakeDesk(), bridging()
    robot = Robot(await fresh_broker.keyless())
    watches = []
    for number in range(3):
        async with Watching(bridge, desk, f"w{number}") as seen:
            await listening(fresh_broker)
            await robot.start()
            await robot.join([user("Alice"), user("KrytenBot")], LINES)
            await seen.until(lambda seen=seen: seen.of("RosterSeen"))  # type: ignore[misc]
            await robot.stop()
            await seen.ended()
        watches.append(seen)

    assert [len(seen.of("MessageSent")) for seen in watches] == [15, 0, 0]
    assert [roster(seen) for seen in watches] == [[[("alice", False)]]] * 3


@pytest.mark.parametrize("announced", [True, False])
async def test_g06_a_robot_that_connects_anew_within_a_watch_tells_of_what_was_missed_and_nothing_twice(
    fresh_broker: Brokers, bridging: Bridging, announced: bool
) -> None:
    robot = await robot_in(fresh_broker)
    twins = [chat("Bob", "same", THEN + 90_000)] * 2
    missed = chat("Bob", "missed", THEN + 100_000)
    say_so: Callable[[], Any] = {True: robot.start, False: lambda: asyncio.sleep(0)}[announced]
    async with Watching(bridging()) as seen:
        await seen.joined()
        for each in [*LINES, *twins]:
            await robot.say("chatMsg", each)
        for _ in range(2):
            await say_so()
            await robot.join([user("Alice"), user("Bob")], [*LINES[3:], *twins, missed])
        await robot.say("chatMsg", chat("Alice", "live", THEN + 200_000))
        await seen.until(lambda: seen.of("MessageSent")[-1]["at"] == THEN + 200_000)

    lines = Counter(event["at"] - THEN for event in seen.of("MessageSent"))
    assert lines == {**{n * 1000: 1 for n in range(15)}, 90_000: 2, 100_000: 1, 200_000: 1}
    assert roster(seen)[-2:] == [[("alice", False), ("bob", False)]] * 2


async def test_an_envelope_that_the_robot_publishes_twice_counts_once(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = await robot_in(fresh_broker)
    envelopes = [
        {"event_name": "chatMsg", "payload": each, "channel": "420Grindhouse", "domain": "cytu.be",
         "correlation_id": f"id-{n}"}
        for n, each in enumerate(LINES[:5])
    ]  # fmt: skip
    async with Watching(bridging()) as seen:
        await seen.joined()
        for envelope in [*envelopes, *envelopes]:
            await robot.raw("chatMsg", json.dumps(envelope).encode())
        await seen.until(lambda: len(seen.observations) == 11)

    assert [event["at"] for event in seen.of("MessageSent")] == [THEN + n * 1000 for n in range(5)]


async def test_the_same_line_is_the_same_event_of_the_same_person_whichever_bridge_tells_it(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    said = [chat("Alice", "hello Bob", THEN), chat("Alice", "hello Bob", THEN), chat("Bob", "lol Alice", THEN + 5)]
    desk, bridge = FakeDesk(), bridging()
    room, directly = enter(bridge.place, "w1", desk), []
    for each in said:
        room, observation = frame(room, "chatMsg", (each,), THEN, desk)
        directly += [event for event in observation.events if isinstance(event, MessageSent)]
    robot = await robot_in(fresh_broker)
    async with Watching(bridge) as seen:
        await seen.joined()
        for each in said:
            await robot.say("chatMsg", each)
        await seen.until(lambda: len(seen.of("MessageSent")) == 3)

    told = [event for event in seen.events if isinstance(event, MessageSent)]
    assert [(event.id, event.author, event.place) for event in told] == [
        (event.id, event.author, event.place) for event in directly
    ]


async def test_what_is_no_message_of_a_person_is_not_told(fresh_broker: Brokers, bridging: Bridging) -> None:
    robot = await robot_in(fresh_broker)
    async with Watching(bridging(bots=("Helper",))) as seen:
        await seen.joined()
        await robot.say("chatMsg", chat("[server]", "Bob joined (aliases: x)", THEN))
        await robot.say("chatMsg", chat("Alice", "nobody sees this", THEN, shadow=True))
        await robot.say("chatMsg", chat("KrytenBot", "I am the robot", THEN))
        await robot.say("chatMsg", chat("Helper", "beep", THEN))
        await robot.say("pm", {**chat("KrytenBot", "an echo", THEN), "to": "Alice"})
        await robot.say("pm", {**chat("Alice", "for you", THEN), "to": "KrytenBot"})
        await robot.say("errorMsg", {"msg": "This channel has blocked anonymous users."})
        await robot.say("chatMsg", chat("Alice", "for all", THEN + 1))
        await seen.until(lambda: [event for event in seen.of("MessageSent") if event["author"] == "alice"])

    assert [(event["author"], event.get("by", "person")) for event in seen.of("MessageSent")] == [
        ("helper", "bot"), ("alice", "person"),
    ]  # fmt: skip
    assert [(event["author"], event["words"]) for event in seen.of("PrivateMessageSent")] == [("alice", 2)]


@pytest.mark.parametrize(
    ("configured", "says", "people"),
    [
        ("", "KrytenBot", ["alice", "bob"]),
        ("Krytenbot", "guest", ["alice", "bob"]),
        ("", "guest", ["alice", "bob", "krytenbot"]),
    ],
)
async def test_the_robot_is_not_one_of_the_people_where_its_name_is_known(
    fresh_broker: Brokers, bridging: Bridging, configured: str, says: str, people: list[str]
) -> None:
    await robot_in(fresh_broker, bot=says)
    async with Watching(bridging(bot=configured)) as seen:
        await seen.joined()

    assert [name for name, _ in roster(seen)[0]] == people


async def test_in_a_silent_room_the_robot_is_asked_and_its_answers_are_proof_of_life(
    fresh_broker: Brokers, bridging: Bridging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ASK_SECONDS", 0.05)
    await robot_in(fresh_broker)
    async with Watching(bridging()) as seen:
        await seen.until(lambda: len(seen.observations) > 3)

    assert {tuple(observation.events) for observation in seen.observations[1:]} == {()}


async def test_g25_a_robot_that_answered_and_does_so_no_more_ends_the_watch(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = await robot_in(fresh_broker)
    async with Watching(bridging()) as seen:
        await seen.joined()
        await robot.mute()
        await robot.life("heartbeat")
        ended = await seen.ended()

    assert (ended.reason, ended.explanation) == ("lost", "the robot does not answer any more")


async def test_a_robot_that_stops_ends_the_watch_and_a_new_one_waits_for_its_return(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = await robot_in(fresh_broker)
    desk, bridge = FakeDesk(), bridging()
    async with Watching(bridge, desk) as first:
        await first.joined()
        await robot.stop()
        ended = await first.ended()
    async with Watching(bridge, desk, "w2") as second:
        await asyncio.sleep(0.5)
        before = list(second.observations)
        await robot.keep(users=[user("Carol")])
        await robot.start()
        await second.until(lambda: second.of("RosterSeen"))

    assert (ended.reason, ended.explanation, before) == ("lost", "the robot has left the room", [])
    assert roster(second) == [[("carol", False)]]


async def test_a_kicked_robot_ends_the_watch_and_its_answers_alone_do_not_begin_another(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = await robot_in(fresh_broker)
    bridge = bridging()
    async with Watching(bridge) as first:
        await first.joined()
        await robot.say("kick", {"reason": "get lost, spy"})
        kicked = await first.ended()
    async with Watching(bridge, watch="w2") as second:
        await asyncio.sleep(0.5)
        before = list(second.observations)
        await robot.join([user("Alice")])
        await second.until(lambda: len(roster(second)) == 2)

    assert (kicked.reason, kicked.explanation, kicked.retry_in) == ("kicked", "the robot: kicked by a moderator", 0.0)
    assert before == []


async def test_two_sites_with_rooms_of_one_name_are_kept_apart(fresh_broker: Brokers, bridging: Bridging) -> None:
    ours = Robot(await fresh_broker.keyless(), "Lounge", "cytu.be")
    theirs = Robot(await fresh_broker.keyless(), "lounge", "other.tube")
    await theirs.keep(users=[user("Stranger")])
    for robot in (ours, theirs):
        await robot.start()
    async with Watching(bridging("lounge")) as seen:
        await seen.joined()
        await theirs.say("userlist", [user("Stranger")])
        await theirs.say("chatMsg", chat("Stranger", "hi", THEN))
        await ours.say("chatMsg", chat("Alice", "hi", THEN))
        await theirs.stop()
        await ours.say("userlist", [user("Alice")])
        await seen.until(lambda: seen.of("RosterSeen"))

    assert [event["author"] for event in seen.of("MessageSent")] == ["alice"]
    assert roster(seen) == [[("alice", False)]]
    assert {event["name"] for event in seen.of("Named")} == {"Alice"}


async def test_a_robot_of_another_room_comes_and_goes_without_a_trace(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = await robot_in(fresh_broker)
    other = Robot(await fresh_broker.keyless(), "elsewhere")
    async with Watching(bridging()) as seen:
        await seen.joined()
        await other.start()
        await other.join([user("Stranger")])
        await other.stop()
        await robot.say("addUser", user("Carol"))
        await seen.until(lambda: seen.of("Joined"))

    assert [event["person"] for event in seen.of("Joined")] == ["carol"]
    assert len(roster(seen)) == 1


async def test_when_the_broker_is_gone_the_watch_is_over(fresh_broker: Brokers, bridging: Bridging) -> None:
    await robot_in(fresh_broker)
    bridge = bridging()
    async with Watching(bridge) as seen:
        await seen.joined()
        await fresh_broker.embedded.stop()
        lost = await seen.ended()
    async with Watching(bridge, watch="w2") as away:
        unreachable = await away.ended(within=15)

    assert (lost.reason, lost.explanation) == ("lost", "Kryten's broker is gone")
    assert (unreachable.reason, away.observations) == ("lost", [])


@pytest.mark.parametrize(("limit", "value"), [("MOST_WAITING", 20), ("MOST_BYTES", 4000)])
async def test_what_arrives_faster_than_it_is_read_ends_the_watch_and_is_told_as_lost(
    fresh_broker: Brokers, bridging: Bridging, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(line, limit, value)
    robot = await robot_in(fresh_broker)
    async with Watching(bridging()) as seen:
        await seen.joined()
        prefix = "kryten.events.cytube.420grindhouse"
        for n in range(2000):
            await robot.client.publish(f"{prefix}.junk{n}", b'{"event_name":1}' + b" " * 100)
        ended = await seen.ended()

    assert (ended.reason, ended.explanation) == ("lost", "too much arrived at once")
    assert [event["reason"] for event in seen.of("EventRefused")][-1] == "overflow"


async def test_hostile_messages_are_refused_and_the_watch_goes_on(
    fresh_broker: Brokers, bridging: Bridging, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bridges")
    robot = await robot_in(fresh_broker)
    async with Watching(bridging()) as seen:
        await seen.joined()
        for data in (
            b"",
            b"{oops",
            b"[1]",
            b'{"event_name":"chatMsg"}',
            b"[" * 5000,
            b"\xff\xfe",
            b"null",
            b"9" * 5000,
        ):
            await robot.raw("chatMsg", data)
        await robot.say("chatMsg", {"username": ["x"], "msg": "marker-in-a-line"})
        await robot.say("addUser", {"name": "ctrl\x07", "meta": {"afk": False}})
        await robot.say("changeMedia", chat("marker-in-a-line", "\ud83d", THEN))
        await robot.say("neverHeardOf", {"msg": "marker-in-a-line"})
        await robot.life("disconnected", target=["CyTube"], domain=3)
        await robot.say("addUser", user("Carol"))
        await seen.until(lambda: seen.of("Joined"))

    assert Counter((event["refused"], event["reason"]) for event in seen.of("EventRefused")) == {
        ("envelope", "malformed"): 8, ("chatMsg", "type"): 1, ("addUser", "control"): 1, ("changeMedia", "type"): 1,
    }  # fmt: skip
    assert "marker-in-a-line" not in f"{caplog.text}{seen.told}"


async def test_the_buckets_are_found_however_the_robot_spells_the_room(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = Robot(await fresh_broker.keyless(), "My_Room-2")
    await robot.keep(users=[user("Alice")])
    await robot.start()
    async with Watching(bridging("MY_room-2")) as seen:
        await seen.joined()

    assert roster(seen) == [[("alice", False)]]
    assert [event["name"] for event in seen.of("PlaceNamed")] == ["MY_room-2"]


async def test_a_robot_that_keeps_nothing_is_heard_and_its_roster_awaited(
    fresh_broker: Brokers, bridging: Bridging
) -> None:
    robot = Robot(await fresh_broker.keyless())
    await robot.start()
    bridge: Bridge = bridging()
    async with Watching(bridge) as seen:
        await seen.joined()
        none_yet = bridge.beat(THEN)
        await robot.join([user("Alice")])
        await seen.until(lambda: seen.of("RosterSeen"))
        await seen.until(lambda: bridge.beat(THEN)[0].connected == 3)  # type: ignore[attr-defined]

    assert none_yet == ()
    assert [event["kind"] for event in seen.desk.spelled(seen.observations[0].events)] == ["PlaceNamed"]
