"""Every event twice, userstats away, NATS away: what was told is counted once, all of it."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from tests.brokers import Brokers
from tests.e2e.evening import address
from tests.e2e.processes import Part, ask, configure
from tests.faults import bulk, cells, scripted
from tests.faults.storm import Load, stage
from tests.stores import KINDS
from userstats.contract.broker import Connection
from userstats.contract.config import decode
from userstats.contract.pseudonym import Pseudonyms, load_key
from userstats.store.open import DatabaseSettings

pytestmark = pytest.mark.faults
SEED = 420


class Line(NamedTuple):
    """A broker, userstats (not running yet), a bridge's and a client's connection."""

    brokers: Brokers
    userstats: Part
    bridge: Connection
    client: Connection
    database: DatabaseSettings
    pseudonyms: Pseudonyms

    async def difference(self, expected: cells.Cells, messages: int) -> dict[Any, tuple[int, int]]:
        """What is counted wrong once the whole stream is."""
        async with asyncio.timeout(60):
            while (await ask(self.client, "leaderboard.messages"))["as_of"] < messages:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return cells.difference(expected, await cells.stored(self.database, self.brokers.folder))


@pytest_asyncio.fixture(params=KINDS)
async def line(request: pytest.FixtureRequest, fresh_broker: Brokers) -> AsyncIterator[Line]:
    """With a fresh database of each kind."""
    folder = fresh_broker.folder
    database: dict[str, Any] = {}
    if request.param == "postgres":
        database = {"url": request.getfixturevalue("postgres").url, "schema": f"away_{secrets.token_hex(4)}"}
    configure(folder, nats={"port": -1}, http={"port": 0}, database=database)
    userstats = Part(folder, "userstats")
    yield Line(
        fresh_broker, userstats, await fresh_broker.connect("bridge_demo"), await fresh_broker.connect("client"),
        decode(database, DatabaseSettings, "$.database"), Pseudonyms(load_key(folder / "data" / "pseudonym.key")),
    )  # fmt: skip
    await userstats.kill()


async def test_every_event_delivered_twice_in_any_order_and_across_a_kill_counts_once(line: Line) -> None:
    payloads = await bulk.played(SEED, 1500, line.pseudonyms, time.time_ns() // 1_000_000)
    again = random.Random(SEED).sample(payloads, len(payloads))
    twice = [payload for pair in zip(payloads, payloads, strict=True) for payload in pair]
    await line.userstats.start()
    await bulk.publish(line.bridge, twice)
    await line.userstats.kill()
    await bulk.publish(line.bridge, again[: len(again) // 2])
    await line.userstats.start()
    await ask(line.client, "system.coverage")
    await bulk.publish(line.bridge, again[len(again) // 2 :])

    expected = scripted.counted(SEED, 1500, line.pseudonyms)
    assert await line.difference(expected, 3 * len(payloads)) == {}
    assert sum(expected.values()) > 10_000


async def test_what_came_in_the_minute_in_which_userstats_was_away_is_counted(line: Line) -> None:
    began = time.time_ns() // 1_000_000
    payloads = await bulk.played(SEED, 10_000, line.pseudonyms, began)
    await line.userstats.start()
    await bulk.publish(line.bridge, payloads[:500])
    await line.difference(cells.Cells(), 500)
    await line.userstats.kill()
    await bulk.publish(line.bridge, payloads[500:])
    await line.userstats.start()

    expected = scripted.counted(SEED, 10_000, line.pseudonyms)
    assert await line.difference(expected, len(payloads)) == {}
    assert len(payloads) > 20_000


async def counting(brokers: Brokers, userstats: Part) -> str:
    """Where userstats serves HTTP, once it has counted something that was said."""
    client = await brokers.connect("client")
    async with asyncio.timeout(30):
        while not (await ask(client, "leaderboard.messages")).get("data"):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.1)
    return address(userstats)


async def test_nats_is_away_for_thirty_seconds_and_everything_said_meanwhile_is_counted(fresh_broker: Brokers) -> None:
    load = Load(lines=800, steps=6000, seed=SEED)
    async with stage(fresh_broker, load, {}, "--rate", "25") as everything, aiohttp.ClientSession() as http:
        at = await counting(fresh_broker, everything.userstats)
        away = asyncio.create_task(everything.kill_broker(30.0))
        await asyncio.sleep(1)
        async with http.get(f"{at}/api/leaderboard/messages") as answered, http.get(f"{at}/readyz") as ready:
            meanwhile = (answered.status, len((await answered.json())["data"]) > 0, ready.status)
        await away

        assert (await everything.difference(), meanwhile) == ({}, (200, True, 503))
        logged = "".join(part.log.read_text() for part in (everything.userstats, everything.cytube, everything.demo))
        said = Counter(re.findall(r"\S+: the broker is (?:gone|back)", logged))
        assert said == dict.fromkeys(said, 1)
        assert {"userstats: the broker is gone", "bridge_cytube: the broker is back"} <= said.keys()
        assert "Traceback" not in logged
