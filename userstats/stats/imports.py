"""Imports: what another program (kryten-userstats) counted before, taken over as labelled opening balances.

Stored, and kept by every rebuild: `imports`, `import_tables` (what became of each old table's rows), `import_remarks`
(each row that was not simply taken over, and why) and `import_events` (the imported facts themselves, for when the
stream no longer has them; no names). Which sums hold an opening balance is in `opening_balances`.

The tool says `import.begin`, then all rows, remarks, and `import.finish`. Each row counts once, however often it is
said: an interrupted import is run again, and one that is finished changes nothing.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

import msgspec

from .. import opening
from ..asking import Limit, Now, Refused
from ..contract.events import (
    BalanceImported,
    Imported,
    ImportFinished,
    ImportStarted,
    MediaImported,
    Place,
    PopulationImported,
    RowsRemarked,
    TableTaken,
    VoteImported,
)
from ..contract.fact import Count, Name, Token
from ..contract.import_rows import Row
from ..contract.imported import OldTable
from ..recorder import Recorder
from ..statistic import KEY, KEY_TEXT, PUT, PUT_TEXT, Statistic, Table, query
from ..store.seam import Reader
from ..tables import OPENINGS
from ..writes import Moment

IMPORTS = Table(
    "imports",
    {"batch": KEY_TEXT},
    {
        "source": PUT_TEXT, "file": PUT_TEXT, "facts": PUT, "names": PUT, "rooms": PUT_TEXT, "started": PUT,
        "finished": PUT,
    },
    kept=True,
)  # fmt: skip
TAKEN = Table(
    "import_tables",
    {"batch": KEY_TEXT, "old_table": KEY_TEXT},
    {"old_rows": PUT, "taken": PUT, "merged": PUT, "refused": PUT},
    kept=True,
)
REMARKS = Table(
    "import_remarks",
    {"batch": KEY_TEXT, "old_table": KEY_TEXT, "old_row": KEY},
    {"outcome": PUT_TEXT, "reason": PUT_TEXT},
    kept=True,
)
EVENTS = Table("import_events", {"batch": KEY_TEXT, "n": KEY}, {"body": PUT_TEXT}, kept=True)

Rows = Annotated[list[Row], msgspec.Meta(min_length=1, max_length=500)]
Numbers = Annotated[list[int], msgspec.Meta(min_length=1, max_length=500)]


def started(event: ImportStarted, moment: Moment) -> None:
    keep(event, moment)
    rooms = json.dumps([[room.platform, room.space, room.channel] for room in event.rooms])
    values = {"facts": event.facts, "names": event.names, "rooms": rooms, "started": moment.at}
    moment.put(IMPORTS, (event.batch,), {"source": event.source, "file": event.file, **values})


def keep(event: ImportStarted | Imported | ImportFinished, moment: Moment) -> None:
    moment.put(EVENTS, (event.batch, event.n), {"body": opening.body(event, moment.at, moment.seen)})


def balance(event: BalanceImported, moment: Moment) -> None:
    keep(event, moment)
    moment.high(OPENINGS, (moment.place,), {"until": moment.at})


def remarked(event: RowsRemarked, moment: Moment) -> None:
    for row in event.rows:
        values = {"outcome": event.outcome, "reason": event.reason}
        moment.put(REMARKS, (event.batch, event.table, row), values)


def finished(event: ImportFinished, moment: Moment) -> None:
    keep(event, moment)
    moment.put(IMPORTS, (event.batch,), {"finished": moment.at})
    for one in event.tables:
        values = {"old_rows": one.rows, "taken": one.taken, "merged": one.merged, "refused": one.refused}
        moment.put(TAKEN, (event.batch, one.table), values)


class TakenTable(msgspec.Struct, frozen=True):
    """What became of the rows of one old table: `rows` = `taken` + `merged` + `refused`."""

    table: str
    rows: int
    taken: int
    merged: int
    """One with another row: the same account in other capitals, the same moment twice."""
    refused: int


class Import(msgspec.Struct, frozen=True):
    """One import: what, from what, when, and how much of it was not taken."""

    batch: str
    source: str
    file: str
    rooms: list[str]
    started: str
    """ISO time."""
    finished: str | None
    """ISO time; None: it was interrupted, or is going on."""
    recorded: int
    """Facts and names recorded so far."""
    events: int
    """Facts and names there are in it."""
    rows: int
    taken: int
    merged: int
    refused: int
    tables: list[TakenTable]
    """Once it is finished."""


class Remark(msgspec.Struct, frozen=True):
    """A row of the old database that was not simply taken over."""

    table: str
    row: int
    outcome: str
    """refused, merged, changed"""
    reason: str


class Begun(msgspec.Struct, frozen=True):
    """How an import stands."""

    state: Literal["new", "interrupted", "finished"]
    next: int
    """The first row, counted from 1, that is not recorded yet."""


class Recorded(msgspec.Struct, frozen=True):
    """Rows were recorded and are counted."""

    rows: int


_IMPORTS = f"""
SELECT i.batch, i.source, i.file, i.rooms, i.started, i.finished,
    i.facts, i.names, i.finished, p.high, p.holes
FROM imports i LEFT JOIN producers p ON p.producer = '{opening.PRODUCER}' || i.batch ORDER BY i.started, i.batch
"""
_TABLES = "SELECT batch, old_table, old_rows, taken, merged, refused FROM import_tables ORDER BY batch, old_table"


@query("system.imports", period="all")
async def listed(reader: Reader, now: Now) -> list[Import]:
    """What was taken over from other programs: when, from what, how many rows, and how many were not taken."""
    tables: dict[str, list[TakenTable]] = {}
    for batch, *one in await reader.rows(_TABLES):
        tables.setdefault(batch, []).append(TakenTable(*one))
    return [_import(now, tables.get(row[0], []), *row) for row in await reader.rows(_IMPORTS)]


def _import(
    now: Now, tables: list[TakenTable], batch: str, source: str, file: str, rooms: str, begin: int, end: int | None,
    *outbox: Any,
) -> Import:  # fmt: skip
    known = opening.stands(*outbox)
    return Import(
        batch=batch,
        source=source,
        file=file,
        rooms=["/".join(room[1:]) for room in json.loads(rooms)],
        started=now.iso(begin),
        finished=None if end is None else now.iso(end),
        recorded=known.next - 1,
        events=known.rows,
        rows=sum(one.rows for one in tables),
        taken=sum(one.taken for one in tables),
        merged=sum(one.merged for one in tables),
        refused=sum(one.refused for one in tables),
        tables=tables,
    )


@query("system.import_remarks", audience="staff", period="all")
async def remarks(
    reader: Reader, batch: Token | None = None, outcome: Literal["refused", "merged", "changed"] | None = None,
    limit: Limit = 100,
) -> list[Remark]:  # fmt: skip
    """Rows of imported databases that were left out, taken together with others, or changed, and why."""
    wanted: dict[str, Any] = {"batch": batch, "outcome": outcome}
    where = "".join(f" AND {name} = :{name}" for name, value in wanted.items() if value is not None)
    rows = await reader.rows(
        f"SELECT old_table, old_row, outcome, reason FROM import_remarks WHERE 1 = 1{where} "
        "ORDER BY batch, old_table, old_row LIMIT :most",
        {**wanted, "most": limit},
    )
    return [Remark(*row) for row in rows]


@query("import.begin", shape="card", audience="operator", period="all", changes=True)
async def begin(
    reader: Reader, recorder: Recorder, batch: Token, source: Literal["kryten-userstats"], file: Name, facts: Count,
    names: Count, rooms: list[Place],
) -> Begun:  # fmt: skip
    """Begin an import, or say how far it came. Refused (409) where another one was about the same rooms."""
    known = await opening.progress(reader, batch)
    if known is None:
        await opening.refuse_again(reader, rooms)
        seq = await recorder.append_as(
            opening.producer(batch), opening.STARTED, ImportStarted, batch=batch, source=source, file=file, facts=facts,
            names=names, rooms=tuple(rooms),
        )  # fmt: skip
        await recorder.counted(seq)
        return Begun("new", 1)
    return Begun("finished" if known.finished else "interrupted", known.next)


@query("import.rows", shape="card", audience="operator", period="all", changes=True)
async def take(reader: Reader, recorder: Recorder, batch: Token, first: Count, room: Place, rows: Rows) -> Recorded:
    """Take these rows over, of which `first` is the number of the first one, counted from 1; facts before names."""
    known = await opening.begun(reader, batch)
    if not 1 <= first <= known.rows + 1 - len(rows):
        raise Refused(400, f"first: rows {first} to {first + len(rows) - 1} are not among the {known.rows} announced")
    appended = (
        opening.append(recorder, batch, opening.n_of(known.facts, number), room, row)
        for number, row in enumerate(rows, first)
    )
    await recorder.counted(max(await asyncio.gather(*appended)))
    return Recorded(len(rows))


@query("import.remark", shape="card", audience="operator", period="all", changes=True)
async def remark(
    reader: Reader, recorder: Recorder, batch: Token, table: OldTable,
    outcome: Literal["refused", "merged", "changed"], reason: Token, rows: Numbers,
) -> Recorded:  # fmt: skip
    """Write down which rows were not simply taken over."""
    await opening.begun(reader, batch)
    await recorder.record(RowsRemarked, batch=batch, table=table, outcome=outcome, reason=reason, rows=tuple(rows))
    return Recorded(len(rows))


@query("import.finish", shape="card", audience="operator", period="all", changes=True)
async def finish(reader: Reader, recorder: Recorder, batch: Token, tables: list[TableTaken]) -> Begun:
    """Finish an import. Refused (409) while rows are missing."""
    known = await opening.begun(reader, batch)
    if known.next <= known.rows:
        raise Refused(409, f"row {known.next} of {known.rows} is not recorded yet; run the import again")
    seq = await recorder.append_as(
        opening.producer(batch), opening.finish_of(known.facts), ImportFinished, batch=batch, tables=tuple(tables)
    )
    await recorder.counted(seq)
    return Begun("finished", known.next)


STATISTIC = Statistic(
    name="imports",
    on={
        ImportStarted: started, BalanceImported: balance, MediaImported: keep, PopulationImported: keep,
        VoteImported: keep, RowsRemarked: remarked, ImportFinished: finished,
    },
    tables=(IMPORTS, TAKEN, REMARKS, EVENTS),
    questions=(listed, remarks, begin, take, remark, finish),
)  # fmt: skip
