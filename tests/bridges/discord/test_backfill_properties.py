"""Whatever happens to bridge, outbox, Discord and userstats while a history is read: each message counts once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.discord import backfill
from bridges.discord.archive import Denied, Unwell
from bridges.discord.backfill import Backfill
from bridges.discord.due import DAY
from bridges.discord.normalise import frame
from bridges.discord.payload import Record
from bridges.discord.session import Session
from bridges.discord.settings import Discord
from bridges.discord.sightings import heard, sight
from tests.bridges.desk import received

from .archived import Archivist, Ledger
from .play import FORUM, GENERAL, GUILD, HOME, NOW, Asked, message, ready, standard

FIRST: Final = 1_000_000_000_000
"""The id of the oldest message."""
OLD, OTHER = str(FIRST - 1), str(FIRST - 2)
"""A thread of #general that is archived, and one of the forum."""


class World:
    """Channels and what was said in them; it is also where histories are read, two messages to a page."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.next = FIRST
        self.said: dict[str, list[int]] = {GENERAL: [], OLD: [], OTHER: []}
        self.faults: list[Exception] = []
        for channel, length in zip(self.said, lengths, strict=True):
            for _ in range(length):
                self.say(channel)

    def say(self, channel: str) -> int:
        self.next += 7
        self.said[channel].append(self.next)
        return self.next

    def guild(self) -> dict[str, Any]:
        """As GUILD_CREATE tells of it."""
        last = {GENERAL: self.last(GENERAL), FORUM: OTHER}
        told = standard()
        channels = [{**one, "last_message_id": last.get(one["id"])} for one in told["channels"]]
        return {**told, "channels": channels, "threads": [self.thread(OTHER, FORUM)]}

    def thread(self, account: str, parent: str, *, archived: bool = False) -> dict[str, Any]:
        stamp = {"archived": archived, "archive_timestamp": "2020-01-01T00:00:00+00:00"}
        return {"id": account, "parent_id": parent, "last_message_id": self.last(account), "thread_metadata": stamp}

    def last(self, channel: str) -> str | None:
        return str(self.said[channel][-1]) if self.said[channel] else None

    async def messages(self, channel: str, before: int) -> list[Any]:
        self._fail()
        page = sorted((one for one in self.said[channel] if one < before), reverse=True)[:2]
        return [message(str(one), "hi", channel_id=channel) for one in page]

    async def threads(self, channel: str, listing: str, before: str) -> Record:
        self._fail()
        there = [self.thread(OLD, GENERAL, archived=True)] if (channel, listing) == (GENERAL, "public") else []
        return {"threads": there, "members": [], "has_more": False}

    def sees(self, guild: str, channel: str) -> bool | None:
        return True

    reads = sees

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop()


class Play:
    """Runs of a bridge, one after another, over what outboxes keep."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledger = Ledger()
        self.desk = Archivist(self.ledger)
        self.desk.publishes = False
        self.lost: set[int] = set()
        """Seen as they were said, and lost with the outbox they were in; unless nothing is left that knew of them."""
        self.start()

    def start(self) -> None:
        self.session = Session(self.desk, "w1", HOME, Asked())
        self.backfill = Backfill(
            self.session, self.world, Discord(backfill=True), busy=lambda: False, unlisted=lambda _: False,
            wake=lambda: None,
        )  # fmt: skip
        self.hear(*ready()[:2])
        self.hear("GUILD_CREATE", self.world.guild())
        self.keep()

    def hear(self, name: str, data: Any) -> None:
        """As a visit does."""
        assert name != "MESSAGE_CREATE" or heard(self.backfill.histories, data)
        frame(self.session, name, data, NOW)
        sight(self.session, self.backfill.histories, name, data)

    def keep(self, most: int = 1_000_000) -> None:
        """Say what there is to say; killed after so many observations."""
        for count, observation in enumerate(self._observations(), 1):
            if count > most:
                return
            assert received(observation.events) == list(observation.events)
            self.desk.keep(observation)

    def _observations(self) -> Any:
        yield from self.backfill.sighted()
        yield from self.session.telling.take()
        yield from self.backfill.told(NOW)

    async def read(self, most: int = 1_000_000) -> None:
        """One request, and what came of it."""
        step = asyncio.create_task(self.backfill._step())
        for _ in range(20):
            await asyncio.sleep(0)
        self.keep(most)
        step.cancel()
        await asyncio.wait([step])

    async def do(self, deed: tuple[str, int]) -> None:
        what, number = deed
        await getattr(self, f"_{what}")(number)

    async def _read(self, _: int) -> None:
        await self.read()

    async def _killed(self, number: int) -> None:
        await self.read(number % 3)
        self.start()

    async def _live(self, number: int) -> None:
        channel = (GENERAL, OLD, OTHER)[number % 3]
        if channel == OLD:
            self.hear("THREAD_UPDATE", {**self.world.thread(OLD, GENERAL), "guild_id": GUILD})
        said = str(self.world.say(channel))
        self.hear("MESSAGE_CREATE", message(said, "hi", channel_id=channel))
        self.keep()

    async def _published(self, _: int) -> None:
        self.desk.publish()

    async def _fault(self, number: int) -> None:
        self.world.faults.append([Denied("HTTP 403"), Unwell("HTTP 500")][number % 2])
        await self.read()

    async def _taken_back(self, number: int) -> None:
        """Another bridge had the shard's lease: what was not published is lost. With an odd `number` the disk is lost
        too; unless that follows a lost lease so soon that userstats does not know yet where the histories begin."""
        known = {one.thread or one.place.channel for one in self.ledger.counted} <= self.ledger.states().keys()
        self.lost |= {int(one.id) for one in self.desk.unpublished if getattr(one, "backfilled", None) == 0}
        self.desk.unpublished.clear()
        if number % 2 and known:
            self.desk = Archivist(self.ledger)
            self.desk.publishes = False
        self.start()

    async def finish(self) -> None:
        """Until everything is counted."""
        self.world.faults.clear()
        for _ in range(400):
            self.desk.publish()
            self.desk.time += DAY
            for history in self.backfill.histories:
                history.again = 0
            await self.read()
            self.desk.publish()
            states = self.ledger.states()
            if set(states.values()) == {"complete"} and {GENERAL, FORUM, OLD, OTHER} <= states.keys():
                return
        raise AssertionError(self.ledger.states())


DEEDS = st.tuples(
    st.sampled_from(("read", "read", "read", "killed", "live", "published", "fault", "taken_back")), st.integers(0, 5)
)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "FIRST_PAUSE", 0.0)


@settings(max_examples=150, deadline=None)
@given(st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(0, 4)), st.lists(DEEDS, max_size=25))
def test_g26_whatever_happens_each_message_of_the_history_counts_once(
    lengths: tuple[int, int, int], deeds: list[tuple[str, int]]
) -> None:
    async def run() -> tuple[Play, set[int]]:
        play = Play(World(lengths))
        for deed in deeds:
            await play.do(deed)
        await play.finish()
        said = [str(one) for channel in play.world.said.values() for one in channel]
        return play, {play.desk.pseudonyms.event("discord", "message", one) for one in said}

    play, said = asyncio.run(run())
    counted = Counter(one.id for one in play.ledger.counted)
    assert {one: counted[one] for one in said - play.lost} == dict.fromkeys(said - play.lost, 1)
    assert not counted or max(counted.values()) == 1
    assert set(counted) <= said
