"""Words of a command line to a question with its values. Built from the catalogue, one parser for one question."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from ...answer import Asked
from ...catalogue import Catalogue
from . import forms, helptext
from .exits import Exit, Trouble
from .options import DOMAIN, FLAGS, Flag, Options, add_to
from .parameters import Parameter, parameters

_HELP: Final = frozenset(("-h", "--help"))


class Command(NamedTuple):
    """What is to be asked, and how."""

    asked: Asked
    values: dict[str, Any]
    options: Options
    ignored: tuple[str, ...] = ()
    """Global options that make no difference to this question."""


class Help(NamedTuple):
    """Help was asked for, or nothing at all."""

    text: str
    code: Exit


class Nouns:
    """The catalogue by noun and verb. Schemas are made for the noun that is looked at only."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.questions = catalogue.questions
        self.verbs: dict[str, dict[str, str]] = {}
        for name in catalogue.questions:
            noun, _, verb = name.partition(".")
            self.verbs.setdefault(noun, {})[verb] = name

    def asked(self, noun: str) -> dict[str, Asked]:
        """The questions of a noun, by name."""
        return {name: Asked(self.questions[name]) for name in self.verbs[noun].values()}


def read(words: Sequence[str], catalogue: Catalogue, program: str, local: Mapping[str, str]) -> Command | Help:
    """What these words ask for. `local`: words that stand in a noun's place but are no question, with their help.

    Raises Trouble (usage) in one sentence, with what was probably meant.
    """
    nouns = Nouns(catalogue)
    valued = valued_options(())
    at = next_word(words, 0, valued)
    if at is None:
        return _without_noun(words, nouns, program, local)
    noun = words[at].lower()
    if noun not in nouns.verbs:
        _Parser(program, (), (DOMAIN, *FLAGS)).parse(words[:at])
        raise Trouble(Exit.USAGE, f"there is no {words[at]!r}{_meant(noun, [*nouns.verbs, *local])}")
    asked = nouns.asked(noun)
    own = [parameter for one in asked.values() for parameter in parameters(one, noun)]
    rest = [*words[:at], *words[at + 1 :]]
    name, rest = _verb(noun, rest, at, valued_options(own), nouns)
    if name is None:
        if _asks_help(rest):
            return Help(helptext.noun(program, noun, asked.values()), Exit.OK)
        verbs = ", ".join(nouns.verbs[noun])
        raise Trouble(Exit.USAGE, f"{noun}: say what about it: {verbs}")
    return _command(asked.get(name) or Asked(nouns.questions[name]), noun, rest, program, nouns.verbs[noun])


def next_word(words: Sequence[str], start: int, valued: Collection[str]) -> int | None:
    """Where the next word is that is neither an option nor the value of one; None before `--` or the end."""
    index = start
    while index < len(words) and words[index] != "--":
        if not words[index].startswith("-") or words[index] == "-":
            return index
        index += 2 if words[index] in valued else 1
    return None


def valued_options(own: Iterable[Parameter]) -> frozenset[str]:
    """The options that take the word after them."""
    flags = (name for flag in (DOMAIN, *FLAGS) if flag.valued for name in flag.names)
    return frozenset((*flags, *(one.option for one in own if one.kind != "boolean")))


def _without_noun(words: Sequence[str], nouns: Nouns, program: str, local: Mapping[str, str]) -> Help:
    if not _asks_help(words):
        _Parser(program, (), (DOMAIN, *FLAGS)).parse(words)  # an unknown option is said first
    text = helptext.everything(
        program, {noun: tuple(verbs) for noun, verbs in nouns.verbs.items()}, local, nouns.questions
    )
    return Help(text, Exit.OK if _asks_help(words) else Exit.USAGE)


def _asks_help(words: Sequence[str]) -> bool:
    return any(word in _HELP for word in words[: words.index("--") if "--" in words else None])


def _verb(
    noun: str, rest: list[str], start: int, valued: Collection[str], nouns: Nouns
) -> tuple[str | None, list[str]]:
    """The question that the next word makes of the noun, and the words without it."""
    verbs = nouns.verbs[noun]
    at = next_word(rest, start, valued)
    word = "" if at is None else rest[at].lower().replace("-", "_")
    if at is not None and word in verbs:
        return verbs[word], [*rest[:at], *rest[at + 1 :]]
    form = forms.meant(noun, word, nouns.questions)
    if form and form.verb == forms.ANY:
        return (form.question if at is not None or "--" in rest else None), rest
    if at is None:
        return None, rest
    if form:
        return form.question, [*rest[:at], *rest[at + 1 :]]
    raise Trouble(Exit.USAGE, f"{noun} has no {rest[at]!r}{_meant(word, verbs)}")


def _command(asked: Asked, noun: str, rest: Sequence[str], program: str, verbs: Collection[str]) -> Command | Help:
    own = parameters(asked, noun)
    flags = FLAGS if any(one.name == "domain" for one in own) else (DOMAIN, *FLAGS)
    if _asks_help(rest):
        return Help(helptext.question(program, asked, own, flags), Exit.OK)
    line = asked.question.name.replace(".", " ")
    said, words = _Parser(line, own, flags).parse(rest)
    values = {one.name: said.pop(one.name) for one in own if one.name in said}
    values |= _worded(words, own, line, verbs)
    for one in own:
        if one.required and one.name not in values:
            usage = helptext.usage(program, asked.question.name, own)
            raise Trouble(Exit.USAGE, f"{line}: {one.name} required; usage: {usage}")
    ignored = tuple(name for name in ("domain",) if said.pop(name, None) is not None)
    return Command(asked, values, Options(**said), ignored)


def _worded(words: Sequence[str], own: Sequence[Parameter], line: str, verbs: Collection[str]) -> dict[str, Any]:
    """What the plain words mean, in order."""
    positional = [one for one in own if one.positional]
    if len(words) > len(positional):
        surplus = words[len(positional)]
        raise Trouble(Exit.USAGE, f"{line}: {surplus!r} is one word too many{_meant(words[0], verbs)}")
    try:
        return {one.name: one.read(word) for one, word in zip(positional, words, strict=False)}
    except argparse.ArgumentTypeError as error:
        raise Trouble(Exit.USAGE, f"{line}: {error}") from error


class _Parser(argparse.ArgumentParser):
    """The options of one question; plain words are left over."""

    def __init__(self, line: str, own: Sequence[Parameter], flags: Sequence[Flag]) -> None:
        super().__init__(argument_default=argparse.SUPPRESS, add_help=False, allow_abbrev=False)
        self._line = line
        for one in own:
            action: dict[str, Any] = {"type": one.read}
            if one.kind == "boolean":
                action = {"action": argparse.BooleanOptionalAction}
            elif one.kind == "array":
                action |= {"action": "extend"}
            self.add_argument(one.option, dest=one.name, default=argparse.SUPPRESS, **action)
        add_to(self, *flags)

    def error(self, message: str) -> NoReturn:
        raise Trouble(Exit.USAGE, f"{self._line}: {message.removeprefix('argument ')}")

    def parse(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """Options with their values, and the plain words. Raises Trouble."""
        end = words.index("--") if "--" in words else len(words)
        said, rest = self.parse_known_args(list(words[:end]))
        for word in rest:
            if word.startswith("-") and word != "-" and not word[1:].isdigit():
                name = word.partition("=")[0]
                meant = _meant(name, self._option_string_actions)
                raise Trouble(Exit.USAGE, f"{self._line} has no option {name}{meant}")
        return vars(said), [*rest, *words[end + 1 :]]


def _meant(word: str, known: Iterable[str]) -> str:
    """What was probably meant, or what there is."""
    close = difflib.get_close_matches(word, list(known), 1, 0.7)
    return f"; did you mean {close[0]}?" if close else ""
