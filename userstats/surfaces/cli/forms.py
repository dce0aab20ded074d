"""Shorter ways to say a question, kept from the program that users of Kryten know. The long form always works too.

The tables in this file are the only places of the command line that name questions. A verb of the catalogue wins
over a form; a form whose question does not exist is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

ANY: Final = "*"
"""Any word that is no verb of the noun: it is already the first value."""


class Form(NamedTuple):
    """`noun verb` as somebody may say it, and the question that is meant."""

    noun: str
    verb: str
    question: str


FORMS: Final = (
    Form("user", ANY, "user.stats"),
    Form("alias", "delete", "alias.remove"),
    Form("phrase", "delete", "phrase.remove"),
)


class Source(NamedTuple):
    """Where names for completion come from: a question, how it is asked, and the column they are in."""

    question: str
    values: Mapping[str, Any]
    column: str


CURRENT: Final = "{current}"
"""Stands for the beginning of the name that is being typed."""
_CHANNELS: Final = "channel.list"
SOURCES: Final[Mapping[str, Source]] = {
    "username": Source("user.search", {"prefix": CURRENT, "limit": 50}, "name"),
    "platform": Source(_CHANNELS, {}, "platform"),
    "domain": Source(_CHANNELS, {}, "domain"),
    "channel": Source(_CHANNELS, {}, "channel"),
    "phrase": Source("phrase.list", {}, "value"),
}
"""By parameter."""

EXAMPLES: Final = (
    "system stats",
    "system health",
    "user alice",
    "user alice --channel 420grindhouse",
    "leaderboard messages --limit 10",
    "leaderboard kudos --since 7d --json",
    "channel top 420grindhouse --limit 10",
    "channel media 420grindhouse --limit 20",
    "channel population 420grindhouse --hours 24",
)


def meant(noun: str, verb: str, questions: Collection[str]) -> Form | None:
    """The form for these words, if the question behind it exists."""
    for form in FORMS:
        if form.noun == noun and form.verb in (verb, ANY) and form.question in questions:
            return form
    return None
