"""What the embedded broker keeps on disk besides its streams: a lock, keys, and files nobody else may read."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import nkeys

from .running import alive


class StoreHeld(Exception):
    """Another broker has this store; two on one store would destroy it, and nats-server itself does not look.

    `pid` started it: 0 if unknown.
    """

    def __init__(self, store: Path, pid: int = 0, since: str = "") -> None:
        who = f"a broker started by process {pid} on {since} has it" if pid else "another broker has it"
        super().__init__(f"{store} is in use: {who}")
        self.pid = pid

    @property
    def dying(self) -> bool:
        """Whether the process that started it is gone, so that its server should be gone in a moment."""
        return self.pid > 0 and not alive(self.pid)


class StoreLock:
    """A lock on a folder that the kernel gives free when the last process that holds it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    @property
    def inherited(self) -> tuple[int, ...]:
        """For the server process: while it lives the lock is held, even if its parent was killed."""
        return () if self._file is None or sys.platform == "win32" else (self._file,)

    def take(self) -> None:
        """Take the lock, if it is not ours already; StoreHeld says who has it."""
        if self._file is not None:
            return
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except OSError as error:
            holder = os.read(file, 1000)
            os.close(file)
            raise _held_by(self.path.parent, holder) from error
        os.ftruncate(file, 0)
        os.write(file, json.dumps({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}).encode())
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _held_by(store: Path, holder: bytes) -> StoreHeld:
    try:
        who = json.loads(holder)
        return StoreHeld(store, int(who["pid"]), str(who["since"]))
    except (ValueError, KeyError, TypeError):
        return StoreHeld(store)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        # far behind the text, which stays readable for who asks
        os.lseek(file, 1 << 20, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def private_folder(path: Path) -> None:
    """Make this folder one that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Put the content there, whole or not at all, readable by its owner only."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    half.replace(path)


def public_keys(folder: Path, roles: Iterable[str]) -> dict[str, str]:
    """The public key of each role; a role that has no seed file yet gets one."""
    private_folder(folder)
    return {role: _public_key(folder / f"{role}.nk") for role in roles}


def _public_key(path: Path) -> str:
    if not path.exists():
        write_private(path, nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER))
    pair = nkeys.from_seed(bytearray(path.read_bytes().strip()))
    public: str = pair.public_key.decode()
    pair.wipe()
    return public
