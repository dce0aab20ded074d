"""Who may log in under which name, with the real server's refusals word for word."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .chat import NAME

if TYPE_CHECKING:
    from .hall import Hall

_RESERVED: Final = re.compile(r"^(.*?[-_]*)?(admin|administrator|owner)([-_].*)?$", re.IGNORECASE)
_ALIKE: Final = str.maketrans({"i": "l", "1": "l", "0": "o", "-": "_"})
_BAD_NAME: Final = (
    "Invalid username.  Usernames must be 1-20 characters long and consist only of characters a-z, A-Z, 0-9, -, or _."
)


class LoginError(Exception):
    """The login failed; the text is the `error` of the answer."""


class Account(NamedTuple):
    """A registered name. Without a password only actors use it."""

    name: str
    password: str | None
    global_rank: float


class Accounts:
    """The site's accounts, and when which address last logged in as a guest."""

    def __init__(self, guest_delay: float) -> None:
        self.known: dict[str, Account] = {}
        """By lower-case name."""
        self._guest_delay = guest_delay
        self._guest_at: dict[str, float] = {}

    def register(self, name: str, password: str | None, global_rank: float = 1) -> None:
        """Add an account; one that is known keeps its password if none is given."""
        before = self.known.get(name.lower())
        if before is None or password is not None:
            self.known[name.lower()] = Account(name, password, global_rank)

    def guest(self, name: str, ip: str, room: Hall | None) -> None:
        """A guest's login, or LoginError. `room` is the one the guest is inside of already."""
        now = asyncio.get_running_loop().time()
        if now - self._guest_at.get(ip, float("-inf")) < self._guest_delay:
            every = f"{self._guest_delay:g}"
            raise LoginError(f"Guest logins are restricted to one per IP address per {every} seconds.")
        if not NAME.fullmatch(name):
            raise LoginError(_BAD_NAME)
        if _RESERVED.match(name):
            raise LoginError("That username is reserved.")
        if _alike(name) in {_alike(key) for key in self.known}:
            raise LoginError("That username is registered.")
        if room is not None and room.find(name) is not None:
            raise LoginError("That name is already in use on this channel.")
        self._guest_at[ip] = now

    def verified(self, name: str, password: str) -> Account:
        """The account of this name and password, or LoginError."""
        account = self.known.get(name.lower())
        if account is None:
            raise LoginError("User does not exist")
        if account.password != password:
            raise LoginError("Invalid username/password combination")
        return account

    def forget_guests(self) -> None:
        """The server restarted: the delay was only in its memory."""
        self._guest_at.clear()


def _alike(name: str) -> str:
    """The same for names that the server takes for look-alikes."""
    return name.lower().translate(_ALIKE)
