"""The stand-in CyTube site as a process of its own: started, told what to do, and asked what really happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.e2e.processes import ROOT

ROOM = "grindhouse"


class Site:
    """`async with Site(folder, "--script", "evening", ...) as site:`; the words are those of its command line."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._words = words
        self._log = folder / "site.log"
        self._process: subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None
        self._control = ""
        self.url = ""
        self.done = asyncio.Event()
        """Set when the script is over."""

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = await subprocess.create_subprocess_exec(
                sys.executable, "-m", "tests.stand_ins.cytube", *self._words,
                cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        listening = json.loads(await self._process.stdout.readline())
        self.url, self._control = listening["url"], listening["control"]
        self._reading = asyncio.create_task(self._read(self._process.stdout))
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process and self._reading and self._http  # noqa: PT018
        await self._http.close()
        self._process.send_signal(signal.SIGTERM)
        await self._process.wait()
        await self._reading

    @property
    def domain(self) -> str:
        """How places call the site."""
        return self.url.removeprefix("http://")

    @property
    def address(self) -> str:
        """The room as people write it on a command line."""
        return f"{self.url}/{ROOM}"

    async def do(self, verb: str, **body: Any) -> Any:
        """`enter`, `say`, `pm`, ...: see `tests/stand_ins/cytube/control.py`."""
        assert self._http is not None
        async with self._http.post(f"{self._control}/control/{verb}", json=body) as response:
            answer = await response.json()
        assert answer["ok"], answer
        return answer["result"]

    async def oracle(self) -> Mapping[str, Any]:
        """What really happened in the room so far."""
        assert self._http is not None
        async with self._http.get(f"{self._control}/oracle") as response:
            report: Mapping[str, Any] = (await response.json())["rooms"][ROOM]
        return report

    async def inside(self) -> list[dict[str, Any]]:
        """Who is in the room, our own connection included."""
        assert self._http is not None
        async with self._http.get(f"{self._control}/state") as response:
            members: list[dict[str, Any]] = (await response.json())["rooms"][ROOM]
        return members

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            if json.loads(line)["event"] == "done":
                self.done.set()
