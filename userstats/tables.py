"""The tables that belong to no room: what userstats must know to count exactly."""

from __future__ import annotations

from typing import Final

from .statistic import ADD, HIGH, KEY, KEY_TEXT, PUT, PUT_TEXT, Aging, Table
from .writes import MEMORY, OPEN_SPANS

PLACES: Final = Table(
    "places",
    {"place": KEY},
    {
        "platform": PUT_TEXT, "space": PUT_TEXT, "channel": PUT_TEXT, "name": PUT_TEXT, "type": PUT_TEXT,
        "folded": PUT_TEXT, "observer": PUT, "closed_at": PUT,
    },
)  # fmt: skip
"""`name` is the platform's, `folded` as it is searched; `observer` is the place whose watch sees this one, where that
is not its own (a channel's is its guild); `closed_at` when a channel ceased to exist."""
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
    {"seq": KEY, "at": KEY},
    {
        "reason": PUT_TEXT, "path": PUT_TEXT, "detail": PUT_TEXT, "subject": PUT_TEXT, "sha256": PUT_TEXT,
        "bytes": PUT,
    },
    aging=Aging("at", "reason"),
)  # fmt: skip
"""`at`: when the stream stored the message. A stream that was made anew, or lost its end, has its numbers once more."""
PARKED: Final = Table(
    "parked_events",
    {"room": KEY_TEXT, "seq": KEY, "at": KEY},
    {"kind": PUT_TEXT, "error": PUT_TEXT},
    aging=Aging("at", "room"),
)
"""Keyed as dead letters are."""
AGED: Final = Table("aged_rows", {"kept_in": KEY_TEXT, "label": KEY_TEXT}, {"number": ADD})
"""How many rows grew old and were deleted, by table and by what they were counted by."""
TALLIES: Final = Table(
    "event_tallies",
    {"platform": KEY_TEXT, "kind": KEY_TEXT},
    {"events": ADD, "duplicates": ADD, "refused_consent": ADD},
)
"""How many events there were of each kind, how many came again, and of how many nothing was counted because who they
are about does not want it."""
CONSENTS: Final = Table(
    "consents",
    {"person": KEY, "topic": KEY_TEXT},
    {"level": PUT_TEXT, "at": PUT, "revision": PUT},
    (("revision",), ("topic", "level", "person")),
    kept=True,
)
"""What people chose that may be counted of them. `level` is empty where a choice was taken back; `revision` counts the
changes of everybody."""
CONSENT_NAMES: Final = Table(
    "consent_names",
    {"person": KEY, "name_key": KEY, "platform": KEY_TEXT, "space": KEY_TEXT},
    {"at": PUT},
    kept=True,
)
"""Which names meant somebody who is off or anonymous when they chose so: thanks by these are nobody's."""
LINKS: Final = Table(
    "links",
    {"other": KEY},
    {"person": PUT, "link": PUT_TEXT, "at": PUT},
    (("link",), ("person",)),
    kept=True,
)
"""The account `other` is one person with `person`, which is itself no `other`."""
OPENINGS: Final = Table("opening_balances", {"place": KEY}, {"until": HIGH})
"""Up to when (milliseconds) the sums for all time of a place hold what another program counted."""

BACKFILLS: Final = Table(
    "backfills",
    {"place": KEY, "thread": KEY_TEXT},
    {"oldest": PUT, "newest": PUT, "reached": PUT, "state": PUT_TEXT, "at": PUT},
)
"""`oldest` and `newest` are the platform's ids; `thread` is empty for what was said in the channel itself."""

ENGINE: Final = (
    PLACES, PRODUCERS, RINGS, WATCHES, OBSERVED, SPANS, ROOM_MEMORY, DEAD_LETTERS, PARKED, AGED, TALLIES, OPENINGS,
    CONSENTS, CONSENT_NAMES, LINKS, BACKFILLS,
)  # fmt: skip
"""The tables that belong to no room."""
