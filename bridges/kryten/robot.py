"""What can be asked of Kryten's robots: whether one is in our room, its name, and what it keeps of the room."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Final, NamedTuple

import nats.errors

from userstats.contract import subjects
from userstats.contract.broker import Connection
from userstats.contract.events import Place

from .normalise import bot_of, parsed, rooms_of, same_room

logger = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.5
"""Each robot answers for itself; so long their answers are waited for."""
_TROUBLES: Final = (nats.errors.Error, TimeoutError, OSError)
_KEPT: Final = (("emotes", "list"), ("playlist", "items"), ("playlist", "current"), ("userlist", "users"))
_QUESTION: Final = json.dumps({"service": "robot", "command": "system.channels"}).encode()


class Present(NamedTuple):
    """A robot that is in our room."""

    bot: str
    """Its name there; empty where it has none, or does not say."""


class Robots:
    """The robots on one connection, as seen from one room."""

    def __init__(self, connection: Connection, place: Place, channel: str) -> None:
        self._connection = connection
        self._place = place
        self._spelled = (place.space, channel)
        self.shared = False
        """Whether a robot is in a channel of this name on another site: what they keep overwrites each other."""

    async def look(self) -> Present | None:
        """The robot of our room, if it answers."""
        known = await self._named()
        return known or await self.gather()

    async def gather(self) -> Present | None:
        """Ask every robot where it is; the one in our room, if it answers."""
        rooms = rooms_of(await self._answers())
        ours = [(domain, channel) for domain, channel in rooms if same_room(domain, channel, self._place)]
        namesakes = [room for room in rooms if room[1].lower() == self._place.channel]
        self.shared = self.shared or len(namesakes) > len(ours)
        if not ours:
            return None
        self._spelled = ours[0]
        return await self._named() or Present("")

    async def kept(self) -> dict[str, object]:
        """What the robot keeps of the room, by key; what cannot be read is left out."""
        found: dict[str, object] = {}
        channel = await self._bucket_spelling()
        for what, key in _KEPT if channel else ():
            try:
                bucket = await self._jetstream.key_value(subjects.kryten_bucket(channel, what))
                value = (await bucket.get(key)).value
            except _TROUBLES as error:
                logger.debug("%s of %s cannot be read (%s)", key, what, type(error).__name__)
                continue
            found[key] = parsed(value or b"null")
        return found

    @property
    def _jetstream(self) -> nats.js.JetStreamContext:
        return self._connection.jetstream(prefix=self._connection.api, timeout=ANSWER_SECONDS * 2)

    async def _named(self) -> Present | None:
        subject = subjects.kryten_user_level(*self._spelled)
        try:
            answer = await self._connection.request(subject, b"{}", timeout=ANSWER_SECONDS)
        except _TROUBLES:
            return None
        return Present(bot_of(answer.data))

    async def _answers(self) -> list[bytes]:
        answers: list[bytes] = []
        inbox = self._connection.new_inbox()
        try:
            arriving = await self._connection.subscribe(inbox)
            await self._connection.publish(subjects.KRYTEN_ROBOT_COMMAND, _QUESTION, reply=inbox)
            until = asyncio.get_running_loop().time() + GATHER_SECONDS
            while (left := until - asyncio.get_running_loop().time()) > 0:
                answer = await arriving.next_msg(timeout=left)
                if not answer.data:  # the broker says that nobody listens
                    break
                answers.append(answer.data)
            await arriving.unsubscribe()
        except nats.errors.TimeoutError:
            await arriving.unsubscribe()
        except _TROUBLES as error:
            logger.debug("the robots cannot be asked (%s)", type(error).__name__)
        return answers

    async def _bucket_spelling(self) -> str:
        """How the robot writes the channel: its buckets keep capitals, and ours may be others. Empty: there is none."""
        wanted = subjects.kryten_bucket(self._place.channel, "userlist").lower()
        try:
            answer = await self._connection.request(
                subjects.stream_names(self._connection.api), b"{}", timeout=ANSWER_SECONDS
            )
        except _TROUBLES:
            return ""
        listed = parsed(answer.data)
        names = listed.get("streams") if isinstance(listed, dict) else None
        buckets = [str(name).removeprefix("KV_") for name in names or ()]
        spelled = [name.split("_", 1)[1].rpartition("_")[0] for name in buckets if name.lower() == wanted]
        own = self._spelled[1]
        return own if own in spelled else spelled[-1] if spelled else ""
