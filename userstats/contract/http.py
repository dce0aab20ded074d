"""What programs say to each other over HTTP besides questions: events, for whoever cannot reach NATS.

The body of a POST is NDJSON, one sealed event a line (`wire.seal`): the checksum is over the very bytes, which a JSON
array would not keep. `If-Match` may name the broker process that took what the sender published before.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .appending import BATCH_ROWS

EVENTS: Final = "/api/events"
OPENAPI: Final = "/api/openapi.json"
NDJSON: Final = "application/x-ndjson"
MOST_EVENTS: Final = BATCH_ROWS
"""In one request."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one request."""


def question_path(name: str) -> str:
    """Where the question `noun.verb` is asked."""
    return f"/api/{name.replace('.', '/', 1)}"


class Dead(msgspec.Struct, frozen=True):
    """A line that is no event to this userstats. It is in the stream, and becomes a dead letter."""

    index: int
    """Of the line, the first is 0; blank lines are none."""
    reason: str
    path: str
    """Where in the line the fault lies."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """All lines are in the stream, in their order."""

    success: bool = True
    stored: int
    """How many lines there were. What the stream had already is not stored twice, and is in this number."""
    dead: list[Dead] = []
    broker: str
    """Which broker process took them."""


class Takes(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken, and by whom."""

    success: bool = True
    broker: str
    """Which broker process takes events now; for `If-Match`."""
    most_events: int = MOST_EVENTS
    most_bytes: int = MOST_BYTES
