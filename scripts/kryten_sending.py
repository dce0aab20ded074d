"""An import, said to userstats: begun, row by row, and finished; what it knows already is not said again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from msgspec import to_builtins

from userstats.contract.events import OldTable, Place
from userstats.contract.import_rows import Row

from . import kryten_checks as check
from . import teaching
from .kryten_checks import Outcome
from .kryten_plan import Plan
from .teaching import Asks

SOURCE: Final = "kryten-userstats"
_LARGEST: Final = 12_000
"""Bytes of rows in one request."""
_MOST: Final = 100
"""And how many: userstats appends them to the stream all at once."""
_MOST_REMARKS: Final = 400


async def send(service: Asks, planned: Plan, file: str, progress: Callable[[int, int], None]) -> bool:
    """Have everything recorded; False where it was all recorded before. `progress`: rows done, and of how many.

    Whatever `service.ask` raises leaves an import that is gone on with when the same plan is sent again.
    """
    began = await service.ask(
        "import.begin", batch=planned.batch, source=SOURCE, file=check.line(file, 128), facts=len(planned.facts),
        names=len(planned.names), rooms=to_builtins(planned.rooms),
    )  # fmt: skip
    if began["state"] == "finished":
        return False
    rows = [*planned.facts, *planned.names]
    first = began["next"]
    for room, chunk in _chunks(rows[first - 1 :]):
        await service.ask("import.rows", batch=planned.batch, first=first, room=to_builtins(room), rows=chunk)
        first += len(chunk)
        progress(first - 1, len(rows))
    await _teach(service, planned)
    await _remarks(service, planned)
    await service.ask("import.finish", batch=planned.batch, tables=to_builtins(planned.source.tables))
    return True


def _chunks(rows: Iterable[tuple[Place, Row]]) -> Iterator[tuple[Place, list[Any]]]:
    """Rows of one place, as many as fit a request."""
    for room, group in groupby(rows, key=lambda one: one[0]):
        chunk: list[Any] = []
        size = 0
        for _, row in group:
            built = to_builtins(row)
            weight = len(json.dumps(built))
            if chunk and (size + weight > _LARGEST or len(chunk) == _MOST):
                yield room, chunk
                chunk, size = [], 0
            chunk.append(built)
            size += weight
        yield room, chunk


async def _teach(service: Asks, planned: Plan) -> None:
    for row, owner, name in planned.aliases:
        if (await teaching.alias(service, owner, name)).state == "refused":
            planned.source.say("user_aliases", row, "refused", "taken")
    for _, text in planned.phrases:
        await teaching.phrase(service, text)


async def _remarks(service: Asks, planned: Plan) -> None:
    kinds: dict[tuple[OldTable, Outcome, str], list[int]] = {}
    for remark in planned.source.remarks:
        kinds.setdefault((remark.table, remark.outcome, remark.reason), []).append(remark.row)
    for (table, outcome, reason), rows in kinds.items():
        for first in range(0, len(rows), _MOST_REMARKS):
            await service.ask(
                "import.remark", batch=planned.batch, table=table, outcome=outcome, reason=reason,
                rows=rows[first : first + _MOST_REMARKS],
            )  # fmt: skip
