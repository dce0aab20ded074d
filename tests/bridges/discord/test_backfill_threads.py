"""The histories of threads: open and archived ones, posts of forums, and channels the bot cannot see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bridges.discord import archive, backfill
from tests.stand_ins.discord import Channel, Guild, Overwrite, Permission, Settings, StandIn

from .archived import Ledger, cinema, complete, fill, reading, truth

ARCHIVED = "GET /channels/{channel_id}/threads/archived/public"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "LOOK", 0.05)
    monkeypatch.setattr(backfill, "FIRST_PAUSE", 0.05)


def stand_in() -> StandIn:
    return StandIn(Settings(heartbeat_interval=0.4))


async def posts(site: StandIn, parent: Channel, count: int, *, archived: bool) -> Sequence[Channel]:
    """So many threads with some messages in each."""
    amy, bob = site.user("amy"), site.user("bob")
    threads = []
    for number in range(count):
        thread = await amy.thread(parent, f"topic {number}", text="" if parent.holds_messages else "the post")
        await bob.say(thread, "first")
        await amy.say(thread, "second")
        if archived:
            await amy.archive(thread)
        threads.append(thread)
        await asyncio.sleep(0.002)
    return threads


async def scene(site: StandIn) -> tuple[Guild, Channel, Channel, Sequence[Channel]]:
    guild, general = cinema(site)
    ideas = site.channel(guild, "ideas", "forum")
    fill(site, general, 5)
    threads = [
        *await posts(site, general, 2, archived=False), *await posts(site, general, 3, archived=True),
        *await posts(site, ideas, 2, archived=False), *await posts(site, ideas, 3, archived=True),
    ]  # fmt: skip
    return guild, general, ideas, threads


async def test_g26_threads_open_or_archived_are_counted_at_their_channel() -> None:
    async with stand_in() as site:
        _, general, ideas, threads = await scene(site)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general, ideas, *threads))

        assert ledger.times() == truth(general, *threads)
        assert {one.place.channel for one in ledger.counted} == {str(general.id), str(ideas.id)}
        assert (ledger.repeated, site.violations, site.unknown) == (0, [], [])


async def test_g26_a_long_list_of_archived_threads_is_read_over_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PAGE", 2)
    async with stand_in() as site:
        _, general = cinema(site)
        threads = await posts(site, general, 7, archived=True)
        ledger, cursors = Ledger(), dict[str, str]()
        for least in (3, 9):
            async with reading(site, ledger, cursors) as seen:
                await seen.until(lambda: len(ledger.counted) >= least)  # noqa: B023
        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: complete(ledger, general, *threads))

        assert ledger.times() == truth(general, *threads)
        assert ledger.repeated == 0


async def test_g26_a_new_outbox_counts_no_thread_again() -> None:
    async with stand_in() as site:
        _, general, ideas, threads = await scene(site)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: len(ledger.counted) >= 9)
            new = (await posts(site, general, 1, archived=True))[0]
            await seen.until(lambda: ledger.states().get(str(new.id)) == "complete")
        async with reading(site, ledger, {}) as seen:
            await seen.until(lambda: complete(ledger, general, ideas, *threads, new))

        assert ledger.times() == truth(general, *threads, new)
        assert ledger.repeated == 0


async def test_a_thread_that_wakes_up_is_counted_once() -> None:
    async with stand_in() as site:
        _, general = cinema(site)
        (old,) = await posts(site, general, 1, archived=True)
        ledger, cursors = Ledger(), dict[str, str]()
        async with reading(site, ledger, cursors, backfill=False) as seen:
            await seen.until(ledger.states)
            await site.user("bob").say(old, "is anybody here")
            await seen.until(lambda: ledger.counted)
        async with reading(site, ledger, cursors) as seen:
            await seen.until(lambda: complete(ledger, general, old))

        assert ledger.times() == truth(general, old)
        assert ledger.repeated == 0


async def test_a_private_thread_is_read_where_the_bot_is_in_it() -> None:
    async with stand_in() as site:
        guild, general = cinema(site)
        amy = site.user("amy")
        site.history(general, [(site.now() - 60_000, amy, "the first")])
        mine, theirs = [await amy.thread(general, name, private=True) for name in ("mine", "theirs")]
        site.threads.join(mine, site.me)
        for thread in (mine, theirs):
            await amy.say(thread, "psst")
            await amy.archive(thread)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general, mine))

        assert ledger.times() == truth(general, mine)
        assert str(theirs.id) not in ledger.states()
        assert guild.id == general.guild_id


async def test_g26_threads_that_may_not_be_listed_leave_their_channel_unfinished() -> None:
    async with stand_in() as site:
        _, general = cinema(site)
        await posts(site, general, 1, archived=True)
        site.faults.fail(ARCHIVED, 403)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: ledger.states().get(str(general.id)) == "forbidden")

        assert ledger.counted == []


async def test_g26_of_a_channel_that_becomes_visible_everything_before_is_history() -> None:
    async with stand_in() as site:
        guild, general = cinema(site)
        hidden = site.channel(guild, "hidden", overwrites=[Overwrite(guild.id, deny=Permission.VIEW_CHANNEL)])
        staff = site.role(guild, "staff", permissions=Permission.ADMINISTRATOR)
        amy = site.user("amy")
        guild.members[amy.id].roles.append(staff.id)
        fill(site, general, 2)
        fill(site, hidden, 4)
        ledger = Ledger()
        async with reading(site, ledger) as seen:
            await seen.until(lambda: complete(ledger, general))
            assert list(ledger.states()) == [str(general.id)]
            await amy.say(hidden, "nobody told of this")
            site.building.change_channel(hidden, overwrites=[])
            await amy.say(hidden, "but of this")
            await seen.until(lambda: complete(ledger, hidden))

        assert ledger.times() == truth(general, hidden)
        assert [one.backfilled for one in ledger.counted].count(0) == 1


async def test_a_channel_that_is_deleted_while_it_is_read_stays_unfinished() -> None:
    async with stand_in() as site:
        _, general = cinema(site)
        fill(site, general, 250)
        ledger = Ledger()
        async with reading(site, ledger, backfill_per_minute=300) as seen:
            await seen.until(lambda: len(ledger.counted) >= 100)
            site.building.delete_channel(general)
            await seen.until(lambda: ledger.states() == {str(general.id): "forbidden"})

        assert len(ledger.counted) < 250
        assert ledger.repeated == 0
