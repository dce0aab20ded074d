"""From the outbox to a real broker: everything, in order, once, whatever dies in between."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridges.outbox import Outbox
from bridges.over_nats import OverNats
from bridges.publisher import Publisher
from scripts.broker import EmbeddedBroker
from scripts.provision import provision
from tests.bridges.observed import ROOM, message, messages, opened, stream, until
from tests.brokers import ANY_PORT, Brokers, started
from userstats.contract import subjects, wire
from userstats.contract.broker import Connection, connect
from userstats.contract.events import Event
from userstats.contract.stream import StreamSettings

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def publishing(
    outbox: Outbox, connection: Connection, held: Callable[[], str] = lambda: ""
) -> AsyncIterator[Publisher]:
    """A publisher at work, that ends with the block; what ended it before fails the test."""
    publisher = Publisher(OverNats(connection), outbox, held)
    task = asyncio.create_task(publisher.run())
    yield publisher
    ended = task.done()
    task.cancel()
    await asyncio.wait({task})
    assert not ended, task


async def published(outbox: Outbox, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        await outbox.published()


def sent(events: list[Event]) -> list[tuple[int, int]]:
    """(row, id) of each event, in the stream's order."""
    return [(event.n, event.id) for event in events]


def whole(count: int) -> list[tuple[int, int]]:
    return [(number, number) for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 15, 16, 2500])
async def test_all_events_arrive_in_order_sealed_with_their_row(
    fresh_broker: Brokers, tmp_path: Path, count: int
) -> None:
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox:
        await outbox.put(messages(range(1, count + 1)), ROOM)
        async with publishing(outbox, connection) as publisher:
            await published(outbox)
            assert (publisher.published, outbox.waiting) == (count, 0)

        expected = [
            wire.decode(wire.seal(wire.body(message(number)), outbox.producer, number))
            for number in range(1, count + 1)
        ]
    assert await stream(fresh_broker) == expected


async def test_large_events_go_in_batches_that_are_not_too_large(fresh_broker: Brokers, tmp_path: Path) -> None:
    connection = await fresh_broker.connect("bridge_demo")
    emotes = tuple("e" * 60 for _ in range(200))
    async with opened(tmp_path / "o.db") as outbox:
        for number in range(1, 401):
            await outbox.put([message(number, emotes=emotes)], ROOM)
        async with publishing(outbox, connection):
            await published(outbox)

    assert sent(await stream(fresh_broker)) == whole(400)


async def test_events_survive_the_broker_being_away_and_come_in_order(fresh_broker: Brokers, tmp_path: Path) -> None:
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        await outbox.put(messages(range(1, 31)), ROOM)
        await published(outbox)
        await fresh_broker.embedded.stop()
        for number in range(31, 331):
            await outbox.put([message(number)], ROOM)
        await outbox.flush()
        assert outbox.waiting == 300

        await fresh_broker.embedded.start()
        await published(outbox)

    assert sent(await stream(fresh_broker)) == whole(330)


async def test_what_is_sent_again_is_stored_once_and_a_refused_batch_goes_row_by_row(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "userstats.contract.appending")
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox:
        await outbox.put(messages(range(1, 41)), ROOM)
    shutil.copy(tmp_path / "o.db", tmp_path / "forgetful.db")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        await published(outbox)

    async with opened(tmp_path / "forgetful.db") as outbox:
        await outbox.put(messages(range(41, 61)), ROOM)
        async with publishing(outbox, connection):
            await published(outbox)

    assert sent(await stream(fresh_broker)) == whole(60)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG] == [
        "a batch of 60 is sent again one by one: atomic publish batch contains duplicate message id"
    ]


async def test_a_broker_that_lost_its_end_gets_it_again(tmp_path: Path) -> None:
    """As after a power cut with `sync_interval` other than always: acknowledged events are gone."""
    brokers = Brokers(await started(tmp_path / "b"))
    store = tmp_path / "b" / "data" / "broker" / "jetstream"
    connection = await brokers.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        await outbox.put(messages(range(1, 31)), ROOM)
        await published(outbox)
        await brokers.embedded.stop()
        shutil.copytree(store, tmp_path / "earlier")
        await brokers.embedded.start()
        await outbox.put(messages(range(31, 431)), ROOM)
        await published(outbox)

        await brokers.embedded.stop()
        shutil.rmtree(store)
        shutil.copytree(tmp_path / "earlier", store)
        await outbox.put(messages(range(431, 441)), ROOM)
        await brokers.embedded.start()
        await published(outbox)

    assert sent(await stream(brokers)) == whole(440)
    await brokers.disconnect()
    await brokers.embedded.stop()


async def test_a_new_broker_process_is_noticed_while_nothing_happens_and_by_a_later_run(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridges.publisher")
    again = "another broker process: 3 events published again"

    def said() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "bridges.publisher"]

    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        await outbox.put(messages(range(1, 4)), ROOM)
        await published(outbox)
        await fresh_broker.embedded.stop()
        await fresh_broker.embedded.start()
        await until(lambda: said() == [again])
    await fresh_broker.embedded.stop()
    await fresh_broker.embedded.start()
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        await until(lambda: said() == [again, again])

    assert sent(await stream(fresh_broker)) == whole(3)


async def test_a_full_stream_makes_events_wait_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    brokers = Brokers(await started(tmp_path / "b", StreamSettings(max_bytes=100_000)))
    connection = await brokers.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        for number in range(1, 2001):
            await outbox.put([message(number)], ROOM)
        await until(lambda: "the stream is full" in caplog.text)
        stuck = outbox.acked
        await asyncio.sleep(0.5)
        assert (outbox.acked, caplog.text.count("the stream is full")) == (stuck, 1)
        held = sent(await stream(brokers))

        provisioner = await brokers.connect("provision")
        await provision(provisioner, StreamSettings(), embedded=True)
        await published(outbox)

    assert held == whole(stuck)
    assert 0 < stuck < 2000
    assert sent(await stream(brokers)) == whole(2000)
    await brokers.disconnect()
    await brokers.embedded.stop()


async def test_without_a_stream_events_wait_until_there_is_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with EmbeddedBroker(ANY_PORT, tmp_path / "b") as embedded:
        brokers = Brokers(embedded)
        connection = await brokers.connect("bridge_demo")
        async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
            await outbox.put(messages(range(1, 31)), ROOM)
            await until(lambda: "events wait in the outbox (30)" in caplog.text, 30)
            provisioner = await brokers.connect("provision")
            await provision(provisioner, StreamSettings(), embedded=True)
            await published(outbox)

        assert sent(await stream(brokers)) == whole(30)
        await brokers.disconnect()


async def test_nothing_is_published_while_it_is_held(fresh_broker: Brokers, tmp_path: Path) -> None:
    connection = await fresh_broker.connect("bridge_demo")
    reasons = ["consent is unknown"]
    async with (
        opened(tmp_path / "o.db") as outbox,
        publishing(outbox, connection, lambda: "".join(reasons)),
    ):
        await outbox.put(messages(range(1, 31)), ROOM)
        await outbox.flush()
        await asyncio.sleep(0.3)
        before = (outbox.waiting, outbox._file.tried, await stream(fresh_broker))
        reasons.clear()
        await published(outbox)

    assert before == (30, 0, [])
    assert sent(await stream(fresh_broker)) == whole(30)


async def test_a_connection_closed_for_good_ends_the_publisher(fresh_broker: Brokers, tmp_path: Path) -> None:
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox:
        task = asyncio.create_task(Publisher(OverNats(connection), outbox, lambda: "").run())
        await connection.close()
        await asyncio.wait({task}, timeout=5)

    assert type(task.exception()).__name__ == "ConnectionClosedError"


@pytest.mark.faults
async def test_a_broker_killed_at_random_moments_ends_up_with_every_event_once(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    chance = random.Random(7)
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):

        async def observe() -> None:
            for number in range(1, 6001):
                await outbox.put([message(number)], ROOM)
                await asyncio.sleep(0 if number % 10 else 0.001)

        observing = asyncio.create_task(observe())
        for _ in range(4):
            await asyncio.sleep(chance.uniform(0.05, 0.3))
            os.kill(fresh_broker.running.pid, signal.SIGKILL)
            await fresh_broker.embedded.wait()
            await fresh_broker.embedded.start()
        await observing
        await published(outbox, 60)

    assert sent(await stream(fresh_broker)) == whole(6000)


BRIDGE = """
import asyncio, sys
from pathlib import Path
from bridges.outbox import Outbox
from bridges.over_nats import OverNats
from bridges.publisher import Publisher
from bridges.settings import BridgeSettings
from tests.bridges.observed import ROOM, message
from tests.brokers import ANY_PORT
from userstats.contract.broker import connect

async def main():
    outbox = await Outbox.open(Path(sys.argv[1]), BridgeSettings())
    connection = await connect(ANY_PORT, "bridge_demo", name="killed", folder=Path(sys.argv[2]))
    asyncio.create_task(Publisher(OverNats(connection), outbox, lambda: "").run())
    number = int(outbox.cursor(ROOM, "read") or 0)
    print("running", flush=True)
    while True:
        number += 1
        await outbox.put([message(number)], ROOM, {"read": str(number)})
        await asyncio.sleep(0 if number % 20 else 0.002)

asyncio.run(main())
"""


@pytest.mark.faults
async def test_g01_a_bridge_killed_five_times_loses_nothing_and_repeats_nothing(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    chance = random.Random(11)
    for _ in range(5):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", BRIDGE, str(tmp_path / "o.db"), str(fresh_broker.folder),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        process.send_signal(signal.SIGKILL)
        await process.wait()

    connection = await connect(ANY_PORT, "bridge_demo", name="last", folder=fresh_broker.folder)
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, connection):
        await published(outbox)
        read = int(outbox.cursor(ROOM, "read") or 0)
        producer = outbox.producer
    await connection.close()

    events = await stream(fresh_broker)
    assert read > 5
    assert {event.producer for event in events} == {producer}
    assert sorted({(event.n, event.id) for event in events}) == whole(read)
    assert sent(events) == whole(read)
    assert subjects.message_id(producer, read) == f"{producer}:{read}"
