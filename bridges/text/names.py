"""Which words are names."""

from __future__ import annotations

import re
from collections.abc import Collection, Container
from functools import lru_cache
from typing import Final

LONGEST_NAME: Final = 64

WORD: Final = (
    r"[^\s!-,./:-@\[-^`{-~\x7f-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004"
    r"\u3008-\u3020\u3030\ufe00-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff3e\uff40\uff5b-\uff65\ufff0-\uffff"
    r"\ud800-\uf8ff\U0001f000-\U0001faff\U000e0000-\U0010ffff]"
)
"""One character of a word: letters, marks and digits of any script, hyphen and underscore; no punctuation, no emoji."""

_MENTION = re.compile(rf"(?<!{WORD})(?<![@./])@({WORD}{{1,{LONGEST_NAME}}})(?!{WORD})")


class Known:
    """The names known in a place: those of its roster and those the lexicon adds. `folded` are casefolded already."""

    def __init__(self, names: frozenset[str], roster: Collection[str], folded: Container[str] = ()) -> None:
        self._names = names
        self._folded = folded
        self._here = _folded(roster if isinstance(roster, frozenset) else frozenset(roster))

    def __contains__(self, name: str) -> bool:
        return name in self._here or name in self._names or name in self._folded

    def find(self, word: str) -> str:
        """The known name that this casefolded word is, as it stands or inside `_emphasis_` and dashes; else ''."""
        if word in self:
            return word
        bare = word.strip("_-")
        return bare if bare in self else ""


@lru_cache(maxsize=32)
def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names) - {""}


def mentions(text: str, known: Known) -> list[str]:
    """The known names that stand after an @ in this casefolded text, each once. An e-mail address is no mention."""
    found = (known.find(match[1]) for match in _MENTION.finditer(text))
    return list(dict.fromkeys(name for name in found if name))
