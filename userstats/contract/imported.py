"""The facts of an import: what another program counted before, said by userstats itself. Use them from `events.py`.

What the other program knew a time of (media, populations, votes) keeps its time. Of the rest there is only a sum: it
is an opening balance, which counts for all time and in no period, and no history is made up for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fact import INT63, RECORDER, Count, Event, Key, Millis, Name, Person, Place, Title, Token

Batch = Token
"""One import: a hash of everything that is taken over, so that the same database is the same import."""
OldTable = Literal[
    "users", "user_aliases", "message_counts", "pm_counts", "population_snapshots", "media_changes", "user_activity",
    "emote_usage", "kudos_plusplus", "kudos_phrases", "kudos_trigger_phrases", "population_watermarks", "movie_votes",
]  # fmt: skip
"""The tables of kryten-userstats."""


class ImportStarted(Event, frozen=True, kw_only=True, tag="ImportStarted"):
    """What another program counted before is taken over from here on. It is no history: see `BalanceImported`."""

    batch: Batch
    source: Literal["kryten-userstats"]
    file: Name = ""
    """The database's file name, without folders."""
    facts: Count
    """How many imported facts follow."""
    names: Count
    """How many `Named` follow them."""
    rooms: Annotated[tuple[Place, ...], Meta(max_length=100)] = ()
    """What it tells about."""


class Imported(Event, frozen=True, kw_only=True):
    """What another program counted at `room`. Userstats records it; the event's own place is userstats'."""

    batch: Batch
    room: Place

    @property
    def about(self) -> Place:
        return self.room if self.place.platform == RECORDER else self.place


class Times(Struct, frozen=True):
    """How often something short was said: an emote, or a word of thanks."""

    what: Annotated[str, Meta(min_length=1, max_length=64)]
    times: Count


class BalanceImported(Imported, frozen=True, kw_only=True, tag="BalanceImported"):
    """An opening balance: what somebody had done here up to `at`, nobody knows when. It counts for all time and in no
    period. Several about the same person here add up."""

    person: Person
    name: Key
    """Keyed hash of their casefolded name: those who thanked them said it."""
    messages: Count = 0
    private_messages: Count = 0
    present_seconds: Count = 0
    afk_seconds: Count = 0
    emotes: Annotated[tuple[Times, ...], Meta(max_length=200)] = ()
    thanks: Annotated[tuple[Times, ...], Meta(max_length=200)] = ()
    """Received, by token; from whom is not known."""
    first_seen: Millis | None = None
    last_seen: Millis | None = None


class MediaImported(Imported, frozen=True, kw_only=True, tag="MediaImported"):
    """A medium began to play at `at`."""

    number: Count
    """Of this medium among those of the import: two may have begun in the same millisecond."""
    title: Title
    media_type: Annotated[str, Meta(max_length=32)] = ""
    media_id: Annotated[str, Meta(max_length=256)] = ""


class Headcount(Struct, frozen=True):
    """How many were somewhere at a moment."""

    at: Millis
    connected: Count
    not_afk: Count


class PopulationImported(Imported, frozen=True, kw_only=True, tag="PopulationImported"):
    """How many were here at several moments; `at` is the last of them."""

    counts: Annotated[tuple[Headcount, ...], Meta(min_length=1, max_length=200)]


class VoteImported(Imported, frozen=True, kw_only=True, tag="VoteImported"):
    """Somebody voted at `at` on what played."""

    person: Person
    vote: Literal[-1, 1]
    title: Annotated[str, Meta(min_length=1, max_length=512)]
    media_type: Annotated[str, Meta(max_length=32)] = ""
    media_id: Annotated[str, Meta(max_length=256)] = ""


class RowsRemarked(Event, frozen=True, kw_only=True, tag="RowsRemarked"):
    """Rows of the old database that were not simply taken over, and why."""

    batch: Batch
    table: OldTable
    outcome: Literal["refused", "merged", "changed"]
    """Left out; one with another row; taken over, but not as it was."""
    reason: Token
    rows: Annotated[tuple[Annotated[int, Meta(ge=-(2**63), le=INT63)], ...], Meta(min_length=1, max_length=500)]
    """Their numbers in the old database."""


class TableTaken(Struct, frozen=True):
    """What became of the rows of one table: `rows` = `taken` + `merged` + `refused`."""

    table: OldTable
    rows: Count
    taken: Count
    merged: Count = 0
    refused: Count = 0


class ImportFinished(Event, frozen=True, kw_only=True, tag="ImportFinished"):
    """Everything of the import is recorded."""

    batch: Batch
    tables: Annotated[tuple[TableTaken, ...], Meta(max_length=32)]
