"""What of each channel's history is counted: a message that was read from it counts once, however often it is read.

A history is read from the newest message to the oldest, and its ids grow with time, so one number says what is
counted: the oldest message so far. Where reading begins, at the last message from before the channel was observed, is
said by a first `BackfillReached` and never changes (guarantee G26).
"""

from __future__ import annotations

from collections.abc import Iterable

from .contract.events import BackfillReached, Event, MessageSent
from .tables import BACKFILLS
from .writes import Writes


class Backfills:
    """The oldest message that is counted, by place and thread."""

    def __init__(self, rows: Iterable[tuple[int, str, int]] = ()) -> None:
        self._oldest = {(place, thread): oldest for place, thread, oldest in rows}
        self._touched: set[tuple[int, str]] = set()

    def accept(self, event: Event, place: int) -> bool:
        """Whether this is no message of a history that was counted before, and does not say that less of it is counted
        than is: so tells a bridge that has lost what it knew."""
        if isinstance(event, MessageSent):
            return not event.backfilled or self._older(place, event.thread, event.backfilled)
        if isinstance(event, BackfillReached):
            return self._older(place, event.thread, event.oldest) or self._oldest[place, event.thread] == event.oldest
        return True

    def save(self, writes: Writes) -> None:
        """The rows to commit with the batch."""
        for key in sorted(self._touched):
            writes.put(BACKFILLS.name, key, {"oldest": self._oldest[key]})
        self._touched.clear()

    def _older(self, place: int, thread: str, number: int) -> bool:
        known = self._oldest.get((place, thread))
        if known is not None and number >= known:
            return False
        self._oldest[place, thread] = number
        self._touched.add((place, thread))
        return True
