"""A task that is to end does end."""

from __future__ import annotations

import asyncio

from bridges.tasks import end


async def test_a_task_that_swallows_its_first_cancellation_ends_all_the_same() -> None:
    survived = 0

    async def stubborn() -> None:
        nonlocal survived
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            survived += 1
        await asyncio.sleep(60)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end([task])

    assert (survived, task.cancelled()) == (1, True)


async def test_nothing_is_ended_at_once() -> None:
    await end([])
