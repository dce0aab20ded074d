"""What every event says, and the words that facts are written in. Use them from `events.py`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

INT63 = 2**63 - 1

Key = Annotated[int, Meta(ge=1, le=INT63)]
"""A 63-bit keyed hash: of a name as it is said, or of what identifies an event on its platform."""

Person = Annotated[int, Meta(ge=1, le=INT63)]
"""The pseudonym of one account on one platform: a 63-bit keyed hash of platform, account and generation."""

Millis = Annotated[int, Meta(ge=946_684_800_000, le=4_102_444_800_000)]
"""Milliseconds since the epoch, UTC, between the years 2000 and 2100."""

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Token = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.-]+(?![\s\S])")]
Name = Annotated[str, Meta(max_length=128)]
Title = Annotated[str, Meta(max_length=512)]
Phrase = Annotated[str, Meta(min_length=1, max_length=64)]
EmoteName = Annotated[str, Meta(min_length=1, max_length=64)]

ROSTER_PART = 256
"""The most people one `RosterSeen` holds; larger rosters travel in parts."""


NO_WATCH = "recorder"
"""The `watch` of events that observe no place: what userstats itself records (settings, consent)."""


RECORDER = "userstats"
"""The platform of what userstats itself records."""


class Place(Struct, frozen=True):
    """Where something happened: a room of a platform. Channels are in the platform's canonical (folded) spelling."""

    platform: Token
    space: Annotated[str, Meta(max_length=96)]
    """CyTube: the site, `cytu.be`. Discord: the guild's id. Empty where there is none."""
    channel: Annotated[str, Meta(max_length=96)]
    """CyTube: the room in lower case. Discord: the channel's id. Empty where the fact is about the whole space."""


class Event(Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, forbid_unknown_fields=False):
    """What every event says. `v`, `producer`, `n` and `crc` are put on by `wire.seal`, not by normalisers."""

    id: Key
    """Keyed hash of what identifies this fact on its platform: the same fact seen twice has the same id."""
    at: Millis
    seen: Millis
    place: Place
    watch: Token
    """The unbroken connection through which this was seen."""
    v: int = 0
    """Version of the contract: 1."""
    producer: Annotated[str, Meta(max_length=64)] = ""
    """The outbox this came from."""
    n: Annotated[int, Meta(ge=0, le=INT63)] = 0
    """Row of that outbox, counted from 1 without gaps."""
    crc: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0

    @property
    def about(self) -> Place:
        """Where what it says is true."""
        return self.place
