"""Subjects: reversible, injective, and never a wildcard by accident."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from userstats.contract import subjects
from userstats.contract.events import Place

texts = st.text(max_size=90)


@given(texts)
def test_a_token_is_plain_whatever_the_text(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_=-]{1,96}", subjects.token(text))


@given(st.text(max_size=8))
def test_a_short_text_comes_back_from_its_token(text: str) -> None:
    assert subjects.untoken(subjects.token(text)) == text


@given(texts, texts)
def test_different_texts_have_different_tokens(one: str, other: str) -> None:
    assert (subjects.token(one) == subjects.token(other)) is (one == other)


def test_a_site_with_a_dot_stays_one_token() -> None:
    place = Place("cytube", "cytu.be", "420grindhouse")

    assert subjects.event(place, "Joined") == "chat.v1.event.cytube.cytu=2Ebe.420grindhouse.Joined"


def test_a_place_without_space_and_channel_has_a_token_for_each() -> None:
    assert subjects.event(Place("userstats", "", ""), "AliasAdded") == "chat.v1.event.userstats.=.=.AliasAdded"


def test_a_text_too_long_for_a_token_becomes_a_hash() -> None:
    token = subjects.token("x" * 200)

    assert (len(token), token[:2], subjects.untoken(token)) == (34, "==", None)
