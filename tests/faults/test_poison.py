"""What is no event ends as a dead letter with its reason and without its text, and the next good event counts."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiosqlite
import pytest

from tests.brokers import Brokers
from tests.e2e.processes import Part, configure, until
from tests.rooms import FRAGILE, UNLUCKY
from tests.stored import letters
from tests.stores import Database
from userstats import catalogue
from userstats.contract import events as e
from userstats.contract import subjects, wire
from userstats.contract.broker import Connection
from userstats.dead_letters import DeadLetters
from userstats.inbox import Inbox
from userstats.ingest import Ingest
from userstats.service import Service
from userstats.stats import messages as messages_room

pytestmark = pytest.mark.faults
ROOM: Final = e.Place("demo", "demo.local", "lounge")
SUBJECT: Final = subjects.event(ROOM, "MessageSent")
AUTHOR: Final = 2**60 + 7
MARKER: Final = "somebody-wrote-this"
NOW: Final = 1_790_000_000_000
SEED: Final = 20261120


def message(n: int, **fields: Any) -> e.MessageSent:
    return e.MessageSent(
        id=n, at=NOW + n, seen=NOW + n, place=ROOM, watch="w1", **{"author": AUTHOR, "words": 3, **fields}
    )


def named(n: int) -> e.Named:
    return e.Named(id=n, at=NOW, seen=NOW, place=ROOM, watch="w1", key=AUTHOR, person=AUTHOR, name="Amy")


def sealed(event: e.Event) -> bytes:
    """As the bridge's outbox row of this number publishes it."""
    return wire.seal(wire.body(event), "outbox-1", event.id)


def altered(**fields: Any) -> bytes:
    """A message with other or further fields, sealed as if it were right."""
    document = {**json.loads(wire.body(message(900_000))), **fields}
    return wire.seal(json.dumps(document).encode(), "outbox-2", 1)


GOOD: Final = wire.body(message(900_000))
POISON: Final = {
    "nothing": (b"", "json"),
    "plain text": (MARKER.encode(), "json"),
    "cut off": (b'{"kind":"MessageSent","note":"%b' % MARKER.encode(), "json"),
    "not UTF-8": (wire.seal(GOOD[:-1] + b',"thread":"%b\xff"}' % MARKER.encode(), "outbox-2", 1), "json"),
    "zeros": (b"\0" * 500, "json"),
    "compressed": (b"\x1f\x8b\x08" + MARKER.encode(), "json"),
    "a list": (json.dumps([MARKER]).encode(), "schema"),
    "a number": (b"1", "schema"),
    "no kind": (altered(kind=None), "unknown_type"),
    "unknown kind": (altered(kind="PollOpened", text=MARKER), "unknown_type"),
    "a text as kind": (altered(kind=MARKER), "unknown_type"),
    "a list as kind": (altered(kind=[MARKER]), "unknown_type"),
    "newer version": (altered(text=MARKER).replace(b'"v":1', b'"v":2'), "version"),
    "no version": (GOOD, "version"),
    "no row": (wire.seal(GOOD, "outbox-2", 0), "schema"),
    "no producer": (wire.seal(GOOD, "", 1), "schema"),
    "wrong type": (altered(words=MARKER), "schema"),
    "wrong author": (altered(author=MARKER), "schema"),
    "a flag": (altered(words=True), "schema"),
    "half a word": (altered(words=1.5), "schema"),
    "a missing field": (wire.seal(b'{"kind":"MessageSent","note":"%b"}' % MARKER.encode(), "outbox-2", 1), "schema"),
    "a wrong choice": (altered(by=MARKER), "schema"),
    "a place with blanks": (altered(place={"platform": f"{MARKER} !", "space": "", "channel": ""}), "schema"),
    "the year 9999": (altered(at=253_402_300_799_000), "int_range"),
    "too many words": (altered(words=2**31), "int_range"),
    "beyond 63 bits": (altered(author=2**63), "int_range"),
    "beyond 64 bits": (altered(author=2**80), "int_range"),
    "negative": (altered(words=-1), "schema"),
    "too many emotes": (altered(emotes=[":wave:"] * 201), "schema"),
    "an emote too long": (altered(emotes=[MARKER * 10]), "schema"),
    "not a number": (altered(words=0).replace(b'"words": 0', b'"words": NaN'), "nan"),
    "infinite": (altered(words=0).replace(b'"words": 0', b'"words": -Infinity'), "nan"),
    "half a pair": (altered(thread="\ud83d"), "surrogate"),
    "control characters": (altered(emotes=[f"\0{MARKER}\x1b[2J"]), "control"),
    "nested": (b'{"kind":"MessageSent","note":%b' % (b"[" * 8000), "deep"),
    "changed": (altered().replace(b'"words": 3', b'"words": 4'), "crc"),
    "added to": (altered()[:-1] + b',"text":"%b"}' % MARKER.encode(), "crc"),
    "without its end": (altered().rpartition(b',"crc"')[0] + b"}", "crc"),
    "too large": (altered(text=MARKER * 850), "too_big"),
    "another platform": (altered(place={"platform": "cytube", "space": MARKER, "channel": "x"}), "subject_mismatch"),
}


async def put(bridge: Connection, payload: bytes, subject: str = SUBJECT) -> None:
    """Publish as a bridge does, but for what is in it."""
    reply = json.loads((await bridge.request(subject, payload, timeout=5)).data)
    assert "error" not in reply, reply


@asynccontextmanager
async def counting(brokers: Brokers) -> AsyncIterator[tuple[Connection, Connection]]:
    """A userstats process; a bridge's and a client's connection. It must end well."""
    configure(brokers.folder, nats={"port": -1}, http={"port": 0})
    async with Part(brokers.folder, "userstats") as userstats:
        bridge, client = await brokers.connect("bridge_demo"), await brokers.connect("client")
        await put(bridge, sealed(named(1)))
        yield bridge, client
        assert await userstats.stop() == 0


async def buried(folder: Path) -> list[tuple[Any, ...]]:
    """The dead letters in the database, in stream order."""
    async with aiosqlite.connect(folder / "data" / "userstats.db") as database:
        rows = await database.execute_fetchall("SELECT seq, reason, path, bytes FROM dead_letters ORDER BY seq")
        return [tuple(row) for row in rows]


async def test_each_kind_of_poison_is_buried_with_its_reason_and_the_next_event_counts(fresh_broker: Brokers) -> None:
    async with counting(fresh_broker) as (bridge, client):
        for number, (payload, _) in enumerate(POISON.values(), 2):
            await put(bridge, payload)
            await put(bridge, sealed(message(number)))
            expected = [{"username": "Amy", "count": number - 1}]
            assert await until(client, "leaderboard.messages", expected, since="all") == expected
        told = await letters(fresh_broker, len(POISON))
    found = await buried(fresh_broker.folder)
    everything = b"".join(path.read_bytes() for path in fresh_broker.folder.glob("data/userstats.db*"))
    logged = (fresh_broker.folder / "userstats.log").read_text()

    assert dict(zip(POISON, [reason for _, reason, *_ in found], strict=True)) == {
        what: reason for what, (_, reason) in POISON.items()
    }
    assert [row[-1] for row in found] == [len(payload) for payload, _ in POISON.values()]
    assert [(subject, letter["seq"], letter["reason"]) for subject, letter in told] == [
        (subjects.dead(reason), seq, reason) for seq, reason, *_ in found
    ]
    assert MARKER not in str(told) + str(found) + logged
    assert MARKER.encode() not in everything
    assert "Traceback" not in logged


async def test_a_name_of_a_megabyte_is_refused_by_the_broker_and_the_next_event_counts(fresh_broker: Brokers) -> None:
    async with counting(fresh_broker) as (bridge, client):
        huge = altered(kind="Named", key=1, name="x" * 1_000_000)
        with pytest.raises(Exception, match=r"maximum|payload|timeout|closed"):
            await put(bridge, huge)
        again = await fresh_broker.connect("bridge_demo")
        await put(again, sealed(message(2)))
        expected = [{"username": "Amy", "count": 1}]

        assert await until(client, "leaderboard.messages", expected, since="all") == expected


async def test_of_thousands_of_random_payloads_none_counts_and_none_stops_the_counting(fresh_broker: Brokers) -> None:
    chance = random.Random(SEED)
    fuzz = [garbled(chance) for _ in range(2000)]
    async with counting(fresh_broker) as (bridge, client):
        for number, payload in enumerate(fuzz, 2):
            await bridge.publish(SUBJECT, payload)
            if number % 25 == 0:
                await put(bridge, sealed(message(number)))
        expected = [{"username": "Amy", "count": 80}]
        counted = await until(client, "leaderboard.messages", expected, since="all")
        told = await letters(fresh_broker, len(fuzz))
    found = await buried(fresh_broker.folder)
    reasons = Counter(reason for _, reason, *_ in found)

    assert (counted, len(found), len(told)) == (expected, len(fuzz), len(fuzz)), reasons
    assert set(reasons) <= set(wire.REASONS)
    assert len(reasons) >= 5


def garbled(chance: random.Random) -> bytes:
    """A sealed event with something wrong in it."""
    raw = bytearray(sealed(message(chance.randrange(10**6, 10**7), emotes=(":wave:",), thread="t")))
    match chance.randrange(6):
        case 0:
            return bytes(raw[: chance.randrange(len(raw))])
        case 1:
            return chance.randbytes(chance.randrange(1, 600))
        case 2:
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            return bytes(raw) + b" "
        case 3:
            cut = chance.randrange(len(raw))
            return bytes(raw[:cut]) + chance.randbytes(chance.randrange(1, 9)) + bytes(raw[cut:])
        case 4:
            words = ["null", "true", "-1", "1e999", '"\\u0000"', '"\\ud800"', "[]", "{}", "[[[[]]]]", str(2**70)]
            document = dict.fromkeys(e.MessageSent.__struct_fields__, 0) | json.loads(raw)
            return (
                json.dumps(document | {chance.choice(list(document)): "@"})
                .replace('"@"', chance.choice(words))
                .encode()
            )
    return bytes(raw).replace(b"MessageSent", chance.randbytes(5).hex().encode())


async def test_a_room_that_raises_is_parked_and_the_others_and_the_next_event_count(
    fresh_broker: Brokers, database: Database
) -> None:
    store = await database.open()
    service = Service(store, catalogue.build((FRAGILE, messages_room.STATISTIC)))
    await service.start()
    client, bridge = await fresh_broker.connect("userstats"), await fresh_broker.connect("bridge_demo")
    ingest = Ingest(service, Inbox(client))
    for number, words in enumerate((3, UNLUCKY, 4, UNLUCKY, 5), 1):
        await put(bridge, sealed(message(number, words=words)))
    await put(bridge, MARKER.encode())
    running = [
        asyncio.create_task(ingest.run()),
        asyncio.create_task((await DeadLetters.from_start(service, client)).run()),
    ]
    await ingest.inbox.ready.wait()
    await ingest.reached(6)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

    assert await store.load("SELECT seq, room, kind FROM parked_events ORDER BY seq") == [
        (2, "fragile", "MessageSent"), (4, "fragile", "MessageSent"),
    ]  # fmt: skip
    assert await store.load("SELECT seq, part FROM traces ORDER BY seq, part") == [
        (seq, part) for seq in (1, 3, 5) for part in ("after", "before")
    ]
    assert await store.load("SELECT messages, words FROM person_totals") == [(5, 3 + 4 + 5 + 2 * UNLUCKY)]
    assert await store.load("SELECT seq, reason FROM dead_letters") == [(6, "json")]
