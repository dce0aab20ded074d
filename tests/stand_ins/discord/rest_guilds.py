"""REST: guilds, their members, roles and threads."""

from __future__ import annotations

from typing import Final

from . import payloads
from .arrival import active_threads
from .call import Answer, Call, Refused, Routes
from .intents import Intent
from .permissions import Permission, top
from .settings import Json
from .world import Guild, Member


def _guild(call: Call) -> Answer:
    guild = call.guild()
    told = {key: value for key, value in payloads.guild(guild).items() if key != "hub_type"}
    told |= {"home_header": None, "nsfw": False}
    if call.query.get("with_counts", "").lower() in ("true", "1"):
        online = sum(one.user.presence.status != "offline" for one in guild.members.values())
        told |= {"approximate_member_count": len(guild.members), "approximate_presence_count": online}
    return Answer(200, told)


def _channels(call: Call) -> Answer:
    return Answer(200, [payloads.channel(one) for one in call.guild().channels.values()])


def _roles(call: Call) -> Answer:
    return Answer(200, [payloads.role(one) for one in call.guild().roles.values()])


def _active_threads(call: Call) -> Answer:
    guild, me = call.guild(), call.site.me
    threads = active_threads(guild, me)
    there = [guild.threads[int(one["id"])] for one in threads]
    members = [payloads.thread_member(one, me.id) for one in there if me.id in one.thread_members]
    return Answer(200, {"threads": threads, "members": members, "has_more": False})


def _members(call: Call) -> Answer:
    """Ascending by id; needs the GUILD_MEMBERS intent to be granted."""
    guild = call.guild()
    if not call.site.settings.granted & Intent.GUILD_MEMBERS:
        raise Refused(403, 50001, "Missing Access")
    after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 1))
    found = sorted(who for who in guild.members if who > after)[:limit]
    return Answer(200, [payloads.member(guild.members[who]) for who in found])


def _search(call: Call) -> Answer:
    guild, start = call.guild(), call.query["query"].lower()
    found = [one for one in guild.members.values() if (one.nick or one.user.name).lower().startswith(start)]
    return Answer(200, [payloads.member(one) for one in found[: int(call.query.get("limit", 1))]])


def _member(call: Call) -> Answer:
    return Answer(200, payloads.member(call.member(call.guild())))


def _voice_state(call: Call) -> Answer:
    guild = call.guild()
    name = call.params.get("user_id")
    state = guild.voice.get(call.site.me.id if name is None else call.number("user_id"))
    if state is None:
        raise Refused(404, 10065, "Unknown Voice State")
    told: Json = payloads.voice_state(state, guild) | {"guild_id": str(guild.id), "self_stream": state.stream}
    return Answer(200, told | {"member": payloads.member(guild.members[state.user.id])})


def _kick(call: Call) -> Answer:
    guild = call.guild()
    me, member = call.need(guild, Permission.KICK_MEMBERS), call.member(guild)
    _below(guild, me, top(guild, member))
    call.site.membership.leave(guild, member.user, what="kicked", by=call.site.me, reason=call.reason)
    return Answer(204)


def _give(call: Call) -> Answer:
    return _role(call, give=True)


def _take(call: Call) -> Answer:
    return _role(call, give=False)


def _role(call: Call, *, give: bool) -> Answer:
    guild = call.guild()
    me, member = call.need(guild, Permission.MANAGE_ROLES), call.member(guild)
    role = guild.roles.get(call.number("role_id"))
    if role is None or role.id == guild.id:
        raise Refused(404, 10011, "Unknown Role")
    if role.managed:
        raise Refused(403, 50013, "Missing Permissions")
    _below(guild, me, role.position)
    change = call.site.membership.give if give else call.site.membership.take
    change(guild, member.user, role, call.site.me, call.reason)
    return Answer(204)


def _below(guild: Guild, me: Member, position: int) -> None:
    if top(guild, me) <= position:
        raise Refused(403, 50013, "Missing Permissions")


ROUTES: Final[Routes] = {
    "GET /guilds/{guild_id}": _guild,
    "GET /guilds/{guild_id}/channels": _channels,
    "GET /guilds/{guild_id}/roles": _roles,
    "GET /guilds/{guild_id}/threads/active": _active_threads,
    "GET /guilds/{guild_id}/members": _members,
    "GET /guilds/{guild_id}/members/search": _search,
    "GET /guilds/{guild_id}/members/{user_id}": _member,
    "DELETE /guilds/{guild_id}/members/{user_id}": _kick,
    "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}": _give,
    "DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}": _take,
    "GET /guilds/{guild_id}/voice-states/@me": _voice_state,
    "GET /guilds/{guild_id}/voice-states/{user_id}": _voice_state,
}
