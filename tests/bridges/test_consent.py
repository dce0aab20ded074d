"""Who opted out is in nothing that leaves a bridge, whatever kind of event it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from bridges.consent import without
from tests.bridges.observed import NOW, ROOM, WATCH, message
from userstats.contract import events as e
from userstats.contract.events import INT63, KINDS, Event

GONE = 4_242_424_242


def filled(type_: inspect.Type) -> Any:
    """A value of this type in which every person and every name's key is GONE."""
    match type_:
        case inspect.IntType(ge=1, le=limit) if limit == INT63:
            return GONE
        case inspect.IntType(ge=lowest):
            return lowest or 0
        case inspect.StrType() | inspect.AnyType():
            return "x"
        case inspect.BoolType():
            return False
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.VarTupleType(item_type=item):
            return [filled(item)]
        case inspect.UnionType(types=types):
            return filled(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.StructType(fields=fields):
            return {field.encode_name: filled(field.type) for field in fields}
    raise AssertionError(type_)


def sample(kind: type[Event]) -> Event:
    """An event of this kind that names GONE wherever it can name anybody."""
    fields = filled(inspect.type_info(kind))
    return msgspec.convert({**fields, "id": 1, "at": NOW, "seen": NOW, "n": 0, "kind": kind.__name__}, kind)


def numbers(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from numbers(item)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_g10_no_kind_of_event_lets_somebody_through_who_opted_out(kind: type[Event]) -> None:
    kept = without(sample(kind), {GONE})

    assert GONE not in set(numbers(msgspec.to_builtins(kept)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_who_did_not_opt_out_stays_in_every_kind_of_event(kind: type[Event]) -> None:
    event = sample(kind)

    assert without(event, {GONE + 1}) == event
    assert without(event, frozenset()) is event


def test_a_message_loses_only_the_traces_of_those_who_opted_out() -> None:
    said = message(
        1, mentions=(3, 4, 5), reply_to=4, thanks=(e.Thanks(4, "++"), e.Thanks(6, "lol")), words=9, emotes=("hi",)
    )

    assert without(said, {4}) == message(1, mentions=(3, 5), thanks=(e.Thanks(6, "lol"),), words=9, emotes=("hi",))


def test_a_message_from_somebody_who_opted_out_is_no_event_at_all() -> None:
    assert without(message(1, author=4, mentions=(3,)), {4}) is None


def test_a_roster_lists_the_others_and_stays_a_complete_part() -> None:
    roster = e.RosterSeen(
        id=1, at=NOW, seen=NOW, place=ROOM, watch=WATCH, snapshot="s", part=2, parts=3,
        people=(e.Present(3), e.Present(4, True), e.Present(5, True)),
    )  # fmt: skip

    assert without(roster, {4}) == msgspec.structs.replace(roster, people=(e.Present(3), e.Present(5, True)))


PEOPLE = st.integers(1, 6)


@given(
    author=PEOPLE,
    mentions=st.lists(PEOPLE, max_size=6),
    thanks=st.lists(PEOPLE, max_size=6),
    reply_to=st.none() | PEOPLE,
    opted_out=st.frozensets(PEOPLE),
)
def test_what_is_left_of_a_message_is_in_order_and_about_nobody_who_opted_out(
    author: int, mentions: list[int], thanks: list[int], reply_to: int | None, opted_out: frozenset[int]
) -> None:
    said = message(
        7, author=author, mentions=tuple(mentions), thanks=tuple(e.Thanks(who, "++") for who in thanks),
        reply_to=reply_to,
    )  # fmt: skip

    expected = message(
        7,
        author=author,
        mentions=tuple(who for who in mentions if who not in opted_out),
        thanks=tuple(e.Thanks(who, "++") for who in thanks if who not in opted_out),
        reply_to=None if reply_to in opted_out else reply_to,
    )
    assert without(said, opted_out) == (None if author in opted_out else expected)
