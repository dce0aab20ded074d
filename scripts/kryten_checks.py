"""Values of the old database that nobody vouches for: each check gives what it promises, or raises Refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, NoReturn

from bridges.cytube_room.channels import Channel, place_of, site
from userstats.contract.events import OldTable, Place

Outcome = Literal["refused", "merged", "changed"]
EARLIEST: Final = 946_684_800_000
"""Milliseconds; the first moment an event may tell of. It stands for "nobody knows when"."""
LATEST: Final = 4_102_444_800_000
MOST: Final = 2**31 - 1
_NAME = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_A_DAY: Final = 86_400_000


class Refused(Exception):
    """This row cannot be taken over, for a reason in one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REASONS: Final = {
    "name": "no name that CyTube allows (1 to 20 letters, digits, - and _)",
    "channel": "no channel that CyTube allows",
    "domain": "no address of a site",
    "no_number": "not a whole number",
    "negative": "a negative number",
    "too_large": "a number beyond 2147483647",
    "timestamp": "no date between the years 2000 and 2100",
    "future": "a date in the future",
    "emote": "no emote (1 to 64 plain characters)",
    "phrase": "no phrase (1 to 64 plain characters)",
    "title": "a vote without a title",
    "vote": "neither a vote for nor one against",
    "alias": "no alias (1 to 128 plain characters)",
    "taken": "a name that already belongs to somebody else, or has aliases of its own",
    "capitals": "the same in other capitals; taken together",
    "same_moment": "a count of the same room at the same moment is there already",
    "time_unknown": "taken over without its time, which is no date",
    "not_afk_cut": "more time not AFK than in the room; cut",
    "text_cut": "a text too long or with control characters; mended",
}
"""Every reason, in words."""


class Remark(NamedTuple):
    """A row that was not simply taken over."""

    table: OldTable
    row: int
    outcome: Outcome
    reason: str

    def __str__(self) -> str:
        return f"{self.table} row {self.row} {self.outcome}: {REASONS[self.reason]}"


def name(value: object) -> str:
    """A name as CyTube allows it."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Refused("name")
    return value


def space(domain: object) -> str:
    """A site as places call it."""
    try:
        return site(domain).space if isinstance(domain, str) else _refuse("domain")
    except ValueError as error:
        raise Refused("domain") from error


def room(domain: object, channel: object) -> Place:
    """A room of a site."""
    where = space(domain)
    try:
        return place_of(Channel(domain=where, channel=channel)) if isinstance(channel, str) else _refuse("channel")
    except ValueError as error:
        raise Refused("channel") from error


def count(value: object) -> int:
    """How many of something."""
    if not isinstance(value, int):
        raise Refused("no_number")
    if value < 0:
        raise Refused("negative")
    if value > MOST:
        raise Refused("too_large")
    return value


def total(before: int, more: int) -> int:
    """The sum of two counts."""
    return count(before + more)


def moment(value: object, now: int) -> int:
    """Milliseconds, UTC, of an ISO text; one without a zone is UTC."""
    try:
        said = datetime.fromisoformat(value) if isinstance(value, str) else _refuse("timestamp")
        at = ((said if said.tzinfo else said.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise Refused("timestamp") from error
    if not EARLIEST <= at <= LATEST:
        raise Refused("timestamp")
    if at > now + _A_DAY:
        raise Refused("future")
    return at


def short(value: object, reason: str, longest: int = 64) -> str:
    """A short text without control characters, for which another would be wrong."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest or _CONTROL.search(value):
        raise Refused(reason)
    return value


def phrase(value: object) -> str:
    """A phrase of thanks as phrases are compared; `++` is none."""
    folded = " ".join(value.casefold().split()) if isinstance(value, str) else ""
    if folded == "++":
        raise Refused("phrase")
    return short(folded, "phrase")


def line(value: object, longest: int) -> str:
    """A text made fit to keep: cut, with blanks for control characters; nothing is an empty one."""
    return _CONTROL.sub(" ", str("" if value is None else value)[:longest])


def _refuse(reason: str) -> NoReturn:
    raise Refused(reason)
