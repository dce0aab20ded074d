"""Who is meant by a name, as SQL: the one text behind questions about thanks, their metric and the views.

A name's key means, at a place, whoever wears it on that place's site, or everywhere on its platform (of several the one
who took it last). An alias means its owner, who may also be known from another site; who shares an alias is one person.
An alias or its owner that nobody has worn means the owner's name. Any other name means nobody known. All of it is
worked out when asked.
"""

from __future__ import annotations

from typing import Final

_FAMILY: Final = """
    SELECT alias AS name_key, owner FROM aliases WHERE owner > 0
    UNION SELECT owner AS name_key, owner FROM aliases WHERE owner > 0
"""

_ALIKE: Final = f"""
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
"""
"""For each person who shares an alias with others, who stands for all of these."""

ACCOUNTS: Final = f"""
accounts AS MATERIALIZED (
    WITH alike AS MATERIALIZED ({_ALIKE}), linked AS MATERIALIZED (
        SELECT COALESCE(o.main, l.other) AS main, MIN(COALESCE(r.main, l.person)) AS root FROM links l
        LEFT JOIN alike o ON o.person = l.other LEFT JOIN alike r ON r.person = l.person
        GROUP BY COALESCE(o.main, l.other)
    ), everybody AS (
        SELECT person, main FROM alike
        UNION ALL
        SELECT person, person AS main FROM (SELECT other AS person FROM links UNION SELECT person FROM links) AS proven
        WHERE NOT EXISTS (SELECT 1 FROM alike WHERE alike.person = proven.person)
    )
    SELECT everybody.person, COALESCE(linked.root, everybody.main) AS main
    FROM everybody LEFT JOIN linked ON linked.main = everybody.main
)"""
"""CTE `accounts`: for each person who shares an alias with others, or has a linked account (`person`), who stands for
all of them (`main`). A link takes along who shares an alias with the linked account."""

_HERE: Final = "w.platform = p.platform AND w.space IN (p.space, '')"
"""A name is worn on a place's site, or everywhere on its platform."""
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
                CASE WHEN {_HERE} THEN 0 ELSE 1 END AS elsewhere
            FROM wearers w WHERE w.name_key IN (SELECT n.owner UNION SELECT alias FROM aliases WHERE owner = n.owner)
        ) AS family ORDER BY elsewhere, alias, at DESC, person LIMIT 1
    ) ELSE (
        SELECT w.person FROM wearers w WHERE w.name_key = n.who AND {_HERE}
        ORDER BY w.at DESC, w.person LIMIT 1
    ) END AS person
    FROM named n JOIN places p ON p.place = n.place
), meant AS MATERIALIZED (
    SELECT worn.place, worn.who, CASE WHEN worn.person IS NULL THEN 1 ELSE 0 END AS unworn,
        COALESCE(accounts.main, worn.person, worn.owner) AS receiver, worn.person AS wearer
    FROM worn LEFT JOIN accounts ON accounts.person = worn.person WHERE worn.person IS NOT NULL OR worn.declared
)"""
"""Each step is materialised: a database that merged them would work out the same person several times."""


def meant(names: str, before: str = "") -> str:
    """CTEs `accounts` and `meant` for a SELECT of `place` and `who` (a name's key), each pair once.

    `meant` has a row for each pair that means somebody: `receiver` (who stands for the person; or, where `unworn`, the
    owner's key) and `wearer` (the account that wears it, or NULL).
    `before` are further CTEs between the two, with a comma at the end.
    """
    return f"{ACCOUNTS},{before}{_MEANT % names}"


EVER_SAID: Final = "SELECT place, who FROM kudos_received WHERE times > 0"
"""The names that were ever said."""


def counted(facts: str, names: str = "SELECT DISTINCT place, who FROM facts", among: str = "") -> str:
    """CTEs, of which `counted` has the thanks that count: to somebody who is known, and not to oneself.

    `facts` is a SELECT of `place, giver, who` and whatever else. Adds `receiver`, `wearer`, `unworn`, and `thanker`
    (whoever stands for the giver). `names` are those of the facts, or more, for `meant`; for many facts `EVER_SAID` is
    read faster. `among` is a condition on the rows of `meant`, beginning with ` AND `. Where it does not matter who is
    meant, `judged` is quicker. The order of the join is for SQLite, which else would make an index of the facts.
    """
    return (
        f"facts AS ({facts}),{meant(names)},"
        f" thankable AS MATERIALIZED (SELECT place, who, receiver, wearer, unworn FROM meant WHERE 1 = 1{among}),"
        " counted AS (SELECT f.*, m.receiver, m.wearer, m.unworn, COALESCE(g.main, f.giver) AS thanker"
        " FROM facts f CROSS JOIN thankable m LEFT JOIN accounts g ON g.person = f.giver"
        " WHERE m.who = f.who AND m.place = f.place AND m.receiver <> COALESCE(g.main, f.giver))"
    )


SUSPECTS: Final = f"""
kin AS MATERIALIZED (
    SELECT c.main, w.name_key FROM accounts c JOIN wearers w ON w.person = c.person
    UNION
    SELECT c.main, also.name_key FROM accounts c JOIN wearers w ON w.person = c.person
    JOIN ({_FAMILY}) AS f ON f.name_key = w.name_key JOIN ({_FAMILY}) AS also ON also.owner = f.owner
), suspects AS MATERIALIZED (
    SELECT t.place, t.who, t.giver FROM wearers w CROSS JOIN kudos_totals t
    WHERE t.who = w.name_key AND t.giver = w.person AND t.times > 0
    UNION
    SELECT t.place, t.who, t.giver FROM kin CROSS JOIN accounts c CROSS JOIN kudos_totals t
    WHERE c.main = kin.main AND t.who = kin.name_key AND t.giver = c.person AND t.times > 0
),"""
"""CTE `suspects`: who ever thanked a name that may mean themselves (or whom they share an alias with)."""

ONESELF: Final = """
oneself AS MATERIALIZED (
    SELECT s.place, s.who, s.giver FROM suspects s JOIN meant m ON m.place = s.place AND m.who = s.who
    LEFT JOIN accounts g ON g.person = s.giver WHERE m.receiver = COALESCE(g.main, s.giver)
)"""
"""CTE `oneself`: which thanks people said to themselves; needs `suspects` and, at least of their names, `meant`."""

_UNCOUNTED: Final = f"""
{meant("SELECT DISTINCT place, who FROM suspects", SUSPECTS)},{ONESELF}, nobody AS MATERIALIZED (
    SELECT r.place, r.who FROM kudos_received r JOIN places p ON p.place = r.place
    WHERE r.times > 0 AND NOT EXISTS (
        SELECT 1 FROM wearers w WHERE w.name_key = r.who AND {_HERE}
    ) AND NOT EXISTS (SELECT 1 FROM aliases a WHERE a.owner = r.who OR (a.alias = r.who AND a.owner > 0))
)"""
"""CTEs `oneself`, and `nobody`: the names that were said and mean nobody known (those that `meant` has no row for).

Of all names only those are looked up whose wearers, or people who share an alias with these, said them.
"""
COUNTS: Final = 0
TO_NOBODY: Final = 1
TO_ONESELF: Final = 2


def judged(facts: str) -> str:
    """CTEs, of which `judged` has every row of `facts`, and its `verdict`: COUNTS, TO_NOBODY or TO_ONESELF.

    `facts` is a SELECT of `place, giver, who` and whatever else. What counts is the same as in `counted`, without
    saying who is meant: what does not count is found without looking every name up.
    """
    return (
        f"{_UNCOUNTED}, judged AS (SELECT f.*, CASE"
        f" WHEN (f.place, f.who) IN (SELECT place, who FROM nobody) THEN {TO_NOBODY}"
        f" WHEN (f.who, f.giver, f.place) IN (SELECT who, giver, place FROM oneself) THEN {TO_ONESELF}"
        f" ELSE {COUNTS} END AS verdict FROM ({facts}) AS f)"
    )


TOTALS: Final = f"""
WITH {_UNCOUNTED}, sums AS (
    SELECT times, plusplus FROM kudos_received
    UNION ALL
    SELECT -r.times, -r.plusplus FROM nobody n JOIN kudos_received r ON r.place = n.place AND r.who = n.who
    UNION ALL
    SELECT -t.times, -t.plusplus FROM oneself o
    JOIN kudos_totals t ON t.who = o.who AND t.giver = o.giver AND t.place = o.place
)
SELECT 'plusplus', COALESCE(SUM(plusplus), 0) FROM sums
UNION ALL SELECT 'phrase', COALESCE(SUM(times), 0) - COALESCE(SUM(plusplus), 0) FROM sums
"""
"""How many thanks count, of all time, by kind: all, without those to nobody known and those to oneself."""


def label(person: str) -> str:
    """The latest name of a person, as a scalar expression; who has none is `#` and the end of their pseudonym."""
    return (
        "COALESCE((SELECT worn.name FROM wearers w JOIN names worn ON worn.name_key = w.name_key"
        f" WHERE w.person = {person} ORDER BY w.at DESC, worn.name DESC LIMIT 1),"
        f" '#' || SUBSTR(CAST(1000000 + {person} % 1000000 AS TEXT), 2))"
    )
