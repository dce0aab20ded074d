"""The thinnest whole line: an event on JetStream becomes a committed count and an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure, until
from userstats.contract import events as e
from userstats.contract import subjects, wire
from userstats.contract.pseudonym import FIRST_PERSON

ROOM = e.Place("demo", "demo.local", "lounge")
BROKER = {"port": -1}
PEOPLE = FIRST_PERSON


def message(n: int, author: int) -> tuple[str, bytes]:
    event = e.MessageSent(
        id=n,
        at=1_790_000_000_000 + n,
        seen=1_790_000_000_000 + n,
        place=ROOM,
        watch="w1",
        author=PEOPLE + author,
        words=3,
    )
    return subjects.event(ROOM, "MessageSent"), wire.seal(wire.body(event), "p1", n)


def named(n: int, person: int, name: str) -> tuple[str, bytes]:
    event = e.Named(
        id=n, at=1_790_000_000_000, seen=1_790_000_000_000, place=ROOM, watch="w1", key=person,
        person=PEOPLE + person, name=name,
    )  # fmt: skip
    return subjects.event(ROOM, "Named"), wire.seal(wire.body(event), "p1", n)


async def test_events_in_the_stream_become_answers_even_when_every_one_comes_twice(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats=BROKER, http={"port": 0})
    userstats = Part(fresh_broker.folder, "userstats")
    bridge = await fresh_broker.connect("bridge_demo")
    client = await fresh_broker.connect("client")
    said = [named(1, 7, "Amy"), named(2, 8, "Bob"), *(message(n, 7 + n % 2) for n in range(3, 104))]
    for subject, payload in (*said, *said):
        await bridge.request(subject, payload, timeout=5)
    await userstats.start()

    expected: list[dict[str, Any]] = [{"username": "Bob", "count": 51}, {"username": "Amy", "count": 50}]
    assert await until(client, "leaderboard.messages", expected, since="all") == expected
    assert await userstats.stop() == 0


async def test_a_question_that_is_asked_wrongly_is_answered_in_words(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats=BROKER, http={"port": 0})
    userstats = Part(fresh_broker.folder, "userstats")
    client = await fresh_broker.connect("client")
    await userstats.start()

    reply = await ask(client, "leaderboard.messages", limt=3)

    assert reply["error"] == {
        "code": 400,
        "message": "leaderboard.messages has no parameter 'limt'; did you mean 'limit'?",
        "details": {"path": "$"},
    }
    assert await userstats.stop() == 0


async def test_userstats_stops_at_once_while_it_waits_for_a_broker(tmp_path: Path) -> None:
    configure(tmp_path, nats=BROKER, http={"port": 0})
    async with Part(tmp_path, "userstats") as userstats, asyncio.timeout(30):
        while "no broker yet" not in userstats.log.read_text():  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)

        assert await userstats.stop() == 0


async def test_a_database_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    configure(tmp_path, nats=BROKER, http={"port": 0})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "userstats.db").write_bytes(b"no database at all" * 100)
    async with Part(tmp_path, "userstats") as userstats, asyncio.timeout(30):
        assert userstats.process
        code = await userstats.process.wait()

    assert (code, userstats.log.read_text().partition(" ")[2].count("\n")) == (1, 1)
    assert "file is not a database" in userstats.log.read_text()
