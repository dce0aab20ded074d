"""What may stand at the cursor: nouns, verbs, options, and names that the running service knows."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ... import catalogue
from ...answer import Asked
from ..text import FORMATS
from . import forms
from .arguments import Nouns, next_word, valued_options
from .exits import Exit, Trouble
from .extras import Extra
from .options import DOMAIN, FLAGS, Options
from .parameters import Parameter, parameters
from .shells import SCRIPTS

NAME: Final = "completion"
HIDDEN: Final = "__complete"
HELP: Final = f"print a script that completes command lines: {', '.join(SCRIPTS)}"

_PATIENCE: Final = 0.3
"""Seconds for names, unless --timeout says otherwise; whoever presses TAB does not wait longer."""
_AT: Final = "--at="
_SAFE: Final = re.compile(r"\w[\w.+-]*")
"""Names that mean nothing to any shell."""

Candidate = tuple[str, str]
"""A word and its help."""


class Cursor(NamedTuple):
    """Where TAB was pressed."""

    current: str
    """The beginning of the word that is being typed."""
    before: list[str]
    """The words before it."""
    home: Path

    def begins(self, word: str) -> bool:
        """Whether this word may be meant."""
        return word.casefold().startswith(self.current.casefold())


def script(words: Sequence[str]) -> int:
    """Print the script for a shell."""
    if len(words) != 1 or words[0] not in SCRIPTS:
        raise Trouble(Exit.USAGE, f"{NAME}: say for which shell: {', '.join(SCRIPTS)}")
    sys.stdout.write(SCRIPTS[words[0]])
    return Exit.OK


def candidates(words: Sequence[str], home: Path, extras: Mapping[str, Extra]) -> int:
    """Print what may follow, one candidate a line: the word, a tab, its help. `words` begins with `--at=CURRENT`."""
    cursor = Cursor(words[0].removeprefix(_AT) if words else "", list(words[1:]), home)
    found = _found(cursor, Nouns(catalogue.read()), extras)
    sys.stdout.write("".join(f"{word}\t{about}\n" for word, about in found if cursor.begins(word)))
    return Exit.OK


def _found(cursor: Cursor, nouns: Nouns, extras: Mapping[str, Extra]) -> list[Candidate]:
    before = cursor.before
    at = next_word(before, 0, valued_options(()))
    if at is None:
        if before and before[-1] in valued_options(()):
            return _values(before[-1], (), cursor)
        if cursor.current.startswith("-"):
            return _options(())
        others = [(NAME, HELP), *((name, one.help) for name, one in extras.items())]
        return [*((noun, ", ".join(verbs)) for noun, verbs in nouns.verbs.items()), *others]
    noun = before[at].lower()
    if noun in nouns.verbs:
        return _in_noun(noun, at + 1, cursor, nouns)
    verbs = {NAME: tuple(SCRIPTS), **{name: one.verbs for name, one in extras.items()}}
    return [(verb, "") for verb in verbs.get(noun, ())] if at == len(before) - 1 else []


def _in_noun(noun: str, start: int, cursor: Cursor, nouns: Nouns) -> list[Candidate]:
    """What may follow the noun; the words from `start` on come after it."""
    asked = nouns.asked(noun)
    valued = valued_options(parameter for one in asked.values() for parameter in parameters(one, noun))
    at = next_word(cursor.before, start, valued)
    word = "" if at is None else cursor.before[at].lower().replace("-", "_")
    form = None if word in nouns.verbs[noun] else forms.meant(noun, word, nouns.questions)
    name = form.question if form else nouns.verbs[noun].get(word)
    own = parameters(asked.get(name) or Asked(nouns.questions[name]), noun) if name else []
    if cursor.before[-1] in valued:
        return _values(cursor.before[-1], own, cursor)
    if cursor.current.startswith("-"):
        return _options(own)
    if at is None:
        verbs = [(verb, asked[full].question.help) for verb, full in nouns.verbs[noun].items()]
        is_verb = any(cursor.begins(verb) for verb, _ in verbs)
        return _names(own[0], cursor) if own and not is_verb else verbs
    given = _count(cursor.before, at if form and form.verb == forms.ANY else at + 1, valued)
    words = [one for one in own if one.positional]
    return _names(words[given], cursor) if given < len(words) else _options(own)


def _count(words: Sequence[str], start: int, valued: Collection[str]) -> int:
    """How many plain words there are from `start` on."""
    found = 0
    while (at := next_word(words, start, valued)) is not None:
        found, start = found + 1, at + 1
    return found


def _options(own: Iterable[Parameter]) -> list[Candidate]:
    flags = [(flag.names[-1], str(flag.settings["help"])) for flag in (DOMAIN, *FLAGS)]
    ours = {one.option: one.help for one in own}
    return [*ours.items(), *(flag for flag in flags if flag[0] not in ours)]


def _values(option: str, own: Iterable[Parameter], cursor: Cursor) -> list[Candidate]:
    if option == "--format":
        return [(form, "") for form in FORMATS]
    named = {one.option: one for one in own}
    return _names(named[option], cursor) if option in named else []


def _names(parameter: Parameter, cursor: Cursor) -> list[Candidate]:
    """The values a parameter may have: its own choices, or what the service knows; nothing if that takes too long."""
    if parameter.choices:
        return [(choice, "") for choice in parameter.choices]
    source = forms.SOURCES.get(parameter.name)
    if source is None:
        return []
    values = {key: cursor.current if value == forms.CURRENT else value for key, value in source.values.items()}
    try:
        rows = asyncio.run(_asked(source.question, values, _said(cursor.before), cursor.home))
    except (Trouble, TimeoutError):
        return []
    names = (str(row.get(source.column) or "") if isinstance(row, dict) else str(row) for row in rows)
    return [(name, "") for name in dict.fromkeys(names) if _SAFE.fullmatch(name)]


async def _asked(question: str, values: Mapping[str, Any], options: Options, home: Path) -> list[Any]:
    from . import ask, way  # noqa: PLC0415  (see run.py)

    found = way.find(options, os.environ, Path.cwd(), home)
    async with asyncio.timeout(options.timeout), ask.line(found, options.timeout) as line:
        reply = await line.ask(question, values, options.timeout)
    data = reply.get("data")
    return data if isinstance(data, list) else []


def _said(words: Sequence[str]) -> Options:
    """What was said so far about where to ask, and for how long."""
    said: dict[str, str] = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        said[name] = value if equals else following
    config, creds = (Path(said[name]) if said.get(name) else None for name in ("--config", "--creds"))
    seconds = said.get("--timeout", "")
    timeout = float(seconds) if seconds.replace(".", "", 1).isdigit() else _PATIENCE
    return Options(config=config, creds=creds, server=said.get("--server"), timeout=timeout)
