"""HTTP: what neither a page in somebody's browser nor a bad client may do."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.say import PSEUDONYMS, World, message, named
from tests.stats.changing import WorldRecorder
from tests.test_metrics import of
from userstats.answer import Answers
from userstats.contract.questions import LARGEST_REQUEST
from userstats.recorder import Recorder
from userstats.store.sqlite import SQLiteStore
from userstats.surfaces import http as surfaces
from userstats.surfaces.http import HttpSurface

TOKEN: Final = "let me in"
ADD: Final = "/api/phrase/add"
BOARD: Final = "/api/leaderboard/messages"
JSON: Final = {"Content-Type": "application/json"}
STAFF: Final = {"Authorization": f"Bearer {TOKEN}"}


class Site:
    """The surface, about an evening on which Amy said something."""

    def __init__(self, surface: HttpSurface, answers: Answers) -> None:
        self.surface = surface
        self.answers = answers

    async def send(self, raw: bytes) -> tuple[int, Mapping[str, Any]]:
        """Status and document that these bytes are answered with."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.surface.port)
        writer.write(raw)
        async with asyncio.timeout(10):
            head, _, body = (await reader.read(1_000_000)).partition(b"\r\n\r\n")
            body += await reader.read() if b"close" in head.lower() and not body else b""
        writer.close()
        return int(head.split()[1]), json.loads(body)

    async def ask(
        self, path: str, body: bytes | None = None, host: str = "localhost", headers: Mapping[str, str] = {}
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and document; a POST if there is a body."""
        verb = "GET" if body is None else "POST"
        lines = [f"{verb} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body or b'')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return await self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))


@asynccontextmanager
async def listening(folder: Path, *, host: str = "127.0.0.1", token: str = TOKEN) -> AsyncIterator[Site]:
    world = await World.open(await SQLiteStore.open(folder / "asked.db"))
    await world.tell("20:00", named("Amy"), message("amy"), "20:01")
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)
    answers._services = {Recorder: WorldRecorder(world)}
    surface = HttpSurface(answers, of(world), host=host, port=0, token=token)
    await surface.start()
    yield Site(surface, answers)
    await surface.stop()
    await world.store.close()


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with listening(tmp_path) as found:
        yield found


def problem(answered: tuple[int, Mapping[str, Any]]) -> tuple[int, str]:
    return answered[0], answered[1]["error"]["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain; application/json"]
)
async def test_a_page_of_another_site_may_not_post(site: Site, kind: str) -> None:
    """A browser sends these kinds to any address without asking it first, and a body that happens to be JSON."""
    expected = 400, "a POST needs the header Content-Type: application/json"
    assert problem(await site.ask(BOARD, b"{}", headers={"Content-Type": kind})) == expected
    assert problem(await site.ask(ADD, b'{"phrase": "lol"}', headers={"Content-Type": kind})) == expected


async def test_a_change_needs_the_token_and_a_question_does_not(site: Site) -> None:
    phrase = b'{"phrase": "lol"}'
    assert problem(await site.ask(ADD, phrase, headers=JSON)) == (403, "phrase.add is answered to staff only")
    assert problem(await site.ask(f"{ADD}?phrase=lol", headers=STAFF)) == (
        400, "phrase.add changes something: use POST"
    )  # fmt: skip
    assert (await site.ask(BOARD, b"{}", headers=JSON))[0] == 200
    status, said = await site.ask(ADD, phrase, headers=STAFF)
    assert (status, said["data"]["changed"]) == (200, True)


@pytest.mark.parametrize(
    "given",
    [
        TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer ", f"Bearer  {TOKEN}", "Bearer \xff\xfe",
        "Bearer l\xe9t me in",
    ],
)  # fmt: skip
async def test_anything_but_the_token_is_no_token(site: Site, given: str) -> None:
    answered = await site.ask(ADD, b'{"phrase": "lol"}', headers={**JSON, "Authorization": given})
    assert problem(answered) == (403, "phrase.add is answered to staff only")


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer "])
async def test_without_a_token_in_the_settings_nobody_is_operator(tmp_path: Path, given: str) -> None:
    async with listening(tmp_path, token="") as site:
        answered = await site.ask(ADD, b'{"phrase": "lol"}', headers={**JSON, "Authorization": given})
        assert answered[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example:28282", "evil.example", "127.0.0.1.evil.example", "xlocalhost", "a:b:c"]
)
async def test_on_loopback_a_name_that_another_site_points_there_is_not_answered(site: Site, host: str) -> None:
    """DNS rebinding: to the browser such a page and this address are one site."""
    expected = 403, "ask this address as localhost, or with the token"
    assert problem(await site.ask(BOARD, host=host)) == expected
    assert problem(await site.ask(BOARD, b"{}", host=host, headers=JSON)) == expected
    assert (await site.ask(BOARD, host=host, headers=STAFF))[0] == 200
    assert (await site.ask("/healthz", host=host))[0] == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:28282", "127.0.0.1:28282", "[::1]:28282", "10.0.0.7:80", "us.localhost"]
)
async def test_localhost_and_figures_are_answered(site: Site, host: str) -> None:
    assert (await site.ask(BOARD, host=host))[0] == 200


async def test_an_address_that_others_can_reach_anyway_is_answered_by_any_name(tmp_path: Path) -> None:
    async with listening(tmp_path, host="0.0.0.0") as site:
        assert (await site.ask(BOARD, host="stats.example"))[0] == 200


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("limit=%C2%B2", "limit: '²' is not of type 'integer'"),
        ("limit=--5", "limit: '--5' is not of type 'integer'"),
        ("limit=%D9%A3", "limit: '٣' is not of type 'integer'"),
        (f"limit={'9' * 5000}", ""),
        ("limit=-5", "limit: -5 is less than the minimum of 1"),
        ("since=%00", "a text holds a NUL or half of a surrogate pair"),
        ("channel=%ED%A0%80", ""),
        ("from=0001-01-01&to=0001-01-02&tz=America/New_York", "the period is empty: it ends before it begins"),
        ("hours=0", "since: '0h' is no length of time; write it like 24h, 30d, 2w or all"),
    ],
)
async def test_words_that_are_no_numbers_and_no_times_are_refused(site: Site, words: str, message: str) -> None:
    status, said = await site.ask(f"{BOARD}?{words}")
    assert status in {400, 404}
    assert message in said["error"]["message"]


async def test_the_beginning_of_the_calendar_is_a_period_in_every_zone(site: Site) -> None:
    status, said = await site.ask(f"{BOARD}?from=0001-01-01&tz=America/New_York")
    assert (status, said["period"]["from"]) == (200, "1969-12-31T19:00:00-05:00")


async def test_a_request_that_is_too_large_is_refused_before_it_is_read(site: Site) -> None:
    body = b'{"phrase": "%b"}' % (b"x" * LARGEST_REQUEST)
    assert (await site.ask(ADD, body, headers={**STAFF, **JSON}))[0] in {400, 413}


async def test_a_client_that_does_not_finish_its_request_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(surfaces, "_READ_SECONDS", 0.2)
    head = f"POST {ADD} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    assert problem(await site.send(head.encode() + b'{"phrase')) == (400, "the request did not arrive in time")
    _, gone = await asyncio.open_connection("127.0.0.1", site.surface.port)
    gone.write(head.encode() + b"{")
    await gone.drain()
    gone.close()
    await asyncio.sleep(0.1)
    assert (await site.ask(BOARD))[0] == 200
    assert [one.message for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_stopping_does_not_wait_for_those_who_do_not_finish(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surfaces, "_READ_SECONDS", 60)
    for _ in range(3):
        _, slow = await asyncio.open_connection("127.0.0.1", site.surface.port)
        slow.write(f"POST {ADD} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode())
        slow.write(b"Content-Length: 5\r\n\r\n{")
        await slow.drain()
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await site.surface.stop()
    assert time.monotonic() - began < 10


async def test_more_questions_than_can_be_answered_are_refused_and_the_others_are_answered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, answer = asyncio.Event(), site.answers.answer

    async def held(*args: Any) -> Any:
        await gate.wait()
        return await answer(*args)

    monkeypatch.setattr(site.answers, "answer", held)
    waiting = [asyncio.create_task(site.ask(BOARD)) for _ in range(80)]
    done, _ = await asyncio.wait(waiting, timeout=1)
    gate.set()
    assert [problem(one.result()) for one in done] == [(429, "too many questions at once; ask again")] * 16
    assert sorted(status for status, _ in await asyncio.gather(*waiting)) == [200] * 64 + [429] * 16
    assert (await site.ask(BOARD))[0] == 200


async def test_what_fails_is_not_quoted_to_the_asker_or_in_the_log(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> Any:
        raise ValueError("Amy wrote this")

    monkeypatch.setattr(site.answers, "_answer", broken)
    status, said = await site.ask(BOARD)
    assert (status, said["success"]) == (500, False)
    monkeypatch.setattr(site.surface._metrics, "checks", broken)
    assert problem(await site.ask("/readyz")) == (500, "internal error")
    assert "Amy" not in caplog.text + json.dumps(said)
    assert [one.message.count("ValueError in broken at test_http.py:") for one in caplog.records] == [1, 1]
