"""Which questions there are, as userstats tells those that cannot read its catalogue: bridges, and the curious."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .contract.questions import Listed, Parameter, ParameterKind

_KINDS: Final[tuple[ParameterKind, ...]] = ("integer", "number", "boolean", "array", "string")
_LEAST: Final = ("minimum", "minLength", "minItems")
_MOST: Final = ("maximum", "maxLength", "maxItems")


class Listing:
    """Lent to the question that lists all questions."""

    userstats_service = True

    def __init__(self, questions: Iterable[Listed]) -> None:
        self.questions = tuple(questions)


def parameters(definition: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters in a request's schema, required ones first."""
    required = set(definition.get("required", ()))
    return tuple(_parameter(name, schema, name in required) for name, schema in definition["properties"].items())


def _parameter(name: str, schema: Mapping[str, Any], required: bool) -> Parameter:
    meant = [one for one in (schema, *schema.get("anyOf", ())) if one.get("type") != "null"]
    default = schema.get("default")
    return Parameter(
        name=name,
        kind=_kind(meant),
        required=required,
        default=default if isinstance(default, (str, int, float, bool)) else None,
        choices=tuple(str(value) for one in meant for value in one.get("enum", ()) if value is not None),
        least=_bound(meant, _LEAST),
        most=_bound(meant, _MOST),
    )


def _kind(meant: list[Mapping[str, Any]]) -> ParameterKind:
    types = {one.get("type") for one in meant}
    items = [one.get("items", {}).get("type") for one in meant if one.get("type") == "array"]
    if "object" in types or any("$ref" in one for one in meant) or any(item != "string" for item in items):
        return "json"
    return next((kind for kind in _KINDS if kind in types), "string")


def _bound(meant: list[Mapping[str, Any]], words: tuple[str, ...]) -> int | None:
    return next((one[word] for one in meant for word in words if isinstance(one.get(word), int)), None)
