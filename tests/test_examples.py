"""The examples run against a running system, and say plainly when there is none."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.brokers import Brokers
from tests.cli import Stack, evening
from tests.e2e.processes import configure
from tests.tools import Ran, run

pytestmark = pytest.mark.asyncio(loop_scope="module")
METRICS, QUERY = "examples/metrics_example.py", "examples/query_example.py"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A real broker and a real userstats that has counted an evening."""
    made = await evening(tmp_path_factory.mktemp("examples"))
    yield made
    await made.userstats.stop()
    await made.broker.stop()


def answers(ran: Ran) -> dict[str, Any]:
    """What was printed: the answer below each title, up to the title's first comma."""
    pairs = re.findall(r"^  (\S+?)(?:,.*)?\n    (.*)$", ran.out, re.MULTILINE)
    return {title: json.loads(data) for title, data in pairs}


async def test_the_metrics_example_prints_a_summary(stack: Stack) -> None:
    ran = await run(stack.folder, METRICS, f"{stack.http}/metrics")

    assert (ran.code, ran.err) == (0, "")
    lines = {" ".join(line.split()) for line in ran.out.splitlines()}
    assert {
        f"Metrics of {stack.http}/metrics", "userstats_service_status 1", "userstats_nats_connected 1",
        "userstats_messages_total (platform cytube) 10", "userstats_kudos_total (kind plusplus) 1",
        "userstats_total_users_tracked 4", "userstats_total_messages 10",
        "userstats_total_pms 1", "userstats_total_kudos 2", "userstats_active_sessions 0",
    } <= lines  # fmt: skip
    assert re.search(r"\n\n\d+ metrics, \d+ numbers\.\n$", ran.out)


async def test_the_query_example_asks_as_kryten_does_and_as_we_do(stack: Stack) -> None:
    ran = await run(stack.folder, QUERY)

    assert (ran.code, ran.err) == (0, "")
    told = answers(ran)
    assert list(told) == [
        "system.ping", "system.stats", "leaderboard.kudos", "cytube.query.userstats.cytu.be.system.stats",
        "system.health", "channel.list", "leaderboard.messages", "channel.population",
    ]  # fmt: skip
    assert told["system.ping"]["pong"] is True
    assert told["system.stats"]["total_messages"] == 10
    assert told["cytube.query.userstats.cytu.be.system.stats"]["total_kudos"] == 2
    assert told["leaderboard.kudos"] == {
        "leaderboard": [{"username": "Alice", "count": 1}, {"username": "Bob", "count": 1}]
    }
    assert told["leaderboard.messages"][:2] == [{"username": "Alice", "count": 4}, {"username": "Bob", "count": 3}]
    assert [one["channel"] for one in told["channel.list"]] == ["grindhouse"]


async def test_without_a_service_the_examples_say_so(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/metrics"

    assert await run(tmp_path, METRICS, url) == Ran(1, "", f"Nobody answers at {url}: [Errno 111] Connection refused\n")
    configure(tmp_path, nats={"servers": ["nats://127.0.0.1:9"]})
    ran = await run(tmp_path, QUERY, "config.json")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.startswith("No answer: ")


async def test_with_a_broker_alone_the_query_example_says_that_nobody_answers(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats={"port": -1})

    ran = await run(fresh_broker.folder, QUERY)

    assert (ran.code, ran.err) == (1, "The broker is there, but no userstats answers.\n")
