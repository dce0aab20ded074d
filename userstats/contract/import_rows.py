"""What an import tool asks userstats to record, row by row: the requests behind the events of `imported.py`.

Names are in these requests, which go from the tool to userstats; in the event log they are only in `Named`.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from .fact import Count, Millis

_NO_CONTROL: Final = r"^[^\x00-\x1f]*(?![\s\S])"
Short = Annotated[str, Meta(min_length=1, max_length=64, pattern=_NO_CONTROL)]
Account = Annotated[str, Meta(min_length=1, max_length=200, pattern=_NO_CONTROL)]
"""The account as the platform's bridge hashes it: CyTube's is `cytu.be/` and the casefolded name."""
Known = Annotated[str, Meta(min_length=1, max_length=128, pattern=_NO_CONTROL)]
"""What somebody is called."""
Line = Annotated[str, Meta(max_length=512, pattern=_NO_CONTROL)]
Kind = Annotated[str, Meta(max_length=32, pattern=_NO_CONTROL)]
MediaId = Annotated[str, Meta(max_length=256, pattern=_NO_CONTROL)]


class NameRow(Struct, frozen=True, tag="name"):
    """Somebody was called so at `at`."""

    account: Account
    name: Known
    at: Millis


class BalanceRow(Struct, frozen=True, omit_defaults=True, tag="balance"):
    """What somebody had done in the room up to `at`."""

    account: Account
    name: Known
    at: Millis
    messages: Count = 0
    private_messages: Count = 0
    present_seconds: Count = 0
    afk_seconds: Count = 0
    emotes: dict[Short, Count] = {}
    thanks: dict[Short, Count] = {}
    """Received, by token."""
    first_seen: Millis | None = None
    last_seen: Millis | None = None


class MediaRow(Struct, frozen=True, tag="media"):
    """A medium began to play."""

    number: Count
    at: Millis
    title: Line
    media_type: Kind
    media_id: MediaId


class PopulationRow(Struct, frozen=True, tag="population"):
    """How many were there: moment, connected and not AFK, several times in order."""

    counts: Annotated[list[tuple[Millis, Count, Count]], Meta(min_length=1, max_length=200)]


class VoteRow(Struct, frozen=True, tag="vote"):
    """Somebody voted."""

    account: Account
    at: Millis
    vote: Annotated[int, Meta(ge=-1, le=1)]
    title: Annotated[str, Meta(min_length=1, max_length=512, pattern=_NO_CONTROL)]
    media_type: Kind
    media_id: MediaId


Row = NameRow | BalanceRow | MediaRow | PopulationRow | VoteRow
