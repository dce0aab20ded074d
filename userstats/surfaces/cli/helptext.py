"""What `--help` says, made from the catalogue."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from ...answer import Asked
from . import forms
from .options import DOMAIN, FLAGS, Flag, add_to
from .parameters import Parameter

_CODES: Final = (
    "exit codes: 0 answered, 1 failure, 2 wrong usage, 3 not found, 4 service unreachable, 5 no answer in time,\n"
    "            6 refused"
)


def everything(
    program: str, nouns: Mapping[str, Sequence[str]], local: Mapping[str, str], questions: Collection[str]
) -> str:
    """The nouns with their verbs, the options, examples and exit codes."""
    parser = argparse.ArgumentParser(
        program,
        usage=f"{program} NOUN VERB [words] [options]",
        description="Ask a running userstats.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["examples:", *(f"  {program} {one}" for one in _examples(nouns, questions)), "", _CODES]),
        add_help=False,
    )
    about = parser.add_argument_group(f"nouns and their verbs ({program} NOUN --help says more)")
    for noun, verbs in nouns.items():
        about.add_argument(noun, help=", ".join(verbs))
    other = parser.add_argument_group("other commands")
    for name, said in local.items():
        other.add_argument(name, help=said)
    add_to(parser, DOMAIN, *FLAGS)
    return parser.format_help()


def noun(program: str, name: str, asked: Iterable[Asked]) -> str:
    """The verbs of one noun, each with its help."""
    parser = argparse.ArgumentParser(
        program,
        usage=f"{program} {name} VERB [words] [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"{program} {name} VERB --help says what a verb takes.",
        add_help=False,
    )
    verbs = parser.add_argument_group("verbs")
    for one in asked:
        verbs.add_argument(one.question.name.partition(".")[2], help=plain(one.question.help))
    return parser.format_help()


def question(program: str, asked: Asked, own: Sequence[Parameter], flags: Sequence[Flag]) -> str:
    """Everything about one question: its words, its own options, and those of every question."""
    parser = argparse.ArgumentParser(
        program,
        usage=usage(program, asked.question.name, own),
        description=_description(asked),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    words = parser.add_argument_group("words")
    for one in own:
        if one.positional:
            words.add_argument(one.name, metavar=one.metavar, help=plain(one.help))
        else:
            parser.add_argument(one.option, metavar=one.metavar, help=plain(one.help))
    add_to(parser, *flags)
    return parser.format_help()


def usage(program: str, name: str, own: Sequence[Parameter]) -> str:
    """How a question is asked, in one line."""
    words = [one.metavar if one.required else f"[{one.metavar}]" for one in own if one.positional]
    return " ".join([program, name.replace(".", " "), *words, "[options]"])


def _description(asked: Asked) -> str:
    """What a question is about: all that its docstring says, its period, and who may ask."""
    question = asked.question
    said = [" ".join(line.split()) for line in (question.answer.__doc__ or "").strip().splitlines()]
    if asked.has_period:
        said += ["", f"Without a period: {'all time' if question.period == 'all' else f'the last {question.period}'}."]
    if question.audience != "everyone":
        said += ["", f"Answered to: {question.audience}."]
    return "\n".join(said)


def plain(text: str) -> str:
    """Text that argparse prints as it is."""
    return text.replace("%", "%%")


def _examples(nouns: Mapping[str, Sequence[str]], questions: Collection[str]) -> list[str]:
    """Those whose question exists."""
    found = []
    for example in forms.EXAMPLES:
        name, word, *_ = example.split()
        if word in nouns.get(name, ()) or forms.meant(name, word, questions):
            found.append(example)
    return found
