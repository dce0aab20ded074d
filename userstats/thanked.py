"""Thanks: the ledger of them, what counts of it, and who received and gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from .asking import Period, Scope, during
from .directory import Called, Directory, Who
from .shown import Shown
from .statistic import KEY, KEY_TEXT, Ledger, Rollup
from .store.meant import COUNTS, EVER_SAID, ONESELF, SUSPECTS, counted, judged, meant
from .store.seam import Reader

Kind = Literal["all", "plusplus", "phrases"]
PLUSPLUS: Final = "++"

KUDOS: Final = Ledger(
    "kudos",
    {"who": KEY, "giver": KEY, "place": KEY, "token": KEY_TEXT},
    ("times", "plusplus", "bot", "cooldown", "back_thank", "daily_cap"),
    rollups=(Rollup("kudos_received", ("place", "who")),),
    totals_indexes=(("giver",),),
)
"""`who` is the key of a name as it was said; `times` counts what no rule refused, `plusplus` those of it with `++`."""
NOBODY: Final = 0
"""The giver where it is not known who it was (imported thanks); no person has this number."""

OF_KIND: Final[Mapping[str, str]] = {"all": "times", "plusplus": "plusplus", "phrases": "(times - plusplus)"}
"""The number of thanks of a kind, as an expression."""

_RECEIVED: Final = """
WITH {counted} SELECT receiver, unworn, SUM({number}) AS number FROM counted
WHERE {number} > 0 GROUP BY receiver, unworn ORDER BY number DESC, receiver, unworn LIMIT :most
"""
_EVER_RECEIVED: Final = f"""
WITH {meant(EVER_SAID, SUSPECTS)}, {ONESELF}, sums AS (
    SELECT place, who, {{number}} AS number FROM kudos_received
    UNION ALL
    SELECT t.place, t.who, -{{number}} FROM oneself o
    JOIN kudos_totals t ON t.who = o.who AND t.giver = o.giver AND t.place = o.place
)
SELECT m.receiver, m.unworn, SUM(s.number) AS number FROM sums s CROSS JOIN meant m
WHERE m.place = s.place AND m.who = s.who{{where}}
GROUP BY m.receiver, m.unworn HAVING SUM(s.number) > 0 ORDER BY number DESC, receiver, unworn LIMIT :most
"""  # noqa: S608
_PAIRS: Final = """
WITH {counted} SELECT thanker, receiver, unworn, SUM(times) AS number FROM counted
WHERE 1 = 1{where} GROUP BY receiver, thanker, unworn ORDER BY number DESC, thanker, receiver LIMIT :most
"""
_GIVEN: Final = f"""
WITH {{judged}}, said AS (
    SELECT giver, SUM({{number}}) AS number FROM judged
    WHERE {{number}} > 0 AND verdict = {COUNTS} AND giver <> :nobody GROUP BY giver
)
SELECT COALESCE(g.main, said.giver) AS thanker, SUM(number) AS number
FROM said LEFT JOIN accounts g ON g.person = said.giver WHERE 1 = 1{{shown}}
GROUP BY 1 ORDER BY number DESC, thanker LIMIT :most
"""  # noqa: S608
_ABOUT: Final = " AND (who IN :keys OR giver IN :people)"
"""A condition on facts: they may be about one person."""


class Share(NamedTuple):
    """One person's part in the thanks, by token, most frequent first."""

    received: Mapping[str, int]
    given: Mapping[str, int]


def facts_of(
    scope: Scope, period: Period, columns: str = "times, plusplus", where: str = ""
) -> tuple[str, dict[str, Any]]:
    """A SELECT of what no rule refused, as `meant.counted` and `meant.judged` take it, and its parameters."""
    columns = f"place, giver, who, {columns}"
    facts, parameters = during(KUDOS, period, columns, f" AND times > 0{scope.where()}{where}")
    return f"SELECT {columns} FROM {facts}", {**parameters, **scope.parameters}  # noqa: S608


async def share(reader: Reader, scope: Scope, period: Period, who: Who) -> Share:
    """What one person received from others and gave to others."""
    facts, parameters = facts_of(scope, period, "token, times", _ABOUT)
    mine = "wearer IN :people" if who.people else "who IN :keys"
    rows = await reader.rows(
        f"WITH {counted(facts)} SELECT CASE WHEN {mine} THEN 1 ELSE 0 END, token, SUM(times) "  # noqa: S608
        f"FROM counted WHERE {mine} OR giver IN :people GROUP BY 1, 2 ORDER BY 3 DESC, 2",
        {**parameters, "keys": who.keys, "people": who.people},
    )
    return Share(
        {token: number for got, token, number in rows if got}, {token: number for got, token, number in rows if not got}
    )


async def board(
    reader: Reader, directory: Directory, scope: Scope, period: Period, kind: Kind, limit: int
) -> list[tuple[str, int]]:
    """Who was thanked the most, of those who are shown: names and numbers, largest first."""
    number = OF_KIND[kind]
    shown = await directory.shown(scope)
    facts, parameters = facts_of(scope, period)
    if period.all_time:
        sql = _EVER_RECEIVED.format(number=number, where=scope.where(column="s.place") + _named(shown, "m."))
    else:
        sql = _RECEIVED.format(counted=counted(facts, EVER_SAID, _named(shown)), number=number)
    rows = await reader.rows(sql, {**parameters, **shown.parameters, "most": limit})
    called = await _called(directory, ((receiver, unworn) for receiver, unworn, _ in rows))
    return [(called[receiver, unworn], number) for receiver, unworn, number in rows]


async def givers(
    reader: Reader, directory: Directory, scope: Scope, period: Period, kind: Kind, limit: int
) -> list[tuple[str, int]]:
    """Who thanked others the most, of those who are shown: names and numbers, largest first."""
    shown = await directory.shown(scope)
    facts, parameters = facts_of(scope, period, where=shown.rows("giver") if shown.mixed else "")
    after = "" if shown.mixed else shown.people("said.giver")
    rows = await reader.rows(
        _GIVEN.format(judged=judged(facts), number=OF_KIND[kind], shown=after),
        {**parameters, **shown.parameters, "most": limit, "nobody": NOBODY},
    )
    called = await _called(directory, ((giver, 0) for giver, _ in rows))
    return [(called[giver, 0], number) for giver, number in rows]


async def pairs(
    reader: Reader, directory: Directory, scope: Scope, period: Period, who: Who | None, limit: int
) -> list[tuple[str, str, int]]:
    """Who thanked whom the most, of those who are shown, or only where one person is one of the two: names of givers
    and receivers, and numbers."""
    shown = await directory.shown(scope)
    only: dict[str, Any] = {"most": limit, **shown.parameters}
    if who is None:
        facts, parameters = facts_of(scope, period, "times", shown.rows("giver"))
        sql = _PAIRS.format(counted=counted(facts, EVER_SAID, _named(shown)), where="")
    else:
        facts, parameters = facts_of(scope, period, "times", _ABOUT)
        mine = "wearer IN :people" if who.people else "who IN :keys"
        others = f"(giver IN :people OR {shown.condition('giver', 'place')})"
        where = f" AND (giver IN :people OR {mine}) AND {others}{_named(shown, or_else=f'{mine} OR ')}"
        sql = _PAIRS.format(counted=counted(facts), where=where)
        only |= {"people": who.people, "keys": who.keys}
    rows = await reader.rows(sql, {**parameters, **only})
    called = await _called(directory, (one for row in rows for one in ((row[0], 0), row[1:3])))
    return [(called[giver, 0], called[receiver, unworn], number) for giver, receiver, unworn, number in rows]


def _named(shown: Shown, of: str = "", or_else: str = "") -> str:
    """A condition, beginning with ` AND `: who is thanked is shown, or is a name that nobody wears."""
    return f" AND ({or_else}{of}unworn = 1 OR ({shown.condition(of + 'wearer', of + 'place')}))"


async def _called(directory: Directory, those: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """What to call people, given who stands for them, and names that nobody wears, given their keys and 1.

    Who stands for others but is not shown is called like the first of these who is.
    """
    wanted = set(those)
    mains = {main for main, unworn in wanted if not unworn}
    faces = {main: main for main in mains}
    if hidden := mains - await directory.visible(mains):
        grouped = await directory.main()
        others = [person for person, main in grouped.items() if main in hidden]
        faces |= {grouped[person]: person for person in sorted(await directory.visible(others), reverse=True)}
    told = {one: Called(one[0] if one[1] else faces[one[0]], bool(one[1])) for one in wanted}
    called = await directory.called(told.values())
    return {one: called[face] for one, face in told.items()}
