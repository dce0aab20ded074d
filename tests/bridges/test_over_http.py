"""A bridge that cannot reach NATS: its outbox goes over HTTP, whole, in order and once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridges import over_http
from bridges.__main__ import _settings
from bridges.outbox import Outbox
from bridges.publisher import Publisher
from bridges.runner import Runner
from bridges.settings import BridgeSettings
from tests.bridges.observed import PATIENT, ROOM, message, messages, opened, stream, until
from tests.bridges.stage import KEY, Stage
from tests.brokers import Brokers, started
from tests.e2e.starting import free_port
from tests.relay import relayed
from tests.surfaces.intake import TOKEN, taking
from userstats.contract.config import ConfigError, from_document
from userstats.contract.events import BridgeStopped, Event


def sent(events: list[Event]) -> list[tuple[int, int]]:
    """(row, id) of each event, in the stream's order."""
    return [(event.n, event.id) for event in events]


def whole(count: int) -> list[tuple[int, int]]:
    return [(number, number) for number in range(1, count + 1)]


@asynccontextmanager
async def publishing(
    outbox: Outbox, url: str, token: str = TOKEN, held: Callable[[], str] = lambda: ""
) -> AsyncIterator[Publisher]:
    """A publisher at work, that ends with the block; what ended it before fails the test."""
    async with over_http.opened(url, token) as way:
        publisher = Publisher(way, outbox, held)
        task = asyncio.create_task(publisher.run())
        yield publisher
        ended = task.done()
        task.cancel()
        await asyncio.wait({task})
    assert not ended, task


async def published(outbox: Outbox, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        await outbox.published()


@pytest.mark.parametrize("count", [1, 15, 16, 2500])
async def test_all_events_arrive_in_order_sealed_with_their_row(
    fresh_broker: Brokers, tmp_path: Path, count: int
) -> None:
    async with taking(fresh_broker, tmp_path) as intake, opened(tmp_path / "o.db") as outbox:
        await outbox.put(messages(range(1, count + 1)), ROOM)
        async with publishing(outbox, intake.surface.address) as publisher:
            await published(outbox)
            assert (publisher.published, outbox.waiting) == (count, 0)

        events = await stream(fresh_broker)
        assert (sent(events), {event.producer for event in events}) == (whole(count), {outbox.producer})


async def test_large_events_go_in_requests_that_are_not_too_large(fresh_broker: Brokers, tmp_path: Path) -> None:
    emotes = tuple("e" * 60 for _ in range(200))
    async with taking(fresh_broker, tmp_path) as intake, opened(tmp_path / "o.db") as outbox:
        for number in range(1, 801):
            await outbox.put([message(number, emotes=emotes)], ROOM)
        async with publishing(outbox, intake.surface.address):
            await published(outbox)

    assert sent(await stream(fresh_broker)) == whole(800)


async def test_every_request_twice_and_every_third_answer_lost_is_each_event_once(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    async with (
        taking(fresh_broker, tmp_path) as intake,
        relayed(intake.surface.address, lose=0.34) as relay,
        opened(tmp_path / "o.db") as outbox,
        publishing(outbox, relay.address),
    ):
        for number in range(1, 601):
            await outbox.put([message(number)], ROOM)
            await asyncio.sleep(0.002)
        await published(outbox)

    assert sent(await stream(fresh_broker)) == whole(600)
    assert relay.lost > 0


async def test_events_survive_the_service_being_away_which_is_said_once(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridges")
    port = free_port()
    async with opened(tmp_path / "o.db") as outbox, publishing(outbox, f"http://127.0.0.1:{port}/"):
        for first in (1, 101, 201):
            await outbox.put(messages(range(first, first + 100)), ROOM)
            await outbox.flush()
            await asyncio.sleep(0.3)
            assert outbox.waiting == 100
            async with taking(fresh_broker, tmp_path, port=port):
                await published(outbox)

    assert sent(await stream(fresh_broker)) == whole(300)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line for line in said if not line.startswith("userstats is gone")] == []
    assert 1 <= len(said) <= 3
    assert caplog.text.count("userstats is back") == len(said)


async def test_a_broker_that_lost_its_end_gets_it_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As after a power cut with `sync_interval` other than always: acknowledged events are gone."""
    caplog.set_level(logging.INFO, "bridges.publisher")
    brokers = Brokers(await started(tmp_path / "b"))
    store = tmp_path / "b" / "data" / "broker" / "jetstream"
    async with (
        taking(brokers, tmp_path) as intake,
        opened(tmp_path / "o.db") as outbox,
        publishing(outbox, intake.surface.address),
    ):
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
    assert "another broker process: 430 events published again" in caplog.text
    await brokers.disconnect()
    await brokers.embedded.stop()


async def test_a_wrong_token_is_said_without_being_shown_and_nothing_is_lost(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with taking(fresh_broker, tmp_path) as intake, opened(tmp_path / "o.db") as outbox:
        await outbox.put(messages(range(1, 4)), ROOM)
        await outbox.flush()
        async with publishing(outbox, intake.surface.address, "a wrong one"):
            await until(lambda: caplog.text)
        assert outbox.waiting == 3
        async with publishing(outbox, intake.surface.address):
            await published(outbox)

    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == [
        "events wait in the outbox (3): userstats refuses them (401): the token of http.events_token is needed"
    ]
    assert "a wrong one" not in caplog.text
    assert sent(await stream(fresh_broker)) == whole(3)


async def test_an_event_that_this_userstats_does_not_know_is_told_and_does_not_stop_the_others(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with taking(fresh_broker, tmp_path) as intake, opened(tmp_path / "o.db") as outbox:
        await outbox.put(messages(range(1, 11)), ROOM)
        await outbox.flush()
        await outbox.revise(lambda row: row.body.replace(b"MessageSent", b"TeaDrunk") if row.n == 5 else row.body)
        async with publishing(outbox, intake.surface.address):
            await published(outbox)

        assert len(await intake.stored()) == 10
    assert "1 events are none to this userstats, and became dead letters: unknown_type at $.kind" in caplog.text


@pytest.mark.parametrize("answer", [b"<html>a proxy's page</html>", b'{"success": true}'])
async def test_what_answers_and_is_no_userstats_gets_nothing_acknowledged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(answer), answer))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with opened(tmp_path / "o.db") as outbox:
        await outbox.put(messages(range(1, 4)), ROOM)
        await outbox.flush()
        async with publishing(outbox, f"http://127.0.0.1:{port}"):
            await until(lambda: caplog.text)
        assert outbox.waiting == 3
    server.close()
    assert "events wait in the outbox (3): what answers is no userstats" in caplog.text


async def test_a_whole_bridge_works_over_http_and_takes_no_lease(fresh_broker: Brokers, tmp_path: Path) -> None:
    stage = Stage()
    async with (
        taking(fresh_broker, tmp_path) as intake,
        opened(tmp_path / "o.db", PATIENT) as outbox,
        over_http.opened(intake.surface.address, TOKEN) as way,
    ):
        runner = Runner([stage], way, outbox, PATIENT, key=KEY)
        running = asyncio.create_task(runner.run())
        stage.say(message(1), message(2))
        await until(lambda: runner.health.published == 3)
        assert (runner.health.connected, runner.health.settings_known) == (True, True)
        assert stage.desk.lexicon.phrases == ("bravo",)
        runner.stop()
        await running

    events = await stream(fresh_broker)
    assert [type(event).__name__ for event in events] == [
        "BridgeStarted", "MessageSent", "MessageSent", "BridgeStopped",
    ]  # fmt: skip
    assert [event.reason for event in events if isinstance(event, BridgeStopped)] == ["stopped"]
    provision = await fresh_broker.connect("provision")
    assert (await provision.jetstream().stream_info("KV_chat_leases")).state.messages == 0


async def test_until_it_is_known_who_opted_out_nothing_is_sent(fresh_broker: Brokers, tmp_path: Path) -> None:
    stage, port = Stage(), free_port()
    url = f"http://127.0.0.1:{port}"
    async with opened(tmp_path / "o.db", PATIENT) as outbox, over_http.opened(url, TOKEN) as way:
        runner = Runner([stage], way, outbox, PATIENT, key=KEY)
        running = asyncio.create_task(runner.run())
        stage.say(message(1))
        await until(lambda: outbox.waiting == 2)
        await until(lambda: not runner.health.connected)
        assert (runner.health.settings_known, outbox._file.tried) == (False, 0)
        async with taking(fresh_broker, tmp_path, port=port):
            await until(lambda: runner.health.published == 2)
            runner.stop()
            await running

    assert len(await stream(fresh_broker)) == 3


async def test_a_bridge_asks_for_somebody_as_over_nats(fresh_broker: Brokers, tmp_path: Path) -> None:
    async with taking(fresh_broker, tmp_path) as intake, over_http.opened(intake.surface.address, TOKEN) as way:
        for_nobody = json.loads(await way.ask("consent.show", {}, 5))
        for_amy = json.loads(await way.ask("consent.show", {}, 5, "discord:1234"))

    assert (for_nobody["success"], for_amy["success"]) == (False, True)


@pytest.mark.parametrize(
    ("url", "token", "wrong"),
    [
        ("sqlite-service:8080", "t", "is not an address like http://sqlite-service:8080"),
        ("nats://localhost:4222", "t", "is not an address like http://sqlite-service:8080"),
        ("http://", "t", "is not an address like http://sqlite-service:8080"),
        ("http://host:port", "t", "is not an address like http://sqlite-service:8080"),
        ("http://me:secret@host", "t", "holds a name or password; the token belongs into `service_token`"),
        ("http://host:8080", "", "is set, and `service_token` is not"),
        ("http://sqlite-service:8080", "t", ""),
        ("https://stats.example/behind/a/path", "t", ""),
    ],
)
def test_an_address_that_is_none_is_said_without_being_repeated(url: str, token: str, wrong: str) -> None:
    assert over_http.check(url, token) == wrong


def test_the_environment_goes_before_the_configuration() -> None:
    config = from_document({"bridge": {"service_url": "http://one", "service_token": "1"}}, {})
    told = {"SQLITE_SERVICE_URL": "http://two:8080", "USERSTATS_SERVICE_TOKEN": "2"}

    chosen = [_settings(config, environment) for environment in ({}, told, {"SQLITE_SERVICE_URL": ""})]

    assert [(one.service_url, one.service_token) for one in chosen] == [
        ("http://one", "1"), ("http://two:8080", "2"), ("http://one", "1"),
    ]  # fmt: skip
    assert _settings(from_document({}, {}), {}) == BridgeSettings()
    with pytest.raises(ConfigError, match=r"^\$\.bridge\.service_url: is set, and `service_token` is not"):
        _settings(from_document({}, {}), {"SQLITE_SERVICE_URL": "http://sqlite-service:8080"})
    assert "http" not in repr(chosen[1]).replace("HTTP", "")
