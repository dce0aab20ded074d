"""Messages as Discord writes them, and what is left of them without the MESSAGE_CONTENT intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import payloads
from .settings import Json
from .snowflake import stamp
from .world import Member, Message, User

_STRIPPED: Final[dict[str, Json]] = {"content": "", "embeds": [], "attachments": [], "components": []}


def message(one: Message, me: int, *, deep: bool = True) -> Json:
    """A message object as REST answers it; `me` is the bot's id, `deep` includes what it replies to."""
    told = {
        "id": str(one.id),
        "channel_id": str(one.channel.id),
        "type": one.kind,
        "author": _author(one),
        "content": one.content,
        "timestamp": stamp(one.at),
        "edited_timestamp": None if one.edited_at is None else stamp(one.edited_at),
        "tts": False,
        "mention_everyone": one.mention_everyone,
        "mentions": [payloads.user(user) for user in one.mentions],
        "mention_roles": [str(role) for role in one.mention_roles],
        "attachments": one.attachments,
        "embeds": one.embeds,
        "components": one.components,
        "pinned": one.pinned,
        "flags": one.flags,
    }
    return told | _optional(one, me, deep=deep)


def _optional(one: Message, me: int, *, deep: bool) -> Json:
    """Keys that are there only where they mean something."""
    more: Json = {}
    if one.reactions:
        more["reactions"] = [reaction(emoji, who, me) for emoji, who in one.reactions.items()]
    if one.stickers:
        more["sticker_items"] = one.stickers
    if one.poll is not None:
        more["poll"] = one.poll
    if one.reference is not None:
        more["message_reference"] = one.reference
        if deep and one.reference.get("type") == 0 and one.kind in (19, 21):
            more["referenced_message"] = None if one.replies_to is None else message(one.replies_to, me, deep=False)
    if one.webhook is not None:
        more["webhook_id"] = str(one.webhook)
    if one.interaction is not None:
        more |= {"interaction_metadata": one.interaction, "application_id": str(one.author.id)}
    if one.thread is not None:
        more["thread"] = payloads.thread(one.thread)
    if one.nonce is not None:
        more["nonce"] = one.nonce
    return more


def _author(one: Message) -> Json:
    author = payloads.user(one.author)
    return author if one.webhook is None or one.interaction is not None else author | {"bot": True}


def reaction(emoji: str, who: Mapping[int, bool], me: int) -> Json:
    """How often and how a message has an emoji."""
    burst = sum(who.values())
    return {
        "emoji": partial_emoji(emoji),
        "count": len(who),
        "count_details": {"burst": burst, "normal": len(who) - burst},
        "burst_colors": [],
        "me_burst": who.get(me, False),
        "me": me in who and not who[me],
    }


def partial_emoji(emoji: str) -> Json:
    """`👍` or `name:id` as an emoji object."""
    name, _, number = emoji.partition(":")
    return {"id": number or None, "name": name}


def dispatched(one: Message, me: int) -> Json:
    """A message as MESSAGE_CREATE and MESSAGE_UPDATE have it: with the guild, and members beside users."""
    told = message(one, me) | {"channel_type": one.channel.kind}
    guild = one.channel.guild
    if guild is None:
        return told
    told["guild_id"] = str(guild.id)
    author = guild.members.get(one.author.id)
    if author is not None and (one.webhook is None or one.interaction is not None):
        told["member"] = payloads.bare_member(author)
    told["mentions"] = [_mentioned(user, guild.members.get(user.id)) for user in one.mentions]
    return told


def _mentioned(user: User, member: Member | None) -> Json:
    told = payloads.user(user)
    return told if member is None else told | {"member": payloads.bare_member(member)}


def without_content(told: Json, one: Message, me: int) -> Json:
    """What an application without MESSAGE_CONTENT gets: all of its own, of direct and of mentioning messages."""
    shown: Json = told if readable(one, me) else _stripped(told)
    replied = told.get("referenced_message")
    if replied is not None and one.replies_to is not None and not readable(one.replies_to, me):
        return shown | {"referenced_message": _stripped(replied)}
    return shown


def _stripped(told: Json) -> Json:
    return {key: value for key, value in told.items() if key != "poll"} | _STRIPPED


def readable(one: Message, me: int) -> bool:
    """Whether the bot may read it without the intent."""
    return one.channel.guild is None or one.author.id == me or any(user.id == me for user in one.mentions)
