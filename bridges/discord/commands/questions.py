"""The questions that userstats says it answers, as somebody who types looks for them. Knows none of them by name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from userstats.contract.questions import Listed, Parameter

_WORD: Final = re.compile(r"[^\W_]+")
_NEARLY: Final = 0.6


class Questions:
    """All of them, in order of their names."""

    def __init__(self, listed: Iterable[Listed] = ()) -> None:
        self._by_name = {one.question: one for one in sorted(listed, key=lambda one: one.question)}
        self._words = {name: _words(name) for name in self._by_name}
        self._help = {name: _words(one.help) for name, one in self._by_name.items()}

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Listed | None:
        """The question of exactly this name."""
        return self._by_name.get(name)

    def find(self, text: str) -> Listed | None:
        """The question that is meant: its name, however its words are joined (`Leaderboard Kudos`)."""
        words = _words(text)
        return self._by_name.get(text.strip()) or next(
            (self._by_name[name] for name, own in self._words.items() if own == words), None
        )

    def like(self, text: str) -> list[Listed]:
        """The questions that may be meant, best first: begun so, with these words, or spelled nearly so."""
        words = _words(text)
        if not words:
            return list(self)
        ranked = [(rank, name) for name in self._by_name if (rank := self._rank(name, words)) is not None]
        return [self._by_name[name] for _, name in sorted(ranked)] or self._nearly(" ".join(words))

    def _rank(self, name: str, words: list[str]) -> int | None:
        own, described = self._words[name], self._help[name]
        if all(any(one.startswith(word) for one in own) for word in words):
            return 0 if " ".join(own).startswith(" ".join(words)) else 1
        if all(any(word in one for one in own) for word in words):
            return 2
        if all(any(one.startswith(word) for one in (*own, *described)) for word in words):
            return 3
        return None

    def _nearly(self, text: str) -> list[Listed]:
        spelled = {" ".join(own): name for name, own in self._words.items()}
        spelled |= {own[-1]: name for name, own in self._words.items() if own}
        close = difflib.get_close_matches(text, list(spelled), 10, _NEARLY)
        return [self._by_name[name] for name in dict.fromkeys(spelled[one] for one in close)]


def parameter(listed: Listed, name: str) -> Parameter | None:
    """The parameter of this name, where the question has it."""
    return next((one for one in listed.parameters if one.name == name), None)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
