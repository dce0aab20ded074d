"""Questions over NATS: what an asker may not do to the service or through it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.brokers import Brokers
from tests.say import PSEUDONYMS, World, message, named
from tests.stats.changing import WorldRecorder
from userstats.answer import Answers
from userstats.contract import subjects
from userstats.contract.questions import LARGEST_REPLY, LARGEST_REQUEST
from userstats.recorder import Recorder
from userstats.store.sqlite import SQLiteStore
from userstats.surfaces.nats import NatsSurface

BOARD = subjects.question("leaderboard.messages")


class Holding(Answers):
    """Answers that wait until the test lets them go."""

    gate: asyncio.Event

    async def answer(self, *args: Any) -> Any:
        await self.gate.wait()
        return await super().answer(*args)


@asynccontextmanager
async def answering(client: Client, folder: Path, *, embedded: bool) -> AsyncIterator[tuple[NatsSurface, Holding]]:
    """The surface, about an evening on which Amy said something; its gate is open."""
    world = await World.open(await SQLiteStore.open(folder / "asked.db"))
    await world.tell("20:00", named("Amy"), message("amy"), "20:01")
    answers = Holding(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)
    answers._services = {Recorder: WorldRecorder(world)}
    answers.gate = asyncio.Event()
    answers.gate.set()
    surface = NatsSurface(client, answers, "1.2.3", embedded=embedded)
    await surface.start()
    await client.flush()
    yield surface, answers
    await surface.stop()
    await world.store.close()


async def asked(client: Client, subject: str, payload: bytes = b"{}") -> dict[str, Any]:
    body: dict[str, Any] = json.loads((await client.request(subject, payload, timeout=5)).data)
    return body


async def test_an_answer_is_led_to_an_inbox_and_nowhere_else(
    external: Callable[[str], str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With a broker that all share the reply subject is the asker's to choose, and the service may publish much."""
    url = f"nats://{external('')}"
    service, asker = await nats.connect(url), await nats.connect(url)
    led: list[str] = []

    async def saw(stray: Msg) -> None:
        led.append(stray.subject)

    for subject in ("chat.>", "$JS.API.>", "userstats.>"):
        await asker.subscribe(subject, cb=saw)
    async with answering(service, tmp_path, embedded=False):
        for reply in ("chat.v1.event.demo.a.b.MessageSent", "$JS.API.STREAM.DELETE.CHAT", BOARD, "inbox.1", ""):
            await asker.publish(BOARD, b"{}", reply=reply)
        assert (await asked(asker, BOARD))["data"] == [{"username": "Amy", "count": 1}]
        await asker.flush()
    assert led == [BOARD] * 6
    assert [one.message for one in caplog.records if one.levelno >= logging.WARNING] == [
        "questions that ask for no answer, or for one outside of an inbox, are not answered"
    ]
    await service.close()
    await asker.close()


async def test_who_asks_is_told_by_the_account_and_not_by_a_header(fresh_broker: Brokers, tmp_path: Path) -> None:
    service = await fresh_broker.connect("userstats")
    async with answering(service, tmp_path, embedded=True):
        kryten = await fresh_broker.keyless()
        forged = {"Nats-Request-Info": json.dumps({"acc": "CLIENTS"})}
        said = b'{"batch": "b", "source": "s"}'
        refused = await kryten.request(subjects.question("import.begin"), said, headers=forged, timeout=5)
        assert json.loads(refused.data)["error"]["code"] == 403
        staff = await asked(kryten, subjects.question("phrase.add"), b'{"phrase": "lol"}')
        assert staff["data"] == {"changed": True, "message": "Added kudos phrase 'lol'"}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"{" * 100, "the request is not JSON"),
        (b"[" * (LARGEST_REQUEST - 1), "the request is not JSON"),
        (b"[]", "the request must be a JSON object"),
        (b" " * (LARGEST_REQUEST + 1), f"the request has {LARGEST_REQUEST + 1} bytes, the most is {LARGEST_REQUEST}"),
        (b'{"limit": 1000000}', "limit: 1000000 is greater than the maximum of 1000"),
        (b'{"limit": 1e6}', "limit: 1000000.0 is greater than the maximum of 1000"),
        (b'{"limit": 10.0}', "Expected `int`, got `float` - at `$.limit`"),
        (b'{"limit": 99999999999999999999999999}', f"limit: {10**26 - 1} is greater than the maximum of 1000"),
        (b'{"hours": 0}', "since: '0h' is no length of time; write it like 24h, 30d, 2w or all"),
        (b'{"channel": "a\\u0000"}', "a text holds a NUL or half of a surrogate pair"),
        (b'{"since": "\xff"}', "the request is not JSON"),
    ],
)
async def test_a_request_that_is_none_is_refused_in_words(
    fresh_broker: Brokers, tmp_path: Path, payload: bytes, message: str
) -> None:
    service, client = await fresh_broker.connect("userstats"), await fresh_broker.connect("client")
    async with answering(service, tmp_path, embedded=True):
        refused = await asked(client, BOARD, payload)
        assert refused["error"] | {"details": {}} == {"code": 400, "message": message, "details": {}}
        assert (await asked(client, BOARD))["success"]


async def test_more_questions_than_can_be_answered_are_refused_at_once_and_the_others_are_answered(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    service, client = await fresh_broker.connect("userstats"), await fresh_broker.connect("client")
    async with answering(service, tmp_path, embedded=True) as (surface, answers):
        answers.gate.clear()
        waiting = [asyncio.create_task(asked(client, BOARD)) for _ in range(100)]
        _, still = await asyncio.wait(waiting, timeout=1)
        assert (len(still), surface.waiting) == (72, 72)
        answers.gate.set()
        codes = [one.get("error", {}).get("code", 200) for one in await asyncio.gather(*waiting)]
        assert sorted(codes) == [200] * 72 + [429] * 28


async def test_what_is_still_under_way_at_the_end_is_answered_or_ended(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = asyncio.wait
    monkeypatch.setattr(asyncio, "wait", lambda tasks, timeout: wait(tasks, timeout=0.1))
    service, client = await fresh_broker.connect("userstats"), await fresh_broker.connect("client")
    async with answering(service, tmp_path, embedded=True) as (surface, answers):
        answers.gate.clear()
        await client.publish(BOARD, b"{}", reply=client.new_inbox())
        async with asyncio.timeout(5):
            while not surface.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await surface.stop()
        assert surface.waiting == 0


async def test_an_answer_that_is_too_large_is_a_refusal(fresh_broker: Brokers, tmp_path: Path) -> None:
    service, client = await fresh_broker.connect("userstats"), await fresh_broker.connect("client")

    async def much(*_: Any) -> Any:
        return await Answers.answer(answers, "phrase.list", {})

    async with answering(service, tmp_path, embedded=True) as (_, answers):
        rows = [(f"{'x' * 60}{n:04}", 1, 1) for n in range(LARGEST_REPLY // 60)]
        writer = answers._store._writer  # type: ignore[attr-defined]
        await writer.executemany("INSERT INTO phrases (phrase, active, at) VALUES (?, ?, ?)", rows)
        refused = await asked(client, subjects.question("phrase.list"))
        assert (refused["success"], refused["error"]["code"]) == (False, 400)
        assert "ask for less" in refused["error"]["message"]
