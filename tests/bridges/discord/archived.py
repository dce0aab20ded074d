"""For tests of histories: a desk with a userstats behind it that counts as ours does, and what it counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from bridges.bridge import Observation
from tests.bridges.cytube.watching import Watching
from tests.stand_ins.discord import Channel, Guild, StandIn
from tests.stand_ins.discord.snowflake import moment
from userstats.backfilled import Backfills
from userstats.contract.events import BackfillReached, Event, MessageSent, Place

from .watching import LiveDesk, shard_of

QUICK = {"backfill": True, "backfill_per_minute": 3000}
MINUTE = 60_000


class Ledger:
    """What userstats has counted: every message that is new, and how far each history is."""

    def __init__(self) -> None:
        self._places: dict[Place, int] = {}
        self._backfills = Backfills()
        self.counted: list[MessageSent] = []
        self.repeated = 0
        self.rows: dict[tuple[Place, str], dict[str, Any]] = {}
        self.away = False
        """It does not answer."""
        self.asked = 0

    def apply(self, events: Iterable[Event]) -> None:
        """These came, in the order of the stream."""
        for event in events:
            new = self._backfills.accept(event, self._places.setdefault(event.place, len(self._places)))
            if isinstance(event, MessageSent):
                self.counted += [event] if new else []
                self.repeated += not new
            if isinstance(event, BackfillReached) and new:
                self._reach(event)

    def _reach(self, event: BackfillReached) -> None:
        row = self.rows.setdefault((event.place, event.thread), {"newest": 0, "oldest": event.oldest})
        row |= {"until": datetime.fromtimestamp(event.reached / 1000, UTC).isoformat(), "state": event.state}
        row |= {"newest": event.newest or row["newest"], "oldest": min(row["oldest"], event.oldest)}

    def status(self, request: Mapping[str, Any]) -> bytes:
        """`backfill.status`."""
        self.asked += 1
        if self.away:
            raise TimeoutError("nobody answers here")
        found = [
            {"domain": place.space, "channel": place.channel, "thread": thread, **row, "oldest": str(row["oldest"]),
             "newest": str(row["newest"] or "")}
            for (place, thread), row in self.rows.items() if place.space == request["domain"]
        ]  # fmt: skip
        if not found:
            return msgspec.json.encode({"success": False, "error": {"code": 404, "message": "nothing is known"}})
        page = found[request["after"] : request["after"] + request["limit"]]
        return msgspec.json.encode({"success": True, "data": page})

    def states(self) -> dict[str, str]:
        """By channel or thread."""
        return {thread or place.channel: row["state"] for (place, thread), row in self.rows.items()}

    def times(self) -> Counter[tuple[int, str]]:
        """How often each message was counted, by when it was said and where (thread or channel)."""
        return Counter((one.at, one.thread or one.place.channel) for one in self.counted)


class Archivist(LiveDesk):
    """A desk over an outbox of its own; `published` of what it keeps reaches userstats at once."""

    def __init__(self, ledger: Ledger, cursors: dict[str, str] | None = None) -> None:
        super().__init__()
        self.ledger = ledger
        self.cursors = {} if cursors is None else cursors
        self.unpublished: list[Event] = []
        self.publishes = True

    def keep(self, observation: Observation) -> None:
        super().keep(observation)
        self.unpublished += observation.events
        if self.publishes:
            self.publish()

    def publish(self) -> None:
        """What waits in the outbox reaches userstats."""
        self.ledger.apply(self.unpublished)
        self.unpublished.clear()

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        assert question == "backfill.status"
        return self.ledger.status(request)


def reading(site: StandIn, ledger: Ledger, cursors: dict[str, str] | None = None, **settings: Any) -> Watching:
    """`async with reading(site, ledger):` a shard that reads histories; `cursors` are those of an earlier run."""
    return Watching(shard_of(site, **{**QUICK, **settings}), Archivist(ledger, cursors), "w1")


def truth(*channels: Channel) -> Counter[tuple[int, str]]:
    """Each message that there is, once, as `Ledger.times` has it."""
    return Counter((moment(one), str(channel.id)) for channel in channels for one in channel.messages)


def fill(site: StandIn, channel: Channel, count: int, *, ago: int = 100_000, every: int = MINUTE) -> None:
    """So many messages of the past, by two people; the last one `ago` milliseconds ago."""
    people = [site.user("amy"), site.user("bob")]
    start = site.now() - ago - every * count
    site.history(channel, [(start + every * n, people[n % 2], f"line {n}") for n in range(1, count + 1)])


def cinema(site: StandIn) -> tuple[Guild, Channel]:
    """A guild with #general, and amy and bob in it."""
    guild = site.guild("cinema")
    general = site.channel(guild, "general")
    site.enrol(guild, site.user("amy"), site.user("bob"))
    return guild, general


def complete(ledger: Ledger, *channels: Channel) -> bool:
    """Whether all of these are counted to their beginning."""
    return all(ledger.states().get(str(channel.id)) == "complete" for channel in channels)
