"""Documents that are written from the code: fresh, complete, and with examples that work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from scripts import docs
from scripts.reference_kryten import Command, command
from scripts.reference_questions import command_line, example, text
from userstats import catalogue
from userstats.answer import Asked
from userstats.contract import subjects
from userstats.surfaces.cli import arguments
from userstats.surfaces.kryten.commands import COMMANDS
from userstats.surfaces.kryten.dialect import DOCUMENTED

KNOWN: Final = catalogue.read()
PAGE: Final = Path(__file__).parents[1] / "docs" / "QUERY_ENDPOINTS.md"
every_question = pytest.mark.parametrize("name", KNOWN.questions)


def section(name: str) -> str:
    """What the page says about a question."""
    found = re.search(rf"^### `{re.escape(name)}`\n(.*?)(?=^##)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group(1)


def test_every_generated_file_is_up_to_date() -> None:
    stale = [str(path) for path, text in docs.generated().items() if path.read_text("utf-8") != text]

    assert stale == []


def test_a_page_is_the_same_however_often_it_is_written() -> None:
    assert text() == text()


@every_question
def test_every_question_is_documented(name: str) -> None:
    asked = Asked(KNOWN.questions[name])
    said = section(name)

    assert asked.question.help in said
    assert f"- Subject: `{subjects.question(name)}`\n- Answered to: {asked.question.audience}\n" in said
    assert f"$ nats request {subjects.question(name)} '" in said
    assert [one for one in asked.definition["properties"] if f"| `{one}` | " not in said] == []


@every_question
def test_every_example_is_a_request_that_is_allowed(name: str) -> None:
    asked = Asked(KNOWN.questions[name])

    assert [error.message for error in asked.validator.iter_errors(example(asked))] == []


@every_question
def test_every_example_of_the_command_line_asks_the_same(name: str) -> None:
    asked = Asked(KNOWN.questions[name])

    read = arguments.read(command_line(asked), KNOWN, "query_cli.py", {})

    assert isinstance(read, arguments.Command)
    assert (read.asked.question.name, read.values) == (name, example(asked))


def test_every_link_within_the_page_leads_somewhere() -> None:
    said = PAGE.read_text("utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in said.splitlines() if line[:1] == "#"
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", said))

    assert links - headings == set()
    assert len(links) > len(KNOWN.questions)


def test_every_command_and_query_of_krytens_world_is_documented() -> None:
    said = PAGE.read_text("utf-8").partition("## Kryten's dialects")[2]

    assert [name for name in (*COMMANDS, *DOCUMENTED) if f"`{name}`" not in said] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("user.messages", Command({"username": "(required)", "channel": ""}, ["user.messages"])),
        ("channel.movie_votes", Command({"channel": "(required)", "media_title": ""}, ["channel.votes"])),
        ("leaderboard.emotes", Command({"limit": "(default 10)"}, ["leaderboard.emotes"])),
        ("alias.update", Command(
            {"old_alias": "(required)", "new_alias": "(required)"}, ["alias.find", "alias.add", "alias.remove"]
        )),
        ("system.stats", Command({}, ["system.stats"])),
    ],
)  # fmt: skip
def test_what_a_command_takes_is_read_from_its_code(name: str, expected: Command) -> None:
    assert command(COMMANDS[name]) == expected
