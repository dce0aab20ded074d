"""One REST request as handlers see it, and what they may answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from .arrival import visible
from .permissions import Permission, in_channel, in_guild
from .settings import Json
from .world import Channel, Guild, Member, Message

if TYPE_CHECKING:
    from .site import StandIn


class Refused(Exception):
    """An error answer: HTTP status, Discord's code, its message."""

    def __init__(self, status: int, code: int, message: str, errors: Json = None) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code, **({"errors": errors} if errors else {})}


def invalid(why: str, field: str = "") -> Refused:
    """`Invalid Form Body`, with the reason where it belongs."""
    told: Json = {"_errors": [{"code": 50035, "message": why}]}
    return Refused(400, 50035, "Invalid Form Body", {field: told} if field else told)


class File(NamedTuple):
    """An uploaded file."""

    field: str
    name: str
    content_type: str
    data: bytes


class Answer(NamedTuple):
    """A body of None is no content."""

    status: int
    body: Json = None


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A request, parsed. Look-ups refuse as Discord does."""

    site: StandIn
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json = None
    files: tuple[File, ...] = ()
    reason: str | None = None
    """For the audit log, decoded."""

    def number(self, name: str) -> int:
        """A snowflake of the path."""
        try:
            return int(self.params[name])
        except ValueError:
            raise invalid("Not a snowflake", name) from None

    def guild(self) -> Guild:
        """The path's; the bot has to be in it."""
        guild = self.site.world.guilds.get(self.number("guild_id"))
        if guild is None or self.site.me.id not in guild.members:
            raise Refused(404, 10004, "Unknown Guild")
        if guild.unavailable:
            raise Refused(503, 0, "Service Unavailable")
        return guild

    def member(self, guild: Guild) -> Member:
        """The path's."""
        member = guild.members.get(self.number("user_id"))
        if member is None:
            known = self.number("user_id") in self.site.world.users
            raise Refused(404, 10007, "Unknown Member") if known else Refused(404, 10013, "Unknown User")
        return member

    def channel(self, *needs: Permission) -> Channel:
        """The path's; the bot has to see it and to have all these permissions in it."""
        channel = self.site.world.channels.get(self.number("channel_id"))
        if channel is None:
            raise Refused(404, 10003, "Unknown Channel")
        if channel.guild is None:
            return channel
        if channel.guild.unavailable:
            raise Refused(503, 0, "Service Unavailable")
        if not visible(channel, self.site.me):
            raise Refused(403, 50001, "Missing Access")
        allowed = in_channel(channel, channel.guild.members[self.site.me.id])
        for need in needs:
            if not allowed & need:
                code = 50001 if need is Permission.READ_MESSAGE_HISTORY else 50013
                raise Refused(403, code, "Missing Access" if code == 50001 else "Missing Permissions")
        return channel

    def message(self, channel: Channel) -> Message:
        """The path's."""
        message = channel.messages.get(self.number("message_id"))
        if message is None:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def need(self, guild: Guild, permission: Permission) -> Member:
        """The bot in a guild, if it has a permission there."""
        me = guild.members[self.site.me.id]
        if not in_guild(guild, me) & permission:
            raise Refused(403, 50013, "Missing Permissions")
        return me


Handler = Callable[[Call], Answer]
Routes = Mapping[str, Handler]
"""By method and path as Discord's OpenAPI document spells it: "GET /users/@me"."""
