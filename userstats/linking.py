"""Which accounts were proven to be one person's, in the order of the stream.

Links form stars: each account has one other that it stands with, and that one stands with none. What would not fit is
ignored, so that every replay comes to the same persons, whatever two requests at once may have recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from .contract.events import RECORDER, AccountsLinked, AccountsUnlinked, Event
from .tables import LINKS
from .writes import Moment


class Linking:
    """Everybody with more than one account."""

    def __init__(self, rows: Iterable[tuple[int, int, str]] = ()) -> None:
        """Rows of the table `links`: other, person, link."""
        self._links: dict[str, set[int]] = {}
        self._with: dict[int, int] = {}
        self._others: dict[int, int] = {}
        """How many others stand with an account."""
        for other, person, link in rows:
            self._add(other, person, link)

    def decide(self, event: Event, moment: Moment) -> None:
        """Learn from the event, if it is about this."""
        if event.place.platform != RECORDER:
            return
        if isinstance(event, AccountsLinked) and self._fits(event.person, event.other):
            self._add(event.other, event.person, event.link)
            moment.put(LINKS, (event.other,), {"person": event.person, "link": event.link, "at": moment.at})
        elif isinstance(event, AccountsUnlinked):
            for other in sorted(self._links.pop(event.link, ())):
                self._take(other)
                moment.forget(LINKS, (other,))

    def _fits(self, person: int, other: int) -> bool:
        return person != other and other not in self._with and person not in self._with and other not in self._others

    def _add(self, other: int, person: int, link: str) -> None:
        self._with[other] = person
        self._others[person] = self._others.get(person, 0) + 1
        self._links.setdefault(link, set()).add(other)

    def _take(self, other: int) -> None:
        person = self._with.pop(other)
        self._others[person] -= 1
        if not self._others[person]:
            del self._others[person]
