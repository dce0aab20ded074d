"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_SECONDS = 0.5


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel these and return when all are through; whoever wants their errors asks them.

    Cancelling once is not enough: `asyncio.wait_for` (Python 3.11), which nats-py awaits its answers with, swallows a
    cancellation that comes at the same moment as the answer, and the task would live on.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
