"""Recorded frame files, played to whoever joins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from . import entrance
from .frames import Frame, Json
from .member import Member

if TYPE_CHECKING:
    from .connection import Connection
    from .hall import Hall


class Visit(NamedTuple):
    """What the recorded client heard between two of its disconnects."""

    frames: list[tuple[float, Frame]]
    """Seconds since the epoch, and the frame."""
    end: str
    """python-socketio's reason of the disconnect; "" if the recording ends first."""


class Recording:
    """The `in` frames of one client of a file.

    The first socket that joins hears what the client heard before its first disconnect and then loses the connection
    in the recorded way (a server disconnect, or the transport); the next one hears the following visit, and so on.
    When all is played, a joining socket gets an ordinary burst and silence.

    A visit that was recorded without its join burst (no `userlist` in it) is preceded by an ordinary burst whose
    roster holds those who act in the visit before they come. The `rank -1` of the handshake is not played again.
    Nothing that the client sends into the room is answered.
    """

    def __init__(self, visits: list[Visit], pace: float) -> None:
        self._visits = visits
        self._pace = pace
        self._next = 0
        self._playing: set[asyncio.Task[None]] = set()
        self.played = 0
        """Frames sent so far, the ordinary bursts not counted."""
        self.over = asyncio.Event()
        """Set when the last visit was played."""

    @classmethod
    def read(cls, file: Path, *, client: str = "bot", pace: float = 0.0) -> Self:
        """`pace` 1 keeps the recorded gaps, 0 leaves none. OSError or ValueError if the file cannot be read."""
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        return cls(_visits(line for line in lines if line["client"] == client), pace)

    @property
    def frames(self) -> int:
        """How many there are to play."""
        return sum(len(visit.frames) for visit in self._visits)

    def play_to(self, room: Hall, connection: Connection) -> None:
        """The next visit, to a socket that joined."""
        visit = self._visits[self._next] if self._next < len(self._visits) else Visit([], "")
        self._next += 1
        if all(frame.event != "userlist" for _, frame in visit.frames):
            _send_burst(room, connection.member, _expected(frame for _, frame in visit.frames))
        last = self._next >= len(self._visits)
        task = asyncio.get_running_loop().create_task(self._play(visit, connection, last=last))
        self._playing.add(task)
        task.add_done_callback(self._playing.discard)

    def stop(self) -> None:
        """Nothing more is played."""
        for task in self._playing:
            task.cancel()

    async def _play(self, visit: Visit, connection: Connection, *, last: bool) -> None:
        before = visit.frames[0][0] if visit.frames else 0.0
        for at, frame in visit.frames:
            await asyncio.sleep((at - before) * self._pace)
            before = at
            connection.deliver(frame)
            self.played += 1
        await connection.flushed()
        if last:
            self.over.set()
        if visit.end == "server disconnect":
            connection.hang_up()
        elif visit.end == "transport error":
            connection.close()


def _visits(lines: Iterable[Json]) -> list[Visit]:
    visits: list[Visit] = []
    frames: list[tuple[float, Frame]] = []
    for line in lines:
        if line["dir"] == "in" and (line["event"], line["args"], frames) != ("rank", [-1], []):
            frames.append((line["ts"], Frame(line["event"], *line["args"])))
        elif line["event"] == "@disconnect":
            visits.append(Visit(frames, line["args"][0]))
            frames = []
    return [*visits, Visit(frames, "")] if frames else visits


def _expected(frames: Iterable[Frame]) -> list[str]:
    """Names that do something without having come: they must have been there before."""
    known: dict[str, str] = {}
    came: set[str] = set()
    for frame in frames:
        payload = frame.args[0] if frame.args and isinstance(frame.args[0], dict) else {}
        name = payload.get("username") or (payload.get("name") if frame.event in _ABOUT_PEOPLE else None)
        if not name or name.startswith("["):
            continue
        if frame.event == "addUser":
            came.add(name.lower())
        elif name.lower() not in came:
            known.setdefault(name.lower(), name)
    return list(known.values())


_ABOUT_PEOPLE = frozenset({"addUser", "setAFK", "setUserMeta", "userLeave", "setUserProfile"})


def _send_burst(room: Hall, member: Member, names: list[str]) -> None:
    there = [Member(deliver=_nowhere, hang_up=_nothing, name=name, rank=1) for name in names]
    room.members = [*there, member]
    entrance.burst(room, member)
    room.members = []


def _nowhere(_frame: Frame) -> None:
    """People of a recording hear nothing."""


def _nothing() -> None:
    """People of a recording have no connection."""
