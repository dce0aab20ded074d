"""JSON Schemas (draft 2020-12) of everything on the wire, generated from the structs and committed beside this file.

The structs decide on the hot path; the schemas tell other people's programs what the structs accept. A test holds
both to the same verdict.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from .events import KINDS, Event
from .questions import Failure, Reply
from .wire import VERSION

FOLDER: Final = Path(__file__).parent / "schemas"
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def event_schema(kind: type[Event]) -> dict[str, Any]:
    """The schema of one kind of event as it is in the stream: sealed."""
    generated = msgspec.json.schema(kind)
    definitions = generated.pop("$defs")
    own = definitions.pop(kind.__name__)
    _seal(own)
    _plain_strings([own, definitions])
    schema = {"$schema": DRAFT, "$id": f"urn:chat-userstats:event:{kind.__name__}", **own}
    if definitions:
        schema["$defs"] = definitions
    return schema


NO_CONTROL: Final = r"^(?![\s\S]*[\u0000-\u001f])"
"""No character below the blank. (`$` would let a last newline pass in some dialects.)"""


def _plain_strings(schema: Any) -> None:
    """Every free string refuses control characters, as `wire.decode` does."""
    if isinstance(schema, list):
        for item in schema:
            _plain_strings(item)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "string" and "pattern" not in schema:
        schema["pattern"] = NO_CONTROL
    for item in schema.values():
        _plain_strings(item)


def _seal(own: dict[str, Any]) -> None:
    """What `wire.decode` demands beyond the struct: the version, and an outbox with a row."""
    properties = own["properties"]
    properties["v"] = {"const": VERSION}
    properties["producer"] = {**properties["producer"], "minLength": 1}
    properties["n"] = {**properties["n"], "minimum": 1}
    for name in ("v", "producer", "n", "crc"):
        properties[name].pop("default", None)
    own["required"] = [*own["required"], "v", "producer", "n", "crc"]


def reply_schema(kind: type[Reply | Failure]) -> dict[str, Any]:
    """The schema of an answer's envelope."""
    generated = msgspec.json.schema(kind)
    definitions = generated.pop("$defs")
    own = definitions.pop(kind.__name__)
    schema = {"$schema": DRAFT, "$id": f"urn:chat-userstats:{kind.__name__.lower()}", **own}
    return {**schema, "$defs": definitions} if definitions else schema


def generate() -> dict[Path, str]:
    """Every schema file and its text."""
    files = {FOLDER / f"{name}.json": _text(event_schema(kind)) for name, kind in sorted(KINDS.items())}
    files[FOLDER / "reply.json"] = _text(reply_schema(Reply))
    files[FOLDER / "failure.json"] = _text(reply_schema(Failure))
    return files


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
