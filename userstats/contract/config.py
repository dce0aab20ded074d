"""config.json: read, substitute, and hand each owner its section, or say at which JSON path it is wrong.

A section's settings are a struct that lives beside its owner (a bridge, the store, a surface). Here are only the
mechanism and the names of the sections.
"""

from __future__ import annotations

import copy
import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

SECTIONS: Final = (
    "nats", "kryten", "stream", "channels", "cytube", "discord", "demo", "bridge", "database", "snapshots", "kudos",
    "aliases", "http", "questions", "privacy", "voice", "presence", "guild_snapshots",
    "pseudonyms", "log",
)  # fmt: skip
"""Every top-level key besides `$schema`; a test holds this equal to the sections that somebody reads."""

T = TypeVar("T")
_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_UNSET: Final = object()


class ConfigError(Exception):
    """A setting is wrong; the message names its JSON path and what to write instead."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class Config:
    """A configuration file after substitution. `unset` are the paths whose only content was an unset `${VAR}`."""

    def __init__(self, document: dict[str, Any], where: str, unset: frozenset[str], secret: frozenset[str]) -> None:
        self.document = document
        self.where = where
        self.unset = unset
        self.secret = secret
        """Paths whose value came from the environment or a file: shown masked."""
        _refuse_unknown(document, ("$schema", *SECTIONS), "$")

    def section(self, name: str, kind: type[T]) -> T:
        """One section as its owner's struct; a section that is absent has its defaults."""
        if name not in SECTIONS:
            raise KeyError(name)
        value = self.document.get(name, _UNSET)
        if value is _UNSET:
            value = [] if getattr(kind, "__origin__", None) is list else {}
        return decode(value, kind, f"$.{name}")


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in this file.

    Raises ConfigError naming the file and the JSON path: not JSON, unknown key, `${file:...}` that cannot be read.
    An unset `${VAR}` without a default counts as an absent setting.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            str(path), f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    if not isinstance(document, dict):
        raise ConfigError("$", "must be an object")
    return from_document(document, environment, str(path), path.parent)


def from_document(
    document: dict[str, Any], environment: Mapping[str, str] = os.environ, where: str = "", folder: Path = Path()
) -> Config:
    """The configuration in an already parsed document."""
    unset: set[str] = set()
    secret: set[str] = set()
    substituted = _substitute(copy.deepcopy(document), "$", environment, folder, unset, secret)
    return Config(substituted, where, frozenset(unset), frozenset(secret))


def decode(value: object, kind: type[T], path: str) -> T:
    """The value as this type; ConfigError names the path of what is wrong, and what was probably meant."""
    _refuse_unknown_in(value, kind, path)
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        raise ConfigError(path + at.rstrip("`"), _plainly(text)) from error


def _plainly(text: str) -> str:
    return text.replace("Expected", "expected").replace("Object missing required field", "missing setting")


def _refuse_unknown_in(value: object, kind: object, path: str) -> None:
    """Walk structs, lists and dicts of structs, and refuse keys that no field answers to."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        _refuse_unknown(value, tuple(fields), path)
        for key, item in value.items():
            _refuse_unknown_in(item, fields[key], f"{path}.{key}")
        return
    if getattr(kind, "__origin__", None) is dict and isinstance(value, dict):
        for key, item in value.items():
            _refuse_unknown_in(item, kind.__args__[1], f"{path}.{key}")  # type: ignore[attr-defined]
        return
    for argument in getattr(kind, "__args__", ()):
        if isinstance(value, list):
            for index, item in enumerate(value):
                _refuse_unknown_in(item, argument, f"{path}[{index}]")
        elif isinstance(value, dict):
            _refuse_unknown_in(value, argument, path)


def _refuse_unknown(value: Mapping[str, object], known: tuple[str, ...], path: str) -> None:
    for key in value:
        if key not in known and not key.startswith("//"):
            close = difflib.get_close_matches(key, known, 1)
            meant = (
                f"; did you mean {close[0]!r}?" if close else f"; known here: {', '.join(sorted(known)) or 'nothing'}"
            )
            raise ConfigError(f"{path}.{key}", f"unknown setting{meant}")


def _substitute(
    value: Any, path: str, environment: Mapping[str, str], folder: Path, unset: set[str], secret: set[str]
) -> Any:
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            if key.startswith("//"):
                continue
            replaced = _substitute(item, f"{path}.{key}", environment, folder, unset, secret)
            if replaced is not _UNSET:
                result[key] = replaced
        return result
    if isinstance(value, list):
        items = [_substitute(item, f"{path}[{i}]", environment, folder, unset, secret) for i, item in enumerate(value)]
        return [item for item in items if item is not _UNSET]
    if isinstance(value, str) and "${" in value:
        return _substitute_text(value, path, environment, folder, unset, secret)
    return value


def _substitute_text(
    text: str, path: str, environment: Mapping[str, str], folder: Path, unset: set[str], secret: set[str]
) -> Any:
    missing: list[str] = []

    def replacement(match: re.Match[str]) -> str:
        inside = match.group(1)
        if inside is None:
            return "${"
        if inside.startswith("file:"):
            secret.add(path)
            return _file(path, folder, inside[5:])
        name, has_default, default = inside.partition(":-")
        demanded, has_message, message = inside.partition(":?")
        if has_message:
            name = demanded
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ConfigError(path, f"${{{inside}}} names no environment variable")
        if environment.get(name):
            secret.add(path)
            return environment[name]
        if has_default:
            return default
        if has_message:
            raise ConfigError(path, message or f"the environment variable {name} is not set")
        missing.append(name)
        return ""

    result = _VARIABLE.sub(replacement, text)
    if not missing:
        return result
    if not result.strip():
        unset.add(path)
        return _UNSET
    raise ConfigError(path, f"the environment variable {missing[0]} is not set")


def _file(path: str, folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, f"the file {name} cannot be read ({type(error).__name__})") from error
