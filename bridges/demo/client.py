"""Plays a demo room in time: the past hours as fast as they are taken, then on with the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from bridges.bridge import Desk, Ended, Observation
from bridges.text import Lexicon
from userstats.contract.events import Event, Place

from . import normalise
from .cast import NICKNAMES
from .dice import HOUR, MINUTE, SECOND
from .lines import PHRASES
from .script import Script

log = logging.getLogger(__name__)

BATCH: Final = 500
"""Events of the past in one observation, which is one transaction of the outbox."""
BEAT: Final = MINUTE
"""How often the past is said to have been alive; in the present the runner says it."""
PROOF: Final = 10 * SECOND
"""The longest silence in the present."""
JUMP: Final = 2 * MINUTE
"""A clock that goes this much wrong during a pause has jumped, or the computer was suspended."""

PLAYED: Final = "demo.played"
"""Cursor: the moment up to which the room was played."""
LIVE: Final = "demo.live"
"""Cursor: `yes` once the past is told. It is told once."""

_NICKNAMES: Final = frozenset(name for names in NICKNAMES.values() for name in names)

Sleep = Callable[[float], Awaitable[None]]


class Tempo(NamedTuple):
    """How moments of the play fall into real time: from `anchor` on the play runs `speed` times as fast."""

    anchor: int
    speed: float

    def at(self, moment: int) -> int:
        """When this moment of the play is."""
        return self.anchor + int((moment - self.anchor) / self.speed)

    def moment(self, at: int) -> int:
        """Where the play is at this time."""
        return self.anchor + int((at - self.anchor) * self.speed)


class Show:
    """One watch of a room: what was told so far, and what comes next."""

    def __init__(self, desk: Desk, seat: normalise.Seat, script: Script, begin: int) -> None:
        self.tempo = Tempo(begin, 1.0)
        self._desk = desk
        self._seat = seat
        self._script = script
        self._play = script.play(begin - 1)
        self._next = next(self._play)
        self._room = normalise.Room()
        self._last = begin
        self._beaten = begin // BEAT * BEAT
        self._taught: tuple[Lexicon, Lexicon] | None = None

    def enter(self, title: str) -> list[Event]:
        """What is found at the beginning."""
        self._room, events = normalise.enter(self._seat, title, self._script.scene(self._last - 1), self._last)
        return events

    def due(self) -> int:
        """When the next action is. No two have the same time, so that it tells them apart."""
        return max(self.tempo.at(self._next[0]), self._last + 1)

    def perform(self) -> list[Event]:
        """What the next action tells."""
        self._last = self.due()
        self._room, events = normalise.translate(self._seat, self._room, self._lexicon(), self._last, self._next[1])
        self._next = next(self._play)
        return events

    def beats(self, until: int) -> list[Event]:
        """The signs of life, each with a count, that are due until then."""
        events: list[Event] = []
        for border in range(self._beaten + BEAT, until + 1, BEAT):
            events += (normalise.alive(self._seat, border), self.counted(border))
            self._beaten = border
        return events

    def counted(self, at: int) -> Event:
        """How many are here."""
        return normalise.counted(self._seat, self._room, self._script.anonymous(self.tempo.moment(at)), at)

    def cursor(self, live: str) -> Mapping[str, str]:
        """Where a later watch goes on."""
        return {PLAYED: str(self._last), LIVE: live}

    def _lexicon(self) -> Lexicon:
        """What the bridge was taught, and what is missing for this cast while it was taught nothing yet."""
        known = self._desk.lexicon
        if self._taught is None or self._taught[0] != known:
            self._taught = known, Lexicon(known.phrases or PHRASES, known.names | _NICKNAMES)
        return self._taught[1]


class DemoRoom:
    """One demo room as a bridge.

    The events of the first observation are `seen` where the past begins: the watch has begun then, not when the
    process was started. While the past is told the bridge says its own beats in it, and `beat` says nothing.
    """

    name = "demo"

    def __init__(
        self,
        script: Script,
        place: Place,
        *,
        title: str,
        seed: int,
        history_hours: float,
        speed: float,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.place = place
        self._script = script
        self._title = title
        self._seed = seed
        self._history = int(history_hours * HOUR)
        self._speed = speed
        self._sleep = sleep
        self._live: Show | None = None

    async def watch(self, desk: Desk, watch: str) -> AsyncGenerator[Observation, None]:
        """Play what was not played yet of the past, then the present.

        Raises Ended("lost") when the clock jumps: what the room would have done meanwhile was not observed.
        """
        seat = normalise.Seat(desk.pseudonyms, self.place, watch, self._seed)
        show = Show(desk, seat, self._script, _begin(desk, self._history))
        events = show.enter(self._title)
        while (due := show.due()) <= (now := desk.now()):
            events += show.beats(due)
            events += show.perform()
            if len(events) >= BATCH:
                yield Observation(events, show.cursor(""))
                events = []
                await asyncio.sleep(0)
        events += show.beats(now)
        yield Observation(events, show.cursor("yes"))
        log.info("%s: the past is told, going on with the clock", self._title)
        show.tempo = Tempo(now, self._speed)
        self._live = show
        try:
            while True:
                while (left := show.due() - desk.now()) > 0:
                    await self._rest(desk, min(left, PROOF))
                    if left > PROOF:
                        yield Observation()
                yield Observation(show.perform(), show.cursor("yes"))
        finally:
            self._live = None

    def beat(self, now: int) -> Sequence[Event]:
        """How many are here now; nothing while the past is told."""
        return () if self._live is None else (self._live.counted(now),)

    async def _rest(self, desk: Desk, length: int) -> None:
        before = desk.now()
        await self._sleep(length / SECOND)
        if abs(desk.now() - before - length) > JUMP:
            raise Ended("lost", "the clock jumped")


def _begin(desk: Desk, history: int) -> int:
    """The past is told once, and taken up where it was broken off; after that each watch begins now."""
    now = desk.now()
    if desk.cursor(LIVE):
        return now
    played = desk.cursor(PLAYED)
    return max(now - history, int(played) + 1) if played else now - history
