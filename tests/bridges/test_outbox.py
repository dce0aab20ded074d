"""What is in the outbox is on disk, in order, numbered without gaps, and never more than there is room for."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.outbox import Outbox
from bridges.outbox_file import Draft, OutboxFile, OutboxTaken, OutboxUnreadable, Row
from bridges.settings import BridgeSettings
from tests.bridges.observed import (
    NOW,
    OTHER,
    ROOM,
    WATCH,
    Clock,
    beat,
    event_of,
    everything,
    ids,
    joined,
    message,
    messages,
    opened,
    until,
)
from userstats.contract import subjects, wire
from userstats.contract.events import EventRefused, Named

Opener = Callable[..., Awaitable[Outbox]]

ROOT = Path(__file__).parents[2]
SMALL = BridgeSettings(outbox_max_rows=100, grace_seconds=60.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def open_outbox() -> AsyncIterator[Opener]:
    """Opens outboxes; what is still open when the test ends is closed, for its thread would keep the process alive."""
    all_: list[Outbox] = []

    async def opener(path: Path, settings: BridgeSettings, clock: Callable[[], float] = time.time) -> Outbox:
        all_.append(await Outbox.open(path, settings, clock))
        return all_[-1]

    yield opener
    for outbox in all_:
        outbox._writer.cancel()
        await outbox._file.close()


@pytest_asyncio.fixture
async def outbox(tmp_path: Path, clock: Clock, open_outbox: Opener) -> Outbox:
    return await open_outbox(tmp_path / "demo.db", SMALL, clock)


async def acknowledge(outbox: Outbox, until: int) -> None:
    """As a publisher does, once the broker has all rows up to this one."""
    while outbox.acked < until:
        rows = await outbox.take(until - outbox.acked, 1 << 20)
        outbox.acknowledge(rows[-1])


async def test_events_are_kept_in_order_and_numbered_from_one(outbox: Outbox) -> None:
    await outbox.put(messages([11, 12]), ROOM)
    await outbox.put(messages([13], OTHER), OTHER)

    rows = await everything(outbox)

    assert [(row.n, row.subject, event_of(row, outbox.producer)) for row in rows] == [
        (n, subjects.event(place, "MessageSent"), msgspec.structs.replace(event_of(row, outbox.producer), id=identity))
        for row, (n, place, identity) in zip(rows, [(1, ROOM, 11), (2, ROOM, 12), (3, OTHER, 13)], strict=True)
    ]
    assert [row.body for row in rows] == [wire.body(message(11)), wire.body(message(12)), wire.body(message(13, OTHER))]


async def test_an_outbox_that_is_opened_again_goes_on_where_it_was(open_outbox: Opener, tmp_path: Path) -> None:
    first = await open_outbox(tmp_path / "o.db", SMALL)
    await first.put(messages(range(1, 5)), ROOM, {"read": "4"})
    await first.flush()
    await acknowledge(first, 3)
    await first.remember("broker", "b1")
    await first.close()

    again = await open_outbox(tmp_path / "o.db", SMALL)
    await again.put(messages([5]), ROOM)
    found = (again.producer, again.acked, again.cursor(ROOM, "read"), again.recall("broker"), await ids(again))
    await again.close()

    assert found == (first.producer, 3, "4", "b1", [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)])


async def test_places_do_not_see_each_others_cursors(outbox: Outbox) -> None:
    await outbox.put([], ROOM, {"read": "1"})
    await outbox.put([], OTHER, {"read": "2"})

    assert [outbox.cursor(ROOM, "read"), outbox.cursor(OTHER, "read"), outbox.cursor(ROOM, "other")] == ["1", "2", None]


async def test_each_file_is_a_producer_of_its_own(open_outbox: Opener, tmp_path: Path) -> None:
    producers = []
    for name in ("a.db", "b.db"):
        opened = await open_outbox(tmp_path / name, SMALL)
        producers.append(opened.producer)
        await opened.close()

    assert len(set(producers)) == 2


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
async def test_nobody_else_may_read_the_file_for_it_holds_names(outbox: Outbox, tmp_path: Path) -> None:
    await outbox.put(messages([1]), ROOM)
    await outbox.flush()

    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}  # noqa: ASYNC240 - three files
    assert modes == {0o600}


async def test_two_processes_cannot_have_the_same_outbox(open_outbox: Opener, outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(OutboxTaken):
        await open_outbox(tmp_path / "demo.db", SMALL)


async def test_a_file_that_is_no_outbox_is_left_alone(open_outbox: Opener, tmp_path: Path) -> None:
    (tmp_path / "o.db").write_bytes(b"something else entirely, " * 100)

    with pytest.raises(OutboxUnreadable):
        await open_outbox(tmp_path / "o.db", SMALL)


async def test_a_file_of_a_newer_version_is_left_alone(open_outbox: Opener, tmp_path: Path) -> None:
    opened = await open_outbox(tmp_path / "o.db", SMALL)
    await opened.close()
    with sqlite3.connect(tmp_path / "o.db") as connection:
        connection.execute("PRAGMA user_version=2")
    connection.close()

    with pytest.raises(OutboxUnreadable, match="version 2"):
        await open_outbox(tmp_path / "o.db", SMALL)


async def test_what_no_stream_would_take_is_told_as_refused(outbox: Outbox) -> None:
    large = Named(id=5, at=NOW, seen=NOW, place=ROOM, watch=WATCH, key=1, name="x" * wire.LARGEST)
    await outbox.put([message(4), large, message(6)], ROOM)

    assert [event_of(row) for row in await everything(outbox)][1] == EventRefused(
        id=5, at=NOW, seen=NOW, place=ROOM, watch=WATCH, refused="Named", reason="too_big",
        bytes=len(wire.body(large)), v=1, producer="p", n=2, crc=event_of((await everything(outbox))[1]).crc,
    )  # fmt: skip


async def test_when_room_is_short_beats_are_dropped_and_their_number_told_later(outbox: Outbox) -> None:
    await outbox.put(messages(range(1, 91)), ROOM)
    await outbox.put([beat(91)], ROOM)
    await outbox.put([beat(92), message(93)], ROOM)
    await outbox.flush()
    assert (outbox.waiting, outbox.lost) == (91, 2)

    await acknowledge(outbox, 50)
    await outbox.put([beat(94)], ROOM)

    told = [event_of(row) for row in (await everything(outbox))[-2:]]
    assert [type(event).__name__ for event in told] == ["BridgeBeat", "EventRefused"]
    refused = told[1]
    assert isinstance(refused, EventRefused)
    assert (refused.refused, refused.reason, refused.count, refused.bytes, refused.watch, refused.n) == (
        "BridgeBeat", "overflow", 2, len(wire.body(beat(91))) + len(wire.body(beat(92))), WATCH, 93,
    )  # fmt: skip


async def test_a_full_outbox_makes_its_bridge_wait_and_drops_no_message(outbox: Outbox) -> None:
    await outbox.put(messages(range(1, 101)), ROOM)
    await outbox.flush()
    waiting = asyncio.create_task(outbox.put([message(101), joined(102, 8)], ROOM))
    await asyncio.sleep(0.05)
    assert not waiting.done()

    await acknowledge(outbox, 1)
    await waiting

    assert [n for n, _ in await ids(outbox)][-2:] == [101, 102]
    assert outbox.lost == 0


async def test_a_slow_disk_makes_its_bridge_wait_before_memory_fills(open_outbox: Opener, tmp_path: Path) -> None:
    outbox = await open_outbox(tmp_path / "o.db", BridgeSettings())

    async def flood() -> None:
        for number in range(1, 10_001):
            await outbox.put([message(number)], ROOM)

    async with outbox._file._lock:
        flooding = asyncio.create_task(flood())
        await asyncio.sleep(0.2)
        held = outbox._queued_rows
    await flooding
    stored = await ids(outbox)
    await outbox.close()

    assert 0 < held <= 2000
    assert stored == [(number, number) for number in range(1, 10_001)]


async def test_a_full_disk_loses_nothing_and_is_said_once(
    open_outbox: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("bridges.outbox._TICK", 0.02)
    outbox = await open_outbox(tmp_path / "o.db", BridgeSettings())
    connection = outbox._file._connection
    await connection.execute("PRAGMA max_page_count=20")

    flooding = asyncio.create_task(outbox.put(messages(range(1, 2001)), ROOM, {"read": "2000"}))
    await asyncio.sleep(0.2)
    assert (outbox.waiting, await outbox._file._rows(0, 10)) == (0, [])
    await connection.execute("PRAGMA max_page_count=1000000")
    await flooding
    stored = await ids(outbox)
    await outbox.close()

    assert (stored[0], stored[-1], len(stored)) == ((1, 1), (2000, 2000), 2000)
    assert [record.levelno for record in caplog.records if record.name == "bridges.outbox"] == [
        logging.ERROR,
        logging.INFO,
    ]


async def test_events_and_the_cursor_of_their_bridge_are_stored_together_or_not_at_all(
    open_outbox: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridges.outbox._TICK", 0.02)
    outbox = await open_outbox(tmp_path / "o.db", BridgeSettings())
    connection = outbox._file._connection
    await connection.execute("CREATE TRIGGER no BEFORE INSERT ON cursors BEGIN SELECT RAISE(ABORT, 'no'); END")
    await outbox.put([message(1)], ROOM, {"read": "1"})
    await asyncio.sleep(0.1)
    without_cursor = await outbox._file._all("SELECT count(*) FROM outbox")

    await connection.execute("DROP TRIGGER no")
    await outbox.flush()
    both = (await ids(outbox), await outbox._file._all("SELECT key, value FROM cursors"))
    await outbox.close()

    assert (without_cursor, both) == ([(0,)], ([(1, 1)], [("read", "1")]))


async def test_closing_an_outbox_that_cannot_be_written_says_so(open_outbox: Opener, tmp_path: Path) -> None:
    outbox = await open_outbox(tmp_path / "o.db", BridgeSettings())
    await outbox._file._connection.execute("PRAGMA max_page_count=20")
    await outbox.put(messages(range(1, 2001)), ROOM)

    with pytest.raises(sqlite3.OperationalError, match="full"):
        await outbox.close()


async def test_acknowledged_events_are_kept_for_the_grace_and_then_deleted(
    outbox: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox.put(messages(range(1, 11)), ROOM)
    await outbox.flush()
    await acknowledge(outbox, 6)
    await outbox.put(messages([11]), ROOM)
    await outbox.flush()
    clock.seconds += SMALL.grace_seconds - 1
    await outbox.put(messages([12]), ROOM)
    kept_within_grace = await ids(outbox)

    clock.seconds += 10
    await outbox.put(messages([13]), ROOM)
    await outbox.flush()
    await asyncio.sleep(0.05)

    assert [n for n, _ in kept_within_grace] == list(range(1, 13))
    assert [n for n, _ in await ids(outbox)] == list(range(7, 14))


async def test_acknowledged_events_go_sooner_when_their_room_is_needed(outbox: Outbox) -> None:
    await outbox.put(messages(range(1, 91)), ROOM)
    await outbox.flush()
    await acknowledge(outbox, 90)
    await outbox.put(messages(range(91, 121)), ROOM)
    await outbox.flush()
    await asyncio.sleep(0.05)

    assert [n for n, _ in await ids(outbox)] == list(range(91, 121))


async def test_numbers_are_never_used_twice_even_when_all_rows_are_gone(open_outbox: Opener, tmp_path: Path) -> None:
    clock = Clock()
    first = await open_outbox(tmp_path / "o.db", SMALL, clock)
    await first.put(messages(range(1, 4)), ROOM)
    await first.flush()
    await acknowledge(first, 3)
    clock.seconds += 1
    await first.put([], ROOM, {"a": "b"})
    await first.flush()
    clock.seconds += 100
    await first.put([], ROOM, {"a": "c"})
    await first.flush()
    await asyncio.sleep(0.05)
    left = await ids(first)
    await first.close()

    again = await open_outbox(tmp_path / "o.db", SMALL, clock)
    await again.put(messages([4]), ROOM)
    after = (await ids(again), again.waiting)
    await again.close()

    assert (left, after) == ([], ([(4, 4)], 1))


async def test_what_the_broker_cannot_know_yet_may_be_taken_back_without_a_gap(outbox: Outbox) -> None:
    await outbox.put(messages(range(1, 8)), ROOM)
    await outbox.flush()
    await outbox.take(2, 1 << 20)

    def no_even(row: Row) -> bytes | None:
        return None if event_of(row).id % 2 == 0 else row.body

    gone = await outbox.revise(no_even)
    await outbox.put(messages([8]), ROOM)

    assert (gone, await ids(outbox)) == (2, [(1, 1), (2, 2), (3, 3), (4, 5), (5, 7), (6, 8)])


async def test_after_a_restart_every_row_may_have_been_sent_so_none_is_taken_back(
    open_outbox: Opener, tmp_path: Path
) -> None:
    first = await open_outbox(tmp_path / "o.db", SMALL)
    await first.put(messages(range(1, 4)), ROOM)
    await first.flush()
    await first.take(1, 1 << 20)
    await first.close()

    again = await open_outbox(tmp_path / "o.db", SMALL)
    gone = await again.revise(lambda row: None)
    left = await ids(again)
    await again.close()

    assert (gone, left) == (0, [(1, 1), (2, 2), (3, 3)])


async def test_rows_that_come_while_others_are_taken_back_leave_no_gap(tmp_path: Path) -> None:
    file = await OutboxFile.open(tmp_path / "x.db")
    await file.append([Draft("s", b"%d" % n, NOW) for n in range(1, 4)], {}, 1)
    taking_back = asyncio.create_task(file.revise(lambda row: None if row.n == 3 else row.body))
    await asyncio.sleep(0)
    await file.append([Draft("s", b"4", NOW)], {}, 1)
    gone, left = await taking_back, await file._rows(0, 10)
    await file.close()

    assert (gone, [(row.n, row.body) for row in left]) == (1, [(1, b"1"), (2, b"2"), (3, b"4")])


async def test_a_row_can_be_changed_before_it_was_sent(outbox: Outbox) -> None:
    await outbox.put(messages([1, 2]), ROOM)

    gone = await outbox.revise(lambda row: wire.body(message(9, words=3)))

    assert (gone, [(row.n, row.body) for row in await everything(outbox)]) == (
        0,
        [(1, wire.body(message(9, words=3))), (2, wire.body(message(9, words=3)))],
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 12)),
        st.tuples(st.just("take"), st.integers(1, 8)),
        st.tuples(st.just("acknowledge"), st.integers(1, 8)),
        st.tuples(st.just("drop"), st.integers(2, 5)),
        st.tuples(st.just("time"), st.integers(1, 90)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_the_rows_have_no_gaps_keep_their_order_and_never_change_once_sent(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(whatever_happens(steps, tmp_path_factory.mktemp("outbox") / "o.db"))


async def whatever_happens(steps: list[tuple[str, int]], path: Path) -> None:
    clock = Clock()
    outbox = await Outbox.open(path, SMALL, clock)
    expected: list[int] = []
    sent = 0

    async def put(count: int) -> None:
        fitting = max(0, min(count, 80 - outbox.waiting))
        new = list(range(max(expected, default=0) + 1, max(expected, default=0) + 1 + fitting))
        await outbox.put(messages(new), ROOM, {"last": str(max(expected, default=0) + fitting)})
        expected.extend(new)

    async def take(count: int) -> None:
        nonlocal sent
        sent = max([sent, *(row.n for row in await outbox.take(count, 1 << 20))])

    async def ack(count: int) -> None:
        nonlocal sent
        rows = await outbox.take(count, 1 << 20)
        for row in rows[-1:]:
            sent = max(sent, row.n)
            outbox.acknowledge(row)

    async def drop(every: int) -> None:
        gone = await outbox.revise(lambda row: None if row.n % every == 0 else row.body)
        keep = [identity for n, identity in enumerate(expected, 1) if n <= outbox._file.tried or n % every]
        assert gone == len(expected) - len(keep)
        expected[:] = keep

    async def passes(seconds: int) -> None:
        clock.seconds += seconds

    async def reopen(_: int) -> None:
        nonlocal outbox
        await outbox.close()
        outbox = await Outbox.open(path, SMALL, clock)

    does: dict[str, Callable[[int], Awaitable[None]]] = {
        "put": put,
        "take": take,
        "acknowledge": ack,
        "drop": drop,
        "time": passes,
        "reopen": reopen,
    }
    try:
        for step, argument in steps:
            await does[step](argument)
            await outbox.flush()
            rows = await ids(outbox)
            first = len(expected) - len(rows) + 1
            assert rows == [(n, expected[n - 1]) for n in range(first, len(expected) + 1)]
            assert first <= outbox.acked + 1
            assert outbox.waiting == len(expected) - outbox.acked
            weight = sum(
                len(row.subject) + len(row.body) + 40 for row in await everything(outbox) if row.n > outbox.acked
            )
            assert outbox._file.total - outbox._file.acked_total == weight
    finally:
        await outbox.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from bridges.outbox import Outbox
from bridges.settings import BridgeSettings
from tests.bridges.observed import ROOM, message

async def main():
    outbox = await Outbox.open(Path(sys.argv[1]), BridgeSettings())
    number = int(outbox.cursor(ROOM, "read") or 0)
    while True:
        number += 1
        await outbox.put([message(number), message(number + 10**6)], ROOM, {"read": str(number)})

asyncio.run(main())
"""


@pytest.mark.faults
async def test_g01_a_killed_bridge_finds_cursor_and_events_of_the_same_moment(tmp_path: Path) -> None:
    found = []
    log = tmp_path / "o.db-wal"
    for round_ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(tmp_path / "o.db"), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        await until(lambda: log.exists() and log.stat().st_size > 200_000, 30)
        await asyncio.sleep(0.03 * round_)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        async with opened(tmp_path / "o.db") as outbox:
            rows = await ids(outbox)
            read = int(outbox.cursor(ROOM, "read") or 0)
        found.append(read)
        assert rows == [(n, (n + 1) // 2 + (0 if n % 2 else 10**6)) for n in range(1, 2 * read + 1)]
    assert found == sorted(set(found))
    assert json.loads(str(found[0])) > 0
