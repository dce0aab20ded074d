"""Messages: how much each person says in public, and where.

Stored: measures of the ledger of people. Only what persons say counts as messages; bots, webhooks and system lines
are counted apart (`bot_messages`).
"""

from __future__ import annotations

import msgspec

from ..asking import Limit, Period, Scope, Username, during
from ..contract.events import BalanceImported, MessageSent
from ..directory import Directory
from ..ranking import ranked
from ..statistic import PEOPLE, Metric, Statistic, query
from ..store.seam import Reader
from ..writes import Moment


def said(event: MessageSent, moment: Moment) -> None:
    if event.by != "person":
        moment.count(event.author, {"bot_messages": 1})
        return
    amounts = {"messages": 1, "words": event.words, "characters": event.characters}
    if event.links:
        amounts["links"] = event.links
    moment.count(event.author, amounts)


def imported(event: BalanceImported, moment: Moment) -> None:
    if event.messages:
        moment.carry(PEOPLE, (moment.place, event.person), {"messages": event.messages})


class Talker(msgspec.Struct, frozen=True):
    """One row of a leaderboard."""

    username: str
    count: int


class Talk(msgspec.Struct, frozen=True):
    """What one person said at one place."""

    domain: str
    channel: str
    messages: int
    words: int
    characters: int


@query("leaderboard.messages")
async def leaderboard(
    reader: Reader, directory: Directory, scope: Scope, period: Period, limit: Limit = 10
) -> list[Talker]:
    """Who says the most."""
    return [Talker(*row) for row in await ranked(reader, directory, scope, period, "messages", limit)]


@query("user.messages", shape="table", period="all")
async def user(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> list[Talk]:
    """How much one person said, place by place."""
    who = await directory.find(username, scope)
    facts, parameters = during(
        PEOPLE, period, "place, messages, words, characters", f" AND person IN :people{scope.where()}"
    )
    rows = await reader.rows(
        f"SELECT p.space, p.channel, SUM(messages), SUM(words), SUM(characters) FROM {facts} "
        "JOIN places p ON p.place = facts.place WHERE messages > 0 "
        "GROUP BY p.platform, p.space, p.channel ORDER BY SUM(messages) DESC, p.space, p.channel",
        {**parameters, **scope.parameters, "people": who.people},
    )
    return [Talk(*row) for row in rows]


STATISTIC = Statistic(
    name="messages",
    on={MessageSent: said, BalanceImported: imported},
    measures=("messages", "words", "characters", "links", "bot_messages"),
    indexes={
        "person_totals": (("place", "messages DESC", "person"),),
        "everyone_totals": (("messages DESC", "person"),),
    },
    questions=(leaderboard, user),
    metrics=(
        Metric(
            "userstats_messages_total", "Public messages of persons, by platform.",
            "SELECT p.platform, SUM(t.messages) FROM place_totals t JOIN places p ON p.place = t.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
