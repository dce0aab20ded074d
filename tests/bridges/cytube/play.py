"""Frames played to the normaliser as a bridge would: watch after watch, with a cursor that outlives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridges.cytube_room import Room, enter, frame
from tests.bridges.desk import FakeDesk, received
from userstats.contract.events import Event, Place

PLACE = Place(platform="cytube", space="cytu.be", channel="lounge")
REJOIN = "@rejoin"
"""Stands where the bridge lost its connection and made another."""

Frame = Sequence[Any]
"""name, arguments, milliseconds of arrival"""


class Player:
    """A room, and all that was said about it."""

    def __init__(self, desk: FakeDesk | None = None, own: str = "", bots: Iterable[str] = ()) -> None:
        self.desk = desk or FakeDesk()
        self.own = own
        self.bots = tuple(bots)
        self.watches = 0
        self.events: list[Event] = []
        self.room = self.enter()

    def enter(self) -> Room:
        self.watches += 1
        self.room = enter(PLACE, f"w{self.watches}", self.desk, own=self.own, bots=self.bots)
        return self.room

    def play(self, frames: Iterable[Frame]) -> Sequence[Event]:
        """What these frames meant; it keeps the promises that hold for any frames."""
        first = len(self.events)
        for name, args, now in frames:
            {REJOIN: self._rejoin}.get(name, self._frame)(name, args, now)
        told = self.events[first:]
        assert received(told) == told
        assert len({event.id for event in self.events}) == len(self.events)
        assert {event.place for event in told} <= {PLACE}
        return told

    def spelled(self) -> list[dict[str, Any]]:
        return self.desk.spelled(self.events)

    def _rejoin(self, _name: str, _args: Sequence[object], _now: int) -> None:
        self.enter()

    def _frame(self, name: str, args: Sequence[object], now: int) -> None:
        self.room, observation = frame(self.room, name, args, now, self.desk)
        self.desk.keep(observation)
        self.events.extend(observation.events)


def user(name: str, *, afk: bool = False, **more: Any) -> Mapping[str, Any]:
    """A user as `addUser` has it."""
    return {"name": name, "rank": 1, "profile": {"image": "", "text": ""}, "meta": {"afk": afk, "muted": False}, **more}


def chat(name: str, text: str, time: int, **meta: Any) -> Mapping[str, Any]:
    """A line as `chatMsg` has it."""
    return {"username": name, "msg": text, "meta": meta, "time": time}
