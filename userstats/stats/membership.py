"""Membership: who joins a guild and leaves it, who comes back, and how long people stay.

Stored: a row for each membership (`membered.py`), the latest roles, measures of the ledger of people (`member_joins`,
`member_leaves`: of humans, while somebody looked). A list of all members at each new connection shows who left unseen;
when exactly is not known, so they have left when it was noticed (`missed`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from .. import frames
from ..asking import Limit, Now, Period, Scope, Username
from ..buckets import Step, borders
from ..contract.events import ConsentChanged, MemberJoined, MemberLeft, MembersSeen, RolesSeen
from ..contract.pseudonym import FIRST_PERSON
from ..directory import Directory
from ..frames import bucket
from ..membered import MEMBER, MEMBERSHIPS, ROLES, Part, chose, joined, left, roles, seen
from ..statistic import Metric, Statistic, query
from ..store.seam import Reader

_Steps = Annotated[int, msgspec.Meta(ge=1, le=52)]
_MOST_COHORTS = 400


class Change(msgspec.Struct, frozen=True):
    """One hour, day, week or month; its numbers are None when nothing of it was observed."""

    at: str
    joined: int | None
    left: int | None
    net: int | None
    observed: float
    """Observed share of its time within the period, averaged over the guilds."""


class Membership(msgspec.Struct, frozen=True):
    """One stay of one person as a member."""

    domain: str
    joined: str
    """ISO time, as the platform tells it."""
    left: str | None
    """ISO time; None: they are a member."""
    why: str
    """`left` (also kicked), `banned`, `missed`: they had left before that, unseen; empty while they are members."""
    found: bool
    """They were a member already when the guild was first seen, or joined while nobody looked."""


class Cohort(msgspec.Struct, frozen=True):
    """Those who joined in the same week or month, and how many of them are left after so many more."""

    since: str
    """ISO time at which the week or month begins."""
    joined: int
    after: int
    """Weeks or months after their first one."""
    stayed: int
    share: float


class Members(msgspec.Struct, frozen=True):
    """The memberships of one guild."""

    domain: str
    members: int
    """Humans who are members, as far as lists and events told."""
    bots: int
    came: int
    """Humans who joined in the period while somebody looked."""
    went: int
    returned: int
    """Of those who came: had been members before."""
    median_stay_ms: int | None
    """Of those who left in the period and of whom it is known when they had joined; None: nobody did."""


@query("membership.changes", shape="series")
async def changes(reader: Reader, scope: Scope, period: Period, step: Step = "day") -> list[Change]:
    """How many join and leave by hour, day, week or month of the time zone."""
    edges, shares = await frames.frame(reader, scope, period, step)
    measures = {"member_joins": "", "member_leaves": ""}
    found = []
    for edge, share, sums in zip(
        edges, shares, await frames.sums(reader, scope, period, edges, measures), strict=False
    ):
        came, went = sums if share or any(sums) else (None, None)
        net = None if came is None or went is None else came - went
        found.append(Change(period.iso(edge), came, went, net, round(share, 4)))
    return found


_GUILDS = f"""
SELECT p.space, m.person, m.joined_at, m.left_at, m.found, m.bot FROM memberships m JOIN places p ON p.place = m.place
WHERE m.person >= {FIRST_PERSON}{{where}} ORDER BY p.space, m.person, m.joined_at
"""


@query("membership.overview")
async def overview(reader: Reader, scope: Scope, period: Period) -> list[Members]:
    """How many members each guild has, how many came, went and came back, and how long those who left had stayed."""
    rows = await reader.rows(_GUILDS.format(where=scope.where(column="m.place")), scope.parameters)
    start, end = period.start or 0, period.end
    guilds: dict[str, list[tuple[int, int, int | None, bool, bool]]] = {}
    for space, person, since, until, found, bot in rows:
        guilds.setdefault(space, []).append((person, since, until, bool(found), bool(bot)))
    return [_members(space, stays, start, end) for space, stays in sorted(guilds.items())]


def _members(space: str, stays: list[tuple[int, int, int | None, bool, bool]], start: int, end: int) -> Members:
    here = bots = came = went = returned = 0
    lengths = []
    before = 0
    for person, since, until, found, bot in stays:
        if until is None:
            here, bots = here + (not bot), bots + bot
        if not bot and not found and start <= since < end:
            came += 1
            returned += before == person
        if not bot and until is not None and start <= until < end:
            went += 1
            lengths.append(until - since)
        before = person
    lengths.sort()
    return Members(space, here, bots, came, went, returned, lengths[len(lengths) // 2] if lengths else None)


@query("membership.retention", period="180d")
async def retention(
    reader: Reader, scope: Scope, period: Period, step: Literal["week", "month"] = "week", steps: _Steps = 8
) -> list[Cohort]:
    """Of those who joined in the same week or month: how many are still members after so many more.

    A cohort is asked about for as long as all of it could have stayed. Who was there when the guild was first seen
    counts from when the platform says they joined only if that lies in the period.
    """
    rows = await reader.rows(
        f"SELECT m.joined_at, m.left_at FROM memberships m WHERE m.person >= {FIRST_PERSON} AND m.bot = 0 "
        f"AND m.joined_at >= :start AND m.joined_at < :end{scope.where(column='m.place')}",
        {"start": period.start or 0, "end": period.end, **scope.parameters},
    )
    if not rows:
        return []
    first = min(since for since, _ in rows) if period.start is None else period.start
    edges = borders(first, period.end, step, period.tz, _MOST_COHORTS)
    cohorts: list[list[tuple[int, int | None]]] = [[] for _ in edges[1:]]
    for since, until in rows:
        cohorts[bucket(edges, since)].append((since, until))
    found = []
    for number, (begin, _) in enumerate(pairwise(edges)):
        people = cohorts[number]
        for after in range(min(steps, len(edges) - 2 - number) + 1):
            if not people:
                break
            moment = min(edges[number + after + 1], period.end)
            stayed = sum(until is None or until >= moment for _, until in people)
            found.append(Cohort(period.iso(begin), len(people), after, stayed, round(stayed / len(people), 4)))
    return found


@query("membership.history", period="all", audience="self")
async def history(
    reader: Reader, directory: Directory, scope: Scope, now: Now, username: Username, limit: Limit = 50
) -> list[Membership]:
    """When one person joined and left each guild, the latest first."""
    who = await directory.find(username, scope)
    rows = await reader.rows(
        "SELECT p.space, m.joined_at, m.left_at, COALESCE(m.why, ''), m.found FROM memberships m "
        f"JOIN places p ON p.place = m.place WHERE m.person IN :people{scope.where(column='m.place')} "
        "ORDER BY m.joined_at DESC, p.space LIMIT :most",
        {"people": who.people, "most": limit, **scope.parameters},
    )
    return [
        Membership(space, now.iso(since), None if until is None else now.iso(until), why, bool(found))
        for space, since, until, why, found in rows
    ]


_NOW = (
    "SELECT p.platform, COUNT(m.person) FROM memberships m JOIN places p ON p.place = m.place "
    "WHERE m.left_at IS NULL AND m.bot = 0 GROUP BY p.platform ORDER BY p.platform"
)
_SUM = (
    "SELECT p.platform, SUM(t.{measure}) FROM place_totals t JOIN places p ON p.place = t.place "
    "GROUP BY p.platform ORDER BY p.platform"
)

STATISTIC = Statistic(
    name="membership",
    on={MemberJoined: joined, MemberLeft: left, MembersSeen: seen, RolesSeen: roles, ConsentChanged: chose},
    measures=("member_joins", "member_leaves"),
    tables=(MEMBERSHIPS, ROLES),
    spans=(MEMBER,),
    memory=Part,
    questions=(overview, changes, retention, history),
    metrics=(
        Metric("userstats_members", "Humans who are members of a guild, by platform.", _NOW, ("platform",)),
        Metric(
            "userstats_member_joins_total", "Humans who joined a guild while it was observed, by platform.",
            _SUM.format(measure="member_joins"), ("platform",), "counter",
        ),
        Metric(
            "userstats_member_leaves_total", "Humans who left a guild, by platform.",
            _SUM.format(measure="member_leaves"), ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
