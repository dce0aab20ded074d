"""`scripts/up.py`: everything starts with one command, is restarted when it dies, and is gone after a Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from scripts import up
from tests.brokers import Brokers, started
from tests.cli import run as cli
from tests.e2e.processes import ROOT
from tests.e2e.site import Site
from tests.e2e.starting import Up, once, running_in, settings
from tests.stored import messages
from userstats.contract import wire
from userstats.contract.config import load
from userstats.contract.events import MessageSent, Named

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
PARTS = {"-m userstats": "userstats: ready", "-m bridges": ": watching", "nats-server -c": "started again on"}
"""In command lines, and what is printed when it is there again."""


async def test_a_channel_is_joined_as_a_guest_counted_and_left_without_a_trace(tmp_path: Path) -> None:
    script = ("--script", "chatter", "--messages", "60", "--people", "4", "--rate", "40", "--wait-for", "*")
    async with Site(tmp_path, *script) as site:
        at = settings(tmp_path)
        async with Up(tmp_path, "--channel", site.address) as running:
            await running.until("Up. Try:")
            guests = [member["name"] for member in await site.inside() if member["socket"]]
            await site.done.wait()
            assert await leaderboard(at, 4) == said(await site.oracle())
            assert [cli(tmp_path, *words).code for words in await suggested(running)] == [0, 0, 0]
            code = await running.interrupted()

            assert (code, running_in(tmp_path), running.lines[-1]) == (0, [], "Stopped.\n")
            assert re.fullmatch(r"stats_[0-9a-f]{6}", guests[0])
            assert [line for line in running.lines if "Traceback" in line or " ERROR " in line] == []


async def test_what_dies_is_started_again_and_nothing_is_counted_twice_or_lost(tmp_path: Path) -> None:
    script = ("--script", "chatter", "--messages", "110", "--people", "5", "--rate", "20", "--hold-after", "3")
    async with Site(tmp_path, *script, "--wait-for", "*") as site:
        at = settings(tmp_path)
        async with Up(tmp_path, "config.json", "--channel", site.address) as running:
            await running.until("counting")
            for part, back in PARTS.items():
                before = len([line for line in running.lines if back in line])
                (pid,) = running_in(tmp_path, part)
                os.kill(pid, signal.SIGKILL)
                await running.until(back, before + 1)
            await site.done.wait()

            assert await leaderboard(at, 5) == said(await site.oracle())
            assert await running.interrupted() == 0
            assert running_in(tmp_path) == []


async def test_when_the_starter_is_killed_nothing_is_left_and_it_starts_again(tmp_path: Path) -> None:
    settings(tmp_path, bridge={"stop_seconds": 0.5}, demo={"rooms": ["lounge"], "history_hours": 0})
    async with Up(tmp_path, "--demo") as running:
        await running.until("Up. Try:")
        await running.killed()
        async with asyncio.timeout(20):
            while running_in(tmp_path):  # noqa: ASYNC110 - they are other processes
                await asyncio.sleep(0.05)
    async with Up(tmp_path, "--demo") as again:
        await again.until("Up. Try:")
        assert await again.interrupted() == 0


async def test_the_demo_answers_within_a_minute_and_its_numbers_are_those_of_the_stream(tmp_path: Path) -> None:
    at = settings(tmp_path)
    async with Up(tmp_path, "--demo") as running:
        await running.until("Up. Try:")
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            reply = await until_some(http, at, 3000)
        assert await running.interrupted() == 0
        assert running_in(tmp_path) == []
    embedded = await started(tmp_path)
    brokers = Brokers(embedded)
    counted = count(await messages(brokers), reply["as_of"])
    await brokers.disconnect()
    await embedded.stop()

    assert {row["username"]: row["count"] for row in reply["data"]} == counted


async def test_it_runs_in_the_background_says_so_and_is_stopped(tmp_path: Path) -> None:
    settings(tmp_path, demo={"rooms": ["lounge"], "history_hours": 0})
    try:
        code, said_first = await once(tmp_path, "--demo", "--background")
        assert (code, "Running in the background" in said_first) == (0, True), said_first
        pid = int((tmp_path / "userstats.pid").read_text())
        status = f"Running (process {pid}), broker: embedded, bridges: demo.\n"

        assert await once(tmp_path, "--status") == (0, status)
        assert await once(tmp_path, "--demo") == (
            1, f"It runs already (process {pid}); stop it first with --stop.\n"
        )  # fmt: skip
        assert await once(tmp_path, "--stop") == (0, "Stopped.\n")
        assert running_in(tmp_path) == []
        assert await once(tmp_path, "--stop") == (0, "Nothing runs here.\n")
        assert await once(tmp_path, "--status") == (1, "Nothing runs here.\n")
        assert "Traceback" not in (tmp_path / "userstats.log").read_text()
    finally:
        for left in running_in(tmp_path):
            os.kill(left, signal.SIGKILL)


async def test_parts_started_one_by_one_find_each_other(tmp_path: Path) -> None:
    at = settings(
        tmp_path, nats={"servers": ["nats://me:secret@127.0.0.1:1"], "port": -1},
        demo={"rooms": ["lounge"], "history_hours": 1},
    )  # fmt: skip
    async with Up(tmp_path, "--only", "userstats") as userstats:
        await userstats.until("No bridge runs")
        async with Up(tmp_path, "--only", "bridge", "--bridge", "demo") as bridge:
            await bridge.until("watching")
            async with aiohttp.ClientSession() as http:
                assert await until_some(http, at, 1)
            assert await bridge.interrupted() == 0
            assert await userstats.interrupted() == 0
        assert running_in(tmp_path) == []
        assert "secret" not in "".join(userstats.lines + bridge.lines)
        assert "nobody answers at 127.0.0.1:1; starting an embedded one" in "".join(userstats.lines)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--channel", "nowhere"), (2, "--channel: the address of a room is SITE/ROOM or SITE/r/ROOM")),
        (("--only", "bridge"), (2, "--only bridge and --bridge NAME belong together")),
        (("--only", "bridge", "--bridge", "irc"), (2, "invalid choice: 'irc'")),
        (("absent/config.json", "--status"), (1, "Nothing runs here.")),
    ],
)
async def test_what_cannot_be_is_said(tmp_path: Path, words: tuple[str, ...], expected: tuple[int, str]) -> None:
    settings(tmp_path)
    code, output = await once(tmp_path, *words)

    assert (code, expected[1] in output, "Traceback" in output) == (expected[0], True, False), output


async def test_a_wrong_setting_ends_everything_and_is_named(tmp_path: Path) -> None:
    settings(tmp_path, kudos={"cooldown_second": 3})
    code, output = await once(tmp_path)

    assert (code, running_in(tmp_path)) == (1, [])
    assert "$.kudos.cooldown_second: unknown setting; did you mean 'cooldown_seconds'?" in output
    assert "userstats ended for good" in output


async def test_with_port_0_the_start_says_where_the_pages_are(tmp_path: Path) -> None:
    settings(tmp_path, http={"port": 0}, demo={"rooms": ["lounge"], "history_hours": 0})
    async with Up(tmp_path, "--demo") as running:
        curl = await running.until("  curl http://127.0.0.1:")
        page = curl.split()[-1]
        async with aiohttp.ClientSession() as http, http.get(page) as response:
            answered = response.status, "userstats_build_info" in await response.text()

        assert answered == (200, True)
        assert f"  userstats   answering, {page}\n" in running.lines
        assert await running.interrupted() == 0


async def test_a_port_that_is_taken_ends_everything_and_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings(tmp_path, http={"port": port})
        code, output = await once(tmp_path, "--demo")

    assert (code, running_in(tmp_path), "Traceback" in output) == (1, [], False)
    assert (
        f"$.http.port: {port} is taken, another program listens on http://127.0.0.1:{port}; end that one, or write "
        "another port (0: any free one)\n"
    ) in output
    assert "userstats ended for good" in output


async def test_a_port_that_is_taken_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings(tmp_path, http={"port": other.getsockname()[1]}, demo={"rooms": ["lounge"], "history_hours": 0})
        async with Up(tmp_path, "--demo") as running:
            await running.until("waiting for it")
            other.close()
            await running.until("Up. Try:")

            assert [line for line in running.lines if "starting it again" in line] == []
            assert await running.interrupted() == 0


def test_the_first_start_makes_a_configuration_that_can_be_read(tmp_path: Path) -> None:
    up._prepare_config(tmp_path / "config.json")

    assert load(tmp_path / "config.json").document["nats"]["port"] == 4222
    assert (tmp_path / "aliases.json").read_text() == (ROOT / "aliases.json").read_text()


async def suggested(running: Up) -> list[list[str]]:
    """The command lines that a person is told to try, without the program."""
    await running.until("Ctrl-C stops everything.")
    lines = [shlex.split(line) for line in running.lines if "query_cli.py" in line]
    assert {line[1] for line in lines} == {str(ROOT / "query_cli.py")}
    return [line[2:] for line in lines]


async def answer(http: aiohttp.ClientSession, at: str, path: str, **request: str) -> dict[str, Any]:
    async with http.get(f"{at}/api/{path}", params=request) as response:
        reply: dict[str, Any] = await response.json()
    return reply


async def leaderboard(at: str, people: int) -> dict[str, int]:
    """Everybody's messages, once a second passed without a change."""
    before: dict[str, int] = {}
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            reply = await answer(http, at, "leaderboard/messages", since="all", limit="100")
            now = {row["username"]: row["count"] for row in reply["data"]}
            if now == before and len(now) == people:
                return now
            before = now
            await asyncio.sleep(1)


async def until_some(http: aiohttp.ClientSession, at: str, most: int) -> dict[str, Any]:
    """The reply once so many messages are counted."""
    reply: dict[str, Any] = {"data": []}
    while sum(row["count"] for row in reply["data"]) < most:
        await asyncio.sleep(0.1)
        reply = await answer(http, at, "leaderboard/messages", since="all", limit="1000")
    return reply


def said(oracle: Any) -> dict[str, int]:
    return {name: row["messages"] for name, row in oracle["people"].items() if row["messages"]}


def count(stream: list[Any], until: int) -> Counter[str]:
    """Messages of persons by name, counted from the stream itself up to a position."""
    names: dict[int, str] = {}
    numbers: Counter[int] = Counter()
    rows: set[tuple[str, int]] = set()
    for message in stream:
        event = wire.decode(message.data, message.subject)
        assert not isinstance(event, wire.Bad)
        if message.seq > until or (event.producer, event.n) in rows:
            continue
        rows.add((event.producer, event.n))
        if isinstance(event, Named) and event.person:
            names[event.person] = event.name
        if isinstance(event, MessageSent) and event.by == "person":
            numbers[event.author] += 1
    return Counter({names[person]: number for person, number in numbers.items()})
