"""Acting people: members without a socket, who cause exactly the frames that real clients would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import chat, entrance
from .frames import Frame, Json
from .member import Member

if TYPE_CHECKING:
    from .room import Room


class Actor:
    """One person. Each action is complete (its frames are on their way) when the call returns.

    Actors are not limited in how fast they speak. What they hear is thrown away, but for private messages.
    """

    def __init__(self, room: Room, name: str, rank: float) -> None:
        self.room = room
        self.name = name
        self.rank = rank
        self.pms: list[Json] = []
        """Payloads of the private messages from others, oldest first."""
        self.kicked: str | None = None
        """The reason of the kick that ended the last visit."""
        self._member = self._newcomer()

    @property
    def inside(self) -> bool:
        """False before entering and after leaving, a kick, a duplicate login or a restart of the server."""
        return self._member.inside

    @property
    def is_afk(self) -> bool:
        """The flag as the server has it."""
        return self._member.afk

    async def enter(self) -> None:
        """Join, then log in over the socket; nothing if already inside."""
        if self.inside:
            return
        self.kicked = None
        self._member = member = self._newcomer()
        self.room.take_in(member)
        self.room.tell_count()
        if self.name:
            self._log_in(member)
        await asyncio.sleep(0)

    async def leave(self) -> None:
        """Close the browser."""
        self.room.part(self._member)
        await asyncio.sleep(0)

    async def say(self, text: str) -> int | None:
        """Type into the chat, commands too; the line's time (ms), or None if no line went out."""
        frame = chat.speak(self.room, self._present(), text)
        await asyncio.sleep(0)
        return None if frame is None else int(frame.args[0]["time"])

    async def pm(self, to: str, text: str) -> int | None:
        """A private message; its time (ms), or None if it was refused."""
        frame = chat.whisper(self.room, self._present(), to, text)
        await asyncio.sleep(0)
        return None if frame is None else int(frame.args[0]["time"])

    async def afk(self, on: bool = True) -> None:
        """`/afk`, unless the flag is so already."""
        if self._present().afk != on:
            await self.say("/afk")

    def _present(self) -> Member:
        if not self.inside:
            raise RuntimeError(f"{self.name or 'the anonymous actor'} is not in {self.room.name}")
        return self._member

    def _newcomer(self) -> Member:
        return Member(deliver=self._hear, hang_up=lambda: None, ip=f"10.0.0.{sum(self.name.encode()) % 256}")

    def _log_in(self, member: Member) -> None:
        member.name = self.name
        member.global_rank = member.rank = 255 if self.rank >= 255 else min(self.rank, 1)
        if self.rank >= 1:
            member.registered = True
            self.room.site.account(self.name)
            self.room.ranks[member.key] = self.rank
        entrance.name_appears(self.room, member)
        if member.registered:
            entrance.rank_appears(self.room, member)

    def _hear(self, frame: Frame) -> None:
        if frame.event == "pm" and frame.args[0]["username"] != self.name:
            self.pms.append(frame.args[0])
        elif frame.event == "kick":
            self.kicked = frame.args[0]["reason"]
