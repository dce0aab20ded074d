"""Questions asked from inside Discord: bridge, broker and userstats as processes of their own, unmodified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.brokers import Brokers
from tests.e2e.processes import Part, configure
from tests.stand_ins.discord import Actor, Channel, Message, StandIn
from tests.stand_ins.discord_client import standing

QUICK = {"beat_seconds": 0.5, "settings_seconds": 0.3, "retry_seconds": 0.2, "slowest_retry_seconds": 1.0}
AWAY = "The statistics do not answer at the moment. Nothing is lost; ask again in a minute."


class Cinema(NamedTuple):
    """A guild with two people, and the parts that count it."""

    site: StandIn
    general: Channel
    amy: Actor
    bob: Actor
    userstats: Part
    bridge: Part

    async def stats(self, who: Actor, question: str, **options: Any) -> Message:
        """What `/stats` is answered with."""
        reply = await who.slash(self.general, "stats", question=question, **options)
        return await reply.message(within=20)

    async def board(self, who: Actor) -> list[str]:
        """The lines of the board of messages."""
        return lines(await self.stats(who, "leaderboard.messages", limit=10))

    async def until(self, holds: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
        """Look again and again, as somebody who does not hurry; the logs where it never is so."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not await holds():
            if loop.time() > end:
                raise AssertionError(f"{self.userstats.log.read_text()[-2000:]}\n{self.bridge.log.read_text()[-2000:]}")
            await asyncio.sleep(1.0)


def lines(message: Message) -> list[str]:
    """Those of the table; a sentence where there is none."""
    if not message.embeds:
        return [message.content]
    block = str(message.embeds[0]["description"]).split("```")
    return block[1].strip("\n").splitlines() if len(block) > 1 else block


@asynccontextmanager
async def cinema(brokers: Brokers) -> AsyncIterator[Cinema]:
    """Everything runs, and Discord knows the commands."""
    async with standing() as site:
        guild = site.guild("cinema")
        general = site.channel(guild, "general")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(guild, amy, bob)
        discord = {"identify_seconds": 0.0, "ready_timeout": 20.0, "proxy": site.proxy.url}
        configure(brokers.folder, nats={"port": -1}, http={"port": 0}, bridge=QUICK, discord=discord)
        environment = {**site.environment, "DISCORD_BOT_TOKEN": site.token}
        userstats = Part(brokers.folder, "userstats")
        bridge = Part(brokers.folder, "bridges", "discord", environment=environment)
        async with userstats, bridge:
            there = Cinema(site, general, amy, bob, userstats, bridge)
            await site.connected(within=30)
            await there.until(lambda: _known(site))
            yield there


async def _known(site: StandIn) -> bool:
    return len(site.commands.registered(None)) == 5


async def _sessions(site: StandIn, begun: int) -> bool:
    """Whether so many were begun, and the last one lasts."""
    sessions = list(site.gateway.sessions.values())
    return len(sessions) == begun and sessions[-1].connection is not None


async def test_g8_what_people_say_is_counted_and_what_the_bot_answers_is_not(fresh_broker: Brokers) -> None:
    async with cinema(fresh_broker) as there:
        for number in range(3):
            await there.amy.say(there.general, f"line {number}")
        await there.bob.say(there.general, "hi")
        expected = ["username  count", "amy           3", "bob           1"]

        async def counted() -> bool:
            return await there.board(there.amy) == expected

        await there.until(counted)
        assert await there.board(there.bob) == expected
        hers = await there.stats(there.bob, "user.messages", person="amy")
        assert [line.split()[1] for line in lines(hers) if line.startswith("messages")] == ["3"]
        offers = await there.bob.autocomplete(there.general, "stats", "person", "am")
        assert [one["value"] for one in offers] == ["amy"]
        sums = (await there.stats(there.bob, "system.stats")).embeds[0]["fields"]
        assert [field["value"] for field in sums if field["name"] == "total messages"] == ["4"]


async def test_g10_who_opts_out_is_left_out_and_who_is_kept_back_by_the_bridge_at_once(fresh_broker: Brokers) -> None:
    async with cinema(fresh_broker) as there:
        await there.amy.say(there.general, "before")
        await there.bob.say(there.general, "before")

        async def both() -> bool:
            return len(await there.board(there.bob)) == 3

        await there.until(both)
        reply = await there.amy.slash(there.general, "opt_out")
        assert (await reply.message(within=20)).content.startswith("From now on, about everything: nothing is kept")
        assert reply.ephemeral
        await there.amy.say(there.general, "after")
        await there.bob.say(there.general, "after")

        async def heard() -> bool:
            return await there.board(there.bob) == ["username  count", "bob           2"]

        await there.until(heard)
        mine = await there.stats(there.amy, "user.messages", person="me")
        assert [line.split()[1] for line in lines(mine) if line.startswith("messages")] == ["1"]


async def test_g21_a_button_answers_after_the_bridge_was_killed_and_started_again(fresh_broker: Brokers) -> None:
    async with cinema(fresh_broker) as there:
        await there.amy.say(there.general, "hi")

        async def counted() -> bool:
            return len(await there.board(there.amy)) == 2

        await there.until(counted)
        board = await there.stats(there.amy, "leaderboard.messages")
        await there.bridge.kill()
        await there.bridge.start()
        await there.until(lambda: _sessions(there.site, 2))
        await there.bob.say(there.general, "hi")
        pressed = await there.amy.press(board, "Refresh")
        await pressed.changed(within=20)
        others = await there.bob.press(board, "Refresh")
        assert (await others.message(within=20)).content.startswith("These buttons are for whoever asked")


async def test_while_userstats_is_away_it_is_said_so_and_the_rest_works(fresh_broker: Brokers) -> None:
    async with cinema(fresh_broker) as there:

        async def answers() -> bool:
            return bool((await there.stats(there.amy, "system.ping")).embeds)

        await there.until(answers)
        await there.userstats.stop()
        assert (await there.stats(there.bob, "leaderboard.messages")).content == AWAY
        offers = await there.bob.autocomplete(there.general, "stats", "question", "leaderboard mess")
        assert offers[0]["value"] == "leaderboard.messages"
        await there.amy.say(there.general, "meanwhile")
        await there.userstats.start()

        async def counted() -> bool:
            return await there.board(there.amy) == ["username  count", "amy           1"]

        await there.until(counted)
