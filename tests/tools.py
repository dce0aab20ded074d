"""Programs of this project as a user runs them from a folder of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import NamedTuple

from tests.e2e.processes import ROOT


class Ran(NamedTuple):
    """What became of a program."""

    code: int | None
    out: str
    err: str


async def run(folder: Path, program: str, *words: str, typed: str = "", **environment: str) -> Ran:
    """`python <project>/<program> ...` in this folder, with what is typed on its standard input."""
    clean = {name: value for name, value in os.environ.items() if name not in {"NATS_URL", "NATS_CREDS"}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / program), *words, cwd=folder, env={**clean, **environment},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate(typed.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return Ran(process.returncode, out.decode(), err.decode())
