"""A query inside the ids of buttons."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.discord.commands import codec
from bridges.discord.commands.command_set import FORMATS
from bridges.discord.commands.query import WHERE, Query
from bridges.discord.commands.questions import Questions
from userstats.contract.questions import Listed

from .questions import BOARD, FEW, REAL

ALL = Questions(REAL)
SNOWFLAKE = "1428810218602496000"
TYPICAL = [
    Query("leaderboard.messages", {}, SNOWFLAKE),
    Query("leaderboard.kudos", {"kind": "phrases", "since": "30d", "channel": SNOWFLAKE, "tz": "Europe/Berlin",
                                "limit": 100}, SNOWFLAKE, 7),
    Query("user.stats", {"username": "somebody_with_a_name_of_thirty2", "from": "2026-01-01", "to": "2026-02-01"},
          SNOWFLAKE),
    Query("channel.heatmap", {"channel": SNOWFLAKE, "days": 90, "tz": "America/Argentina/Buenos_Aires"}, SNOWFLAKE),
    Query("channel.top", {WHERE: "cytube:cytu.be/some-room", "since": "all"}, SNOWFLAKE, 3),
]  # fmt: skip


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Whatever may be asked of the running code."""
    listed = draw(st.sampled_from(REAL))
    texts = st.text(max_size=30) | st.from_regex(r"[0-9]{1,25}", fullmatch=True)
    kinds = {
        "integer": st.integers(-(2**31), 2**31), "number": st.floats(allow_nan=False), "boolean": st.booleans(),
        "array": st.lists(texts, max_size=3), "string": texts,
        "json": st.recursive(texts | st.integers(0, 9), lambda one: st.lists(one, max_size=2), max_leaves=3),
    }  # fmt: skip
    said = {
        one.name: draw(st.sampled_from(one.choices) if one.choices else kinds[one.kind])
        for one in draw(st.lists(st.sampled_from(listed.parameters), unique_by=lambda one: one.name, max_size=6))
    } if listed.parameters else {}  # fmt: skip
    if draw(st.booleans()):
        said[WHERE] = draw(texts)
    invoker, page = str(draw(st.integers(0, 2**63))), draw(st.integers(0, codec.LAST))
    return Query(listed.question, said, invoker, page, draw(st.sampled_from([None, False, True])),
                 draw(st.sampled_from(FORMATS)))  # fmt: skip


@given(queries())
def test_every_query_comes_back_from_its_ids_whatever_they_are(query: Query) -> None:
    ids = codec.several(query, ALL)
    for letter, custom_id in (ids or {}).items():
        assert len(custom_id) <= 100
        assert codec.read(custom_id, (ids or {}).values(), ALL) == (letter, query)
    assert len(set((ids or {}).values())) == len(ids or {})
    one = codec.single(codec.GO, query, ALL)
    if one is not None:
        assert len(one) <= 100
        assert codec.read(one, (), ALL) == (codec.GO, query)


@pytest.mark.parametrize("query", TYPICAL, ids=[query.question for query in TYPICAL])
def test_what_people_ask_fits_into_one_id(query: Query) -> None:
    assert codec.single(codec.GO, query, ALL) is not None


@pytest.mark.parametrize("listed", REAL, ids=[one.question for one in REAL])
def test_every_question_fits_with_a_channel_and_a_period(listed: Listed) -> None:
    names = {one.name for one in listed.parameters}
    said = {"channel": SNOWFLAKE, "since": "30d", "tz": "Europe/Berlin", "username": "x" * 32}
    query = Query(listed.question, {key: value for key, value in said.items() if key in names}, SNOWFLAKE)
    assert codec.several(query, ALL) is not None


def test_a_long_query_is_divided_among_the_buttons() -> None:
    query = Query("channel.votes", {"title": "The Thing, and what came of it; " * 6, "since": "1y"}, SNOWFLAKE)
    long = Query("channel.votes", {"title": "".join(chr(0x4E00 + n * 37 % 20000) for n in range(90))}, SNOWFLAKE)
    ids = codec.several(long, ALL)
    assert ids is not None
    assert list(map(str.lower, ids)) == list(codec.ACTIONS)
    assert codec.single(codec.GO, long, ALL) is None
    assert {letter: codec.read(one, ids.values(), ALL) for letter, one in ids.items()} == {
        letter: (letter, long) for letter in codec.ACTIONS
    }
    assert codec.read(ids["r"], [ids["r"]], ALL) is None
    assert codec.single(codec.GO, query, ALL) is not None


def test_what_is_too_long_has_no_ids() -> None:
    query = Query("channel.votes", {"title": "".join(chr(0x4E00 + n * 37 % 20000) for n in range(500))}, SNOWFLAKE)
    assert codec.several(query, ALL) is None


@given(st.text(max_size=100), st.lists(st.text(max_size=100), max_size=5))
def test_ids_of_anybody_else_are_never_read_wrong(custom_id: str, others: list[str]) -> None:
    assert codec.read(custom_id, others, ALL) is None


@given(queries(), st.integers(0, 99), st.characters(codec="ascii"))
def test_a_changed_id_is_read_as_some_query_or_not_at_all(query: Query, at: int, character: str) -> None:
    custom_id = codec.single(codec.GO, query, ALL) or ""
    found = codec.read(custom_id[:at] + character + custom_id[at + 1 :], (), ALL)
    if found is not None:
        assert ALL.get(found.query.question) is not None


def test_a_question_that_takes_something_else_now_is_not_asked() -> None:
    made = codec.single(codec.GO, Query("board.kudos", {"kind": "phrases"}, SNOWFLAKE), FEW)
    assert made is not None
    other = Questions([msgspec.structs.replace(BOARD, parameters=BOARD.parameters[1:])])
    assert codec.read(made, (), other) is None
    assert codec.read(made, (), Questions()) is None
    assert codec.read(made, (), Questions([msgspec.structs.replace(BOARD, help="In other words.")])) is not None


def test_a_question_nobody_knows_has_no_ids() -> None:
    assert codec.several(Query("no.such", {}, SNOWFLAKE), ALL) is None
