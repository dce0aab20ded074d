"""What jsonschema found wrong, in a sentence that names the place and the branch that was meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jsonschema.exceptions import ValidationError

_LONGEST: Final = 60
_UNIONS: Final = ("anyOf", "oneOf")

_SAID: Final[dict[str, Callable[[Any, Any], str]]] = {
    "type": lambda value, wanted: f"{short(value)} is not {_any(wanted)}",
    "const": lambda value, wanted: f"{short(value)} is not {wanted!r}",
    "enum": lambda value, wanted: f"{short(value)} is none of {short(wanted)}",
    "maxLength": lambda value, wanted: f"{len(value)} characters, at most {wanted} are allowed",
    "minLength": lambda value, wanted: f"{len(value)} characters, at least {wanted} are needed",
    "maxItems": lambda value, wanted: f"{len(value)} items, at most {wanted} are allowed",
    "minItems": lambda value, wanted: f"{len(value)} items, at least {wanted} are needed",
    "maximum": lambda value, wanted: f"{value} is more than {wanted}",
    "minimum": lambda value, wanted: f"{value} is less than {wanted}",
    "pattern": lambda value, wanted: f"{short(value)} does not match {wanted}",
    "format": lambda value, wanted: f"{short(value)} is not a {wanted}",
    "uniqueItems": lambda value, _: f"{short(value)} names something twice",
}


def sentence(error: ValidationError) -> str:
    """Where, and what is wrong there."""
    error = _meant(error)
    path = dotted(list(error.absolute_path))
    said = _SAID.get(str(error.validator))
    if error.validator in _UNIONS:
        what = _no_branch(error)
    elif said is None:
        what = error.message if len(error.message) <= 3 * _LONGEST else f"{short(error.instance)}: {error.validator}"
    else:
        what = said(error.instance, error.validator_value)
    return f"{path}: {what}" if path else what


def short(value: object) -> str:
    """A value, not more than fits in a sentence."""
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def dotted(path: list[str | int]) -> str:
    """`embeds[0].title`"""
    said = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return said.removeprefix(".")


def _meant(error: ValidationError) -> ValidationError:
    """The error inside a union's branch that the value was most likely meant for."""
    while error.validator in _UNIONS and error.context:
        branches: dict[object, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        best = min(branches.values(), key=_distance)
        if _elsewhere(best) or any(_discriminates(inner) for inner in best):
            break
        error = max(best, key=lambda inner: len(inner.absolute_path))
    return error


def _no_branch(error: ValidationError) -> str:
    """A value that no branch of a union was meant for."""
    if not error.context:
        return f"{short(error.instance)} is more than one of the kinds allowed"
    if isinstance(error.instance, dict) and "type" in error.instance:
        return f"type {short(error.instance['type'])} is none of those allowed here"
    return f"{short(error.instance)} is none of the kinds allowed"


def _distance(errors: list[ValidationError]) -> tuple[bool, bool, int]:
    """How unlike a value is to what a branch describes: another type, another discriminator, faults."""
    return (_elsewhere(errors), any(_discriminates(error) for error in errors), len(errors))


def _elsewhere(errors: list[ValidationError]) -> bool:
    return any(error.validator in ("type", "const", "enum") and not error.relative_path for error in errors)


def _discriminates(error: ValidationError) -> bool:
    return list(error.relative_path) == ["type"] and error.validator in ("const", "enum", "oneOf", "anyOf")


def _any(types: str | list[str]) -> str:
    return types if isinstance(types, str) else " or ".join(types)
