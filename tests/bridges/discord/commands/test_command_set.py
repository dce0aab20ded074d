"""What Discord is told that can be typed."""

from __future__ import annotations

import pytest

from bridges.discord.commands.command_set import DIRECT, FORMATS, commands, digest
from tests.stand_ins.discord.command_rules import _size
from tests.stand_ins.discord.judge import Judge
from userstats.contract.consents import LEVELS, TOPICS
from userstats.surfaces import text

from .questions import REAL


def test_discords_documents_allow_the_whole_set() -> None:
    judge = Judge.load()
    if judge is None:
        pytest.skip("Discord's documents are not beside the project")
    assert judge.command_set(commands()) == []
    assert judge.unknown == []


def test_the_set_is_small_and_does_not_grow_with_the_catalogue() -> None:
    assert [(one["name"], len(one["options"])) for one in commands()] == [
        ("stats", 17), ("opt_in", 2), ("opt_out", 1), ("privacy", 1), ("link", 4),
    ]  # fmt: skip
    assert max(map(_size, commands())) < 1500  # of 8000


def test_it_is_told_anew_only_to_another_application() -> None:
    assert digest("1") == digest("1") != digest("2")


def test_options_that_are_parameters_are_parameters_of_some_question() -> None:
    known = {one.name for listed in REAL for one in listed.parameters}
    assert {one.parameter for one in DIRECT} <= known


def test_what_can_be_chosen_is_what_there_is() -> None:
    assert set(FORMATS) == set(text.FORMATS)
    options = {option["name"]: option for command in commands() for option in command["options"]}
    assert {one["value"] for one in options["what"]["choices"]} == {*TOPICS, "everything"}
    assert {one["value"] for one in options["level"]["choices"]} == {*LEVELS} - {"off"}
