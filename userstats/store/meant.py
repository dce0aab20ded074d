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
named AS MATERIALIZED (
    SELECT n.place, n.who, {_OWNER} AS owner, {_DECLARED} AS declared
    FROM (%s) AS n LEFT JOIN aliases a ON a.alias = n.who AND a.owner > 0
), worn AS MATERIALIZED (
    SELECT n.place, n.who, n.owner, n.declared, CASE WHEN n.declared THEN (
        SELECT person FROM (
            SELECT w.person, w.at, CASE WHEN w.name_key = n.owner THEN 0 ELSE 1 END AS alias,
                CASE WHEN w.platform = p.platform AND w.space = p.space THEN 0 ELSE 1 END AS elsewhere
            FROM wearers w WHERE w.name_key IN (SELECT n.owner UNION SELECT alias FROM aliases WHERE owner = n.owner)
        ) AS family ORDER BY elsewhere, alias, at DESC, person LIMIT 1
    ) ELSE (
        SELECT w.person FROM wearers w WHERE w.name_key = n.who AND w.platform = p.platform AND w.space = p.space
        ORDER BY w.at DESC, w.person LIMIT 1
    ) END AS person
    FROM named n JOIN places p ON p.place = n.place
), meant AS MATERIALIZED (
    SELECT worn.place, worn.who, CASE WHEN worn.person IS NULL THEN 1 ELSE 0 END AS unworn,
        COALESCE(accounts.main, worn.person, worn.owner) AS receiver
    FROM worn LEFT JOIN accounts ON accounts.person = worn.person WHERE worn.person IS NOT NULL OR worn.declared
)"""
"""Each step is materialised: a database that merged them would work out the same person several times."""


def meant(names: str, before: str = "") -> str:
    """CTEs `accounts` and `meant` for a SELECT of `place` and `who` (a name's key), each pair once.

    `meant` has a row for each pair that means somebody: `receiver` (a person; or, where `unworn`, the owner's key).
    `before` are further CTEs between the two, with a comma at the end.
    """
    return f"{ACCOUNTS},{before}{_MEANT % names}"


def counted(facts: str, also: str = "") -> str:
    """CTEs, of which `counted` has the thanks that count: to somebody who is known, and not to oneself.

    `facts` is a SELECT of `place, giver, who, token, times, plusplus`, and maybe of a column `also`. Adds `receiver`,
    `unworn`, and `thanker` (whoever stands for the giver).
    """
    return _joined(facts, "counted", also) + " WHERE m.receiver <> COALESCE(g.main, f.giver))"


def known(facts: str) -> str:
    """CTEs like those of `counted`, of which `known` also has what people said to themselves."""
    return _joined(facts, "known", "") + ")"


def _joined(facts: str, name: str, also: str) -> str:
    return (
        f"facts AS MATERIALIZED ({facts}),{meant('SELECT DISTINCT place, who FROM facts')},"
        f" {name} AS (SELECT f.place, f.giver, f.who, f.token, f.times, f.plusplus{also and f', f.{also}'},"
        " m.receiver, m.unworn,"
        " COALESCE(g.main, f.giver) AS thanker FROM facts f"
        " JOIN meant m ON m.place = f.place AND m.who = f.who LEFT JOIN accounts g ON g.person = f.giver"
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


_SUSPICIOUS: Final = """
suspicious AS MATERIALIZED (
    SELECT t.place, t.who FROM wearers w CROSS JOIN kudos_totals t
    WHERE w.person = t.giver AND w.name_key = t.who AND t.times > 0
    UNION
    SELECT t.place, t.who FROM accounts c JOIN kudos_totals t ON t.giver = c.person WHERE t.times > 0
),"""
TOTALS: Final = f"""
WITH {meant("SELECT place, who FROM suspicious", _SUSPICIOUS)},{TO_ONESELF}, sums AS (
    SELECT times, plusplus FROM kudos_received
    UNION ALL SELECT -times, -plusplus FROM own
    UNION ALL
    SELECT -r.times, -r.plusplus FROM kudos_received r JOIN places p ON p.place = r.place
    WHERE NOT EXISTS (
        SELECT 1 FROM wearers w WHERE w.name_key = r.who AND w.platform = p.platform AND w.space = p.space
    ) AND NOT EXISTS (SELECT 1 FROM aliases a WHERE a.owner = r.who OR (a.alias = r.who AND a.owner > 0))
)
SELECT 'plusplus', COALESCE(SUM(plusplus), 0) FROM sums
UNION ALL SELECT 'phrase', COALESCE(SUM(times), 0) - COALESCE(SUM(plusplus), 0) FROM sums
"""
"""How many thanks count, of all time, by kind: all, without those to nobody known and those to oneself.

Of all names only those are looked up whose wearers, or people who share an alias, said them.
"""
