"""Aliases and phrases of thanks of a running userstats: the tool that users of kryten-userstats know, and some more.

Usage: python scripts/manage_aliases.py --load aliases.json | --list-aliases | --list-phrases | --add-alias | ...
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import teaching
from scripts.service import CODES, Service, Trouble, add_options, running
from userstats import seeding
from userstats.contract.config import ConfigError
from userstats.surfaces.clean import clean
from userstats.surfaces.cli.exits import Exit
from userstats.surfaces.cli.screen import prepare

PROGRAM: Final = "manage_aliases.py"


def parser() -> argparse.ArgumentParser:
    """The command line; the first six options are the peer's."""
    made = argparse.ArgumentParser(PROGRAM, description="Manage user aliases and kudos phrases", epilog=CODES)
    made.add_argument("--db", help="Database path; the running service is asked, so it makes no difference")
    made.add_argument("--load", type=Path, help="Load aliases from JSON file")
    made.add_argument("--list-aliases", action="store_true", help="List all aliases")
    made.add_argument("--list-phrases", action="store_true", help="List kudos phrases")
    made.add_argument("--add-alias", action="store_true", help="Add alias interactively")
    made.add_argument("--add-phrase", action="store_true", help="Add phrase interactively")
    made.add_argument("--remove-alias", action="store_true", help="Remove alias interactively")
    made.add_argument("--remove-phrase", action="store_true", help="Remove phrase interactively")
    made.add_argument("--export", type=Path, help="Write aliases and phrases to a JSON file that --load takes")
    add_options(made)
    return made


def main(given: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    made = parser()
    options = made.parse_args(given)
    actions = [action for name, action in ACTIONS.items() if getattr(options, name)]
    if not actions:
        made.print_help()
        return Exit.OK
    for stream in (sys.stdout, sys.stderr):
        prepare("", stream)
    try:
        return asyncio.run(_all(options, actions))
    except Trouble as trouble:
        _complain(f"{PROGRAM}: {trouble.message}")
        return trouble.code


async def load(service: Service, options: argparse.Namespace) -> Exit:
    """Add what the file says. What cannot be had is said, and the rest is added all the same."""
    file = _read(options.load)
    here: dict[str, int] = {}
    code = Exit.OK
    for owner, aliases in file.aliases.items():
        for alias in aliases:
            taught = await teaching.alias(service, owner, alias)
            if taught.state == "refused":
                _complain(f"Not added: {owner} <- {alias}: {taught.why}")
                code = Exit.FAILURE
                continue
            here[owner] = here.get(owner, 0) + 1
            _say(f"{'Added alias' if taught.state == 'added' else 'Already there'}: {owner} <- {alias}")
    for phrase in file.kudos_phrases:
        taught = await teaching.phrase(service, phrase)
        _say(f"{'Added kudos phrase' if taught.state == 'added' else 'Already there'}: {phrase}")
    _say("")
    _say(f"Loaded {sum(here.values())} aliases for {len(here)} users")
    _say(f"Loaded {len(file.kudos_phrases)} kudos trigger phrases")
    return code


async def list_aliases(service: Service, _: argparse.Namespace) -> Exit:
    """Everybody with aliases, in the order and the spelling that the peer has."""
    rows = {row["username"]: row["aliases"] for row in await service.ask("alias.list")}
    _say("\n=== Username Aliases ===\n")
    for owner in sorted(rows):
        _say(f"{owner}: {', '.join(sorted(alias.lower() for alias in rows[owner]))}")
    return Exit.OK


async def list_phrases(service: Service, _: argparse.Namespace) -> Exit:
    """The phrases of thanks."""
    phrases = sorted(await service.ask("phrase.list"))
    _say("\n=== Kudos Trigger Phrases ===\n")
    for phrase in phrases:
        _say(f"  - {phrase}")
    _say(f"\nTotal: {len(phrases)} phrases")
    return Exit.OK


async def add_alias(service: Service, _: argparse.Namespace) -> Exit:
    """Ask for a name and an alias, and add it."""
    owner, alias = await _asked("Enter username: "), await _asked("Enter alias: ")
    taught = await teaching.alias(service, owner, alias)
    if taught.state == "refused":
        raise Trouble(Exit.FAILURE, taught.why)
    _say(f"{'Added' if taught.state == 'added' else 'Already there'}: {owner} <- {alias}")
    return Exit.OK


async def add_phrase(service: Service, _: argparse.Namespace) -> Exit:
    """Ask for a phrase, and add it."""
    phrase = await _asked("Enter kudos trigger phrase: ")
    taught = await teaching.phrase(service, phrase)
    _say(f"{'Added kudos phrase' if taught.state == 'added' else 'Already there'}: {phrase}")
    return Exit.OK


async def remove_alias(service: Service, _: argparse.Namespace) -> Exit:
    """Ask for an alias, and remove it."""
    alias = await _asked("Enter alias: ")
    owner = (await service.ask("alias.find", alias=alias))["username"]
    answer = await service.ask("alias.remove", alias=alias)
    if not answer["changed"]:
        raise Trouble(Exit.NOT_FOUND, answer["message"])
    _say(f"Removed: {owner} <- {alias}")
    return Exit.OK


async def remove_phrase(service: Service, _: argparse.Namespace) -> Exit:
    """Ask for a phrase, and remove it."""
    phrase = await _asked("Enter kudos trigger phrase: ")
    answer = await service.ask("phrase.remove", phrase=phrase)
    if not answer["changed"]:
        raise Trouble(Exit.NOT_FOUND, answer["message"])
    _say(f"Removed kudos phrase: {phrase}")
    return Exit.OK


async def export(service: Service, options: argparse.Namespace) -> Exit:
    """Write a file that is either the whole new one or the one that was there before."""
    data = await service.ask("settings.export")
    try:
        _write(options.export, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise Trouble(Exit.FAILURE, f"{options.export}: {error.strerror}") from error
    number = sum(map(len, data["aliases"].values()))
    _say(
        f"Exported {number} aliases for {len(data['aliases'])} users and {len(data['kudos_phrases'])} phrases "
        f"to {options.export}"
    )
    return Exit.OK


ACTIONS: Final[Mapping[str, Callable[[Service, argparse.Namespace], Awaitable[Exit]]]] = {
    "load": load,
    "list_aliases": list_aliases,
    "list_phrases": list_phrases,
    "add_alias": add_alias,
    "add_phrase": add_phrase,
    "remove_alias": remove_alias,
    "remove_phrase": remove_phrase,
    "export": export,
}
"""By option."""


async def _all(
    options: argparse.Namespace, actions: Sequence[Callable[[Service, argparse.Namespace], Awaitable[Exit]]]
) -> int:
    async with running(options) as service:
        return max([await action(service, options) for action in actions])


def _read(path: Path) -> seeding.AliasFile:
    if not path.is_file():
        raise Trouble(Exit.USAGE, f"{path}: there is no such file")
    try:
        return seeding.read(path)
    except ConfigError as error:
        raise Trouble(Exit.USAGE, str(error)) from error


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


async def _asked(prompt: str) -> str:
    """What is typed. The connection stays alive however long that takes."""
    try:
        typed = (await asyncio.to_thread(input, prompt)).strip()
    except EOFError as error:
        raise Trouble(Exit.USAGE, f"nothing was typed at {prompt.strip()!r}") from error
    if not typed:
        raise Trouble(Exit.USAGE, f"nothing was typed at {prompt.strip()!r}")
    return typed


def _say(text: str) -> None:
    print("\n".join(map(clean, text.split("\n"))))


def _complain(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(clean(text) + "\n")


if __name__ == "__main__":
    sys.exit(main())
