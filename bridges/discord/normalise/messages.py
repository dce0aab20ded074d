"""What is said: messages, their edits and their end. Here text becomes facts, and goes no further."""

from __future__ import annotations

from typing import Final

from bridges import text
from bridges.discord import payload
from bridges.discord.guild import PLATFORM, Guild
from bridges.discord.memory import By, Said
from bridges.discord.payload import Record
from bridges.discord.session import Session, names_of
from userstats.contract.events import MessageDeleted, MessageEdited, MessageSent, PrivateMessageSent, Thanks

from . import reactions

LONGEST_MESSAGE: Final = 8_192
"""Characters; Discord lets nobody write more than 4000."""
MOST_MENTIONS: Final = 100
SPOKEN: Final = frozenset((0, 19))
"""Types of messages that somebody wrote: plain ones and replies."""
REPLIES_OF_APPS: Final = frozenset((20, 23))
FRESH: Final = 300_000
"""Milliseconds. An edit of a message that is not remembered is new if it is no older; else something else changed of a
message that had been edited before."""
_NOTHING: Final = text.Facts(0, 0)


def create(session: Session, data: Record, now: int) -> None:
    """MESSAGE_CREATE. One that comes twice is told once."""
    author = payload.record(data.get("author"))
    if data.get("guild_id") is None:
        _private(session, data, author, now)
        return
    guild = session.guild_of(data)
    if guild is None:
        return
    message = payload.account(data.get("id"))
    if (known := session.messages.get(message)) is not None and (known.counted or known.silent):
        return
    where = guild.where(payload.account(data.get("channel_id")))
    account = payload.account(author.get("id"))
    by = written_by(session, data, author)
    member = payload.part(data.get("member"))
    if where is None:
        return
    if by != "webhook" and session.apart(guild, account, member):
        session.messages.put(message, Said(silent=True))
        return
    place, thread = where
    sent = payload.made(message)
    facts = _facts(session, guild, data, names_of(author, member), now) if by != "system" else _NOTHING
    if by != "webhook":
        session.meet(guild, author, member, now)
    pseudonyms, person = session.desk.pseudonyms, session.person
    session.tell(
        MessageSent(
            id=pseudonyms.event(PLATFORM, "message", message), at=sent, seen=now, place=place, watch=guild.watch,
            author=person(account), by=by, characters=facts.characters, words=facts.words, emotes=facts.emotes,
            mentions=tuple([person(one) for one in facts.mentions]),
            thanks=tuple([Thanks(pseudonyms.name(who), token) for who, token in facts.thanks]),
            links=facts.links, files=payload.length(data.get("attachments")),
            embeds=payload.length(data.get("embeds")), stickers=payload.length(data.get("sticker_items")),
            reply_to=_answered(session, guild, data), thread=thread,
        )
    )  # fmt: skip
    session.messages.put(
        message, Said(account, by, counted=True, characters=facts.characters, words=facts.words, emotes=facts.emotes)
    )


def update(session: Session, data: Record, now: int) -> None:
    """MESSAGE_UPDATE: also sent when a preview of a link is added, or a message pinned. Only edits are told."""
    guild = session.guild_of(data)
    edited = data.get("edited_timestamp")
    if guild is None or edited is None:
        return
    at = payload.stamp(edited)
    message = payload.account(data.get("id"))
    where = guild.where(payload.account(data.get("channel_id")))
    said = session.messages.get(message)
    if where is None or not _is_news(said, edited, now - at):
        return
    if said is None:
        said = Said(*_author(session, data))
        session.messages.put(message, said)
    said.edited = edited
    if said.silent or (said.author and session.apart(guild, said.author)):
        return
    identity = session.desk.pseudonyms.event(PLATFORM, "edit", message, at)
    author = session.person(said.author) if said.author else None
    session.tell(
        MessageEdited(id=identity, at=at, seen=now, place=where[0], watch=guild.watch, author=author, by=said.by)
    )


def delete(session: Session, data: Record, now: int) -> None:
    """MESSAGE_DELETE."""
    guild = session.guild_of(data)
    if guild is not None:
        _gone(session, guild, payload.account(data.get("channel_id")), payload.account(data.get("id")), now)


def delete_bulk(session: Session, data: Record, now: int) -> None:
    """MESSAGE_DELETE_BULK."""
    guild = session.guild_of(data)
    if guild is None:
        return
    channel = payload.account(data.get("channel_id"))
    for message in [payload.account(one) for one in payload.items(data.get("ids"))]:
        _gone(session, guild, channel, message, now, bulk=True)


def written_by(session: Session, data: Record, author: Record) -> By:
    """Who stands behind a message: what Discord itself says in somebody's name (`system`), AutoMod among it, is not
    theirs; what an app answers is a bot's, though it comes through a webhook."""
    kind = payload.count(data.get("type", 0))
    if kind in REPLIES_OF_APPS:
        return "bot"
    if kind not in SPOKEN or author.get("system") is True:
        return "system"
    webhook = data.get("webhook_id")
    if webhook is not None and webhook != data.get("application_id"):
        return "webhook"
    if (
        webhook is not None
        or data.get("interaction_metadata") is not None
        or author.get("bot") is True
        or author.get("id") == session.own
    ):
        return "bot"
    return "person"


def _facts(session: Session, guild: Guild, data: Record, speaker: tuple[str, ...], now: int) -> text.Facts:
    """What the text amounts to. Without the intent it comes in some messages only: then none is counted."""
    content = data.get("content")
    if not session.grants.message_content or type(content) is not str or not content:
        return _NOTHING
    if len(content) > LONGEST_MESSAGE:
        raise payload.Refused("too_big")
    people = _mentioned(session, guild, data, now) if data.get("mentions") else {}
    return text.of_discord(
        content, lexicon=session.desk.lexicon, people=people, known=guild.names, speaker=speaker
    )  # fmt: skip


def _mentioned(session: Session, guild: Guild, data: Record, now: int) -> dict[str, str]:
    """Who is mentioned, and the name under which a thanks to them counts: that of their account, since it is one word,
    theirs alone, and was told."""
    people: dict[str, str] = {}
    for entry in payload.items(data.get("mentions"))[:MOST_MENTIONS]:
        user = payload.record(entry)
        member = user.get("member")
        if session.apart(guild, payload.account(user.get("id")), payload.part(member)):
            continue
        account = session.meet(guild, user, member if type(member) is dict else None, now)
        name = payload.name(user.get("username"))
        if name:
            people[account] = name.casefold()
    return people


def _answered(session: Session, guild: Guild, data: Record) -> int | None:
    """The author of the message that this one replies to."""
    if data.get("type") != 19:
        return None
    original = payload.part(data.get("referenced_message"))
    author = payload.part(original.get("author")).get("id")
    if author is None:
        reference = payload.part(data.get("message_reference")).get("message_id")
        said = session.messages.get(reference) if type(reference) is str else None
        author = said.author if said is not None and said.author else None
    if type(author) is not str or session.apart(guild, author):
        return None
    return session.person(payload.account(author))


def _is_news(said: Said | None, edited: str, age: int) -> bool:
    """Whether this edit has not been told."""
    if said is not None and (said.counted or said.edited):
        return said.edited != edited
    return age <= FRESH


def _author(session: Session, data: Record) -> tuple[str, By]:
    author = payload.part(data.get("author"))
    account = payload.perhaps(author.get("id"))
    return account, written_by(session, data, author) if account else "person"


def _gone(session: Session, guild: Guild, channel: str, message: str, now: int, *, bulk: bool = False) -> None:
    """A message is no more. The emotes under it are gone with it."""
    where = guild.where(channel)
    said = session.messages.pop(message)
    if where is None or (said is not None and said.silent):
        return
    sent = payload.made(message)
    if said is not None:
        reactions.clear(session, guild, where[0], said, now)
    counted = said if said is not None and said.counted else Said()
    author = session.person(counted.author) if counted.author and not session.apart(guild, counted.author) else None
    session.tell(
        MessageDeleted(
            id=session.desk.pseudonyms.event(PLATFORM, "deleted", message), at=now, seen=now, place=where[0],
            watch=guild.watch, sent=sent, author=author, by=counted.by, characters=counted.characters,
            words=counted.words, emotes=counted.emotes, bulk=bulk,
        )
    )  # fmt: skip


def _private(session: Session, data: Record, author: Record, now: int) -> None:
    """Somebody writes to the bot. What the bot writes comes in the same way, and is not told."""
    message = payload.account(data.get("id"))
    if not session.watch or written_by(session, data, author) != "person":
        return
    account = session.meet(None, author, None, now)
    content = data.get("content")
    facts = _NOTHING
    if type(content) is str and len(content) <= LONGEST_MESSAGE:
        facts = text.of_discord(content, lexicon=session.desk.lexicon)
    identity = session.desk.pseudonyms.event(PLATFORM, "message", message)
    at, person = payload.made(message), session.person(account)
    session.tell(
        PrivateMessageSent(id=identity, at=at, seen=now, place=session.home, watch=session.watch, author=person,
                           characters=facts.characters, words=facts.words)
    )  # fmt: skip
