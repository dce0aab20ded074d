"""Reactions: which emotes people put under messages, whose, and what of it was taken back.

Stored: the ledger `reactions`, by emote, place and person who gave it (`given`, and `taken_back` of it, by the person
or by a moderator); measures of the ledger of people, of who gave and of whose message got them. Given and received are
gross, net is less what was taken back (guarantee G13). Whose message it is, a platform may not say when a reaction is
taken back: that one is missing in `reactions_lost` and told as such. Reactions of bots do not count.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ..asking import Limit, Period, Scope, Username, during
from ..contract.events import ReactionAdded, ReactionRemoved
from ..directory import Directory
from ..ranking import ranked
from ..statistic import KEY, KEY_TEXT, PEOPLE, Ledger, Metric, Rollup, Statistic, query
from ..store.seam import Reader
from ..writes import Moment

REACTIONS: Final = Ledger(
    "reactions",
    {"emote": KEY_TEXT, "place": KEY, "person": KEY},
    ("given", "taken_back"),
    rollups=(
        Rollup("reactions_by_place", ("place", "emote")),
        Rollup("reactions_place_days", ("day", "place", "emote")),
    ),
    totals_indexes=(("person",),),
)
NOBODY: Final = 0
"""A moderator took back all reactions of a message, and the bridge did not remember whose they were."""
_NET: Final = {
    "given": "(reactions_given - reactions_taken_back)",
    "received": "(reactions_received - reactions_lost)",
}


def added(event: ReactionAdded, moment: Moment) -> None:
    if event.bot:
        return
    moment.tally(REACTIONS, (event.emote, moment.place, event.person), {"given": 1})
    moment.count(event.person, {"reactions_given": 1})
    if event.author is not None:
        own = event.author == event.person
        moment.count(event.author, {"reactions_own": 1} if own else {"reactions_received": 1})


def removed(event: ReactionRemoved, moment: Moment) -> None:
    if event.bot:
        return
    person = NOBODY if event.person is None else event.person
    moment.tally(REACTIONS, (event.emote, moment.place, person), {"taken_back": 1})
    moment.count(person, {"reactions_taken_back": 1})
    if event.author is not None and event.author != event.person:
        moment.count(event.author, {"reactions_lost": 1})


class Reactor(msgspec.Struct, frozen=True):
    """One row of the board."""

    username: str
    count: int
    """Less what was taken back."""


class Reaction(msgspec.Struct, frozen=True):
    """How often an emote was put under messages."""

    emote: str
    count: int
    """Less what was taken back."""
    given: int
    taken_back: int


class Reactions(msgspec.Struct, frozen=True):
    """One person's reactions in one channel."""

    domain: str
    channel: str
    given: int
    taken_back: int
    received: int
    """From others."""
    lost: int
    """Of these: taken back, as far as it is known whose message it was."""


@query("leaderboard.reactions")
async def leaderboard(
    reader: Reader,
    directory: Directory,
    scope: Scope,
    period: Period,
    kind: Literal["received", "given"] = "received",
    limit: Limit = 10,
) -> list[Reactor]:
    """Whose messages get the most reactions from others, or who gives the most; less what was taken back."""
    return [Reactor(*row) for row in await ranked(reader, directory, scope, period, _NET[kind], limit)]


@query("channel.reactions")
async def channel(reader: Reader, scope: Scope, period: Period, limit: Limit = 20) -> list[Reaction]:
    """Which emotes are put under messages, and how often they stayed there."""
    facts, parameters = during(
        REACTIONS, period, "emote, given, taken_back", scope.where(), "reactions_by_place", "reactions_place_days"
    )
    rows = await reader.rows(
        f"SELECT emote, SUM(given) - SUM(taken_back), SUM(given), SUM(taken_back) FROM {facts} GROUP BY emote "
        "ORDER BY 2 DESC, 3 DESC, emote LIMIT :most",
        {**parameters, **scope.parameters, "most": limit},
    )
    return [Reaction(*row) for row in rows]


@query("user.reactions", period="all")
async def user(
    reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username
) -> list[Reactions]:
    """The reactions that one person gave and received, channel by channel."""
    who = await directory.find(username, scope)
    facts, parameters = during(
        PEOPLE, period, "place, reactions_given, reactions_taken_back, reactions_received, reactions_lost",
        f" AND person IN :people{scope.where()}",
    )  # fmt: skip
    rows = await reader.rows(
        "SELECT p.space, p.channel, SUM(reactions_given), SUM(reactions_taken_back), SUM(reactions_received), "
        f"SUM(reactions_lost) FROM {facts} JOIN places p ON p.place = facts.place "
        "GROUP BY p.platform, p.space, p.channel HAVING SUM(reactions_given) + SUM(reactions_taken_back) "
        "+ SUM(reactions_received) + SUM(reactions_lost) > 0 "
        "ORDER BY SUM(reactions_given) DESC, p.space, p.channel",
        {**parameters, **scope.parameters, "people": who.people},
    )
    return [Reactions(*row) for row in rows]


_SUM = (
    "SELECT p.platform, SUM(t.{measure}) FROM place_totals t JOIN places p ON p.place = t.place "
    "GROUP BY p.platform ORDER BY p.platform"
)

STATISTIC = Statistic(
    name="reactions",
    on={ReactionAdded: added, ReactionRemoved: removed},
    ledgers=(REACTIONS,),
    measures=(
        "reactions_given", "reactions_taken_back", "reactions_received", "reactions_lost", "reactions_own",
    ),
    questions=(leaderboard, channel, user),
    metrics=(
        Metric(
            "userstats_reactions_total", "Reactions that people put under messages, by platform.",
            _SUM.format(measure="reactions_given"), ("platform",), "counter",
        ),
        Metric(
            "userstats_reactions_taken_back_total", "Reactions that were taken back, by platform.",
            _SUM.format(measure="reactions_taken_back"), ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
