"""What a review with fresh eyes found: each of these was wrong once."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure, until
from tests.faults.bulk import publish
from tests.rooms import PRESENCE
from tests.say import PSEUDONYMS, ROOM, World, alias_added, gap, joined, message, named, phrase_added, place, started
from tests.stats.ask import ask as asked
from tests.stats.ask import refusal, reply
from tests.stores import Cluster
from tests.test_inbox import row
from tests.test_service import Faulty
from tests.test_store import Owner, hits
from tests.test_store_postgres import Wire
from userstats import __main__ as program
from userstats import catalogue, dead_letters, seeding
from userstats.answer import Answers, Asked
from userstats.asking import Refused
from userstats.contract import subjects
from userstats.contract.config import ConfigError
from userstats.contract.events import AliasAdded, PhraseAdded
from userstats.contract.process import told
from userstats.contract.pseudonym import Pseudonyms
from userstats.contract.questions import LARGEST_REPLY, Failure, Reply
from userstats.dead_letters import DeadLetters
from userstats.recorder import Recorder
from userstats.seeding import AliasFile
from userstats.service import Message
from userstats.stats import messages
from userstats.store.postgres import PostgresStore
from userstats.store.seam import DatabaseGone, Fenced, Position, Store
from userstats.store.sqlite import SQLiteStore
from userstats.writes import Rows

# Dead letters


class Away(Faulty):
    """A database that does not answer questions so many times."""

    def __init__(self, store: Store, readings: int) -> None:
        super().__init__(store)
        self.readings = readings

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        if self.readings:
            self.readings -= 1
            raise DatabaseGone("the database is gone")
        async with self._store.reading() as reader:
            yield reader


@asynccontextmanager
async def posting(
    brokers: Brokers, world: World, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[int], Any]]:
    """Publish the world's dead letters; the block gets a function that waits for so many and gives their numbers."""
    monkeypatch.setattr(dead_letters, "_EVERY", 0.02)
    letters = await DeadLetters.from_start(world.service, await brokers.connect("userstats"))
    task = asyncio.create_task(letters.run())
    provision = await brokers.connect("provision")

    async def published(count: int) -> list[int]:
        info: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while info.get("state", {}).get("last_seq", -1) < count:
                await asyncio.sleep(0.02)
                info = json.loads((await provision.request(f"$JS.API.STREAM.INFO.{subjects.DEAD_STREAM}", b"")).data)
        found = [
            await provision.request(f"$JS.API.STREAM.MSG.GET.{subjects.DEAD_STREAM}", json.dumps({"seq": seq}).encode())
            for seq in range(1, count + 1)
        ]
        return [int(_header(one.data, "Nats-Msg-Id").rsplit(":", 2)[1]) for one in found]

    yield published
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _header(data: bytes, name: str) -> str:
    lines = base64.b64decode(json.loads(data)["message"]["hdrs"]).decode().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(name))


def bad(seq: int) -> Message:
    return Message(seq, seq * 1_000_000_000, "chat.v1.event.demo.a.b.MessageSent", b"no event")


async def test_dead_letters_wait_for_a_database_that_is_gone(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await World.open(await SQLiteStore.open(tmp_path / "x.db"))
    async with posting(fresh_broker, world, monkeypatch) as published:
        world.service.store = Away(world.store, readings=3)
        await world.service.apply([bad(1), bad(2)])
        assert await published(2) == [1, 2]
    await world.store.close()


async def test_a_dead_letter_that_its_stream_refuses_is_not_taken_for_published(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provision = await fresh_broker.connect("provision")
    info = json.loads((await provision.request(f"$JS.API.STREAM.INFO.{subjects.DEAD_STREAM}", b"")).data)["config"]
    update = f"$JS.API.STREAM.UPDATE.{subjects.DEAD_STREAM}"
    await provision.request(update, json.dumps({**info, "max_msg_size": 10}).encode())
    world = await World.open(await SQLiteStore.open(tmp_path / "x.db"))
    async with posting(fresh_broker, world, monkeypatch) as published:
        await world.service.apply([bad(1)])
        await asyncio.sleep(0.3)
        await provision.request(update, json.dumps(info).encode())
        assert await published(1) == [1]
    said = [one.message for one in caplog.records if one.name == "userstats.dead_letters"]
    assert said == [
        "dead letters are not taken: message size exceeds maximum allowed; they wait in the database",
        "messages that are no events, up to message 1: 1 json; see dead_letters",
    ]
    await world.store.close()


async def test_dead_letters_of_a_stream_that_was_made_anew_are_published_too(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it soon has as many messages as the one before, and where its numbers are used once more."""
    one, two = "1970-01-01T00:00:00Z", "1970-01-01T00:01:00.5Z"
    world = await World.open(await SQLiteStore.open(tmp_path / "x.db"))
    async with posting(fresh_broker, world, monkeypatch) as published:
        await world.service.apply([bad(1), bad(7), bad(8)], one)
        assert await published(3) == [1, 7, 8]
        await world.service.rewind(Position(0, 0, two))
        await world.service.apply([later(bad(1)), later(bad(2)), later(bad(9))], two)
        assert await published(6) == [1, 7, 8, 1, 2, 9]
        await world.service.rewind(Position(0, 0, two))
        await world.service.apply([later(bad(1)), later(later(bad(2)))], two)
        assert await published(7) == [1, 7, 8, 1, 2, 9, 2]
    async with posting(fresh_broker, world, monkeypatch) as published:
        await world.service.apply([later(bad(4))], two)
        assert await published(8) == [1, 7, 8, 1, 2, 9, 2, 4]
    await world.store.close()


def later(message: Message) -> Message:
    return message._replace(stamp=message.stamp + 60_000_000_000)


async def test_a_subject_with_a_nul_in_it_is_buried_in_both_databases(world: World) -> None:
    await world.service.apply([bad(1)._replace(subject="chat.\0\x1b[2J.Ü"), bad(2)])
    assert await world.rows("SELECT seq, subject FROM dead_letters ORDER BY seq") == [
        (1, "chat.\ufffd\ufffd[2J.Ü"), (2, "chat.v1.event.demo.a.b.MessageSent"),
    ]  # fmt: skip


# A database that goes away, or refuses


async def test_userstats_outlives_a_postgresql_that_goes_away(fresh_broker: Brokers, postgres: Cluster) -> None:
    folder, schema = fresh_broker.folder, f"t_{secrets.token_hex(6)}"
    with tempfile.TemporaryDirectory(prefix="wire-", dir="/tmp") as line:
        wire = Wire(Path(line), postgres)
        await wire.up()
        configure(folder, nats={"port": -1}, http={"port": 0}, database={"url": wire.url, "schema": schema})
        bridge, client = await fresh_broker.connect("bridge_demo"), await fresh_broker.connect("client")
        async with Part(folder, "userstats") as userstats:
            await publish(bridge, [row(1)])
            assert (await ask(client, "leaderboard.messages"))["success"]
            await wire.down()
            await publish(bridge, [row(2)])
            await asyncio.sleep(2.5)
            meanwhile = await ask(client, "leaderboard.messages")
            await wire.up()
            expected = [{"username": "#000007", "count": 2}]
            assert await until(client, "leaderboard.messages", expected, since="all") == expected
            assert await userstats.stop() == 0
        await wire.down()
    assert meanwhile["error"]["code"] == 503
    store = await PostgresStore.open(postgres.url, schema)
    assert await store.load("SELECT SUM(messages) FROM everyone_totals") == [(2,)]
    await store.close()
    assert "Traceback" not in userstats.log.read_text()


async def test_a_postgresql_that_refuses_to_write_for_a_while_is_asked_again(postgres: Cluster) -> None:
    """As one does that is full, or that is a replica until somebody makes it the primary."""
    store = await PostgresStore.open(postgres.url, f"t_{secrets.token_hex(6)}")
    owner = await Owner.of(store)
    assert store._writer is not None
    await store._writer.execute("SET default_transaction_read_only = on")
    with pytest.raises(DatabaseGone, match="ReadOnlySQLTransactionError"):
        await owner.commit(hits(1))
    await store._writer.execute("SET default_transaction_read_only = off")
    await owner.commit(hits(1))
    assert await owner.rows("SELECT hits FROM facts") == [(1,)]
    await store.close()


async def test_questions_say_that_the_database_is_gone(world: World) -> None:
    world.store = Away(world.store, readings=1)
    assert await refusal(world, "leaderboard.messages") == (
        503, "the database does not answer; ask again in a moment"
    )  # fmt: skip
    assert await asked(world, "leaderboard.messages") == []


# Requests


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_texts_that_a_database_does_not_take_are_refused_alike_by_both(world: World, text: str) -> None:
    expected = 400, "a text holds a NUL or half of a surrogate pair"
    assert await refusal(world, "leaderboard.messages", channel=text) == expected
    assert await refusal(world, "user.messages", username=text) == expected
    assert await refusal(world, "settings.for_bridge", places=["x", text]) == expected


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**40, 1e300, 10.0])
async def test_no_question_fails_on_numbers_beyond_all_measure(world: World, number: float) -> None:
    await world.tell("20:00", started(), message("amy"), "20:01")
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)
    failed = []
    for name in world.service.catalogue.questions:
        for parameter in _whole_numbers(world, name):
            found = await answers.answer(name, {parameter: number})
            failed += [(name, parameter)] * (isinstance(found, Failure) and found.error.code == 500)
    assert failed == []


def _whole_numbers(world: World, name: str) -> list[str]:
    properties = Asked(world.service.catalogue.questions[name]).definition["properties"]
    return [one for one, schema in properties.items() if "integer" in json.dumps(schema)]


async def test_what_a_question_stumbled_over_is_not_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: Any) -> Any:
        raise KeyError("Amy")

    monkeypatch.setattr("userstats.answer._coverage", stumble)
    code, words = await refusal(world, "leaderboard.messages")
    assert (code, words.split()[:2]) == (500, ["internal", "error"])
    assert "KeyError in stumble at test_review.py:" in caplog.text
    assert "Amy" not in caplog.text


def test_an_error_is_told_by_its_kind_and_place_and_the_systems_own_words_only() -> None:
    def fail(error: Exception) -> str:
        try:
            raise error
        except Exception as caught:
            return told(caught).rpartition(":")[0]

    assert fail(ValueError("Amy")) == "ValueError in fail at test_review.py"
    assert fail(OSError(28, "No space left on device")) == (
        "OSError ([Errno 28] No space left on device) in fail at test_review.py"
    )
    assert told(ValueError("Amy")) == "ValueError in an unknown place"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["lounge", "lobby"]), st.integers(1, 40), st.integers(2, 40)), max_size=8))
def test_coverage_is_what_was_observed_of_each_place_that_ever_was(told: list[tuple[str, int, int]]) -> None:
    async def holds() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = await World.open(await SQLiteStore.open(Path(folder) / "x.db"))
            for where, minutes, silence in told:
                await world.tell(started(where), f"+{minutes}m")
                await world.tell(_silence(world, silence))
            for request in ({"since": "all"}, {"since": "1h"}, {"hours": 3}, {"to": "2025-03-03T01:00"}):
                found = await reply(world, "leaderboard.messages", **request)
                assert isinstance(found, Reply)
                assert found.coverage is not None
                assert (found.coverage.ratio, found.coverage.observed_since) == await _slowly(world, found)
            await world.store.close()

    asyncio.run(holds())


def _silence(world: World, minutes: int) -> Any:
    then = datetime.fromtimestamp(world.now / 1000 + minutes * 60, UTC)
    return gap(f"{then:%Y-%m-%d %H:%M:%S}")


async def _slowly(world: World, found: Reply) -> tuple[float | None, str | None]:
    assert found.period is not None
    end = datetime.fromisoformat(found.period.end).timestamp() * 1000
    rows = [one for one in await world.rows("SELECT place, since, until FROM observed") if one[1] < end]
    if not rows:
        return None, None
    first = min(since for _, since, _ in rows)
    start = first if found.period.start is None else datetime.fromisoformat(found.period.start).timestamp() * 1000
    observed = sum(max(0, min(until, end) - max(since, start)) for _, since, until in rows)
    ratio = observed / (len({where for where, *_ in rows}) * max(1, end - start))
    return round(min(1.0, ratio), 6), datetime.fromtimestamp(first / 1000).astimezone().isoformat(timespec="seconds")


# What bridges are told


async def test_what_a_bridge_of_many_large_rooms_is_told_fits_into_one_answer(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "x.db")
    world = await World.open(store)
    rooms = [f"room{number}" for number in range(6)]
    people = [f"a_name_of_20_letters{number:04}" for number in range(4000)]
    for room in rooms[1:]:
        await world.tell(*(one for name in people for one in (named(name, room), joined(name, room))))
    await world.tell(
        joined("Amy", rooms[0]), named("Amy", rooms[0]), phrase_added("lol"), alias_added("amy", people[0])
    )
    labels = [f"cytube/cytu.be/{room}" for room in rooms]

    answer = await reply(world, "settings.for_bridge", places=labels)

    assert len(msgspec.json.encode(answer)) < LARGEST_REPLY
    assert isinstance(answer, Reply)
    assert (answer.data.phrases, answer.data.aliases) == (["lol"], [people[0]])
    assert answer.data.names[labels[0]] == ["Amy"]
    sizes = [len(answer.data.names[label]) for label in labels[1:]]
    assert min(sizes) > 500
    assert max(sizes) - min(sizes) <= 5
    await store.close()


async def test_who_speaks_last_is_no_news_to_a_bridge(world: World) -> None:
    await world.tell("20:00", named("amy"), named("bob"), joined("amy"), joined("bob"), message("amy"), "20:01")
    label = f"cytube/cytu.be/{place(ROOM).channel}"
    first = await asked(world, "settings.for_bridge", places=[label])
    await world.tell(message("bob"), "20:02")
    again = await asked(world, "settings.for_bridge", places=[label], since=first.revision)
    assert (again.revision, again.names, first.names) == (first.revision, None, {label: ["amy", "bob"]})


# What is recorded


async def test_an_entry_that_cannot_be_recorded_does_not_keep_the_others_out(
    fresh_broker: Brokers, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = await recording(fresh_broker)
    file = AliasFile({"amy": ["a\tb", "al"], "b\x1bob": ["bo"], "cid": ["c"]}, ["ﬃ" * 60, "thx"])
    said = await seeding.seed(world.store, recorder, file, ())
    assert said == 3  # thx, al and c
    warnings = [one.message for one in caplog.records if one.name == "userstats.seeding"]
    assert len(warnings) == 3
    assert [one for one in ("\t", "\x1b", "ﬃ", "amy") if one in str(warnings)] == []


async def test_what_was_refused_before_it_was_said_leaves_no_hole(fresh_broker: Brokers) -> None:
    recorder = await recording(fresh_broker)
    assert await recorder.append(PhraseAdded, phrase="one") == 1
    with pytest.raises(Refused):
        await recorder.append(PhraseAdded, phrase="t\two")
    assert await recorder.append(AliasAdded, owner=1, alias=2) == 2
    provision = await fresh_broker.connect("provision")
    request = json.dumps({"seq": 2}).encode()
    second = await provision.request(f"$JS.API.STREAM.MSG.GET.{subjects.STREAM}", request)
    assert _header(second.data, "Nats-Msg-Id").endswith(":2")


async def recording(brokers: Brokers) -> Recorder:
    async def reached(_: int) -> None:
        pass

    return Recorder(await brokers.connect("recorder"), Pseudonyms(b"k" * 32), reached)


# The end of the process


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("$.x", "is wrong"), 2, "$.x"),
        (Fenced("another one"), 3, "another one"),
        (OSError("address in use"), 1, "address in use"),
        (KeyError("Amy"), 1, "userstats cannot go on: KeyError in an unknown place"),
    ],
)
def test_each_end_has_its_code_and_quotes_nobody(error: Exception, code: int, words: str) -> None:
    found = program._ending(error)
    assert (found[0], words in found[1], "Amy" in found[1]) == (code, True, False)


async def test_a_part_that_missed_being_told_to_stop_is_told_again() -> None:
    told_to = 0

    async def deaf() -> None:
        nonlocal told_to
        while told_to < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told_to += 1

    async with asyncio.timeout(5):
        await program._until_one_ends(asyncio.sleep(0), deaf(), patience=0.05)
    assert told_to == 2


def test_a_pseudonym_key_that_is_none_is_a_matter_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    monkeypatch.setenv("USERSTATS_PSEUDONYM_KEY", "no such key")
    config = configure(tmp_path, nats={"port": -1}, http={"port": 0})
    assert program.main(["--config", str(config)]) == 2


class Torn(dict[str, Rows]):
    """Rows that cannot be read to their end."""

    def items(self) -> Any:
        raise KeyError("Amy")


async def test_a_batch_that_cannot_be_written_leaves_the_writer_usable(store: Store) -> None:
    owner = await Owner.of(store)
    broken: Mapping[str, Rows] = Torn()
    with pytest.raises(KeyError):
        await owner.commit(broken)
    await owner.commit(hits(1))
    assert await owner.rows("SELECT hits FROM facts") == [(1,)]


async def test_what_a_room_that_is_gone_left_open_does_not_stop_the_others(store: Store) -> None:
    before = await World.open(store, PRESENCE, messages.STATISTIC)
    await before.tell("20:00", started(), joined("amy"), "20:10")
    after = World(store, catalogue.build((messages.STATISTIC,)))
    await after.service.start()
    after.seq, after.now, after._rows, after._watches = before.seq, before.now, before._rows, before._watches
    await after.tell("21:10", message("amy"), started(), message("amy"))
    assert await after.rows("SELECT messages FROM person_totals") == [(2,)]


async def test_the_names_in_the_database_are_for_its_owner_only(tmp_path: Path) -> None:
    world = await World.open(await SQLiteStore.open(tmp_path / "x.db"))
    await world.tell("20:00", named("Amy"))
    modes = _modes(tmp_path)
    await world.store.close()
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
