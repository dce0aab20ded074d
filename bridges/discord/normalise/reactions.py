"""Emotes under messages: put there, taken back, cleared."""

from __future__ import annotations

from collections.abc import Callable

from bridges.discord import payload
from bridges.discord.guild import Guild
from bridges.discord.memory import MOST_REACTIONS, Reaction, Said
from bridges.discord.payload import Record
from bridges.discord.session import Session
from userstats.contract.events import Place, ReactionAdded, ReactionRemoved


def add(session: Session, data: Record, now: int) -> None:
    """MESSAGE_REACTION_ADD."""
    guild = session.guild_of(data)
    if guild is None:
        return
    where = guild.where(payload.account(data.get("channel_id")))
    message, account = payload.account(data.get("message_id")), payload.account(data.get("user_id"))
    emote = _emote(session, data.get("emoji"))
    member = payload.part(data.get("member"))
    user = payload.part(member.get("user"))
    if where is None or session.apart(guild, account, member):
        return
    bot = session.is_bot(account, user)
    if user.get("id") == account:
        session.meet(guild, user, member, now)
    said = _said(session, message, payload.perhaps(data.get("message_author_id")))
    under = said.reactions = said.reactions or []
    reaction = Reaction(account, emote, data.get("burst") is True, bot)
    if reaction not in under and len(under) < MOST_REACTIONS:
        under.append(reaction)
    heading = session.heading("reaction", guild, now)
    heading["place"] = where[0]
    session.tell(ReactionAdded(**heading, person=session.person(account), emote=emote, bot=bot,
                               author=_author(session, guild, said)))  # fmt: skip


def remove(session: Session, data: Record, now: int) -> None:
    """MESSAGE_REACTION_REMOVE. It does not say of whom the message is, nor whether a bot takes it back."""
    guild = session.guild_of(data)
    if guild is None:
        return
    where = guild.where(payload.account(data.get("channel_id")))
    message, account = payload.account(data.get("message_id")), payload.account(data.get("user_id"))
    emote = _emote(session, data.get("emoji"))
    if where is None or session.apart(guild, account):
        return
    said = session.messages.get(message) or Said()
    bot = session.is_bot(account)
    gone = (account, emote, data.get("burst") is True)
    kept = [one for one in said.reactions or () if (one.account, one.emote, one.super) != gone]
    said.reactions = kept or None
    heading = session.heading("reaction", guild, now)
    heading["place"] = where[0]
    session.tell(ReactionRemoved(**heading, person=session.person(account), emote=emote, bot=bot,
                                 author=_author(session, guild, said)))  # fmt: skip


def remove_all(session: Session, data: Record, now: int) -> None:
    """MESSAGE_REACTION_REMOVE_ALL."""
    _clear_some(session, data, now, lambda _emote: True)


def remove_emoji(session: Session, data: Record, now: int) -> None:
    """MESSAGE_REACTION_REMOVE_EMOJI."""
    cleared = _emote(session, data.get("emoji"))
    _clear_some(session, data, now, lambda emote: emote == cleared)


def clear(
    session: Session, guild: Guild, place: Place, said: Said, now: int,
    which: Callable[[str], bool] = lambda _emote: True,
) -> None:  # fmt: skip
    """Tell of each remembered reaction that it was taken away. Those from before the bridge came are not known."""
    author = _author(session, guild, said)
    gone = [one for one in said.reactions or () if which(one.emote)]
    said.reactions = [one for one in said.reactions or () if not which(one.emote)] or None
    for one in gone:
        heading = session.heading("reaction", guild, now)
        heading["place"] = place
        person = None if session.apart(guild, one.account) else session.person(one.account)
        session.tell(
            ReactionRemoved(**heading, person=person, emote=one.emote, author=author, cleared=True, bot=one.bot)
        )


def _clear_some(session: Session, data: Record, now: int, which: Callable[[str], bool]) -> None:
    guild = session.guild_of(data)
    if guild is None:
        return
    where = guild.where(payload.account(data.get("channel_id")))
    message = payload.account(data.get("message_id"))
    said = session.messages.get(message)
    if where is not None and said is not None:
        clear(session, guild, where[0], said, now, which)


def _emote(session: Session, value: object) -> str:
    """What an emoji is called."""
    emote = payload.emote(value)
    account = payload.perhaps(payload.record(value).get("id"))
    if not account:
        return emote
    if emote == f":{account}:":
        return session.emotes.get(account) or emote
    session.emotes.put(account, emote)
    return emote


def _said(session: Session, message: str, author: str) -> Said:
    """What is remembered of a message; of one from before the bridge came, from now on whose it is."""
    said = session.messages.get(message)
    if said is None:
        said = Said(author)
        session.messages.put(message, said)
    return said


def _author(session: Session, guild: Guild, said: Said) -> int | None:
    if not said.author or said.by == "webhook" or session.apart(guild, said.author):
        return None
    return session.person(said.author)
