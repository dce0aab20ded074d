"""Opening balances: what an import tool asks to have recorded, as events; and those events again for a rebuild.

Every import is an outbox of its own, so whatever is recorded twice counts once, and an interrupted import is simply run
again. Its rows are: `ImportStarted`, the facts, `ImportFinished`, and the names, which are not kept with the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from .asking import Refused
from .contract import subjects, wire
from .contract.events import (
    AnyEvent,
    BalanceImported,
    Event,
    Headcount,
    MediaImported,
    Named,
    Place,
    PopulationImported,
    Times,
    VoteImported,
)
from .contract.import_rows import BalanceRow, MediaRow, NameRow, PopulationRow, Row, VoteRow
from .recorder import PLACE, Recorder
from .store.seam import Reader

PRODUCER: Final = "import-"
"""The name of an import's outbox begins so; its batch follows."""
_decoder: Final = msgspec.json.Decoder(AnyEvent)
_STANDS: Final = """
SELECT i.facts, i.names, i.finished, p.high, p.holes FROM imports i LEFT JOIN producers p ON p.producer = :producer
WHERE i.batch = :batch
"""


class Progress(NamedTuple):
    """How far an import has come."""

    facts: int
    names: int
    next: int
    """The first row of the tool's, counted from 1, that is not recorded yet; facts come first."""
    finished: bool

    @property
    def rows(self) -> int:
        """How many rows the tool has to tell."""
        return self.facts + self.names


def producer(batch: str) -> str:
    """The name of an import's outbox."""
    return PRODUCER + batch


async def progress(reader: Reader, batch: str) -> Progress | None:
    """How an import stands; None: it was not begun."""
    rows = await reader.rows(_STANDS, {"batch": batch, "producer": producer(batch)})
    if not rows:
        return None
    return stands(*rows[0])


def stands(facts: int, names: int, finished: int | None, high: int | None, holes: str | None) -> Progress:
    """How an import stands, from what is known of it and of its outbox."""
    last = facts + names
    missing = [*json.loads(holes or "[]"), [(high or 0) + 1, n_of(facts, last + 1)]]
    rows = (row_of(facts, n) for first, end in missing for n in (first, first + 1) if n <= end)
    return Progress(facts, names, next((row for row in rows if row), last + 1), finished is not None)


def n_of(facts: int, row: int) -> int:
    """The outbox's row for a row of the tool's."""
    return row + 1 if row <= facts else row + 2


def row_of(facts: int, n: int) -> int:
    """The tool's row for a row of the outbox; 0 for the beginning and the end of the import."""
    if n in (STARTED, finish_of(facts)):
        return 0
    return n - 1 if n < finish_of(facts) else n - 2


STARTED: Final = 1
"""The outbox's row that begins the import."""


def finish_of(facts: int) -> int:
    """The outbox's row that finishes the import."""
    return facts + 2


async def begun(reader: Reader, batch: str) -> Progress:
    """How an import stands. Refused (409) when it was not begun."""
    known = await progress(reader, batch)
    if known is None:
        raise Refused(409, f"no import {batch} was begun; say import.begin first")
    return known


async def refuse_again(reader: Reader, rooms: Iterable[Place]) -> None:
    """Refused (409) where an import was about one of these rooms already."""
    wanted = {(room.platform, room.space, room.channel) for room in rooms}
    imports = await reader.rows("SELECT batch, rooms, finished FROM imports ORDER BY started, batch")
    for batch, text, finished in imports:
        if again := sorted(wanted & {tuple(room) for room in json.loads(text)}):
            room = "/".join(again[0][1:])
            if finished is None:
                raise Refused(
                    409, f"an import of {room} was begun (batch {batch}); finish it with the database as it was"
                )
            raise Refused(409, f"{room} was imported already (batch {batch}, see system.imports); it would count twice")


async def append(recorder: Recorder, batch: str, n: int, room: Place, row: Row) -> int:
    """Record a row of an import as row n of its outbox. Returns its position in the stream. Refused (400, 503)."""
    kind, at, fields = _event(recorder, batch, room, row)
    return await recorder.append_as(producer(batch), n, kind, at=at, **fields)


def _event(recorder: Recorder, batch: str, room: Place, row: Row) -> tuple[type[Event], int, dict[str, Any]]:
    about: dict[str, Any] = {"batch": batch, "room": room}
    match row:
        case NameRow():
            called = {"person": recorder.person(room.platform, row.account), "account": row.name.casefold()}
            return Named, row.at, {"key": recorder.name_key(row.name), "name": row.name, "room": room, **called}
        case BalanceRow():
            return BalanceImported, row.at, about | _balance(recorder, room, row)
        case MediaRow():
            return MediaImported, row.at, about | _but(row, "at")
        case PopulationRow():
            counts = tuple(Headcount(*count) for count in row.counts)
            return PopulationImported, max(count.at for count in counts), {**about, "counts": counts}
        case VoteRow():
            person = recorder.person(room.platform, row.account)
            return VoteImported, row.at, about | {"person": person} | _but(row, "account", "at")


def _balance(recorder: Recorder, room: Place, row: BalanceRow) -> dict[str, Any]:
    return _but(row, "account", "at") | {
        "person": recorder.person(room.platform, row.account),
        "name": recorder.name_key(row.name),
        "emotes": tuple(Times(what, times) for what, times in row.emotes.items()),
        "thanks": tuple(Times(what, times) for what, times in row.thanks.items()),
    }


def _but(row: Row, *without: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__ if name not in without}


def body(event: Event, at: int, seen: int) -> str:
    """The event as it is kept for a rebuild, which seals it again; with the times that were believed."""
    return wire.body(replace(event, at=at, seen=seen, v=0, producer="", n=0, crc=0)).decode()


class Kept(NamedTuple):
    """A message of an import, as the stream had it."""

    stamp: int
    """Nanoseconds since the epoch; not before it was recorded."""
    subject: str
    data: bytes


def messages(rows: Iterable[tuple[str, int, str]]) -> list[Kept]:
    """The messages behind kept rows (batch, row of the outbox, body), for a rebuild from a stream that has lost them.

    Apply them before the stream: whatever it still has of them is then recognised as counted.
    """
    found = []
    for batch, n, text in rows:
        event = _decoder.decode(text)
        sealed = wire.seal(text.encode(), producer(batch), n)
        found.append(Kept(event.seen * 1_000_000, subjects.event(PLACE, wire.kind_of(event)), sealed))
    return found
