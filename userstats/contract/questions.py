"""Questions and answers as they cross the wire, on every surface."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

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
    places: dict[str, str] = {}
    """What the platform calls the places that `data` names by id (a Discord guild and its channels)."""
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


ParameterKind = Literal["string", "integer", "number", "boolean", "array", "json"]


class Parameter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a question may be asked with."""

    name: str
    kind: ParameterKind = "string"
    """array: of texts; json: anything else that is not simple."""
    required: bool = False
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()
    """The only values there are; empty: any."""
    least: int | None = None
    """Value of a number, length of a text or list."""
    most: int | None = None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A question that may be asked."""

    question: str
    help: str
    shape: str
    audience: str
    topic: str
    changes: bool
    """It is a request to change something."""
    period: str | None
    """The period when none is asked for; None: it is not about one."""
    scoped: bool
    """It can be asked about some places only."""
    names_people: bool
    """Its answer can tell of people by their names."""
    parameters: tuple[Parameter, ...]


class Account(NamedTuple):
    """An account of a platform, as its bridge hashes it: a Discord user's id, `cytu.be/` and a casefolded name."""

    platform: str
    account: str

    @classmethod
    def of(cls, text: str) -> Account | None:
        """The account that the header `HEADER_FOR` names; None where it names none."""
        platform, _, account = text.partition(":")
        return cls(platform, account) if platform and account else None


HEADER_FOR = "Userstats-For"
"""For whom a bridge asks, `discord:<account id>`: what this person may know is answered, and nothing more."""
HEADER_CODE = "Nats-Service-Error-Code"
HEADER_TEXT = "Nats-Service-Error"
HEADER_AS_OF = "Stats-As-Of-Seq"

LARGEST_REQUEST = 16 * 1024
"""Bytes."""
LARGEST_REPLY = 200 * 1024
"""Bytes."""
