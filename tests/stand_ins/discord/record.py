"""What really happened, written down beside the payloads, so that a test has something to compare with.

Nothing here is read back from what was sent. Times are the site's clock in ms; ids are ints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .settings import Clock, Json


@dataclasses.dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did.

    `what`: message, edit, delete, react, unreact, reactions_cleared, voice, presence, joined, left, kicked, banned,
    nick, renamed, role_given, role_taken, thread_created, thread_joined, thread_left, thread_archived,
    thread_unarchived, thread_deleted, channel_created, channel_changed, channel_deleted, filled (a deferred
    reply), slash, autocomplete, press,
    choose, submit, outage, outage_over, bot_joined, bot_left.
    """

    at: int
    what: str
    who: int | None
    guild: int | None
    channel: int | None
    """Where it was said: of a message in a thread the thread, whose `parent` is among the facts."""
    facts: Mapping[str, Json]
    """What there is to know about this kind of deed: see the place that notes it."""

    def __getitem__(self, fact: str) -> Json:
        return self.facts[fact]


class Span(NamedTuple):
    """Time in one voice channel during which nothing about it changed."""

    who: int
    guild: int
    channel: int
    began: int
    ended: int
    facts: Mapping[str, Json]
    """Of the deed that began it: self_mute, self_deaf, mute, deaf, stream, video, suppress, bot."""


class Record:
    """All deeds, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.deeds: list[Deed] = []

    def note(self, what: str, who: int | None, guild: int | None, channel: int | None = None, **facts: Json) -> None:
        """It happens now."""
        self.deeds.append(Deed(self._clock(), what, who, guild, channel, facts))

    def of(self, *kinds: str, who: int | None = None, guild: int | None = None) -> Iterator[Deed]:
        """Deeds of these kinds (of any, without), of one person, in one guild."""
        return (
            deed
            for deed in self.deeds
            if (not kinds or deed.what in kinds) and who in (None, deed.who) and guild in (None, deed.guild)
        )

    def voice_spans(self, until: int) -> Iterator[Span]:
        """Who was when in which voice channel, up to a moment; by the end of the span."""
        there: dict[int, Deed] = {}
        for deed in self.of("voice"):
            began = there.pop(deed.who or 0, None)
            if began is not None:
                yield _span(began, deed.at)
            if deed["to"] is not None:
                there[deed.who or 0] = deed
        yield from (_span(began, until) for began in there.values())

    def __len__(self) -> int:
        return len(self.deeds)


def _span(began: Deed, ended: int) -> Span:
    return Span(began.who or 0, began.guild or 0, began["to"], began.at, ended, began.facts)
