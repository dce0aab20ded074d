"""Python runs this first in processes that have this folder in their PYTHONPATH: the clock of a test is theirs."""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

_NOW = struct.Struct("=q")


def _use(file: str) -> None:
    with Path(file).open("rb") as opened:
        shared = mmap.mmap(opened.fileno(), _NOW.size, access=mmap.ACCESS_READ)

    def nanoseconds() -> int:
        now: int = _NOW.unpack_from(shared)[0]
        return now * 1_000_000

    def seconds() -> float:
        return (nanoseconds() + 250_000) / 1_000_000_000  # no float may be a little less than its millisecond

    time.time, time.time_ns = seconds, nanoseconds


if _file := os.environ.get("TEST_CLOCK_FILE"):
    _use(_file)
