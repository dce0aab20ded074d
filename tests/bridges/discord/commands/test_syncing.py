"""Discord is told the commands once, and again when they are others."""

from __future__ import annotations

import discord
import pytest

from bridges.discord.commands import command_set
from bridges.discord.commands.syncing import synced
from tests.say import World
from tests.stand_ins.discord_client import listening, standing

from .asking import SYNC, Kept, asking


async def test_a_restart_does_not_tell_them_again(sqlite_world: World) -> None:
    async with asking(sqlite_world) as stage:
        assert [one["name"] for one in stage.site.commands.registered(None)] == [
            "stats", "opt_in", "opt_out", "privacy", "link",
        ]  # fmt: skip
        async with stage.restarted():
            pass
        assert len(stage.site.rest.of(SYNC)) == 1


async def test_another_set_is_told(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(sqlite_world) as stage:
        monkeypatch.setattr(command_set, "LEVELS", ("shown",))
        before = dict(stage.kept.texts)
        async with stage.restarted():
            await stage.kept.until(lambda texts: texts != before)
        assert len(stage.site.rest.of(SYNC)) == 2


async def test_what_discord_cannot_take_now_is_told_later(caplog: pytest.LogCaptureFixture) -> None:
    async with standing() as site, listening(site, intents=discord.Intents.none()) as client:
        kept = Kept()
        site.faults.fail(SYNC, 503, times=2)
        await synced(client, kept, wait=0.01)
        assert [one.status for one in site.rest.of(SYNC)] == [503, 503, 200]
        assert list(kept.texts) == ["discord commands"]
        assert caplog.text.count("the slash commands could not be told (HTTP 503)") == 2


async def test_what_discord_refuses_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with standing() as site, listening(site, intents=discord.Intents.none()) as client:
        kept = Kept()
        site.faults.fail(SYNC, 403)
        await synced(client, kept, wait=0.01)
        assert kept.texts == {}
        assert "Discord refuses the slash commands (HTTP 403, code 0)" in caplog.text
