"""What Discord does not grant, or does not accept: a clear sentence, `not tracked` in answers, and the rest works."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Final, NamedTuple

import pytest

from tests.brokers import Brokers
from tests.e2e.discord_stage import Stage, settings, stage
from tests.e2e.processes import Part, configure
from tests.stand_ins.discord import Actor, Channel, Guild, Intent, StandIn, activities
from tests.stand_ins.discord.settings import ALL_INTENTS

GRANTS: Final = {
    "members": (Intent.GUILD_MEMBERS, "the Server Members Intent is not granted: who joins, leaves and is renamed"),
    "presences": (Intent.GUILD_PRESENCES, "the Presence Intent is not granted: who is online"),
    "message_content": (
        Intent.MESSAGE_CONTENT, "the Message Content Intent is not granted: words, emotes, links and thanks",
    ),
}  # fmt: skip
LINE: Final = "four words and https://example.org/x"


class Lived(NamedTuple):
    """A guild, and what is said of it."""

    not_tracked: list[str]
    idle: int | None
    messages: int
    words: int
    given: int
    in_voice: int
    status: str
    joined: int


async def lived(there: Stage, guild: Guild, general: Channel, lounge: Channel, people: list[Actor]) -> Lived:
    """Somebody talks, reacts, is in voice, plays, and joins; then it is asked."""
    amy, bob, cid = people
    await amy.join_voice(lounge)
    await there.choose([(amy, "presence", "shown"), (amy, "voice", "shown")], amy)
    await bob.react(await amy.say(general, LINE), "👍")
    await amy.presence("online", activities.playing("Chess"))
    await cid.join(guild)
    await asyncio.sleep(1.1)
    await amy.say(general, LINE)
    await there.site.owner.dm("that is all")
    await there.counted()
    (now,) = [row for row in await there.data("guild.now") if row["domain"] == str(guild.id)]
    (talk,) = await there.data("user.messages", username="amy", since="all")
    (stay,) = await there.data("voice.user", username="amy", since="all")
    (reactions,) = await there.data("user.reactions", username="bob", since="all")
    status = await there.data("presence.now", username="amy")
    overview = await there.data("guild.overview", since="all")
    return Lived(
        now["not_tracked"], now["idle"], talk["messages"], talk["words"], reactions["given"], stay["raw_ms"],
        status["status"], overview[0]["joined"],
    )  # fmt: skip


@pytest.mark.parametrize("missing", GRANTS)
async def test_g28_what_is_not_granted_is_said_and_the_rest_works(fresh_broker: Brokers, missing: str) -> None:
    intent, sentence = GRANTS[missing]
    async with StandIn(dataclasses.replace(settings(), granted=ALL_INTENTS & ~intent)) as site:
        guild = site.guild("cinema")
        general, lounge = site.channel(guild, "general"), site.channel(guild, "lounge", "voice")
        people = [site.user(name) for name in ("amy", "bob", "cid")]
        site.enrol(guild, *people[:2])
        async with stage(site, fresh_broker) as there:
            told = await lived(there, guild, general, lounge, people)
            log = there.bridge.log.read_text()

    assert told._replace(in_voice=0) == Lived(
        not_tracked=[missing], idle=None if missing == "presences" else 0, messages=2,
        words=0 if missing == "message_content" else 8, given=1, in_voice=0,
        status="not tracked" if missing == "presences" else "online", joined=int(missing != "members"),
    )  # fmt: skip
    assert told.in_voice > 1000
    assert [line for line in log.splitlines() if sentence in line and " WARNING " in line]
    assert (site.violations, site.unknown) == ([], [])


async def test_intents_that_are_refused_although_they_were_granted_are_done_without(fresh_broker: Brokers) -> None:
    async with StandIn(settings()) as site:
        guild = site.guild("cinema")
        general = site.channel(guild, "general")
        amy = site.user("amy")
        site.enrol(guild, amy)
        async with stage(site, fresh_broker) as there:
            await amy.say(general, LINE)
            site.settings = dataclasses.replace(site.settings, granted=ALL_INTENTS & ~Intent.GUILD_MEMBERS)
            site.faults.close(4014)
            await site.connected(within=20)
            await amy.say(general, LINE)
            await there.until(lambda: _said(there, 2), "the bridge did not go on")
            await there.until(lambda: _is_not_tracked(there), "it is not said what is not tracked")
            log = there.bridge.log.read_text()

    assert "Discord refuses the privileged intents; it goes on without them" in log


async def _is_not_tracked(there: Stage) -> bool:
    rows = await there.data("guild.now")
    return [row["not_tracked"] for row in rows] == [["members", "message_content", "presences"]]


async def _said(there: Stage, number: int) -> bool:
    rows = await there.data("user.messages", username="amy", since="all")
    return isinstance(rows, list) and sum(row["messages"] for row in rows) == number


async def test_a_wrong_token_is_said_in_words_and_ends_the_process(fresh_broker: Brokers) -> None:
    async with StandIn(settings()) as site:
        configure(fresh_broker.folder, nats={"port": -1}, discord={"proxy": site.proxy.url})
        around = {**site.environment, "DISCORD_BOT_TOKEN": "not-the-token-of-anybody"}
        async with Part(fresh_broker.folder, "bridges", "discord", environment=around) as bridge:
            assert bridge.process is not None
            async with asyncio.timeout(20):
                code = await bridge.process.wait()
            log = bridge.log.read_text()

    assert code == 2
    assert "$.discord.token: Discord does not accept this token" in log
    assert ("not-the-token-of-anybody" in log, "Traceback" in log) == (False, False)


async def test_without_a_token_it_says_what_is_needed(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats={"port": -1})
    async with Part(fresh_broker.folder, "bridges", "discord", environment={"DISCORD_BOT_TOKEN": ""}) as bridge:
        assert bridge.process is not None
        async with asyncio.timeout(20):
            code = await bridge.process.wait()

    assert (code, "DISCORD_BOT_TOKEN" in bridge.log.read_text()) == (2, True)
