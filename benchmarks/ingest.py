"""How fast userstats counts: from a filled stream to the commit on disk, with every room."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from benchmarks.load import KEY, Load
from scripts.broker import EmbeddedBroker
from scripts.provision import provision
from userstats import catalogue
from userstats.contract.broker import NatsSettings, connect
from userstats.contract.stream import StreamSettings
from userstats.inbox import Inbox
from userstats.service import Service
from userstats.store.open import DatabaseSettings, open_store

_BROKER: Final = NatsSettings(port=-1)


def run(events: int, url: str = "", keep: Path | None = None) -> dict[str, Any]:
    """Fill a stream with this many events and count them in a process of its own.

    Returns `events`, `store`, `seconds`, `events_per_second`, `cpu_us_per_event` (of userstats), `rss_mb` (its peak),
    `database_mb`. `keep`: where the database file is copied to.
    """
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as name:
        return asyncio.run(_measured(events, url, Path(name), keep))


async def _measured(events: int, url: str, folder: Path, keep: Path | None) -> dict[str, Any]:
    async with EmbeddedBroker(_BROKER, folder):
        provisioner = await connect(_BROKER, "provision", name="bench", folder=folder)
        await provision(provisioner, StreamSettings(), embedded=True)
        await provisioner.close()
        await fill(folder, Load(events).messages())
        command = [sys.executable, "-m", "benchmarks.ingest", str(folder), str(events), url]
        done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, env=os.environ)
        result: dict[str, Any] = json.loads(done.stdout.decode().splitlines()[-1])
    if keep:
        shutil.copy(folder / "bench.db", keep)
    return result


async def fill(folder: Path, messages: Iterable[tuple[str, bytes, int]]) -> None:
    """Publish every event (see `Load.messages`), in atomic batches."""
    connection = await connect(_BROKER, "bridge_cytube", name="bench", folder=folder)
    batch: list[tuple[str, bytes]] = []
    for subject, payload, _ in messages:
        batch.append((subject, payload))
        if len(batch) == 1000:
            await _publish(connection, batch)
            batch.clear()
    if batch:
        await _publish(connection, batch)
    await connection.close()


async def _publish(connection: Any, batch: list[tuple[str, bytes]]) -> None:
    name = os.urandom(8).hex()
    for number, (subject, payload) in enumerate(batch, 1):
        headers = {"Nats-Batch-Id": name, "Nats-Batch-Sequence": str(number)}
        if number == len(batch):
            headers["Nats-Batch-Commit"] = "1"
            reply = await connection.request(subject, payload, timeout=30, headers=headers)
            if "error" in json.loads(reply.data):
                raise RuntimeError(reply.data.decode())
        else:
            await connection.publish(subject, payload, headers=headers)


async def _count(folder: Path, events: int, url: str) -> dict[str, Any]:
    store = await open_store(DatabaseSettings(path="bench.db", url=url), folder)
    service = Service(store, catalogue.read())
    position = await service.start()
    connection = await connect(_BROKER, "userstats", name="bench", folder=folder)
    inbox = Inbox(connection)
    began, cpu = time.perf_counter(), time.process_time()
    async for batch in inbox.batches(position):
        await service.apply(batch, inbox.created)
        if service.position.seq >= events:
            break
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await connection.close()
    await store.close()
    return {
        "events": events,
        "store": store.dialect,
        "seconds": round(seconds, 3),
        "events_per_second": round(events / seconds),
        "cpu_us_per_event": round(cpu / events * 1e6, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "database_mb": round(sum(f.stat().st_size for f in folder.glob("bench.db*")) / 1e6, 1),
    }


def _main(folder: str, events: str, url: str) -> None:
    try:
        import uvloop  # noqa: PLC0415

        result = uvloop.run(_count(Path(folder), int(events), url))
    except ImportError:
        result = asyncio.run(_count(Path(folder), int(events), url))
    print(json.dumps(result))


if __name__ == "__main__":
    _main(*sys.argv[1:4])

__all__ = ["KEY", "fill", "run"]
