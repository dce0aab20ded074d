"""Composition root: `python -m bridges <name>`. One process for each bridge; which there are, the folders say."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import os
import pkgutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, get_args

import msgspec
import nats.errors

from userstats.contract.broker import connect
from userstats.contract.broker_settings import NatsSettings, Role, chosen
from userstats.contract.config import Config, ConfigError, from_document, load
from userstats.contract.privacy import PrivacySettings
from userstats.contract.process import LogSettings, PseudonymSettings, configure_log
from userstats.contract.pseudonym import load_key

from . import over_http
from .bridge import Bridge
from .outbox import Outbox
from .outbox_file import OutboxTaken, OutboxUnreadable
from .over_nats import OverNats
from .runner import Runner
from .settings import BridgeSettings
from .way import Way

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
    privacy: PrivacySettings
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
    except ConfigError as error:  # what only the platform could tell, such as a wrong token
        log.error("%s", error)
        return WRONG_CONFIGURATION
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
    module = importlib.import_module(f"bridges.{name}")
    bridges: list[Bridge] = module.bridges(config)
    if not bridges:
        needed = f"; it needs {module.NEEDED}" if hasattr(module, "NEEDED") else ""
        raise ConfigError("$", f"nothing is configured that the bridge {name} could observe{needed}")
    pseudonyms = config.section("pseudonyms", PseudonymSettings)
    kudos = config.document.get("kudos", {})
    return World(
        name=name,
        role=role,
        bridges=bridges,
        nats=chosen(config.section("nats", NatsSettings), folder),
        settings=_settings(config),
        key=load_key(folder / pseudonyms.key_file),
        phrases=tuple(map(str, kudos.get("default_phrases", ()))) if isinstance(kudos, dict) else (),
        privacy=config.section("privacy", PrivacySettings),
        folder=folder,
    )


def _settings(config: Config, environment: Mapping[str, str] = os.environ) -> BridgeSettings:
    """The section `bridge`, with what the environment says of the service. Raises ConfigError."""
    settings = config.section("bridge", BridgeSettings)
    url = environment.get("SQLITE_SERVICE_URL") or settings.service_url
    token = environment.get("USERSTATS_SERVICE_TOKEN") or settings.service_token
    if url and (wrong := over_http.check(url, token)):
        raise ConfigError("$.bridge.service_url", f"{wrong} (SQLITE_SERVICE_URL and USERSTATS_SERVICE_TOKEN go first)")
    return msgspec.structs.replace(settings, service_url=url, service_token=token)


async def run(world: World) -> int:
    """Build, observe and publish until told to stop, take down in reverse."""
    stopping = asyncio.Event()
    _on_signals(stopping.set)
    async with AsyncExitStack() as stack:
        file = world.folder / world.settings.outbox_folder / f"{world.name}.db"
        outbox = await Outbox.open(file, world.settings)
        stack.push_async_callback(outbox.close)
        way = await _way(world, stopping, stack)
        if way is None:
            return STOPPED
        runner = Runner(
            world.bridges, way, outbox, world.settings, key=world.key, phrases=world.phrases, privacy=world.privacy
        )
        log.info("observing %s", ", ".join(runner.health.rooms))
        watching = asyncio.create_task(_stop(stopping, runner))
        await runner.run()
        watching.cancel()
        log.info("stopped; %d events wait for the next start", outbox.waiting)
    return STOPPED


async def _way(world: World, stopping: asyncio.Event, stack: AsyncExitStack) -> Way | None:
    """How userstats is reached, taken down with the stack; None if we are told to stop before a broker is there."""
    settings = world.settings
    if settings.service_url:
        return await stack.enter_async_context(over_http.opened(settings.service_url, settings.service_token))
    connecting = connect(world.nats, world.role, name=f"bridge-{world.name}", folder=world.folder, within=None)
    connection = await _unless(stopping, connecting)
    if connection is None:
        return None
    stack.push_async_callback(connection.close)
    return OverNats(connection)


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
