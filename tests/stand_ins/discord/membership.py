"""Who is in a guild, under which name, with which roles, and in which state."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from . import arrival, payloads
from .intents import Intent
from .settings import Json
from .world import Guild, Member, Presence, Role, User

if TYPE_CHECKING:
    from .session import Session
    from .site import StandIn


class Membership:
    """Nobody's permissions are asked here."""

    def __init__(self, site: StandIn) -> None:
        self._site = site

    def join(self, guild: Guild, user: User) -> None:
        """GUILD_MEMBER_ADD, the announcement if the guild has a channel for it, the presence if there is one."""
        site = self._site
        if user.id in guild.members:
            return
        member = guild.members[user.id] = Member(user, site.now())
        if user is site.me:
            self.arrived(guild)
            return
        site.record.note("joined", user.id, guild.id, bot=user.bot)
        site.gateway.tell("GUILD_MEMBER_ADD", {**payloads.member(member), "guild_id": str(guild.id)}, guild)
        if guild.system_channel is not None:
            site.talk.post(guild.system_channel, user, "", kind=7)
        if user.presence.status != "offline":
            self._tell_presence(user, [guild])

    def arrived(self, guild: Guild) -> None:
        """The bot is in the guild from now on."""
        self._site.record.note("bot_joined", self._site.me.id, guild.id)
        self.tell_guild(guild)

    def tell_guild(self, guild: Guild) -> None:
        """GUILD_CREATE, as each session may see it."""
        site = self._site

        def told(session: Session) -> Json:
            return arrival.guild_create(guild, session, site.me, site.settings)

        site.gateway.tell_each("GUILD_CREATE", told, guild, Intent.GUILDS)

    def leave(
        self, guild: Guild, user: User, *, what: str = "left", by: User | None = None, reason: str | None = None
    ) -> None:
        """GUILD_MEMBER_REMOVE (GUILD_DELETE if it is the bot); voice ends first."""
        site = self._site
        if user.id in guild.voice:
            site.voice.leave(user)
        if user is site.me:
            site.record.note("bot_left", user.id, guild.id)
            site.gateway.tell("GUILD_DELETE", {"id": str(guild.id)}, guild)
            del guild.members[user.id]
            return
        del guild.members[user.id]
        for thread in guild.threads.values():
            thread.thread_members.pop(user.id, None)
        site.record.note(what, user.id, guild.id, by=by and by.id, reason=reason, bot=user.bot)
        told = {"guild_id": str(guild.id), "user": payloads.user(user)}
        if what == "banned":
            site.gateway.tell("GUILD_BAN_ADD", told, guild)
        site.gateway.tell("GUILD_MEMBER_REMOVE", told, guild)

    def ban(self, guild: Guild, user: User, by: User, reason: str = "") -> None:
        """Removed, and not let in again."""
        guild.bans[user.id] = reason
        self.leave(guild, user, what="banned", by=by)

    def rename(self, user: User, *, name: str | None, global_name: str | None) -> None:
        """Username or display name, everywhere."""
        user.name = user.name if name is None else name
        user.global_name = user.global_name if global_name is None else global_name or None
        site = self._site
        site.record.note("renamed", user.id, None, name=user.name, global_name=user.global_name)
        if user is site.me:
            site.gateway.tell("USER_UPDATE", payloads.user(user), intent=0)
        for guild in site.world.guilds_of(user):
            self.tell_member(guild, guild.members[user.id])
        if user.presence.status != "offline":
            self._tell_presence(user, site.world.guilds_of(user), whole_user=True)

    def nick(self, guild: Guild, user: User, nick: str | None) -> None:
        """The name in one guild; None removes it."""
        guild.members[user.id].nick = nick
        self._site.record.note("nick", user.id, guild.id, nick=nick)
        self.tell_member(guild, guild.members[user.id])

    def give(self, guild: Guild, user: User, role: Role, by: User, reason: str | None = None) -> None:
        """A role; nothing if the member has it."""
        member = guild.members[user.id]
        if role.id not in member.roles:
            member.roles.append(role.id)
            self._note_role("role_given", guild, user, role, by, reason)
            self.tell_member(guild, member)

    def take(self, guild: Guild, user: User, role: Role, by: User, reason: str | None = None) -> None:
        """The role away; nothing if the member does not have it."""
        member = guild.members[user.id]
        if role.id in member.roles:
            member.roles.remove(role.id)
            self._note_role("role_taken", guild, user, role, by, reason)
            self.tell_member(guild, member)

    def _note_role(self, what: str, guild: Guild, user: User, role: Role, by: User, reason: str | None) -> None:
        self._site.record.note(what, user.id, guild.id, role=role.id, by=by.id, reason=reason)

    def tell_member(self, guild: Guild, member: Member) -> None:
        """GUILD_MEMBER_UPDATE; the bot hears of itself without any intent."""
        told = {**payloads.member(member), "guild_id": str(guild.id)}
        self._site.gateway.tell("GUILD_MEMBER_UPDATE", told, guild, intent=0 if member.user is self._site.me else None)

    # -- presence -----------------------------------------------------------------------------------------------

    def present(
        self, user: User, status: str, activities: Iterable[Json] = (), clients: Mapping[str, str] | None = None
    ) -> None:
        """online, idle, dnd, offline, or invisible, which looks like offline; one dispatch per mutual guild."""
        shown = "offline" if status == "invisible" else status
        if shown == "offline":
            user.presence = Presence()
        else:
            told = [_activity(one, self._site.now()) for one in activities]
            user.presence = Presence(shown, dict(clients or {"desktop": shown}), told)
        self._site.record.note(
            "presence",
            user.id,
            None,
            status=shown,
            clients=dict(user.presence.clients),
            activities=[(one["type"], one["name"]) for one in user.presence.activities],
        )
        self.repeat(user)

    def repeat(self, user: User) -> None:
        """PRESENCE_UPDATE again, with nothing changed: it happens."""
        self._tell_presence(user, self._site.world.guilds_of(user))

    def bot_presents(self, body: Json) -> None:
        """Op 3: what the bot says of itself."""
        self.present(self._site.me, body["status"], body.get("activities") or ())

    def _tell_presence(self, user: User, guilds: Iterable[Guild], *, whole_user: bool = False) -> None:
        for guild in guilds:
            told = payloads.presence(user, guild, whole_user=whole_user)
            self._site.gateway.tell("PRESENCE_UPDATE", told, guild)


def _activity(given: Json, now: int) -> Json:
    said = {key: value for key, value in given.items() if value is not None}
    return {"id": secrets.token_hex(8), "created_at": now, **said}
