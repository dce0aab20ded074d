"""The tables that belong to no room: what userstats must know to count exactly."""

from __future__ import annotations

from typing import Final

from .statistic import ADD, HIGH, KEY, KEY_TEXT, PUT, PUT_TEXT, Table
from .writes import MEMORY, OPEN_SPANS

PLACES: Final = Table(
    "places",
    {"place": KEY},
    {"platform": PUT_TEXT, "space": PUT_TEXT, "channel": PUT_TEXT, "name": PUT_TEXT, "type": PUT_TEXT},
)
PRODUCERS: Final = Table("producers", {"producer": KEY_TEXT}, {"high": PUT, "holes": PUT_TEXT})
RINGS: Final = Table("recent_ids", {"place": KEY}, {"ids": PUT_TEXT})
WATCHES: Final = Table(
    "watches", {"place": KEY}, {"watch": PUT_TEXT, "since": PUT, "seen_until": PUT, "hour": PUT, "ended": PUT_TEXT}
)
OBSERVED: Final = Table("observed", {"place": KEY, "since": KEY}, {"until": PUT}, (("until",),))
SPANS: Final = Table(
    OPEN_SPANS, {"span": KEY_TEXT, "place": KEY, "person": KEY}, {"since": PUT, "began": PUT}, (("place",),)
)
ROOM_MEMORY: Final = Table(MEMORY, {"room": KEY_TEXT, "item": KEY_TEXT}, {"value": PUT_TEXT})
DEAD_LETTERS: Final = Table(
    "dead_letters",
    {"seq": KEY},
    {
        "reason": PUT_TEXT, "path": PUT_TEXT, "detail": PUT_TEXT, "subject": PUT_TEXT, "sha256": PUT_TEXT,
        "bytes": PUT, "at": PUT,
    },
)  # fmt: skip
PARKED: Final = Table("parked_events", {"room": KEY_TEXT, "seq": KEY}, {"kind": PUT_TEXT, "error": PUT_TEXT, "at": PUT})
TALLIES: Final = Table("event_tallies", {"platform": KEY_TEXT, "kind": KEY_TEXT}, {"events": ADD, "duplicates": ADD})
OPENINGS: Final = Table("opening_balances", {"place": KEY}, {"until": HIGH})
"""Up to when (milliseconds) the sums for all time of a place hold what another program counted."""

ENGINE: Final = (
    PLACES, PRODUCERS, RINGS, WATCHES, OBSERVED, SPANS, ROOM_MEMORY, DEAD_LETTERS, PARKED, TALLIES, OPENINGS,
)  # fmt: skip
"""The tables that belong to no room."""
