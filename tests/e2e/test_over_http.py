"""Bridges that cannot reach NATS, as processes of their own: what is counted is what happened, as over NATS."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import pytest

from tests.bridges.observed import until
from tests.brokers import Brokers
from tests.e2e.evening import address
from tests.e2e.processes import Part, configure
from tests.e2e.processes import until as until_answered
from tests.e2e.site import ROOM, Site
from tests.e2e.starting import free_port
from tests.faults import cells, scripted
from tests.faults.storm import BOT, QUICK
from tests.relay import Relay, relayed
from tests.stored import letters
from userstats.contract import events as e
from userstats.contract import http, wire
from userstats.contract.pseudonym import Pseudonyms, load_key
from userstats.store.open import DatabaseSettings

TOKEN: Final = "for bridges"
AMY: Final = 2**60
LOUNGE: Final = e.Place("demo", "demo.local", "lounge")
SEED: Final = int(os.environ.get("USERSTATS_STORM_SEED") or secrets.randbelow(10**6))


class Home(NamedTuple):
    """Where broker and userstats are, and the relay that is all there is of them elsewhere."""

    brokers: Brokers
    userstats: Part
    relay: Relay

    @property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(load_key(self.brokers.folder / "data" / "pseudonym.key"))

    async def difference(self, expected: cells.Cells, within: float = 40.0) -> Mapping[Any, tuple[int, int]]:
        """What is counted wrong still after so many seconds (expected, found)."""
        wrong: Mapping[Any, tuple[int, int]] = {}
        for _ in range(int(within / 0.25)):
            wrong = cells.difference(expected, await cells.stored(DatabaseSettings(), self.brokers.folder))
            if not wrong:
                break
            await asyncio.sleep(0.25)
        return wrong


@asynccontextmanager
async def home(brokers: Brokers, lose: float = 0.0) -> AsyncIterator[Home]:
    port = free_port()
    configure(brokers.folder, nats={"port": -1}, http={"port": port, "events_token": TOKEN})
    load_key(brokers.folder / "data" / "pseudonym.key")
    async with relayed(f"http://127.0.0.1:{port}", lose=lose) as relay, Part(brokers.folder, "userstats") as userstats:
        yield Home(brokers, userstats, relay)


def elsewhere(home: Home, folder: Path, **sections: Any) -> Path:
    """A folder with a configuration and the key, and with nothing of the broker."""
    (folder / "data").mkdir(parents=True)
    shutil.copy(home.brokers.folder / "data" / "pseudonym.key", folder / "data")
    configure(folder, **sections)
    return folder


async def test_a_cytube_room_is_counted_as_it_was_without_nats(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--script", "chatter", "--messages", "150", "--people", "7", "--seed", "5", "--rate", "100",
             "--account", f"{BOT}:pw", "--wait-for", BOT)  # fmt: skip
    async with home(fresh_broker) as at, Site(fresh_broker.folder, *words) as site:
        away = elsewhere(
            at, tmp_path / "away", bridge=QUICK, cytube={"name": BOT, "password": "pw"},
            channels=[{"domain": site.url, "channel": ROOM}],
        )  # fmt: skip
        monkeypatch.setenv("SQLITE_SERVICE_URL", at.relay.address)
        monkeypatch.setenv("USERSTATS_SERVICE_TOKEN", TOKEN)
        async with Part(away, "bridges", "cytube") as bridge:
            async with asyncio.timeout(60):
                await site.done.wait()
            expected = cells.of_site(await site.oracle(), site.domain, ROOM, BOT, at.pseudonyms)

            assert await at.difference(expected) == {}
            assert await bridge.stop() == 0
            log = bridge.log.read_text()

    assert sum(expected.values()) > 150
    assert "events go to userstats over HTTP; no lease is taken" in log
    assert "0 events wait for the next start" in log
    assert TOKEN not in log
    assert sorted(path.name for path in (away / "data").iterdir()) == ["outbox", "pseudonym.key"]


@pytest.mark.faults
async def test_g01_with_kills_at_both_ends_and_answers_lost_every_count_is_exact(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    steps = 2500
    async with AsyncExitStack() as running:
        at = await running.enter_async_context(home(fresh_broker, lose=0.2))
        bridge = {**QUICK, "service_url": at.relay.address, "service_token": TOKEN}
        script = ("--seed", str(SEED), "--length", str(steps), "--rate", "250")
        away = elsewhere(at, tmp_path / "away", bridge=bridge)
        demo = await running.enter_async_context(Part(away, "tests.faults.scripted", *script))
        for victim in (at.userstats, demo, None, at.userstats, demo, at.userstats):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            if victim is None:
                os.kill(fresh_broker.running.pid, signal.SIGKILL)
                await fresh_broker.embedded.stop()
                await asyncio.sleep(0.2)
                await fresh_broker.embedded.start()
            else:
                await victim.kill()
                await asyncio.sleep(chance.uniform(0.0, 0.4))
                await victim.start()
        expected = scripted.counted(SEED, steps, at.pseudonyms)

        assert await at.difference(expected, 60) == {}, SEED
    assert at.relay.lost > 0


async def test_poison_ends_as_dead_letters_and_the_next_event_counts(fresh_broker: Brokers) -> None:
    def said(n: int) -> e.MessageSent:
        now = 1_790_000_000_000 + n
        return e.MessageSent(id=n, at=now, seen=now, place=LOUNGE, watch="w1", author=AMY, words=3)

    named = e.Named(
        id=1, at=1_790_000_000_000, seen=1_790_000_000_000, place=LOUNGE, watch="w1", key=7, person=AMY, name="Amy"
    )
    later = json.dumps({**json.loads(wire.body(said(3))), "kind": "TeaDrunk", "of": "somebody-wrote-this"}).encode()
    lines = [
        wire.seal(wire.body(named), "p", 1), wire.seal(wire.body(said(2)), "p", 2), wire.seal(later, "p", 3),
        b"somebody-wrote-this", wire.seal(wire.body(said(4)), "p", 4),
    ]  # fmt: skip
    async with home(fresh_broker) as at:
        await until(lambda: "ready:" in at.userstats.log.read_text(), 30)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": http.NDJSON}
        async with (
            aiohttp.ClientSession(address(at.userstats), headers=headers) as session,
            session.post(http.EVENTS, data=b"\n".join(lines)) as response,
        ):
            answer = await response.json()
        client = await fresh_broker.connect("client")
        expected = [{"username": "Amy", "count": 2}]

        assert [one["index"] for one in answer["dead"]] == [2, 3]
        assert await until_answered(client, "leaderboard.messages", expected, since="all") == expected
        assert [(subject, one["subject"]) for subject, one in await letters(fresh_broker, 2)] == [
            ("chat.v1.dlq.unknown_type", "chat.v1.event.demo.demo=2Elocal.lounge.TeaDrunk"),
            ("chat.v1.dlq.json", "chat.v1.event.unreadable.=.=.Unreadable"),
        ]
        assert "somebody-wrote-this" not in at.userstats.log.read_text() + str(answer)


async def test_without_its_token_a_userstats_opens_no_way_into_the_stream(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats={"port": -1}, http={"port": 0})
    async with Part(fresh_broker.folder, "userstats") as userstats:
        await until(lambda: "ready:" in userstats.log.read_text(), 30)
        log = userstats.log.read_text()
        async with (
            aiohttp.ClientSession(address(userstats)) as session,
            session.post(http.EVENTS, data=b"{}", headers={"Authorization": "Bearer "}) as response,
        ):
            refused = response.status, (await response.json())["error"]["message"]
    assert refused == (403, "no events are taken over HTTP: http.events_token is not set")
    assert "as gateway" not in log
