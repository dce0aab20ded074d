"""What is suggested while `/stats` is typed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.say import World, message, named, started

from .asking import Stage, asking


@pytest_asyncio.fixture
async def stage(sqlite_world: World) -> AsyncIterator[Stage]:
    async with asking(sqlite_world) as stage:
        general, lobby = stage.place(stage.general), stage.place(stage.lobby)
        here = {"amy": str(stage.amy.id), "Amanda": "7", "bob": str(stage.bob.id)}
        names = [named(name, general, account=account) for name, account in here.items()]
        said = [message(account, general) for account in here.values()]
        there = [named("amigo", lobby, account="9"), message("9", lobby)]
        await sqlite_world.tell(started(stage.place()), started(lobby), "00:10", *names, *said, *there, "00:30")
        yield stage


async def offered(stage: Stage, option: str, text: str, who: Any = None, **others: Any) -> list[str]:
    """The values that are suggested."""
    offers = await (who or stage.amy).autocomplete(stage.general, "stats", option, text, **others)
    assert all(0 < len(one["name"]) <= 100 for one in offers)
    return [one["value"] for one in offers]


async def test_questions_are_suggested_with_what_they_are_about(stage: Stage) -> None:
    offers = await stage.amy.autocomplete(stage.general, "stats", "question", "kudos lead")
    assert offers == [
        {"name": "leaderboard.kudos — Who is thanked the most, with ++ or a phrase.", "value": "leaderboard.kudos"}
    ]
    assert len(await offered(stage, "question", "")) == 25


async def test_only_what_somebody_may_ask_is_suggested(stage: Stage) -> None:
    assert await offered(stage, "question", "system.holes") == []
    assert await offered(stage, "question", "system.holes", stage.mod) == ["system.holes"]
    assert "import.rows" not in await offered(stage, "question", "import.rows", stage.mod)
    assert (await offered(stage, "question", "import.rows", stage.boss))[0] == "import.rows"


async def test_people_of_this_server_are_suggested_and_oneself(stage: Stage) -> None:
    assert await offered(stage, "person", "am") == ["Amanda", "amy"]
    assert await offered(stage, "person", "m") == ["me", "amy", "Amanda"]
    assert await offered(stage, "person", "") == ["me", "amy", "Amanda"]
    assert [account for name, _, account in stage.userstats.asked if name == "user.search"] == ["discord:0"] * 2


async def test_g21_names_are_suggested_while_the_statistics_are_slow_or_away(stage: Stage) -> None:
    assert await offered(stage, "person", "am") == ["Amanda", "amy"]
    stage.userstats.away = True
    assert await offered(stage, "person", "am") == ["Amanda", "amy"]
    assert await offered(stage, "person", "ama") == ["Amanda"]
    stage.userstats.away, stage.userstats.seconds = False, 30.0
    assert await offered(stage, "person", "amy") == ["amy"]


async def test_the_same_beginning_is_looked_up_once(stage: Stage) -> None:
    for _ in range(3):
        assert await offered(stage, "person", "bo") == ["bob"]
    assert len(stage.userstats.requests("user.search")) == 1


@pytest.mark.parametrize(
    ("option", "text", "others", "suggested"),
    [
        ("period", "", {}, ["24h", "7d", "30d", "90d", "1y", "all"]),
        ("period", "3", {}, ["3", "30d"]),
        ("timezone", "berlin", {}, ["Europe/Berlin"]),
        ("timezone", "new york", {}, ["America/New_York"]),
        ("kind", "", {"question": "leaderboard.kudos"}, ["all", "phrases", "plusplus"]),
        ("kind", "p", {"question": "leaderboard.kudos"}, ["phrases", "plusplus"]),
        ("kind", "", {"question": "leaderboard.emotes"}, []),
        ("kind", "", {}, []),
        ("step", "w", {"question": "channel.people_by_hour"}, ["week"]),
        ("arguments", "", {"question": "channel.heatmap"}, ["domain=", "measure=", "platform="]),
        ("arguments", "x", {"question": "no such question"}, []),
        ("where", "", {}, ["here"]),
    ],
)
async def test_what_else_is_suggested(
    stage: Stage, option: str, text: str, others: dict[str, Any], suggested: list[str]
) -> None:
    assert await offered(stage, option, text, **others) == suggested


async def test_other_places_are_suggested_to_operators(stage: Stage) -> None:
    assert await offered(stage, "where", "", stage.boss) == ["here", "everywhere"]
    assert await offered(stage, "where", "cytube:x", stage.boss) == ["cytube:x"]


async def test_a_fault_of_ours_only_means_that_nothing_is_suggested(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("bridges.discord.commands.suggesting._begun", broken)
    assert await offered(stage, "period", "7") == []
    assert not [one for one in caplog.records if "secret" in one.getMessage()]
