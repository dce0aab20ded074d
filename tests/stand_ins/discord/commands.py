"""The registered commands, and what a client makes of somebody's input for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from . import payloads
from .permissions import ALL, in_channel, in_guild
from .settings import Json
from .world import Channel, Guild, Member, Role, User

if TYPE_CHECKING:
    from .site import StandIn

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(1, 11)


class Impossible(Exception):
    """A real client would not let somebody do this."""


class Filled(NamedTuple):
    """A command with somebody's input, as an interaction's `data`."""

    command: Json
    data: Json


class Commands:
    """Global ones and those of guilds."""

    def __init__(self, site: StandIn) -> None:
        self._site = site
        self._sets: dict[int | None, list[Json]] = {}

    def registered(self, guild: int | None) -> list[Json]:
        """As Discord answers them; None for the global ones."""
        return self._sets.get(guild, [])

    def replace(self, guild: int | None, commands: list[Json]) -> list[Json]:
        """Bulk overwrite. A command that keeps its name keeps its id."""
        known = {(one["name"], one["type"]): one["id"] for one in self.registered(guild)}
        self._sets[guild] = [self._made(guild, one, known) for one in commands]
        return self._sets[guild]

    def _made(self, guild: int | None, given: Json, known: Mapping[tuple[str, int], str]) -> Json:
        kind = given.get("type") or 1
        new = self._site.world.ids.new
        made = {
            "default_member_permissions": None,
            "description": "",
            "nsfw": False,
            **{key: value for key, value in given.items() if value is not None},
            "id": known.get((given["name"], kind)) or str(new()),
            "application_id": str(self._site.application),
            "version": str(new()),
            "type": kind,
        }
        if made["default_member_permissions"] is not None:
            made["default_member_permissions"] = str(made["default_member_permissions"])
        return made if guild is None else made | {"guild_id": str(guild)}

    def find(self, name: str, guild: Guild | None) -> Json:
        """The chat command of this name that is offered in a guild (None: to the bot directly)."""
        sets = [self.registered(guild.id)] if guild is not None else []
        for commands in (*sets, self.registered(None)):
            for one in commands:
                if one["type"] == 1 and one["name"] == name:
                    return one
        raise Impossible(f"there is no command /{name}")

    def fill(
        self,
        user: User,
        channel: Channel,
        words: str,
        given: Mapping[str, Json],
        *,
        focused: str | None = None,
    ) -> Filled:
        """Input for `words` ("stats", or "stats top" for a subcommand); `focused` is being typed just now."""
        name, *path = words.split()
        command = self.find(name, channel.guild)
        _permitted(command, user, channel)
        level, wrap = command, []
        for step in path:
            found = next(
                (one for one in level.get("options", ()) if one["name"] == step and one["type"] <= GROUP), None
            )
            if found is None:
                raise Impossible(f"/{words}: {step} is no subcommand")
            wrap.append(found)
            level = found
        if any(one["type"] <= GROUP for one in level.get("options", ())):
            raise Impossible(f"/{words} needs a subcommand")
        filling = _Filling(words, channel.guild, focused)
        options = filling.fill(level.get("options", []), given)
        for step in reversed(wrap):
            options = [{"type": step["type"], "name": step["name"], "options": options}]
        data: Json = {"id": command["id"], "name": name, "type": 1, "options": options}
        if filling.resolved:
            data["resolved"] = filling.resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return Filled(command, data)


def _permitted(command: Json, user: User, channel: Channel) -> None:
    needed = command["default_member_permissions"]
    if channel.guild is None:
        contexts = command.get("contexts")
        if command.get("dm_permission") is False or (contexts is not None and 1 not in contexts):
            raise Impossible(f"/{command['name']} is not offered in direct conversations")
    elif needed is not None:
        allowed = in_channel(channel, channel.guild.members[user.id])
        if allowed != ALL and (int(needed) == 0 or allowed & int(needed) != int(needed)):
            raise Impossible(f"{user.name} may not use /{command['name']}")


class _Filling:
    """Options of one command, as they are being filled in."""

    def __init__(self, words: str, guild: Guild | None, focused: str | None) -> None:
        self._words = words
        self._guild = guild
        self._focused = focused
        self.resolved: Json = {}

    def fill(self, options: list[Json], given: Mapping[str, Json]) -> list[Json]:
        """In the order of the command. Required ones may be missing only while something is being typed."""
        unknown = set(given) - {one["name"] for one in options}
        missing = [one["name"] for one in options if one.get("required") and one["name"] not in given]
        if unknown or (missing and self._focused is None):
            raise Impossible(f"/{self._words}: unknown {sorted(unknown)}, missing {missing}")
        return [self._option(one, given[one["name"]]) for one in options if one["name"] in given]

    def _option(self, option: Json, value: Json) -> Json:
        filled = {"type": option["type"], "name": option["name"]}
        if option["name"] == self._focused:
            if not option.get("autocomplete"):
                raise Impossible(f"/{self._words}: {option['name']} offers no choices")
            return filled | {"value": value, "focused": True}
        if option["type"] in (USER, CHANNEL, ROLE, MENTIONABLE):
            return filled | {"value": self._resolve(option, value)}
        _fits(f"/{self._words}: {option['name']}", option, value)
        return filled | {"value": value}

    def _resolve(self, option: Json, value: User | Channel | Role) -> str:
        kinds = {USER: (User,), CHANNEL: (Channel,), ROLE: (Role,), MENTIONABLE: (User, Role)}[option["type"]]
        types = option.get("channel_types")
        if not isinstance(value, kinds) or (types and isinstance(value, Channel) and value.kind not in types):
            raise Impossible(f"/{self._words}: {option['name']} cannot be {value!r}")
        key = str(value.id)
        if isinstance(value, User):
            self.resolved.setdefault("users", {})[key] = payloads.user(value)
            member = self._guild.members.get(value.id) if self._guild is not None else None
            if member is not None:
                self.resolved.setdefault("members", {})[key] = resolved_member(member, self._guild)
        elif isinstance(value, Role):
            self.resolved.setdefault("roles", {})[key] = payloads.role(value)
        else:
            self.resolved.setdefault("channels", {})[key] = resolved_channel(value)
        return key


def resolved_member(member: Member, guild: Guild | None) -> Json:
    """A member as it stands beside an interaction: without user, mute and deaf, with permissions."""
    bare = {key: value for key, value in payloads.bare_member(member).items() if key not in ("mute", "deaf")}
    return bare | {"permissions": str(in_guild(guild, member) if guild is not None else 0)}


def resolved_channel(channel: Channel) -> Json:
    """A channel as it stands beside an interaction."""
    told = {"id": str(channel.id), "type": channel.kind, "name": channel.name, "permissions": str(ALL)}
    if channel.parent is not None:
        told["parent_id"] = str(channel.parent.id)
    if channel.is_thread:
        thread = payloads.thread(channel)
        told |= {key: thread[key] for key in ("thread_metadata", "owner_id", "member_count", "message_count")}
    return told


_TYPES: Final[Mapping[int, tuple[type, ...]]] = {
    STRING: (str,),
    INTEGER: (int,),
    BOOLEAN: (bool,),
    NUMBER: (int, float),
}


def _fits(where: str, option: Json, value: Json) -> None:
    """What a client checks before it sends."""
    if not isinstance(value, _TYPES[option["type"]]) or (isinstance(value, bool) and option["type"] != BOOLEAN):
        raise Impossible(f"{where} cannot be {value!r}")
    choices = option.get("choices")
    if choices and value not in [one["value"] for one in choices]:
        raise Impossible(f"{where}: {value!r} is not among the choices")
    size = len(value) if isinstance(value, str) else value
    suffix = "_length" if isinstance(value, str) else "_value"
    low, high = option.get("min" + suffix), option.get("max" + suffix)
    if (low is not None and size < low) or (high is not None and size > high):
        raise Impossible(f"{where}: {value!r} is not between {low} and {high}")
