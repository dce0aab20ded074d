"""Composition root: `python -m bridges <name>`. One process for each bridge; which there are, the folders say."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import pkgutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, get_args

import nats.errors

from userstats.contract.broker import connect
from userstats.contract.broker_settings import NatsSettings, Role, chosen
from userstats.contract.config import Config, ConfigError, from_document, load
from userstats.contract.process import LogSettings, PseudonymSettings, configure_log
from userstats.contract.pseudonym import load_key

from .bridge import Bridge
from .outbox import Outbox
from .outbox_file import OutboxTaken, OutboxUnreadable
from .runner import Runner
from .settings import BridgeSettings

log = logging.getLogger("bridges")

T = TypeVar("T")

STOPPED: Final = 0
FAILED: Final = 1
WRONG_CONFIGURATION: Final = 2
TAKEN: Final = 3


class World(NamedTuple):
    """Everything a bridge process needs to know before it starts."""

    name: str
    role: Role
    bridges: Sequence[Bridge]
    nats: NatsSettings
    settings: BridgeSettings
    key: bytes
    phrases: Sequence[str]
    folder: Path


def names() -> list[str]:
    """The bridges there are: each folder beside this file that offers `bridges`."""
    folder = Path(__file__).parent
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(folder)])
        if module.ispkg and "def bridges(" in (folder / module.name / "__init__.py").read_text(encoding="utf-8")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one bridge until SIGTERM or Ctrl-C.

    Exit codes: 0 stopped, 1 failed (starting again may help), 2 configuration, 3 another process has this outbox.
    """
    parser = argparse.ArgumentParser(prog="bridges", description="Tells userstats what happens on one chat platform.")
    parser.add_argument("name", choices=names())
    parser.add_argument("--config", type=Path, help="default: config.json, if there is one")
    options = parser.parse_args(arguments)
    try:
        config = _config(options.config)
        configure_log(config.section("log", LogSettings))
        world = _world(options.name, config, (options.config or Path("config.json")).parent.absolute())
    except (ConfigError, ValueError) as error:
        print(f"bridge {options.name}: {error}", file=sys.stderr)  # noqa: T201  (the log is not configured yet)
        return WRONG_CONFIGURATION
    try:
        return _loop(run(world))
    except OutboxTaken as error:
        log.error("%s", error)
        return TAKEN
    except (OutboxUnreadable, sqlite3.Error, nats.errors.Error, OSError) as error:
        log.error("%s: %s", type(error).__name__, error)
        return FAILED


def _loop(work: Coroutine[Any, Any, int]) -> int:
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415  (not on Windows)

        return uvloop.run(work)
    return asyncio.run(work)


def _config(path: Path | None) -> Config:
    default = Path("config.json")
    if path is None and not default.exists():
        return from_document({})
    return load(path or default)


def _world(name: str, config: Config, folder: Path) -> World:
    """Read every section before anything is started. Raises ConfigError, or ValueError if the key is none."""
    role: Role | None = next((role for role in get_args(Role) if role == f"bridge_{name}"), None)
    if role is None:
        raise ConfigError("$", f"the broker knows no role for the bridge {name}")
    bridges: list[Bridge] = importlib.import_module(f"bridges.{name}").bridges(config)
    if not bridges:
        raise ConfigError("$", f"nothing is configured that the bridge {name} could observe")
    pseudonyms = config.section("pseudonyms", PseudonymSettings)
    kudos = config.document.get("kudos", {})
    return World(
        name=name,
        role=role,
        bridges=bridges,
        nats=chosen(config.section("nats", NatsSettings), folder),
        settings=config.section("bridge", BridgeSettings),
        key=load_key(folder / pseudonyms.key_file),
        phrases=tuple(map(str, kudos.get("default_phrases", ()))) if isinstance(kudos, dict) else (),
        folder=folder,
    )


async def run(world: World) -> int:
    """Build, observe and publish until told to stop, take down in reverse."""
    stopping = asyncio.Event()
    _on_signals(stopping.set)
    async with AsyncExitStack() as stack:
        file = world.folder / world.settings.outbox_folder / f"{world.name}.db"
        outbox = await Outbox.open(file, world.settings)
        stack.push_async_callback(outbox.close)
        title = f"bridge-{world.name}"
        connecting = connect(world.nats, world.role, name=title, folder=world.folder, within=None)
        connection = await _unless(stopping, connecting)
        if connection is None:
            return STOPPED
        stack.push_async_callback(connection.close)
        runner = Runner(world.bridges, connection, outbox, world.settings, key=world.key, phrases=world.phrases)
        log.info("observing %s", ", ".join(runner.health.rooms))
        watching = asyncio.create_task(_stop(stopping, runner))
        await runner.run()
        watching.cancel()
        log.info("stopped; %d events wait for the next start", outbox.waiting)
    return STOPPED


async def _stop(stopping: asyncio.Event, runner: Runner) -> None:
    await stopping.wait()
    log.info("stopping")
    runner.stop()


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What this work results in, or None if we are told to stop first."""
    doing = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({doing, stop}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        doing.cancel()
        stop.cancel()


def _on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM, Ctrl-C and, on Windows, Ctrl-Break."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


if __name__ == "__main__":
    sys.exit(main())
