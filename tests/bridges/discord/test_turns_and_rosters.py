"""When sessions may begin, and when members may be asked for."""

from __future__ import annotations

import asyncio

import pytest

from bridges.discord.identify import AT_ONCE, DAY, Turns
from bridges.discord.rosters import Rosters


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_one_session_may_begin_in_five_seconds() -> None:
    clock = Clock()
    turns = Turns(5.0, clock)
    await turns.mine()
    clock.now += 1

    assert turns.wait() == 4.0
    clock.now += 60
    assert turns.wait() == 0.0


async def test_a_connection_that_is_lost_again_and_again_never_uses_up_the_sessions_of_a_day() -> None:
    clock = Clock()
    turns = Turns(5.0, clock)
    begun = 0
    midnight = clock.now + DAY
    while clock.now < midnight:
        turns._begun.append(clock.now)
        begun += 1
        clock.now += max(1.0, turns.wait())

    assert AT_ONCE < begun < 1000


class Discord:
    """Answers requests for members as the test says: True comes, False does not, a number is a rate limit."""

    def __init__(self, *answers: bool | float) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.heard = asyncio.Semaphore(0)
        self.rosters = Rosters(self.ask, again=0.0, longest=0.05)

    async def ask(self, guild: str, nonce: str) -> bool:
        assert nonce.startswith("userstats-")
        self.asked.append(guild)
        self.heard.release()
        answer = self.answers.pop(0) if self.answers else True
        if answer is True:
            self.rosters.came(guild)
        elif answer is not False:
            self.rosters.limited(guild, answer)
        return True

    async def run(self, until: int) -> None:
        task = asyncio.create_task(self.rosters.run())
        async with asyncio.timeout(5):
            for _ in range(until):
                await self.heard.acquire()
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])


async def test_guilds_are_asked_about_one_after_the_other_and_once() -> None:
    discord = Discord()
    for guild in ("1", "2", "1"):
        discord.rosters.want(guild)
    await discord.run(until=2)

    assert discord.asked == ["1", "2"]


async def test_a_rate_limit_is_waited_for() -> None:
    discord = Discord(0.01, True)
    discord.rosters.want("1")
    await discord.run(until=2)

    assert discord.asked == ["1", "1"]


async def test_a_guild_of_which_the_members_do_not_come_is_given_up_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    discord = Discord(False, False, False, True)
    discord.rosters.want("1")
    discord.rosters.want("2")
    await discord.run(until=4)

    assert discord.asked == ["1", "1", "1", "2"]
    assert [record.message for record in caplog.records] == [
        "guild 1: Discord did not send all its members; who left meanwhile is not known"
    ]


async def test_a_guild_that_is_wanted_again_while_it_is_asked_about_is_asked_about_again() -> None:
    discord = Discord(False, True)
    discord.rosters = Rosters(discord.ask, again=0.0, longest=60.0)
    discord.rosters.want("1")
    task = asyncio.create_task(discord.run(until=2))
    await asyncio.sleep(0.05)
    discord.rosters.want("1")
    await task

    assert discord.asked == ["1", "1"]
