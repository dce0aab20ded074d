"""Runs all parts together: broker, userstats, bridges. `start.sh` and `start.ps1` prepare the ground and call this."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bridges import __main__ as bridges
from scripts.broker import BrokerFailed, EmbeddedBroker
from scripts.broker_store import StoreHeld
from scripts.plan import Plan, plan
from scripts.provision import CannotMend, provision
from scripts.running import Instance
from scripts.together import Together
from userstats.contract.broker import BrokerRefused, BrokerUnreachable, connect
from userstats.contract.config import ConfigError, load

ROOT: Final = Path(__file__).resolve().parents[1]
log = logging.getLogger("up")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, the same on every platform."""
    parser = argparse.ArgumentParser(
        prog="start", description="Start everything: broker, userstats and the bridges of the configuration."
    )
    parser.add_argument("config", nargs="?", type=Path, default=Path("config.json"), help="default: config.json")
    parser.add_argument("--demo", action="store_true", help="an invented lively room, without any account")
    parser.add_argument("--channel", action="append", default=[], metavar="cytu.be/NAME",
                        help="join this CyTube room as a guest; may be given several times")  # fmt: skip
    parser.add_argument("--only", choices=("userstats", "bridge"), help="only this part (and a broker for userstats)")
    parser.add_argument("--bridge", metavar="NAME", choices=bridges.names(),
                        help=f"with --only bridge: {', '.join(bridges.names())}")  # fmt: skip
    parser.add_argument("--background", action="store_true", help="run on; log to userstats.log, pid in userstats.pid")
    parser.add_argument("--stop", action="store_true", help="stop what runs in the background")
    parser.add_argument("--status", action="store_true", help="say what runs")
    options = parser.parse_args(given)
    if (options.only == "bridge") != bool(options.bridge):
        parser.error("--only bridge and --bridge NAME belong together")
    return options


def main(given: Sequence[str] | None = None) -> int:
    """Exit codes: 0 fine, 1 failed, 2 configuration."""
    options = arguments(given)
    try:
        return _do(options, given)
    except ConfigError as error:
        say(str(error) if error.path.startswith("--") else f"{options.config}: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except (BrokerFailed, StoreHeld, BrokerRefused, BrokerUnreachable, CannotMend, OSError) as error:
        say(f"Failed: {error}")
        return 1


def _do(options: argparse.Namespace, given: Sequence[str] | None) -> int:
    folder = options.config.absolute().parent
    instance = Instance(folder, f"bridge-{options.bridge}" if options.only == "bridge" else "userstats")
    if options.stop:
        return _stop(instance)
    if options.status:
        return _status(instance)
    if (pid := instance.pid()) is not None:
        say(f"It runs already (process {pid}); stop it first with --stop.")
        return 1
    if options.background:
        return _in_background(instance, sys.argv[1:] if given is None else given)
    return _run(options, folder, instance)


def say(text: str) -> None:
    """A line for the person who started us."""
    print(text, flush=True)


def _run(options: argparse.Namespace, folder: Path, instance: Instance) -> int:
    _prepare_config(options.config)
    logging.basicConfig(
        level="INFO", format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr, force=True
    )
    logging.getLogger("userstats.contract.broker").setLevel("WARNING")
    config = load(options.config)
    planned = plan(config, options)
    try:
        return asyncio.run(_together(planned, options.config.absolute(), folder, instance))
    except KeyboardInterrupt:  # Windows: there is no signal handler in the loop
        return 0
    finally:
        instance.clear()


async def _together(planned: Plan, config: Path, folder: Path, instance: Instance) -> int:
    stopping = asyncio.Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stopping.set)
    if os.name == "nt":
        signal.signal(signal.SIGBREAK, lambda *_: stopping.set())  # type: ignore[attr-defined]
    together = Together(planned, config, folder, say)
    try:
        broker = await _broker(planned, folder)
        async with contextlib.AsyncExitStack() as world:
            if broker:
                world.push_async_callback(broker.stop)
            instance.write({"broker": planned.broker, "bridges": list(planned.bridges), "started": int(time.time())})
            return await together.run(broker, stopping)
    finally:
        say("Stopped.")


async def _broker(planned: Plan, folder: Path) -> EmbeddedBroker | None:
    """The broker that everything goes through: ours, or the one the configuration names."""
    settings = planned.nats
    if planned.broker == "none":
        return None
    broker: EmbeddedBroker | None = None
    if planned.broker == "embedded":
        if planned.unanswered:
            say(f"  broker      nobody answers at {', '.join(planned.unanswered)}; starting an embedded one")
        broker = EmbeddedBroker(settings, folder)
        running = await broker.start()
        say(f"  broker      listening on {running.url}")
    else:
        say("  broker      using the configured servers")
    try:
        client = await connect(settings, "provision", name="userstats-provision", folder=folder)
        for mended in await provision(client, planned.stream, embedded=settings.embedded):
            say(f"  broker      mended {mended}")
        await client.close()
    except BaseException:
        if broker:
            await broker.stop()
        raise
    return broker


def _prepare_config(config: Path) -> None:
    if config.exists():
        return
    example = ROOT / "config.example.json"
    shutil.copy(example, config)
    if not (config.parent / "aliases.json").exists():
        shutil.copy(ROOT / "aliases.json", config.parent / "aliases.json")
    say(f"  config      made {config} from config.example.json")


def _in_background(instance: Instance, given: Sequence[str]) -> int:
    words = [word for word in given if word != "--background"]
    detached: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}  # type: ignore[attr-defined]
    with instance.log_file.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), *words],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, "PYTHONUTF8": "1"}, **detached,
        )  # fmt: skip
    for _ in range(600):
        if process.poll() is not None:
            say(f"It did not start; {instance.log_file.name} says why.")
            return 1
        if instance.pid() is not None:
            say(f"Running in the background (process {process.pid}); log: {instance.log_file}")
            return 0
        time.sleep(0.1)
    say(f"Still starting; see {instance.log_file}")
    return 0


def _stop(instance: Instance) -> int:
    say("Stopped." if instance.stop() else "Nothing runs here.")
    return 0


def _status(instance: Instance) -> int:
    pid = instance.pid()
    if pid is None:
        say("Nothing runs here.")
        return 1
    status = instance.status()
    through = ", ".join(status["bridges"]) or "none"
    say(f"Running (process {pid}), broker: {status['broker']}, bridges: {through}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
