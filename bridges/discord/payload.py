"""Fields of payloads that nobody vouches for: each reader gives what it promises, or raises Refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

Reason = Literal["too_big", "malformed", "type", "control", "overflow"]
Record = Mapping[str, Any]

EPOCH: Final = 1_420_070_400_000
"""Milliseconds since 1970 at which Discord's ids begin."""
LONGEST_NAME: Final = 128
LARGEST_COUNT: Final = 2**31 - 1
NOBODY: Final[Record] = {}
_EARLIEST: Final = 946_684_800_000
_LATEST: Final = 4_102_444_800_000
_EMOTE = re.compile(r"[A-Za-z0-9_]{1,32}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Refused(Exception):
    """This payload, or this part of it, cannot be used. It names a reason, never the content."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def record(value: object) -> Record:
    """A JSON object."""
    if type(value) is not dict:
        raise Refused("type")
    return value


def part(value: object) -> Record:
    """An object that may be missing."""
    return value if type(value) is dict else NOBODY


def items(value: object) -> Sequence[Any]:
    """A JSON array that may be missing."""
    if value is None:
        return ()
    if type(value) is not list:
        raise Refused("type")
    return value


def account(value: object) -> str:
    """An id: of a person, a channel, a guild, a message."""
    if type(value) is str and 0 < len(value) <= 20 and value.isascii() and value.isdigit():
        return value
    if type(value) is int and 0 <= value < 2**64:
        return str(value)
    raise Refused("type")


def perhaps(value: object) -> str:
    """An id, or an empty text where there is none."""
    return "" if value is None else account(value)


def made(identity: str) -> int:
    """When what has this id was made: milliseconds since the epoch."""
    return moment((int(identity) >> 22) + EPOCH)


def moment(milliseconds: int) -> int:
    """Milliseconds since the epoch, between the years 2000 and 2100."""
    if not _EARLIEST <= milliseconds <= _LATEST:
        raise Refused("malformed")
    return milliseconds


def stamp(value: object) -> int:
    """A time in ISO 8601, as milliseconds since the epoch."""
    if type(value) is not str:
        raise Refused("type")
    try:
        time = datetime.fromisoformat(value)
        aware = time if time.tzinfo else time.replace(tzinfo=UTC)
        return moment(round(aware.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise Refused("malformed") from error


def stamp_or(value: object, otherwise: int) -> int:
    """A time that may be missing or of no use."""
    try:
        return stamp(value)
    except Refused:
        return otherwise


def count(value: object) -> int:
    """How many of something."""
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:
        raise Refused("type")
    return value


def number(value: object) -> int:
    """How many, of what may be missing or of no use."""
    return value if type(value) is int and 0 <= value <= LARGEST_COUNT else 0


def length(value: object) -> int:
    """How many there are in an array that may be missing."""
    return len(value) if type(value) is list else 0


def name(value: object) -> str:
    """A name made fit to tell: cut, unfit characters as blanks; empty where there is none."""
    if type(value) is not str:
        return ""
    cut = value[:LONGEST_NAME]
    return (_UNFIT.sub(" ", cut) if _UNFIT.search(cut) else cut).strip()


def emote(value: object) -> str:
    """How an emoji object is called: `:name:` where it is a community's own, else the character itself."""
    entry = record(value)
    called = entry.get("name")
    if entry.get("id") is not None:
        return f":{called}:" if type(called) is str and _EMOTE.fullmatch(called) else f":{account(entry['id'])}:"
    if type(called) is not str or not 0 < len(called) <= 64 or _UNFIT.search(called):
        raise Refused("malformed")
    return called


def weight(value: object) -> int:
    """About how large a payload is: characters of its texts, over a bounded number of its parts."""
    total, walked, waiting = 0, 0, [value]
    while waiting and walked < 10_000:
        walked += 1
        one = waiting.pop()
        total += len(one) if isinstance(one, str) else 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return min(total, LARGEST_COUNT)
