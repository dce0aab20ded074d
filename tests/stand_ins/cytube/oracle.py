"""What really happened, counted beside the frames, so that an end-to-end test has something to compare with.

Nothing here is read back from frames: the room says what it did, with the server's clock. Names are compared without
case and kept as first seen. Anonymous people are only counted in `anonymous_joins`.
"""

from __future__ import annotations

import dataclasses
import re

from .frames import Json

_THANKS = re.compile(r"\+\+([\w-]{1,20})", re.ASCII)


@dataclasses.dataclass(slots=True)
class Person:
    """One name's evening. Times in ms."""

    name: str
    messages: int = 0
    words: int = 0
    """Of `messages`, separated by blanks."""
    shadow_messages: int = 0
    """Said while shadow-muted: only moderators and the speaker saw them. Not in `messages`."""
    pms: int = 0
    pms_received: int = 0
    joins: int = 0
    replaced: int = 0
    """How many of the joins were a duplicate login taking over a session that was still there."""
    afk_spans: int = 0
    afk_ms: int = 0
    present_ms: int = 0
    emotes: dict[str, int] = dataclasses.field(default_factory=dict)
    """Uses of the room's emotes that stood alone between blanks, by emote."""
    thanks: dict[str, int] = dataclasses.field(default_factory=dict)
    """`++name` as a whole word, by the name in lower case."""
    present_since: int | None = None
    afk_since: int | None = None


class Oracle:
    """The count of one room."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.anonymous_joins = 0
        self.media = 0
        self.cleared = 0

    def person(self, name: str) -> Person:
        """The one of this name, known or new."""
        return self.people.setdefault(name.lower(), Person(name))

    def joined(self, name: str, at: int, *, replacing: bool) -> None:
        """A named member is in the room from now on."""
        person = self.person(name)
        person.joins += 1
        person.replaced += replacing
        person.present_since = at

    def left(self, name: str, at: int) -> None:
        """The named member is gone; an AFK span ends with it."""
        person = self.person(name)
        self.afk(name, at, on=False)
        person.present_ms += at - (at if person.present_since is None else person.present_since)
        person.present_since = None

    def afk(self, name: str, at: int, *, on: bool) -> None:
        """The AFK flag changed, or is said again."""
        person = self.person(name)
        if on and person.afk_since is None:
            person.afk_spans += 1
            person.afk_since = at
        elif not on and person.afk_since is not None:
            person.afk_ms += at - person.afk_since
            person.afk_since = None

    def said(self, name: str, text: str, emotes: frozenset[str], *, shadow: bool) -> None:
        """One chat line that was sent out; `text` is what was typed."""
        person = self.person(name)
        if shadow:
            person.shadow_messages += 1
            return
        person.messages += 1
        person.words += len(text.split())
        for word in text.split():
            thanked = _THANKS.fullmatch(word)
            if word in emotes:
                person.emotes[word] = person.emotes.get(word, 0) + 1
            if thanked:
                person.thanks[thanked[1].lower()] = person.thanks.get(thanked[1].lower(), 0) + 1

    def whispered(self, name: str, to: str) -> None:
        """One private message that was delivered."""
        self.person(name).pms += 1
        self.person(to).pms_received += 1

    def report(self, now: int) -> Json:
        """Everything as JSON; what is still open (presence, AFK) counts up to `now` (ms)."""
        people = [
            self._closed(person, now) for person in sorted(self.people.values(), key=lambda who: who.name.lower())
        ]
        return {
            "at": now,
            "messages": sum(person.messages for person in people),
            "pms": sum(person.pms for person in people),
            "media": self.media,
            "clears": self.cleared,
            "anonymous_joins": self.anonymous_joins,
            "people": {person.name: self._row(person) for person in people},
        }

    @staticmethod
    def _closed(person: Person, now: int) -> Person:
        afk = 0 if person.afk_since is None else now - person.afk_since
        present = 0 if person.present_since is None else now - person.present_since
        return dataclasses.replace(person, afk_ms=person.afk_ms + afk, present_ms=person.present_ms + present)

    @staticmethod
    def _row(person: Person) -> Json:
        row = dataclasses.asdict(person)
        row.pop("name")
        return row
