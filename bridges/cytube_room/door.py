"""Whether we may come in, as whom, and whether we may stay: login, rank, needPassword, errorMsg, kick, ...

What the server says to us alone becomes a `Verdict` or a state of the room, in words of our own. A kick's reason may
be anything that a moderator typed, so it is only compared with the server's own sentences, never kept.
"""

from __future__ import annotations

import math
from typing import Final

from . import payload
from .payload import Refused
from .people import leave
from .reading import Reading
from .room import Login, Verdict

MINUTE: Final = 60.0
HOUR: Final = 3600.0

_KICKS: Final = {
    "Duplicate login": Verdict("replaced", "somebody logged in elsewhere with the bot's name", 5 * MINUTE),
    "You're banned!": Verdict("banned", "banned from the room", HOUR),
    "You are banned from this channel.": Verdict("banned", "banned from the room", HOUR),
    "anonymous user": Verdict("kicked", "the room kicked all anonymous users; give the bot a name", 5 * MINUTE),
    "Channel shutting down": Verdict("lost", "the room was unloaded by the server", 10.0),
    "Channel reloading": Verdict("lost", "the room was reloaded by the server", 10.0),
    "Channel deleted": Verdict("refused", "the room was deleted", 10 * MINUTE),
    "Invalid channel name": Verdict("refused", "the server knows no such name of a room", HOUR),
    "Rate limit exceeded": Verdict("refused", "the server's rate limit", 30.0),
    "Too many connections from your IP address": Verdict("refused", "too many connections from this address", MINUTE),
}
_KICK_BEGINNINGS: Final = {
    "Channel could not be loaded": Verdict("refused", "the server could not load the room", MINUTE),
    "Channel was banned": Verdict("refused", "the site has banned the room", HOUR),
}
_KICKED: Final = Verdict("kicked", "kicked by a moderator", 5 * MINUTE)

_ERROR_BEGINNINGS: Final = {
    "Invalid channel name": Verdict("refused", "the server knows no such name of a room", HOUR),
    "This channel has blocked anonymous users": Verdict("refused", "the room does not admit anonymous users", MINUTE),
}
_MOVED: Final = Verdict("moved", "the room is on another server of the site", 5.0)

_LATER: Final = ("That name is already in use", "Guest logins are restricted")
"""What a guest is told while its last connection is still in the room, or its last login not a minute ago."""
_NOT_OURS: Final = ("That username is registered",)
"""What a guest is told whose name is somebody's account: that somebody may come, and is not the bot."""


def login(reading: Reading, content: object) -> None:
    """The answer to our login; the name comes back in its registered spelling."""
    entry = payload.record(content)
    if payload.flag(entry.get("success")):
        own = payload.name(entry.get("name")).casefold()
        leave(reading, own)
        reading.change(own=own, login="in")
        return
    error = entry.get("error")
    answer: Login = "later" if isinstance(error, str) and error.startswith(_LATER) else "refused"
    reading.change(login=answer)
    if isinstance(error, str) and error.startswith(_NOT_OURS):
        reading.change(own="")


def rank(reading: Reading, content: object) -> None:
    """Our own rank; the last one said counts."""
    if isinstance(content, bool) or not isinstance(content, (int, float)):
        raise Refused("type")
    if not math.isfinite(content) or abs(content) > 1_000_000:
        raise Refused("malformed")
    reading.change(own_rank=float(content))


def need_password(reading: Reading, content: object) -> None:
    """The room wants a password: none was given (false) or a wrong one (true). A moderator may yet be let in."""
    reading.change(at_door="wrong password" if payload.flag(content) else "no password")


def cancel_need_password(reading: Reading, _content: object) -> None:
    """We are let in."""
    reading.change(at_door="")


def kick(reading: Reading, content: object) -> None:
    """We are thrown out; others are never told of here."""
    reason = payload.record(content).get("reason")
    verdict = _verdict(reason, _KICK_BEGINNINGS)
    if isinstance(reason, str):
        verdict = _KICKS.get(reason, verdict)
    reading.change(verdict=verdict or _KICKED)


def error_msg(reading: Reading, content: object) -> None:
    """Something did not work; only what keeps us out of the room matters."""
    message = payload.record(content).get("msg")
    verdict = _verdict(message, _ERROR_BEGINNINGS)
    if isinstance(message, str) and message.startswith("Channel '") and "hosted on another server" in message[:200]:
        verdict = _MOVED
    if verdict is not None and not reading.room.joined:
        reading.change(verdict=verdict)


def partition_change(reading: Reading, _content: object) -> None:
    """The room goes to another server of the site; which one, socketconfig says when asked again."""
    reading.change(verdict=_MOVED._replace(retry_in=1.0))


def channel_not_registered(reading: Reading, _content: object) -> None:
    """Nobody owns this room; it was made for us. Its name may be misspelled."""
    reading.change(unregistered=True)


def _verdict(message: object, beginnings: dict[str, Verdict]) -> Verdict | None:
    if not isinstance(message, str):
        return None
    return next((verdict for start, verdict in beginnings.items() if message.startswith(start)), None)
