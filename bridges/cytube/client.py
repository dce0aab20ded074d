"""One room of CyTube over our own connection: connects, logs in, joins, and hands what is said on.

It only listens: it sends `login` and `joinChannel`, and never says anything in the room. Codes that people type to it
in private (`!link`) are handed to userstats.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

from msgspec.structs import replace

from bridges.bridge import Desk, Ended, Observation
from bridges.cytube_room import (
    Channel,
    Linking,
    Login,
    Room,
    beat_events,
    enter,
    frame,
    overflowed,
    place_of,
    site,
    told_again,
)
from userstats.contract.events import Event, Place, PlaceNamed
from userstats.contract.pseudonym import Pseudonyms

from .settings import Cytube
from .socket import Closed, Connection, Frame, Wiring, opened

logger = logging.getLogger(__name__)

LOGIN_AGAIN: Final = 65.0
"""Seconds after which a guest asks again for its name: one guest login per address is allowed in 60 seconds."""
LOCKED: Final = 300.0


class CytubeBridge:
    """A `bridges.bridge.Bridge`: each watch is one connection, found anew through the site's socketconfig."""

    def __init__(self, settings: Cytube, channel: Channel, *, guest: bool = False) -> None:
        """A `guest` comes under a name made up for this installation. Raises ValueError where the channel's domain or
        name cannot be."""
        self._settings = settings
        self._channel = channel
        self._guest = guest
        self._site = site(channel.domain)
        self._place = place_of(channel)
        self._running: Visit | None = None

    @property
    def name(self) -> str:
        return "cytube"

    @property
    def place(self) -> Place:
        return self._place

    async def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        """See `Bridge.watch`. The first observation holds the replayed lines that were missed, and the roster."""
        settings = replace(self._settings, name=guest_name(desk.pseudonyms)) if self._guest else self._settings
        wiring = Wiring(settings.transports, settings.join_timeout, settings.ping_timeout, settings.verify_tls)
        room = enter(self._place, watch, desk, own=settings.name, bots=self._channel.bots)
        async with opened(self._site, self._channel.channel, wiring, desk.now) as connection:
            visit = Visit(settings, self._channel, connection, room, desk)
            try:
                first = await visit.join()
                self._running = visit
                yield first
                async for observation in visit.observations():
                    yield observation
            finally:
                self._running = None
                await visit.linking.close()

    def beat(self, now: int) -> Sequence[Event]:
        """How many are in the room, while a watch runs."""
        return () if self._running is None else self._running.population(now)


def guest_name(pseudonyms: Pseudonyms) -> str:
    """What a guest without a name of its own is called: `stats_ab12cd`. The same at every start of an installation, so
    that what a crashed bridge left in the room is recognised as the bot."""
    return f"stats_{pseudonyms.event('guest') % 16**6:06x}"


class Visit:
    """One stay in a room, from the login to the end of the connection."""

    def __init__(self, settings: Cytube, channel: Channel, connection: Connection, room: Room, desk: Desk) -> None:
        self._settings = settings
        self._channel = channel
        self._connection = connection
        self._desk = desk
        self._login_again = float("inf")
        self._told: Login = ""
        self._consent = desk.consent
        self.room = room
        self.linking = Linking(desk, room.place)

    async def join(self) -> Observation:
        """Log in if there is a name, join, and wait for the roster, which is the only sign of having joined.

        Raises Ended where the server or the room does not want us, or does not answer in time.
        """
        events: list[Event] = [self._place_named()]
        cursor: dict[str, str] = {}
        try:
            async with asyncio.timeout(self._settings.join_timeout):
                if self._settings.name:
                    await self._login()
                    while not self.room.login:
                        self._gather(events, cursor, await self._connection.socket.next())
        except TimeoutError as error:
            raise Ended("lost", "the server does not answer the login") from error
        self._after_login()
        await self._connection.emit("joinChannel", self._joining())
        try:
            async with asyncio.timeout(self._settings.join_timeout):
                while not self.room.joined:
                    self._gather(events, cursor, await self._connection.socket.next())
        except TimeoutError as error:
            raise self._left_outside() from error
        logger.info("%s: joined, %d people are here", self._label(), len(self.room.people))
        return Observation(events, cursor)

    async def observations(self) -> AsyncIterator[Observation]:
        """What happens from then on. Raises Ended when it is over."""
        while True:
            arrived = await self._connection.socket.next()
            if isinstance(arrived, Closed) and arrived.overflow:
                self.room, observation = overflowed(self.room, arrived.overflow, self._desk.now(), self._desk)
                yield observation
            waiting = not self.room.login
            observation = self._read(arrived)
            if observation.events or (isinstance(arrived, Frame) and not arrived.name):
                yield observation
            if waiting and self.room.login:
                self._after_login()
            if again := self._told_again():
                yield again
            self._hand_on_codes()
            if asyncio.get_running_loop().time() >= self._login_again:
                await self._login()

    def _told_again(self) -> Observation | None:
        before, self._consent = self._consent, self._desk.consent
        self.room, observation = told_again(self.room, before, self._desk.now(), self._desk)
        return observation

    def _hand_on_codes(self) -> None:
        for code in self.room.codes:
            self.linking.offer(code)
        if self.room.codes:
            self.room = replace(self.room, codes=())

    def population(self, now: int) -> Sequence[Event]:
        """How many are here."""
        return beat_events(self.room, now, self._desk)

    def _read(self, arrived: Frame | Closed) -> Observation:
        if isinstance(arrived, Closed):
            why = "too much arrived at once" if arrived.overflow else "the connection was lost"
            raise Ended("lost", why)
        registered = not self.room.unregistered
        self.room, observation = frame(self.room, arrived.name, arrived.args, arrived.at, self._desk)
        if registered and self.room.unregistered:
            logger.warning("%s: nobody has registered this room; is its name right?", self._label())
        if self.room.verdict is not None:
            raise Ended(*self.room.verdict)
        return observation

    def _gather(self, events: list[Event], cursor: dict[str, str], arrived: Frame | Closed) -> None:
        observation = self._read(arrived)
        events.extend(observation.events)
        cursor.update(observation.cursor)

    async def _login(self) -> None:
        self._login_again = float("inf")
        self.room = replace(self.room, login="")
        login = {"name": self._settings.name}
        if self._settings.password:
            login["pw"] = self._settings.password
            if self._connection.downgraded:
                logger.warning("%s: the site names no secure server: the password travels in clear", self._label())
        await self._connection.emit("login", login)

    def _after_login(self) -> None:
        """Without the name the room can still be listened to; only private messages do not reach an anonymous bot."""
        answer, label = self.room.login, self._label()
        if answer == "later":
            self._login_again = asyncio.get_running_loop().time() + LOGIN_AGAIN
        if answer == self._told:
            return
        self._told = answer
        if answer == "later":
            logger.warning("%s: the name is not free yet; anonymous until it is", label)
        elif answer == "refused":
            logger.error("%s: the site refuses the login, check name and password; staying anonymous", label)
        else:
            logger.info("%s: logged in", label)

    def _joining(self) -> dict[str, str]:
        joining = {"name": self._channel.channel}
        if self._channel.password:
            joining["pw"] = self._channel.password
        return joining

    def _left_outside(self) -> Ended:
        if self.room.at_door:
            explanation = "the room wants a password" if self.room.at_door == "no password" else "wrong room password"
            return Ended("refused", explanation, LOCKED)
        return Ended("lost", "the server does not answer to joinChannel")

    def _place_named(self) -> PlaceNamed:
        place, watch, now = self.room.place, self.room.watch, self._desk.now()
        identity = self._desk.pseudonyms.event("c:place", place.space, place.channel, watch)
        return PlaceNamed(id=identity, at=now, seen=now, place=place, watch=watch, name=self._channel.channel)

    def _label(self) -> str:
        return f"{self.room.place.space}/{self.room.place.channel}"
