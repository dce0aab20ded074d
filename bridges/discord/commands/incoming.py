"""What Discord sends when somebody types a command, presses a button or fills in a form, taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

import discord

from bridges.discord.settings import CommandSettings

from .query import ME, Asker

Told = discord.Interaction[discord.Client]

_SUBCOMMANDS: Final = (1, 2)
_USER, _CHANNEL = 6, 7
_THREADS: Final = (10, 11, 12)
_INPUT: Final = 4


class Typed(NamedTuple):
    """A command with its options."""

    words: tuple[str, ...]
    """`stats`, or `link`, `start`."""
    options: Mapping[str, Any]
    """Values by name; a user as a name, a channel as the id of what is counted: a thread's is its channel."""
    focused: str
    """The option that is being typed; empty: none."""


def data(told: Told) -> Mapping[str, Any]:
    """The raw data of an interaction."""
    return cast(Mapping[str, Any], told.data or {})


def asker(told: Told, settings: CommandSettings) -> Asker:
    """Who it is, and what they may do there."""
    account = str(told.user.id)
    return Asker(
        account, str(told.guild_id or ""), bool(told.guild_id) and told.permissions.manage_guild,
        account in settings.operators,
    )  # fmt: skip


def typed(told: Told) -> Typed:
    """The command that was typed, or is being typed."""
    given = data(told)
    words, options = [str(given.get("name", ""))], given.get("options") or []
    while options and options[0].get("type") in _SUBCOMMANDS:
        words.append(str(options[0]["name"]))
        options = options[0].get("options") or []
    resolved = given.get("resolved") or {}
    values = {one["name"]: _meant(one, resolved, str(told.user.id)) for one in options}
    return Typed(tuple(words), values, next((one["name"] for one in options if one.get("focused")), ""))


def filled(told: Told) -> dict[str, str]:
    """The texts of a form, by the ids of their fields; what is blank is left out."""
    return {name: text for name, text in _inputs(data(told).get("components") or []) if text.strip()}


def buttons(told: Told) -> list[str]:
    """The ids of all buttons of the message that one was pressed on."""
    components = told.message.components if told.message is not None else []
    return [
        child.custom_id
        for row in components if isinstance(row, discord.ActionRow)
        for child in row.children if isinstance(child, discord.Button) and child.custom_id
    ]  # fmt: skip


def _meant(option: Mapping[str, Any], resolved: Mapping[str, Any], own: str) -> Any:
    value = option.get("value")
    if option.get("type") == _USER:
        user = (resolved.get("users") or {}).get(str(value)) or {}
        return ME if str(value) == own else str(user.get("username") or value)
    if option.get("type") == _CHANNEL:
        channel = (resolved.get("channels") or {}).get(str(value)) or {}
        return str(channel.get("parent_id") or value) if channel.get("type") in _THREADS else str(value)
    return value


def _inputs(components: list[Any]) -> Iterator[tuple[str, str]]:
    for one in components:
        if one.get("type") == _INPUT:
            yield str(one.get("custom_id", "")), str(one.get("value") or "")
        inner = one.get("component")
        yield from _inputs([*(one.get("components") or []), *([inner] if inner else [])])
