"""A real broker and a real userstats that has counted a small evening, and the command line that asks them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from scripts.broker import EmbeddedBroker
from tests.brokers import ANY_PORT, started
from tests.e2e.processes import ROOT, Part, ask, configure
from tests.say import World, afk, joined, media, message, named, place, population, private
from tests.say import started as begun
from userstats import catalogue
from userstats.contract.broker import connect
from userstats.store.sqlite import SQLiteStore

KEY: Final = "the key of the tests, all of them"
ROOM: Final = place("Grindhouse".casefold())
PHRASES: Final = 7
"""Phrases of thanks that userstats says to the stream at its first start."""
EVENING: Final = ("--from", "2025-03-03", "--to", "2025-03-03")
"""The day on which everything happened."""
FORMULA: Final = "=1+1|calc"
BIDI: Final = "eve\u202elacol\u200b"


class Ran(NamedTuple):
    """What became of a command line."""

    code: int
    out: str
    err: str


class Stack(NamedTuple):
    """Where everything runs."""

    folder: Path
    broker: EmbeddedBroker
    userstats: Part
    http: str

    def run(self, *words: str, **environment: str) -> Ran:
        """`python query_cli.py ...` in the installation's folder."""
        return run(self.folder, *words, **environment)


def run(folder: Path, *words: str, stdin: str = "", **environment: str) -> Ran:
    """`python query_cli.py ...` in this folder, its output piped."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in {"NATS_URL", "NATS_CREDS", "NO_COLOR", "FORCE_COLOR"}
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "query_cli.py"), *words], cwd=folder, env={**clean, **environment},
        input=stdin.encode(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def at_terminal(
    folder: Path, *words: str, columns: int = 80, typed: str = "", environment: Mapping[str, str] = MappingProxyType({})
) -> Ran:
    """The same at a terminal with so many columns; what it shows, stderr included, is `out`."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "query_cli.py"), *words], cwd=folder, stdin=its, stdout=its, stderr=its,
        env={**clean, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(its)
    os.write(mine, typed.encode())
    shown = b""
    while chunk := _read(mine):
        shown += chunk
    os.close(mine)
    return Ran(process.wait(60), shown.decode().replace("\r\n", "\n"), "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


async def evening(folder: Path) -> Stack:
    """Everything started, and everything counted."""
    broker = await started(folder)
    world = World(await SQLiteStore.open(folder / "not-used.db"), catalogue.read())
    configure(folder, nats={"port": -1}, http={"port": 0})
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "pseudonym.key").write_text(KEY.encode().hex())
    messages = world.messages(*_story())
    bridge = await connect(ANY_PORT, "bridge_cytube", name="test", folder=folder)
    for one in messages:
        await bridge.request(one.subject, one.data, timeout=5)
    await bridge.close()
    await world.store.close()
    userstats = Part(folder, "userstats")
    await userstats.start()
    client = await connect(ANY_PORT, "client", name="test", folder=folder)
    async with asyncio.timeout(30):
        while (await ask(client, "phrase.list"))["as_of"] < len(messages) + PHRASES:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await client.close()
    http = next(line for line in userstats.log.read_text().splitlines() if "listening on " in line)
    return Stack(folder, broker, userstats, http.rpartition("listening on ")[2].strip())


def _story() -> list[Any]:
    say = ROOM
    return [
        "19:55", begun(say), *(named(name, say) for name in ("Alice", "Bob", FORMULA, BIDI)),
        joined("Alice", say), joined("Bob", say), population(5, 2, 2, say),
        "20:00", media("The Room (2003)", say, seconds=5940, queued_by="Alice"),
        *(message("Alice", say, words=2, emotes=("PogChamp",)) for _ in range(3)),
        message("Alice", say, thanks=("Bob",)), message("Bob", say, thanks=(("Alice", "lol"),)),
        "20:05", afk("Bob", say), population(6, 2, 1, say), *(message("Bob", say) for _ in range(2)),
        *(message(FORMULA, say) for _ in range(2)), message(BIDI, say), private("Alice", say),
        "20:15", media('=HYPERLINK("http://x")', say, seconds=60),
        "20:20", population(7, 2, 1, say), "20:30",
    ]  # fmt: skip
