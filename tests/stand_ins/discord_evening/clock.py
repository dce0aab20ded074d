"""One clock for the stand-in and for processes beside it, set by the test.

A process that is started with `Clock.environment` believes it: Python runs the `sitecustomize.py` of this folder
before anything else, which lets `time.time` read the file. Nothing else about the process is changed, and spans
(`time.monotonic`, the event loop) stay those of real time.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = "TEST_CLOCK_FILE"
_NOW: Final = struct.Struct("=q")


class Clock:
    """Milliseconds since the epoch; moves by `advance` only."""

    def __init__(self, file: Path, now: int) -> None:
        file.write_bytes(_NOW.pack(now))
        self.file = file
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _NOW.size)

    def __call__(self) -> int:
        now: int = _NOW.unpack_from(self._shared)[0]
        return now

    def advance(self, milliseconds: int) -> None:
        """Later, by so much."""
        _NOW.pack_into(self._shared, 0, self() + milliseconds)

    @property
    def environment(self) -> Mapping[str, str]:
        """For processes that are to have this clock; `PYTHONPATH` is to go before their own."""
        return {FILE: str(self.file), "PYTHONPATH": str(Path(__file__).parent / "site_packages")}
