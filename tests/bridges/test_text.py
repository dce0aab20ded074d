"""What a message's text is turned into. The letters and numbers in names are the promises and defects they answer."""

from __future__ import annotations

import html
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridges.text import MOST_EMOTES, MOST_MENTIONS, MOST_THANKS, SEARCHED, Facts, Lexicon, of_html, of_plain

PHRASES = ("lol", "rofl", "haha", "good one", "nice", "😂", "👍🏽", "❤️", "<3", ":d", "+1")
LAUGHTER = {"haha", "hehe", "hoho", "hihi"}
LEXICON = Lexicon(PHRASES, frozenset({"kc", "carol-ann05", "dave-smith", "प्रिया", "josé"}))
ROSTER = frozenset({"Amy", "Bob", "Zed", "c", "I", "notepad", "movie", "snake_case_name", "_Eve_", "that", "420"})
KNOWN = LEXICON.names | {name.casefold() for name in ROSTER}
EMOTES = frozenset({"#PogChamp", ":kappa:", "Kappa", "<3", "#39", "#amy"})
FRAMES = Path(__file__).parents[3] / "shared" / "reference" / "cytube_frames" / "02_chat.jsonl"


def plain(text: str) -> Facts:
    return of_plain(text, lexicon=LEXICON, emotes=EMOTES, roster=ROSTER, speaker="Zed")


def from_html(text: str) -> Facts:
    return of_html(text, lexicon=LEXICON, emotes=EMOTES, roster=ROSTER, speaker="Zed")


# --- counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "characters", "words"),
    [
        ("", 0, 0),
        ("   ", 0, 0),
        ("  padded  words ", 13, 2),
        ("日本語 😀", 5, 2),
        ("👨‍👩‍👧", 5, 1),
        ("a\nb\tc", 5, 3),
        ("half a \ud83d pair", 13, 4),
    ],
)
def test_characters_are_code_points_and_words_stand_between_blanks(text: str, characters: int, words: int) -> None:
    assert plain(text) == Facts(characters, words)


@pytest.mark.parametrize(
    ("wire", "typed"),
    [
        ("a &lt; b &amp;&amp; c &gt; d \"q\" 's' (p)", "a < b && c > d \"q\" 's' (p)"),
        ("&lt;b&gt;x&lt;/b&gt; &amp;amp;", "<b>x</b> &amp;"),
        ("&quot;&#39;&#40;&#41;&#x41;", "\"'()A"),
        ("snake<em>case</em>name", "snake_case_name"),
        ("<strong>b</strong> <em>i</em> <s>s</s> <code>c</code>", "*b* _i_ ~~s~~ `c`"),
        (
            '<a href="https://e.org/a?b=1&amp;c=2" target="_blank">https://e.org/a?b=1&amp;c=2</a>',
            "https://e.org/a?b=1&c=2",
        ),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ('<span class="x">seen</span><!-- not --><b>too</b>', "seentoo"),
        ("1 < 2 <3 <", "1 < 2 <3 <"),
        ("&#" + "9" * 6000 + ";", "\ufffd"),
    ],
)
def test_html_is_counted_as_it_was_typed(wire: str, typed: str) -> None:
    assert from_html(wire) == plain(typed)


def _recorded() -> list[tuple[str, str]]:
    """(typed, received) of the recorded lines that are neither commands nor cut by the server."""
    frames = map(json.loads, FRAMES.read_text("utf-8").splitlines())
    chat = [frame for frame in frames if frame.get("event") == "chatMsg" and frame["client"] != "late"]
    pairs = [
        (sent["args"][0]["msg"], got["args"][0]["msg"])
        for sent, got in pairwise(chat)
        if sent["dir"] == "out" and got["dir"] == "in" and isinstance(sent["args"][0], dict)
        and isinstance(sent["args"][0].get("msg"), str)
    ]  # fmt: skip
    return [
        pair for pair in pairs if not re.match(r"(?s)/(?!unknown)|.*[\x00-\x08\[]", pair[0]) and len(pair[0]) <= 320
    ]


@pytest.mark.skipif(not FRAMES.exists(), reason="the recorded CyTube frames are not here")
def test_recorded_lines_have_the_facts_of_what_was_typed() -> None:
    pairs = _recorded()

    assert len(pairs) >= 10
    assert [from_html(received) for _, received in pairs] == [plain(typed) for typed, _ in pairs]


# --- emotes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "emotes"),
    [
        ("#PogChamp", ("#PogChamp",)),
        ("#PogChamp #PogChamp! x#PogChamp", ("#PogChamp",)),
        (":kappa: Kappa :kappa:", (":kappa:", "Kappa", ":kappa:")),
        ("kappa KAPPA #pogchamp", ()),
        ("I&#39;m &#39; here", ()),
        ("#39", ("#39",)),
        ("&lt;3", ("<3",)),
        ('<a href="x">a :kappa: b</a> <code>a :kappa: b</code>', ()),
        ("<b>:kappa:</b> <strong>:kappa:</strong>", ()),
        ("line<br>:kappa:", (":kappa:",)),
    ],
)
def test_e01_e02_e04_e05_emotes_are_exact_words_each_use_counted(text: str, emotes: tuple[str, ...]) -> None:
    assert from_html(text).emotes == emotes


def test_emotes_may_come_as_any_collection() -> None:
    rooms = [["a", "b"], ("a", "b"), {"a", "b"}, {"a": 1, "b": 2}, {"a": 1, "b": 2}.keys()]

    assert [of_plain("b a x b", lexicon=Lexicon(), emotes=room).emotes for room in rooms] == [("b", "a", "b")] * 5


def test_emotes_the_contract_cannot_carry_are_never_reported() -> None:
    unusual = {"x" * 65, "bad\x07bell", "half\ud83d"}

    assert of_plain(" ".join([*unusual, "x" * 64]), lexicon=Lexicon(), emotes={*unusual, "x" * 64}).emotes == (
        "x" * 64,
    )


# --- ++ ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "++amy", "amy++", "++amy++", "@amy++", "++@amy", "AMY++", "amy+++", "(amy++)", "amy++!",
        "++amy: yes", "amy++: yes",
        "amy:++", "*amy*++", "_amy_++", "~~amy~~++", "++*amy*", "*amy++*", "_++amy_", '"amy"++', "'amy'++",
        "well,amy++", "++amy's idea",
        "amy++👍", "👍++amy", ">amy++", "amy++ amy++ ++amy", "amy++ lol amy", "<b>amy</b>++", "[amy++]",
        "amy ++", "@amy ++", "amy: ++", "amy, ++", "thanks amy ++ really", "++ amy", "amy ++ nobody",
    ],
)  # fmt: skip
def test_g14_every_usual_form_thanks_a_known_name_once(text: str) -> None:
    assert from_html(text).thanks == (("amy", "++"),)


@pytest.mark.parametrize(
    "text",
    [
        "c++ - how to", "I love C++", "C/C", "C/C++", "i++", "for (i=0; i<n; i++)", "notepad++", "Notepad++!",
        "libstdc++", "g++", "c ++", "c++11", "a++b", "10++", "+++", "++", "++ ++", "x.y/amy++",
        "user=amy++", ":amy:++",
        "#amy++", "amy++bob", "https://e.org/amy++", "see www.e.org/amy++", "e.org?q=amy++", "irc://x amy + +",
        "`amy++`", "```amy++```", "<code>amy++</code>", "<code>x <em>amy++</em> ++amy</code>",
        '<a href="http://e.org/++amy">http://e.org/++amy</a>', '<a href="e">amy++</a>', "<a href=e>amy++",
        'he said "amy++ again"', "“amy++”", "«amy++»", "„amy++“", "> amy++", "said\n> bob: amy++",
        "nobody ++", "that was fun ++", "x" * 70 + "++", "\ud83d++", "-++-", "_++_", "++++++",
    ],
)  # fmt: skip
def test_g14_code_addresses_quotations_and_other_things_thank_nobody(text: str) -> None:
    assert from_html(text).thanks == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dave-smith++", "dave-smith"),
        ("Carol-Ann05++", "carol-ann05"),
        ("snake_case_name++", "snake_case_name"),
        ("++snake<em>case</em>name", "snake_case_name"),
        ("<em>Eve</em>++", "_eve_"),
        ("<strong>Amy</strong>++", "amy"),
        ("José++", "josé"),
        ("++प्रिया", "प्रिया"),
        ("420++", "420"),
        ("++c", "c"),
        ("@c++", "c"),
        ("c: ++", "c"),
        ("++c++", "c"),
        ("++notepad", "notepad"),
    ],
)
def test_k05_k08_names_are_taken_whole(text: str, name: str) -> None:
    assert from_html(text).thanks == ((name, "++"),)


@pytest.mark.parametrize("text", ["newalias++", "++NewAlias", "@newalias++", "++newalias++", "(_newalias_++)"])
def test_a_name_the_bridge_has_not_heard_of_is_recorded_where_the_plusses_are_attached(text: str) -> None:
    assert plain(text).thanks == (("newalias", "++"),)


def test_several_people_are_thanked_in_the_order_said() -> None:
    assert plain("bob++ and ++amy, kc: ++").thanks == (("bob", "++"), ("amy", "++"), ("kc", "++"))


@pytest.mark.parametrize("text", ["zed++", "++ZED", "Zed ++", "lol zed", "zed lol"])
def test_g15_speakers_do_not_thank_themselves(text: str) -> None:
    assert plain(text).thanks == ()


# --- votes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "vote"),
    [
        ("movie++", 1), ("Film++!", 1), ("++vid", 1), ("video ++", 1), ("*movie*++", 1), ("movie--", -1),
        ("great film--", -1),
        ("movie++ movie++", 1), ("movie++ film--", 0), ("the movie--it was long", 0), ("--movie", 0),
        ("movie -- long", 0),
        ("movie-->", 0), ("`movie++`", 0), ("https://e.org/movie++", 0), ('"movie--"', 0), ("movies++", 0),
        ("@movie--", -1), ("*film*--", -1), ("_vid_--", -1),
        ("nomovie--", 0), ("> movie--", 0),
    ],
)  # fmt: skip
def test_v04_movie_is_voted_for_and_never_thanked(text: str, vote: int) -> None:
    facts = plain(text)

    assert facts.vote == vote
    assert "movie" not in dict(facts.thanks)


# --- phrases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("lol amy", "lol"), ("amy lol", "lol"), ("LOL Amy!!", "lol"), ("Amy: lol", "lol"), ("lol @amy", "lol"),
        ("lol &quot;Amy&quot;", "lol"), ("lol &#39;Amy&#39;", "lol"),
        ("<em>lol</em> <strong>Amy</strong>", "lol"),
        ("amy... lol", "lol"), ("lol - amy", "lol"), ('<span class="spoiler">lol</span> amy', "lol"),
        ("good one amy", "good one"), ("good   one, amy", "good one"), ("amy good one", "good one"),
        ("😂 amy", "😂"), ("😂😂😂amy", "😂"), ("amy😂", "😂"), ("👍 amy", "👍🏽"), ("👍🏿 amy", "👍🏽"),
        ("amy ❤", "❤️"), ("amy ❤️", "❤️"),
        ("&lt;3 amy", "<3"), ("amy :D", ":d"), ("amy +1", "+1"),
        ("haha amy", "haha"), ("hahahaha amy", "haha"), ("HAHAH amy", "haha"), ("amy hehehe", "hehe"),
        ("hohoho amy", "hoho"),
        ("hihi, amy", "hihi"), ("rofl lol amy", "lol"), ("amy rofl lol", "rofl"), ("amy lol lol amy", "lol"),
        ("lol amy haha amy", "lol"),
    ],
)  # fmt: skip
def test_k09_k11_k23_a_phrase_beside_a_known_name_is_one_thanks(text: str, phrase: str) -> None:
    assert from_html(text).thanks == (("amy", phrase),)


@pytest.mark.parametrize(
    "text",
    [
        "lol", "amy", "lolcat amy", "lol_amy", "amy_lol", "lol the amy", "lol nobody", "lol I'm here",
        "lol I’m here",
        "lol that's it", "lol #amy", "lol :amy: x", "lol <a href='x'>x</a> amy", "lol `x` amy",
        "lol<br>amy", "lol 😎 amy",
        "amy: d", "a <3amy", "ha amy", "good amy one", "> lol amy", "nicely amy", "haham amy", "+10 amy",
    ],
)  # fmt: skip
def test_a_phrase_that_is_not_directly_beside_a_known_name_thanks_nobody(text: str) -> None:
    assert from_html(text).thanks == ()


def test_a_phrase_between_two_names_thanks_both_and_each_with_the_nearest() -> None:
    assert plain("amy lol bob").thanks == (("amy", "lol"), ("bob", "lol"))
    assert plain("amy lol 😂 bob").thanks == (("amy", "lol"), ("bob", "😂"))


def test_plusplus_goes_before_a_phrase() -> None:
    assert plain("lol amy and bob lol, amy++").thanks == (("amy", "++"), ("bob", "lol"))


def test_laughter_counts_without_any_configured_phrase() -> None:
    assert of_plain("lol amy hahaha", lexicon=Lexicon(), roster=["Amy"]).thanks == (("amy", "haha"),)


def test_a_configured_laugh_keeps_its_own_name() -> None:
    assert of_plain("hahaha amy", lexicon=Lexicon(("hahaha",)), roster=["Amy"]).thanks == (("amy", "hahaha"),)


def test_phrases_the_contract_cannot_carry_are_ignored() -> None:
    lexicon = Lexicon(("", " ", "x" * 65, "++", "bad\x00", "\ud83d", "🏽"), frozenset({"amy"}))

    assert of_plain(f"amy {'x' * 65} amy bad\x00 amy \ud83d amy 🏽 amy", lexicon=lexicon).thanks == ()


# --- mentions and links -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("@amy", ("amy",)), ("hi @Amy, @bob: @AMY!", ("amy", "bob")), ("@amy's idea", ("amy",)),
        ("(@_amy_)", ("amy",)),
        ("@kc++", ("kc",)), ("@snake<em>case</em>name", ("snake_case_name",)), ("@प्रिया", ("प्रिया",)),
        ("amy", ()), ("x@amy.org", ()), ("@@amy", ()), ("e.org/@amy", ()), ("@amyx @nobody", ()),
        ("`@amy`", ()),
        ("https://e.org/@amy", ()),
    ],
)  # fmt: skip
def test_known_names_after_an_at_sign_are_mentions(text: str, mentions: tuple[str, ...]) -> None:
    assert from_html(text).mentions == mentions


@pytest.mark.parametrize(
    ("wire", "links"),
    [
        ('<a href="http://a.b">http://a.b</a> and <a>irc://c.d</a>', 2),
        ("http://a.b ftp://c.d", 2),
        ("<a href='x'>one <strong>two</strong></a> http://three.org", 2),
        ("www.a.b a.b:// ://x", 0),
        ("<abbr>no</abbr>", 0),
    ],
)
def test_links_are_counted(wire: str, links: int) -> None:
    assert from_html(wire).links == links


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_facts_stay_within_the_limits_of_the_contract() -> None:
    names = [f"n{number}" for number in range(300)]
    lexicon = Lexicon(("lol",), frozenset(names))
    facts = of_plain(" ".join(f"@{name}++ e" for name in names), lexicon=lexicon, emotes={"e"})
    many = of_plain("e " * 300, lexicon=lexicon, emotes={"e"})

    assert (len(facts.thanks), len(facts.mentions), len(many.emotes)) == (MOST_THANKS, MOST_MENTIONS, MOST_EMOTES)


def test_b09_only_the_beginning_of_a_text_is_searched_and_all_of_it_is_counted() -> None:
    beginning = "amy++ Kappa ".ljust(SEARCHED)
    rest = "bob++ lol kc @bob Kappa http://e.org movie++ "

    assert plain(beginning + rest * 1000)._replace(characters=0, words=0) == plain(beginning)._replace(
        characters=0, words=0
    )
    assert plain(beginning + "x" * 100_000)[:2] == (SEARCHED + 100_000, 3)


def test_b09_a_word_across_the_border_is_not_searched_by_half() -> None:
    assert plain("x" * (SEARCHED - 6) + " amy++" + "x" * 10).thanks == ()
    assert plain("x" * (SEARCHED - 6) + " amy++").thanks == (("amy", "++"),)
    assert plain("x" * (SEARCHED - 6) + " Kappa" + "z" * 100).emotes == ()
    assert plain("x" * 100_000 + "++") == Facts(100_002, 1)


def test_b09_markup_beyond_what_is_parsed_is_still_no_text() -> None:
    assert from_html("<b>" * 100_000 + "word") == Facts(4, 1)


# --- properties -------------------------------------------------------------------------------------------------------

_ANY = st.text(st.characters(exclude_categories=()))
_PIECES = st.sampled_from(
    ["amy", "Bob", "zed", "c", "kc", "movie", "snake_case_name", "_eve_", "lol", "haha", "good", "one", "😂", "👍🏿",
     "❤️", "<3", "++", "--", "+", "@", ":", ",", ".", "'", '"', "“", "”", "`", "*", "_", "~~", "-", ">", "<", "&", ";",
     "&#39;", "<a>", "</a>", "<code>", "</code>", "<em>", "</em>", "<br>", "://", "http://e.org", " ", "  ", "\n",
     "Kappa", ":kappa:", "#PogChamp", "\ud83d", "\u200d", "\u2060", "\ufffc", "I'm", "É", "x"]
)  # fmt: skip
_CHAT = st.lists(_PIECES | _ANY, max_size=20).map("".join)


@given(_CHAT)
def test_facts_of_any_text_hold_nothing_but_known_words(text: str) -> None:
    for facts in (plain(text), from_html(text)):
        said = dict(facts.thanks)
        assert set(facts.emotes) <= EMOTES
        assert set(facts.mentions) <= KNOWN
        assert set(said.values()) <= {"++", *PHRASES, *LAUGHTER}
        assert {name for name, token in said.items() if token != "++"} <= KNOWN
        assert all(re.fullmatch(r"[\w-]{2,64}", name) for name in said.keys() - KNOWN)
        assert len(said) == len(facts.thanks)
        assert "zed" not in said
        assert "movie" not in {name for name, token in said.items() if token == "++"}
        assert facts.vote in (-1, 0, 1)
        assert 0 <= facts.words <= facts.characters


@given(_CHAT)
@example("&#39; &amp;amp; &notit; <b>x</b> https://e.org")
def test_escaped_text_has_the_facts_of_the_text(text: str) -> None:
    assert from_html(html.escape(text)) == plain(text)


@given(_CHAT)
def test_each_thanks_by_plusplus_needs_its_own_plusplus(text: str) -> None:
    thanked = [name for name, token in plain(text).thanks if token == "++"]

    assert len(thanked) <= len(re.findall(r"\+{2,}", text))


@given(_CHAT, st.sampled_from(["amy++", "++amy", "@amy++", "amy ++", "amy: ++"]))
def test_a_thanks_on_its_own_line_counts_whatever_went_before(text: str, thanks: str) -> None:
    before = re.sub(r"[\"“”„«»`+]|\w+:?//|www\.", "", text)[:1000]

    assert ("amy", "++") in plain(f"{before}\nso {thanks}").thanks


def _default_filters(text: str) -> str:
    """What CyTube makes of a typed text: escaped, then its default filters."""
    filtered = html.escape(text, quote=False)
    for pattern, tag in ((r"`(.+?)`", "code"), (r"\*(.+?)\*", "strong"), (r"_(.+?)_", "em"), (r"~~(.+?)~~", "s")):
        filtered = re.sub(pattern, rf"<{tag}>\1</{tag}>", filtered)
    return filtered


_FILTERED = st.sampled_from(
    ["amy", "*Bob*", "_amy_", "++snake_case_name", "snake_case_name++", "_eve_++", "*kc*++", "~~amy~~", "lol", "_lol_",
     "x_y", "*", "_", "~~", "`amy++`", "`x`", "Kappa", "*Kappa*", "@snake_case_name", "a < b", "&amp;", "movie++",
     "c++"]
)  # fmt: skip


@given(st.lists(_FILTERED, max_size=12).map(" ".join))
def test_what_the_default_filters_eat_is_put_back(text: str) -> None:
    assert from_html(_default_filters(text)) == plain(text)
