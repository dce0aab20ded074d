"""Fields that the documents do not know.

No schema of Discord's says `additionalProperties: false` (but one), so a misspelt field is valid. This finds them:
at each place in a value, the fields that no schema which accepts the value there names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from .schemas import Document, child

_BY_DISCORD_PY: Final = (
    re.compile(r"(PUT|POST|PATCH) /applications/\S+/commands(/\{command_id\})? request: (\[\]\.)?nsfw"),
    re.compile(r"(POST|PATCH) \S+ request: (data\.|message\.)?embeds\[\]\.flags"),
    re.compile(r"PATCH \S+/messages/(@original|\{message_id\}) request: tts"),
    re.compile(r"POST /interactions/\{interaction_id\}/\{interaction_token\}/callback request: data\.tts"),
)
"""What unmodified discord.py 2.7 sends on its own."""
_FOR_DISCORD_PY: Final = re.compile(
    r"INTERACTION_CREATE: data\.resolved\.channels\.\d+\.(owner_id|member_count|message_count)"
)
"""What it reads of a thread that was chosen as an option, and Discord sends; the schema does not know it."""


def expected(finding: str) -> bool:
    """Whether a finding (`METHOD /path request: field`) is discord.py's own doing."""
    return any(pattern.fullmatch(finding) for pattern in (*_BY_DISCORD_PY, _FOR_DISCORD_PY))


def unknown_fields(document: Document, pointer: str, value: object) -> tuple[str, ...]:
    """Paths (`embeds[].colour`) of all fields that nothing at a pointer knows, each once."""
    return tuple(dict.fromkeys(_walk(document, [pointer], value, "")))


def _walk(document: Document, pointers: list[str], value: object, path: str) -> Iterator[str]:
    match value:
        case dict():
            schemas = _applicable(document, pointers, value)
            for key, item in value.items():
                inside, known = _below(document, schemas, key)
                here = f"{path}.{key}" if path else str(key)
                if not known:
                    yield here
                yield from _walk(document, inside, item, here)
        case list():
            items = [below for at in _applicable(document, pointers, value) for below in _items(document, at)]
            for item in value:
                yield from _walk(document, items, item, f"{path}[]")


def _applicable(document: Document, pointers: list[str], value: object) -> list[str]:
    """The schemas that say something of a value: references followed, of a union the branches that accept it."""
    found = []
    for pointer in pointers:
        at = document.resolved(pointer)
        schema = document.at(at)
        if not isinstance(schema, dict):
            continue
        found.append(at)
        found += _applicable(document, [child(at, "allOf", n) for n in range(len(schema.get("allOf", ())))], value)
        for union in ("anyOf", "oneOf"):
            branches = [child(at, union, n) for n in range(len(schema.get(union, ())))]
            accepting = [branch for branch in branches if document.valid(branch, value)]
            found += _applicable(document, accepting or branches, value)
    return found


def _below(document: Document, pointers: list[str], key: str) -> tuple[list[str], bool]:
    """The schemas of a field, and whether any schema knows it."""
    schemas: list[tuple[str, dict[str, Any]]] = [(pointer, document.at(pointer)) for pointer in pointers]
    named = [child(at, "properties", key) for at, schema in schemas if key in schema.get("properties", ())]
    if named:
        return named, True
    mapped = [child(at, "additionalProperties") for at, schema in schemas if "additionalProperties" in schema]
    silent = not any("properties" in schema for _, schema in schemas)
    return mapped, bool(mapped) or silent


def _items(document: Document, pointer: str) -> list[str]:
    schema = document.at(pointer)
    return [child(pointer, "items")] if isinstance(schema.get("items"), dict) else []
