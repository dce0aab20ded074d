"""Composition root: `python -m userstats`. Builds the world in order, takes it down in reverse."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import catalogue, seeding, settings
from .answer import Answers
from .contract.broker import BrokerRefused, ConnectionEnded, connect
from .contract.config import ConfigError, load
from .contract.kryten import kryten_broker
from .contract.process import configure_log, told
from .contract.pseudonym import Pseudonyms, load_key
from .dead_letters import DeadLetters
from .gateway import Gateway
from .inbox import Inbox
from .ingest import Ingest
from .link_codes import LinkCodes
from .recorder import Recorder
from .service import Service
from .store.open import open_store
from .store.postgres import MissingDriver
from .store.seam import DatabaseGone, Fenced, Store, WrongSchema
from .store.views import views
from .surfaces import kryten
from .surfaces.http import HttpSurface
from .surfaces.metrics import Metrics
from .surfaces.nats import NatsSurface
from .surfaces.service_metrics import Timings
from .vitals import ServiceState

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
        read = settings.read(config, options.config.parent.absolute(), catalogue.read())
    except ConfigError as error:
        print(f"userstats: {error}", file=sys.stderr)  # noqa: T201  (the log is not configured yet)
        return 2
    configure_log(read.log)
    try:
        with contextlib.suppress(ImportError):
            import uvloop  # noqa: PLC0415  (not on Windows)

            return uvloop.run(run(read))
        return asyncio.run(run(read))
    except Exception as error:
        code, words = _ending(error)
        log.error("%s", words)
        return code


def _ending(error: Exception) -> tuple[int, str]:
    """Exit code and last words."""
    if isinstance(error, ConfigError):
        return 2, str(error)
    if isinstance(error, Fenced):
        return 3, str(error)
    if isinstance(error, (BrokerRefused, ConnectionEnded, WrongSchema, OSError, sqlite3.Error)):
        return 1, str(error)
    return 1, f"userstats cannot go on: {told(error)}"


async def run(read: settings.Settings) -> int:
    """Build, count and answer until told to stop, at whatever point of it; take down."""
    stopping = asyncio.Event()
    for name in ("SIGTERM", "SIGINT"):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stopping.set)
    await _until_one_ends(stopping.wait(), _serve(read), patience=20)
    return 0


async def _serve(read: settings.Settings) -> None:
    """Until cancelled. Raises what made going on impossible."""
    async with AsyncExitStack() as world:
        alias_file = seeding.read(read.folder / read.aliases.file)
        pseudonyms = Pseudonyms(_key(read))
        store = await _database(read)
        world.push_async_callback(store.close)
        service = Service(
            store, catalogue.read(), read.rooms, refused_days=read.database.refused_days,
            anonymous=pseudonyms.anonymous,
        )  # fmt: skip
        shows = read.privacy.shows_all
        await service.start(views(store.dialect, by_default=shows("messages"), presence_by_default=shows("presence")))
        ingest: Ingest | None = None

        def back() -> None:
            if ingest:
                ingest.inbox.reset()

        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def trouble(error: Exception) -> None:
            if isinstance(error, ConnectionEnded) and not lost.done():
                lost.set_exception(error)

        client = await connect(
            read.nats, "userstats", name="userstats", folder=read.folder, within=None, on_back=back, on_error=trouble
        )
        world.push_async_callback(client.close)
        recording = await connect(
            read.nats, "recorder", name="userstats-recorder", folder=read.folder, within=None, on_error=trouble
        )
        world.push_async_callback(recording.close)
        gateway: Gateway | None = None
        if read.http.events_token:
            passing = await connect(
                read.nats, "gateway", name="userstats-gateway", folder=read.folder, within=None, on_error=trouble
            )
            world.push_async_callback(passing.close)
            gateway = Gateway(passing)
        reading = ingest = Ingest(service, Inbox(client))
        recorder = Recorder(recording, pseudonyms, ingest.reached)
        timings = Timings(service.catalogue.questions)
        state = ServiceState(
            package_version(), lambda: bool(client.is_connected), lambda: reading.lag, lambda: reading.state
        )

        def observe(question: str, code: int, seconds: float) -> None:
            timings.observe(question, code, seconds)
            state.observe(question, code, seconds)

        answers = Answers(
            service.catalogue, store, pseudonyms, zone=read.questions.timezone, services=(recorder, LinkCodes(), state),
            deadline=read.questions.deadline_seconds, observe=observe, privacy=read.privacy,
        )  # fmt: skip
        inboxes = read.nats.inbox_prefix.partition("{role}")[0]
        surface = NatsSurface(client, answers, package_version(), embedded=read.nats.embedded, inboxes=inboxes)
        metrics = Metrics(
            service, ingest, package_version(), lambda: bool(client.is_connected), timings,
            waiting=lambda: surface.waiting,
        )  # fmt: skip
        http = HttpSurface(
            answers, metrics, host=read.http.host, port=read.http.port, token=read.http.token,
            events_token=read.http.events_token, gateway=gateway,
        )  # fmt: skip
        await http.start()
        world.push_async_callback(http.stop)
        await surface.start(http.address)
        world.push_async_callback(surface.stop)
        letters = await DeadLetters.from_start(service, client)
        log.info("ready: %d questions, position %d", len(answers.asked), service.position.seq)
        await _until_one_ends(
            ingest.run(),
            ingest.look(),
            letters.run(),
            _seed(ingest, store, recorder, alias_file, read.kudos),
            _raised(lost),
            _speak_kryten(read, answers, http.port),
        )


def _key(read: settings.Settings) -> bytes:
    try:
        return load_key(read.folder / read.pseudonyms.key_file)
    except ValueError as error:
        raise ConfigError("$.pseudonyms", str(error)) from error


async def _speak_kryten(read: settings.Settings, answers: Answers, port: int) -> None:
    """Answer in Kryten's world whenever its broker is there. Nothing where that is switched off, until cancelled."""
    if not read.kryten.answer:
        await asyncio.Event().wait()
    world = kryten.World(
        answers, read.observed, domain=read.kryten.domain, metrics_endpoint=f"http://localhost:{port}/metrics"
    )
    life = kryten.Life(package_version(), port, len(read.observed))
    surface = kryten.KrytenSurface(world, life, heartbeat_seconds=read.kryten.heartbeat_seconds)
    await kryten.linked(surface, kryten_broker(read.kryten, read.nats, read.folder), read.folder)


async def _raised(lost: asyncio.Future[None]) -> None:
    """Until the broker ends a connection for good: then this process must be started again."""
    await lost


async def _database(read: settings.Settings) -> Store:
    """The database. Raises ConfigError, or DatabaseGone that says why, without what a `url` may hold."""
    try:
        return await open_store(read.database, read.folder)
    except ConfigError:
        raise
    except MissingDriver as error:
        raise ConfigError("$.database.url", str(error)) from error
    except Exception as error:
        plain = isinstance(error, (OSError, sqlite3.Error)) or hasattr(error, "sqlstate")
        raise DatabaseGone(f"the database cannot be opened: {error if plain else type(error).__name__}") from error


async def _seed(
    ingest: Ingest, store: Store, recorder: Recorder, file: seeding.AliasFile, kudos: settings.KudosSettings
) -> None:
    """Once what the stream already says is counted, say what is new in aliases.json. Then nothing, until cancelled."""
    await ingest.caught_up()
    await seeding.seed_patiently(store, recorder, file, kudos.default_phrases)
    await asyncio.Event().wait()


async def _until_one_ends(*parts: Coroutine[Any, Any, object], patience: float = 3.0) -> None:
    """Run the parts until one of them ends, then end the others; what it raised is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        left = set(tasks)
        while left:  # once is not enough: `asyncio.wait_for` (3.11) swallows a cancellation that meets its answer
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=patience)
        await asyncio.gather(*tasks, return_exceptions=True)  # nobody is told what they raised on their way out


if __name__ == "__main__":
    sys.exit(main())
