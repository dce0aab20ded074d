"""Application commands: what the documentation asks for beyond their schemas."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from .bodies import dicts, text

GLOBAL: Final = "/applications/{application_id}/commands"
_GUILD: Final = "/applications/{application_id}/guilds/{guild_id}/commands"
ROUTES: Final = frozenset({GLOBAL, _GUILD, f"{GLOBAL}/{{command_id}}", f"{_GUILD}/{{command_id}}"})

_CHAT_INPUT: Final = 1
_MOST: Final = {_CHAT_INPUT: 100, 2: 15, 3: 15, 4: 1}
_SUBCOMMAND, _GROUP = 1, 2
_CHOOSABLE: Final = {3: str, 4: int, 10: (int, float)}
_SCRIPTS: Final = ("DEVANAGARI ", "THAI ")
"""Their marks are allowed in names beside letters and digits."""


def request(method: str, body: object) -> Iterator[str]:
    """Rules for what is sent to any of the routes: a whole set, or one command (PATCH: parts of one)."""
    if isinstance(body, list):
        yield from _set([command for command in body if isinstance(command, dict)])
    elif isinstance(body, dict):
        yield from _command(body, partial=method == "PATCH")


def _set(commands: list[dict[str, Any]]) -> Iterator[str]:
    kinds = Counter(_kind(command) for command in commands)
    for kind, count in kinds.items():
        if count > _MOST.get(kind, 100):
            yield f"{count} commands of type {kind}, at most {_MOST.get(kind, 100)} are allowed"
    named = Counter((_kind(command), text(command.get("name"))) for command in commands)
    for (kind, name), count in named.items():
        if count > 1:
            yield f"{count} commands of type {kind} are called {name!r}"
    for command in commands:
        yield from _command(command, partial=False)


def _command(command: dict[str, Any], *, partial: bool) -> Iterator[str]:
    name = text(command.get("name"))
    here = f"command {name!r}"
    chat = _kind(command) == _CHAT_INPUT
    if chat:
        for said in _localized(command, "name") if partial and "name" not in command else _names(command):
            yield from _name(here, said)
        if not partial or "description" in command:
            yield from _described(here, command)
    else:
        if command.get("description"):
            yield f"{here}: only slash commands have a description"
        if command.get("options"):
            yield f"{here}: only slash commands have options"
    yield from _options(here, dicts(command.get("options")), 0)
    size = _size(command)
    if size > 8000:
        yield f"{here}: {size} characters of names, descriptions and values, at most 8000 are allowed"


def _options(here: str, options: list[dict[str, Any]], depth: int) -> Iterator[str]:
    names = Counter(text(option.get("name")) for option in options)
    yield from (f"{here}: {count} options are called {name!r}" for name, count in names.items() if count > 1)
    if len(options) > 25:
        yield f"{here}: {len(options)} options, at most 25 are allowed"
    nested = [option.get("type") in (_SUBCOMMAND, _GROUP) for option in options]
    if any(nested) and not all(nested):
        yield f"{here}: subcommands and other options together"
    optional = False
    for option in options:
        required = bool(option.get("required"))
        if required and optional:
            yield f"{here}: the required option {option.get('name')!r} comes after an optional one"
        optional = optional or not required
        yield from _option(f"{here} option {option.get('name')!r}", option, depth)


def _option(here: str, option: dict[str, Any], depth: int) -> Iterator[str]:
    kind = option.get("type")
    for said in _names(option):
        yield from _name(here, said)
    yield from _described(here, option)
    if kind in (_SUBCOMMAND, _GROUP):
        if depth > (1 if kind == _SUBCOMMAND else 0):
            yield f"{here}: nested too deeply"
        inner = dicts(option.get("options"))
        if kind == _GROUP and any(part.get("type") != _SUBCOMMAND for part in inner):
            yield f"{here}: a group holds subcommands only"
        if kind == _SUBCOMMAND and any(part.get("type") in (_SUBCOMMAND, _GROUP) for part in inner):
            yield f"{here}: a subcommand holds no further subcommands"
        yield from _options(here, inner, depth + 1)
        return
    if option.get("options"):
        yield f"{here}: only subcommands and groups have options"
    yield from _choices(here, option)
    for low, high in (("min_value", "max_value"), ("min_length", "max_length")):
        least, most = option.get(low), option.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            yield f"{here}: {low} is more than {high}"


def _choices(here: str, option: dict[str, Any]) -> Iterator[str]:
    kind, choices = option.get("type"), dicts(option.get("choices"))
    if kind not in _CHOOSABLE:
        if choices or option.get("autocomplete"):
            yield f"{here}: only texts and numbers have choices or autocomplete"
        return
    if choices and option.get("autocomplete"):
        yield f"{here}: both choices and autocomplete"
    if len(choices) > 25:
        yield f"{here}: {len(choices)} choices, at most 25 are allowed"
    named = Counter(text(it.get("name")) for it in choices)
    yield from (f"{here}: {count} choices are called {name!r}" for name, count in named.items() if count > 1)
    for it in choices:
        yield from (f"{here}: {rule}" for rule in choice(it))


def choice(it: dict[str, Any]) -> Iterator[str]:
    """Rules for a choice, of an option or of an autocomplete reply."""
    name, value = text(it.get("name")), it.get("value")
    if not 1 <= len(name) <= 100:
        yield f"a choice's name has {len(name)} characters, 1 to 100 are allowed"
    if isinstance(value, str) and len(value) > 100:
        yield f"a choice's value has {len(value)} characters, at most 100 are allowed"


def _name(here: str, name: str) -> Iterator[str]:
    if not 1 <= len(name) <= 32 or not all(_allowed(letter) for letter in name):
        yield f"{here}: a name has 1 to 32 letters, digits, '-', '_' or \"'\""
    if name != name.lower():
        yield f"{here}: a name is in lower case"


def _allowed(letter: str) -> bool:
    """One character of `[-_'\\p{L}\\p{N}\\p{sc=Deva}\\p{sc=Thai}]`."""
    if letter in "-_'" or unicodedata.category(letter)[0] in "LN":
        return True
    return unicodedata.name(letter, "").startswith(_SCRIPTS)


def _described(here: str, it: dict[str, Any]) -> Iterator[str]:
    length = len(text(it.get("description")))
    if not 1 <= length <= 100:
        yield f"{here}: a description has 1 to 100 characters, not {length}"


def _size(it: dict[str, Any]) -> int:
    """Characters of names, descriptions and values, of localized ones the longest."""
    size = sum(
        max(len(said) for said in (text(it.get(field)), *_localized(it, field))) for field in ("name", "description")
    )
    value = it.get("value")
    size += len(value) if isinstance(value, str) else 0
    return size + sum(_size(inner) for inner in (*dicts(it.get("options")), *dicts(it.get("choices"))))


def _names(it: dict[str, Any]) -> list[str]:
    return [text(it.get("name")), *_localized(it, "name")]


def _localized(it: dict[str, Any], field: str) -> list[str]:
    found = it.get(f"{field}_localizations")
    return [text(said) for said in found.values()] if isinstance(found, dict) else []


def _kind(command: dict[str, Any]) -> int:
    kind = command.get("type")
    return kind if isinstance(kind, int) else _CHAT_INPUT
