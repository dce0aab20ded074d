"""The stream is read in order and to its end, whatever becomes of the consumer, the broker and the stream itself."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from scripts.provision import provision
from tests.bridges.observed import message
from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure
from tests.e2e.processes import until as counted
from tests.faults.bulk import Payload, publish
from tests.test_service import Faulty
from userstats import catalogue, inbox
from userstats.contract import subjects, wire
from userstats.contract.broker import Connection
from userstats.contract.stream import StreamSettings
from userstats.inbox import BrokerWentBack, Inbox, StreamGone, nanoseconds
from userstats.ingest import Ingest
from userstats.service import Message, Service
from userstats.stats import messages, people
from userstats.store.seam import Position
from userstats.store.sqlite import SQLiteStore

API: Final = "$JS.API"
COUNTED: Final = "SELECT COALESCE(SUM(messages), 0), COALESCE(SUM(words), 0) FROM everyone_totals"


def row(n: int, producer: str = "outbox-1", **fields: Any) -> Payload:
    """Row n of an outbox: a message of n words."""
    event = message(n, words=n, **fields)
    return subjects.event(event.place, wire.kind_of(event)), wire.seal(wire.body(event), producer, n)


def rows(numbers: Iterable[int], **fields: Any) -> list[Payload]:
    return [row(n, **fields) for n in numbers]


def sums(numbers: Iterable[int]) -> tuple[int, int]:
    """What must be counted of these rows."""
    found = list(numbers)
    return len(found), sum(found)


class Reading:
    """A service that follows a broker's stream, as `python -m userstats` has it."""

    def __init__(self, brokers: Brokers, store: SQLiteStore, client: Connection, kind: type[Inbox]) -> None:
        self.brokers = brokers
        self.store = store
        self.service = Service(store, catalogue.build((messages.STATISTIC, people.STATISTIC)))
        self.ingest = Ingest(self.service, kind(client))
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.task = asyncio.create_task(self.ingest.run())
        async with asyncio.timeout(20):
            await self.ingest.inbox.ready.wait()

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def counted(self, last: int, within: float = 20) -> tuple[int, int]:
        """Messages and words, once everything up to this message of the stream is counted."""
        await self.ingest.reached(last, within)
        ((found, words),) = await self.store.load(COUNTED)
        return found, words


@asynccontextmanager
async def reading(brokers: Brokers, *, kind: type[Inbox] = Inbox) -> AsyncIterator[Reading]:
    """Follow the stream for as long as the block lasts."""
    store = await SQLiteStore.open(brokers.folder / "counted.db")
    found: list[Reading] = []

    def back() -> None:
        found[0].ingest.inbox.reset()

    client = await brokers.connect("userstats", on_back=back)
    found.append(Reading(brokers, store, client, kind))
    await found[0].service.start()
    await found[0].start()
    try:
        yield found[0]
    finally:
        await found[0].stop()
        await store.close()


async def api(brokers: Brokers, verb: str, **request: Any) -> dict[str, Any]:
    """What the operator does to the stream."""
    client = await brokers.connect("provision")
    reply = await client.request(f"{API}.STREAM.{verb}.{subjects.STREAM}", json.dumps(request).encode(), timeout=5)
    body: dict[str, Any] = json.loads(reply.data)
    assert "error" not in body, body
    return body


async def erase(brokers: Brokers, numbers: Iterable[int]) -> None:
    for number in numbers:
        await api(brokers, "MSG.DELETE", seq=number)


async def until(holds: Callable[[], bool], within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - it is what another task does
            await asyncio.sleep(0.01)


class Told(Inbox):
    """Tells how its consumers are called."""

    def __init__(self, client: Connection) -> None:
        super().__init__(client)
        self.names: list[str] = []

    async def _create(self, name: str, first: int) -> int:
        self.names.append(name)
        return await super()._create(name, first)


class Leaky(Inbox):
    """Loses the first delivery of each third message."""

    def __init__(self, client: Connection) -> None:
        super().__init__(client)
        self.delivered: set[bytes] = set()

    async def _take(self, message: Msg) -> None:
        number = message.reply.split(".")[5] if message.reply else "1"
        if int(number) % 3 or message.data in self.delivered:
            await super()._take(message)
        self.delivered.add(message.data)


async def test_what_a_delivery_lost_is_asked_for_again(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker, kind=Leaky) as at_work:
        await publish(bridge, rows(range(1, 11)))
        assert await at_work.counted(10) == sums(range(1, 11))


async def test_a_consumer_that_the_broker_lost_is_made_anew_and_nothing_spins(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "userstats")
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker, kind=Told) as at_work:
        reader = at_work.ingest.inbox
        assert isinstance(reader, Told)
        client = reader._client
        await publish(bridge, rows([1, 2]))
        await at_work.counted(2)
        before = client.stats["out_msgs"]
        await client.request(f"{API}.CONSUMER.DELETE.{subjects.STREAM}.{reader.names[0]}", b"")
        await publish(bridge, rows([3]))
        assert await at_work.counted(3) == sums([1, 2, 3])
        assert client.stats["out_msgs"] - before < 20
    assert [one.message for one in caplog.records if one.name == "userstats.inbox"] == [
        "the consumer is gone (status 409); making another one"
    ]


async def test_a_consumer_that_went_while_the_database_was_away_is_made_anew(
    fresh_broker: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker drops a consumer that nobody pulls from for a minute; by then its pull requests are over too."""
    monkeypatch.setattr(inbox, "_EXPIRES", 0.3)
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker, kind=Told) as at_work:
        reader = at_work.ingest.inbox
        assert isinstance(reader, Told)
        apply, away = at_work.service.apply, asyncio.Event()

        async def slow(batch: list[Message], stream: str = "") -> None:
            await away.wait()
            await apply(batch, stream)

        monkeypatch.setattr(at_work.service, "apply", slow)
        client = reader._client
        await publish(bridge, rows([1]))
        await until(lambda: at_work.ingest._refused)
        await asyncio.sleep(1)  # both pull requests end
        await client.request(f"{API}.CONSUMER.DELETE.{subjects.STREAM}.{reader.names[0]}", b"")
        before = client.stats["out_msgs"]
        away.set()
        await publish(bridge, rows([2]))
        assert await at_work.counted(2) == sums([1, 2])
        assert client.stats["out_msgs"] - before < 20


async def test_the_broker_is_killed_amid_a_stream_and_everything_is_counted_once(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        for turn in range(3):
            first = turn * 2000 + 1
            await publish(bridge, rows(range(first, first + 2000)))
            await until(lambda first=first: at_work.service.position.seq >= first)  # type: ignore[misc]
            fresh_broker.embedded._process.kill()  # type: ignore[union-attr]
            await fresh_broker.embedded.wait()
            await fresh_broker.embedded.start()
            await until(lambda: bridge.is_connected)
        assert await at_work.counted(6000) == sums(range(1, 6001))
        assert at_work.service.applied["duplicate"] == 0
    assert [one.message for one in caplog.records if one.levelno == logging.ERROR] == []


async def test_a_stream_that_was_made_anew_is_read_from_its_beginning_and_counts_only_what_is_new(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    bridge, operator = await fresh_broker.connect("bridge_demo"), await fresh_broker.connect("provision")
    async with reading(fresh_broker) as at_work:
        await publish(bridge, rows(range(1, 9)))
        await at_work.counted(8)
        created = at_work.service.position.stream
        await api(fresh_broker, "DELETE")
        await provision(operator, StreamSettings(), embedded=True)
        await publish(bridge, rows([7, 8, 3, 9, 10]))  # the bridges' grace window, and what happened since
        await until(lambda: at_work.service.position.stream not in {created, ""})
        assert await at_work.counted(5) == sums(range(1, 11))
        assert at_work.service.applied["duplicate"] == 3
        assert at_work.ingest.inbox.lost_before == 0
    assert [one.message for one in caplog.records if one.levelno == logging.ERROR] == [
        "the broker lost messages: the stream was made anew; reading the stream again from its beginning"
    ]


async def test_a_dead_letter_is_still_there_when_another_stream_has_one_of_its_number(fresh_broker: Brokers) -> None:
    bridge, operator = await fresh_broker.connect("bridge_demo"), await fresh_broker.connect("provision")
    subject = row(1)[0]
    async with reading(fresh_broker) as at_work:
        await publish(bridge, [(subject, b"old")])
        await at_work.counted(1)
        created = at_work.service.position.stream
        await api(fresh_broker, "DELETE")
        await provision(operator, StreamSettings(), embedded=True)
        await publish(bridge, [(subject, b"newer")])
        await until(lambda: at_work.service.position.stream not in {created, ""})
        await at_work.counted(1)
        assert await at_work.store.load("SELECT seq, bytes FROM dead_letters ORDER BY at") == [(1, 3), (1, 5)]


async def test_a_broker_that_lost_the_end_of_its_stream_and_used_the_numbers_again_is_noticed(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    """A power cut with a lying disk, or a snapshot of the machine that was put back."""
    embedded = fresh_broker.embedded
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        await publish(bridge, rows(range(1, 6)))
        await at_work.counted(5)
        streams, kept = embedded._paths.streams, tmp_path / "kept"
        await embedded.stop()
        shutil.copytree(streams, kept)
        await embedded.start()
        await until(lambda: bridge.is_connected)
        await publish(bridge, rows(range(6, 10)))
        await at_work.counted(9)
        await embedded.stop()
        shutil.rmtree(streams)
        shutil.copytree(kept, streams)
        await embedded.start()
        await until(lambda: bridge.is_connected)
        await publish(bridge, rows([8, 9, 6, 10, 11, 7]))  # message 9 is row 10 now
        async with asyncio.timeout(20):
            while at_work.service.applied["MessageSent"] < 11:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await at_work.counted(11) == sums(range(1, 12))
        assert at_work.ingest.inbox.lost_before == 0


async def test_a_reconnection_while_the_broker_is_asked_is_not_forgotten(fresh_broker: Brokers) -> None:
    """What it answered before may not hold for the one that is back."""

    class Interrupted(Inbox):
        async def _verify(self, position: Position) -> int:
            after = await super()._verify(position)
            self.reset()
            return after

    bridge = await fresh_broker.connect("bridge_demo")
    await publish(bridge, rows([1]))
    found = [batch async for batch in Interrupted(await fresh_broker.connect("userstats")).batches(Position())]
    assert found == []


@pytest.mark.parametrize("left", [2, 0])
async def test_what_was_removed_before_it_was_counted_is_an_alarm(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture, left: int
) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        await publish(bridge, rows(range(1, 4)))
        await at_work.counted(3)
        await at_work.stop()
        await publish(bridge, rows(range(4, 11)))
        await erase(fresh_broker, range(1, 11 - left))
        await at_work.start()
        await until(lambda: at_work.ingest.lag == 0)
        assert await at_work.counted(3 if left == 0 else 10) == sums([1, 2, 3, *range(11 - left, 11)])
        assert at_work.ingest.inbox.lost_before == 11 - left
        await asyncio.wait_for(at_work.ingest.caught_up(), 5)
    assert [one.message for one in caplog.records if one.levelno == logging.ERROR] == [
        f"messages 4 to {10 - left} were removed before they were counted"
    ]


async def test_retention_that_overtakes_the_reading_amid_it_is_an_alarm_at_the_next_look(
    fresh_broker: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "BATCH", 2)
    bridge = await fresh_broker.connect("bridge_demo")
    await publish(bridge, rows(range(1, 21)))
    reader = Inbox(await fresh_broker.connect("userstats"), batch=2)
    found: list[int] = []
    async for batch in reader.batches(Position()):
        if not found:
            await erase(fresh_broker, range(1, 16))
        found += [one.seq for one in batch]
        if found[-1] == 20:
            break
    await reader.look()
    assert found == [*range(1, found.index(16) + 1), *range(16, 21)]
    assert reader.lost_before == 16


async def test_erased_messages_do_not_stall_and_are_no_alarm(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        await publish(bridge, rows(range(1, 6)))
        await at_work.counted(5)
        await at_work.stop()
        await publish(bridge, rows(range(6, 21)))
        await erase(fresh_broker, [2, 5, 6, 7, 11, 12, 19])  # 5 is the position itself
        await at_work.start()
        assert await at_work.counted(20) == sums(set(range(1, 21)) - {6, 7, 11, 12, 19})
        await publish(bridge, rows([21]))
        assert await at_work.counted(21) == sums(set(range(1, 22)) - {6, 7, 11, 12, 19})
        await at_work.ingest.inbox.look()
        assert at_work.ingest.inbox.lost_before == 0


async def test_a_stream_whose_end_was_erased_is_caught_up_with_and_has_no_lag(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    await publish(bridge, rows(range(1, 8)))
    await erase(fresh_broker, [6, 7])
    async with reading(fresh_broker) as at_work:
        await asyncio.wait_for(at_work.ingest.caught_up(), 5)
        await at_work.ingest.inbox.look()
        assert (at_work.ingest.lag, await at_work.counted(5)) == (0, sums(range(1, 6)))
        await at_work.stop()
        await at_work.start()
        await asyncio.wait_for(at_work.ingest.caught_up(), 5)
        assert at_work.ingest.lag == 0


async def test_a_look_sees_what_waits_while_nothing_is_taken(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    reader = Inbox(await fresh_broker.connect("userstats"))
    await reader.look()
    assert reader.last_seq == 0
    await publish(bridge, rows(range(1, 6)))
    await reader.look()
    assert reader.last_seq == 5


async def test_a_pull_that_expires_in_an_idle_stream_is_followed_by_another(
    fresh_broker: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_EXPIRES", 0.2)
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        client = at_work.ingest.inbox._client
        await asyncio.sleep(1)
        pulls = client.stats["out_msgs"]
        cleared = asyncio.Event()
        monkeypatch.setattr(at_work.ingest.inbox.ready, "clear", cleared.set)
        await asyncio.sleep(1)
        assert 0 < client.stats["out_msgs"] - pulls <= 12
        await publish(bridge, rows(range(1, 4)))
        assert await at_work.counted(3) == sums([1, 2, 3])
        assert not cleared.is_set()


async def test_large_messages_do_not_cost_the_connection(fresh_broker: Brokers) -> None:
    """The broker drops a client for which more than 16 MB wait."""
    bridge = await fresh_broker.connect("bridge_demo")
    large = rows(range(1, 3001), emotes=["x" * 64] * 200)
    for first in range(0, len(large), 100):
        await publish(bridge, large[first : first + 100])
    gone: list[str] = []
    reader = Inbox(await fresh_broker.connect("userstats", on_gone=lambda: gone.append("gone")))
    found = 0
    async for batch in reader.batches(Position()):
        found += len(batch)
        if batch[-1].seq == 3000:
            break
    assert (found, gone) == (3000, [])


async def test_a_subject_that_is_no_text_is_buried_and_the_next_event_counts(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        await bridge._send_command(b"PUB chat.v1.event.demo.\xff\xfe.x.MessageSent 2\r\n{}\r\n")
        await bridge.flush()
        await publish(bridge, rows([1]))
        assert await at_work.counted(2) == sums([1])
        assert await at_work.store.load("SELECT seq, subject FROM dead_letters") == [
            (1, "chat.v1.event.demo.\ufffd\ufffd.x.MessageSent")
        ]


async def test_a_question_with_unreadable_headers_or_reply_does_not_make_userstats_deaf(fresh_broker: Brokers) -> None:
    service, client = await fresh_broker.connect("userstats"), await fresh_broker.connect("client")
    subject = subjects.question("channel.now")

    async def answer(request: Msg) -> None:
        await request.respond(b"here")

    await service.subscribe(subject, cb=answer)
    await service.flush()
    await service.flush()
    headers = b"NATS/1.0 \xff\xff\xff no\r\n\r\n"
    sizes = f"{len(headers)} {len(headers)}".encode()
    await client._send_command(b"HPUB %b %b\r\n%b\r\n" % (subject.encode(), sizes, headers))
    await client._send_command(b"PUB %b _INBOX_client.\xff 0\r\n\r\n" % subject.encode())
    assert (await client.request(subject, b"", timeout=2)).data == b"here"


async def test_while_the_database_refuses_it_is_said_once_and_nothing_is_called_followed(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "userstats")
    monkeypatch.setattr("userstats.ingest._SLOWEST", 0.05)
    bridge = await fresh_broker.connect("bridge_demo")
    async with reading(fresh_broker) as at_work:
        broken = at_work.service.store = Faulty(at_work.store, commits=4)
        await publish(bridge, rows([1]))
        await until(lambda: broken.commits < 4)
        states = set[str]()
        while broken.commits:
            states.add(at_work.ingest.state)
            await asyncio.sleep(0.002)
        assert await at_work.counted(1) == sums([1])
        assert (states, at_work.ingest.state) == ({"waiting"}, "following")
    assert [one.message for one in caplog.records if one.name == "userstats.ingest"] == [
        "not counting: disk",
        "counting from message 1 on",
    ]


async def test_a_database_that_refuses_to_go_back_is_asked_again(
    fresh_broker: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("userstats.ingest._SLOWEST", 0.05)
    bridge, operator = await fresh_broker.connect("bridge_demo"), await fresh_broker.connect("provision")
    async with reading(fresh_broker) as at_work:
        await publish(bridge, rows([1, 2]))
        await at_work.counted(2)
        at_work.service.store = Faulty(at_work.store, commits=2)
        await api(fresh_broker, "DELETE")
        await provision(operator, StreamSettings(), embedded=True)
        await publish(bridge, rows([2, 1, 3]))
        assert await at_work.counted(3) == sums([1, 2, 3])


async def test_g01_of_two_userstats_on_one_database_the_older_one_is_fenced_and_says_so(fresh_broker: Brokers) -> None:
    folder = fresh_broker.folder
    configure(folder, nats={"port": -1}, http={"port": 0})
    bridge, client = await fresh_broker.connect("bridge_demo"), await fresh_broker.connect("client")
    async with Part(folder, "userstats") as older:
        await publish(bridge, rows([1]))
        assert (await ask(client, "leaderboard.messages"))["success"]
        async with Part(folder, "userstats", "--config", str(folder / "config.json")) as newer:
            await until(lambda: newer.log.read_text().count("ready: ") == 2, 20)
            await publish(bridge, rows([2]))
            assert older.process is not None
            assert await asyncio.wait_for(older.process.wait(), 10) == 3
            await publish(bridge, rows([3]))
            expected = [{"username": "#000007", "count": 3}]
            assert await counted(client, "leaderboard.messages", expected, since="all") == expected
            assert await newer.stop() == 0
    store = await SQLiteStore.open(folder / "data" / "userstats.db")
    found = await store.load(COUNTED)
    await store.close()
    assert found == [sums([1, 2, 3])]
    assert "another userstats has taken over this database" in older.log.read_text()
    assert "Traceback" not in older.log.read_text()


numbers = st.integers(1, 2**63)


@given(numbers, numbers, st.integers(0, 2**63), numbers, st.booleans())
def test_numbers_and_stamps_come_exactly_from_both_forms_of_reply(
    seq: int, delivery: int, stamp: int, pending: int, with_domain: bool
) -> None:
    tail = f"CHAT.userstats_0a.1.{seq}.{delivery}.{stamp}.{pending}"
    reply = {False: f"$JS.ACK.{tail}", True: f"$JS.ACK.hub.AbCdEf.{tail}.rAnDoM"}[with_domain]
    told = Msg(_client=None, subject="chat.v1.event.a.b.c.d", reply=reply, data=b"x")  # type: ignore[arg-type]
    assert inbox._parse(told) == (Message(seq, stamp, "chat.v1.event.a.b.c.d", b"x"), delivery, pending)


@pytest.mark.parametrize("reply", ["_INBOX.abc", "$JS.ACK.a.b.1.x.1.1.1", "$JS.ACK", "...."])
def test_a_delivery_in_a_form_that_nobody_knows_is_not_guessed_at(reply: str) -> None:
    with pytest.raises(StreamGone):
        inbox._parse(Msg(_client=None, subject="s", reply=reply, data=b""))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-03T20:00:00Z", 1_741_032_000_000_000_000),
        ("2025-03-03T20:00:00.1Z", 1_741_032_000_100_000_000),
        ("2025-03-03T20:00:00.000000001Z", 1_741_032_000_000_000_001),
        ("2025-03-03T20:00:00.123456789Z", 1_741_032_000_123_456_789),
    ],
)
def test_times_of_the_api_are_read_to_the_nanosecond(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


async def test_the_stamp_of_a_delivery_is_the_one_that_the_api_tells(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    await publish(bridge, rows(range(1, 21)))
    reader = Inbox(await fresh_broker.connect("userstats"))
    batch = await anext(reader.batches(Position()))
    told: list[Mapping[str, Any] | None] = [await reader._get({"seq": one.seq}) for one in batch]
    assert [nanoseconds(one["time"]) for one in told if one] == [one.stamp for one in batch]
    last = batch[-1]
    assert await reader._verify(Position(last.seq, last.stamp, reader.created)) == last.seq
    with pytest.raises(BrokerWentBack):
        await reader._verify(Position(last.seq, last.stamp + 1, reader.created))
