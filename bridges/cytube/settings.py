"""The section `cytube` of config.json: how our own connections to CyTube are made."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0, le=600)]


class Cytube(Struct, frozen=True, kw_only=True):
    """Who the bot is. Without a name it is anonymous and hears all but private messages; with a name alone, a guest."""

    name: Annotated[str, Meta(max_length=20)] = ""
    password: str = ""
    """The account's. A registered account is better than a guest: it can come back at once after a lost connection."""
    transports: tuple[Literal["websocket", "polling"], ...] = ("websocket",)
    ping_timeout: Seconds = 15.0
    """Seconds that one of the server's pings (every 25 s) may be late before the server counts as dead."""
    join_timeout: Seconds = 10.0
    """Seconds for each step: socketconfig, connecting, login, joining."""
    verify_tls: bool = True

    def __repr__(self) -> str:
        return f"Cytube(name={self.name!r})"  # without the password
