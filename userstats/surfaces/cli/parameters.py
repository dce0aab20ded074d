"""A question's parameters as the command line wants them, read from the schema of its request."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from ...answer import Asked

Kind = Literal["integer", "number", "boolean", "array", "json", "string"]

HELP: Final[Mapping[str, str]] = {
    "username": "a name, or one of somebody's aliases; on Discord also me",
    "platform": "only this platform: cytube, discord, demo",
    "domain": "only this site: cytu.be, or a Discord server's id",
    "channel": "only this channel",
    "since": "the last stretch of time: 90m, 24h, 30d, 2w, 1y, or all",
    "from": "from this day or moment on: 2026-11-20, 2026-11-20T18:00",
    "to": "up to this moment, or the end of this day",
    "hours": "the last so many hours",
    "days": "the last so many days",
    "tz": "time zone of days and times: Europe/Berlin, UTC",
    "limit": "at most so many rows",
}
"""Of the parameters that questions share."""


class Parameter(NamedTuple):
    """One parameter."""

    name: str
    kind: Kind
    required: bool
    choices: tuple[str, ...]
    help: str
    positional: bool

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def metavar(self) -> str:
        return self.name.upper()

    def read(self, text: str) -> Any:
        """A word of the command line as this parameter's value. Raises ArgumentTypeError in plain words."""
        if self.choices and text not in self.choices:
            raise ArgumentTypeError(f"{self.name}: {text!r} is none of {', '.join(self.choices)}")
        return _READERS[self.kind](text)


def parameters(asked: Asked, noun: str) -> list[Parameter]:
    """The parameters of a question, required ones first, in the order in which they are given as plain words.

    What is asked about a channel (`noun`, as it was said) may be told the channel's name as a plain word, too.
    """
    required = set(asked.definition["required"])
    return [
        _parameter(name, schema, name in required, positional=name in required or name == noun)
        for name, schema in asked.definition["properties"].items()
    ]


def _parameter(name: str, schema: Mapping[str, Any], required: bool, *, positional: bool) -> Parameter:
    options = [schema, *schema.get("anyOf", [])]
    choices = tuple(str(value) for one in options for value in one.get("enum", ()) if value is not None)
    return Parameter(name, _kind(options), required, choices, _help(name, schema, options, choices), positional)


def meaning(name: str, schema: Mapping[str, Any]) -> str:
    """What a parameter is for: its own words, else those of all parameters of this name; empty: its name says it."""
    options = (schema, *schema.get("anyOf", ()))
    return next((str(one["description"]) for one in options if "description" in one), HELP.get(name, ""))


def _kind(options: list[Any]) -> Kind:
    types = {one.get("type") for one in options}
    items = [one.get("items", {}).get("type") for one in options if one.get("type") == "array"]
    if "object" in types or any("$ref" in one for one in options) or any(item != "string" for item in items):
        return "json"
    return next((kind for kind in _READERS if kind in types), "string")


def _help(name: str, schema: Mapping[str, Any], options: list[Any], choices: tuple[str, ...]) -> str:
    said = meaning(name, schema) or ", ".join(choices)
    limits = [f"{key} {one[bound]}" for one in options for bound, key in _BOUNDS.items() if bound in one]
    if schema.get("default") not in (None, [], ""):
        limits.append(f"default {schema['default']}")
    return f"{said} ({', '.join(limits)})".strip() if limits else said


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no whole number") from error


def _numeric(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no number") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no JSON") from error


_BOUNDS: Final = {"minimum": "at least", "maximum": "at most"}
_READERS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    "integer": _integer,
    "number": _numeric,
    "boolean": lambda text: text,
    "array": lambda text: [one.strip() for one in text.split(",")],
    "json": _json,
    "string": lambda text: text,
}
