"""The running userstats as tools of this folder ask it: the same way there as query_cli.py, and its exit codes."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from userstats.surfaces.cli.ask import Line, line
from userstats.surfaces.cli.exits import Trouble, refused
from userstats.surfaces.cli.options import Options
from userstats.surfaces.cli.way import find

HOME: Final = Path(__file__).resolve().parents[1]
CODES: Final = (
    "exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found, 4 service unreachable, 5 no answer in time, 6 refused"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let the parser know where the service may be."""
    group = parser.add_argument_group("where userstats is")
    group.add_argument("--config", type=Path, metavar="FILE", help="config.json (default: here, or the project's)")
    group.add_argument("--server", metavar="URL", help="the NATS server, without a password (default: config.json)")
    group.add_argument("--creds", type=Path, metavar="FILE", help="a NATS credentials file")
    group.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="to wait for an answer (30)")


class Service:
    """The running userstats."""

    def __init__(self, connected: Line, timeout: float) -> None:
        self._line = connected
        self._timeout = timeout

    async def ask(self, question: str, **values: Any) -> Any:
        """The data of an answer. Raises Trouble for every other outcome."""
        reply = await self._line.ask(question, values, self._timeout)
        if not reply["success"]:
            raise refused(reply["error"])
        return reply["data"]


@asynccontextmanager
async def running(options: argparse.Namespace) -> AsyncIterator[Service]:
    """The service that these options lead to. Raises Trouble when there is none."""
    way = find(Options(config=options.config, server=options.server, creds=options.creds), os.environ, Path.cwd(), HOME)
    async with line(way, options.timeout) as connected:
        yield Service(connected, options.timeout)


__all__ = ["CODES", "HOME", "Service", "Trouble", "add_options", "running"]
