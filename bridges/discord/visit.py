"""One client from its login to its end: what arrives is read, and said."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import discord

from bridges.bridge import Desk, Ended, Observation
from bridges.tasks import end
from userstats.contract.events import Event, Place

from .archive import Archive
from .backfill import Backfill
from .client import COUNTED, FAILED, StatsClient, closed
from .guild import Roster
from .inbox import Frame, Inbox
from .normalise import audit, frame
from .normalise.numbers import counted, wanted
from .rosters import Rosters
from .session import Grants, Session, Tracked
from .settings import Discord
from .sightings import heard, sight
from .telling import ALIVE

log = logging.getLogger(__name__)

NO_SESSION: Final = "Discord does not begin a session"
LOOK: Final = 1.0
"""Seconds after which it is looked whether Discord has answered a heartbeat, and whether something is due."""
AT_ONCE: Final = 256
"""Dispatches that are read before it is said what they meant."""
BUSY: Final = 200
"""Dispatches in a second from which on history waits."""
MUCH: Final = 1_000
"""Events after which no further dispatch is read before they are said."""


class Visit:
    """Made for one watch."""

    def __init__(
        self, settings: Discord, client: StatsClient, inbox: Inbox, desk: Desk, watch: str, home: Place,
        grants: Grants, tracked: Tracked,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._client = client
        self._inbox = inbox
        self._desk = desk
        self._rosters = Rosters(self._ask)
        self._running: asyncio.Task[None] | None = None
        self._latency = math.inf
        self._looked = self._waited = 0.0
        self._refused = ""
        """The dispatch that was read last, if it was of no use."""
        self._saying = False
        self.session = Session(desk, watch, home, self._rosters, grants, tracked)
        self._backfill = Backfill(
            self.session, Archive(client), settings,
            busy=self._is_busy, unlisted=self._rosters.missing, wake=inbox.wake,
        )  # fmt: skip
        self._heard = self._lately = 0
        """Dispatches since it was looked last, and in the second before that."""

    @asynccontextmanager
    async def connected(self, token: str) -> AsyncIterator[None]:
        """Log in and connect; say goodbye at the end."""
        self._running = asyncio.create_task(self._client.run_until_closed(token), name="discord client")
        self._running.add_done_callback(lambda _: self._inbox.wake())
        others = [
            asyncio.create_task(self._rosters.run(), name="discord members"),
            asyncio.create_task(self._count(), name="discord counts"),
            asyncio.create_task(self._backfill.run(), name="discord histories"),
        ]
        try:
            yield
        finally:
            await closed(self._client)
            await end([self._running, *others])

    async def observations(self) -> AsyncIterator[Observation]:
        """What happens from then on. Raises Ended, or what ended the client."""
        loop = asyncio.get_running_loop()
        self._waited = loop.time()
        while True:
            await self._inbox.arrived(LOOK)
            self._saying = True
            read = self._read()
            if loop.time() - self._looked >= LOOK:
                self._looked = loop.time()
                self._lately, self._heard = self._heard, 0
                audit(self.session, self._desk.now())
            observations = [*self._backfill.sighted(), *self.session.telling.take()]
            for observation in observations:
                yield observation
            if not self._inbox:
                for observation in self._backfill.told(self._desk.now()):
                    yield observation
            self._saying = False
            if (self._is_alive() or read) and not observations and self.session.watch:
                yield ALIVE
            if not self._inbox:
                for observation in self._overflow():
                    yield observation
                self._may_go_on(loop.time())

    def counted(self, now: int) -> Sequence[Event]:
        """The numbers of guilds. Not while it is said what has been read: a guild may be new in it."""
        return () if self._saying else counted(self.session, now)

    def _read(self) -> bool:
        before = self._heard
        for arrived in self._inbox.read(AT_ONCE):
            self._heard += 1
            self._read_one(arrived)
            if self.session.telling.waiting >= MUCH:
                break
        return self._heard > before

    def _is_busy(self) -> bool:
        return max(self._heard, self._lately, len(self._inbox)) > BUSY or self._desk.crowded

    def _read_one(self, arrived: Frame) -> None:
        name, data, now = arrived
        if name == FAILED:
            about, error, content = data
            if self._refused != about:
                self.session.failed(about, error, content, now)
        elif name == COUNTED:
            account, *numbers = data
            if (guild := self.session.guilds.get(account)) is not None:
                guild.approximately = (numbers[0], numbers[1])
        elif name != "MESSAGE_CREATE" or heard(self._backfill.histories, data):
            self._refused = "" if frame(self.session, name, data, now) else name
            sight(self.session, self._backfill.histories, name, data)

    def _overflow(self) -> list[Observation]:
        """What there was no room for; from then on nothing was heard."""
        for name, count in self._inbox.lost.items():
            self.session.refuse(name, "overflow", "", self._desk.now(), count)
        return self.session.telling.take() if self._inbox.lost else []

    def _may_go_on(self, now: float) -> None:
        if self._inbox.lost:
            raise Ended("lost", "too much arrived at once")
        if self._running is not None and self._running.done():
            self._running.result()
            raise Ended("lost", "the connection was closed")
        if self.session.watch or self._client.waiting:
            self._waited = now
        elif now - self._waited > self._settings.ready_timeout:
            raise Ended("lost", NO_SESSION)

    def _is_alive(self) -> bool:
        """Whether Discord has answered a heartbeat since this was asked last."""
        latency = self._client.latency
        before, self._latency = self._latency, latency
        return math.isfinite(latency) and latency != before

    async def _ask(self, guild: str, nonce: str) -> bool:
        known = self.session.guilds.get(guild)
        if known is None:
            return False
        known.roster = Roster(nonce)
        try:
            await self._client.ask_members(guild, nonce)
        except (OSError, RuntimeError, aiohttp.ClientError, discord.DiscordException) as error:
            log.debug("members cannot be asked for now (%s)", type(error).__name__)
        return True

    async def _count(self) -> None:
        """Ask for the numbers that are not told for lack of an intent, now and then."""
        silent = False
        while True:
            await asyncio.sleep(min(LOOK, self._settings.audit_seconds))
            if not self.session.watch or self.session.pending:
                continue
            for account in wanted(self.session):
                try:
                    guild = await self._client.fetch_guild(int(account), with_counts=True)
                except (OSError, aiohttp.ClientError, TimeoutError, discord.DiscordException) as error:
                    if not silent:
                        log.warning("Discord does not say how many are in a guild (%s)", type(error).__name__)
                    silent = True
                    continue
                numbers = guild.approximate_member_count or 0, guild.approximate_presence_count or 0
                self._inbox.put(COUNTED, (account, *numbers))
            await asyncio.sleep(self._settings.audit_seconds)
