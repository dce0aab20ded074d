"""What may be done where."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag
from typing import Final

from .world import Channel, Guild, Member, Overwrite


class Permission(IntFlag):
    """The bits of Discord's permissions that the stand-in knows."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    STREAM = 1 << 9
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MUTE_MEMBERS = 1 << 22
    DEAFEN_MEMBERS = 1 << 23
    MOVE_MEMBERS = 1 << 24
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    SEND_POLLS = 1 << 49


ALL: Final = (1 << 53) - 1

EVERYONE: Final = int(
    Permission.ADD_REACTIONS
    | Permission.STREAM
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.CONNECT
    | Permission.SPEAK
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.SEND_POLLS
)
"""What @everyone may do in a new guild."""

BOT: Final = int(Permission.KICK_MEMBERS | Permission.MANAGE_ROLES | Permission.MANAGE_MESSAGES)
"""What the bot's own role adds."""


def in_guild(guild: Guild, member: Member) -> int:
    """A member's permissions before any channel has its say."""
    if member.user.id == guild.owner_id:
        return ALL
    allowed = guild.roles[guild.id].permissions
    for role in member.roles:
        allowed |= guild.roles[role].permissions
    return ALL if allowed & Permission.ADMINISTRATOR else allowed


def in_channel(channel: Channel, member: Member) -> int:
    """A member's permissions in a channel, or in a thread by its parent."""
    guild = channel.guild
    assert guild is not None
    place = channel.parent if channel.is_thread and channel.parent is not None else channel
    allowed = in_guild(guild, member)
    if allowed == ALL:
        return ALL
    everyone = [o for o in place.overwrites if o.target == guild.id]
    roles = [o for o in place.overwrites if o.target in member.roles]
    own = [o for o in place.overwrites if o.target == member.user.id]
    for layer in (everyone, roles, own):
        allowed = _apply(allowed, layer)
    if not allowed & Permission.VIEW_CHANNEL or _shut_out(channel, member, allowed):
        return 0
    return allowed


def _apply(allowed: int, layer: Iterable[Overwrite]) -> int:
    deny = allow = 0
    for overwrite in layer:
        deny |= overwrite.deny
        allow |= overwrite.allow
    return allowed & ~deny | allow


def _shut_out(channel: Channel, member: Member, allowed: int) -> bool:
    """A private thread is for its members and those who manage threads."""
    return (
        channel.is_private_thread
        and member.user.id not in channel.thread_members
        and not allowed & Permission.MANAGE_THREADS
    )


def top(guild: Guild, member: Member) -> int:
    """The position of a member's highest role; nobody is above the owner."""
    if member.user.id == guild.owner_id:
        return 1 << 31
    return max((guild.roles[role].position for role in member.roles), default=0)
