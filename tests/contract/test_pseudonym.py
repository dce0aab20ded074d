"""Pseudonyms: the same for the same person, unlike for others, and nothing without the key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from userstats.contract.pseudonym import FIRST_PERSON, Pseudonyms, load_key

KEY, OTHER = b"k" * 32, b"o" * 32


@given(st.text(max_size=40))
def test_a_name_has_one_key_however_it_is_capitalised(name: str) -> None:
    pseudonyms = Pseudonyms(KEY)

    assert pseudonyms.name(name.casefold()) == pseudonyms.name(name)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_pseudonym_fits_a_signed_64_bit_integer_and_is_never_zero(platform: str, account: str) -> None:
    assert FIRST_PERSON <= Pseudonyms(KEY).person(platform, account) < 2**63


def test_no_account_of_very_many_has_a_number_that_stands_for_nobody() -> None:
    pseudonyms = Pseudonyms(KEY)

    lowest = min(pseudonyms.person("cytube", str(number)) for number in range(150_000))

    assert lowest >= FIRST_PERSON


@given(st.integers(1, 2**63 - 1), st.text(max_size=20), st.text(max_size=20))
def test_an_anonymous_person_is_somebody_else_in_each_watch_and_nobody_in_all(
    person: int, watch: str, other: str
) -> None:
    pseudonyms = Pseudonyms(KEY)

    number = pseudonyms.anonymous(person, watch)

    assert 1 <= number < FIRST_PERSON
    assert Pseudonyms(KEY).anonymous(person, watch) == number != Pseudonyms(OTHER).anonymous(person, watch)
    assert (pseudonyms.anonymous(person, other) == number) is (watch == other)


def test_another_key_gives_other_pseudonyms() -> None:
    assert Pseudonyms(KEY).person("cytube", "amy") != Pseudonyms(OTHER).person("cytube", "amy")


def test_words_are_kept_apart_in_a_hash() -> None:
    pseudonyms = Pseudonyms(KEY)

    assert pseudonyms.event("ab", "c") != pseudonyms.event("a", "bc")


def test_the_key_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pseudonym.key"

    first = load_key(path, {})

    assert (load_key(path, {}), len(first)) == (first, 32)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    assert load_key(tmp_path / "key", {"USERSTATS_PSEUDONYM_KEY": "ab" * 16}) == b"\xab" * 16


@pytest.mark.parametrize("text", ["xyz", "abcd", ""])
def test_a_useless_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)

    with pytest.raises(ValueError, match="pseudonym key") as refused:
        load_key(path, {})

    assert "xyz" not in str(refused.value)
