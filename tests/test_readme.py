"""The README and the documents say what is true: their commands, settings, links and recipes."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from benchmarks import __main__ as benchmarks
from bridges.cytube_room import Channel
from scripts import config_command, import_kryten, up
from scripts.configuration import decoded_as, readers
from tests.say import World, message, named
from tests.stats.ask import ask
from userstats import catalogue, seeding
from userstats.contract.config import SECTIONS, from_document
from userstats.stats import aliases, people
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore
from userstats.surfaces.cli.arguments import read

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
RECIPE_FILES: Final = {"userstats/stats/mentions.py", "tests/stats/test_mentions.py"}
"""What the reader of the recipe makes."""
_FENCE: Final = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_PROGRAM: Final = re.compile(r"^\./\S+|^python (?:-m \w+|\S+\.py)", re.MULTILINE)
_LINK: Final = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
_PATH: Final = re.compile(r"`((?:userstats|bridges|scripts|tests|benchmarks|docs|data)/[\w./-]+?)/?`")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A block of code on a page."""

    page: Path
    language: str
    text: str


def _blocks(*languages: str) -> list[Block]:
    found = [
        Block(page, match[2], re.sub(rf"(?m)^{match[1]}", "", match[3]))
        for page in PAGES
        for match in _FENCE.finditer(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if block.language in languages]


def _commands() -> Iterator[tuple[Path, str]]:
    """What is typed at a prompt, without variables before it, with its page."""
    for block in _blocks("console"):
        for line in re.findall(r"^\$ (?:\w+=\S+ )*(.+)$", block.text, re.MULTILINE):
            yield block.page, line


def _asks(words: Sequence[str]) -> None:
    read(words, catalogue.read(), "query_cli.py", {})


def _configures(words: Sequence[str]) -> None:
    assert words[0] in config_command.VERBS
    assert set(words[1:]) <= {"--effective", "--json"}


def _measures(words: Sequence[str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(benchmarks, "measure", lambda _: {})
        patched.setattr(sys, "argv", ["benchmarks", *words])
        assert benchmarks.main() == 0


def _starts(script: str, *before: str) -> Callable[[Sequence[str]], object]:
    def start(words: Sequence[str]) -> None:
        assert os.access(ROOT / "scripts" / script, os.X_OK)
        up.arguments([*before, *words])

    return start


def _exists(script: str) -> Callable[[Sequence[str]], object]:
    return lambda _: (ROOT / "scripts" / script).stat()


UNDERSTOOD: Final[Mapping[str, Callable[[Sequence[str]], object]]] = {
    "python query_cli.py config": _configures,
    "python query_cli.py": _asks,
    "python -m benchmarks": _measures,
    "python scripts/import_kryten.py": import_kryten.arguments,
    "python scripts/docs.py": _exists("docs.py"),
    "python -m scripts.deploy.secrets": _exists("deploy/secrets.py"),
    "./scripts/start.sh": _starts("start.sh"),
    "./scripts/start-userstats.sh": _starts("start-userstats.sh", "--only", "userstats"),
    "./scripts/start-bridge.sh": _starts("start-bridge.sh", "--only", "bridge", "--bridge"),
    "./scripts/test.sh": _exists("test.sh"),
}
"""What checks the words of a command, by its beginning; the first that fits. Others (`curl`) are not checked."""


def _ours() -> list[Any]:
    return [
        pytest.param(command, id=f"{page.stem}: {command}")
        for page, command in _commands()
        if command.startswith(tuple(UNDERSTOOD))
    ]


@pytest.mark.parametrize("command", _ours())
def test_every_command_is_understood(command: str) -> None:
    known = next(begin for begin in UNDERSTOOD if command.startswith(begin))

    UNDERSTOOD[known](shlex.split(command.removeprefix(known)))


@pytest.mark.parametrize("command", ["./scripts/start.sh --dmeo", "python query_cli.py leaderboard mesages"])
def test_a_misspelled_command_is_not_understood(command: str) -> None:
    with pytest.raises((SystemExit, Exception)):
        test_every_command_is_understood(command)


def test_every_script_and_program_that_is_shown_is_one_that_is_checked() -> None:
    shown = _PROGRAM.findall("\n".join(command for _, command in _commands()))

    assert set(shown) <= set(_PROGRAM.findall("\n".join(UNDERSTOOD)))


@pytest.mark.parametrize("block", _blocks("json"), ids=lambda block: block.page.stem)
def test_every_example_of_a_setting_can_be_read(block: Block) -> None:
    _read_settings(json.loads(block.text))


def _read_settings(document: dict[str, Any]) -> None:
    """A whole config.json, one of its `channels`, or an aliases.json."""
    if "kudos_phrases" in document:
        msgspec.convert(document, seeding.AliasFile)
    elif set(document) <= set(SECTIONS):
        config = from_document(document, {"BOT_PASSWORD": "x", "ROOM_PASSWORD": "x", "DB_PASSWORD": "x"})
        for section, kinds in readers().items():
            config.section(section, decoded_as(section, kinds[0]))
    else:
        assert msgspec.convert(document, Channel).channel


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(_prose(page)) if "://" not in link]

    assert [link for link in links if not _resolves(page, link)] == []


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _resolves(page: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    return target.exists() and (not anchor or anchor in map(_slug, _HEADING.findall(_prose(target))))


def _slug(heading: str) -> str:
    """How a heading is called in links."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named_files = {path for path in _PATH.findall(_prose(page)) if not path.startswith("data/")}

    assert [path for path in sorted(named_files - RECIPE_FILES) if not (ROOT / path).exists()] == []


def test_every_document_is_in_the_list_of_documents() -> None:
    docs = ROOT / "docs"
    linked = {link.partition("#")[0] for link in _LINK.findall((docs / "README.md").read_text("utf-8"))}

    assert {str(page.relative_to(docs)) for page in docs.glob("*/*.md")} <= linked


def test_every_promise_with_a_test_is_in_the_table_and_every_promise_in_the_table_has_a_test() -> None:
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    tested = {
        int(number) for name in re.findall(r"def (test_g\d\w*)", tests) for number in re.findall(r"g(\d\d)_", name)
    }
    table = {int(number) for number in re.findall(r"^\| G(\d+) \|", (ROOT / "README.md").read_text("utf-8"), re.M)}

    assert table == tested


def test_the_changelog_begins_with_the_version_that_is_built() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    assert re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)[0] == version


def _recipe(name: str) -> str:
    found = re.search(rf"<!-- recipe: {name} -->\n```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert found, name
    return found[1]


def _module(name: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that this text is when it stands in a file of its own."""
    file = folder / f"{name.rpartition('.')[2]}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


async def test_the_recipe_for_a_statistic_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = _module("userstats.stats.mentions", _recipe("statistic"), tmp_path, monkeypatch)
    monkeypatch.setattr("userstats.stats.mentions", room, raising=False)
    store = await SQLiteStore.open(tmp_path / "recipe.db")
    world = await World.open(store, aliases.STATISTIC, people.STATISTIC, room.STATISTIC)
    await world.tell(named("amy"), named("bob"), "20:00", message("bob", mentions=["amy"]), "20:15")

    assert await ask(world, "leaderboard.mentions") == [room.Row("amy", 1)]
    assert {"mentioned"} <= set(
        catalogue.build((aliases.STATISTIC, people.STATISTIC, room.STATISTIC)).measures["person"]
    )

    await store.close()


async def test_the_recipes_own_test_passes(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = _module("userstats.stats.mentions", _recipe("statistic"), tmp_path, monkeypatch)
    monkeypatch.setattr("userstats.stats.mentions", room, raising=False)
    test = _module("tests.stats.test_mentions", _recipe("test"), tmp_path, monkeypatch)

    await test.test_everybody_who_is_spoken_to_is_on_the_board(store)


def test_the_recipe_is_as_short_as_it_says_and_passes_the_linter(tmp_path: Path) -> None:
    room = tmp_path / "mentions.py"
    room.write_text(_recipe("statistic"), encoding="utf-8")
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(room)]
    own = [line for line in _recipe("statistic").splitlines() if line and not re.match(r"from |import |\"\"\"", line)]

    assert len(own) <= 15
    assert subprocess.run([*ruff, "check", "--quiet", *config], check=False).returncode == 0
    assert subprocess.run([*ruff, "format", "--check", "--quiet", *config], check=False).returncode == 0
