"""The history of a guild through all processes, with the bridge killed in the middle: every message counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.brokers import Brokers, started
from tests.e2e.discord_stage import Stage, settings, stage
from tests.stand_ins.discord import Channel, StandIn

ALL = {"since": "all", "platform": "discord"}
MESSAGES = "GET /channels/{channel_id}/messages"
QUICK: dict[str, Any] = {"discord": {"backfill": True, "backfill_per_minute": 1200}}


@pytest_asyncio.fixture
async def brokers(tmp_path: Path) -> AsyncIterator[Brokers]:
    brokers = Brokers(await started(tmp_path))
    yield brokers
    await brokers.disconnect()
    await brokers.embedded.stop()


def fill(site: StandIn, channel: Channel, count: int) -> None:
    """So many messages of the last days, each a minute after the other."""
    people = [site.user("amy"), site.user("bob")]
    start = site.now() - 60_000 * (count + 5)
    site.history(channel, [(start + 60_000 * n, people[n % 2], f"line {n}") for n in range(count)])


async def states(there: Stage) -> Counter[str]:
    rows = await there.data("backfill.status", platform="discord")
    return Counter(row["state"] for row in rows) if isinstance(rows, list) else Counter()


async def test_g26_a_history_is_counted_once_though_the_bridge_is_killed_and_loses_its_outbox(brokers: Brokers) -> None:
    async with StandIn(settings()) as site:
        guild = site.guild("cinema")
        general, lounge = site.channel(guild, "general"), site.channel(guild, "lounge", "voice")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(guild, amy, bob)
        fill(site, general, 1500)
        fill(site, lounge, 30)
        thread = await amy.thread(general, "plans")
        await bob.say(thread, "so")
        await amy.archive(thread)
        async with stage(site, brokers, **QUICK) as there:
            for pages, loses in ((3, False), (7, True)):
                await there.until(_asked(site, pages), "nothing is read")
                await there.bridge.kill()
                if loses:
                    _lose_outbox(there)
                await there.bridge.start()
            await site.connected(within=30)
            await there.until(_complete(there), "it is not complete", within=60)
            live = await amy.say(general, "seen as it was said")
            await there.until(_spoken(there, 1500 + 30 + 2), "not everything was counted")
            board = await there.data("leaderboard.messages", **ALL)
            counted = await there.data("backfill.messages", **ALL)

        ours = [one for channel in (general, lounge, thread) for one in channel.messages.values() if not one.kind]
        expected = Counter(one.author.name for one in ours)
        assert {row["username"]: row["count"] for row in board} == expected
        assert live.id in general.messages
        assert [(row["channel"], row["messages"], row["backfilled"], row["unfinished"]) for row in counted] == [
            (str(general.id), 1502, 1501, 0), (str(lounge.id), 30, 30, 0),
        ]  # fmt: skip
        assert (site.violations, site.unknown) == ([], [])


def _asked(site: StandIn, pages: int) -> Any:
    async def holds() -> bool:
        return len(site.rest.of(MESSAGES)) >= pages

    return holds


def _complete(there: Stage) -> Any:
    async def holds() -> bool:
        found = await states(there)
        return found["complete"] == 3 and found.total() == 3

    return holds


def _spoken(there: Stage, count: int) -> Any:
    async def holds() -> bool:
        board = await there.data("leaderboard.messages", **ALL)
        return sum(int(row["count"]) for row in board) >= count

    return holds


def _lose_outbox(there: Stage) -> None:
    """The disk with what was not published is gone; what is missing then must be read again."""
    for file in (there.folder / "data" / "outbox").glob("discord.db*"):
        file.unlink()
