"""Thanks: the ledger of them, what counts of it, and the board, which is exact without looking every name up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from .asking import Period, Scope, during
from .directory import Called, Directory, Who
from .statistic import KEY, KEY_TEXT, Ledger, Rollup
from .store.meant import ACCOUNTS, TO_ONESELF, counted, meant
from .store.seam import Reader

Kind = Literal["all", "plusplus", "phrases"]
PLUSPLUS: Final = "++"

KUDOS: Final = Ledger(
    "kudos",
    {"who": KEY, "giver": KEY, "place": KEY, "token": KEY_TEXT},
    ("times", "plusplus", "bot", "cooldown", "back_thank", "daily_cap"),
    rollups=(
        Rollup("kudos_names", ("who",), (("times DESC", "who"),)),
        Rollup("kudos_received", ("place", "who"), (("place", "times DESC", "who"),)),
    ),
    totals_indexes=(("giver",),),
)
"""`who` is the key of a name as it was said; `times` counts what no rule refused, `plusplus` those of it with `++`."""
NOBODY: Final = 0
"""The giver where it is not known who it was (imported thanks); no person has this number."""

OF_KIND: Final[Mapping[str, str]] = {"all": "times", "plusplus": "plusplus", "phrases": "(times - plusplus)"}
"""The number of thanks of a kind, as an expression."""

_COLUMNS: Final = "place, giver, who, token, times, plusplus"
_LONGEST: Final = 10_000
"""More names than this are not looked up one by one."""
_WIDEST: Final = "SELECT COALESCE(MAX(worn), 1) FROM (SELECT COUNT(*) AS worn FROM wearers GROUP BY person) AS each_one"
_SHARED: Final = f"""
WITH {ACCOUNTS} SELECT w.name_key FROM accounts JOIN wearers w ON w.person = accounts.person
UNION SELECT alias FROM aliases WHERE owner > 0 UNION SELECT owner FROM aliases WHERE owner > 0
"""  # noqa: S608
_ALSO_WORN: Final = """
SELECT b.name_key FROM wearers a JOIN wearers b ON b.person = a.person WHERE a.name_key IN :names
"""
_RECEIVED: Final = f"""
WITH said AS MATERIALIZED (
    SELECT place, who, SUM({{number}}) AS number FROM {{facts}} GROUP BY place, who
), {meant("SELECT place, who FROM said")}, {TO_ONESELF}
SELECT 0, m.receiver, m.unworn, 0, 0, 0, SUM(s.number)
FROM meant m JOIN said s ON s.place = m.place AND s.who = m.who GROUP BY m.receiver, m.unworn
UNION ALL
SELECT 1, receiver, 0, place, who, giver, SUM({{number}}) FROM own GROUP BY receiver, place, who, giver
"""  # noqa: S608


class _Said(NamedTuple):
    """A name and how often it was thanked."""

    who: int
    number: int


class _Own(NamedTuple):
    """Thanks of a person to themselves."""

    place: int
    who: int
    giver: int


class Share(NamedTuple):
    """One person's part in the thanks, by token, most frequent first."""

    received: Mapping[str, int]
    given: Mapping[str, int]


def facts_of(scope: Scope, period: Period, where: str = "") -> tuple[str, dict[str, Any]]:
    """A SELECT of what no rule refused, as `meant.counted` takes it, and its parameters."""
    facts, parameters = during(KUDOS, period, _COLUMNS, f" AND times > 0{scope.where()}{where}")
    return f"SELECT {_COLUMNS} FROM {facts}", {**parameters, **scope.parameters}  # noqa: S608


async def share(reader: Reader, scope: Scope, period: Period, who: Who) -> Share:
    """What one person received from others and gave to others."""
    facts, parameters = facts_of(scope, period, " AND (who IN :keys OR giver IN :people)")
    mine = "receiver IN :people" if who.people else "who IN :keys"
    rows = await reader.rows(
        f"WITH {counted(facts)} SELECT CASE WHEN {mine} THEN 1 ELSE 0 END, token, SUM(times) "  # noqa: S608
        f"FROM counted WHERE {mine} OR thanker IN :people GROUP BY 1, 2 ORDER BY 3 DESC, 2",
        {**parameters, "keys": who.keys, "people": who.people},
    )
    return Share(
        {token: number for got, token, number in rows if got}, {token: number for got, token, number in rows if not got}
    )


async def thanked(
    reader: Reader, directory: Directory, scope: Scope, period: Period, kind: Kind, limit: int
) -> list[tuple[str, int]]:
    """Who was thanked the most: names and numbers, largest first.

    Looks up the names that were said most often, and all others of the same people. A person who was not looked up
    wears at most so many names, each said no more often than the last of these: enough names are taken when that
    cannot reach the board.
    """
    ((widest,),) = await reader.rows(_WIDEST)
    most = 4 * limit + 50
    while True:
        top = await _most_said(reader, scope, period, kind, most)
        board = await _received(reader, scope, period, kind, await _with_others(reader, top))
        best = sorted(board.items(), key=lambda one: (-one[1], one[0]))[:limit]
        if len(top) < most or (len(best) == limit and best[-1][1] > widest * top[-1].number):
            labels = await directory.called(receiver for receiver, _ in best)
            return [(labels[receiver], number) for receiver, number in best if number > 0]
        most = most * 4 if most * 4 <= _LONGEST else 2**31


async def _most_said(reader: Reader, scope: Scope, period: Period, kind: Kind, most: int) -> list[_Said]:
    whole = "kudos_names" if scope.places is None else "kudos_received"
    number = OF_KIND[kind]
    facts, parameters = during(KUDOS, period, f"who, {number} AS number", f" AND {number} > 0{scope.where()}", whole)
    if not period.all_time or len(scope.places or (0,)) > 1:
        facts = f"(SELECT who, SUM(number) AS number FROM {facts} GROUP BY who) AS sums"  # noqa: S608
    rows = await reader.rows(
        f"SELECT who, number FROM {facts} ORDER BY number DESC, who LIMIT :most",  # noqa: S608
        {**parameters, **scope.parameters, "most": most},
    )
    return [_Said(*row) for row in rows]


async def _with_others(reader: Reader, top: Sequence[_Said]) -> list[int] | None:
    """These names, those of people who share an alias, and all other names of the same people; None: every name."""
    names = [said.who for said in top] + [key for (key,) in await reader.rows(_SHARED)]
    if len(names) > _LONGEST:
        return None
    names += [key for (key,) in await reader.rows(_ALSO_WORN, {"names": names})]
    return sorted(set(names))


async def _received(
    reader: Reader, scope: Scope, period: Period, kind: Kind, names: list[int] | None
) -> Counter[Called]:
    """What those who are meant by these names received from others."""
    where = scope.where() + ("" if names is None else " AND who IN :names")
    facts, parameters = during(KUDOS, period, "place, who, times, plusplus", where, "kudos_received")
    sql = _RECEIVED.format(number=OF_KIND[kind], facts=facts)
    rows = await reader.rows(sql, {**parameters, **scope.parameters, "names": names or ()})
    board = Counter({Called(row[1], bool(row[2])): row[-1] for row in rows if not row[0]})
    own = {_Own(*row[3:6]): (row[1], row[-1]) for row in rows if row[0]}
    if own and not period.all_time:
        own = {key: (own[key][0], number) for key, number in await _in_period(reader, period, kind, own)}
    for receiver, number in own.values():
        board[Called(receiver, False)] -= number
    return board


async def _in_period(
    reader: Reader, period: Period, kind: Kind, own: Mapping[_Own, tuple[int, int]]
) -> list[tuple[_Own, int]]:
    """Of thanks that people ever said to themselves those of a period."""
    facts, parameters = during(
        KUDOS, period, f"place, who, giver, {OF_KIND[kind]} AS number",
        " AND who IN :names AND giver IN :givers AND place IN :places",
    )  # fmt: skip
    rows = await reader.rows(
        f"SELECT place, who, giver, SUM(number) FROM {facts} GROUP BY place, who, giver",  # noqa: S608
        {
            **parameters,
            "places": sorted({one.place for one in own}),
            "names": sorted({one.who for one in own}),
            "givers": sorted({one.giver for one in own}),
        },
    )
    return [(_Own(*key), number) for *key, number in rows if _Own(*key) in own]
