"""One request of Kryten's world: its parameters, the rooms it means, and the questions it takes to answer it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from ...answer import Answers, Asker
from ...contract.questions import Failure

_ASKER: Final[Asker] = "staff"
"""Whoever is in Kryten's world may do what its own service lets anybody do: change aliases, ask about everybody."""
_NAMES_SECONDS: Final = 5.0
_LONGEST: Final = 512
MOST: Final = 1000
"""Rows of an answer."""


class NotAnswered(Exception):
    """Why a request is not answered, in words for who asked."""


class Room(NamedTuple):
    """A room that is known."""

    domain: str
    channel: str
    """In lower case."""
    name: str
    """As the room is spelled."""


class World:
    """What all requests share. `rooms`: site and spelling of those that are configured, the first is the default."""

    def __init__(
        self,
        answers: Answers,
        rooms: tuple[tuple[str, str], ...] = (),
        *,
        domain: str = "",
        metrics_endpoint: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        """`domain` is what a request means that names none; `now` is in seconds since the epoch."""
        self.answers = answers
        self._configured = [Room(site, channel.casefold(), channel) for site, channel in rooms]
        self.domain = domain.lower() or next((site for site, _ in rooms), "")
        self.metrics_endpoint = metrics_endpoint
        self.now = now
        self._rooms: list[Room] = []
        self._read_at = float("-inf")

    async def ask(self, question: str, parameters: Mapping[str, Any]) -> Any:
        """The data of an answer. Raises NotAnswered; Unknown where there is nothing of that name."""
        reply = await self.answers.answer(question, parameters, _ASKER)
        if isinstance(reply, Failure):
            raise (Unknown if reply.error.code == 404 else NotAnswered)(reply.error.message)
        return reply.data

    async def rooms(self) -> list[Room]:
        """Every room that is configured or known, as of a few seconds ago; what a room is really called comes later."""
        if time.monotonic() - self._read_at > _NAMES_SECONDS:
            listed = await self.ask("channel.list", {})
            named = [Room(one.domain, one.channel, one.name) for one in listed]
            self._rooms = [*self._configured, *named]
            self._read_at = time.monotonic()
        return self._rooms


class Unknown(NotAnswered):
    """Nobody or nothing is called so. Kryten's own service knows no such answer: it has zeros for everybody."""


class Inquiry:
    """One request."""

    def __init__(self, world: World, parameters: Mapping[str, Any], rooms: list[Room]) -> None:
        self.world = world
        self._parameters = parameters
        self.channel = (self.optional("channel") or "").removeprefix("#")
        domain = (self.optional("domain") or "").lower()
        self.domain = domain or self._domain_of(self.channel, rooms)
        """Empty: every site."""
        self._rooms = [room for room in rooms if self.domain in (room.domain, "")]
        self.names = {room.channel: room.name for room in self._rooms}
        """Spellings by channel."""

    @classmethod
    async def of(cls, world: World, parameters: Mapping[str, Any]) -> Inquiry:
        """Raises NotAnswered where a parameter makes no sense."""
        return cls(world, parameters, await world.rooms())

    @property
    def where(self) -> dict[str, str]:
        """The channel asked about, else the whole site."""
        return {**self.everywhere, **({"channel": self.channel} if self.channel else {})}

    @property
    def everywhere(self) -> dict[str, str]:
        """The whole site."""
        return {"domain": self.domain} if self.domain else {}

    @property
    def name(self) -> str:
        """The channel asked about as the room is spelled; as it was asked where no such room is known."""
        return self.spelled(self.channel)

    def spelled(self, channel: str) -> str:
        """A channel as its room is spelled."""
        return self.names.get(channel.casefold(), channel)

    def in_channel(self) -> Inquiry:
        """The same, which must name a channel. Raises NotAnswered."""
        if not self.channel:
            raise NotAnswered("channel required")
        return self

    def in_default_channel(self) -> Inquiry:
        """The same; where it names no channel, about the first configured one, else about the first that is known."""
        if not self.channel:
            for room in self._rooms[:1]:
                self.domain, self.channel = room.domain, room.channel
        return self

    def text(self, name: str) -> str:
        """A parameter that there must be."""
        found = self.optional(name)
        if found is None:
            raise NotAnswered(f"{name} required")
        return found

    def optional(self, name: str) -> str | None:
        """A parameter that may be absent."""
        found = self._parameters.get(name)
        if found is None or found == "":
            return None
        if not isinstance(found, str) or len(found) > _LONGEST:
            raise NotAnswered(f"{name} must be a text of at most {_LONGEST} characters")
        return found

    def whole(self, name: str, default: int, most: int = MOST) -> int:
        """A parameter that is a number of things."""
        return whole(name, self._parameters.get(name), default, most)

    def limits(self, name: str, default: int) -> int:
        """One of the parameter `limits`."""
        given = self._parameters.get("limits") or {}
        if not isinstance(given, dict):
            raise NotAnswered("limits must be an object")
        return whole(f"limits.{name}", given.get(name), default, MOST)

    def since(self, hours: int) -> dict[str, str]:
        """A period of so many hours until now, as questions take it."""
        return {"from": (self.now - timedelta(hours=hours)).isoformat(timespec="seconds")}

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.now(), UTC)

    async def ask(self, question: str, /, **parameters: Any) -> Any:
        """The data of an answer. Raises NotAnswered."""
        return await self.world.ask(question, parameters)

    async def known(self, question: str, empty: Any, /, **parameters: Any) -> Any:
        """The data of an answer; `empty` where nobody or nothing of that name is known. Raises NotAnswered."""
        try:
            return await self.world.ask(question, parameters)
        except Unknown:
            return empty

    def _domain_of(self, channel: str, rooms: list[Room]) -> str:
        """The default site; another one where only that has a room of this name."""
        domains = [room.domain for room in rooms if room.channel == channel.casefold()]
        return self.world.domain if self.world.domain in domains or not domains else domains[0]


Handler = Callable[[Inquiry], Awaitable[Any]]
"""Answers a command. Raises NotAnswered."""


def whole(name: str, given: Any, default: int, most: int) -> int:
    """A whole number from 1 on; also one that was written as a text."""
    if given is None:
        return default
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 10:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= most:
        raise NotAnswered(f"{name} must be a whole number from 1 to {most}")
    return given
