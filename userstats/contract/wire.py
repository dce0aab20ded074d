"""Events as bytes: sealing on the bridge's side, total decoding on userstats' side."""

from __future__ import annotations

import json
import re
import zlib
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from .events import (
    KINDS,
    Activity,
    AnyEvent,
    Event,
    GoesBy,
    Headcount,
    InVoice,
    Member,
    Place,
    Presence,
    Present,
    TableTaken,
    Thanks,
    Times,
    Voice,
)
from .subjects import EVENT_ROOT, token

VERSION: Final = 1
LARGEST: Final = 16 * 1024
"""Bytes of the largest event the stream takes."""

Reason = Literal[
    "too_big", "json", "deep", "nan", "surrogate", "control", "unknown_type", "version", "crc",
    "subject_mismatch", "int_range", "schema", "reducer_crash",
]  # fmt: skip
REASONS: Final[tuple[str, ...]] = get_args(Reason)


class Bad(NamedTuple):
    """Why a payload is no event. It never holds values from the payload, only where in it the fault lies."""

    reason: Reason
    path: str = "$"
    detail: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyEvent)
_STRUCTS: Final[tuple[type[msgspec.Struct], ...]] = (
    *KINDS.values(), Place, Present, Thanks, Times, Headcount, TableTaken, Voice, InVoice, Activity, Presence, Member,
    GoesBy,
)  # fmt: skip
_FIELDS: Final = frozenset(field.name for struct in _STRUCTS for field in msgspec.structs.fields(struct))
"""Names of fields; a key that is none of these is the sender's text, and no dead letter may repeat it."""
_TAIL = re.compile(rb',"crc":(\d{1,10})\}$')


def body(event: Event) -> bytes:
    """The event as its bridge knows it; what `seal` completes."""
    return _encoder.encode(event)


def seal(unsealed: bytes, producer: str, n: int) -> bytes:
    """The message as published: the body with version, producer, row number and, over all of these, the CRC-32."""
    checked = b'%b,"v":%d,"producer":"%b","n":%d' % (unsealed[:-1], VERSION, producer.encode(), n)
    return b'%b,"crc":%d}' % (checked, zlib.crc32(checked))


def decode(raw: bytes, subject: str = "") -> Event | Bad:
    """The event in these bytes, or the reason why they hold none. Nothing else can come out, and nothing is raised."""
    if len(raw) > LARGEST:
        return Bad("too_big", detail=f"{len(raw)} bytes, the most is {LARGEST}")
    try:
        event: Event = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return _why(raw, error)
    return _fault(raw, event, subject) or event


def _fault(raw: bytes, event: Event, subject: str) -> Bad | None:
    """What is wrong with an event that has the right shape."""
    if event.v != VERSION:
        return Bad("version", "$.v", f"version {event.v}, this userstats knows {VERSION}")
    if not event.n or not event.producer:
        return Bad("schema", "$", "`producer` and `n` are required")
    cut = raw.rfind(b',"crc":')
    if cut < 0 or zlib.crc32(raw[:cut]) != event.crc or not _TAIL.match(raw, cut):
        return Bad("crc", "$.crc", "the checksum does not match the payload")
    if b"\\" in raw and (path := _control_character(raw)):
        return Bad("control", path, "control characters are not allowed")
    if subject and not subject.startswith(_subject_of(event.place.platform)):
        return Bad("subject_mismatch", "$.place.platform", "the payload names another platform than its subject")
    return None


@lru_cache(1024)
def _subject_of(platform: str) -> str:
    return f"{EVENT_ROOT}.{token(platform)}."


def _why(raw: bytes, error: Exception) -> Bad:
    """Sort a refusal into the closed set of reasons. Rare, so it may be slow."""
    if isinstance(error, RecursionError):
        return Bad("deep", detail="nested too deeply")
    text = str(error)
    path = match.group(1) if (match := re.search(r"at `(\$[^`]*)`", text)) else "$"
    if isinstance(error, msgspec.ValidationError):
        if path == "$.kind" or "`kind`" in text or '"kind"' in text:
            return Bad("unknown_type", "$.kind", "no such kind of event")
        return Bad("int_range" if "`int`" in text and "<=" in text else "schema", path, _without_values(text))
    if "surrogate" in text:
        return Bad("surrogate", detail="half of a surrogate pair")
    if re.search(rb"[:,\[]\s*-?(NaN|Infinity)", raw):
        return Bad("nan", detail="NaN and Infinity are not JSON")
    return Bad("json", detail="not JSON")


def _without_values(text: str) -> str:
    """msgspec quotes the offending value in some messages ("Invalid enum value 'x'"); a dead letter may not hold it."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", text.split(" - at ", maxsplit=1)[0])


def _control_character(raw: bytes) -> str:
    """The path of a string with a control character in it, or an empty string."""
    stack: list[tuple[str, object]] = [("$", json.loads(raw))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str) and any(character < " " for character in value):
            return path
        if isinstance(value, dict):
            stack.extend((f"{path}.{key if key in _FIELDS else '…'}", item) for key, item in value.items())
        if isinstance(value, list):
            stack.extend((f"{path}[{index}]", item) for index, item in enumerate(value))
    return ""


def kind_of(event: Event) -> str:
    """The event's kind as subjects and payloads spell it."""
    return type(event).__name__
