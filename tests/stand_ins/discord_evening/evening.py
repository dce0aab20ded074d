"""The order of things: what people do and choose, and what goes wrong at Discord's end meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.stand_ins.discord import Actor

from .clock import Clock
from .pace import Desk
from .town import Town
from .troubles import Trouble, Troubles

HOUR: Final = 3_600_000


class Evening(Troubles):
    """About `acts` things happen."""

    def __init__(
        self, town: Town, clock: Clock, *, seed: int, acts: int, calm: bool = False, longest: int = 9_000
    ) -> None:
        """`calm`: nothing goes wrong at Discord's end, and people choose less often. `longest`: of milliseconds between
        two moments."""
        super().__init__(town, clock, seed=seed, longest=longest)
        self._acts = acts
        self._calm = calm
        signals = self.scene.chance.sample([one for one in town.people if _is_member(town, one)], 4)
        self.scene.reserved |= {one.id for one in signals}
        self._signals = list(signals)

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
        troubles = self._spread([] if self._calm else self.all_troubles())
        elsewhere = self._spread(meanwhile)
        consents = {round(self._acts * share) for share in ((0.5,) if self._calm else (0.38, 0.66, 0.84))}
        for number in range(self._acts):
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
        return {round(self._acts * (number + 1) / (len(troubles) + 1)): one for number, one in enumerate(troubles)}

    async def consent(self, *, first: bool = False) -> None:
        """Some people choose; the clock stands still until the bridge obeys."""
        leavers = [] if first else await self._go_away()
        await self._gathered()
        await self._desk.counted()
        signal = self._signals.pop()
        home = next(home for home in self.town if signal.id in home.guild.members)
        await signal.join_voice(self.chance.choice(home.voices[:2]))
        await self.heard()
        choices = self.choosing.at_first() if first else self.choosing.later(leavers)
        choices = [*(one for one in choices if one[0] is not signal), (signal, "voice", "shown")]
        await self._desk.choose(choices, signal)
        self.choosing.chosen(choices)
        await self.settled()
        self.scene.reserved.discard(signal.id)
        await self.moment()

    async def _go_away(self) -> list[Actor]:
        """Somebody who is about to take back what they chose sits alone in a channel, and comes online, for a while.

        Not around a full hour: up to there it is credited, if a beat came since.
        """
        leaver = self.choosing.leaver()
        if leaver is None or self.clock() % HOUR > HOUR - 120_000:
            return []
        home = next(home for home in self.scene.homes if leaver.id in home.guild.members)
        self.scene.reserved.add(leaver.id)
        await leaver.presence("offline")
        await self.moment()
        await leaver.join_voice(home.cellar)
        await leaver.presence("online")
        for _ in range(4):
            await self.moment()
        return [leaver]


def _is_member(town: Town, actor: Actor) -> bool:
    return any(actor.id in home.guild.members for home in town)
