"""What a Discord message amounts to: its tokens, emoji and thanks (guarantee G14)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.text import Facts, Lexicon, of_discord

LEXICON = Lexicon(phrases=("lol", "good one", "😂"), names=frozenset({"kev"}))
PEOPLE = {"12": "bob", "13": "dave-smith"}


def read(content: str, **more: Any) -> Facts:
    return of_discord(content, **{"lexicon": LEXICON, "people": PEOPLE, "known": {"zed"}, "speaker": ("amy",), **more})


@pytest.mark.parametrize(
    ("content", "emotes"),
    [
        ("<:kappa:77> and <a:wave:78>!", (":kappa:", ":wave:")),
        ("<:kappa:77><:kappa:77>", (":kappa:", ":kappa:")),
        ("great 😂😂 stuff👍", ("😂", "😂", "👍")),
        ("👍🏽 ☝🏽 ❤️ ❤", ("👍🏽", "☝🏽", "❤️")),
        ("👨‍👩‍👧 🏳️‍🌈 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🤷🏻‍♀️", ("👨‍👩‍👧", "🏳️‍🌈", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🤷🏻‍♀️")),
        ("🇩🇪🇫🇷 1️⃣ #⃣", ("🇩🇪", "🇫🇷", "1️⃣", "#️⃣")),
        ("⭐ ✅ ☀ ☀️ © ™", ("⭐", "✅", "☀️")),
        ("`<:kappa:77> 😂` ```😂```", ()),
        (":kappa: <:kappa> <kappa:77> <:b ad:7>", ()),
        ("1 2 3 #4 über straße 日本語", ()),
    ],
)
def test_each_use_of_an_emote_counts_where_discord_draws_one(content: str, emotes: tuple[str, ...]) -> None:
    assert read(content).emotes == emotes


@pytest.mark.parametrize(
    ("content", "thanks"),
    [
        ("<@12>++", {"bob": "++"}),
        ("<@!12> ++", {"bob": "++"}),
        ("++<@12>", {"bob": "++"}),
        ("<@12>: ++, <@13>++", {"bob": "++", "dave-smith": "++"}),
        ("lol <@12>", {"bob": "lol"}),
        ("<@12> 😂", {"bob": "😂"}),
        ("good one, <@12>!", {"bob": "good one"}),
        ("hahaha <@12>", {"bob": "haha"}),
        ("<@12>++ <@12>++ lol <@12>", {"bob": "++"}),
        ("word<@12>++", {"bob": "++"}),
        ("<@13><@12>++", {"bob": "++"}),
        ("zed++ and Kev++", {"zed": "++", "kev": "++"}),
        ("newname++", {"newname": "++"}),
        ("lol <:x:1> <@12>", {}),
        ("`<@12>++` ```\n<@12>++\n```", {}),
        ("> <@12>++", {}),
        (">>> long\nquotation\n<@12>++", {}),
        ("before\n>>> <@12>++", {}),
        ('"<@12>++"', {}),
        ("https://example.org/<@12>++", {}),
        ("<@99>++ <@&12>++ <#12>++", {}),
        ("c++ C/C++ i++ notepad++ x=y++ c++11 C++ - how to", {}),
        ("amy++", {}),
        ("account-99++", {"account-99": "++"}),
    ],
)
def test_g14_thanks_are_for_people_who_are_meant(content: str, thanks: dict[str, str]) -> None:
    assert dict(read(content).thanks) == thanks


def test_nobody_thanks_themselves_by_mentioning_themselves() -> None:
    assert read("<@12>++ bob++ Bobby++", speaker=("bob", "bobby")).thanks == ()


@pytest.mark.parametrize(
    ("content", "characters", "words"),
    [
        ("", 0, 0),
        ("  two words ", 9, 2),
        ("hi <@12> <:kappa:77>", 15, 3),
        ("<@99> <t:1700000000:R> <#12> <@&5> </stats:1> <id:browse>", 11, 6),
    ],
)
def test_what_was_typed_is_counted_not_its_tokens(content: str, characters: int, words: int) -> None:
    facts = read(content)

    assert (facts.characters, facts.words) == (characters, words)


def test_mentioned_is_who_is_mentioned_in_the_text_and_known_to_the_message_each_once() -> None:
    assert read("<@12> <@!12> <@99> `<@13>` @bob").mentions == ("12",)


def test_addresses_are_links_also_in_angle_brackets_and_behind_words() -> None:
    assert read("https://a.b <https://c.d/e> [text](http://f.g) `https://code`").links == 3


pieces = st.sampled_from(
    ["<@12>", "<@!13>", "<:kappa:77>", "++", "--", "😂", "lol", " ", "\n", ">>> ", "> ", "`", "```", '"', "\u200d",
     "\ufe0f", "\u20e3", "🇩", "<", ">", "@", ":", "https://", "\ud800", "1", "amy", "\U0001f3fd", "\U000e0067",
     "account-12"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(pieces, max_size=40).map("".join)))
def test_no_text_raises_and_what_is_found_fits_into_an_event(content: str) -> None:
    facts = read(content)

    assert all(0 < len(emote) <= 64 for emote in facts.emotes)
    assert len(facts.emotes) <= 200
    assert set(facts.mentions) <= set(PEOPLE)
    assert "amy" not in dict(facts.thanks)
    assert facts.words <= facts.characters or facts.words == 0


@pytest.mark.parametrize(
    "unit", ["<", "<:a", "<@1", "</a", "😂\u200d", "🇩🇪", ">>> ", "`", "<:kappa:77>", "1\u20e3", "++", "@"]
)
def test_a_long_message_takes_no_longer_than_its_length(unit: str) -> None:
    assert read(unit * (8_000 // len(unit))).characters > 0
