"""Events on the wire: sealed, decoded whole or refused with a reason, and described by schemas that agree."""

from __future__ import annotations

import copy
import json
import zlib
from functools import cache
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.docs import generated
from tests.strategies import of_kind
from userstats.contract import schema, wire
from userstats.contract.events import KINDS, Event
from userstats.contract.wire import Bad

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False).filter(lambda x: not x.is_integer())
    | st.text(max_size=600), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def sealed(document: dict[str, Any]) -> bytes:
    """The document as its bridge would have sealed it: with a right checksum at its end."""
    open_end = json.dumps({k: v for k, v in document.items() if k != "crc"}).encode()[:-1]
    return b'%b,"crc":%d}' % (open_end, zlib.crc32(open_end))


@cache
def validator(kind: type[Event]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema.event_schema(kind))


@kinds
@given(data=st.data())
def test_what_is_sealed_is_decoded_to_the_same_event(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(of_kind(kind))

    decoded = wire.decode(wire.seal(wire.body(event), "outbox", 7))

    assert isinstance(decoded, kind)
    assert msgspec.structs.replace(decoded, v=0, producer="", n=0, crc=0) == event
    assert (decoded.v, decoded.producer, decoded.n) == (1, "outbox", 7)


@kinds
@given(data=st.data())
def test_struct_and_schema_give_the_same_verdict(kind: type[Event], data: st.DataObject) -> None:
    document = json.loads(wire.seal(wire.body(data.draw(of_kind(kind))), "outbox", 7))
    changed = copy.deepcopy(document)
    name = data.draw(st.sampled_from(sorted(set(schema.event_schema(kind)["properties"]) - {"crc", "kind"})))
    changed.pop(name, None)
    kept = data.draw(st.booleans())
    changed.update({name: data.draw(json_values)} if kept else {})
    payload = sealed(changed)

    verdict = wire.decode(payload)

    complaints = [error.message for error in validator(kind).iter_errors(json.loads(payload))]
    assert isinstance(verdict, Bad) is bool(complaints), (verdict, complaints)


@given(st.binary(max_size=2000))
def test_any_bytes_decode_to_an_event_or_a_reason(payload: bytes) -> None:
    assert isinstance(wire.decode(payload), (Bad, Event))


@kinds
@given(data=st.data())
def test_a_flipped_bit_is_never_counted(kind: type[Event], data: st.DataObject) -> None:
    payload = bytearray(wire.seal(wire.body(data.draw(of_kind(kind))), "outbox", 7))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= 1 << data.draw(st.integers(0, 7))

    assert isinstance(wire.decode(bytes(payload)), Bad)


def good(**changes: Any) -> dict[str, Any]:
    document = {
        "kind": "Named", "id": 1, "at": 1_790_000_000_000, "seen": 1_790_000_000_000,
        "place": {"platform": "cytube", "space": "cytu.be", "channel": "room"}, "watch": "w", "key": 5,
        "name": "Amy", "v": 1, "producer": "p", "n": 1,
    }  # fmt: skip
    return {**document, **changes}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", Bad("json", "$", "not JSON")),
        (b"[" * 5000, Bad("schema", "$", "Expected `object`, got `array`")),
        (sealed(good(name="x" * 2**20)), Bad("too_big", "$", "1048804 bytes, the most is 16384")),
        (sealed(good(name="A\x00y")), Bad("control", "$.name", "control characters are not allowed")),
        (sealed(good(name="A\ny")), Bad("control", "$.name", "control characters are not allowed")),
        (sealed(good(kind="Sneezed")), Bad("unknown_type", "$.kind", "no such kind of event")),
        (sealed(good(v=2)), Bad("version", "$.v", "version 2, this userstats knows 1")),
        (sealed(good(id=2**64)), Bad("int_range", "$.id", "Expected `int` <= 9223372036854775807")),
        (sealed(good(at="now")), Bad("schema", "$.at", "Expected `int`, got `str`")),
        (sealed(good(n=0)), Bad("schema", "$", "`producer` and `n` are required")),
        (sealed(good()).replace(b"Amy", b"Eve"), Bad("crc", "$.crc", "the checksum does not match the payload")),
        (sealed(good(name="\ud83d")), Bad("surrogate", "$", "half of a surrogate pair")),
        (sealed(good()).replace(b'"id": 1', b'"id": NaN'), Bad("nan", "$", "NaN and Infinity are not JSON")),
        (b'{"kind": "Named", "x": ' + b"[" * 7000 + b"]" * 7000 + b"}", Bad("deep", "$", "nested too deeply")),
    ],
)
def test_what_is_no_event_is_refused_with_reason_and_path_but_without_its_text(payload: bytes, expected: Bad) -> None:
    assert wire.decode(payload) == expected


def test_a_payload_that_names_another_platform_than_its_subject_is_refused() -> None:
    verdict = wire.decode(sealed(good()), "chat.v1.event.discord.g.c.Named")

    assert verdict == Bad("subject_mismatch", "$.place.platform", "the payload names another platform than its subject")


@kinds
def test_every_schema_is_itself_valid(kind: type[Event]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema.event_schema(kind))


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path, text in generated().items() if path.read_text("utf-8") != text]

    assert stale == []


_CLOSED = {"watch", "producer", "bridge", "batch", "snapshot", "thread", "before", "link"}
"""Tokens and the platform's ids: their patterns leave no room for a text."""


def test_no_event_but_named_has_a_field_for_a_name_or_a_text() -> None:
    strings = {
        (name, field)
        for name, kind in KINDS.items()
        for field, described in schema.event_schema(kind)["properties"].items()
        if described.get("type") == "string" and field not in _CLOSED
    }

    assert strings == {
        ("Named", "name"), ("Named", "account"), ("PlaceNamed", "name"), ("PlaceNamed", "type"),
        ("MediaStarted", "title"), ("MediaStarted", "media_type"),
        ("MediaStarted", "media_id"), ("PhraseAdded", "phrase"), ("PhraseRemoved", "phrase"),
        ("ReactionAdded", "emote"), ("ReactionRemoved", "emote"), ("EventRefused", "refused"),
        ("ImportStarted", "file"),
        ("MediaImported", "title"), ("MediaImported", "media_type"), ("MediaImported", "media_id"),
        ("VoteImported", "title"), ("VoteImported", "media_type"), ("VoteImported", "media_id"),
        ("RowsRemarked", "reason"),
    }  # fmt: skip
