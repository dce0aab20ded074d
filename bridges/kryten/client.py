"""One room as a running Kryten-Robot hears it: listens on Kryten's NATS and hands on what the robot publishes.

It never makes the robot do anything. A watch begins when the robot shows that it is in the room, with what the robot
keeps of the room in key-value buckets (the full roster is published only when the robot joins), and ends when the
robot leaves.

What the robot does not tell: private messages that begin with `system:`. And its buckets keep nothing but name and rank
of whoever's rank is set, also of people who are not there: they count as present, and not AFK, until CyTube says
otherwise or the robot joins again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from bridges.bridge import Desk, Ended, Observation
from bridges.cytube_room import Channel, Room, beat_events, enter, overflowed, place_of, told_again
from userstats.contract.broker import NatsSettings
from userstats.contract.events import Event, Place, PlaceNamed
from userstats.contract.kryten import KrytenSettings, kryten_broker

from .line import Closed, Heard, Line, listening
from .normalise import Elsewhere, Garbled, Recent, begun, read, refuse, repeats, sign, told
from .robot import Present, Robots

logger = logging.getLogger(__name__)

ASK_SECONDS: Final = 10.0
"""A robot that was silent for so long is asked whether it is there: nothing happens in an idle room."""
ASK_AGAIN_SECONDS: Final = 1.0
MOST_UNANSWERED: Final = 2


class KrytenBridge:
    """A `bridges.bridge.Bridge`: each watch is one stay of the robot in the room, as far as we hear it."""

    def __init__(self, settings: KrytenSettings, nats: NatsSettings, folder: Path, channel: Channel) -> None:
        """Raises ValueError where the channel's domain or name cannot be."""
        self._settings = settings
        self._nats = nats
        self._folder = folder
        self._channel = channel
        self._place = place_of(channel)
        self._left = False
        self._stay: Stay | None = None

    @property
    def name(self) -> str:
        return "kryten"

    @property
    def place(self) -> Place:
        return self._place

    async def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        """See `Bridge.watch`. The first observation waits for the robot; it holds the roster if the robot keeps one."""
        broker = kryten_broker(self._settings, self._nats, self._folder)
        async with listening(broker, self._folder, self._place, desk.now) as (connection, line):
            robots = Robots(connection, self._place, self._channel.channel)
            stay = Stay(self._settings.bot, self._channel, robots, line, desk, watch)
            try:
                first = await stay.begin(ask=not self._left)
                self._left = False
                self._stay = stay
                yield first
                async for observation in stay.observations():
                    yield observation
            finally:
                self._stay = None
                self._left = self._left or stay.left

    def beat(self, now: int) -> Sequence[Event]:
        """How many are in the room, while a watch runs and the roster is known."""
        return () if self._stay is None else beat_events(self._stay.room, now, self._stay.desk)


class Stay:
    """What is heard of one robot in one room."""

    def __init__(self, bot: str, channel: Channel, robots: Robots, line: Line, desk: Desk, watch: str) -> None:
        self._channel = channel
        self._robots = robots
        self._line = line
        self._ask_at = 0.0
        self._answers = False
        self._unanswered = 0
        self._waiting: Heard | None = None
        self._recent = Recent()
        self.desk = desk
        self._consent = desk.consent
        self.room: Room = enter(place_of(channel), watch, desk, own=bot, bots=channel.bots)
        self.left = False
        """Whether the robot left the room; that it answers does not mean then that it is back."""

    async def begin(self, *, ask: bool) -> Observation:
        """Wait for the robot: for its answer (if we `ask`), or for whatever it says about our room."""
        present = await self._robots.gather() if ask else None
        self._asked(present)
        while present is None:
            heard = await self._next()
            if heard is None:
                present = await self._robots.look() if ask else None
                self._asked(present)
            elif isinstance(heard, Closed):
                raise heard.ended()
            elif self._is_ours(heard):
                self._waiting = heard
                present = await self._robots.gather() or Present("")
        self._name(present)
        events: list[Event] = [self._place_named()]
        cursor: dict[str, str] = {}
        for name, content in begun(await self._kept()):
            observation = self._frame(name, content, self.desk.now())
            events.extend(observation.events)
            cursor.update(observation.cursor)
        logger.info("%s: the robot is here, %s", self._label(), self._known())
        return Observation(events, cursor)

    async def observations(self) -> AsyncIterator[Observation]:
        """What happens from then on. Raises Ended when it is over."""
        while True:
            heard = self._waiting or await self._next()
            self._waiting = None
            if heard is None:
                observation = await self._answered()
            elif isinstance(heard, Closed):
                if heard.overflow:
                    self.room, observation = overflowed(self.room, "envelope", self.desk.now(), self.desk)
                    yield observation
                raise heard.ended()
            elif heard.moment:
                observation = await self._lived(heard)
            else:
                observation = self._said(heard)
            if observation is not None:
                yield observation
            before, self._consent = self._consent, self.desk.consent
            self.room, observation = told_again(self.room, before, self.desk.now(), self.desk)
            if observation is not None:
                yield observation

    def _said(self, heard: Heard) -> Observation | None:
        """What an envelope means; None: nothing that is about our room."""
        content = told(heard.raw, self.room.place)
        if isinstance(content, Elsewhere):
            self._robots.shared = True
            return None
        if isinstance(content, Garbled):
            self.room, observation = refuse(self.room, heard.raw, heard.at, self.desk)
            return observation
        self._alive()
        if self._recent.again(content):
            return Observation()
        observation = self._frame(content.name, content.payload, heard.at)
        if self.room.verdict is not None:
            self.left = True
            raise Ended(self.room.verdict.reason, f"the robot: {self.room.verdict.explanation}")
        return observation

    async def _lived(self, heard: Heard) -> Observation | None:
        """What becomes of a robot."""
        seen = sign(heard.moment, heard.raw, self.room.place)
        if seen == "came":
            self._alive()
            self.room = repeats(self.room)
        if seen == "went" or (seen == "went?" and await self._robots.look() is None):
            self.left = True
            raise Ended("lost", "the robot has left the room")
        # Any robot's heartbeat may be meant; where ours answers questions, that is the better proof.
        return Observation() if seen == "came" or (seen == "alive" and not self._answers) else None

    async def _answered(self) -> Observation | None:
        """Ask the robot whether it is there. Raises Ended if it was, and is not any more."""
        present = await self._robots.look()
        self._asked(present)
        if present is not None:
            return self._name(present)
        if self._answers and self._unanswered >= MOST_UNANSWERED:
            raise Ended("lost", "the robot does not answer any more")
        return None

    def _is_ours(self, heard: Heard) -> bool:
        """Whether this shows that the robot is in our room."""
        if heard.moment:
            return sign(heard.moment, heard.raw, self.room.place) == "came"
        content = told(heard.raw, self.room.place)
        self._robots.shared = self._robots.shared or isinstance(content, Elsewhere)
        return not isinstance(content, (Elsewhere, Garbled)) and content.name != "kick"

    def _frame(self, name: str, content: object, at: int) -> Observation:
        self.room, observation = read(self.room, name, content, at, self.desk)
        return observation

    def _name(self, present: Present) -> Observation:
        """The robot's own name, where nobody has said it yet."""
        if not present.bot or self.room.own:
            return Observation()
        return self._frame("login", {"success": True, "name": present.bot}, self.desk.now())

    async def _kept(self) -> dict[str, object]:
        if self._robots.shared:
            logger.warning(
                "%s: robots are in rooms of this name on several sites; the roster is unknown until ours joins again",
                self._label(),
            )
            return {}
        return await self._robots.kept()

    async def _next(self) -> Heard | Closed | None:
        return await self._line.next(self._ask_at - asyncio.get_running_loop().time())

    def _alive(self) -> None:
        self._ask_at = asyncio.get_running_loop().time() + ASK_SECONDS

    def _asked(self, present: Present | None) -> None:
        self._unanswered = 0 if present else self._unanswered + 1
        self._answers = self._answers or present is not None
        again = ASK_AGAIN_SECONDS if self._answers and not present else ASK_SECONDS
        self._ask_at = asyncio.get_running_loop().time() + again

    def _place_named(self) -> PlaceNamed:
        place, watch, now = self.room.place, self.room.watch, self.desk.now()
        identity = self.desk.pseudonyms.event("c:place", place.space, place.channel, watch)
        return PlaceNamed(id=identity, at=now, seen=now, place=place, watch=watch, name=self._channel.channel)

    def _known(self) -> str:
        roster = f"{len(self.room.people)} people with it" if self.room.joined else "the roster is not known yet"
        return roster if self.room.own else f"{roster}; it does not say its name, see kryten.bot in the configuration"

    def _label(self) -> str:
        return f"{self.room.place.space}/{self.room.place.channel}"
