"""`scripts/up.py` as a user starts it, and what it leaves running."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.processes import ROOT, configure

UP = str(ROOT / "scripts" / "up.py")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def settings(folder: Path, **sections: Any) -> str:
    """A config.json with ports of its own; the address of HTTP."""
    port = free_port()
    bridge = {"beat_seconds": 0.5, "settings_seconds": 0.5, **sections.pop("bridge", {})}
    configure(folder, **{"nats": {"port": -1}, "http": {"port": port}, "bridge": bridge, **sections})
    return f"http://127.0.0.1:{port}"


class Up:
    """`async with Up(folder, "--demo") as up:`; what still runs at the end is killed."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self._words = words
        self._process: subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.lines: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await subprocess.create_subprocess_exec(
            sys.executable, UP, *self._words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._reading = asyncio.create_task(self._read(self._process.stdout))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in running_in(self.folder):
            os.kill(pid, signal.SIGKILL)
        assert self._reading is not None
        await self._reading

    async def until(self, text: str, times: int = 1, within: float = 60) -> str:
        """Until so many lines with this text were printed; the last of them."""
        async with asyncio.timeout(within):
            while True:
                found = [line for line in self.lines if text in line]
                if len(found) >= times:
                    return found[times - 1]
                assert self._process and self._reading and not self._reading.done(), "".join(self.lines)  # noqa: PT018
                await asyncio.sleep(0.05)

    async def interrupted(self) -> int:
        """The exit code after a Ctrl-C at the terminal, which every process of the foreground group gets."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)
        return await self.ended()

    async def killed(self) -> None:
        """SIGKILL for the starter alone."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def ended(self) -> int:
        """The exit code."""
        assert self._process is not None
        async with asyncio.timeout(40):
            return await self._process.wait()

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            self.lines.append(line.decode())


async def once(folder: Path, *words: str) -> tuple[int, str]:
    """Run `scripts/up.py` to its end: exit code, and what it printed."""
    process = await subprocess.create_subprocess_exec(
        sys.executable, UP, *words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def running_in(folder: Path, part: str = "") -> list[int]:
    """Processes whose working directory is in this folder, with this word in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = (process / "cwd").readlink()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended, or is another user's
            continue
        if where.is_relative_to(folder) and f"{part} " in command:
            found.append(int(process.name))
    return found
