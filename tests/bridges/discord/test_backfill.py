"""What was said before the bot came is counted once, and what is missing is said; with a stand-in as Discord."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from bridges.discord import backfill
from bridges.discord.guild import Rules
from tests.bridges.cytube.watching import Watching
from tests.stand_ins.discord import Overwrite, Permission, Settings, StandIn

from .archived import Archivist, Ledger, cinema, complete, fill, reading, truth
from .watching import shard_of

MESSAGES = "GET /channels/{channel_id}/messages"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "LOOK", 0.05)
    monkeypatch.setattr(backfill, "FIRST_PAUSE", 0.05)


async def test_g26_the_whole_history_is_counted_once_and_marked() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        guild, general = cinema(site)
        lounge, empty = site.channel(guild, "lounge", "voice"), site.channel(guild, "empty")
        fill(site, general, 230)
        fill(site, lounge, 3)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general, lounge, empty))

        assert ledger.times() == truth(general, lounge)
        assert {one.backfilled for one in ledger.counted} == {*general.messages, *lounge.messages}
        assert Counter(seen.desk.labels_of(one.author) for one in ledger.counted) == {
            str(site.user("amy").id): 116, str(site.user("bob").id): 117
        }  # fmt: skip
        assert (ledger.repeated, site.violations, site.unknown) == (0, [], [])


async def test_a_history_is_told_without_thanks_mentions_and_replies() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        guild, general = cinema(site)
        amy, bob = site.user("amy"), site.user("bob")
        hi = await amy.say(general, f"hi {bob.mention}++ <:kappa:77> https://a.example", files=["a.png"])
        await bob.say(general, "hello 😂 bob++", reply_to=hi)
        site.webhook(general, "feed", "news")
        site.automod_alert(general, amy, "rude")
        robot = site.user("robot", bot=True)
        site.enrol(guild, robot)
        await robot.say(general, "beep")
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general))

        told = [event for event in seen.told if event["kind"] == "MessageSent"]
        assert [{**event, "at": 0, "author": "", "backfilled": 1} for event in reversed(told)] == [
            {"kind": "MessageSent", "at": 0, "author": "", "characters": 35, "words": 4, "emotes": [":kappa:"],
             "links": 1, "files": 1, "backfilled": 1},
            {"kind": "MessageSent", "at": 0, "author": "", "characters": 13, "words": 3, "emotes": ["😂"],
             "backfilled": 1},
            {"kind": "MessageSent", "at": 0, "author": "", "by": "webhook", "characters": 4, "words": 1,
             "backfilled": 1},
            {"kind": "MessageSent", "at": 0, "author": "", "by": "system", "embeds": 1, "backfilled": 1},
            {"kind": "MessageSent", "at": 0, "author": "", "by": "bot", "characters": 4, "words": 1, "backfilled": 1},
        ]  # fmt: skip


async def test_g26_what_is_said_meanwhile_is_counted_once_as_seen() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        amy = site.user("amy")
        fill(site, general, 350)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            for number in range(40):
                await amy.say(general, f"live {number}")
                await asyncio.sleep(0.01)
            await seen.until(lambda: complete(ledger, general) and ledger.times() == truth(general))

        assert sum(not one.backfilled for one in ledger.counted) in range(41)
        assert ledger.repeated == 0


async def test_g26_a_restart_goes_on_where_the_last_run_stopped() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 500)
        ledger, cursors = Ledger(), dict[str, str]()
        for pages in (1, 2, 1):
            before = len(ledger.counted)
            async with reading(site, ledger, cursors) as seen:
                await seen.until(lambda: len(ledger.counted) >= before + 100 * pages)  # noqa: B023
        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: complete(ledger, general))

        assert ledger.times() == truth(general)
        assert ledger.repeated == 0


async def test_g26_switched_on_later_it_begins_where_observing_began() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 5)
        ledger, cursors = Ledger(), dict[str, str]()
        async with reading(site, ledger, cursors, backfill=False) as seen:
            await seen.until(ledger.states)
            last = await site.user("amy").say(general, "seen as it was said")
            await seen.until(lambda: ledger.counted)
        assert ledger.times() == Counter([(last.at, str(general.id))])
        assert ledger.states() == {str(general.id): "running"}
        assert site.rest.of(MESSAGES) == []

        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: complete(ledger, general))
        assert ledger.times() == truth(general)
        assert ledger.repeated == 0


async def test_g26_a_new_outbox_goes_on_where_userstats_is() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 350)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: len(ledger.counted) >= 200)
            await site.user("amy").say(general, "seen as it was said")
            await seen.until(lambda: any(not one.backfilled for one in ledger.counted))
        asked = len(site.rest.of(MESSAGES))
        async with reading(site, ledger, {}) as seen:
            await seen.until(lambda: complete(ledger, general))

        assert ledger.times() == truth(general)
        assert ledger.repeated == 0
        assert len(site.rest.of(MESSAGES)) - asked <= 3


async def test_g26_while_userstats_does_not_answer_nothing_is_read() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 5)
        ledger = Ledger()
        ledger.away = True
        async with reading(site, ledger) as seen:
            await seen.until(lambda: seen.of("ThreadsSeen"))
            await site.user("amy").say(general, "live")
            await seen.until(lambda: ledger.counted and ledger.asked > 2)
            assert (ledger.states(), site.rest.of(MESSAGES)) == ({str(general.id): "running"}, [])
            ledger.away = False
            await seen.until(lambda: complete(ledger, general))

        assert ledger.times() == truth(general)


FAULTS = (
    {"status": 503, "times": 3}, {"status": 429, "times": 2, "retry_after": 0.05}, {"status": 503, "html": True},
    {"status": 200, "drops": True},
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_g26_a_fault_of_discord_is_no_end_of_the_history(fault: dict[str, Any]) -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 150)
        site.faults.fail(MESSAGES, **fault)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general), within=15)

        assert ledger.times() == truth(general)
        assert ledger.repeated == 0


async def test_it_keeps_to_discords_limits() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 750)
        site.limit(MESSAGES, 2, 0.3)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general), within=15)

        assert ledger.times() == truth(general)
        assert {one.status for one in site.rest.of(MESSAGES)} == {200}


@pytest.mark.parametrize("empty", [False, True])
async def test_g26_what_may_not_be_read_is_said_and_read_once_it_may(empty: bool) -> None:
    async with StandIn(Settings(heartbeat_interval=0.4, hidden_history_is_empty=empty)) as site:
        guild, general = cinema(site)
        closed = site.channel(guild, "closed", overwrites=[Overwrite(guild.id, deny=Permission.READ_MESSAGE_HISTORY)])
        fill(site, general, 5)
        fill(site, closed, 7)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general) and ledger.states()[str(closed.id)] == "forbidden")
            assert ledger.times() == truth(general)
            site.building.change_channel(closed, overwrites=[])
            await seen.until(lambda: complete(ledger, closed))

        assert ledger.times() == truth(general, closed)


async def test_a_refusal_against_all_permissions_is_no_end_either() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 5)
        site.faults.fail(MESSAGES, 403)
        ledger, cursors = Ledger(), dict[str, str]()
        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: ledger.states() == {str(general.id): "forbidden"})
        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: seen.of("ThreadsSeen"))
            await asyncio.sleep(0.2)
            assert len(site.rest.of(MESSAGES)) == 1
            site.building.change_channel(general, topic="read it again")
            await seen.until(lambda: complete(ledger, general))

        assert ledger.times() == truth(general)


async def test_g26_beyond_the_limit_of_days_it_is_partial_and_goes_on_when_that_is_raised() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 6, every=12 * 3_600_000)
        ledger, cursors = Ledger(), dict[str, str]()
        async with reading(site, ledger, cursors, backfill_days=1) as seen:
            await seen.until(lambda: ledger.states() == {str(general.id): "partial"})
        assert len(ledger.counted) == 2

        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: complete(ledger, general))
        assert ledger.times() == truth(general)
        assert ledger.repeated == 0


async def test_what_is_deleted_before_it_is_read_is_not_counted() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        amy = site.user("amy")
        fill(site, general, 5)
        old = [one for one in general.messages.values() if one.author is amy.user]
        ledger, cursors = Ledger(), dict[str, str]()
        async with reading(site, ledger, cursors, backfill=False) as seen:
            await seen.until(ledger.states)
            await amy.delete(old[0])
            await seen.until(lambda: seen.of("MessageDeleted"))
        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: complete(ledger, general))

        assert len(ledger.counted) == 4
        assert ledger.times() == truth(general)


async def test_excluded_channels_and_people_have_no_history() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        guild, general = cinema(site)
        secret = site.channel(guild, "secret")
        quiet = site.role(guild, "quiet")
        guild.members[site.user("bob").id].roles.append(quiet.id)
        fill(site, general, 6)
        fill(site, secret, 5)
        bridge = shard_of(site, backfill=True, backfill_per_minute=3000)
        bridge._rules = Rules(frozenset({"secret"}), frozenset({"quiet"}))
        ledger = Ledger()
        async with Watching(bridge, Archivist(ledger)) as seen:
            await seen.until(lambda: complete(ledger, general))

        assert ledger.states() == {str(general.id): "complete"}
        assert {seen.desk.labels_of(one.author) for one in ledger.counted} == {str(site.user("amy").id)}


async def test_nothing_is_read_while_the_outbox_is_crowded() -> None:
    async with StandIn(Settings(heartbeat_interval=0.4)) as site:
        _, general = cinema(site)
        fill(site, general, 5)
        ledger = Ledger()
        watching = reading(site, ledger)
        watching.desk.crowded = True
        async with watching as seen:
            await seen.until(ledger.states)
            await asyncio.sleep(0.3)
            assert site.rest.of(MESSAGES) == []
            watching.desk.crowded = False
            await seen.until(lambda: complete(ledger, general))

        assert ledger.times() == truth(general)
