"""Finding the question that is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.discord.commands.questions import Questions

from .questions import FEW, REAL

ALL = Questions(REAL)


@pytest.mark.parametrize(
    "text", ["leaderboard.kudos", " leaderboard.kudos ", "Leaderboard Kudos", "leaderboard kudos", "LEADERBOARD_KUDOS"]
)
def test_a_question_is_found_however_its_words_are_joined(text: str) -> None:
    found = ALL.find(text)
    assert found is not None
    assert found.question == "leaderboard.kudos"


def test_nothing_else_is_found() -> None:
    assert ALL.find("kudos") is None
    assert ALL.find("") is None


@pytest.mark.parametrize("name", [one.question for one in REAL])
def test_every_question_is_found_by_its_name_and_suggested_first_for_it(name: str) -> None:
    found = ALL.find(name)
    assert found is not None
    assert (found.question, ALL.like(name)[0].question) == (name, name)


def test_beginnings_come_before_words_and_words_before_help() -> None:
    assert [one.question for one in FEW.like("ali")] == ["alias.add", "alias.list"]
    assert [one.question for one in FEW.like("prof")] == ["user.profile"]
    assert [one.question for one in FEW.like("about kud")] == ["board.kudos"]


def test_what_is_misspelt_is_suggested_all_the_same() -> None:
    assert FEW.like("bord kudso")[0].question == "board.kudos"
    assert FEW.like("profiel")[0].question == "user.profile"


def test_nothing_typed_suggests_everything() -> None:
    assert [one.question for one in FEW.like("")] == [one.question for one in FEW]


@given(st.text(max_size=50))
def test_any_text_is_looked_for(text: str) -> None:
    assert len(ALL.like(text)) <= len(ALL)
