"""Private messages: how many people wrote to the bot in private. That somebody did is theirs: there is no board.

Stored: the measure `private_messages` of the ledger of people. Nothing of what was said, not even its length.
"""

from __future__ import annotations

import msgspec

from ..asking import Period, Scope, Username, during
from ..contract.events import BalanceImported, PrivateMessageSent
from ..directory import Directory
from ..statistic import PEOPLE, Metric, Statistic, query
from ..store.seam import Reader
from ..writes import Moment


def wrote(event: PrivateMessageSent, moment: Moment) -> None:
    moment.count(event.author, {"private_messages": 1})


def imported(event: BalanceImported, moment: Moment) -> None:
    if event.private_messages:
        moment.carry(PEOPLE, (moment.place, event.person), {"private_messages": event.private_messages})


class Private(msgspec.Struct, frozen=True):
    """How much one person wrote in private."""

    username: str
    private_messages: int


@query("user.private_messages", shape="card", audience="self", period="all")
async def user(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> Private:
    """How many private messages one person wrote to the bot."""
    who = await directory.find(username, scope)
    facts, parameters = during(PEOPLE, period, "private_messages", f" AND person IN :people{scope.where()}")
    ((number,),) = await reader.rows(
        f"SELECT COALESCE(SUM(private_messages), 0) FROM {facts}",
        {**parameters, **scope.parameters, "people": who.people},
    )
    return Private(who.name, number)


STATISTIC = Statistic(
    name="private",
    on={PrivateMessageSent: wrote, BalanceImported: imported},
    measures=("private_messages",),
    questions=(user,),
    metrics=(
        Metric(
            "userstats_private_messages_total", "Private messages to the bot, by platform.",
            "SELECT p.platform, SUM(t.private_messages) FROM place_totals t JOIN places p ON p.place = t.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
