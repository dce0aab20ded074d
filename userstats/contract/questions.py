"""Questions and answers as they cross the wire, on every surface."""

from __future__ import annotations

from typing import Any

import msgspec


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the period was observed."""

    ratio: float | None
    """Observed time over the period's length, averaged over the places; None: no place was ever observed."""
    observed_since: str | None
    """ISO time of the first observation of these places."""
    imported_until: str | None = None
    """ISO time up to which the numbers hold an opening balance that another program counted; None: they hold none.
    It is in numbers for all time only, and no part of what `ratio` is about."""


class PeriodText(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """A period as answers print it: ISO times in the answer's zone."""

    start: str | None
    end: str
    text: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answered question."""

    success: bool = True
    question: str
    shape: str
    data: Any
    period: PeriodText | None
    """None where the question has no period."""
    timezone: str
    coverage: Coverage | None
    as_of: int
    """Position of the stream up to which everything is counted in this answer."""
    generated_at: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a question was not answered."""

    code: int
    message: str
    details: dict[str, Any] = {}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The reply to a question that was not answered."""

    success: bool = False
    question: str
    error: Problem


HEADER_CODE = "Nats-Service-Error-Code"
HEADER_TEXT = "Nats-Service-Error"
HEADER_AS_OF = "Stats-As-Of-Seq"

LARGEST_REQUEST = 16 * 1024
"""Bytes."""
LARGEST_REPLY = 200 * 1024
"""Bytes."""
