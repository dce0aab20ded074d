"""What had to be dropped or refused, told as events instead."""

from __future__ import annotations

import logging
from typing import Final

from userstats.contract import wire
from userstats.contract.events import INT63, BridgeBeat, Event, EventRefused, PopulationCounted

log = logging.getLogger(__name__)

CHEAP: Final = (BridgeBeat, PopulationCounted)
"""What may be dropped when room is short: the next one says nearly the same."""


class Losses:
    """Counts what was dropped, by place and kind, until it can be told."""

    def __init__(self) -> None:
        self.total = 0
        self._untold: dict[str, dict[str, tuple[int, int]]] = {}

    def add(self, place: str, event: Event) -> None:
        """This event was dropped."""
        if not self._untold:
            log.error("the outbox is nearly full: beats are dropped")
        kinds = self._untold.setdefault(place, {})
        count, size = kinds.get(wire.kind_of(event), (0, 0))
        kinds[wire.kind_of(event)] = (count + 1, size + len(wire.body(event)))
        self.total += 1

    def tell(self, place: str, current: Event) -> list[Event]:
        """What was dropped in this place, told through the watch that observes it now; it is told once."""
        kinds = self._untold.pop(place, {})
        if kinds and not self._untold:
            log.info("the outbox has room again")
        return [
            EventRefused(
                id=(current.id ^ (index << 32)) % INT63 + 1, at=current.at, seen=current.seen,
                place=current.place, watch=current.watch,
                refused=kind, reason="overflow", bytes=size, count=count,
            )
            for index, (kind, (count, size)) in enumerate(kinds.items(), 1)
        ]  # fmt: skip


def too_big(event: Event, size: int) -> EventRefused:
    """What stands in the outbox for an event that no stream would take."""
    log.warning("a %s was too large (%d bytes)", wire.kind_of(event), size)
    return EventRefused(
        id=event.id, at=event.at, seen=event.seen, place=event.place, watch=event.watch,
        refused=wire.kind_of(event), reason="too_big", bytes=size,
    )  # fmt: skip
