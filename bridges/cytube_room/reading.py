"""One frame being read: the room as it becomes, and what there is to say about it."""

from __future__ import annotations

from typing import Any, Final, TypedDict

from msgspec.structs import replace

from bridges.bridge import Desk
from userstats.contract.events import Event, EventRefused, Named, Place

from . import payload
from .channels import PLATFORM
from .room import Room

MOST_NAMES: Final = 4096
"""Spellings remembered in one watch. Beyond it all but the present are forgotten, and told again when met again."""


class Heading(TypedDict):
    """What every event says, as keyword arguments."""

    id: int
    at: int
    seen: int
    place: Place
    watch: str


class Reading:
    """Made for one frame and dropped with it; nothing of it outlives `normalise.frame`."""

    __slots__ = ("cursor", "desk", "events", "now", "room")

    def __init__(self, room: Room, now: int, desk: Desk) -> None:
        self.room = room
        self.now = now
        self.desk = desk
        self.events: list[Event] = []
        self.cursor: dict[str, str] = {}

    def change(self, **changes: Any) -> None:
        """The room, with these fields."""
        self.room = replace(self.room, **changes)

    def tell(self, event: Event) -> None:
        """Say it, after all that was said before."""
        self.events.append(event)

    def person(self, folded: str) -> int:
        """The pseudonym of an account: names are the accounts of a site, and two sites do not share theirs."""
        return self.desk.pseudonyms.person(PLATFORM, f"{self.room.place.space}/{folded}")

    def heading(self, kind: str, at: int | None = None) -> Heading:
        """For a fact without natural identity on CyTube: it is the next one of this watch."""
        place, watch, n = self.room.place, self.room.watch, self.room.n
        self.change(n=n + 1)
        identity = self.desk.pseudonyms.event(kind, place.space, place.channel, watch, n)
        return Heading(id=identity, at=self.now if at is None else at, seen=self.now, place=place, watch=watch)

    def heading_of(self, at: int, *natural: str | int) -> Heading:
        """For a fact that these words identify within the room, whoever tells it and however often."""
        kind, *words = natural
        place = self.room.place
        identity = self.desk.pseudonyms.event(kind, place.space, place.channel, *words)
        return Heading(id=identity, at=at, seen=self.now, place=place, watch=self.room.watch)

    def meet(self, name: str, at: int | None = None) -> str:
        """Tell how this person is called, unless that was told in this watch. Gives the casefolded name."""
        folded = name.casefold()
        if self.room.named.get(folded) != name:
            named = self.room.named
            if len(named) >= MOST_NAMES:
                named = {key: spelled for key, spelled in named.items() if key in self.room.people}
            self.change(named={**named, folded: name})
            self.tell(
                Named(
                    **self.heading("c:name", at),
                    key=self.desk.pseudonyms.name(folded),
                    name=name,
                    person=self.person(folded),
                    account=folded,
                    bot=folded in self.room.bots,
                )
            )
        return folded

    def refuse(self, frame: str, reason: payload.Reason, content: object) -> None:
        """Say that a frame, or a part of it, was of no use."""
        heading = self.heading("c:refused")
        self.tell(EventRefused(**heading, refused=frame, reason=reason, bytes=payload.weight(content)))


def pseudo(name: str) -> bool:
    """Whether nobody stands behind this name: `[server]`, `[voteskip]`. No account can have brackets."""
    return name.startswith("[") and name.endswith("]")
