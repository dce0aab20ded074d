"""Composition root: `python -m userstats`. Builds the world in order, takes it down in reverse."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import catalogue, logs, seeding, settings
from .answer import Answers
from .contract.broker import BrokerRefused, connect
from .contract.config import ConfigError, load
from .contract.pseudonym import Pseudonyms, load_key
from .dead_letters import DeadLetters
from .inbox import Inbox
from .ingest import Ingest
from .recorder import Recorder
from .service import Service
from .store.open import open_store
from .store.seam import Fenced, Store, WrongSchema
from .surfaces.http import HttpSurface
from .surfaces.metrics import Metrics
from .surfaces.nats import NatsSurface

log = logging.getLogger("userstats")


def package_version() -> str:
    """The installed version, as the service tells it."""
    try:
        return version("chat-userstats")
    except PackageNotFoundError:
        return "0.0.0"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run userstats until SIGTERM or Ctrl-C. Exit codes: 0 stopped, 1 failed, 2 configuration, 3 taken over."""
    parser = argparse.ArgumentParser(prog="userstats", description="Counts the event stream and answers questions.")
    parser.add_argument("--config", type=Path, default=Path("config.json"))
    options = parser.parse_args(arguments)
    try:
        config = load(options.config)
        read = settings.read(config, options.config.parent.absolute())
    except ConfigError as error:
        print(f"userstats: {error}", file=sys.stderr)  # noqa: T201  (the log is not configured yet)
        return 2
    logs.configure(read.log.level, read.log.format)
    try:
        with contextlib.suppress(ImportError):
            import uvloop  # noqa: PLC0415  (not on Windows)

            return uvloop.run(run(read))
        return asyncio.run(run(read))
    except ConfigError as error:
        log.error("%s", error)
        return 2
    except (BrokerRefused, WrongSchema, OSError, ValueError) as error:
        log.error("%s", error)
        return 1
    except Fenced as error:
        log.error("%s", error)
        return 3


async def run(read: settings.Settings) -> int:
    """Build, count and answer until told to stop, take down."""
    stopping = asyncio.Event()
    for name in ("SIGTERM", "SIGINT"):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stopping.set)
    async with AsyncExitStack() as world:
        alias_file = seeding.read(read.folder / read.aliases.file)
        pseudonyms = Pseudonyms(load_key(read.folder / read.pseudonyms.key_file))
        store = await open_store(read.database, read.folder)
        world.push_async_callback(store.close)
        service = Service(store, catalogue.read())
        await service.start()
        ingest: Ingest | None = None

        def back() -> None:
            if ingest:
                ingest.inbox.reset()

        client = await connect(read.nats, "userstats", name="userstats", folder=read.folder, within=None, on_back=back)
        world.push_async_callback(client.close)
        recording = await connect(read.nats, "recorder", name="userstats-recorder", folder=read.folder, within=None)
        world.push_async_callback(recording.close)
        ingest = Ingest(service, Inbox(client))
        recorder = Recorder(recording, pseudonyms, ingest.reached)
        answers = Answers(
            service.catalogue, store, pseudonyms, zone=read.questions.timezone, services=(recorder,),
            deadline=read.questions.deadline_seconds,
        )  # fmt: skip
        metrics = Metrics(service, ingest, package_version(), lambda: bool(client.is_connected))
        http = HttpSurface(answers, metrics, host=read.http.host, port=read.http.port, token=read.http.token)
        await http.start()
        world.push_async_callback(http.stop)
        surface = NatsSurface(client, answers, package_version(), embedded=read.nats.embedded)
        await surface.start()
        world.push_async_callback(surface.stop)
        letters = await DeadLetters.from_start(service, client)
        log.info("ready: %d questions, position %d", len(answers.asked), service.position.seq)
        await _until_stopped(
            stopping, ingest.run(), letters.run(), _seed(ingest, store, recorder, alias_file, read.kudos)
        )
    return 0


async def _seed(
    ingest: Ingest, store: Store, recorder: Recorder, file: seeding.AliasFile, kudos: settings.KudosSettings
) -> None:
    """Once what the stream already says is counted, say what is new in aliases.json. Then nothing, until cancelled."""
    await ingest.caught_up()
    await seeding.seed_patiently(store, recorder, file, kudos.default_phrases)
    await asyncio.Event().wait()


async def _until_stopped(stopping: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> None:
    """Run the parts until told to stop, or until one of them fails: its error is raised."""
    tasks = [asyncio.create_task(part) for part in (stopping.wait(), *parts)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
