"""Somebody in a room, or on the way into one: a socket's or an actor's person."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
from collections.abc import Callable

from .frames import Deliver, Frame, Json

MODERATOR = 2.0


def cloaked(ip: str) -> str:
    """An address as moderators see it."""
    digest = base64.b64encode(hashlib.sha256(ip.encode()).digest()).decode()
    return f"+{digest[:3]}.{digest[3:6]}.{digest[6:9]}.{digest[9:12]}"


@dataclasses.dataclass(eq=False, slots=True)
class Member:
    """One connection's person. `name` is "" before a login; `rank` counts in the room the member is in."""

    deliver: Deliver
    hang_up: Callable[[], None]
    """End the connection as `socket.disconnect()` does, after what was delivered so far."""
    ip: str = "127.0.0.1"
    is_socket: bool = False
    name: str = ""
    aliases: list[str] = dataclasses.field(default_factory=list)
    """Names that the address had when it connected; the own name if there was none."""
    registered: bool = False
    global_rank: float = -1.0
    rank: float = -1.0
    afk: bool = False
    muted: bool = False
    smuted: bool = False
    image: str = ""
    about: str = ""
    inside: bool = False
    active_at: float = 0.0
    idle_timer: asyncio.TimerHandle | None = None

    @property
    def key(self) -> str:
        """Names compare without case."""
        return self.name.lower()

    @property
    def moderates(self) -> bool:
        """Sees the moderators' view."""
        return self.rank >= MODERATOR

    def send(self, event: str, *args: Json) -> None:
        """One event for this member alone."""
        self.deliver(Frame(event, *args))

    def kick(self, reason: str) -> None:
        """`kick`, then the server's disconnect. Leaving the room is the caller's."""
        self.send("kick", {"reason": reason})
        self.hang_up()

    def profile(self) -> Json:
        """What the website knows of the member."""
        return {"image": self.image, "text": self.about}

    def meta(self, viewer: Member) -> Json:
        """AFK and mutes as this viewer may see them; moderators see aliases and an address too."""
        if not viewer.moderates:
            return {"afk": self.afk, "muted": self.muted and not self.smuted}
        return {
            "afk": self.afk,
            "muted": self.muted,
            "smuted": self.smuted,
            "aliases": self.aliases or [self.name],
            "ip": cloaked(self.ip) if viewer.global_rank < 255 else self.ip,
        }

    def user(self, viewer: Member) -> Json:
        """The object of `userlist` and `addUser`."""
        return {"name": self.name, "rank": plain(self.rank), "profile": self.profile(), "meta": self.meta(viewer)}


def plain(number: float) -> float:
    """A whole number without the `.0` that JavaScript would not write."""
    return int(number) if number == int(number) else number
