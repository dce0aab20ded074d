"""Answers as text: what each format looks like, and that no content breaks the layout (G22) or commands a terminal."""

from __future__ import annotations

import csv
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from userstats.surfaces.clean import clean, cut, json_escaped, pad, width
from userstats.surfaces.drawing import Look
from userstats.surfaces.rows import duration, percent
from userstats.surfaces.sparkline import sparkline
from userstats.surfaces.text import FORMATS, document, footer, render

PLAIN = Look()
FOOTER = (
    "2026-11-19 12:00 to 2026-11-20 12:00 Europe/Berlin · 98.2 % observed since 2026-10-01 09:00:00 · as of event 103"
)


def reply(data: Any, **changes: Any) -> dict[str, Any]:
    return {
        "success": True, "question": "noun.verb", "shape": "table", "data": data, "timezone": "Europe/Berlin",
        "coverage": {"ratio": 0.9827, "observed_since": "2026-10-01T09:00:00+02:00"}, "as_of": 103,
        "period": {
            "from": "2026-11-19T12:00:00+01:00", "to": "2026-11-20T12:00:00+01:00",
            "text": "2026-11-19 12:00 to 2026-11-20 12:00 Europe/Berlin",
        },
        "generated_at": "2026-11-20T12:00:00+01:00", **changes,
    }  # fmt: skip


TALKERS = [{"username": "Bob", "count": 1051}, {"username": "Çelik 王", "count": 5}, {"username": "Cy", "count": None}]


def test_a_table_has_a_title_aligned_columns_and_says_period_zone_coverage_and_position() -> None:
    assert render(reply(TALKERS), "table", PLAIN, "noun verb: Who says the most.") == (
        "noun verb: Who says the most.\n\n"
        "username  count\n"
        "Bob        1051\n"
        "Çelik 王      5\n"
        "Cy            -\n\n"
        f"{FOOTER}\n"
    )


def test_a_bare_table_is_rows_alone() -> None:
    assert render(reply(TALKERS[:1]), "table", PLAIN, "title", bare=True) == "username  count\nBob        1051\n"


def test_at_a_terminal_columns_have_a_rule_and_titles_are_bold() -> None:
    look = Look(cells=80, colour=True, rules=True)

    assert render(reply(TALKERS[:1]), "table", look, "T").splitlines()[:5] == [
        "\x1b[1mT\x1b[0m", "", "\x1b[1musername  count\x1b[0m", "────────  ─────", "Bob        1051",
    ]  # fmt: skip


def test_long_texts_are_cut_before_numbers_and_names_share_the_loss() -> None:
    rows = [{"title": "x" * 50, "by": "y" * 40, "n": 123456}]

    assert render(reply(rows), "table", Look(cells=40), bare=True).splitlines() == [
        "title            by                    n",
        "xxxxxxxxxxxxxx…  yyyyyyyyyyyyyy…  123456",
    ]


def test_what_does_not_fit_in_columns_becomes_a_block_of_lines_for_each_row() -> None:
    rows = [{"one": 123456789, "two": 123456789, "three": 987654321}, {"one": 1, "two": 2, "three": 3}]

    assert render(reply(rows), "table", Look(cells=24), bare=True).splitlines() == [
        "one    123456789", "two    123456789", "three  987654321", "", "one    1", "two    2", "three  3",
    ]  # fmt: skip


def test_g28_what_is_not_known_is_never_printed_as_zero() -> None:
    card = {"username": "Amy", "messages": 0, "voice_ms": None, "rooms": []}
    unobserved = reply(card, shape="card", coverage={"ratio": None, "observed_since": None})

    assert render(unobserved, "table", PLAIN).splitlines() == [
        "username:  Amy",
        "messages:  0",
        "voice:     not observed",
        "rooms:     none",
        "",
        "2026-11-19 12:00 to 2026-11-20 12:00 Europe/Berlin · not observed · as of event 103",
    ]


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(0.5, "nothing in this period"), (0.0, "not observed in this period"), (None, "not observed in this period")],
)
def test_g28_an_empty_answer_says_whether_anybody_looked(ratio: float | None, said: str) -> None:
    empty = reply(
        [], coverage={"ratio": ratio, "observed_since": None if ratio is None else "2026-10-01T09:00:00+02:00"}
    )

    assert render(empty, "table", PLAIN).splitlines()[0] == said
    assert render(empty, "markdown", PLAIN).splitlines()[0] == said


def test_g18_an_answer_without_a_period_says_its_moment_and_zone() -> None:
    now = reply(["haha", "lol"], period=None, coverage=None)

    assert render(now, "table", PLAIN) == ("value\nhaha\nlol\n\n2026-11-20 12:00:00 Europe/Berlin · as of event 103\n")


def test_what_was_imported_is_said_beside_what_was_observed() -> None:
    coverage = {
        "ratio": 0.5,
        "observed_since": "2026-10-01T09:00:00+02:00",
        "imported_until": "2026-10-01T00:00:00+02:00",
    }

    assert footer(reply([], coverage=coverage))[1:] == [
        "50 % observed since 2026-10-01 09:00:00", "imported until 2026-10-01 00:00:00", "as of event 103",
    ]  # fmt: skip


def test_a_card_shows_its_lists_as_tables_below_and_times_as_people_read_them() -> None:
    card = {
        "username": "Amy", "present_ms": 22_213_000, "share_ratio": 0.5, "seen": "2026-11-20T11:59:21.072+00:00",
        "kudos": {"plusplus": 3, "by": [{"username": "Bob", "count": 2}]}, "names": ["amy", "ames"], "bot": False,
    }  # fmt: skip

    assert render(reply(card, shape="card"), "table", PLAIN, bare=True).splitlines() == [
        "username:        Amy",
        "present:         6 h 10 min",
        "share_ratio:     50 %",
        "seen:            2026-11-20 11:59:21",
        "kudos.plusplus:  3",
        "names:           amy, ames",
        "bot:             no",
        "",
        "kudos.by",
        "username  count",
        "Bob           2",
    ]


def test_a_struct_that_some_rows_lack_has_columns_for_its_values() -> None:
    rows = [{"room": "a", "high": {"at": "x", "n": 5}}, {"room": "b", "high": None}]

    assert render(reply(rows), "table", PLAIN, bare=True).splitlines() == [
        "room  high.at  high.n", "a     x             5", "b     -             -",
    ]  # fmt: skip


def test_a_series_ends_with_one_line_of_bars_for_each_number() -> None:
    rows = [
        {"at": f"2026-11-20T1{n}:00:00+00:00", "room": "a", "here": here} for n, here in enumerate([0, 2, None, 5, 9])
    ]

    assert render(reply(rows, shape="series"), "table", PLAIN, bare=True).splitlines()[7:] == ["here  ▁▂ ▃▇  0 to 9"]
    ascii_look = Look(unicode=False)
    assert render(reply(rows[::-1], shape="series"), "table", ascii_look, bare=True).splitlines()[7:] == [
        "here  _. -#  0 to 9"
    ]


def test_a_series_of_several_rooms_has_bars_for_each_of_them() -> None:
    rows = [{"at": str(n), "room": room, "here": n * factor} for n in range(3) for room, factor in (("a", 1), ("b", 2))]

    assert render(reply(rows, shape="series"), "table", PLAIN, bare=True).splitlines()[-2:] == [
        "a here  ▁▃▇  0 to 2", "b here  ▁▃▇  0 to 4",
    ]  # fmt: skip


def test_a_heatmap_is_a_grid_in_which_unobserved_hours_are_no_quiet_hours() -> None:
    cells = [
        {"weekday": day, "hour": hour, "value": value, "observed_ms": 1}
        for day, hour, value in ((1, 9, 0), (1, 10, 4), (2, 9, None), (2, 10, 8))
    ]

    assert render(reply(cells, shape="heatmap"), "table", PLAIN, bare=True) == (
        "     9 10\nMon    ▓▓\nTue ?? ██\n\n░▒▓█ up to 8, blank 0, ? not observed\n"
    )
    assert render(reply(cells, shape="heatmap"), "table", Look(unicode=False), bare=True).splitlines()[1:3] == [
        "Mon    **", "Tue ?? ##",
    ]  # fmt: skip


def test_the_json_document_has_stable_keys_and_the_data_untouched() -> None:
    answered = reply(TALKERS)

    text = render(answered, "json", PLAIN, "never shown")

    assert json.loads(text) == {
        "schema": "userstats.v1/noun.verb", "question": "noun.verb", "shape": "table",
        "generated_at": "2026-11-20T12:00:00+01:00", "timezone": "Europe/Berlin", "period": answered["period"],
        "coverage": answered["coverage"], "as_of": 103, "data": TALKERS,
    }  # fmt: skip
    assert list(json.loads(text)) == list(document(answered))


def test_ndjson_is_one_document_a_row_or_one_for_a_card() -> None:
    assert render(reply(TALKERS[:2]), "ndjson", PLAIN).splitlines() == [
        '{"username": "Bob", "count": 1051}', '{"username": "Çelik 王", "count": 5}',
    ]  # fmt: skip
    assert render(reply({"a": 1}), "ndjson", PLAIN) == '{"a": 1}\n'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "＝", "＋", "－", "＠"])
def test_g22_csv_never_holds_what_a_spreadsheet_would_compute(start: str) -> None:
    rows = [{"username": f"{start}cmd|' /C calc'!A0", "count": -5, "share": 0.25, "bot": True, "gone": None}]

    assert render(reply(rows), "csv", PLAIN) == (
        f'"username","count","share","bot","gone"\n"\'{clean(start)}cmd|\' /C calc\'!A0",-5,0.25,true,\n'
    )


def test_csv_quotes_quotes_and_gives_a_card_as_names_and_values() -> None:
    card = {"username": 'a"b', "emotes": [{"emote": "x", "count": 2}], "names": ["n"]}

    assert render(reply(card, shape="card"), "csv", PLAIN) == (
        '"name","value"\n"username","a""b"\n"emotes.0.emote","x"\n"emotes.0.count",2\n"names.0","n"\n'
    )


def test_g22_markdown_shows_names_as_they_are_and_mentions_nobody() -> None:
    rows = [{"username": "*a*|<b>@everyone[x](y)", "count": 2}]

    assert render(reply(rows), "markdown", PLAIN, "T").splitlines()[:5] == [
        "### T", "", "| username | count |", "| --- | ---: |",
        "| \\*a\\*\\|&lt;b&gt;@\u200beveryone\\[x\\]\\(y\\) | 2 |",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mred\x07", "a\ufffd[31mred\ufffd"),
        ("\x9b31m", "\ufffd31m"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("a\u200bb\u2060c\ufeffd\u00ade", "abcde"),
        ("two\r\nlines\ttab\u2028x", "two  lines tab x"),
        ("\ud800", "\ufffd"),
        ("Z\u0351\u0352\u0353\u0354\u0355", "Z\u0351\u0352\u0353"),
        ("\u0351a", "◌\u0351a"),
        ("❤\ufe0f", "❤"),
        ("\u3164\u3164", "\\u3164\\u3164"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("   ", "\\u0020\\u0020\\u0020"),
        ("", ""),
        ("Łukasz 王 😂 עברית नमस्ते", "Łukasz 王 😂 עברית नमस्ते"),
    ],
)
def test_g22_what_cannot_be_seen_or_moves_the_cursor_is_not_shown(said: str, shown: str) -> None:
    assert clean(said) == shown


def test_cells_are_counted_as_terminals_show_them() -> None:
    assert [width(text) for text in ("abc", "王", "😂", "é", "e\u0301")] == [3, 2, 2, 1, 1]
    assert [cut("王王王", cells) for cells in (6, 5, 4, 1, 0)] == ["王王王", "王王…", "王…", "…", ""]
    assert [pad("王", 4), pad("王", 4, right=True)] == ["王  ", "  王"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 s"), (999, "0 s"), (13_000, "13 s"), (613_000, "10 min 13 s"), (600_000, "10 min"), (7_200_000, "2 h"),
     (22_213_000, "6 h 10 min"), (-61_000, "-1 min 1 s")],
)  # fmt: skip
def test_durations_are_told_in_their_two_largest_units(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


def test_a_share_is_not_rounded_up_to_all_nor_down_to_none() -> None:
    assert [percent(ratio) for ratio in (0, 1e-6, 0.57, 0.9999, 1)] == ["0 %", "< 0.1 %", "57 %", "99.9 %", "100 %"]


def test_more_values_than_cells_are_averaged() -> None:
    assert sparkline([0, 0, 4, 4, None, None, 8, 8], 4) == "▁▃ ▇"
    assert sparkline([None, None], 4) == "  "


ANY_TEXT = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["\x1b[2J", "=1+1", "\u202e", "e\u0301" * 30, "王" * 30]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-1e18, 1e18) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
COLUMNS = ANY_TEXT | st.sampled_from(["at", "seconds", "total_ms", "ratio", "weekday"])
DATA = (
    st.lists(st.dictionaries(COLUMNS, VALUES, max_size=6), max_size=5)
    | st.dictionaries(COLUMNS, VALUES, max_size=6)
    | VALUES
)
SHAPES = st.sampled_from(["card", "table", "series", "heatmap", "text"])


@given(DATA, SHAPES, st.integers(20, 120), st.booleans(), ANY_TEXT)
def test_g22_no_content_leaves_the_width_or_leaks_a_control_character(
    data: Any, shape: str, cells: int, unicode: bool, title: str
) -> None:
    look = Look(cells=cells, unicode=unicode, rules=unicode)

    shown = render(reply(data, shape=shape), "table", look, title)

    assert [line for line in shown.split("\n") if width(line) > cells] == []
    assert {one for one in shown if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} == {"\n"}


@given(DATA, SHAPES)
def test_g22_json_loses_nothing_and_holds_no_raw_control_character(data: Any, shape: str) -> None:
    text = render(reply(data, shape=shape), "json", PLAIN)

    assert json.loads(text)["data"] == data
    assert {one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} == {"\n"}
    assert json_escaped(text) == text


@given(st.lists(st.dictionaries(COLUMNS, VALUES, min_size=1, max_size=6), min_size=1, max_size=5))
def test_g22_csv_has_a_line_for_each_row_and_no_text_that_begins_a_formula(rows: list[dict[str, Any]]) -> None:
    text = render(reply(rows), "csv", PLAIN)

    read = list(csv.reader(text.splitlines(), strict=True))
    texts = [cell for line in text.splitlines() for cell in line.split(",") if cell.startswith('"')]
    assert len(read) == len(rows) + 1
    assert {len(line) for line in read} == {len(read[0])}
    assert [cell for cell in texts if cell[1:].lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))] == []


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(DATA, SHAPES)
def test_every_format_can_show_every_answer(data: Any, shape: str) -> None:
    assert all(
        render(reply(data, shape=shape), form, PLAIN, "T").endswith("\n") or form == "ndjson" for form in FORMATS
    )
