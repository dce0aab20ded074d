"""Discord's documents as JSON Schema: addressed by pointer, nothing of them copied into the project.

The two files are third-party data beside the project, absent elsewhere. What is changed in memory:

- REST: a message may be a forward, which the documentation has and the document has not;
- requests: a snowflake may also be an integer (discord.py sends `attachments[].id` as one);
- gateway: flags are integers (the generator took a bit field for one of its bits); a snowflake is digits and a field
  that is a time has a time in it, as the REST document says (`discord-api-types` calls both a string); the guild of a
  GUILD_CREATE may be unavailable; dispatches that its schema lacks are added from `dispatch_rules`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

import jsonschema
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7, DRAFT202012

from .dispatch_rules import MINIMAL
from .shapes import Shapes

FOLDER: Final = Path(__file__).parents[4] / "shared" / "reference" / "discord"
EVENTS: Final = "/definitions/Events/properties"
_URI: Final = "urn:discord"
_BESIDE_A_REFERENCE: Final = frozenset({"$ref", "$schema", "description", "definitions", "deprecated"})
_TIMES: Final = frozenset(
    {
        "timestamp",
        "edited_timestamp",
        "joined_at",
        "premium_since",
        "last_pin_timestamp",
        "archive_timestamp",
        "create_timestamp",
        "join_timestamp",
        "request_to_speak_timestamp",
        "communication_disabled_until",
        "ended_timestamp",
        "expiry",
    }
)


def formats() -> jsonschema.FormatChecker:
    """Every format jsonschema knows and the integers of OpenAPI.

    `date-time` and `uri`, the only others the documents use, need `rfc3339-validator` and `rfc3986-validator`: two of
    what jsonschema's `format-nongpl` extra brings. The whole extra slows every import of jsonschema by 0.7 s.
    """
    checker = jsonschema.FormatChecker()
    checker.checkers = dict(jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers)
    missing = {"date-time", "uri"} - checker.checkers.keys()
    if missing:
        raise RuntimeError(f"install rfc3339-validator and rfc3986-validator: nothing checks {sorted(missing)}")
    for name, bits in (("int32", 31), ("int64", 63)):
        checker.checks(name)(functools.partial(_fits, bits))
    return checker


def _fits(bits: int, value: object) -> bool:
    return not isinstance(value, int | float) or -(2**bits) <= value < 2**bits


class Document:
    """One document, and a validator for any place in it."""

    def __init__(self, contents: dict[str, Any], dialect: type[Validator]) -> None:
        self.contents = contents
        self._dialect = dialect
        self._formats = formats()
        specification = DRAFT7 if dialect is jsonschema.Draft7Validator else DRAFT202012
        self._registry: Registry[Any] = Registry().with_resource(_URI, specification.create_resource(contents))
        self._validators: dict[str, Validator] = {}

    def at(self, pointer: str) -> Any:
        """What is at a JSON pointer, KeyError if nothing is."""
        here: Any = self.contents
        for part in pointer.split("/")[1:]:
            token = part.replace("~1", "/").replace("~0", "~")
            here = here[int(token)] if isinstance(here, list) else here[token]
        return here

    def resolved(self, pointer: str) -> str:
        """The pointer at the end of the `$ref`s that start here."""
        while isinstance(schema := self.at(pointer), dict) and "$ref" in schema:
            if schema.keys() - _BESIDE_A_REFERENCE:
                raise ValueError(f"{pointer}: more than a reference, and nothing here follows both")
            pointer = unquote(schema["$ref"].removeprefix("#"))
        return pointer

    def validator(self, pointer: str) -> Validator:
        """A validator of what is at a pointer, made once."""
        known = self._validators.get(pointer)
        if known is None:
            reference = {"$ref": f"{_URI}#{quote(pointer, safe='/~')}"}
            known = self._dialect(reference, registry=self._registry, format_checker=self._formats)
            self._validators[pointer] = known
        return known

    def valid(self, pointer: str, value: Any) -> bool:
        """Whether a value is what the schema at a pointer asks for."""
        return bool(self.validator(pointer).is_valid(value))


class Side(NamedTuple):
    """A document as used in one direction, and the verdicts that were found so far."""

    document: Document
    shapes: Shapes
    clean: dict[tuple[str, object], tuple[str, ...]]
    """Pointer and shape of what was found valid: the unknown fields it had."""


class Documents(NamedTuple):
    """Both files, read once a process."""

    requests: Side
    responses: Side
    gateway: Side


def child(pointer: str, *parts: str | int) -> str:
    """The pointer of something below a pointer."""
    return pointer + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@functools.cache
def documents(folder: Path) -> Documents | None:
    """The documents of a folder, None where it is absent. Cached: they are a megabyte and never change."""
    if not folder.is_dir():
        return None
    rest = json.loads((folder / "openapi.json").read_text("utf-8"))
    rest["components"]["schemas"]["MessageReferenceType"]["oneOf"].append({"title": "FORWARD", "const": 1})
    gateway = json.loads((folder / "gateway.schema.json").read_text("utf-8"))
    _sharpen(gateway)
    return Documents(
        _side(_lenient(rest), jsonschema.Draft202012Validator, list(_bodies(rest))),
        _side(rest, jsonschema.Draft202012Validator, list(_bodies(rest))),
        _side(
            gateway,
            jsonschema.Draft7Validator,
            [child(EVENTS, event) for event in gateway["definitions"]["Events"]["properties"]],
        ),
    )


def _side(contents: dict[str, Any], dialect: type[Validator], roots: list[str]) -> Side:
    document = Document(contents, dialect)
    return Side(document, Shapes(document, roots, formats()), {})


def _lenient(rest: dict[str, Any]) -> dict[str, Any]:
    """The document with snowflakes that may be integers; shares all else with the one given."""
    components = rest["components"]
    snowflake = {"anyOf": [components["schemas"]["SnowflakeType"], {"type": "integer", "minimum": 0}]}
    schemas = {**components["schemas"], "SnowflakeType": snowflake}
    return {**rest, "components": {**components, "schemas": schemas}}


def _bodies(rest: dict[str, Any]) -> Iterator[str]:
    """Pointers of all schemas of bodies."""
    for path, item in rest["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            here = child("/paths", path, method)
            for media in operation.get("requestBody", {}).get("content", ()):
                yield child(here, "requestBody", "content", media, "schema")
            for status, response in operation["responses"].items():
                for media in response.get("content", ()):
                    yield child(here, "responses", status, "content", media, "schema")
    for name, response in rest["components"]["responses"].items():
        for media in response.get("content", ()):
            yield child("/components/responses", name, "content", media, "schema")


def _sharpen(gateway: dict[str, Any]) -> None:
    definitions = gateway["definitions"]
    _date(definitions)
    definitions.update({name: {"type": "integer"} for name in definitions if name.endswith("Flags")})
    definitions["Snowflake"] = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
    events = definitions["Events"]["properties"]
    unavailable = {
        "type": "object",
        "properties": {"id": {"$ref": "#/definitions/Snowflake"}, "unavailable": {"const": True}},
        "required": ["id", "unavailable"],
        "maxProperties": 2,
    }
    events["GUILD_CREATE"] = {"anyOf": [events["GUILD_CREATE"], unavailable]}
    events.update(MINIMAL)


def _date(node: object) -> None:
    """Give strings that are times by their name the format of one."""
    if isinstance(node, list):
        for item in node:
            _date(item)
        return
    if not isinstance(node, dict):
        return
    for name, schema in node.get("properties", {}).items():
        if name in _TIMES and isinstance(schema, dict) and schema.get("type") in ("string", ["string", "null"]):
            schema["format"] = "date-time"
    for item in node.values():
        _date(item)
