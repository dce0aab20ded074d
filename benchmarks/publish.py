"""How fast a bridge publishes: observed -> on disk in the outbox -> acknowledged by a broker that syncs every write."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bridges.outbox import Outbox
from bridges.over_nats import OverNats
from bridges.publisher import Publisher
from bridges.settings import BridgeSettings
from scripts.broker import EmbeddedBroker
from scripts.provision import provision
from userstats.contract import subjects
from userstats.contract.broker import NatsSettings, connect
from userstats.contract.events import MessageSent, Place, Thanks
from userstats.contract.stream import StreamSettings, ask

_PLACE: Final = Place("demo", "bench", "room")
_PEOPLE: Final = [secrets.randbits(62) + 1 for _ in range(200)]


def run(events: int) -> dict[str, Any]:
    """Publish this many messages through an outbox to an embedded broker.

    Returns `events`, `seconds`, `events_per_second` (observed until acknowledged), `observed_per_second` (observed
    until on disk, while publishing goes on), `stored` (what the stream holds then).
    """
    with tempfile.TemporaryDirectory(prefix="bench-publish-") as folder:
        return asyncio.run(_measured(events, Path(folder)))


async def _measured(events: int, folder: Path) -> dict[str, Any]:
    settings = NatsSettings(port=-1)
    async with EmbeddedBroker(settings, folder):
        provisioner = await connect(settings, "provision", name="bench", folder=folder)
        await provision(provisioner, StreamSettings(), embedded=True)
        connection = await connect(settings, "bridge_demo", name="bench", folder=folder)
        outbox = await Outbox.open(folder / "bench.db", BridgeSettings())
        publishing = asyncio.create_task(Publisher(OverNats(connection), outbox, lambda: "").run())
        told = [_message(number) for number in range(events)]

        began = time.perf_counter()
        for message in told:
            await outbox.put([message], _PLACE, {"read": str(message.at)})
        await outbox.flush()
        observed = time.perf_counter() - began
        await outbox.published()
        seconds = time.perf_counter() - began

        publishing.cancel()
        await outbox.close()
        info = await ask(provisioner, f"STREAM.INFO.{subjects.STREAM}")
        await connection.close()
        await provisioner.close()
    return {
        "events": events,
        "seconds": round(seconds, 3),
        "events_per_second": round(events / seconds),
        "observed_per_second": round(events / observed),
        "stored": info["state"]["messages"],
    }


def _message(number: int) -> MessageSent:
    """About 400 bytes on the wire, as a busy evening makes them."""
    return MessageSent(
        id=secrets.randbits(62) + 1,
        at=1_750_000_000_000 + number,
        seen=1_750_000_000_050 + number,
        place=_PLACE,
        watch="3f8a2c5d9e1b4a67",
        author=_PEOPLE[number % len(_PEOPLE)],
        characters=57,
        words=11,
        emotes=("kappa", "feelsgoodman"),
        mentions=(_PEOPLE[number * 7 % len(_PEOPLE)],),
        thanks=(Thanks(_PEOPLE[number * 3 % len(_PEOPLE)], "++"),),
    )
