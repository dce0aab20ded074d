"""Messages: how much each person says in public, and where; what of it was edited or is gone again.

Stored: measures of the ledger of people. Only what persons say counts as messages; bots, webhooks and system lines
are counted apart (`bot_messages`). A deleted message stays in every gross number; what it counted for is in the
`deleted` measures at the time it had been sent, so that net is gross less deleted in every period (guarantee G13). What
the bridge did not remember is in `deleted_unknown` of nobody, at the time it was deleted.

`blocks` are the ten minutes in which somebody said something: next to a raw count they tell talk from spam (guarantee
G16). They are counted once for a whole space (a guild), at the channel in which the block began, and only of what was
seen as it was said: the order of a history that is read afterwards is not that of its time.
"""

from __future__ import annotations

import bisect
from typing import Final

import msgspec

from ..asking import Limit, Period, Scope, Username, during
from ..contract.events import BalanceImported, MessageDeleted, MessageEdited, MessageSent
from ..directory import Directory
from ..ranking import ranked
from ..statistic import PEOPLE, Metric, Statistic, query
from ..store.seam import Reader
from ..writes import Moment

NOBODY: Final = 0
"""Whose message was deleted is not known; no person has this number."""
_BLOCK_MS: Final = 600_000


class Block(msgspec.Struct, frozen=True):
    """Ten minutes, and who has said something in them."""

    number: int
    """Since the epoch."""
    people: tuple[int, ...]
    """In order of their numbers."""


def said(event: MessageSent, moment: Moment) -> None:
    if event.by != "person":
        moment.count(event.author, {"bot_messages": 1})
        return
    amounts = {"messages": 1, "words": event.words, "characters": event.characters}
    for measure, is_so in (
        ("links", event.links),
        ("with_files", event.files > 0),
        ("with_embeds", event.embeds > 0),
        ("with_stickers", event.stickers > 0),
        ("replies", event.reply_to is not None),
        ("thread_messages", bool(event.thread)),
        ("backfilled", event.backfilled > 0),
    ):
        if is_so:
            amounts[measure] = int(is_so)
    if not event.backfilled and _first_of_block(event.author, moment):
        amounts["blocks"] = 1
    moment.count(event.author, amounts)


def _first_of_block(person: int, moment: Moment) -> bool:
    """Whether this person has not said anything in these ten minutes; from now on they have."""
    number = moment.at // _BLOCK_MS
    key = str(moment.observer)
    known = moment.recall(key, Block)
    if known is None or known.number < number:
        moment.remember(key, Block(number, (person,)))
        return True
    index = bisect.bisect_left(known.people, person)
    if known.number > number or known.people[index : index + 1] == (person,):
        return False
    moment.remember(key, Block(number, (*known.people[:index], person, *known.people[index:])))
    return True


def edited(event: MessageEdited, moment: Moment) -> None:
    if event.by == "person":
        moment.count(NOBODY if event.author is None else event.author, {"edited": 1})


def deleted(event: MessageDeleted, moment: Moment) -> None:
    if event.author is None:
        moment.count(NOBODY, {"deleted_unknown": 1})
    elif event.by == "person":
        amounts = {"deleted": 1, "deleted_words": event.words, "deleted_characters": event.characters}
        moment.count(event.author, amounts, at=event.sent)


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
    blocks: int
    """Ten minutes in which they said something."""
    edited: int
    deleted: int
    """Of these messages; they are in all other numbers."""


class Kinds(msgspec.Struct, frozen=True):
    """What the messages of one channel were."""

    domain: str
    channel: str
    messages: int
    """Of persons, deleted ones included."""
    edited: int
    deleted: int
    """Of the messages of this period that were observed."""
    deleted_unknown: int
    """Deleted in this period; whose they were and when they had been sent is not known."""
    links: int
    """Of which a message may have several."""
    with_files: int
    with_embeds: int
    with_stickers: int
    replies: int
    thread_messages: int
    backfilled: int
    """Read from the channel's history; nobody observed them."""
    bot_messages: int


_KINDS: Final = (
    "messages", "edited", "deleted", "deleted_unknown", "links", "with_files", "with_embeds", "with_stickers",
    "replies", "thread_messages", "backfilled", "bot_messages",
)  # fmt: skip


@query("leaderboard.messages")
async def leaderboard(
    reader: Reader, directory: Directory, scope: Scope, period: Period, limit: Limit = 10
) -> list[Talker]:
    """Who says the most."""
    return [Talker(*row) for row in await ranked(reader, directory, scope, period, "messages", limit)]


@query("channel.messages")
async def kinds(reader: Reader, scope: Scope, period: Period) -> list[Kinds]:
    """What the messages of each channel were: with files, embeds, stickers, links, replies; edited and deleted ones."""
    measures = ", ".join(_KINDS)
    facts, parameters = during(PEOPLE, period, f"place, {measures}", scope.where(), "place_totals")
    sums = ", ".join(f"SUM({measure})" for measure in _KINDS)
    rows = await reader.rows(
        f"SELECT p.space, p.channel, {sums} FROM {facts} JOIN places p ON p.place = facts.place "
        "GROUP BY p.platform, p.space, p.channel HAVING SUM(messages) + SUM(bot_messages) + SUM(deleted_unknown) > 0 "
        "ORDER BY SUM(messages) DESC, p.space, p.channel",
        {**parameters, **scope.parameters},
    )
    return [Kinds(*row) for row in rows]


@query("user.messages", shape="table", period="all")
async def user(reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username) -> list[Talk]:
    """How much one person said, place by place."""
    who = await directory.find(username, scope)
    facts, parameters = during(
        PEOPLE, period, "place, messages, words, characters, blocks, edited, deleted",
        f" AND person IN :people{scope.where()}",
    )  # fmt: skip
    rows = await reader.rows(
        "SELECT p.space, p.channel, SUM(messages), SUM(words), SUM(characters), SUM(blocks), SUM(edited), SUM(deleted) "
        f"FROM {facts} "
        "JOIN places p ON p.place = facts.place WHERE messages > 0 "
        "GROUP BY p.platform, p.space, p.channel ORDER BY SUM(messages) DESC, p.space, p.channel",
        {**parameters, **scope.parameters, "people": who.people},
    )
    return [Talk(*row) for row in rows]


STATISTIC = Statistic(
    name="messages",
    on={MessageSent: said, MessageEdited: edited, MessageDeleted: deleted, BalanceImported: imported},
    measures=(
        "messages", "words", "characters", "links", "bot_messages", "with_files", "with_embeds", "with_stickers",
        "replies", "thread_messages", "backfilled", "blocks", "edited", "deleted", "deleted_words",
        "deleted_characters", "deleted_unknown",
    ),
    memory=Block,
    indexes={
        "person_totals": (("place", "messages DESC", "person"),),
        "everyone_totals": (("messages DESC", "person"),),
    },
    questions=(leaderboard, user, kinds),
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
