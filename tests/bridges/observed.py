"""What tests of the bridges' shared parts need: small events, a clock, rows of an outbox, and what the stream holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bridges.outbox import Outbox
from bridges.outbox_file import Row
from bridges.settings import BridgeSettings
from tests.brokers import Brokers
from userstats.contract import subjects, wire
from userstats.contract.events import BridgeBeat, Event, Joined, MessageSent, Place

ROOM = Place("demo", "stage", "lounge")
OTHER = Place("demo", "stage", "attic")
NOW = 1_750_000_000_000
WATCH = "watch1"
SOMEBODY = 10**18 + 7
"""No number of somebody anonymous: those are small."""

FAST = BridgeSettings(
    beat_seconds=0.05, silence_seconds=60.0, lease_seconds=2, renew_seconds=0.1, settings_seconds=0.1,
    retry_seconds=0.02, slowest_retry_seconds=0.1, stop_seconds=2.0,
)  # fmt: skip
PATIENT = msgspec.structs.replace(FAST, beat_seconds=60.0)
"""No beats while the test looks at something else."""


class Clock:
    """Seconds since the epoch, moved by the test."""

    def __init__(self) -> None:
        self.seconds = NOW / 1000

    def __call__(self) -> float:
        return self.seconds


def message(number: int, place: Place = ROOM, watch: str = WATCH, **fields: Any) -> MessageSent:
    """The message with this id; its author is SOMEBODY unless said otherwise."""
    return MessageSent(id=number, at=NOW + number, seen=NOW + number, place=place, watch=watch,
                       **{"author": SOMEBODY, **fields})  # fmt: skip


def messages(numbers: Iterable[int], place: Place = ROOM) -> list[Event]:
    return [message(number, place) for number in numbers]


def joined(number: int, person: int, place: Place = ROOM) -> Joined:
    return Joined(id=number, at=NOW + number, seen=NOW + number, place=place, watch=WATCH, person=person)


def beat(number: int, place: Place = ROOM) -> BridgeBeat:
    return BridgeBeat(id=number, at=NOW + number, seen=NOW + number, place=place, watch=WATCH)


@asynccontextmanager
async def opened(
    path: Path, settings: BridgeSettings | None = None, clock: Callable[[], float] = time.time
) -> AsyncIterator[Outbox]:
    """The outbox in this file; closed however the test ends, for its thread would keep the process from ending."""
    outbox = await Outbox.open(path, settings or BridgeSettings(), clock)
    try:
        yield outbox
    finally:
        await outbox.close()


async def everything(outbox: Outbox) -> list[Row]:
    """Every row in the file, acknowledged or not, without touching any."""
    await outbox.flush()
    return await outbox._file._rows(0, 1_000_000)


def event_of(row: Row, producer: str = "p") -> Event:
    """The event in this row, as it would arrive."""
    event = wire.decode(wire.seal(row.body, producer, row.n), row.subject)
    assert isinstance(event, Event), event
    return event


async def ids(outbox: Outbox) -> list[tuple[int, int]]:
    """(row, id of the event) of everything in the file."""
    return [(row.n, event_of(row).id) for row in await everything(outbox)]


async def stream(brokers: Brokers) -> list[Event]:
    """Every event in the stream, in its order; what is no event fails the test."""
    connection = await brokers.connect("userstats")
    jetstream = connection.jetstream()
    info = await jetstream.stream_info(subjects.STREAM)
    left = info.state.messages
    if not left:
        return []
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True)
    consumer = await jetstream.pull_subscribe("chat.v1.event.>", stream=subjects.STREAM, config=config)
    events: list[Event] = []
    while left > 0:
        for found in await consumer.fetch(min(left, 500), timeout=5):
            event = wire.decode(found.data, found.subject)
            assert isinstance(event, Event), event
            events.append(event)
            left -= 1
    await connection.close()
    return events


async def until(holds: Callable[[], Any], seconds: float = 15.0) -> None:
    """Return when this holds; the test fails if it does not come to pass."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - whatever it asks has no event to wait for
            await asyncio.sleep(0.01)
