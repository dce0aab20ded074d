"""Guilds, channels and roles, made, changed and deleted; outages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from . import payloads
from .arrival import visible
from .permissions import BOT, EVERYONE
from .settings import Json
from .world import KINDS, Channel, Guild, Member, Overwrite, Role, User

if TYPE_CHECKING:
    from .site import StandIn

_BOT: Final = 10
"""Where the bot's own role stands."""


class Building:
    """What owners of guilds do. Everything is dispatched as it happens, if anybody listens."""

    def __init__(self, site: StandIn) -> None:
        self._site = site

    def guild(self, name: str, *, owner: User, with_bot: bool, bot_permissions: int = BOT, number: int = 0) -> Guild:
        """A guild with its owner, @everyone and, `with_bot`, the bot with a role of its own."""
        world, me = self._site.world, self._site.me
        guild = Guild(number or world.ids.guild(), name, owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", EVERYONE)
        guild.members[owner.id] = Member(owner, world.clock())
        world.guilds[guild.id] = guild
        if with_bot:
            own = self.role(guild, self._site.me.name, permissions=bot_permissions, position=_BOT, managed=True)
            guild.members[me.id] = Member(me, world.clock(), roles=[own.id])
            self._site.membership.arrived(guild)
        return guild

    def change_guild(self, guild: Guild, **changes: Json) -> None:
        """`name`, `afk_channel`, `system_channel`, ...: GUILD_UPDATE."""
        for field, value in changes.items():
            setattr(guild, field, value)
        self._site.gateway.tell("GUILD_UPDATE", payloads.guild(guild), guild)

    def outage(self, guild: Guild) -> None:
        """Gone for everybody: GUILD_DELETE with `unavailable`, then nothing. Voice ends unseen."""
        self._site.record.note("outage", None, guild.id)
        self._site.gateway.tell("GUILD_DELETE", {"id": str(guild.id), "unavailable": True}, guild)
        guild.unavailable = True

    def outage_over(self, guild: Guild) -> None:
        """GUILD_CREATE, as things are now."""
        guild.unavailable = False
        self._site.record.note("outage_over", None, guild.id)
        self._site.membership.tell_guild(guild)

    # -- channels -----------------------------------------------------------------------------------------------

    def channel(
        self,
        guild: Guild,
        name: str,
        kind: str,
        *,
        category: Channel | None = None,
        overwrites: Sequence[Overwrite] = (),
        **more: Json,
    ) -> Channel:
        """CHANNEL_CREATE. Kinds: `world.KINDS`, without threads."""
        world = self._site.world
        channel = Channel(world.ids.old(), KINDS[kind], name, guild, position=len(guild.channels), parent=category)
        channel.overwrites = list(overwrites)
        for field, value in more.items():
            setattr(channel, field, value)
        guild.channels[channel.id] = world.channels[channel.id] = channel
        self._site.record.note("channel_created", None, guild.id, channel.id, name=name, kind=channel.kind)
        self._site.gateway.tell("CHANNEL_CREATE", payloads.channel(channel), guild)
        return channel

    def change_channel(self, channel: Channel, **changes: Json) -> None:
        """`name`, `topic`, `overwrites`, ...: CHANNEL_UPDATE; THREAD_LIST_SYNC if the bot sees it only now."""
        assert channel.guild is not None
        saw = visible(channel, self._site.me)
        for field, value in changes.items():
            setattr(channel, field, value)
        self._site.record.note("channel_changed", None, channel.guild.id, channel.id, name=channel.name)
        self._site.gateway.tell("CHANNEL_UPDATE", payloads.channel(channel), channel.guild)
        if not saw and visible(channel, self._site.me):
            self._site.threads.sync(channel)

    def delete_channel(self, channel: Channel) -> None:
        """CHANNEL_DELETE; its threads go without a word, who is in voice there is thrown out first."""
        guild = channel.guild
        assert guild is not None
        for state in [one for one in guild.voice.values() if one.channel is channel]:
            self._site.voice.leave(state.user)
        told = payloads.channel(channel)
        for thread in [one for one in guild.threads.values() if one.parent is channel]:
            del guild.threads[thread.id], self._site.world.channels[thread.id]
        del guild.channels[channel.id], self._site.world.channels[channel.id]
        self._site.record.note("channel_deleted", None, guild.id, channel.id)
        self._site.gateway.tell("CHANNEL_DELETE", told, guild)

    # -- roles --------------------------------------------------------------------------------------------------

    def role(self, guild: Guild, name: str, *, permissions: int = 0, position: int = 0, managed: bool = False) -> Role:
        """GUILD_ROLE_CREATE. `position`: the higher, the more power; 0 puts it on top."""
        place = position or max(role.position for role in guild.roles.values()) + 1
        role = Role(self._site.world.ids.old(), name, permissions, place, managed=managed)
        guild.roles[role.id] = role
        self._tell_role("GUILD_ROLE_CREATE", guild, role)
        return role

    def change_role(self, guild: Guild, role: Role, **changes: Json) -> None:
        """`name`, `permissions`, `position`, `colour`: GUILD_ROLE_UPDATE."""
        for field, value in changes.items():
            setattr(role, field, value)
        self._tell_role("GUILD_ROLE_UPDATE", guild, role)

    def _tell_role(self, event: str, guild: Guild, role: Role) -> None:
        self._site.gateway.tell(event, {"guild_id": str(guild.id), "role": payloads.role(role)}, guild)

    def delete_role(self, guild: Guild, role: Role) -> None:
        """GUILD_ROLE_DELETE; members lose it without a word."""
        del guild.roles[role.id]
        for member in guild.members.values():
            member.roles = [one for one in member.roles if one != role.id]
        told = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self._site.gateway.tell("GUILD_ROLE_DELETE", told, guild)
