"""Events as bytes and back: what is accepted comes back whole, and what is not is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.say import message
from tests.strategies import of_kind, without_envelope
from userstats.contract import subjects
from userstats.contract.events import KINDS, Event
from userstats.contract.wire import REASONS, Bad, body, decode, kind_of, seal

EVENT = replace(message("amy", emotes=("Kappa",), thanks=("bob",)), id=7, at=1_741_000_000_000, seen=1_741_000_000_001)
SEALED = seal(body(replace(EVENT, watch="w")), "outbox", 5)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_a_bridge_says_arrives_whole(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(of_kind(kind))
    n = data.draw(st.integers(1, 2**63 - 1))
    raw = seal(body(event), "outbox", n)
    arrived = decode(raw, subjects.event(event.place, kind_of(event)))
    assert isinstance(arrived, Event), arrived
    assert (without_envelope(arrived), arrived.v, arrived.producer, arrived.n) == (event, 1, "outbox", n)
    assert seal(body(without_envelope(arrived)), arrived.producer, arrived.n) == raw


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= change
    assert isinstance(decode(bytes(changed)), Bad)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["kind", "id", "at", "place", "x"]) | st.text(), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), json_like.map(lambda value: json.dumps(value).encode())))
def test_anything_else_is_refused_with_a_reason_from_the_closed_set(raw: bytes) -> None:
    refused = decode(raw, "chat.v1.event.cytube.x.y.MessageSent")
    assert isinstance(refused, Bad)
    assert refused.reason in REASONS


def resealed(old: bytes, new: bytes) -> bytes:
    """The event with something else in its body, and a checksum that fits."""
    whole = body(replace(EVENT, watch="w"))
    assert whole.count(old) >= 1
    return seal(whole.replace(old, new, 1), "outbox", 5)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{" + b" " * 20_000 + b"}", "too_big"),
        (b"hello", "json"),
        (b"", "json"),
        (b"[" * 10_000, "schema"),
        (resealed(b'"id":7', b'"x":%b%b,"id":7' % (b"[" * 7000, b"]" * 7000)), "deep"),
        (resealed(b'"words":1', b'"words":NaN'), "nan"),
        (resealed(b'"++"', b'"\\ud800"'), "surrogate"),
        (resealed(b'"Kappa"', b'"Ka\\u0007ppa"'), "control"),
        (resealed(b'"MessageSent"', b'"MessageThought"'), "unknown_type"),
        (SEALED.replace(b'"v":1', b'"v":2'), "version"),
        (SEALED.replace(b'"id":7', b'"id":8'), "crc"),
        (resealed(b'"cytube"', b'"discord"'), "subject_mismatch"),
        (resealed(b'"id":7', b'"id":9223372036854775808'), "int_range"),
        (resealed(b'"id":7', b'"id":"seven"'), "schema"),
        (resealed(b'"id":7,', b""), "schema"),
        (body(EVENT), "schema"),
    ],
)
def test_each_fault_has_its_reason(raw: bytes, reason: str) -> None:
    refused = decode(raw, "chat.v1.event.cytube.cytu=2Ebe.lounge.MessageSent")
    assert isinstance(refused, Bad)
    assert refused.reason == reason


@pytest.mark.parametrize("field", ["by", "kind", "watch"])
def test_a_refusal_never_repeats_what_was_refused(field: str) -> None:
    marker = b"somebody-wrote-this"
    raw = SEALED.replace(b'"watch":"w"', b'"watch":"w","by":"person"')
    faults: dict[str, Any] = {
        "by": raw.replace(b'"person"', b'"%b"' % marker),
        "kind": raw.replace(b'"MessageSent"', b'"%b"' % marker),
        "watch": raw.replace(b'"w"', b'"%b !"' % marker),
    }
    refused = decode(faults[field])
    assert isinstance(refused, Bad)
    assert marker.decode() not in str(refused)
