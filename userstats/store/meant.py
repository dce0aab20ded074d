"""Who is meant by a name, as SQL: the one text behind questions about thanks, their metric and the views.

A name's key means, at a place, whoever wears it on that place's site (of several the one who took it last). An alias
means its owner, who may also be known from another site; who shares an alias is one person. An alias or its owner
that nobody has worn means the owner's name. Any other name means nobody known. All of it is worked out when asked.
"""

from __future__ import annotations

from typing import Final

_FAMILY: Final = """
    SELECT alias AS name_key, owner FROM aliases WHERE owner > 0
    UNION SELECT owner AS name_key, owner FROM aliases WHERE owner > 0
"""

ACCOUNTS: Final = f"""
accounts AS MATERIALIZED (
    SELECT person, main FROM (
        SELECT w.person,
            FIRST_VALUE(w.person) OVER (
                PARTITION BY w.platform, w.space, f.owner
                ORDER BY CASE WHEN f.owner = w.name_key THEN 0 ELSE 1 END, w.at DESC, w.person
            ) AS main,
            ROW_NUMBER() OVER (
                PARTITION BY w.person
                ORDER BY w.platform, w.space, f.owner, CASE WHEN f.owner = w.name_key THEN 0 ELSE 1 END, w.at DESC
            ) AS turn
        FROM ({_FAMILY}) AS f JOIN wearers w ON w.name_key = f.name_key
    ) AS ordered WHERE turn = 1
)"""
"""CTE `accounts`: for each person who shares an alias with others (`person`) who stands for all of them (`main`)."""

_OWNER: Final = "COALESCE(a.owner, n.who)"
_DECLARED: Final = "(a.owner IS NOT NULL OR EXISTS (SELECT 1 FROM aliases o WHERE o.owner = n.who))"
_MEANT: Final = f"""
meant AS MATERIALIZED (
    SELECT said.place, said.who, CASE WHEN said.person IS NULL THEN 1 ELSE 0 END AS unworn,
        COALESCE(accounts.main, said.person, said.owner) AS receiver
    FROM (
        SELECT n.place, n.who, {_OWNER} AS owner,
            {_DECLARED} AS declared,
            (
                SELECT w.person FROM wearers w
                WHERE w.name_key IN (SELECT {_OWNER} UNION SELECT alias FROM aliases WHERE owner = {_OWNER})
                    AND (w.platform = p.platform AND w.space = p.space OR {_DECLARED})
                ORDER BY CASE WHEN w.platform = p.platform AND w.space = p.space THEN 0 ELSE 1 END,
                    CASE WHEN w.name_key = {_OWNER} THEN 0 ELSE 1 END, w.at DESC, w.person LIMIT 1
            ) AS person
        FROM (%s) AS n JOIN places p ON p.place = n.place LEFT JOIN aliases a ON a.alias = n.who AND a.owner > 0
    ) AS said LEFT JOIN accounts ON accounts.person = said.person
    WHERE said.person IS NOT NULL OR said.declared
)"""


def meant(names: str) -> str:
    """CTEs `accounts` and `meant` for a SELECT of `place` and `who` (a name's key), each pair once.

    `meant` has a row for each pair that means somebody: `receiver` (a person; or, where `unworn`, the owner's key).
    """
    return f"{ACCOUNTS},{_MEANT % names}"


def counted(facts: str) -> str:
    """CTEs, of which `counted` has the thanks that count: to somebody who is known, and not to oneself.

    `facts` is a SELECT of `place, giver, who, token, times, plusplus`. Adds `receiver`, `unworn`, and `thanker`
    (whoever stands for the giver).
    """
    return (
        f"facts AS MATERIALIZED ({facts}),{meant('SELECT DISTINCT place, who FROM facts')},"
        " counted AS (SELECT f.place, f.giver, f.who, f.token, f.times, f.plusplus, m.receiver, m.unworn,"
        " COALESCE(g.main, f.giver) AS thanker FROM facts f"
        " JOIN meant m ON m.place = f.place AND m.who = f.who LEFT JOIN accounts g ON g.person = f.giver"
        " WHERE m.receiver <> COALESCE(g.main, f.giver))"
    )


TO_ONESELF: Final = """
own AS (
    SELECT m.receiver, t.place, t.who, t.giver, t.times, t.plusplus
    FROM meant m JOIN kudos_totals t ON t.who = m.who AND t.giver = m.receiver AND t.place = m.place
    WHERE t.times > 0
    UNION ALL
    SELECT m.receiver, t.place, t.who, t.giver, t.times, t.plusplus
    FROM meant m JOIN accounts c ON c.main = m.receiver AND c.person <> c.main
    JOIN kudos_totals t ON t.who = m.who AND t.giver = c.person AND t.place = m.place
    WHERE t.times > 0
)"""
"""CTE `own`: the thanks of all time that people said to themselves, and that do not count; needs `meant`."""


def label(person: str) -> str:
    """The latest name of a person, as a scalar expression; who has none is `#` and the end of their pseudonym."""
    return (
        "COALESCE((SELECT worn.name FROM wearers w JOIN names worn ON worn.name_key = w.name_key"
        f" WHERE w.person = {person} ORDER BY w.at DESC, worn.name DESC LIMIT 1),"
        f" '#' || SUBSTR(CAST(1000000 + {person} % 1000000 AS TEXT), 2))"
    )
