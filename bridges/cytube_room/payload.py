"""Fields of payloads that nobody vouches for: each reader gives what it promises, or raises Refused.

A payload is whatever JSON can say, and a little more (NaN, halves of surrogate pairs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from userstats.contract.events import INT63

Reason = Literal["too_big", "malformed", "type", "control", "overflow"]

LONGEST_NAME: Final = 128
LARGEST_COUNT: Final = 2**31 - 1
_EARLIEST: Final = 946_684_800_000
_LATEST: Final = 4_102_444_800_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WALKED: Final = 10_000


class Refused(Exception):
    """This payload, or this part of it, cannot be used. It names a reason, never the content."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def record(value: object) -> Mapping[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Refused("type")
    return value


def text(value: object, longest: int) -> str:
    """A string of at most so many characters, halves of surrogate pairs replaced by U+FFFD."""
    if not isinstance(value, str):
        raise Refused("type")
    if len(value) > longest:
        raise Refused("too_big")
    return _SURROGATE.sub("\ufffd", value)


def name(value: object) -> str:
    """Somebody's name: 1 to 128 characters, no control characters, no half surrogate pairs."""
    if not isinstance(value, str):
        raise Refused("type")
    if len(value) > LONGEST_NAME or len(value.casefold()) > LONGEST_NAME:
        raise Refused("too_big")
    if _CONTROL.search(value):
        raise Refused("control")
    if not value or _SURROGATE.search(value):
        raise Refused("malformed")
    return value


def title(value: object, longest: int) -> str:
    """A string made fit to keep: cut, control characters as blanks, halves of surrogate pairs as U+FFFD."""
    if not isinstance(value, str):
        raise Refused("type")
    return _CONTROL.sub(" ", _SURROGATE.sub("\ufffd", value[:longest]))


def moment(value: object) -> int:
    """Milliseconds since the epoch, between the years 2000 and 2100."""
    number = whole(value)
    if not _EARLIEST <= number <= _LATEST:
        raise Refused("malformed")
    return number


def whole(value: object) -> int:
    """A whole number of at most 63 bits, also where JSON wrote it as 4.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("type")
    if not -INT63 <= value <= INT63:
        raise Refused("malformed")
    return value


def count(value: object) -> int:
    """How many of something: 0 to 2**31 - 1."""
    number = whole(value)
    if not 0 <= number <= LARGEST_COUNT:
        raise Refused("malformed")
    return number


def flag(value: object) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise Refused("type")
    return value


def weight(value: object) -> int:
    """About how large a payload is: the characters of its strings, counted over a bounded number of its parts."""
    total = 0
    for part, _ in zip(_parts(value), range(_WALKED), strict=False):
        total += len(part) if isinstance(part, str) else 1
    return min(total, LARGEST_COUNT)


def _parts(value: object) -> Iterator[object]:
    waiting = [iter((value,))]
    while waiting:
        for part in waiting[-1]:
            yield part
            if isinstance(part, (list, tuple)):
                waiting.append(iter(part))
                break
            if isinstance(part, dict):
                waiting.append(iter([*part.keys(), *part.values()]))
                break
        else:
            waiting.pop()
