"""The connection to Kryten's NATS. Whatever is wrong with it, the rest of userstats goes on without it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

import nats.errors

from ...contract.broker import BrokerRefused, ConnectionEnded, NatsSettings, connect
from .surface import KrytenSurface

log = logging.getLogger(__name__)

REFUSED_SECONDS: Final = 60.0
_TROUBLES: Final = (nats.errors.Error, OSError)


async def linked(surface: KrytenSurface, broker: NatsSettings, folder: Path) -> None:
    """Let the surface answer there whenever that broker can be reached, until cancelled."""
    said = ""
    while True:
        try:
            await _once(surface, broker, folder)
            said = ""
            continue
        except BrokerRefused as error:
            trouble = str(error)
        except _TROUBLES as error:
            trouble = type(error).__name__
        if trouble != said:
            said = trouble
            log.error("Kryten's clients are not answered: %s", trouble)
        await asyncio.sleep(REFUSED_SECONDS)


async def _once(surface: KrytenSurface, broker: NatsSettings, folder: Path) -> None:
    """One connection, until it ends for good."""
    ended = asyncio.Event()
    announcing: set[asyncio.Task[None]] = set()

    def back() -> None:
        task = asyncio.create_task(surface.announce())
        announcing.add(task)
        task.add_done_callback(announcing.discard)

    def failed(error: Exception) -> None:
        if isinstance(error, ConnectionEnded):
            ended.set()

    client = await connect(
        broker, "kryten", name="userstats-kryten", folder=folder, within=None, on_back=back, on_error=failed
    )
    try:
        await surface.start(client)
        log.info("answering Kryten's clients")
        await ended.wait()
    finally:
        await surface.stop()
        await client.close()
