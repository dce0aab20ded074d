"""Who an actor is and what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from .commands import Impossible
from .permissions import Permission, in_channel, in_guild, top
from .world import Channel, Guild, Member, Message, Role, User

if TYPE_CHECKING:
    from .site import StandIn

T = TypeVar("T")


class Manners:
    """The account behind an actor, and what it checks before it acts."""

    def __init__(self, site: StandIn, user: User) -> None:
        self.site = site
        self.user = user

    @property
    def id(self) -> int:
        """The account's."""
        return self.user.id

    @property
    def name(self) -> str:
        """The username."""
        return self.user.name

    @property
    def mention(self) -> str:
        """As it is written in a message."""
        return self.user.mention

    def member(self, guild: Guild) -> Member:
        """In a guild that works."""
        if self.user.id not in guild.members or guild.unavailable:
            raise Impossible(f"{self.name} is not in {guild.name}, or it is down")
        return guild.members[self.user.id]

    def may(self, channel: Channel, permission: Permission) -> bool:
        """In a channel, which has to be visible and still there."""
        if channel.guild is None:
            return channel.recipient is self.user
        if self.site.world.channels.get(channel.id) is not channel:
            return False
        return bool(in_channel(channel, self.member(channel.guild)) & permission)

    def need(self, channel: Channel, permission: Permission) -> None:
        """Impossible without a permission in a channel."""
        if not self.may(channel, permission):
            raise Impossible(f"{self.name} lacks {permission.name} in {channel.name}")

    def need_in(self, guild: Guild, permission: Permission) -> Member:
        """Impossible without a permission in a guild."""
        member = self.member(guild)
        if not in_guild(guild, member) & permission:
            raise Impossible(f"{self.name} lacks {permission.name} in {guild.name}")
        return member

    def above(self, guild: Guild, other: Self, permission: Permission) -> None:
        """Impossible unless one's highest role is above the other's."""
        if top(guild, self.need_in(guild, permission)) <= top(guild, other.member(guild)):
            raise Impossible(f"{self.name} is not above {other.name}")

    def above_role(self, guild: Guild, role: Role) -> None:
        """Impossible unless one's highest role is above this one."""
        if top(guild, self.need_in(guild, Permission.MANAGE_ROLES)) <= role.position:
            raise Impossible(f"{self.name} is not above {role.name}")

    def _there(self, message: Message) -> None:
        if message.only_for is not None or message.id not in message.channel.messages:
            raise Impossible("there is no such message")

    def _own(self, message: Message) -> None:
        self._there(message)
        if message.author is not self.user or message.webhook is not None:
            raise Impossible(f"{self.name} did not write that")

    async def _done(self, made: T) -> T:
        """Until the sockets took what was dispatched."""
        await self.site.gateway.drained()
        return made
