"""What goes wrong at Discord's end, while people go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from .line import Silence
from .pace import Pace
from .town import Home

Trouble = Callable[[], Awaitable[None]]


class Troubles(Pace):
    """Each one writes into the `line` what the bridge did not hear."""

    def all_troubles(self) -> Sequence[Trouble]:
        """One after the other, for an evening."""
        faults = self.site.faults
        return (
            lambda: self.away(faults.reconnect),
            lambda: self.outage(self.town.homes[0]),
            lambda: self.away(faults.abort),
            lambda: self.lost(faults.lose_sessions, acts=40),
            lambda: self.away(lambda: faults.invalidate(resumable=True)),
            lambda: self.lost(faults.invalidate, acts=0),
            lambda: self.away(lambda: faults.close(4000)),
            lambda: self.dark(30, seconds=3),
            lambda: self.outage(self.town.homes[1]),
            lambda: self.lost(lambda: faults.close(4009), acts=0),
            lambda: self.dark(30, seconds=12),
            lambda: self.lost(faults.lose_sessions, acts=60),
            lambda: self.thrown_out(self.town.homes[2]),
            lambda: self.away(lambda: faults.close(4008)),
        )

    async def away(self, cut: Callable[[], None]) -> None:
        """The connection breaks, things happen, it is resumed: what was missed is replayed."""
        await self._gathered()
        first, since = len(self.site.record), self.clock()
        resumes = self.site.gateway.resumes
        with self.site.burst():
            cut()
            for _ in range(6):
                await self.act()
        await self._again(lambda: self.site.gateway.resumes > resumes)
        self.line.silences.append(Silence("replayed", first, len(self.site.record), since, self.clock()))

    async def dark(self, acts: int, seconds: int) -> None:
        """The line is dead for a while without anybody noticing; then it is resumed."""
        await self._silenced()
        first, since = len(self.site.record), self.clock()
        resumes = self.site.gateway.resumes
        for _ in range(acts):
            await self.act()
            self.clock.advance(self.chance.randint(200, 1000 * seconds))
        self.site.faults.abort()
        await self._again(lambda: self.site.gateway.resumes > resumes)
        self.line.silences.append(Silence("replayed", first, len(self.site.record), since, self.clock()))
        await self.moment()

    async def lost(self, lose: Callable[[], None], acts: int) -> None:
        """The session is lost, at once or after a dead line; people do not wait for the bridge."""
        await (self._silenced() if acts else self._gathered())
        first, since = len(self.site.record), self.clock()
        identifies = self.site.gateway.identifies
        for _ in range(acts):
            await self.act()
            self.clock.advance(self.chance.randint(500, 9_000))
        lose()
        await self._again(lambda: self.site.gateway.identifies > identifies)
        self.line.silences.append(Silence("lost", first, len(self.site.record), since, self.clock()))
        await self.settled()
        await self.moment()

    async def outage(self, home: Home) -> None:
        """A guild is gone for a while; some of those in its voice channels do not come back."""
        await self._gathered()
        self.site.building.outage(home.guild)
        await self.heard()
        await self.settled()
        for _ in range(25):
            await self.act()
            await self.moment()
        for user in [one.user for one in home.guild.voice.values()][::2]:
            self.site.voice.vanish(home.guild, user)
        self.site.building.outage_over(home.guild)
        await self.heard()
        await self.settled()
        await self.moment()

    async def thrown_out(self, home: Home) -> None:
        """The bot is removed from a guild, and invited again."""
        await self._gathered()
        self.site.membership.leave(home.guild, self.site.me)
        await self.heard()
        await self.settled()
        for _ in range(25):
            await self.act()
            await self.moment()
        self.site.membership.join(home.guild, self.site.me)
        await self.heard()
        await self.settled()
        await self.moment()

    async def _gathered(self) -> None:
        await self.moment()
        await self.roll_call()

    async def _silenced(self) -> None:
        """The bridge hears nothing from here on, and has looked at all it heard before: at answers to its heartbeats,
        which are signs of life too."""
        await self.moment()
        self.site.faults.withhold_acks()
        await self.roll_call()
        await self._desk.counted()
        self.site.faults.silence()

    async def _again(self, connected: Callable[[], bool]) -> None:
        self.site.faults.withhold_acks(on=False)
        async with asyncio.timeout(20):
            while not connected():
                await self.site.gateway.changed.wait()
        await self.site.connected(len(self.site.gateway.sessions))
        await self.heard()
