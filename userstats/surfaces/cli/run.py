"""The program: words to a question, the question to an answer, the answer to text; every failure to an exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ... import catalogue
from ..clean import clean
from ..text import FORMATS, render
from . import completion, screen
from .arguments import Command, Help, read
from .exits import Exit, Trouble, refused
from .extras import Extra

_INTERRUPTED: Final = 130


def main(words: Sequence[str], program: str, home: Path, extras: Mapping[str, Extra]) -> int:
    """Run one command line. `home`: the program's own folder. Returns the exit code."""
    try:
        try:
            return _main(words, program, home, extras)
        finally:
            sys.stdout.flush()
    except Trouble as trouble:
        _say(f"{program}: {trouble.message}")
        return trouble.code
    except BrokenPipeError:  # whoever reads us has seen enough
        screen.silence()
        return Exit.OK
    except OSError as error:
        screen.silence()
        _say(f"{program}: {error.strerror or error}")
        return Exit.FAILURE
    except KeyboardInterrupt:
        return _INTERRUPTED


def _main(words: Sequence[str], program: str, home: Path, extras: Mapping[str, Extra]) -> int:
    if words and words[0] in extras:
        return extras[words[0]].run(words[1:])
    if words and words[0] == completion.HIDDEN:
        return completion.candidates(words[1:], home, extras)
    if words and words[0] == completion.NAME:
        return completion.script(words[1:])
    local = {completion.NAME: completion.HELP, **{name: extra.help for name, extra in extras.items()}}
    command = read(words, catalogue.read(), program, local)
    if isinstance(command, Help):
        (sys.stdout if command.code is Exit.OK else sys.stderr).write(command.text)
        return command.code
    _log(command.options.verbose)
    _confirm(command, screen.conversational())
    asyncio.run(_ask(command, home))
    return Exit.OK


async def _ask(command: Command, home: Path) -> None:
    """Ask once, or again and again, and print each answer."""
    from . import ask, way  # noqa: PLC0415  (importing NATS takes longer than all else; --help needs none of it)

    options, name = command.options, command.asked.question.name
    if command.ignored and not options.quiet:
        _say(f"{' and '.join(f'--{one}' for one in command.ignored)}: makes no difference to {name}")
    found = way.find(options, os.environ, Path.cwd(), home)
    async with ask.line(found, options.timeout) as line:
        while True:
            reply = await line.ask(name, command.values, options.timeout)
            if not reply.get("success"):
                raise refused(reply["error"])
            _print(reply, command)
            if options.watch is None:
                return
            await asyncio.sleep(options.watch)


def _print(reply: Mapping[str, Any], command: Command) -> None:
    options, question = command.options, command.asked.question
    form = options.format or FORMATS[0]
    screen.prepare(form, sys.stdout)
    title = f"{question.name.replace('.', ' ')}: {question.help}"
    look = screen.look(options, sys.stdout, os.environ)
    if options.watch and look.colour and form == FORMATS[0]:
        sys.stdout.write(screen.clear())
    sys.stdout.write(render(reply, form, look, title, bare=options.quiet))
    sys.stdout.flush()


def _confirm(command: Command, terminal: bool) -> None:
    """Before something is changed, its author says so: at the terminal, or with --yes."""
    if not command.asked.question.changes or command.options.yes:
        return
    said = " ".join([command.asked.question.name.replace(".", " "), *map(repr, command.values.values())])
    if not terminal:
        raise Trouble(Exit.USAGE, f"{said}: this changes something; say --yes where nobody can be asked")
    sys.stderr.write(f"{said}: do it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Trouble(Exit.FAILURE, "nothing was changed")


def _log(verbose: int) -> None:
    """Other modules' remarks go to stderr when they are asked for, and nowhere else."""
    logging.basicConfig(
        level=(logging.CRITICAL + 1, logging.INFO, logging.DEBUG)[min(verbose, 2)], format="%(name)s: %(message)s"
    )


def _say(text: str) -> None:
    screen.prepare("", sys.stderr)
    sys.stderr.write(clean(text) + "\n")
