"""What is not granted, refused, too much, or out of reach: said in a clear sentence, and the rest works."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bridges.bridge import Ended
from bridges.discord import bridges
from bridges.discord.guild import Rules
from bridges.discord.identify import Turns
from bridges.discord.settings import Discord
from bridges.discord.shard import DiscordBridge
from tests.stand_ins.discord import Intent, Settings, StandIn
from tests.stand_ins.discord.settings import ALL_INTENTS
from userstats.contract.config import ConfigError, from_document

from .watching import of_guild, shard_of, watching, whole

PRIVILEGED = {
    "members": (Intent.GUILD_MEMBERS, "Server Members"),
    "presences": (Intent.GUILD_PRESENCES, "Presence"),
    "message_content": (Intent.MESSAGE_CONTENT, "Message Content"),
}


def stage(site: StandIn, name: str = "cinema") -> tuple[Any, Any, Any]:
    """A guild with a channel and amy in it."""
    guild = site.guild(name)
    channel, amy = site.channel(guild, "general"), site.user("amy")
    site.enrol(guild, amy)
    return guild, channel, amy


async def first_error(bridge: DiscordBridge) -> BaseException:
    """What a watch ends with that is soon over."""
    seen = watching(bridge)
    async with asyncio.timeout(10), aclosing(bridge.watch(seen.desk, "w1")) as observations:  # type: ignore[type-var]
        try:
            async for _ in observations:
                continue
        except (Ended, ConfigError) as error:
            return error
    raise AssertionError("it did not end")


@pytest.mark.parametrize("missing", PRIVILEGED)
async def test_g28_without_one_of_the_intents_it_is_said_and_the_rest_is_told(
    missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    intent, title = PRIVILEGED[missing]
    async with StandIn(Settings(granted=ALL_INTENTS & ~intent)) as site:
        guild, channel, amy = stage(site)
        bridge = shard_of(site)
        async with watching(bridge) as seen:
            await seen.until(lambda: whole(seen, guild))
            await amy.presence("idle")
            await site.user("bob").join(guild)
            await amy.say(channel, "three small words")
            await seen.until(lambda: seen.of("MessageSent") and (missing == "members" or seen.of("MembersSeen")))

        (sent,) = seen.of("MessageSent")
        told = {event["kind"] for event in seen.told}
        assert [event.get("missing") for event in of_guild(seen, guild) if event["kind"] == "NotGranted"] == [[missing]]
        assert sent.get("words", 0) == {"message_content": 0}.get(missing, 3)
        assert ("MemberJoined" in told, "MembersSeen" in told) == ((missing != "members"),) * 2
        assert ("PresenceChanged" in told, "PresencesSeen" in told) == ((missing != "presences"),) * 2
        assert bridge.trouble == f"without the intents {title}"
        assert [record.message for record in caplog.records if title in record.message] != []
        assert site.violations == []


async def test_g28_numbers_that_are_not_told_are_asked_for() -> None:
    async with StandIn(Settings(granted=ALL_INTENTS & ~(Intent.GUILD_PRESENCES | Intent.GUILD_MEMBERS))) as site:
        guild, _, amy = stage(site)
        await amy.presence("online")
        bridge = shard_of(site, audit_seconds=0.2)
        async with watching(bridge) as seen:
            await seen.until(lambda: whole(seen, guild))
            await seen.until(lambda: bridge._visit.session.guilds[str(guild.id)].approximately)
            (numbers,) = seen.desk.spelled(bridge.beat(1_700_000_000_000))

        assert (numbers["members"], numbers.get("online"), numbers.get("idle")) == (len(guild.members), 1, None)


async def test_intents_that_are_not_wished_for_are_not_asked_for() -> None:
    async with StandIn() as site:
        guild, *_ = stage(site)
        bridge = shard_of(site, members=False, presences=False, message_content=False)
        async with watching(bridge) as seen:
            await seen.until(lambda: whole(seen, guild))

        assert [event["missing"] for event in seen.of("NotGranted")] == [["members", "presences", "message_content"]]
        assert bridge.trouble == ""


async def test_intents_that_are_taken_away_later_are_done_without() -> None:
    async with StandIn() as site:
        guild, *_ = stage(site)
        bridge = shard_of(site)
        async with watching(bridge) as seen:
            await seen.until(lambda: whole(seen, guild))
            site.faults.close(4014)
            ended = await seen.ended()
        async with watching(bridge, "w2") as again:
            await again.until(lambda: whole(again, guild))

        assert (ended.reason, ended.explanation) == (
            "refused", "Discord refuses the privileged intents; it goes on without them",
        )  # fmt: skip
        assert [event["missing"] for event in again.of("NotGranted")] == [["members", "presences", "message_content"]]
        assert bridge.trouble == "without the intents Server Members, Presence, Message Content"


async def test_a_wrong_token_is_a_setting_that_is_wrong_and_is_quoted_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with StandIn() as site:
        error = await first_error(shard_of(site, token="a-wrong-token"))

    assert isinstance(error, ConfigError)
    assert error.path == "$.discord.token"
    assert "a-wrong-token" not in f"{error} {caplog.text}"


@pytest.mark.parametrize(
    ("code", "path"), [(4004, "$.discord.token"), (4010, "$.discord.shard_ids"), (4011, "$.discord.shard_count")]
)
async def test_a_close_code_that_only_another_setting_helps_against_names_it(code: int, path: str) -> None:
    async with StandIn() as site:
        stage(site)

        async def close() -> None:
            await site.connected()
            site.faults.close(code)

        closing = asyncio.create_task(close())
        error = await first_error(shard_of(site))
        await closing

    assert isinstance(error, ConfigError)
    assert error.path == path


async def test_a_version_that_discord_serves_no_more_is_tried_seldom() -> None:
    async with StandIn() as site:
        stage(site)
        async with watching(shard_of(site)) as seen:
            await seen.joined()
            site.faults.close(4012)
            ended = await seen.ended()

    assert (ended.reason, ended.explanation, ended.retry_in) == ("refused", "Discord closed with 4012", 3600.0)


def away(site: StandIn) -> Awaitable[None]:
    return site.stop()


async def limited(site: StandIn) -> None:
    site.faults.fail("GET /users/@me", 404)


async def deaf(site: StandIn) -> None:
    site.faults.refuse_connections()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (away, "Discord cannot be reached (ClientConnectorError)"),
        (limited, "Discord answers HTTP 404"),
        (deaf, "Discord does not begin a session"),
    ],
)
async def test_a_discord_that_does_not_answer_is_lost(fault: Callable[[StandIn], Awaitable[None]], said: str) -> None:
    async with StandIn() as site:
        bridge = shard_of(site, ready_timeout=0.5)
        await fault(site)
        error = await first_error(bridge)

    assert isinstance(error, Ended)
    assert (error.reason, error.explanation) == ("lost", said)


async def test_what_there_is_no_room_for_is_counted_and_ends_the_watch() -> None:
    async with StandIn() as site:
        guild, channel, amy = stage(site)
        bridge = DiscordBridge(Discord(), site.token, 0, Turns(0.0), connector=site.connector, most_waiting=5)
        async with watching(bridge) as seen:
            await seen.until(lambda: whole(seen, guild))
            with site.burst():
                for n in range(20):
                    await amy.say(channel, f"{n}")
            ended = await seen.ended()

        assert ended.explanation == "too much arrived at once"
        assert len(seen.of("MessageSent")) == 5
        assert [(event["refused"], event["reason"], event["count"]) for event in seen.of("EventRefused")] == [
            ("MESSAGE_CREATE", "overflow", 15)
        ]


async def test_sessions_of_one_process_begin_one_after_the_other() -> None:
    async with StandIn(Settings(identify_every=0.2)) as site:
        stage(site)
        turns = Turns(0.25)
        shards = [shard_of(site, shard, turns=turns, shard_count=3) for shard in range(3)]
        async with watching(shards[0]) as one, watching(shards[1]) as two, watching(shards[2]) as three:
            for seen in (one, two, three):
                await seen.joined()

        assert site.violations == []


async def test_other_addresses_are_used_where_they_are_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    async with StandIn() as site:
        guild, *_ = stage(site)
        settings = Discord(api_base=f"{site.api_base}/", gateway=site.gateway_base)
        async with watching(DiscordBridge(settings, site.token, 0, Turns(0.0))) as seen:
            await seen.until(lambda: whole(seen, guild))


async def test_whoever_installs_commands_gets_the_client_before_it_connects() -> None:
    async with StandIn() as site:
        guild, *_ = stage(site)
        found: list[Any] = []

        async def install(client: Any, desk: Any) -> None:
            found.append((client.application_id, desk is seen.desk, client.ws))

        bridge = DiscordBridge(Discord(), site.token, 0, Turns(0.0), connector=site.connector, install=install)
        async with watching(bridge) as seen:
            await seen.until(lambda: whole(seen, guild))

    assert found == [(site.application, True, None)]


# --- settings ---


def test_there_is_one_bridge_for_each_shard_of_the_process() -> None:
    config = from_document({"discord": {"token": "t", "shard_count": 4, "shard_ids": [1, 3]}})

    assert [bridge.place.channel for bridge in bridges(config, {})] == ["shard.1.4", "shard.3.4"]


def test_what_is_excluded_is_said_in_the_section_privacy_by_id_or_name() -> None:
    privacy = {"excluded_channels": ["#Staff Room", "123"], "excluded_roles": ["@Ghost"]}
    (bridge,) = bridges(from_document({"discord": {"token": "t"}, "privacy": privacy}), {})

    assert bridge._rules == Rules(frozenset({"staff room", "123"}), frozenset({"ghost"}))  # type: ignore[attr-defined]


def test_the_token_of_the_environment_goes_before_the_configured_one() -> None:
    config = from_document({"discord": {"token": "configured"}})

    (bridge,) = bridges(config, {"DISCORD_BOT_TOKEN": " from the environment "})

    assert bridge._token == "from the environment"  # type: ignore[attr-defined]
    assert "configured" not in repr(config.section("discord", Discord))


def test_without_a_token_there_is_nothing_to_observe() -> None:
    assert bridges(from_document({}), {}) == []


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ({"token": "t", "shard_ids": [1]}, "$.discord"),
        ({"token": "t", "guilds": ["my server"]}, "$.discord.guilds[0]"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_path(section: Any, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bridges(from_document({"discord": section}), {})

    assert caught.value.path == path
