"""Emotes: the ledger of them, and which ones somebody uses the most."""

from __future__ import annotations

from typing import Final

from .asking import Period, Scope, during
from .statistic import KEY, KEY_TEXT, Ledger, Rollup
from .store.seam import Reader

EMOTES: Final = Ledger(
    "emotes",
    {"emote": KEY_TEXT, "place": KEY, "person": KEY},
    ("uses", "deleted"),
    rollups=(
        Rollup("emotes_everywhere", ("emote",), (("uses DESC", "emote"),)),
        Rollup("emotes_by_place", ("place", "emote"), (("place", "uses DESC", "emote"),)),
        Rollup("emotes_place_totals", ("place",)),
        Rollup("emotes_place_days", ("day", "place", "emote")),
    ),
    totals_indexes=(("person",),),
)


async def of_people(
    reader: Reader, scope: Scope, period: Period, people: tuple[int, ...], limit: int
) -> list[tuple[str, int]]:
    """Which emotes these accounts use the most, and how often."""
    facts, parameters = during(EMOTES, period, "emote, uses", f" AND person IN :people{scope.where()}")
    rows = await reader.rows(
        f"SELECT emote, SUM(uses) FROM {facts} GROUP BY emote ORDER BY SUM(uses) DESC, emote LIMIT :most",  # noqa: S608
        {**parameters, **scope.parameters, "people": people, "most": limit},
    )
    return [(emote, uses) for emote, uses in rows]
