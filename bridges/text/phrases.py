"""Phrases of thanks: `lol amy`, `amy lol`, `😂😂 amy`, `hahaha amy`.

A phrase thanks the known name that stands directly before it and the one directly after it. Blanks, punctuation,
quotation marks, @ and emphasis may stand between, another word, a link or an emoji may not. Phrases in a row are one:
`amy lol 😂 bob` thanks amy with `lol` and bob with `😂`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .markup import HIDDEN
from .names import WORD, Known

LONGEST_PHRASE: Final = 64

_LAUGHTER: Final = ("ha", "he", "ho", "hi")
_TONES = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[\u2640\u2642]")
_BARRIER: Final = f"[\n{HIDDEN}\u2190-\u2bff\U0001f000-\U0001faff]"
_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(folded: str) -> str:
    """Casefolded text without skin tones, gender signs and variation selectors, and with one kind of apostrophe."""
    return folded if folded.isascii() else _TONES.sub("", folded).replace("’", "'")


def sendable(text: str) -> bool:
    """Whether the contract takes this as the name of an emote or as a phrase."""
    return 0 < len(text) <= LONGEST_PHRASE and not _UNSENDABLE.search(text)


class _Search(NamedTuple):
    trigger: re.Pattern[str]
    """Finds something in every text that has a phrase in it. Most texts have none and end here."""
    items: re.Pattern[str]
    """Finds the phrases, words and barriers of a text in order, and passes over blanks and punctuation."""
    tokens: dict[str, str]


def suspected(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether it is worth reading this text for phrases."""
    return _search(phrases).trigger.search(text) is not None


def read(text: str, phrases: tuple[str, ...], known: Known) -> list[tuple[str, str]]:
    """Name and phrase of each thanks in this `plain` text, in order. Laughter is `haha`, `hehe`, `hoho` or `hihi`."""
    search = _search(phrases)
    thanks: list[tuple[str, str]] = []
    name = token = ""
    for found in search.items.finditer(text):
        if found.lastgroup == "phrase":
            token = _token(found[0], search.tokens)
            if name:
                thanks.append((name, token))
            name = ""
        elif found.lastgroup == "barrier":
            name = token = ""
        elif found[0].strip("-_"):
            name = "" if _is_picture(text, found) else known.find(found[0])
            if name and token:
                thanks.append((name, token))
            token = ""
    return thanks


def _is_picture(text: str, word: re.Match[str]) -> bool:
    """`#amy` and `:amy:` are emotes or hashtags, not somebody's name."""
    before, after = text[max(0, word.start() - 1) : word.start()], text[word.end() : word.end() + 1]
    return before == "#" or before == after == ":"


def _token(said: str, tokens: dict[str, str]) -> str:
    spelling = " ".join(said.split())
    bare = spelling.strip("_")
    return tokens.get(spelling) or tokens.get(bare) or 2 * bare[:2]


@lru_cache(maxsize=32)
def _search(phrases: tuple[str, ...]) -> _Search:
    spelled = {" ".join(plain(phrase.casefold()).split()): phrase for phrase in phrases if sendable(phrase)}
    tokens = {spelling: phrase for spelling, phrase in spelled.items() if spelling.strip("+_")}
    longest_first = sorted(tokens, key=len, reverse=True)
    trigger = [*(re.escape(spelling.split()[0]) for spelling in longest_first), *(2 * laugh for laugh in _LAUGHTER)]
    phrase = "|".join([*map(_pattern, longest_first), *(_bounded(f"(?:{laugh}){{2,}}h?") for laugh in _LAUGHTER)])
    items = rf"(?P<phrase>{phrase})|(?P<word>{WORD}+(?:'{WORD}+)*)|(?P<barrier>{_BARRIER})"
    return _Search(re.compile("|".join(trigger)), re.compile(items), tokens)


def _pattern(spelling: str) -> str:
    """This phrase, standing free wherever it begins or ends with a letter. Emoji need no blank around them."""
    body = r"\s{1,8}".join(map(re.escape, spelling.split()))
    begins, ends = (re.match(WORD, character) is not None for character in (spelling[0], spelling[-1]))
    return _bounded(body, left=begins, right=ends)


def _bounded(body: str, *, left: bool = True, right: bool = True) -> str:
    return (rf"(?<!{WORD})_{{0,2}}" if left else "") + body + (rf"_{{0,2}}(?!{WORD})" if right else "")
