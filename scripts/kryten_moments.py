"""What the old database knows a time of: what played, how many were there, and who voted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bridges.cytube_room.channels import PLATFORM
from userstats.contract.events import OldTable, Place
from userstats.contract.import_rows import MediaRow, PopulationRow, Row, VoteRow

from . import kryten_checks as check
from .kryten_people import People, account
from .kryten_source import Source

_COUNTS: Final = 150
"""Moments in one `PopulationRow`."""
_TITLE, _TYPE, _ID = 512, 32, 256


class _Medium(NamedTuple):
    title: str
    media_type: str
    media_id: str


class Moments:
    """Everything in a database that has a time."""

    def __init__(self, source: Source, people: People) -> None:
        self._source = source
        self._people = people
        self._counts: dict[Place, dict[int, tuple[int, int, int]]] = {}
        self._votes: dict[tuple[str, str, str, str], VoteRow] = {}
        self._media = source.each("media_changes", self._medium)
        source.each("population_snapshots", self._snapshot)
        source.each("population_watermarks", self._watermark)
        source.each("movie_votes", self._vote)

    def rows(self) -> Iterator[tuple[Place, Row]]:
        """All of it, in order."""
        media = sorted(self._media, key=lambda one: (one[0].space, one[0].channel, one[1]))
        for number, (place, at, medium) in enumerate(media, 1):
            yield place, MediaRow(number, at, *medium)
        for place, counts in sorted(self._counts.items(), key=lambda one: (one[0].space, one[0].channel)):
            ordered = [counts[at] for at in sorted(counts)]
            for first in range(0, len(ordered), _COUNTS):
                yield place, PopulationRow(ordered[first : first + _COUNTS])
        for (space, channel, *_), vote in sorted(self._votes.items(), key=lambda one: one[0]):
            yield Place(PLATFORM, space, channel), vote

    def totals(self) -> dict[str, int]:
        """How many there are."""
        return {
            "media": len(self._media),
            "snapshots": sum(map(len, self._counts.values())),
            "votes": len(self._votes),
        }

    def _medium(
        self, row: int, channel: object, domain: object, timestamp: object, title: object, kind: object, name: object
    ) -> tuple[Place, int, _Medium]:
        place, at = check.room(domain, channel), self._source.moment(timestamp)
        return place, at, self._fit("media_changes", row, title, kind, name)

    def _snapshot(
        self, row: int, channel: object, domain: object, timestamp: object, connected: object, chat: object
    ) -> None:
        self._count("population_snapshots", row, channel, domain, timestamp, connected, chat)

    def _watermark(
        self, row: int, channel: object, domain: object, timestamp: object, connected: object, chat: object
    ) -> None:
        # A highest or lowest count is a count; mostly the snapshot that it is about is there too.
        self._count("population_watermarks", row, channel, domain, timestamp, connected, chat)

    def _count(
        self, table: OldTable, row: int, channel: object, domain: object, timestamp: object, total: object, chat: object
    ) -> None:
        place, at = check.room(domain, channel), self._source.moment(timestamp)
        connected, not_afk = check.count(total), check.count(chat)
        counts = self._counts.setdefault(place, {})
        if at in counts:
            self._source.say(table, row, "merged", "same_moment")
            return
        counts[at] = (at, connected, not_afk)

    def _vote(
        self, row: int, channel: object, domain: object, title: object, kind: object, media: object, username: object,
        vote: object, timestamp: object,
    ) -> None:  # fmt: skip
        name, place, at = check.name(username), check.room(domain, channel), self._source.moment(timestamp)
        medium = self._fit("movie_votes", row, title, kind, media)
        if not medium.title:
            raise check.Refused("title")
        if vote not in (-1, 1):
            raise check.Refused("vote")
        folded = name.casefold()
        key = (place.space, place.channel, medium.title, folded)
        self._source.again("movie_votes", row, key)
        self._people.meet(place.space, name)
        said = VoteRow(account(place.space, folded), at, int(vote), *medium)
        self._votes[key] = max(self._votes.get(key, said), said, key=lambda one: one.at)

    def _fit(self, table: OldTable, row: int, *texts: object) -> _Medium:
        """Title, type and id, fit to keep."""
        fit = [check.line(text, longest) for text, longest in zip(texts, (_TITLE, _TYPE, _ID), strict=True)]
        if fit != ["" if text is None else text for text in texts]:
            self._source.say(table, row, "changed", "text_cut")
        return _Medium(*fit)
