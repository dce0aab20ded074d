"""Generated events: whatever the contract's structs allow, and evenings that could have happened."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from tests import say
from tests.say import Gap
from userstats.contract.events import Event
from userstats.contract.wire import LARGEST, body

_SEALED: Final = frozenset({"v", "producer", "n", "crc"})
_LONGEST: Final = 4
"""Most elements of a generated tuple: long ones find nothing that short ones do not."""
_TEXT: Final = st.characters(exclude_categories=["Cs", "Cc"])


@cache
def of_kind(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Any event of this kind, as a bridge may say it: not sealed yet, and small enough for the stream."""
    return _of_struct(inspect.type_info(kind), _SEALED).filter(lambda event: len(body(event)) < LARGEST - 256)


def _of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, inspect.IntType):
        return st.integers(kind.ge, kind.le)
    if isinstance(kind, inspect.StrType):
        return _of_text(kind)
    if isinstance(kind, inspect.BoolType):
        return st.booleans()
    if isinstance(kind, inspect.NoneType):
        return st.none()
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    if isinstance(kind, inspect.UnionType):
        return st.one_of([_of(one) for one in kind.types])
    if isinstance(kind, inspect.VarTupleType):
        most = min(kind.max_length or _LONGEST, _LONGEST)
        return st.lists(_of(kind.item_type), min_size=kind.min_length or 0, max_size=most).map(tuple)
    if isinstance(kind, inspect.StructType):
        return _of_struct(kind, frozenset())
    raise TypeError(f"no strategy for {kind}")


def _of_text(kind: inspect.StrType) -> st.SearchStrategy[str]:
    least, most = kind.min_length or 0, kind.max_length
    if kind.pattern is None:
        return st.text(_TEXT, min_size=least, max_size=most)
    return st.from_regex(kind.pattern, fullmatch=True).filter(lambda text: least <= len(text) <= (most or len(text)))


def _of_struct(kind: inspect.Type, without: frozenset[str]) -> st.SearchStrategy[Any]:
    assert isinstance(kind, inspect.StructType)
    fields = {field.name: _of(field.type) for field in kind.fields if field.name not in without}
    return st.builds(kind.cls, **fields)


PEOPLE: Final = ("amy", "bob", "cid")
PLACES: Final = ("lounge", "lobby")
_who = st.sampled_from(PEOPLE)
_where = st.sampled_from(PLACES)
_few = st.lists(_who, unique=True, max_size=3)

deeds: Final[st.SearchStrategy[Event]] = st.one_of(
    st.builds(say.message, _who, _where, words=st.integers(0, 3), vote=st.sampled_from([-1, 0, 1])),
    st.builds(say.joined, _who, _where, afk=st.booleans()),
    st.builds(say.left, _who, _where),
    st.builds(say.afk, _who, _where),
    st.builds(say.back, _who, _where),
    st.builds(lambda people, away, where: say.roster(*people, away=away, where=where), _few, _few, _where),
    st.builds(say.started, _where),
    st.builds(say.stopped, _where),
    st.builds(say.beat, _where),
    st.builds(say.named, st.sampled_from(["Amy", "amy", "Bob"]), _where),
)
"""One thing that somebody, or a bridge, did at one of two places."""

passing: Final[st.SearchStrategy[str | Gap]] = st.one_of(
    st.sampled_from(["+1s", "+20s", "+89s", "+10m"]),
    st.sampled_from(["+1s", "+29s", "+90s", "+91s", "+16m", "+2h"]).map(Gap),
)
"""Time passing, with and without signs of life."""

evenings: Final[st.SearchStrategy[list[str | Gap | Event]]] = st.lists(st.one_of(deeds, deeds, passing), max_size=30)
"""What happened one evening, in the words of `World.tell`."""


def without_envelope(event: Event) -> Event:
    """The event as its bridge knew it, before it was sealed."""
    return msgspec.structs.replace(event, v=0, producer="", n=0, crc=0)
