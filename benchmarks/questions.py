"""How fast questions are answered over NATS by a running userstats, with so many events stored. And its memory."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client
from nats.errors import Error as NatsError

from benchmarks.ingest import fill
from benchmarks.load import KEY, Load
from scripts.broker import EmbeddedBroker
from scripts.provision import provision
from userstats import catalogue
from userstats.answer import Asked
from userstats.contract import subjects
from userstats.contract.broker import NatsSettings, connect
from userstats.contract.stream import StreamSettings

_BROKER: Final = NatsSettings(port=-1)
_ROUNDS: Final = 200
_KNOWN: Final = {"username": "person_7", "alias": "person_7", "channel": "room0", "name": "person_7", "prefix": "pers"}
"""What is asked about, by parameter: somebody and somewhere with much to tell."""


def run(events: int, url: str = "", rounds: int = _ROUNDS) -> dict[str, Any]:
    """Count this many events, then ask every question `rounds` times, one at a time, while life goes on.

    Before each asking one more event is published and counted: nothing that was worked out before is of any use.
    Returns `events`, `store`, `rss_mb` (of userstats, after all questions), `worst_p99_ms`, and for each question
    `p50_ms` and `p99_ms`: from the request to the reply, over NATS.
    """
    with tempfile.TemporaryDirectory(prefix="bench-questions-") as name:
        return asyncio.run(_measured(events, url, rounds, Path(name)))


async def _measured(events: int, url: str, rounds: int, folder: Path) -> dict[str, Any]:
    database = {"url": url} if url else {}
    config = {"nats": {"port": -1}, "http": {"port": 0}, "database": database, "aliases": {"file": "none.json"}}
    (folder / "config.json").write_text(json.dumps(config))
    async with EmbeddedBroker(_BROKER, folder):
        provisioner = await connect(_BROKER, "provision", name="bench", folder=folder)
        await provision(provisioner, StreamSettings(), embedded=True)
        await provisioner.close()
        questions = _questions()
        load = Load(events + len(questions) * rounds, end=int(time.time() * 1000) - 120_000)
        messages = load.messages()
        await fill(folder, itertools.islice(messages, events))
        environment = {**os.environ, "USERSTATS_PSEUDONYM_KEY": KEY.hex(), "PYTHONPATH": str(Path.cwd())}
        with (folder / "userstats.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "userstats"], cwd=folder, env=environment, stdout=log, stderr=log
            )
        try:
            client = await connect(_BROKER, "client", name="bench", folder=folder)
            bridge = await connect(_BROKER, "bridge_cytube", name="bench", folder=folder)
            life = Life(client, bridge, messages)
            await _counted(client, events, pause=0.1)
            figures = {name: await _ask(client, name, asked, rounds, life) for name, asked in questions.items()}
            rss = _rss(process.pid)
            await client.close()
            await bridge.close()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    return {
        "events": events,
        "store": "postgres" if url else "sqlite",
        "rss_mb": rss,
        "worst_p99_ms": max(figure["p99_ms"] for figure in figures.values()),
        "questions": figures,
    }


def _questions() -> dict[str, Asked]:
    return {name: Asked(question) for name, question in catalogue.read().questions.items() if not question.changes}


class Life:
    """What goes on while questions are asked."""

    def __init__(self, client: Client, bridge: Client, messages: Iterator[tuple[str, bytes, int]]) -> None:
        self._client = client
        self._bridge = bridge
        self._messages = messages

    async def event(self) -> None:
        """One more event happens and is counted."""
        subject, payload, _ = next(self._messages)
        acknowledged = await self._bridge.request(subject, payload, timeout=15)
        await _counted(self._client, json.loads(acknowledged.data)["seq"])


async def _counted(client: Client, seq: int, pause: float = 0.002) -> None:
    """Wait until message `seq` is counted; asks what costs next to nothing."""
    while True:
        try:
            reply = await client.request(subjects.question("phrase.list"), b"{}", timeout=2)
            if json.loads(reply.data).get("as_of", 0) >= seq:
                return
        except NatsError:  # not up yet
            await asyncio.sleep(0.3)
        await asyncio.sleep(pause)


def _request(asked: Asked) -> dict[str, Any]:
    definition = next(iter(asked.schema.get("$defs", {}).values()), asked.schema)
    required = definition.get("required", [])
    request: dict[str, Any] = {name: _KNOWN[name] for name in required}
    properties = definition.get("properties", {})
    if "domain" in properties and "username" in required:
        request["domain"] = f"site{Load(1).home[7] % 3}.example"
    return request


async def _ask(client: Client, name: str, asked: Asked, rounds: int, life: Life) -> dict[str, Any]:
    payload = json.dumps(_request(asked)).encode()
    times: list[float] = []
    failures: set[str] = set()
    for _ in range(rounds):
        await life.event()
        began = time.perf_counter()
        reply = await client.request(subjects.question(name), payload, timeout=15)
        times.append((time.perf_counter() - began) * 1000)
        body = json.loads(reply.data)
        if not body["success"]:
            failures.add(body["error"]["message"])
    times.sort()
    worst = times[min(len(times) - 1, len(times) * 99 // 100)]
    figure: dict[str, Any] = {"p50_ms": round(times[len(times) // 2], 2), "p99_ms": round(worst, 2)}
    if failures:
        figure["refused"] = sorted(failures)
    return figure


def _rss(pid: int) -> float:
    """Resident memory in MB (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)
