"""Answers as pages for Discord."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.discord.commands import rendering
from bridges.discord.commands.rendering import drawn, embed
from tests.stand_ins.discord.judge import Judge
from userstats.surfaces import text
from userstats.surfaces.clean import width
from userstats.surfaces.drawing import Look

JUDGE = Judge.load()
ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
HOSTILE = [
    "@everyone", "<@123>", "```py\nx", "`a`", "**b**", "||c||", "[d](http://x.y)", "http://x.y", "a\u202eb", "\u200b",
    "z\u0335\u0335\u0335\u0335\u0335\u0335a", "\n\n\n", "名前" * 30, "🦆" * 40, "<:x:1>", "<t:1:R>", "# big", "> quote",
    "\x1b[31mred", "x" * 200, "",
]  # fmt: skip


def reply(data: Any, shape: str = "table", **more: Any) -> dict[str, Any]:
    """An answer as it crosses the wire."""
    return {
        "success": True, "question": "board.kudos", "shape": shape, "data": data, "timezone": "UTC", "as_of": 7,
        "period": {"from": "2026-01-01T00:00:00+00:00", "to": "2026-01-02T00:00:00+00:00", "text": "the first UTC"},
        "coverage": {"ratio": 0.5, "observed_since": "2026-01-01T00:00:00+00:00"},
        "generated_at": "2026-01-02T00:00:00+00:00", **more,
    }  # fmt: skip


def pages(data: Any, shape: str = "table", cells: int = 48, **more: Any) -> list[dict[str, Any]]:
    """All pages of an answer."""
    answer = drawn(reply(data, shape, **more), "Who is thanked the most.", cells)
    return [embed(answer, page) for page in range(len(answer.pages))]


def lines(page: dict[str, Any]) -> list[str]:
    """Those in the block of code."""
    block = page["description"].split("```")
    return block[1].strip("\n").splitlines() if len(block) > 1 else []


def test_a_board_is_a_table_with_what_it_is_about_below() -> None:
    assert pages([{"username": "amy", "count": 12}, {"username": "bob", "count": 3}]) == [
        {
            "type": "rich",
            "title": "board.kudos",
            "description": "Who is thanked the most.\n```\nusername  count\namy          12\nbob           3\n```",
            "color": 0x4F7CAC,
            "fields": [],
            "footer": {"text": "the first UTC · 50 % observed since 2026-01-01 00:00:00 · as of event 7"},
        }
    ]


def test_facts_of_a_card_are_fields_and_what_was_written_stands_between_backticks() -> None:
    data = {"username": "_amy_", "messages": 1200, "present_ms": 61_000, "kudos": {"given": None},
            "names": ["a", "b`c"], "first_seen": "2026-01-01T10:00:00+00:00", "bot": False, "aliases": []}  # fmt: skip
    (page,) = pages(data, "card")
    assert [(one["name"], one["value"]) for one in page["fields"]] == [
        ("username", "`_amy_`"), ("messages", "1200"), ("present", "1 min 1 s"), ("kudos · given", "not observed"),
        ("names", "`a, bˋc`"), ("first seen", "2026-01-01 10:00:00"), ("bot", "no"), ("aliases", "none"),
    ]  # fmt: skip


def test_a_card_with_more_facts_than_fields_is_lines() -> None:
    (page, *_) = pages({f"fact_{number}": number for number in range(30)}, "card")
    assert page["fields"] == []
    assert lines(page)[:2] == ["fact_0   0", "fact_1   1"]


def test_nothing_is_said_in_words_and_nobody_looking_is_something_else() -> None:
    assert pages([])[0]["description"] == "Who is thanked the most.\n**Nothing in this period.**"
    blind: dict[str, Any] = {"coverage": {"ratio": None, "observed_since": None}}
    assert pages([], **blind)[0]["description"] == "Who is thanked the most.\n**Not observed in this period.**"
    assert pages([], period=None, coverage=None)[0]["description"].endswith("**Nothing.**")


def test_g28_what_is_not_known_is_never_shown_as_0() -> None:
    (page,) = pages([{"at": "2026-01-01T00:00:00+00:00", "messages": None}, {"at": "2026-01-01T01:00:00+00:00",
                                                                             "messages": 0}])  # fmt: skip
    assert lines(page) == ["at           messages", "01-01 00:00         -", "01-01 01:00         0"]


def test_a_series_is_a_line_and_its_newest_rows_and_says_what_is_left_out() -> None:
    hours = [{"at": f"2026-01-01T{hour:02}:00:00+00:00", "messages": hour * 2 if hour > 3 else None,
              "observed": float(hour > 3)} for hour in range(8)]  # fmt: skip
    (page,) = pages(hours, "series")
    assert lines(page) == [
        "messages      ▃▅▇▇  8 to 14",
        "observed  ▁▁▁▁▇▇▇▇  0 % to 100 %",
        "",
        "not observed: 4 more",
        "",
        "at           messages  observed",
        "01-01 07:00        14     100 %",
        "01-01 06:00        12     100 %",
        "01-01 05:00        10     100 %",
        "01-01 04:00         8     100 %",
    ]


def test_a_week_of_hours_is_a_grid_that_phones_can_show() -> None:
    week = [{"weekday": day, "hour": hour, "messages": day * hour} for day in range(1, 8) for hour in range(24)]
    (page,) = pages(week, "heatmap")
    assert len(lines(page)) == 27
    assert lines(page)[0] == "   Mon Tue Wed Thu Fri Sat Sun"
    assert lines(page)[24] == "23 ░░░ ▒▒▒ ▒▒▒ ▓▓▓ ▓▓▓ ███ ███"
    assert max(map(width, lines(page))) <= 40


def test_what_every_row_says_of_this_server_is_left_out_here_and_only_here() -> None:
    data = [{"platform": "discord", "domain": "100", "channel": "200", "count": number} for number in (1, 2)]
    answer = reply(data, places={"100": "Cinema", "200": "general"})
    here = drawn(answer, "", 48, {"platform": "discord", "domain": "100"})
    there = drawn(answer, "", 48, {"platform": "discord", "domain": "101"})
    assert here.pages[0].lines == ("channel   count", "#general      1", "#general      2")
    assert there.pages[0].lines[0] == "domain  channel   count"
    mixed = drawn(reply([*data, {**data[0], "domain": "9"}]), "", 48, {"platform": "discord", "domain": "100"})
    assert mixed.pages[0].lines[0] == "domain  channel  count"


def test_long_answers_have_pages_with_the_names_of_columns_on_each() -> None:
    shown = pages([{"username": f"user{number}", "count": number} for number in range(100)])
    assert len(shown) == 6
    assert [lines(page)[0] for page in shown] == ["username  count"] * 6
    assert [line for page in shown for line in lines(page)[1:]] == [
        f"user{number}{'' if number > 9 else ' '}   {number:>6}" for number in range(100)
    ]
    assert shown[1]["footer"]["text"].endswith(" · page 2 of 6")


def test_there_is_no_page_beyond_the_last() -> None:
    answer = drawn(reply([{"count": number} for number in range(40)]), "", 48)
    assert embed(answer, 10**6) == embed(answer, len(answer.pages) - 1)
    assert embed(answer, -1) == embed(answer, 0)


def test_wide_rows_become_blocks_that_are_not_torn_apart() -> None:
    row = {f"measure_{number}": 10**6 + number for number in range(9)}
    shown = pages([{"username": f"u{number}", **row} for number in range(5)])
    assert [[line.split()[1] for line in lines(page) if line.startswith("username")] for page in shown] == [
        ["u0"], ["u1"], ["u2"], ["u3"], ["u4"],
    ]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(name)[:20] for name in HOSTILE])
def test_g22_no_name_breaks_out_of_its_table_or_field(name: str) -> None:
    (board,) = pages([{"username": name, "count": 1}, {"username": "bob", "count": 2}])
    assert board["description"].count("`") == 6
    assert [line.rsplit(maxsplit=1)[-1] for line in lines(board)] == ["count", "1", "2"]
    assert max(map(width, lines(board))) <= 48
    (card,) = pages({"username": name, "names": [name]}, "card")
    assert [one["value"].count("`") for one in card["fields"]] in ([2, 2], [0, 2])
    assert not any("\u202e" in one["value"] or "\n" in one["value"] for one in card["fields"])


def test_g30_numbers_are_those_of_every_other_surface() -> None:
    data = [{"username": f"user{number}", "count": number * 17, "present_ms": number * 61_000} for number in range(40)]
    everywhere = text.render(reply(data), "table", Look(), "", bare=True).splitlines()
    here = [line for page in pages(data) for line in lines(page)[1:]]
    assert [line.split() for line in here] == [line.split() for line in everywhere[1:]]


def test_a_file_is_what_the_command_line_writes() -> None:
    answer = reply([{"username": "=1+1", "count": 1}])
    for form in ("csv", "json", "ndjson", "markdown"):
        assert rendering.file(answer, form) == text.render(answer, form, Look(), "board.kudos").encode()
    assert rendering.file(answer, "csv") == b'"username","count"\n"\'=1+1",1\n'


NAMES = st.text(max_size=40) | st.sampled_from(HOSTILE)
MOMENTS = st.datetimes().map(lambda one: one.replace(microsecond=0).isoformat() + "+00:00")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES
    | MOMENTS
)
COLUMNS = st.sampled_from(
    ["username", "count", "present_ms", "observed", "at", "weekday", "hour", "channel", "domain", "ratio", "a.b"]
) | st.text(max_size=30)  # fmt: skip
ROWS = st.lists(st.dictionaries(COLUMNS, SCALARS | st.lists(NAMES, max_size=3), max_size=8), max_size=120)
CARDS = st.dictionaries(COLUMNS, SCALARS | st.lists(NAMES, max_size=30) | ROWS, max_size=30)
DATA = ROWS | CARDS | st.lists(SCALARS, max_size=50) | SCALARS | st.text(max_size=3000)


@given(
    DATA, st.sampled_from(["card", "table", "series", "heatmap", "text"]), st.integers(24, 100), st.text(max_size=500)
)
def test_whatever_is_answered_every_page_fits(data: Any, shape: str, cells: int, about: str) -> None:
    answer = drawn(reply(data, shape, places={"1": "x" * 100}), about, cells)
    for page in range(len(answer.pages)):
        shown = embed(answer, page)
        assert _units(shown["description"]) <= 4096
        assert _units(shown) <= 6000
        assert all(0 < _units(one["name"]) <= 256 and 0 < _units(one["value"]) <= 1024 for one in shown["fields"])
        assert len(shown["fields"]) <= 25
        assert max(map(width, lines(shown)), default=0) <= max(cells, 24)
        assert shown["description"].count("```") in (0, 2)


@pytest.mark.skipif(JUDGE is None, reason="Discord's documents are not beside the project")
@given(DATA, st.sampled_from(["card", "table", "series", "heatmap", "text"]))
def test_whatever_is_answered_discords_documents_allow_it(data: Any, shape: str) -> None:
    assert JUDGE is not None
    for page in pages(data, shape)[:5]:
        assert JUDGE.request("PATCH", ORIGINAL, {"embeds": [page]}) == []


def _units(value: Any) -> int:
    """Characters as Discord's client counts them."""
    if isinstance(value, dict):
        return sum(_units(one) for one in value.values())
    if isinstance(value, list):
        return sum(map(_units, value))
    return len(value.encode("utf-16-le", "surrogatepass")) // 2 if isinstance(value, str) else 0
