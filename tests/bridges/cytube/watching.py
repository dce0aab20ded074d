"""A bridge watched by a test as the runner would watch it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

from bridges.bridge import Bridge, Ended, Observation
from bridges.cytube import Channel, Cytube, rooms
from tests.bridges.desk import FakeDesk, received
from tests.stand_ins.cytube import StandIn
from userstats.contract.events import Event


def bridge_to(site: StandIn, channel: str = "Lounge", *, password: str = "", **settings: Any) -> Bridge:
    """A bridge to a room of a stand-in; `password` is the room's, `settings` are those of the section `cytube`."""
    quick = {"join_timeout": 3.0, **settings}
    account = quick.pop("account_password", "")
    (bridge,) = rooms(Cytube(password=account, **quick), [Channel(domain=site.url, channel=channel, password=password)])
    return bridge


class Watching:
    """`async with Watching(bridge) as seen:` runs one watch in the background; leaving it stops the watch."""

    def __init__(self, bridge: Bridge, desk: FakeDesk | None = None, watch: str = "w1") -> None:
        self.bridge = bridge
        self.desk = desk or FakeDesk()
        self.watch = watch
        self.observations: list[Observation] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[Ended | None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        assert received(self.events) == self.events

    @property
    def events(self) -> list[Event]:
        """All that was told so far."""
        return [event for observation in self.observations for event in observation.events]

    @property
    def told(self) -> list[dict[str, Any]]:
        """The same, with names."""
        return self.desk.spelled(self.events)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """What was told of these kinds."""
        return [event for event in self.told if event["kind"] in kinds]

    async def until(self, found: Callable[[], object], within: float = 8.0) -> None:
        """Until something is true of what was observed. TimeoutError, or what ended the watch."""
        async with asyncio.timeout(within):
            while not found():
                self._changed.clear()
                await self._changed.wait()
                assert self._task is not None
                assert found() or not self._task.done(), self._task

    async def joined(self) -> None:
        """Until the first observation."""
        await self.until(lambda: self.observations)

    async def ended(self, within: float = 8.0) -> Ended:
        """Why the watch ended."""
        assert self._task is not None
        async with asyncio.timeout(within):
            ended = await asyncio.shield(self._task)
        assert ended is not None
        return ended

    async def _run(self) -> Ended | None:
        try:
            async with aclosing(self.bridge.watch(self.desk, self.watch)) as observations:  # type: ignore[type-var]
                async for observation in observations:
                    self.desk.keep(observation)
                    self.observations.append(observation)
                    self._changed.set()
        except Ended as ended:
            return ended
        finally:
            self._changed.set()
        return None
