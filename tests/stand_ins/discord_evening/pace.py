"""Moment by moment: people act, the bridge hears it, time passes.

The clock stands still while something happens, until the bridge has said that it heard it; then it moves. So each deed
has one time for the site and for the bridge, and spans can be compared to the millisecond. Where the bridge itself
looks only now and then (it says once a second who is online anew), the clock waits until it has.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

from tests.stand_ins.discord import Actor

from .choosing import Choice, Choosing
from .clock import Clock
from .gathering import Gathering
from .line import Line
from .living import Living
from .scene import Scene
from .talking import Talking
from .town import Home, Town

QUIET: Final = 55_000
"""Milliseconds after which somebody says something in a guild: a watch that is silent for 90 s is unobserved time."""


class Desk(Protocol):
    """Where people choose what may be counted of them."""

    async def choose(self, choices: Sequence[Choice], signal: Actor) -> None:
        """They choose so; returns when the bridge obeys. `signal` is in a voice channel, and chose that last: it is
        told of from then on."""
        ...

    async def counted(self) -> None:
        """Until everything that the bridge has heard is counted."""
        ...

    async def online(self, people: Mapping[str, int]) -> None:
        """Until so many people are told to be online, idle and dnd."""
        ...


class Pace:
    """People, and the clock they live by."""

    def __init__(self, town: Town, clock: Clock, *, seed: int, longest: int) -> None:
        """`longest`: milliseconds between two moments."""
        self.town = town
        self.site = town.site
        self.clock = clock
        self.scene = Scene(town, seed)
        self.line = Line()
        self.chance = random.Random(f"order {seed}")
        self.talking = Talking(self.scene)
        self.choosing = Choosing(self.scene)
        self._doing: list[Callable[[], Awaitable[bool]]] = []
        self._weights: list[float] = []
        for side in (self.talking, Living(self.scene), Gathering(self.scene)):
            self._doing += [getattr(side, name) for name in side.weights]
            self._weights += side.weights.values()
        self._longest = longest
        self._desk: Desk

    async def act(self) -> None:
        """Somebody does something; somebody talks, where what was chosen cannot be done now."""
        if not await self.chance.choices(self._doing, self._weights)[0]():
            await self.talking.say_something()

    async def moment(self) -> None:
        """The bridge has heard it all; then time passes."""
        await self.heard()
        await self._nobody_silent()
        self.clock.advance(self.chance.randint(300, self._longest))

    async def heard(self, within: float = 20.0) -> None:
        """Until every session's client has said that it got everything."""
        async with asyncio.timeout(within):
            while not all(one.connection is not None and one.is_heard for one in self.site.gateway.sessions.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def settled(self) -> None:
        """Until the bridge has said who is online, after there was something to say anew."""
        await self.roll_call()
        await self._desk.counted()
        there = {one.id for home in self.town if not home.guild.unavailable and self._is_in(home)
                 for one in self.town.people if one.id in home.guild.members}  # fmt: skip
        told = self.choosing.told_of("presence")
        statuses = Counter(one.user.presence.status for one in self.town.people if one.id in there & told)
        await self._desk.online({status: statuses[status] for status in ("online", "idle", "dnd")})

    def _is_in(self, home: Home) -> bool:
        return self.site.me.id in home.guild.members

    async def roll_call(self) -> None:
        """Something is heard from everywhere, now."""
        for home in self.scene.homes:
            await self.site.owner.say(home.texts[0], "here")
        await self.site.owner.dm("here")
        await self.heard()

    async def _nobody_silent(self) -> None:
        now = self.clock()
        last: dict[int | None, int] = {}
        for deed in reversed(self.site.record.deeds):
            if deed.at < now - QUIET:
                break
            if (
                deed.what == "message"
                and deed.who not in self.choosing.silent
                and deed.channel not in self.scene.private
            ):
                last[deed.guild] = max(deed.at, last.get(deed.guild, 0))
        quiet = [home for home in self.scene.homes if last.get(home.guild.id, 0) + QUIET - self._longest < now]
        for home in quiet:
            await self.site.owner.say(home.texts[0], "still here")
        if last.get(None, 0) + QUIET - self._longest < now:
            await self.site.owner.dm("still here")
        await self.heard()
