"""Makes the streams be what they are declared to be, on the embedded broker or an external one.

Usage: python -m scripts.provision [--config FILE]      (waits for the broker, makes or mends, ends)
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from nats.aio.client import Client

from userstats.contract.broker import BrokerRefused, NatsSettings, chosen, connect
from userstats.contract.config import ConfigError, load
from userstats.contract.process import LogSettings, configure_log
from userstats.contract.stream import (
    NO_SUCH_STREAM,
    Declared,
    Drift,
    StreamError,
    StreamSettings,
    ask,
    declared,
    drift,
)

log = logging.getLogger("provision")


class CannotMend(Exception):
    """A stream differs from its declaration in a way that NATS does not change in place."""

    def __init__(self, drifts: tuple[Drift, ...], why: str) -> None:
        lines = "; ".join(map(str, drifts))
        super().__init__(f"{lines}: {why}")
        self.drifts = drifts


async def provision(client: Client, settings: StreamSettings, *, embedded: bool) -> tuple[Drift, ...]:
    """Create what is missing, mend what differs; returns what was mended (nothing: all was as declared).

    Raises CannotMend naming each field, declared and found; StreamError where JetStream refuses.
    """
    mended: list[Drift] = []
    for wanted in declared(settings, embedded=embedded):
        mended += await _one(client, wanted)
    return tuple(mended)


async def _one(client: Client, wanted: Declared) -> tuple[Drift, ...]:
    name = wanted["name"]
    try:
        live = (await ask(client, f"STREAM.INFO.{name}"))["config"]
    except StreamError as error:
        if error.code != NO_SUCH_STREAM:
            raise
        live = (await ask(client, f"STREAM.CREATE.{name}", wanted))["config"]
        log.info("stream %s created", name)
        return _insist(drift(wanted, live), ())
    differences = drift(wanted, live)
    if not differences:
        return ()
    for difference in differences:
        log.warning("%s", difference)
    metadata = live.get("metadata", {}) | wanted.get("metadata", {})
    try:
        answer = await ask(client, f"STREAM.UPDATE.{name}", live | wanted | {"metadata": metadata})
    except StreamError as error:
        raise CannotMend(differences, error.description) from error
    log.info("stream %s mended", name)
    return _insist(drift(wanted, answer["config"]), differences)


def _insist(left: tuple[Drift, ...], mended: tuple[Drift, ...]) -> tuple[Drift, ...]:
    """What was mended, or CannotMend if something is still not as declared: the server knows no such setting."""
    if left:
        raise CannotMend(left, "the broker does not take this setting; nats-server 2.12 or later is needed")
    return mended


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 all is as declared, 1 failed, 2 configuration."""
    parser = argparse.ArgumentParser(prog="provision", description="Make the streams, or mend what differs.")
    parser.add_argument("--config", type=Path, default=Path("config.json"))
    path: Path = parser.parse_args(arguments).config
    try:
        config = load(path)
        configure_log(config.section("log", LogSettings))
        nats = chosen(config.section("nats", NatsSettings), path.parent.absolute())
        mended = asyncio.run(_provisioned(nats, config.section("stream", StreamSettings), path.parent.absolute()))
    except ConfigError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 2
    except (BrokerRefused, CannotMend, StreamError) as error:
        log.error("%s", error)
        return 1
    log.info("the streams are as declared%s", f"; {len(mended)} settings were mended" if mended else "")
    return 0


async def _provisioned(nats: NatsSettings, stream: StreamSettings, folder: Path) -> tuple[Drift, ...]:
    client = await connect(nats, "provision", name="provision", folder=folder, within=None)
    try:
        return await provision(client, stream, embedded=nats.embedded)
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main())
