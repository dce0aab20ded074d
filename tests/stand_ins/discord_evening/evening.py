"""The order of things: what people do, moment by moment, and what goes wrong at Discord's end meanwhile.

The clock stands still while something happens, until the bridge has said that it heard it; then it moves. So each deed
has one time for the site and for the bridge, and spans can be compared to the millisecond. Where the bridge itself
looks only now and then (it says once a second who is online anew), the clock waits until it has.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, Protocol

from tests.stand_ins.discord import Actor

from .clock import Clock
from .gathering import Gathering
from .line import Line, Silence
from .living import Living
from .scene import Scene
from .talking import Talking
from .town import Home, Town

QUIET: Final = 55_000
"""Milliseconds after which somebody says something in a guild: a watch that is silent for 90 s is unobserved time."""

Level = Literal["off", "anonymous", "counted", "shown"]
Topic = Literal["messages", "voice", "presence"]
Choice = tuple[Actor, Topic, Level]
Trouble = Callable[[], Awaitable[None]]


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


class Evening:
    """About `acts` things happen."""

    def __init__(
        self, town: Town, clock: Clock, *, seed: int, acts: int, calm: bool = False, longest: int = 9_000
    ) -> None:
        """`calm`: nothing goes wrong at Discord's end, people choose less often. `longest`: ms between two moments."""
        self.town = town
        self.site = town.site
        self.clock = clock
        self.scene = Scene(town, seed)
        self.line = Line()
        self.acts = acts
        self.chance = random.Random(f"order {seed}")
        self.talking, self.living, self.gathering = Talking(self.scene), Living(self.scene), Gathering(self.scene)
        self._doing: dict[str, Callable[[], Awaitable[bool]]] = {}
        self._weights: list[float] = []
        for side in (self.talking, self.living, self.gathering):
            for name, weight in side.weights.items():
                self._doing[name] = getattr(side, name)
                self._weights.append(weight)
        self._calm = calm
        self._longest = longest
        self._desk: Desk
        self.choices: dict[tuple[int, Topic], Level] = {}
        """What people chose, in the end."""
        self._off: set[int] = set()
        """Who says nothing that may be told."""
        signals = self.scene.chance.sample([one for one in town.people if _is_member(town, one)], 4)
        self.scene.reserved |= {one.id for one in signals}
        self._signals = list(signals)

    # -- the whole ----------------------------------------------------------------------------------------------

    async def spend(self, desk: Desk, meanwhile: Sequence[Trouble] = ()) -> None:
        """Everything, in order. The bridge is connected and has heard of all guilds. `meanwhile`: what goes wrong
        elsewhere, spread over the evening."""
        self.line.began, self.line.first = self.clock(), len(self.site.record)
        self.line.joined = {
            home.guild.id: {who: one.joined_at for who, one in home.guild.members.items()} for home in self.town
        }
        self._desk = desk
        await self.heard()
        await self.consent(first=True)
        troubles = self._spread([] if self._calm else self._troubles())
        elsewhere = self._spread(meanwhile)
        consents = {round(self.acts * share) for share in ((0.5,) if self._calm else (0.38, 0.66, 0.84))}
        for number in range(self.acts):
            if number in troubles:
                await troubles[number]()
            if number in elsewhere:
                await elsewhere[number]()
            if number in consents:
                await self.consent()
            await self.act()
            if self.chance.random() < 0.6:
                await self.moment()
        await self.moment()
        await self.roll_call()
        self.line.asked = self.clock()
        await desk.counted()

    def _spread(self, troubles: Sequence[Trouble]) -> dict[int, Trouble]:
        """By the number of the act before which it happens."""
        return {round(self.acts * (number + 1) / (len(troubles) + 1)): one for number, one in enumerate(troubles)}

    def _troubles(self) -> Sequence[Trouble]:
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

    # -- moments ------------------------------------------------------------------------------------------------

    async def act(self) -> None:
        """Somebody does something; somebody talks, where what was chosen cannot be done now."""
        if not await self.chance.choices(list(self._doing.values()), self._weights)[0]():
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
        told = {who for (who, topic), level in self.choices.items() if topic == "presence" and level != "off"}
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
            if deed.what == "message" and deed.who not in self._off and deed.channel not in self.scene.private:
                last[deed.guild] = max(deed.at, last.get(deed.guild, 0))
        quiet = [home for home in self.scene.homes if last.get(home.guild.id, 0) + QUIET - self._longest < now]
        for home in quiet:
            await self.site.owner.say(home.texts[0], "still here")
        if last.get(None, 0) + QUIET - self._longest < now:
            await self.site.owner.dm("still here")
        await self.heard()

    # -- what goes wrong ----------------------------------------------------------------------------------------

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

    # -- consent ------------------------------------------------------------------------------------------------

    async def consent(self, *, first: bool = False) -> None:
        """Some people choose; the clock stands still until the bridge obeys."""
        await self._gathered()
        await self._desk.counted()
        signal = self._signals.pop()
        home = next(home for home in self.town if signal.id in home.guild.members)
        await signal.join_voice(self.chance.choice(home.voices[:2]))
        await self.heard()
        choices = self._first_choices() if first else self._later_choices()
        choices = [*(one for one in choices if one[0] is not signal), (signal, "voice", "shown")]
        await self._desk.choose(choices, signal)
        for who, topic, level in choices:
            self.site.record.note("consent", who.id, None, topic=topic, level=level)
            self.choices[who.id, topic] = level
        await self.settled()
        self.scene.reserved.discard(signal.id)
        await self.moment()

    def _first_choices(self) -> list[Choice]:
        free = [one for one in self.town.people if one.id not in self.scene.reserved]
        levels: tuple[Level, ...] = ("shown", "shown", "shown", "counted")
        voice: list[Choice] = [(who, "voice", self.chance.choice(levels)) for who in self.chance.sample(free, 30)]
        presence: list[Choice] = [(who, "presence", self.chance.choice(levels)) for who in self.chance.sample(free, 30)]
        others = [who for who in free if who not in [one[0] for one in voice]]
        nobody: list[Choice] = [(who, "voice", "anonymous") for who in others[:2]]
        return [*voice, *presence, *nobody]

    def _later_choices(self) -> list[Choice]:
        """More people are told about, and some no more. Who takes back a choice is in no voice channel just then: what
        is not credited yet would not be kept."""
        held = self.choices
        free = [one for one in self.town.people if one.id not in self.scene.reserved]
        opted = [one for one in free if held.get((one.id, "voice")) in ("shown", "counted")]
        choices: list[Choice] = []
        out = [one for one in opted if self.site.voice.state(one.user) is None]
        choices += [(one, "voice", "off") for one in out[:2]]
        choices += [(one, "voice", "shown") for one in free if (one.id, "voice") not in held][:3]
        online = [one for one in free if held.get((one.id, "presence")) in ("shown", "counted")]
        away = [one for one in online if one.user.presence.status == "offline"]
        choices += [(one, "presence", "off") for one in away[:2]]
        choices += [(one, "presence", "shown") for one in free if (one.id, "presence") not in held][:3]
        quiet = [one for one in free if (one.id, "messages") not in held and one.id not in self.town.moderators]
        off, anonymous = self.chance.sample(quiet, 2)
        self.scene.settled |= {off.id, anonymous.id}
        self._off.add(off.id)
        return [*choices, (off, "messages", "off"), (anonymous, "messages", "anonymous")]


def _is_member(town: Town, actor: Actor) -> bool:
    return any(actor.id in home.guild.members for home in town)
