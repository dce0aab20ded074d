"""The parts of the system as processes of their own, as users run them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nats.aio.client import Client

from scripts.parts import dies_with_parent
from userstats.contract import subjects

ROOT = Path(__file__).parents[2]


class Part:
    """One process; its log goes to a file that a failing test shows. `async with` starts it and leaves none behind."""

    def __init__(self, folder: Path, *command: str, environment: Mapping[str, str] = {}) -> None:
        """`environment` is added to ours; its PYTHONPATH goes before the project's."""
        self.command = command
        self.environment = environment
        self.folder = folder
        self.log = folder / f"{'-'.join(word for word in command[:2] if not word.startswith('-'))}.log"
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        path = [word for word in (self.environment.get("PYTHONPATH"), str(ROOT)) if word]
        environment = {**os.environ, **self.environment, "PYTHONPATH": os.pathsep.join(path)}
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.command, cwd=self.folder, env=environment, stdout=log, stderr=log,
                preexec_fn=dies_with_parent(),
            )  # fmt: skip

    async def kill(self) -> None:
        """SIGKILL, as an out-of-memory killer would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, sign: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(sign)
        async with asyncio.timeout(20):
            return await self.process.wait()


def configure(folder: Path, **sections: Any) -> Path:
    """A config.json in this folder."""
    path = folder / "config.json"
    path.write_text(json.dumps(sections))
    return path


async def ask(client: Client, question: str, /, **request: Any) -> dict[str, Any]:
    """The reply to a question, waiting until userstats is there."""
    async with asyncio.timeout(30):
        while True:
            try:
                reply = await client.request(subjects.question(question), json.dumps(request).encode(), timeout=5)
            except Exception:
                await asyncio.sleep(0.1)
                continue
            body: dict[str, Any] = json.loads(reply.data)
            return body


async def until(client: Client, question: str, expected: Any, /, within: float = 30, **request: Any) -> Any:
    """Ask until the data is as expected; returns the last data, for the test to compare."""
    data = None
    for _ in range(int(within * 10)):
        data = (await ask(client, question, **request)).get("data")
        if data == expected:
            return data
        await asyncio.sleep(0.1)
    return data
