"""Boards: who has the most of something, with the accounts of one person taken together. Exact, and by index."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .asking import Period, Scope, during
from .directory import Directory
from .statistic import PEOPLE
from .store.seam import Reader

_NOBODY: Final[Mapping[int, int]] = MappingProxyType({})
_MOST_NAMED: Final = 5_000
"""More people than this are not picked out one by one; the whole board is read instead."""
_TOP: Final = """
SELECT person, number FROM (
    SELECT person, number FROM {sums} WHERE number > 0 AND person NOT IN :bots{shown}
    ORDER BY number DESC, person LIMIT :most
) AS top
"""
_ALSO: Final = """
UNION SELECT person, number FROM {sums} WHERE person IN :also AND person NOT IN :bots{shown}
"""


async def ranked(
    reader: Reader,
    directory: Directory,
    scope: Scope,
    period: Period,
    value: str,
    limit: int,
    still: Mapping[int, int] = _NOBODY,
) -> list[tuple[str, int]]:
    """Names and numbers, largest first; nobody with nothing, no bots, and nobody who is not shown.

    `value` is a measure of the ledger of people, or an expression over such; `still` is what each person has beyond
    what is written down (states that last; what is written may then be below zero), at places where they are shown.
    Whoever is not among the first rows, shares no alias and has nothing beyond what is written cannot be among the
    first `limit`; the others are read whatever their place.
    """
    mains = await directory.main()
    bots = {person for (person,) in await reader.rows("SELECT person FROM wearers WHERE bot = 1")}
    also = sorted({*mains, *still} - bots)
    shown = await directory.shown(scope)
    parameters = {
        **scope.parameters, **shown.parameters, "most": limit + len(mains), "also": also, "bots": sorted(bots),
    }  # fmt: skip
    if len(also) > _MOST_NAMED:
        parameters |= {"most": 2**31, "also": []}
    whole = "everyone_totals" if scope.places is None and not shown.mixed else ""
    where = scope.where() + (shown.rows() if shown.mixed else "")
    facts, times = during(PEOPLE, period, f"person, {value} AS number", where, whole)
    if period.all_time and (whole or len(scope.places or ()) == 1):
        sql = (_TOP + _ALSO if also else _TOP).format(sums=facts, shown=shown.people())
    else:
        top = (_TOP + _ALSO if also else _TOP).format(sums="sums", shown=shown.people())
        sql = f"WITH sums AS (SELECT person, SUM(number) AS number FROM {facts} GROUP BY person) {top}"  # noqa: S608
    found = dict(await reader.rows(sql, {**times, **parameters}))
    seen = await directory.visible(still)
    for person, more in still.items():
        if person in seen and person not in bots:
            found[person] = found.get(person, 0) + more
    return await directory.merged([row for row in found.items() if row[1] > 0], limit)
