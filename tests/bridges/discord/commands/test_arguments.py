"""The option `arguments`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.discord.commands.arguments import read, suggestions
from bridges.discord.commands.plain import Unclear

from .questions import BOARD, IMPORT, PROFILE


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", {}),
        ("  ;; ", {}),
        ("batch=a", {"batch": "a"}),
        ("batch = a; first : 3", {"batch": "a", "first": 3}),
        ("BATCH=a", {"batch": "a"}),
        ('batch="two words" first=3', {"batch": "two words", "first": 3}),
        ('batch="a \\"b\\" c"', {"batch": 'a "b" c'}),
        ('batch="open', {"batch": "open"}),
        ('batch="C:\\x" first=1', {"batch": "C:\\x", "first": 1}),
        ("batch=a,b", {"batch": "a,b"}),
        ("batch=7", {"batch": "7"}),
        ("tags=a,b", {"tags": ["a", "b"]}),
        ('tags=["a b", 3]', {"tags": ["a b", "3"]}),
        ('rows=[{"a": 1}] batch=x', {"rows": [{"a": 1}], "batch": "x"}),
        ("rows=7", {"rows": 7}),
        ("dry=yes", {"dry": True}),
        ("dry=No", {"dry": False}),
    ],
)
def test_arguments_are_read(text: str, meant: dict[str, Any]) -> None:
    assert read(text, IMPORT) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "`nonsense` is no argument; write it like `step=day`"),
        ("batch=a batch=b", "`batch` is said twice"),
        ("bach=a", "`import.rows` takes no `bach`; did you mean `batch`?"),
        ("zzz=a", "`import.rows` takes no `zzz`; it takes `batch`, `first`, `rows`, `tags` and `dry`"),
        ("first=x", "`first` is a number, and `x` is none"),
        ("first=3.5", "`first` is a number, and `3.5` is none"),
        ("dry=maybe", "`dry` is yes or no, and not `maybe`"),
        ("rows=[1", "`rows` is written as JSON, and `[1` is none"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(Unclear) as unclear:
        read(text, IMPORT)
    assert str(unclear.value) == why


def test_choices_are_taken_in_any_case_and_listed_otherwise() -> None:
    assert read("kind=PlusPlus", BOARD) == {"kind": "plusplus"}
    with pytest.raises(Unclear, match="`kind` cannot be `other`; it is one of `all`, `plusplus` and `phrases`"):
        read("kind=other", BOARD)


def test_parameters_are_suggested_the_required_ones_first() -> None:
    assert suggestions("", IMPORT) == ["batch=", "first=", "rows=", "dry=", "tags="]
    assert suggestions("batch=x fi", IMPORT) == ["batch=x first="]
    assert suggestions("batch=x ", IMPORT) == [
        "batch=x first=", "batch=x rows=", "batch=x dry=", "batch=x tags="
    ]  # fmt: skip
    assert suggestions("", PROFILE, {"username", "platform"}) == ["channel=", "domain="]


def test_values_are_suggested_and_what_is_typed_can_be_kept() -> None:
    assert suggestions("kind=", BOARD) == ["kind=all", "kind=plusplus", "kind=phrases"]
    assert suggestions("limit=3 kind=p", BOARD) == ["limit=3 kind=p", "limit=3 kind=plusplus", "limit=3 kind=phrases"]
    assert suggestions("dry=", IMPORT) == ["dry=yes", "dry=no"]
    assert suggestions("batch=ab", IMPORT) == ["batch=ab"]


def test_no_suggestion_is_longer_than_discord_takes() -> None:
    assert suggestions(f'batch="{"x" * 92}" ', IMPORT) == []


@given(st.text(max_size=60))
def test_any_text_can_be_said_in_quotes(text: str) -> None:
    assert read(f"batch={json.dumps(text)} first=1", IMPORT) == {"batch": text, "first": 1}


@given(st.text(alphabet='ab="[]{} \\=:;,\n', max_size=40))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    assert all(len(one) <= 100 for one in suggestions(text, IMPORT))
    with suppress(Unclear):
        assert set(read(text, IMPORT)) <= {one.name for one in IMPORT.parameters}
