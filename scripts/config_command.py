"""`query_cli.py config check` and `config show`: what config.json says, where each value comes from, what is wrong."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from userstats import catalogue, seeding, settings
from userstats.contract.config import Config, ConfigError, from_document, load
from userstats.surfaces.cli import screen
from userstats.surfaces.cli.exits import Exit, Trouble
from userstats.surfaces.cli.options import Options
from userstats.surfaces.drawing import drawn_rows
from userstats.surfaces.rows import Rows

from .configuration import decoded_as, readers

VERBS: Final = ("check", "show")
MASK: Final = "***"
_SECRET: Final = re.compile(r"(^|_)(password|token|secret)$")
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")


class Setting(NamedTuple):
    """One setting as it is in force."""

    path: str
    value: Any
    origin: str
    """`file`, `default`, `environment`, `secret file`; and what is the matter with a variable that is not set."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Trouble(Exit.USAGE, f"config: {message}")


def command(words: Sequence[str], here: Path, home: Path) -> int:
    """Run `config ...`; returns the exit code. Raises Trouble."""
    parser = _Parser("query_cli.py config", description="Look at config.json without starting anything.")
    parser.add_argument("verb", choices=VERBS, help="check: say what is wrong; show: say what each setting is")
    parser.add_argument("--config", type=Path, help="default: config.json here, or in the project's folder")
    parser.add_argument("--effective", action="store_true", help="show: settings with their default value, too")
    parser.add_argument("--json", action="store_true", help="show: as one JSON document")
    options = parser.parse_args(words)
    path = options.config or next(
        (one / "config.json" for one in (here, home) if (one / "config.json").is_file()), None
    )
    if options.verb == "check":
        return _check(path)
    found = [one for one in effective(path) if options.effective or one.origin != "default"]
    if options.json:
        print(json.dumps([one._asdict() for one in found], indent=2))
    else:
        _print(found)
    return Exit.OK


def _print(found: Sequence[Setting]) -> None:
    screen.prepare("", sys.stdout)
    rows = Rows(
        "", Setting._fields, tuple((one.path, json.dumps(one.value, ensure_ascii=False), one.origin) for one in found)
    )
    look = screen.look(Options(), sys.stdout, os.environ)
    print("\n".join(drawn_rows(rows, look)) if found else "every setting has its default")


def _check(path: Path | None) -> int:
    if path is None:
        print("there is no config.json; every setting has its default")
        return Exit.OK
    problems = [str(problem) for problem in check(path)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{path}: {f'{len(problems)} wrong' if problems else 'nothing is wrong with it'}")
    return Exit.FAILURE if problems else Exit.OK


def check(path: Path, environment: Mapping[str, str] = os.environ) -> Iterator[ConfigError]:
    """Everything that would keep a part from starting with this file, one finding for each section that is wrong."""
    try:
        config = load(path, environment)
    except ConfigError as error:
        yield error
        return
    wrong = False
    for section, kinds in readers().items():
        for kind in kinds:
            if problem := _raised(partial(config.section, section, decoded_as(section, kind))):
                wrong = True
                yield problem
                break
    if not wrong:
        yield from _together(config, path.parent)


def _together(config: Config, folder: Path) -> Iterator[ConfigError]:
    """What only shows when the parts read their settings."""
    from bridges.__main__ import names  # noqa: PLC0415  (brings in every platform's client)

    aliases = config.section("aliases", settings.AliasSettings)
    problems = [
        _raised(partial(settings.read, config, folder, catalogue.read())),
        _raised(partial(seeding.read, folder / aliases.file)),
        *(_raised(partial(_bridge, name, config)) for name in names()),
    ]
    told: set[str] = set()
    for problem in problems:
        if problem and str(problem) not in told:
            told.add(str(problem))
            yield problem


def _bridge(name: str, config: Config) -> None:
    importlib.import_module(f"bridges.{name}").bridges(config)


def _raised(work: Callable[[], object]) -> ConfigError | None:
    try:
        work()
    except ConfigError as error:
        return error
    return None


def effective(path: Path | None, environment: Mapping[str, str] = os.environ) -> list[Setting]:
    """Every setting as it is in force, secrets masked. Raises Trouble where the file is wrong."""
    try:
        config = load(path, environment) if path else from_document({}, environment)
        raw = json.loads(path.read_text(encoding="utf-8-sig")) if path else {}
        origins = _Origins(raw, config)
        found: list[Setting] = []
        for section, kinds in readers().items():
            value = config.section(section, decoded_as(section, kinds[0]))
            found += _settings(json.loads(msgspec.json.encode(value)), f"$.{section}", origins)
    except ConfigError as error:
        raise Trouble(Exit.FAILURE, str(error)) from error
    return found


class _Origins:
    """Where values come from."""

    def __init__(self, raw: Any, config: Config) -> None:
        self._raw = raw
        self._config = config

    def of(self, path: str) -> str:
        """In words. What the file leaves out has its default."""
        written = self._written(path)
        if written is None:
            return "default"
        if path in self._config.unset:
            return f"default ({written} is not set)"
        if not any(one == path or one.startswith(f"{path}[") for one in self._config.secret):
            return "file"
        return "secret file" if "${file:" in str(written) else "environment"

    def _written(self, path: str) -> Any:
        value = self._raw
        for key in re.findall(r"[^.\[\]]+", path.removeprefix("$")):
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, dict):
                value = value.get(key)
            else:
                return None
        return value


def _settings(value: Any, path: str, origins: _Origins) -> Iterator[Setting]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _settings(item, f"{path}.{key}", origins)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _settings(item, f"{path}[{index}]", origins)
    else:
        origin = origins.of(path)
        yield Setting(path, masked(path, value, origin), origin)


def masked(path: str, value: Any, origin: str) -> Any:
    """The value, or stars for what nobody should read over a shoulder: secrets, and all that is not in the file."""
    if value and (_SECRET.search(path.rpartition(".")[2]) or origin in {"environment", "secret file"}):
        return MASK
    if isinstance(value, list):
        return [masked(path, item, origin) for item in value]
    return _CREDENTIALS.sub(MASK, value) if isinstance(value, str) else value
