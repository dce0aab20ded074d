"""`python -m bridges discord` as a process of its own, with discord.py as it is, through a proxy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.bridges.stage import SETTINGS, userstats
from tests.bridges.test_main import Bridge, bridge
from tests.brokers import Brokers
from tests.stand_ins.discord import StandIn
from tests.stored import events
from userstats.contract import wire


def configured(site: StandIn, **discord: Any) -> dict[str, Any]:
    """A configuration that reaches the stand-in."""
    section = {"token": site.token, "proxy": site.proxy.url, "identify_seconds": 0, **discord}
    return {
        "nats": {"port": -1}, "discord": section, "log": {"format": "json", "level": "DEBUG"},
        "bridge": {"settings_seconds": 0.2, "beat_seconds": 0.2, "stop_seconds": 5, "retry_seconds": 0.2},
    }  # fmt: skip


async def ended(running: Bridge) -> int:
    """The exit code after SIGTERM."""
    running.process.terminate()
    return await running.ended()


async def test_what_happens_on_discord_is_in_the_stream_and_nothing_that_was_said(
    fresh_broker: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await userstats(fresh_broker, SETTINGS)
    async with StandIn() as site:
        for name, value in site.environment.items():
            monkeypatch.setenv(name, value)
        guild = site.guild("cinema")
        channel, amy = site.channel(guild, "general"), site.user("amy")
        site.enrol(guild, amy)
        running = await bridge(fresh_broker.folder, configured(site), "discord")
        await site.connected(within=20)
        await amy.say(channel, "xqmarkerxq hello")
        site.faults.dispatch("GUILD_ROLE_CREATE", {"guild_id": "xqmarkerxq"})
        kinds: list[str] = []
        async with asyncio.timeout(20):
            while "GuildCounted" not in kinds or "MessageSent" not in kinds:
                await asyncio.sleep(0.1)
                kinds = [wire.kind_of(event) for event in await events(fresh_broker)]
        code = await ended(running)

    stored = await events(fresh_broker)
    assert code == 0
    assert [event.place.space for event in stored if wire.kind_of(event) == "BridgeStarted"] == ["", str(guild.id)]
    assert [event.place.space for event in stored if wire.kind_of(event) == "BridgeStopped"] == ["", str(guild.id)]
    assert "xqmarkerxq" not in "".join([*running.lines, *(wire.body(event).decode() for event in stored)])
    assert site.token not in "".join(running.lines)
    assert (site.violations, site.unknown) == ([], [])


async def test_without_a_token_the_process_says_where_one_belongs(tmp_path: Path) -> None:
    running = await bridge(tmp_path, {"discord": {}}, "discord")

    assert await running.ended() == 2
    assert running.said("it needs $.discord.token, or the environment variable DISCORD_BOT_TOKEN")


async def test_a_wrong_token_ends_the_process_with_a_sentence_that_says_so(
    fresh_broker: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await userstats(fresh_broker, SETTINGS)
    async with StandIn() as site:
        for name, value in site.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DISCORD_BOT_TOKEN", "wrong-secret")
        running = await bridge(fresh_broker.folder, configured(site), "discord")
        code = await running.ended()

    assert code == 2
    assert running.said("$.discord.token: Discord does not accept this token")
    assert not running.said("wrong-secret")
