"""The judge of slash commands: each documented rule bites, a real command tree passes."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands

from .discord.judge import Judge
from .discord.schemas import FOLDER

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="Discord's documents are not beside the project")

Body = dict[str, Any]
TEXT, INTEGER, MEMBER = 3, 4, 6


@pytest.fixture
def judge() -> Judge:
    """A judge without findings."""
    found = Judge.load()
    assert found is not None
    return found


def command(name: str = "stats", **more: object) -> Body:
    """A slash command."""
    return {"name": name, "description": "Says it.", **more}


def option(name: str = "who", kind: int = TEXT, **more: object) -> Body:
    """An option of one."""
    return {"name": name, "description": "Whose.", "type": kind, **more}


def choice(name: str, value: object = "v") -> Body:
    """A choice of an option."""
    return {"name": name, "value": value}


def long_command() -> Body:
    """8,001 characters: 5 + 8, and options of 102 with choices of 200."""
    described = [option(f"{n:02}", description="d" * 100) for n in range(25)]
    chosen = [choice(f"{n:02}" + "n" * 98, "v" * 100) for n in range(25)]
    described[0]["choices"] = chosen
    described[1]["choices"] = chosen[:2]
    described[2]["choices"] = [choice("n" * 20, "v" * 18)]
    return command(options=described)


def test_a_command_set_within_the_limits_passes(judge: Judge) -> None:
    everything = [
        command(
            options=[option(required=True), option("n", INTEGER, min_value=1, max_value=5, choices=[choice("a", 1)])]
        ),
        command("größe-2", options=[option("日本語", autocomplete=True)]),
        command("नमस्ते", name_localizations={"de": "hallo"}),
        command("deep", options=[option("g", 2, options=[option("s", 1, options=[option("who", MEMBER)])])]),
        {"name": "High Five", "type": 2},
        {"name": "stats", "type": 3},
    ]

    assert judge.command_set(everything) == []
    assert judge.command_set([command(f"c{n}") for n in range(100)]) == []
    assert judge.unknown == []


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ([command("Stats")], "command 'Stats': a name is in lower case"),
        ([command("a b")], "command 'a b': a name has 1 to 32 letters, digits, '-', '_' or \"'\""),
        ([command("a.b")], "command 'a.b': a name has 1 to 32 letters, digits, '-', '_' or \"'\""),
        ([command("a" * 33)], "[0].name: 33 characters, at most 32 are allowed"),
        ([command(name_localizations={"de": "Groß"})], "command 'stats': a name is in lower case"),
        ([command(description="")], "command 'stats': a description has 1 to 100 characters, not 0"),
        ([command(description="d" * 101)], "[0].description: 101 characters, at most 100 are allowed"),
        ([{"name": "stats"}], "command 'stats': a description has 1 to 100 characters, not 0"),
        ([{"name": "Hi", "type": 2, "description": "d"}], "command 'Hi': only slash commands have a description"),
        ([{"name": "Hi", "type": 2, "options": [option()]}], "command 'Hi': only slash commands have options"),
        ([command(), command()], "2 commands of type 1 are called 'stats'"),
        ([command(f"c{n}") for n in range(101)], "101 commands of type 1, at most 100 are allowed"),
        ([{"name": f"c{n}", "type": 3} for n in range(16)], "16 commands of type 3, at most 15 are allowed"),
        (
            [command(options=[option(f"o{n}") for n in range(26)])],
            "command 'stats': 26 options, at most 25 are allowed",
        ),
        ([command(options=[option(), option()])], "command 'stats': 2 options are called 'who'"),
        (
            [command(options=[option("a"), option("b", required=True)])],
            "command 'stats': the required option 'b' comes after an optional one",
        ),
        ([command(options=[option("Who")])], "command 'stats' option 'Who': a name is in lower case"),
        (
            [command(options=[option(description="")])],
            "command 'stats' option 'who': a description has 1 to 100 characters, not 0",
        ),
        (
            [command(options=[option(choices=[choice(str(n)) for n in range(26)])])],
            "command 'stats' option 'who': 26 choices, at most 25 are allowed",
        ),
        (
            [command(options=[option(choices=[choice("a", "x"), choice("a", "y")])])],
            "command 'stats' option 'who': 2 choices are called 'a'",
        ),
        (
            [command(options=[option(choices=[choice("a", "v" * 101)])])],
            "command 'stats' option 'who': a choice's value has 101 characters, at most 100 are allowed",
        ),
        (
            [command(options=[option(choices=[choice("a")], autocomplete=True)])],
            "command 'stats' option 'who': both choices and autocomplete",
        ),
        (
            [command(options=[option(kind=MEMBER, autocomplete=True)])],
            "command 'stats' option 'who': only texts and numbers have choices or autocomplete",
        ),
        (
            [command(options=[option("n", INTEGER, min_value=2, max_value=1)])],
            "command 'stats' option 'n': min_value is more than max_value",
        ),
        (
            [command(options=[option(), option("s", 1)])],
            "command 'stats': subcommands and other options together",
        ),
        (
            [command(options=[option("g", 2, options=[option()])])],
            "command 'stats' option 'g': a group holds subcommands only",
        ),
        (
            [command(options=[option("s", 1, options=[option("t", 1)])])],
            "command 'stats' option 's': a subcommand holds no further subcommands",
        ),
        (
            [command(options=[option(options=[option()])])],
            "command 'stats' option 'who': only subcommands and groups have options",
        ),
        (
            [command(options=[option("g", 2, options=[option("h", 2)])])],
            "command 'stats' option 'g' option 'h': nested too deeply",
        ),
        (
            [long_command()],
            "command 'stats': 8001 characters of names, descriptions and values, at most 8000 are allowed",
        ),
    ],
)
def test_a_command_beyond_a_limit_is_refused(judge: Judge, commands: list[object], said: str) -> None:
    assert said in judge.command_set(commands)


def test_the_routes_of_single_commands_are_judged_too(judge: Judge) -> None:
    one = "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}"

    assert judge.request("PATCH", one, {"default_member_permissions": None}) == []
    assert judge.request("PATCH", one, {"name": "A"}) == ["command 'A': a name is in lower case"]
    assert judge.request("POST", "/applications/{application_id}/commands", {"name": "a"}) == [
        "command 'a': a description has 1 to 100 characters, not 0"
    ]


def test_a_real_command_tree_passes_without_an_unknown_field(judge: Judge) -> None:
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    group = app_commands.Group(name="privacy", description="Your data.")
    inner = app_commands.Group(name="who", description="Who may.", parent=group)

    @tree.command(description="Says it.")
    @app_commands.choices(kind=[app_commands.Choice(name="one", value=1)])
    async def stats(
        at: discord.Interaction,
        count: app_commands.Range[int, 1, 5],
        kind: int,
        member: discord.Member,
        channel: discord.TextChannel | None = None,
        role: discord.Role | None = None,
        share: float = 1.0,
        name: str = "",
    ) -> None:
        """Nothing: only its description is looked at."""

    @stats.autocomplete("name")
    async def names(at: discord.Interaction, so_far: str) -> list[app_commands.Choice[str]]:
        """Nothing either."""
        return []

    @inner.command(name="may", description="Says who.")
    async def may(at: discord.Interaction) -> None:
        """Nothing again."""

    @tree.context_menu(name="High Five")
    async def five(at: discord.Interaction, member: discord.Member) -> None:
        """Nothing at all."""

    tree.add_command(group)

    assert judge.command_set([each.to_dict(tree) for each in tree.get_commands()]) == []
    assert judge.unknown == []
