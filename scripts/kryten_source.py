"""The old database's rows with what becomes of them: the one loop over a table that every reader uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from userstats.contract.events import OldTable, TableTaken

from . import kryten_checks as check
from .kryten_checks import EARLIEST, Outcome, Refused, Remark
from .kryten_database import OldDatabase

T = TypeVar("T")
_GRAVITY: Final[tuple[Outcome, ...]] = ("changed", "merged", "refused")


class Source:
    """One pass over a database."""

    def __init__(self, database: OldDatabase, now: int) -> None:
        self._database = database
        self._now = now
        self._rows: Counter[OldTable] = Counter()
        self._remarks: dict[tuple[OldTable, int], Remark] = {}
        self._seen: dict[OldTable, set[Hashable]] = {}
        self.newest = EARLIEST
        """The latest moment that was read: up to it the old program counted."""

    def each(self, table: OldTable, read: Callable[..., T | None]) -> list[T]:
        """What `read` makes of each row's number and values: None is left out, and so is a row that it refuses."""
        found = []
        for row, values in self._database.rows(table):
            self._rows[table] += 1
            try:
                made = read(row, *values)
            except Refused as refused:
                self.say(table, row, "refused", refused.reason)
                continue
            if made is not None:
                found.append(made)
        return found

    def again(self, table: OldTable, row: int, key: Hashable, reason: str = "capitals") -> bool:
        """Whether an earlier row of this table was about the same; then this one is merged with it."""
        seen = self._seen.setdefault(table, set())
        if key in seen:
            self.say(table, row, "merged", reason)
            return True
        seen.add(key)
        return False

    def moment(self, value: object) -> int:
        """Milliseconds of a date. Raises Refused."""
        at = check.moment(value, self._now)
        self.newest = max(self.newest, at)
        return at

    def say(self, table: OldTable, row: int, outcome: Outcome, reason: str) -> None:
        """Note what became of a row: the gravest of what is said of it."""
        before = self._remarks.get((table, row))
        if before is None or _GRAVITY.index(outcome) > _GRAVITY.index(before.outcome):
            self._remarks[table, row] = Remark(table, row, outcome, reason)

    @property
    def remarks(self) -> list[Remark]:
        """By table and row."""
        return [self._remarks[key] for key in sorted(self._remarks)]

    @property
    def tables(self) -> list[TableTaken]:
        """The sums of every table there is."""
        counts = Counter((remark.table, remark.outcome) for remark in self._remarks.values())
        found = []
        for table in self._database.tables:
            merged, refused = counts[table, "merged"], counts[table, "refused"]
            rows = self._rows[table]
            found.append(TableTaken(table, rows, rows - merged - refused, merged, refused))
        return found
