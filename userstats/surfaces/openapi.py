"""`GET /api/openapi.json`: OpenAPI 3.1 of everything that is served over HTTP, made of the catalogue. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ..answer import Asked
from ..contract import http
from ..contract.questions import HEADER_FOR, Failure, Reply
from ..contract.wire import VERSION
from .cli.parameters import meaning

Schema = dict[str, Any]

_REF: Final = "#/components/schemas/"
_OPERATOR: Final = "operator"
_BRIDGE: Final = "bridge"
_MAY: Final[Mapping[str, list[dict[str, list[str]]]]] = {
    "everyone": [{}],
    "self": [{_BRIDGE: []}, {_OPERATOR: []}],
    "staff": [{_BRIDGE: []}, {_OPERATOR: []}],
    "bridge": [{_BRIDGE: []}, {_OPERATOR: []}],
    "operator": [{_OPERATOR: []}],
}
"""What must be shown, by a question's audience."""
_ABOUT: Final = (
    "Chat statistics. Every question is answered with one envelope, and a refusal with another. What only asks may be "
    "asked with POST too, with the same parameters as a JSON object; what changes something, only so. Lists in a query "
    "string are written with commas between."
)
_EVENTS: Final = (
    "For a bridge that cannot reach NATS: the same sealed events as it would publish there, one a line, in the order "
    "of its outbox. They are acknowledged when they are on the broker's disk, and may be sent again. A line that is no "
    "event is stored too, and becomes a dead letter: `dead` tells of it, and it must not be sent again. One line that "
    "is too large, or of a platform that no bridge tells of, and all of them are refused."
)


def description(asked: Mapping[str, Asked]) -> Schema:
    """The document. Its version is the contract's."""
    kinds: list[Any] = [Reply, Failure, http.Taken, http.Takes]
    for one in asked.values():
        kinds += [one.request, one.result]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=f"{_REF}{{name}}")
    reply, failure, taken, takes, *rest = schemas
    paths: Schema = {
        http.question_path(name): _question(one, components, request, result, reply)
        for (name, one), request, result in zip(asked.items(), rest[::2], rest[1::2], strict=True)
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "chat-userstats", "version": str(VERSION), "description": _ABOUT},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": {**_pages(), http.EVENTS: _events(taken, takes), **paths},
        "components": {
            "schemas": components,
            "responses": {"Failure": _json("It is not answered; the message says why.", failure)},
            "securitySchemes": {
                _OPERATOR: {"type": "http", "scheme": "bearer", "description": "`http.token` of config.json."},
                _BRIDGE: {"type": "http", "scheme": "bearer", "description": "`http.events_token` of config.json."},
            },
            "parameters": {"For": _FOR},
        },
    }
    plain: Schema = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def _question(asked: Asked, components: Schema, request: Schema, result: Schema, reply: Schema) -> Schema:
    question = asked.question
    own: Schema = components.pop(request["$ref"].removeprefix(_REF))
    said = {"question": {"const": question.name}, "shape": {"const": question.shape}, "data": result}
    operation: Schema = {
        "operationId": question.name,
        "summary": question.help,
        "tags": [question.name.partition(".")[0]],
        "security": _MAY[question.audience],
        "parameters": [{"$ref": "#/components/parameters/For"}],
        "responses": {
            "200": _json("The answer.", {"allOf": [reply, {"type": "object", "properties": said}]}),
            "default": _FAILURE,
        },
    }
    if question.changes:
        own["additionalProperties"] = False
        body = {"required": bool(own["required"]), "content": {"application/json": {"schema": own}}}
        return {"post": {**operation, "requestBody": body}}
    return {"get": {**operation, "parameters": [*operation["parameters"], *_parameters(own)]}}


def _parameters(request: Schema) -> list[Schema]:
    """The properties of a request as parameters of a query string, in which nothing is null."""
    return [
        {
            "name": name,
            "in": "query",
            "required": name in request["required"],
            "schema": _worded(schema),
            **({"description": said} if (said := meaning(name, schema)) else {}),
            **({"style": "form", "explode": False} if schema.get("type") == "array" else {}),
        }
        for name, schema in request["properties"].items()
    ]


def _worded(schema: Schema) -> Schema:
    schema = copy.deepcopy(schema)
    if schema.get("default", ...) is None:
        del schema["default"]
    options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(options) == 1:
        del schema["anyOf"]
        schema.update(options[0])
    elif options:
        schema["anyOf"] = options
    return schema


_FOR: Final = {
    "name": HEADER_FOR, "in": "header", "required": False, "schema": {"type": "string"},
    "description": "For whom a bridge asks, like `discord:1234`: what this person may know is answered. Nobody else "
    "may send it.",
}  # fmt: skip
_FAILURE: Final = {"$ref": "#/components/responses/Failure"}


def _json(about: str, schema: Schema) -> Schema:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _events(taken: Schema, takes: Schema) -> Schema:
    again: Schema = {
        "description": "Not now; try again after so many seconds. All of them, in the same order.",
        "headers": {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}},
        "content": {"application/json": {"schema": {"$ref": f"{_REF}Failure"}}},
    }
    moved: Schema = {
        "description": "Another broker process than that of If-Match takes the events now, and may have lost the last "
        "that the one before acknowledged: send those again first. Nothing was stored.",
        "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
        "content": {"application/json": {"schema": {"$ref": f"{_REF}Failure"}}},
    }
    match = {
        "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
        "description": "The broker process that took what was sent before: `broker` of its answer.",
    }  # fmt: skip
    body = {
        "required": True,
        "description": f"At most {http.MOST_EVENTS} events and {http.MOST_BYTES} bytes.",
        "content": {http.NDJSON: {"schema": {"type": "string"}}},
    }
    common: Schema = {"tags": ["events"], "security": [{_BRIDGE: []}]}
    return {
        "get": {
            **common, "operationId": "events.takes", "summary": "What is taken, and by which broker process.",
            "responses": {"200": _json("It is taken.", takes), "503": again, "default": _FAILURE},
        },
        "post": {
            **common, "operationId": "events.append", "summary": "Append events to the stream.",
            "description": _EVENTS, "parameters": [match], "requestBody": body,
            "responses": {
                "200": _json("All are in the stream.", taken), "412": moved, "429": again, "503": again,
                "default": _FAILURE,
            },
        },
    }  # fmt: skip


def _pages() -> Schema:
    """What there is besides questions."""
    anything: Schema = {"type": "object"}
    text = {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    ready = {"type": "object", "required": ["ready"], "properties": {"ready": {"type": "boolean"}}}
    alive = {"type": "object", "required": ["status"], "properties": {"status": {"const": "alive"}}}
    listed = {
        "type": "object", "required": ["questions"], "properties": {"questions": {"type": "array", "items": anything}},
    }  # fmt: skip
    return {
        "/healthz": _page("alive", "Whether the process answers.", {"200": _json("It does.", alive)}),
        "/readyz": _page(
            "ready", "Whether answers are right and new: broker, database and stream, each by name.",
            {"200": _json("They are.", ready), "503": _json("They are not.", ready)},
        ),
        "/health": _page(
            "health", "The health page of kryten-userstats.",
            {"200": _json("Healthy.", anything), "503": _json("Unhealthy.", anything)},
        ),
        "/metrics": _page("metrics", "Metrics for Prometheus.", {"200": text}),
        "/api": _page("questions", "Every question with the schema of its request.", {"200": _json("All.", listed)}),
        http.OPENAPI: _page("openapi", "This document.", {"200": _json("OpenAPI 3.1.", anything)}),
    }  # fmt: skip


def _page(name: str, about: str, responses: Schema) -> Schema:
    return {
        "get": {
            "operationId": f"page.{name}", "summary": about, "tags": ["pages"], "security": [{}],
            "responses": responses,
        }
    }  # fmt: skip
