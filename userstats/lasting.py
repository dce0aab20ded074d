"""States that last now, as far as they were observed: what questions add to what is credited."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from .asking import Period, Scope
from .shown import Shown
from .store.seam import Reader

OPEN: Final = (
    "open_spans s JOIN places p ON p.place = s.place JOIN watches w ON w.place = COALESCE(p.observer, p.place)"
)
"""SQL: the spans that are open, with their places and their watches."""
WITHIN: Final = (
    "(CASE WHEN w.seen_until < :p_last THEN w.seen_until ELSE :p_last END"
    " - CASE WHEN s.since > :p_first THEN s.since ELSE :p_first END)"
)
"""SQL: the milliseconds of such a span that are not credited and lie in a period; not above 0 where there are none."""


def bounds(period: Period) -> dict[str, int]:
    """The parameters of `WITHIN`."""
    return {"p_first": period.first or 0, "p_last": period.last}


class Lasting(NamedTuple):
    """What an open span has beyond what is credited, within a period."""

    place: int
    person: int
    span: str
    """Its name, with what it is about."""
    milliseconds: int
    began: int
    until: int
    """The last sign of life of its watch."""


async def lasting(
    reader: Reader,
    scope: Scope,
    period: Period,
    spans: Collection[str],
    people: Collection[int] | None = None,
    shown: Shown | None = None,
) -> list[Lasting]:
    """What these spans have, by place and person: of these people, of those who are shown, or of all."""
    where = scope.where(column="s.place")
    parameters: dict[str, Any] = {**scope.parameters, "spans": tuple(spans)}
    if people is not None:
        where += " AND s.person IN :people"
        parameters["people"] = tuple(people)
    if shown is not None:
        where += shown.rows("s.person", "s.place")
        parameters |= shown.parameters
    rows = await reader.rows(
        f"SELECT s.place, s.person, s.span, s.since, s.began, w.seen_until FROM {OPEN} "  # noqa: S608
        f"WHERE s.span IN :spans{where} ORDER BY s.place, s.person, s.span",
        parameters,
    )
    return [
        Lasting(place, person, span, period.within(since, until), began, until)
        for place, person, span, since, began, until in rows
    ]
