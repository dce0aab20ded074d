"""Backfill: how far back the history of each channel is counted, from before anybody observed it.

Stored: `backfills` (`backfilled.py`), which the engine also keeps exact; the messages themselves are counted like all
others, at the time they had been sent, and as `backfilled` beside it. Of a history only its messages are counted: not
what happened to them since, no thanks (their rules go by order), and nothing that the platform has deleted.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from ..asking import Limit, Now, Period, Scope, during
from ..contract.events import BackfillReached
from ..statistic import PEOPLE, Metric, Statistic, query
from ..store.seam import Reader
from ..tables import BACKFILLS
from ..writes import Moment


def reached(event: BackfillReached, moment: Moment) -> None:
    values = {"reached": event.reached, "state": event.state, "at": moment.at}
    if event.newest:
        values["newest"] = event.newest
    moment.put(BACKFILLS, (moment.place, event.thread), values)


class Backfill(msgspec.Struct, frozen=True):
    """The history of one channel, or of one thread in it."""

    domain: str
    channel: str
    thread: str
    """Its id; empty: what was said in the channel itself."""
    state: str
    """`complete`: to its beginning. `running`: it is being read. `partial`: it ends at `until`, as the operator wants.
    `forbidden`: the bridge may not read it."""
    until: str
    """ISO time back to which it is counted."""
    oldest: str
    """The platform's id of the oldest message that is counted, or, before any is, the first that is not history."""
    newest: str
    """Of the newest message of the history; empty: not told."""


class Counted(msgspec.Struct, frozen=True):
    """What of a channel's messages was read from its history."""

    domain: str
    channel: str
    messages: int
    backfilled: int
    """Of these: read from the history, where nobody observed the channel."""
    unfinished: int
    """Histories, of the channel and its threads, that are not complete: so many numbers are missing some."""


@query("backfill.status", period="all")
async def status(
    reader: Reader,
    scope: Scope,
    now: Now,
    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0,
    limit: Limit = 500,
) -> list[Backfill]:
    """How far back the history of each channel is counted, and whether something is missing: of `limit` histories at
    most, after the first `after` of them."""
    rows = await reader.rows(
        "SELECT p.space, p.channel, b.thread, COALESCE(b.state, 'running'), b.reached, b.oldest, b.newest "
        f"FROM backfills b JOIN places p ON p.place = b.place WHERE b.reached IS NOT NULL"
        f"{scope.where(column='b.place')} ORDER BY p.platform, p.space, p.channel, b.thread "
        "LIMIT :most OFFSET :after",
        {**scope.parameters, "most": limit, "after": after},
    )
    return [
        Backfill(space, channel, thread, state, now.iso(until), str(oldest), "" if newest is None else str(newest))
        for space, channel, thread, state, until, oldest, newest in rows
    ]


@query("backfill.messages", period="all")
async def messages(reader: Reader, scope: Scope, period: Period) -> list[Counted]:
    """How many of each channel's messages were read from its history."""
    facts, parameters = during(PEOPLE, period, "place, messages, backfilled", scope.where(), "place_totals")
    rows = await reader.rows(
        "SELECT p.space, p.channel, SUM(messages), SUM(backfilled), "
        "MAX((SELECT COUNT(*) FROM backfills b WHERE b.place = p.place AND COALESCE(b.state, '') <> 'complete')) "
        f"FROM {facts} JOIN places p ON p.place = facts.place GROUP BY p.platform, p.space, p.channel "
        "HAVING SUM(backfilled) > 0 ORDER BY SUM(backfilled) DESC, p.space, p.channel",
        {**parameters, **scope.parameters},
    )
    return [Counted(*row) for row in rows]


STATISTIC = Statistic(
    name="backfill",
    on={BackfillReached: reached},
    questions=(status, messages),
    metrics=(
        Metric(
            "userstats_backfills_unfinished", "Histories of channels that are not counted completely, by platform.",
            "SELECT p.platform, SUM(CASE WHEN b.state = 'complete' THEN 0 ELSE 1 END) FROM backfills b "
            "JOIN places p ON p.place = b.place WHERE b.reached IS NOT NULL GROUP BY p.platform ORDER BY p.platform",
            ("platform",),
        ),
    ),
    reads=("messages",),
)  # fmt: skip
