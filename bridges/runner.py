"""Runs the rooms of one bridge over one outbox and one way to userstats: all that is not *connect and translate*."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from userstats.contract.privacy import PrivacySettings

from .bridge import Bridge
from .knowledge import Knowledge
from .lease import Lease
from .observer import Observer, RoomHealth
from .outbox import Outbox
from .publisher import Publisher
from .settings import BridgeSettings
from .tasks import end
from .way import Way

log = logging.getLogger(__name__)


class Health(NamedTuple):
    """How a bridge process is doing."""

    connected: bool
    """Whether the broker, or userstats over HTTP, can be reached."""
    settings_known: bool
    """Whether it is known who chose what may be counted of them; before that nothing is published."""
    waiting: int
    """Events on disk that the broker has not acknowledged."""
    published: int
    lost: int
    """Beats and population counts dropped for lack of room."""
    rooms: Mapping[str, RoomHealth]
    """By `platform/space/channel`."""


class Runner:
    """Observes and publishes from `run` until `stop`. `phrases` of thanks stand in until userstats has answered."""

    def __init__(
        self,
        bridges: Sequence[Bridge],
        way: Way,
        outbox: Outbox,
        settings: BridgeSettings,
        *,
        key: bytes,
        phrases: Sequence[str] = (),
        privacy: PrivacySettings = PrivacySettings(),  # noqa: B008  (frozen)
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._way = way
        self._outbox = outbox
        self._settings = settings
        self._stopping = asyncio.Event()
        self._knowledge = Knowledge(way, outbox, [bridge.place for bridge in bridges], key, phrases, privacy)
        self._publisher = Publisher(way, outbox, self._held)
        self._observers = [
            Observer(bridge, self._lease(bridge), outbox, self._knowledge, settings, clock) for bridge in bridges
        ]

    @property
    def health(self) -> Health:
        """The state of everything, now."""
        return Health(
            connected=self._way.is_connected,
            settings_known=self._knowledge.known,
            waiting=self._outbox.waiting,
            published=self._publisher.published,
            lost=self._outbox.lost,
            rooms={observer.name: observer.health for observer in self._observers},
        )

    def stop(self) -> None:
        """Ask `run` to end: say goodbye for every room, publish what still can be, give up the leases."""
        self._stopping.set()

    async def run(self) -> None:
        """Observe until `stop`. Raises what made going on impossible: the connection closed for good, a broken file."""
        self._knowledge.recall()
        services = [
            self._start(self._outbox.closed()),
            self._start(self._knowledge.run(self._settings.settings_seconds)),
            self._start(self._publisher.run()),
        ]
        rooms = [self._start(observer.run()) for observer in self._observers]
        stopping = self._start(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({stopping, *services, *rooms}, return_when=asyncio.FIRST_COMPLETED)
            await end(rooms)
            if stopping in done:
                await self._drain()
        finally:
            await end([stopping, *rooms, *services])
        for task in done:
            task.result()

    async def _drain(self) -> None:
        """Publish what still waits, for a bounded time, then let others have the rooms."""
        try:
            async with asyncio.timeout(self._settings.stop_seconds):
                await self._outbox.published()
        except TimeoutError:
            log.info("%d events stay in the outbox until the next start", self._outbox.waiting)
        if self._way.is_connected:
            await asyncio.gather(*(observer.lease.release() for observer in self._observers))

    def _held(self) -> str:
        """Why nothing may be published now; empty: it may."""
        if not self._knowledge.known:
            return "it is not known who opted out"
        unsure = [observer.name for observer in self._observers if observer.unsure]
        return f"the lease of {unsure[0]} is not sure" if unsure else ""

    def _lease(self, bridge: Bridge) -> Lease:
        settings = self._settings
        return self._way.lease(bridge.place, self._outbox.producer, settings.lease_seconds, settings.renew_seconds)

    @staticmethod
    def _start(work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        return asyncio.create_task(work)
