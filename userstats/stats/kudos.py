"""Kudos: who thanks whom, with `++` or a phrase of thanks next to a name.

Stored: the ledger `kudos`, by name as it was said, giver, place and token (`++` or the phrase). What a rule refused is
stored beside what counts, under the reason (see `kudos_rules.py`). Who is meant by a name is worked out when asked:
a corrected alias corrects the past, a name that means nobody known is stored but not shown, and thanks to oneself,
also under another name, do not count.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import msgspec

from .. import thanked
from ..asking import Limit, Period, Scope, Username, during
from ..buckets import SLOT, Step, borders, slots
from ..contract.events import AliasAdded, AliasRemoved, BalanceImported, MessageSent, Named
from ..directory import Directory
from ..kudos_rules import KudosSettings, Memo, alias_added, alias_removed, judge, named
from ..observed import Stretch, covered, stretches
from ..statistic import QUARTER_MS, Metric, Section, Statistic, query
from ..store.meant import COUNTS, TO_NOBODY, TO_ONESELF, TOTALS, judged
from ..store.seam import Reader
from ..thanked import KUDOS, NOBODY, PLUSPLUS, Kind, facts_of, share
from ..writes import Moment

_MOST_BUCKETS = 1000


def said(event: MessageSent, moment: Moment) -> None:
    seen = set()
    for thanks in event.thanks:
        if thanks.who in seen:  # one for each message, giver and receiver
            continue
        seen.add(thanks.who)
        verdict = judge(event, thanks.who, moment)
        amounts: dict[str, int] = {verdict: 1}
        if verdict == "times" and thanks.token == PLUSPLUS:
            amounts["plusplus"] = 1
        moment.tally(KUDOS, (thanks.who, event.author, moment.place, thanks.token), amounts)


def imported(event: BalanceImported, moment: Moment) -> None:
    for thanks in event.thanks:
        amounts = {"times": thanks.times}
        if thanks.what == PLUSPLUS:
            amounts["plusplus"] = thanks.times
        moment.carry(KUDOS, (event.name, NOBODY, moment.place, thanks.what), amounts)


class Thanked(msgspec.Struct, frozen=True):
    """One row of a board."""

    username: str
    count: int


class Phrased(msgspec.Struct, frozen=True):
    """How often a word of thanks was said."""

    phrase: str
    count: int


class Kudos(msgspec.Struct, frozen=True):
    """The thanks of one person."""

    username: str
    received: int
    plusplus: int
    """Of those received, with `++`."""
    phrases: list[Phrased]
    """Of those received, with a phrase."""
    given: int
    given_plusplus: int


class Pair(msgspec.Struct, frozen=True):
    """Who thanks whom."""

    giver: str
    receiver: str
    count: int


class Bucket(msgspec.Struct, frozen=True):
    """The thanks of one hour, day, week or month; None when nothing of it was observed."""

    at: str
    """ISO time of its beginning."""
    count: int | None
    plusplus: int | None
    """Of those with `++`."""


class Verdict(msgspec.Struct, frozen=True):
    """How many thanks there were that did or did not count, for one reason."""

    verdict: str
    """`counted`; or why not: `self`, `unknown_name`, `bot`, `cooldown`, `back_thank`, `daily_cap`."""
    count: int


@query("user.kudos", shape="card", period="all")
async def user(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> Kudos:
    """How often one person was thanked, and thanked others."""
    who = await directory.find(username, scope)
    received, given = await share(reader, scope, period, who)
    phrases = [Phrased(token, number) for token, number in received.items() if token != PLUSPLUS]
    return Kudos(
        who.name, sum(received.values()), received.get(PLUSPLUS, 0), phrases, sum(given.values()),
        given.get(PLUSPLUS, 0),
    )  # fmt: skip


@query("leaderboard.kudos")
async def leaderboard(
    reader: Reader, directory: Directory, scope: Scope, period: Period, kind: Kind = "all", limit: Limit = 10
) -> list[Thanked]:
    """Who is thanked the most, with ++ or a phrase."""
    return [Thanked(*row) for row in await thanked.board(reader, directory, scope, period, kind, limit)]


@query("leaderboard.givers")
async def givers(
    reader: Reader, directory: Directory, scope: Scope, period: Period, kind: Kind = "all", limit: Limit = 10
) -> list[Thanked]:
    """Who thanks others the most."""
    return [Thanked(*row) for row in await thanked.givers(reader, directory, scope, period, kind, limit)]


@query("kudos.pairs")
async def pairs(
    reader: Reader,
    directory: Directory,
    scope: Scope,
    period: Period,
    username: Username | None = None,
    limit: Limit = 10,
) -> list[Pair]:
    """Who thanks whom the most; with a username only pairs with that person."""
    who = None if username is None else await directory.find(username, scope)
    return [Pair(*row) for row in await thanked.pairs(reader, directory, scope, period, who, limit)]


@query("channel.phrases")
async def phrases(reader: Reader, scope: Scope, period: Period, limit: Limit = 20) -> list[Phrased]:
    """Which words of thanks are said the most, ++ among them."""
    facts, parameters = facts_of(scope, period, "token, times")
    rows = await reader.rows(
        f"WITH {judged(facts)} SELECT token, SUM(times) AS number FROM judged "
        f"WHERE verdict = {COUNTS} GROUP BY token ORDER BY number DESC, token LIMIT :most",
        {**parameters, "most": limit},
    )
    return [Phrased(*row) for row in rows]


_BY_TIME = f"""
WITH {{judged}} SELECT {SLOT} AS slot, SUM(times), SUM(plusplus) FROM judged WHERE verdict = {COUNTS} GROUP BY 1
"""
_QUARTERS = """
SELECT quarter, place, giver, who, times, plusplus FROM kudos_quarters
WHERE times > 0 AND quarter >= :since AND quarter < :until
"""


@query("channel.kudos_by_hour", shape="series", period="7d")
async def by_hour(reader: Reader, scope: Scope, period: Period, step: Step = "hour") -> list[Bucket]:
    """Thanks by hour, day, week or month of the time zone.

    The first and the last bucket hold what lies within the period.
    """
    seen = await stretches(reader, scope, period)
    first = period.first if period.first is not None else await _first(reader, seen, period)
    if first is None:
        return []
    edges = borders(first, period.end, step, period.tz, _MOST_BUCKETS)
    widths = slots(edges)
    times = {"since": first // QUARTER_MS, "until": period.last // QUARTER_MS}
    rows = await reader.rows(
        _BY_TIME.format(judged=judged(_QUARTERS + scope.where())),
        {**times, **widths.parameters, **scope.parameters},
    )
    sums = [[0, 0] for _ in edges[1:]]
    for slot, count, plusplus in rows:
        bucket = sums[bisect.bisect_right(edges, widths.start(slot)) - 1]
        bucket[:] = [bucket[0] + count, bucket[1] + plusplus]
    observed = covered([(one.since, one.until) for one in seen], edges)
    return [
        Bucket(period.iso(at), *(bucket if seen or bucket[0] else (None, None)))
        for at, bucket, seen in zip(edges, sums, observed, strict=False)
    ]


async def _first(reader: Reader, known: Sequence[Stretch], period: Period) -> int | None:
    """When there was first anything to know."""
    ((quarter,),) = await reader.rows("SELECT MIN(quarter) FROM kudos_quarters")
    moments = [one.since for one in known] + ([] if quarter is None else [quarter * QUARTER_MS])
    return min((moment for moment in moments if moment < period.end), default=None)


@query("kudos.verdicts")
async def verdicts(reader: Reader, scope: Scope, period: Period) -> list[Verdict]:
    """How many thanks counted, and why others did not."""
    refused = [name for name in KUDOS.measures if name not in ("times", "plusplus")]
    facts, parameters = during(KUDOS, period, ", ".join(("times", *refused)), scope.where())
    sums = ", ".join(f"COALESCE(SUM({name}), 0)" for name in ("times", *refused))
    ((times, *counts),) = await reader.rows(f"SELECT {sums} FROM {facts}", {**parameters, **scope.parameters})
    facts, parameters = facts_of(scope, period, "times")
    rows = await reader.rows(
        f"WITH {judged(facts)} SELECT verdict, SUM(times) FROM judged WHERE verdict <> {COUNTS} GROUP BY verdict",
        parameters,
    )
    uncounted = {TO_ONESELF: 0, TO_NOBODY: 0, **dict(rows)}
    found = {
        "counted": times - sum(uncounted.values()), "self": uncounted[TO_ONESELF], "unknown_name": uncounted[TO_NOBODY]
    }  # fmt: skip
    return [Verdict(*one) for one in (found | dict(zip(refused, counts, strict=True))).items()]


STATISTIC = Statistic(
    name="kudos",
    on={
        MessageSent: said, Named: named, AliasAdded: alias_added, AliasRemoved: alias_removed,
        BalanceImported: imported,
    },
    ledgers=(KUDOS,),
    memory=Memo,
    settings=Section("kudos", KudosSettings),
    questions=(user, leaderboard, givers, pairs, phrases, by_hour, verdicts),
    metrics=(
        Metric(
            "userstats_kudos_total", "Thanks that count (to somebody known, not to oneself), by kind.", TOTALS,
            ("kind",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
