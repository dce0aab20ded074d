"""Emotes: which ones are used, where and by whom.

Stored: the ledger `emotes` (`emoted.py`), by emote (in the platform's spelling), place and person. What
bots say does not count. `uses` is gross; what of it was in messages that are deleted since is in `deleted`, at the time
it had been said.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from ..asking import Limit, Period, Scope, Username, during
from ..contract.events import BalanceImported, MessageDeleted, MessageSent
from ..directory import Directory
from ..emoted import EMOTES, of_people
from ..statistic import Metric, Statistic, query
from ..store.meant import ACCOUNTS
from ..store.seam import Reader
from ..writes import Moment


def said(event: MessageSent, moment: Moment) -> None:
    if event.by == "person":
        for emote, uses in Counter(event.emotes).items():
            moment.tally(EMOTES, (emote, moment.place, event.author), {"uses": uses})


def deleted(event: MessageDeleted, moment: Moment) -> None:
    if event.author is not None and event.by == "person":
        for emote, uses in Counter(event.emotes).items():
            moment.tally(EMOTES, (emote, moment.place, event.author), {"deleted": uses}, at=event.sent)


def imported(event: BalanceImported, moment: Moment) -> None:
    for emote in event.emotes:
        moment.carry(EMOTES, (emote.what, moment.place, event.person), {"uses": emote.times})


class Used(msgspec.Struct, frozen=True):
    """One row of a board of emotes."""

    emote: str
    count: int


class UsedHere(msgspec.Struct, frozen=True):
    """How often an emote is used, and by how many."""

    emote: str
    count: int
    people: int
    deleted: int = 0
    """Of these uses: in messages that are deleted since."""


@query("user.emotes", period="all")
async def user(
    reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username, limit: Limit = 20
) -> list[Used]:
    """Which emotes one person uses the most."""
    who = await directory.find(username, scope)
    return [Used(*row) for row in await of_people(reader, scope, period, who.people, limit)]


@query("leaderboard.emotes")
async def leaderboard(reader: Reader, scope: Scope, period: Period, limit: Limit = 10) -> list[Used]:
    """Which emotes are used the most."""
    whole = "emotes_everywhere" if scope.places is None else "emotes_by_place"
    facts, parameters = during(EMOTES, period, "emote, uses AS number", scope.where(), whole, "emotes_place_days")
    if not period.all_time or len(scope.places or (0,)) > 1:
        facts = f"(SELECT emote, SUM(number) AS number FROM {facts} GROUP BY emote) AS sums"
    rows = await reader.rows(
        f"SELECT emote, number FROM {facts} ORDER BY number DESC, emote LIMIT :most",
        {**parameters, **scope.parameters, "most": limit},
    )
    return [Used(*row) for row in rows]


@query("channel.emotes")
async def channel(reader: Reader, scope: Scope, period: Period, limit: Limit = 20) -> list[UsedHere]:
    """Which emotes are used in a channel, how often and by how many people."""
    top = await leaderboard(reader, scope, period, limit)
    facts, parameters = during(EMOTES, period, "emote, person, deleted", f" AND emote IN :emotes{scope.where()}")
    rows = await reader.rows(
        f"WITH {ACCOUNTS} SELECT emote, COUNT(DISTINCT COALESCE(main, facts.person)), SUM(facts.deleted) FROM {facts} "
        "LEFT JOIN accounts ON accounts.person = facts.person GROUP BY emote",
        {**parameters, **scope.parameters, "emotes": [used.emote for used in top]},
    )
    more = {emote: (people, gone) for emote, people, gone in rows}
    return [UsedHere(used.emote, used.count, *more[used.emote]) for used in top]


STATISTIC = Statistic(
    name="emotes",
    on={MessageSent: said, MessageDeleted: deleted, BalanceImported: imported},
    ledgers=(EMOTES,),
    questions=(user, leaderboard, channel),
    metrics=(
        Metric(
            "userstats_emotes_total", "Uses of emotes by persons, by platform.",
            "SELECT p.platform, SUM(t.uses) FROM emotes_place_totals t JOIN places p ON p.place = t.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
