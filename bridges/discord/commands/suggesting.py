"""What is suggested while `/stats` is typed. Discord waits three seconds; most comes from memory."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from bridges.discord.settings import CommandSettings
from userstats.contract.questions import Listed

from . import arguments, incoming
from .catalogue import Catalogue
from .command_set import DIRECT
from .incoming import Told, Typed
from .names import Names
from .query import EVERYWHERE, HERE, PERSON, Asker, for_whom
from .questions import Questions, parameter

MOST: Final = 25
_PERIODS: Final = ("24h", "7d", "30d", "90d", "1y", "all")
_COVERED: Final = frozenset((PERSON, "channel", "since", *(one.parameter for one in DIRECT)))
"""Parameters that have options of their own."""
Offer = tuple[str, str]
"""How a choice is called, and what is then typed."""


class Suggestions:
    """Knows the questions, and names."""

    def __init__(self, catalogue: Catalogue, names: Names, settings: CommandSettings) -> None:
        self._catalogue = catalogue
        self._names = names
        self._settings = settings

    async def of(self, told: Told, typed: Typed) -> list[Offer]:
        """For the option that is being typed."""
        await self._catalogue.wanted()
        asker = incoming.asker(told, self._settings)
        text = str(typed.options.get(typed.focused, ""))
        if typed.focused == "person":
            return same(await self._names.like(asker.guild, text))
        return list(self._known(typed, text, asker))[:MOST]

    def _known(self, typed: Typed, text: str, asker: Asker) -> Iterable[Offer]:
        questions = self._catalogue.questions
        free = asker.operator or self._settings.anywhere
        match typed.focused:
            case "question":
                return _questions(text, questions, asker)
            case "where":
                return _begun(text, (HERE, EVERYWHERE) if free else (HERE,), free=free)
            case "period":
                return _begun(text, _PERIODS, free=True)
            case "timezone":
                return _zones(text)
        asked = questions.find(str(typed.options.get("question", "")))
        return () if asked is None else _parameters(typed.focused, text, asked)


def same(texts: Iterable[str]) -> list[Offer]:
    """Choices that are called what is typed."""
    return [(one, one) for one in texts]


def _questions(text: str, questions: Questions, asker: Asker) -> Iterator[Offer]:
    for one in questions.like(text):
        if not for_whom(one, asker):
            yield f"{one.question} — {one.help}", one.question


def _parameters(option: str, text: str, asked: Listed) -> list[Offer]:
    if option == "arguments":
        return same(arguments.suggestions(text, asked, _COVERED))
    what = parameter(asked, option)
    return _begun(text, what.choices if what else ())


def _begun(text: str, known: Iterable[str], *, free: bool = False) -> list[Offer]:
    """Known words that begin so; where anything may be typed, what is typed comes first."""
    typed = text.strip()
    found = [one for one in known if one.startswith(typed.casefold())]
    return same([typed, *found] if free and typed and typed not in found else found)


def _zones(text: str) -> list[Offer]:
    words = text.strip().casefold().replace(" ", "_")
    return same([zone for zone in _all_zones() if words in zone.casefold()])


@lru_cache(1)
def _all_zones() -> tuple[str, ...]:
    return ("UTC", *sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and zone[:4] != "Etc/"))
