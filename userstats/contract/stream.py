"""What the streams are declared to be, and how a live one differs. Provisioning writes it, userstats only verifies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError

from . import subjects, wire

_SECOND: Final = 1_000_000_000
_DAY: Final = 24 * 60 * 60 * _SECOND
_HEADERS: Final = 1024
"""Bytes left for the headers of a message (its id, and those of an atomic batch)."""
LEASE_BYTES: Final = 4 * 1024 * 1024

Declared = Mapping[str, Any]
"""A stream's configuration as the JetStream API spells it; times in nanoseconds."""


class StreamSettings(msgspec.Struct, frozen=True):
    """Section `stream`: how long and how much the event log keeps."""

    max_age_days: int = 400
    max_bytes: int = 8 * 1024**3
    """When it is full the broker refuses new events (they wait in the bridges' outboxes); nothing unread is deleted."""
    duplicate_window_minutes: int | None = None
    """How long the broker recognises a message sent twice: an hour if embedded, else ten minutes. Counting does not
    depend on it."""
    replicas: int = 1
    dead_max_age_days: int = 30
    dead_max_bytes: int = 256 * 1024**2


def declared(settings: StreamSettings, *, embedded: bool) -> tuple[Declared, ...]:
    """The streams there must be: the events, the dead letters, and the bridges' leases."""
    minutes = settings.duplicate_window_minutes
    if minutes is None:
        minutes = 60 if embedded else 10
    common = {"retention": "limits", "storage": "file", "num_replicas": settings.replicas, "allow_direct": True}
    events = common | {
        "name": subjects.STREAM,
        "subjects": [subjects.EVENTS],
        "compression": "s2",
        "discard": "new",
        "max_age": settings.max_age_days * _DAY,
        "max_bytes": settings.max_bytes,
        "max_msg_size": wire.LARGEST + _HEADERS,
        "duplicate_window": minutes * 60 * _SECOND,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "no_ack": False,
        "sealed": False,
        "allow_atomic": True,
        "allow_msg_ttl": False,
        "allow_rollup_hdrs": False,
        "deny_purge": True,
        "deny_delete": False,  # erasing somebody deletes the few messages that name them
        "metadata": {"schema": str(wire.VERSION)},
    }
    dead = common | {
        "name": subjects.DEAD_STREAM,
        "subjects": [subjects.DEAD],
        "compression": "s2",
        "discard": "old",
        "max_age": settings.dead_max_age_days * _DAY,
        "max_bytes": settings.dead_max_bytes,
        "duplicate_window": minutes * 60 * _SECOND,
    }
    leases = common | {
        "name": subjects.LEASE_STREAM,
        "subjects": [f"{subjects.LEASE_KEYS}.>"],
        "discard": "new",
        "max_bytes": LEASE_BYTES,
        "max_msgs_per_subject": 1,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "deny_delete": True,
    }
    return events, dead, leases


class Drift(NamedTuple):
    """One field of a stream that is not as declared."""

    stream: str
    field: str
    declared: object
    found: object

    def __str__(self) -> str:
        return f"{self.stream}.{self.field}: declared {json.dumps(self.declared)}, found {json.dumps(self.found)}"


def drift(wanted: Declared, live: Declared) -> tuple[Drift, ...]:
    """Each declared field whose live value differs. What the server leaves out is false or empty."""
    return tuple(
        Drift(wanted["name"], field, value, live.get(field))
        for field, value in wanted.items()
        if not _same(value, live.get(field))
    )


def _same(wanted: object, found: object) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(found.get(key) == value for key, value in wanted.items())
    return (wanted or None) == (found or None)


class StreamError(Exception):
    """The JetStream API refused; `code` is its err_code (10059: no such stream)."""

    def __init__(self, what: str, code: int, description: str) -> None:
        super().__init__(f"{what}: {description} ({code})")
        self.code = code
        self.description = description


NO_SUCH_STREAM: Final = 10059


async def ask(client: Client, verb: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Ask the JetStream API (`STREAM.INFO.CHAT`) in its own JSON, which knows every field that the server knows.

    Raises StreamError where the API refuses, there is none, or it does not answer.
    """
    try:
        reply = await client.request(f"{subjects.JS_API}.{verb}", json.dumps(body).encode() if body else b"", timeout=5)
    except NoRespondersError as error:
        raise StreamError(verb, 0, "the broker has no JetStream here") from error
    except (Error, TimeoutError) as error:
        raise StreamError(verb, 0, f"no answer ({type(error).__name__}); is the role allowed to ask?") from error
    answer: dict[str, Any] = json.loads(reply.data)
    if refused := answer.get("error"):
        raise StreamError(verb, refused.get("err_code", 0), refused.get("description", "refused"))
    return answer


async def check(client: Client, settings: StreamSettings, *, embedded: bool) -> tuple[Drift, ...]:
    """How the event stream and the dead letters differ from what is declared; userstats asks this when it starts.

    Raises StreamError (code NO_SUCH_STREAM) if one does not exist.
    """
    found: list[Drift] = []
    for wanted in declared(settings, embedded=embedded)[:2]:
        live = await ask(client, f"STREAM.INFO.{wanted['name']}")
        found += drift(wanted, live["config"])
    return tuple(found)
