"""What was typed to make Discord deliver a message, and which pictures and people are in it.

Discord sends plain text in which its client's pictures, people and times are tokens: `<:kappa:123>`, `<@456>`,
`<t:1700000000:R>`. In code they are shown as they are, and mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .markup import HIDDEN

SELECTOR: Final = "\ufe0f"
KEYCAP: Final = "\u20e3"
_REST: Final = (
    r"(?:a?:(?P<emote>[A-Za-z0-9_]{1,32}):\d{1,20}|@!?(?P<person>\d{1,20})|(?P<other>@&\d{1,20}|#\d{1,20}"
    r"|t:-?\d{1,17}(?::[A-Za-z])?|/[^<>:\n]{1,100}:\d{1,20}|id:[a-z]{1,32}))>"
)
"""Of a token, after its `<`."""
_FLAG: Final = "\U0001f1e6-\U0001f1ff"
_PICTURE: Final = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201\U0001f21a\U0001f22f\U0001f232-\U0001f236"
    "\U0001f238-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001faff"
)
"""Characters that are pictures by themselves."""
_SIGN: Final = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f100-\U0001f1e5\U0001f200-\U0001f2ff"
)
"""Characters that are pictures where a selector or a skin tone follows them."""
_TONE: Final = "[\U0001f3fb-\U0001f3ff]"
_TAGS: Final = "[\U000e0020-\U000e007f]"
_SEQUENCE: Final = rf"(?:\u200d[{_PICTURE}{_SIGN}]\ufe0f?{_TONE}?){{0,8}}(?:{_TAGS}{{1,10}})?"
_token = re.compile(f"<{_REST}", re.ASCII)
_found = re.compile(
    rf"[<{_FLAG}{_PICTURE}{_SIGN}\u20e3](?:(?<=<){_REST}|(?P<emoji>(?<=[{_FLAG}])[{_FLAG}]"
    rf"|(?<=[{_PICTURE}])\ufe0f?{_TONE}?{_SEQUENCE}|(?<=[{_SIGN}])(?:\ufe0f|{_TONE}){_SEQUENCE}"
    r"|(?<=[0-9#*]\u20e3)|(?<=[0-9#*]\ufe0f\u20e3)))",
    re.ASCII,
)
"""Tokens and emoji. It begins with one class of characters, so that other text is passed over quickly; the rest of an
emoji's first character is in the group, that of a keycap (`1` and U+20E3) stands before it."""

_QUOTED_TO_THE_END = re.compile(r"^>>> ", re.MULTILINE)


class Marks(NamedTuple):
    """Speech with its tokens read."""

    speech: str
    """People are `@` and their stand-in, other tokens one `HIDDEN`; emoji stay, since they may be phrases of thanks."""
    emotes: list[str]
    """Each use, in order: `:kappa:` of the community's own, an emoji as it is."""
    people: list[str]
    """Accounts, each once."""


def shown(content: str, people: Mapping[str, str]) -> str:
    """The text as it is counted: an own emote is `:name:`, one of these people `@` and their name, any other token one
    character."""
    if "<" not in content:
        return content

    def replaced(found: re.Match[str]) -> str:
        if found["emote"]:
            return f":{found['emote']}:"
        return f"@{people[found['person']]}" if found["person"] in people else HIDDEN

    return _token.sub(replaced, content)


def read(speech: str, people: Mapping[str, str]) -> Marks:
    """The tokens and emoji of speech whose code and links are hidden already, and which of these people are in it."""
    if "<" not in speech and speech.isascii():
        return Marks(speech, [], [])
    emotes: list[str] = []
    met: dict[str, None] = {}

    def replaced(found: re.Match[str]) -> str:
        if found["emoji"] is not None:
            emotes.append(found[0] if found["emoji"] or len(found[0]) > 1 else _picture(speech, found))
            return found[0]
        if found["emote"]:
            emotes.append(f":{found['emote']}:")
        if found["person"] not in people:
            return HIDDEN
        met[found["person"]] = None
        return _standing_free(speech, found)

    return Marks(_found.sub(replaced, speech), emotes, list(met))


def _picture(speech: str, found: re.Match[str]) -> str:
    """An emoji of one character; a keycap is spelled with its selector."""
    return f"{speech[: found.start()].rstrip(SELECTOR)[-1:]}{SELECTOR}{KEYCAP}" if found[0] == KEYCAP else found[0]


def _standing_free(speech: str, found: re.Match[str]) -> str:
    """A person's stand-in, apart from words it touches; what is attached (`++`) stays so."""
    before, after = speech[found.start() - 1 : found.start()], speech[found.end() : found.end() + 1]
    word = f"@{stand_in(found['person'])}"
    return f"{' ' * (before.isalnum() or before == '>')}{word}{' ' * after.isalnum()}"


def without_long_quotation(speech: str) -> str:
    """The text with `>>> `, which quotes all that follows it, written as `> ` before each line."""
    if ">>> " not in speech:
        return speech
    start = _QUOTED_TO_THE_END.search(speech)
    if start is None:
        return speech
    return speech[: start.start()] + "\n".join(f"> {line}" for line in speech[start.end() :].split("\n"))


def stand_in(account: str) -> str:
    """The word that stands in speech for a person who was mentioned: it can be thanked like a name."""
    return f"account-{account}"


def thanked(name: str, people: Mapping[str, str]) -> str:
    """The name that was said: that of the person it stands for, where it does."""
    return people.get(name.removeprefix("account-"), name) if name.startswith("account-") else name
