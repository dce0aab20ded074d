"""The parts that run together: child processes that are restarted when they die and die when we do."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 15.0
SLOWEST_RESTART: Final = 30.0
_FIRST_RESTART: Final = 0.5
_STEADY_SECONDS: Final = 60.0
FINAL: Final[Mapping[int, str]] = {2: "its configuration is wrong", 3: "another one has taken over"}
"""Exit codes after which starting again would not help."""


class Part:
    """One child process, by name; `run` keeps it running until cancelled."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        output: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`environment` is added to ours."""
        self.name = name
        self._command = list(command)
        self._environment = dict(environment or {})
        self._folder = folder
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        self.failed = ""
        """Why it is not started again."""

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process."""
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **self._environment},
            start_new_session=True,  # a Ctrl-C is ours alone: we stop the parts, in order
            preexec_fn=dies_with_parent() if sys.platform == "linux" else None,  # noqa: PLW1509 - it takes no lock
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    async def run(self) -> None:
        """Start it again whenever it dies, later and later; until cancelled, or until that would not help."""
        delay = _FIRST_RESTART
        while True:
            began = time.monotonic()
            self.start()
            code = await self._ended()
            if code in FINAL:
                self.failed = FINAL[code]
                log.error("%s ended: %s", self.name, self.failed)
                return
            if time.monotonic() - began > _STEADY_SECONDS:
                delay = _FIRST_RESTART
            self.restarts += 1
            log.warning("%s died (exit code %d); starting it again in %g s", self.name, code, delay)
            await asyncio.sleep(delay)
            delay = min(SLOWEST_RESTART, delay * 2)

    async def stop(self) -> None:
        """Ask it to stop, and kill it when it does not."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        deadline = time.monotonic() + STOP_SECONDS
        while process.poll() is None:
            if time.monotonic() > deadline:
                log.warning("%s does not stop; killing it", self.name)
                process.kill()
            await asyncio.sleep(0.05)

    async def _ended(self) -> int:
        process = self._process
        if process is None:
            return 0
        while process.poll() is None:  # noqa: ASYNC110 - a child has no event to wait for on every platform
            await asyncio.sleep(0.1)
        return int(process.returncode)


def dies_with_parent(sign: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """What a child does first so that the kernel sends it this signal when we are gone, however we went (Linux)."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl
    end = int(sign)

    def in_child() -> None:
        prctl(1, end)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return in_child
