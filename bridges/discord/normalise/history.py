"""What was said before anybody observed the channel: messages as Discord's API lists them.

They count like those that were seen as they were said, without what goes by the order in which things happen or is
about others: no thanks, mentions and replies. Of a history Discord does not tell nicknames and roles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bridges import text
from bridges.discord import payload
from bridges.discord.guild import PLATFORM, Guild
from bridges.discord.payload import Record, Refused
from bridges.discord.session import Session, names_of
from userstats.contract.events import MessageSent, Place

from .messages import LONGEST_MESSAGE, MOST_MENTIONS, written_by

LISTED: Final = "HISTORY"
"""How a page of a history is called where it is of no use: it is no dispatch."""
_NOTHING: Final = text.Facts(0, 0)


class Read(NamedTuple):
    """What a page of a history holds."""

    events: Sequence[MessageSent]
    """Newest first: userstats takes each only if it is older than all before."""
    oldest: int
    """The id of the oldest message that was looked at."""
    ended: bool
    """There were messages from before `since`, which are not counted."""


def read(
    session: Session, guild: Guild, where: tuple[Place, str], page: Sequence[Any], before: int, since: int, now: int
) -> Read:
    """Those of these messages with ids smaller than `before`, and sent at `since` (milliseconds) or later. The names
    of their authors are told to the session.

    Refused if there are messages of which none has an id: it is not known where to go on.
    """
    messages, unfit = _by_id(page)
    for entry in unfit:
        session.refuse(LISTED, "malformed", entry, now)
    if page and not messages:
        raise Refused("malformed")
    older = sorted((number for number in messages if number < before), reverse=True)
    numbers = [number for number in older if payload.made(str(number)) >= since]
    events = [event for number in numbers if (event := _told(session, guild, where, messages[number], now)) is not None]
    return Read(events, min(numbers, default=before), len(numbers) < len(older))


def _by_id(page: Sequence[Any]) -> tuple[dict[int, Record], list[Any]]:
    messages: dict[int, Record] = {}
    unfit: list[Any] = []
    for entry in page:
        try:
            number = int(payload.account(payload.record(entry).get("id")))
            payload.made(str(number))
        except Refused:
            unfit.append(entry)
        else:
            messages[number] = entry
    return messages, unfit


def _told(
    session: Session, guild: Guild, where: tuple[Place, str], data: Record, now: int
) -> MessageSent | None:  # fmt: skip
    """One message; None if it is not to be told about, or cannot be used."""
    try:
        return _sent(session, guild, where, data, now)
    except Refused as refused:
        session.refuse(LISTED, refused.reason, data, now)
    except Exception as error:  # nothing that Discord lists may end the watch
        session.failed(LISTED, error, data, now)
    return None


def _sent(session: Session, guild: Guild, where: tuple[Place, str], data: Record, now: int) -> MessageSent | None:
    author = payload.record(data.get("author"))
    message, account = payload.account(data.get("id")), payload.account(author.get("id"))
    by = written_by(session, data, author)
    if by != "webhook":
        if session.apart(guild, account):
            return None
        if guild.nicks.get(account) is None:  # who was met here is called as they were then
            session.meet(guild, author, None, now)
    facts = _facts(session, guild, data, author) if by != "system" else _NOTHING
    place, thread = where
    return MessageSent(
        id=session.desk.pseudonyms.event(PLATFORM, "message", message), at=payload.made(message), seen=now, place=place,
        watch=guild.watch, author=session.person(account), by=by, characters=facts.characters, words=facts.words,
        emotes=facts.emotes, links=facts.links, files=payload.length(data.get("attachments")),
        embeds=payload.length(data.get("embeds")), stickers=payload.length(data.get("sticker_items")), thread=thread,
        backfilled=int(message),
    )  # fmt: skip


def _facts(session: Session, guild: Guild, data: Record, author: Record) -> text.Facts:
    content = data.get("content")
    if not session.grants.message_content or type(content) is not str or not content:
        return _NOTHING
    if len(content) > LONGEST_MESSAGE:
        raise Refused("too_big")
    people: dict[str, str] = {}
    for entry in payload.items(data.get("mentions"))[:MOST_MENTIONS]:
        user = payload.record(entry)
        account, name = payload.account(user.get("id")), payload.name(user.get("username"))
        if name and not session.apart(guild, account):
            people[account] = name.casefold()  # a mention is as long as the name
    return text.of_discord(content, lexicon=session.desk.lexicon, people=people, speaker=names_of(author, None))
