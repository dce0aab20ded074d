"""REST: the application's commands, replaced as a whole."""

from __future__ import annotations

from typing import Final

from .call import Answer, Call, Refused, Routes, invalid
from .settings import Json


def _own(call: Call) -> None:
    if call.number("application_id") != call.site.application:
        raise Refused(403, 20012, "You are not authorized to perform this action on this application")


def _get_global(call: Call) -> Answer:
    _own(call)
    return Answer(200, call.site.commands.registered(None))


def _put_global(call: Call) -> Answer:
    _own(call)
    return Answer(200, call.site.commands.replace(None, _distinct(call.body)))


def _get_guild(call: Call) -> Answer:
    _own(call)
    return Answer(200, call.site.commands.registered(call.guild().id))


def _put_guild(call: Call) -> Answer:
    _own(call)
    return Answer(200, call.site.commands.replace(call.guild().id, _distinct(call.body)))


def _distinct(commands: list[Json]) -> list[Json]:
    names = [(one["name"], one.get("type", 1)) for one in commands]
    if len(set(names)) < len(names):
        raise invalid("Application command names must be unique")
    return commands


ROUTES: Final[Routes] = {
    "GET /applications/{application_id}/commands": _get_global,
    "PUT /applications/{application_id}/commands": _put_global,
    "GET /applications/{application_id}/guilds/{guild_id}/commands": _get_guild,
    "PUT /applications/{application_id}/guilds/{guild_id}/commands": _put_guild,
}
