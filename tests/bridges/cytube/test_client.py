"""The bridge against a stand-in CyTube over real sockets: coming in and hearing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter

import pytest

from bridges.cytube import bridges, client, socket
from bridges.cytube.client import guest_name
from bridges.cytube_room import GIVEN_ROOMS
from tests.stand_ins.cytube import Settings, StandIn
from userstats.contract.config import from_document

from .watching import Watching, bridge_to


async def test_an_anonymous_bot_hears_the_room_and_is_not_one_of_its_people() -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        amy = await room.enter("Amy")
        missed = await amy.say("said before")
        bridge = bridge_to(site)
        async with Watching(bridge) as seen:
            await seen.joined()
            await room.enter("Bob", 0)
            await amy.afk()
            said = await amy.say("hello there")
            await room.play("A Film", 600, by="Amy")
            await seen.until(lambda: seen.of("MediaStarted"))
            people = bridge.beat(seen.desk.now())

    first = seen.desk.spelled(seen.observations[0].events)
    assert [event["kind"] for event in first] == ["PlaceNamed", "Named", "MessageSent", "RosterSeen"]
    assert first[0]["name"] == "Lounge"
    assert [event.get("person") or event.get("author") or event.get("title") for event in seen.told[2:]] == [
        "amy", None, "bob", "bob", "amy", "amy", "amy", "A Film",
    ]  # fmt: skip
    assert [(event["author"], event["at"], event["words"]) for event in seen.of("MessageSent")] == [
        ("amy", missed, 2),
        ("amy", said, 2),
    ]
    assert [event["kind"] for event in seen.told[4:]] == [
        "Named", "Joined", "AfkStarted", "AfkEnded", "MessageSent", "MediaStarted",
    ]  # fmt: skip
    assert seen.desk.spelled(people)[0]["named"] == 2
    assert bridge.beat(seen.desk.now()) == ()


async def test_a_guest_logs_in_before_joining_and_leaves_when_stopped() -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        amy = await room.enter("Amy")
        async with Watching(bridge_to(site, name="StatsBot")) as seen:
            await seen.joined()
            here = room.find("statsbot") is not None
            await amy.pm("StatsBot", "one two three")
            await seen.until(lambda: seen.of("PrivateMessageSent"))
        await asyncio.sleep(0.05)
        gone = room.find("statsbot") is None

    assert (here, gone) == (True, True)
    assert [event["people"] for event in seen.of("RosterSeen")] == [[{"person": "amy", "afk": False}]]
    assert [(event["author"], event["words"]) for event in seen.of("PrivateMessageSent")] == [("amy", 3)]


@pytest.mark.parametrize("slow_rank", [False, True])
async def test_an_account_logs_in_with_its_password_and_a_moderators_view_tells_no_more(slow_rank: bool) -> None:
    async with StandIn(Settings(slow_rank=slow_rank)) as site:
        site.account("StatsBot", "hunter2")
        room = site.room("lounge")
        room.grant("StatsBot", 3)
        amy = await room.enter("Amy")
        room.mute("Amy", shadow=True)
        async with Watching(bridge_to(site, name="statsbot", account_password="hunter2")) as seen:
            await seen.joined()
            await amy.say("nobody sees this")
            await room.enter("Bob")
            await seen.until(lambda: seen.of("Joined"))

    assert seen.of("MessageSent", "EventRefused") == []
    assert {event["person"] for event in seen.of("Named")} == {"amy", "bob"}


async def test_with_a_wrong_account_password_the_bot_stays_and_is_anonymous(caplog: pytest.LogCaptureFixture) -> None:
    async with StandIn() as site:
        site.account("StatsBot", "hunter2")
        async with Watching(bridge_to(site, name="StatsBot", account_password="wrong-one")) as seen:
            await seen.joined()

    assert [record.levelname for record in caplog.records if "refuses the login" in record.message] == ["ERROR"]
    assert "wrong-one" not in caplog.text


async def test_a_guest_whose_name_is_not_free_yet_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LOGIN_AGAIN", 0.3)
    async with StandIn(Settings(guest_login_delay=0.5)) as site:
        room = site.room("lounge")
        bridge = bridge_to(site, name="StatsBot")
        async with Watching(bridge) as first:
            await first.joined()
        async with Watching(bridge, watch="w2") as seen:
            await seen.joined()
            inside = room.find("StatsBot")
            amy = await room.enter("Amy")
            async with asyncio.timeout(5):
                while room.find("StatsBot") is None:
                    await amy.say("anything that makes the bot look up")
                    await asyncio.sleep(0.05)
            await amy.pm("StatsBot", "hello")
            await seen.until(lambda: seen.of("PrivateMessageSent"))

    assert inside is None
    assert {event["person"] for event in seen.of("Joined", "Left")} == {"amy"}


async def test_a_room_with_a_password_opens_for_the_right_one_only() -> None:
    async with StandIn() as site:
        site.room("lounge").set_options(password="open sesame")
        async with Watching(bridge_to(site, password="open sesame")) as seen:
            await seen.joined()
        async with Watching(bridge_to(site, password="wrong", join_timeout=0.3)) as wrong:
            refused = await wrong.ended()
        async with Watching(bridge_to(site, join_timeout=0.3)) as without:
            unnamed = await without.ended()

    assert [(end.reason, end.explanation, end.retry_in) for end in (refused, unnamed)] == [
        ("refused", "wrong room password", 300.0),
        ("refused", "the room wants a password", 300.0),
    ]
    assert (wrong.observations, without.observations) == ([], [])


async def test_a_room_that_admits_nobody_anonymous_admits_a_guest() -> None:
    async with StandIn() as site:
        site.room("lounge").set_options(block_anonymous_users=True)
        async with Watching(bridge_to(site)) as anonymous:
            refused = await anonymous.ended()
        async with Watching(bridge_to(site, name="StatsBot")) as guest:
            await guest.joined()

    assert (refused.reason, refused.explanation) == ("refused", "the room does not admit anonymous users")


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_silent_room_gives_proof_of_life(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "SIGN_OF_LIFE", 0.05)
    async with StandIn(Settings(ping_interval=0.1)) as site:
        bridge = bridge_to(site, transports=(transport,))
        async with Watching(bridge) as seen:
            await seen.joined()
            await seen.until(lambda: len(seen.observations) > 4)

    assert {tuple(observation.events) for observation in seen.observations[3:]} == {()}


async def test_a_room_that_nobody_registered_is_joined_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async with StandIn() as site, Watching(bridge_to(site, "Misspelled")) as seen:
        await seen.joined()
        await asyncio.sleep(0.05)

    assert seen.bridge.place.channel == "misspelled"
    assert [record.levelname for record in caplog.records if "registered" in record.message] == ["WARNING"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_join_with_a_whole_replay_arrives_in_one_piece(transport: str) -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        amy = await room.enter("Amy")
        times = [await amy.say(f"{n}") for n in range(20)]
        async with Watching(bridge_to(site, transports=(transport,))) as seen:
            await seen.joined()

    assert [event["at"] for event in seen.of("MessageSent")] == times[5:]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_an_evening_is_counted_exactly_and_in_order(transport: str) -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        async with Watching(bridge_to(site, transports=(transport,))) as seen:
            await seen.joined()
            await room.chatter(400, people=12, seed=7)
            expected = room.report()
            await seen.until(lambda: len(seen.of("MessageSent")) == expected["messages"], within=20)

    lines = seen.of("MessageSent")
    said = {name.lower(): person["messages"] for name, person in expected["people"].items() if person["messages"]}
    assert Counter(line["author"] for line in lines) == said
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert seen.of("EventRefused") == []


async def test_no_password_and_nothing_that_was_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with StandIn() as site:
        site.account("StatsBot", "hunter2")
        room = site.room("lounge")
        room.set_options(password="open sesame")
        amy = await room.enter("Amy")
        await amy.say("earlier marker")
        bot = bridge_to(site, name="StatsBot", account_password="hunter2", password="open sesame")
        async with Watching(bot) as seen:
            await seen.joined()
            await amy.say("later marker")
            await amy.pm("StatsBot", "private marker")
            await seen.until(lambda: seen.of("PrivateMessageSent"))
            room.kick("StatsBot", "kicking marker")
            await seen.ended()

    logged = [record for record in caplog.records if not record.name.startswith(("engineio.server", "socketio.server"))]
    text = "\n".join(f"{record.name} {record.getMessage()}" for record in logged)
    assert [secret for secret in ("hunter2", "open sesame", "marker") if secret in text] == []
    assert "marker" not in repr((seen.observations, seen.desk.cursors))


async def test_in_a_room_of_the_command_line_the_bot_is_a_guest_and_none_of_the_people() -> None:
    async with StandIn() as site:
        room = site.room("lounge")
        await room.enter("Amy")
        (bot,) = bridges(from_document({}), {GIVEN_ROOMS: json.dumps([f"{site.url}/lounge"])})
        async with Watching(bot) as seen:
            await seen.joined()
            names = [member.name for member in room.members]

    assert names == ["Amy", guest_name(seen.desk.pseudonyms)]
    assert [roster["people"] for roster in seen.of("RosterSeen")] == [[{"person": "amy", "afk": False}]]
