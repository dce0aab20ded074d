"""The alias tool: the peer's words, and the running service's answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure
from tests.tools import Ran, run

TOOL: Final = "scripts/manage_aliases.py"
CAPTURED: Final = Path(__file__).parents[2] / "shared" / "reference" / "kryten" / "cli.json"
FILE: Final[dict[str, Any]] = {
    "aliases": {"kevinchrist": ["kc", "KChrist"], "AmbsAce": ["ambs"]},
    "kudos_phrases": ["bravo", "😂", "Well done"],
}


def names(folder: Path) -> set[str]:
    """Of the files in it."""
    return {path.name for path in folder.iterdir()}


class Installation:
    """A broker and a userstats that knows no alias and no phrase yet, and the tool beside them."""

    def __init__(self, broker: Brokers, client: Any) -> None:
        self.folder = broker.folder
        self.client = client

    async def run(self, *words: str, typed: str = "") -> Ran:
        return await run(self.folder, TOOL, *words, typed=typed)

    async def data(self, question: str, **values: Any) -> Any:
        return (await ask(self.client, question, **values))["data"]

    def file(self, document: Any) -> str:
        path = self.folder / "given.json"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return str(path)


@pytest_asyncio.fixture
async def installed(fresh_broker: Brokers) -> AsyncIterator[Installation]:
    configure(fresh_broker.folder, nats={"port": -1}, http={"port": 0}, kudos={"default_phrases": []})
    client = await fresh_broker.connect("client")
    async with Part(fresh_broker.folder, "userstats"):
        await ask(client, "system.ping")
        yield Installation(fresh_broker, client)


async def test_a_file_is_loaded_and_listed_in_the_peers_words(installed: Installation) -> None:
    loaded = await installed.run("--db", "old.db", "--load", installed.file(FILE))
    aliases = await installed.run("--list-aliases")
    phrases = await installed.run("--list-phrases")

    assert loaded == Ran(
        0,
        "Added alias: kevinchrist <- kc\nAdded alias: kevinchrist <- KChrist\nAdded alias: AmbsAce <- ambs\n"
        "Added kudos phrase: bravo\nAdded kudos phrase: 😂\nAdded kudos phrase: Well done\n"
        "\nLoaded 3 aliases for 2 users\nLoaded 3 kudos trigger phrases\n",
        "",
    )
    assert aliases == Ran(0, "\n=== Username Aliases ===\n\nAmbsAce: ambs\nkevinchrist: kc, kchrist\n", "")
    assert phrases == Ran(
        0, "\n=== Kudos Trigger Phrases ===\n\n  - bravo\n  - well done\n  - 😂\n\nTotal: 3 phrases\n", ""
    )
    assert await installed.data("alias.find", alias="KCHRIST") == {"alias": "KCHRIST", "username": "kevinchrist"}


async def test_loading_again_adds_nothing_and_says_so(installed: Installation) -> None:
    await installed.run("--load", installed.file(FILE))

    again = await installed.run("--load", installed.file(FILE))

    assert again.out == (
        "Already there: kevinchrist <- kc\nAlready there: kevinchrist <- KChrist\nAlready there: AmbsAce <- ambs\n"
        "Already there: bravo\nAlready there: 😂\nAlready there: Well done\n"
        "\nLoaded 3 aliases for 2 users\nLoaded 3 kudos trigger phrases\n"
    )
    assert again.code == 0


async def test_one_name_is_not_given_to_two_people(installed: Installation) -> None:
    await installed.run("--add-alias", typed="Dave\nDV\n")

    typed = await installed.run("--add-alias", typed="Eve\ndv\n")
    loaded = await installed.run("--load", installed.file({"aliases": {"Eve": ["dv", "evie"]}}))

    assert (typed.code, typed.err) == (1, "manage_aliases.py: Alias 'dv' is already assigned to user 'Dave'\n")
    assert (loaded.code, loaded.err) == (1, "Not added: Eve <- dv: Alias 'dv' is already assigned to user 'Dave'\n")
    assert loaded.out == "Added alias: Eve <- evie\n\nLoaded 1 aliases for 1 users\nLoaded 0 kudos trigger phrases\n"
    assert await installed.data("alias.list") == [
        {"username": "Dave", "aliases": ["DV"]}, {"username": "Eve", "aliases": ["evie"]},
    ]  # fmt: skip


async def test_what_is_typed_is_added_and_removed(installed: Installation) -> None:
    ran = [
        await installed.run("--add-alias", typed="Dave\nDV\n"),
        await installed.run("--add-alias", typed="Dave\ndv\n"),
        await installed.run("--add-phrase", typed="bravo\n"),
        await installed.run("--remove-alias", typed="dv\n"),
        await installed.run("--remove-alias", typed="dv\n"),
        await installed.run("--remove-phrase", typed="BRAVO\n"),
        await installed.run("--remove-phrase", typed="bravo\n"),
        await installed.run("--add-alias", typed="Dave\n"),
    ]

    assert ran == [
        Ran(0, "Enter username: Enter alias: Added: Dave <- DV\n", ""),
        Ran(0, "Enter username: Enter alias: Already there: Dave <- dv\n", ""),
        Ran(0, "Enter kudos trigger phrase: Added kudos phrase: bravo\n", ""),
        Ran(0, "Enter alias: Removed: Dave <- dv\n", ""),
        Ran(3, "Enter alias: ", "manage_aliases.py: Alias 'dv' not found\n"),
        Ran(0, "Enter kudos trigger phrase: Removed kudos phrase: BRAVO\n", ""),
        Ran(3, "Enter kudos trigger phrase: ", "manage_aliases.py: Phrase 'bravo' not found\n"),
        Ran(2, "Enter username: Enter alias: ", "manage_aliases.py: nothing was typed at 'Enter alias:'\n"),
    ]


async def test_what_is_exported_can_be_loaded_and_leaves_no_other_file(installed: Installation) -> None:
    await installed.run("--load", installed.file(FILE))
    before = names(installed.folder)

    ran = await installed.run("--export", "out.json")
    again = await installed.run("--export", "out.json")

    assert ran == again == Ran(0, "Exported 3 aliases for 2 users and 3 phrases to out.json\n", "")
    assert names(installed.folder) == {*before, "out.json"}
    exported = json.loads((installed.folder / "out.json").read_text(encoding="utf-8"))
    assert exported == {
        "aliases": {"AmbsAce": ["ambs"], "kevinchrist": ["kc", "KChrist"]},
        "kudos_phrases": ["bravo", "well done", "😂"],
    }
    loaded = await installed.run("--load", "out.json")
    assert (loaded.code, loaded.out.count("Already there: ")) == (0, 6)


async def test_a_folder_that_cannot_be_written_to_is_said(installed: Installation) -> None:
    ran = await installed.run("--export", "nowhere/out.json")

    assert ran == Ran(1, "", "manage_aliases.py: nowhere/out.json: No such file or directory\n")


@pytest.mark.skipif(not CAPTURED.exists(), reason="the folder with the peer's recorded output is not here")
async def test_every_recorded_call_of_the_peers_tool_prints_the_same(installed: Installation) -> None:
    captured = json.loads(CAPTURED.read_text(encoding="utf-8"))
    recorded = {
        words.removeprefix("manage_aliases.py --db <path> "): found
        for words, found in captured.items()
        if words.startswith("manage_aliases.py --")
    }
    path = installed.file(_as_loaded(recorded["--load <path>"]["stdout"]))

    ran = {
        words: await installed.run("--db", "x.db", *words.replace("<path>", path).split(), typed=found["stdin"])
        for words, found in recorded.items()
    }

    assert ran == {words: Ran(found["rc"], found["stdout"], found["stderr"]) for words, found in recorded.items()}


def _as_loaded(said: str) -> dict[str, Any]:
    """The file that was loaded, from what was said about it."""
    lines = [line.partition(": ")[::2] for line in said.splitlines()]
    aliases: dict[str, list[str]] = {}
    for owner, _, alias in (text.partition(" <- ") for what, text in lines if what == "Added alias"):
        aliases.setdefault(owner, []).append(alias)
    return {"aliases": aliases, "kudos_phrases": [text for what, text in lines if what == "Added kudos phrase"]}


@pytest.mark.skipif(not CAPTURED.exists(), reason="the folder with the peer's recorded output is not here")
async def test_help_begins_as_the_peers_and_knows_more(tmp_path: Path) -> None:
    options = json.loads(CAPTURED.read_text(encoding="utf-8"))["manage_aliases.py "]["stdout"].split("options:\n")[1]

    ran = await run(tmp_path, TOOL)

    assert ran.code == 0
    assert [line.split()[0] for line in options.splitlines()] == [
        line.split()[0] for line in ran.out.split("options:\n")[1].splitlines()[: len(options.splitlines()) + 1]
        if line.startswith("  -")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words", [("--list-aliases",), ("--list-phrases",), ("--add-alias",), ("--load", "aliases.json"), ("--export", "x")]
)
async def test_without_a_service_it_ends_with_a_sentence_and_exit_code_4(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = await run(tmp_path, TOOL, *words)

    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("manage_aliases.py: no broker: no embedded broker runs in data/broker")
    assert ran.err.count("\n") == 1
    assert names(tmp_path) == set()


async def test_with_a_broker_alone_it_says_that_userstats_does_not_run(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats={"port": -1})

    ran = await run(fresh_broker.folder, TOOL, "--list-phrases")

    assert ran == Ran(
        4, "", "manage_aliases.py: userstats does not run: the broker is there, but nobody answers questions\n"
    )


async def test_a_file_that_is_none_is_said_with_its_path(installed: Installation) -> None:
    missing = await installed.run("--load", "missing.json")
    wrong = await installed.run("--load", installed.file({"aliases": {"Dave": "dv"}}))

    assert missing == Ran(2, "", "manage_aliases.py: missing.json: there is no such file\n")
    assert wrong == Ran(2, "", "manage_aliases.py: given.json $.aliases.Dave: 'dv' is not of type 'array'\n")
