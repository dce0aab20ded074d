"""`/opt_in`, `/opt_out`, `/privacy`: what people say of themselves, and what follows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.say import World, message, named, started
from userstats.contract.privacy import PrivacySettings

from .asking import Stage, asking

POLICY = PrivacySettings()
"""As it is where nothing is set: messages are shown, voice and presence off."""


@pytest_asyncio.fixture
async def stage(sqlite_world: World) -> AsyncIterator[Stage]:
    async with asking(sqlite_world, POLICY) as stage:
        general = stage.place(stage.general)
        people = {"amy": str(stage.amy.id), "bob": str(stage.bob.id)}
        names = [named(name, general, account=account) for name, account in people.items()]
        said = [message(account, general) for account in people.values()]
        await sqlite_world.tell(started(stage.place()), "00:10", *names, *said, "00:30")
        yield stage


async def told(stage: Stage, who: Any, words: str, at: Any = None, **options: Any) -> str:
    """What a command is answered with; nobody else sees it."""
    reply = await who.slash(at or stage.general, words, **options)
    said = await reply.message()
    assert reply.ephemeral
    return str(said.content)


async def chosen(stage: Stage, world: World) -> list[tuple[Any, ...]]:
    """What amy chose, as it is stored."""
    return await world.rows("SELECT topic, level FROM consents ORDER BY topic")


async def test_g10_who_opts_in_is_counted_from_then_on(stage: Stage, sqlite_world: World) -> None:
    said = await told(stage, stage.amy, "opt_in", what="voice")
    assert said == (
        "From now on, about voice: you are counted, and everybody may see it. Change it with `/opt_in` and `/opt_out`."
    )
    assert await chosen(stage, sqlite_world) == [("voice", "shown")]
    assert stage.userstats.asked[-1] == (
        "consent.set",
        {"platform": "discord", "account": str(stage.amy.id), "level": "shown", "topic": "voice"},
        f"discord:{stage.amy.id}",
    )
    await stage.learnt.wait()


@pytest.mark.parametrize("level", ["shown", "counted", "anonymous"])
async def test_who_opts_in_says_who_may_see_it(stage: Stage, sqlite_world: World, level: str) -> None:
    await told(stage, stage.amy, "opt_in", level=level)
    assert await chosen(stage, sqlite_world) == [("messages", level), ("presence", level), ("voice", level)]


async def test_g10_who_opts_out_is_on_no_board_any_more(stage: Stage, sqlite_world: World) -> None:
    await told(stage, stage.amy, "opt_in")
    said = await told(stage, stage.amy, "opt_out")
    assert said.startswith("From now on, about everything: nothing is kept of you.")
    assert await chosen(stage, sqlite_world) == [("messages", "off"), ("presence", "off"), ("voice", "off")]
    board = await stage.stats(stage.bob, "leaderboard.messages")
    assert "amy" not in board.embeds[0]["description"]
    hidden = await stage.stats(stage.bob, "user.stats", person="amy")
    assert hidden.content == "`amy` keeps their numbers to themselves."
    mine = await stage.stats(stage.amy, "user.stats", person="me")
    assert mine.embeds[0]["title"] == "user.stats"


async def test_privacy_says_what_holds_and_who_can_see_it(stage: Stage) -> None:
    default = "you have not chosen; it is what this installation does by itself"
    assert (await told(stage, stage.amy, "privacy show")).splitlines() == [
        "What holds for you here:",
        f"**Messages, reactions, threads and membership**: you are counted, and everybody may see it ({default}).",
        f"**Voice**: nothing is kept of you ({default}).",
        f"**Being online, and what you play**: nothing is kept of you ({default}).",
        "Change it with `/opt_in` and `/opt_out`. What you wrote is never kept, only how much it was.",
    ]
    await told(stage, stage.amy, "opt_in", what="presence", level="counted")
    said = await told(stage, stage.amy, "privacy show")
    assert "**Being online, and what you play**: you are counted, and only you see your numbers (you chose so)." in said


async def test_it_works_in_a_conversation_with_the_bot_too(stage: Stage, sqlite_world: World) -> None:
    conversation = stage.site.world.dm(stage.amy.user)
    await told(stage, stage.amy, "opt_out", conversation, what="messages")
    assert await chosen(stage, sqlite_world) == [("messages", "off")]
    assert (await told(stage, stage.amy, "privacy show", conversation)).startswith("What holds for you here:")


async def test_nobody_chooses_for_somebody_else(stage: Stage) -> None:
    said = await stage.stats(stage.mod, "consent.set", arguments=f"level=off platform=discord account={stage.amy.id}")
    assert said.content == "This may be asked of oneself only."


async def test_an_account_of_another_platform_is_proven_to_be_the_same_persons(
    stage: Stage, sqlite_world: World
) -> None:
    await sqlite_world.tell(started(), named("amelie"), message("amelie", words=9), "00:40")
    said = await told(stage, stage.amy, "link start")
    assert said.startswith("Your code is `")
    typed = {"code": said.split("`")[1], "platform": "cytube", "account": "amelie"}
    await stage.userstats.ask("link.confirm", typed, 5)
    said = await told(stage, stage.amy, "link show")
    assert said == "These are counted as you, too: `amelie` (cytube cytu.be). `/link undo` takes that back."
    everywhere = await stage.stats(stage.amy, "user.stats", person="me", where="everywhere")
    assert {one["name"]: one["value"] for one in everywhere.embeds[0]["fields"]}["messages"] == "2"
    assert await told(stage, stage.amy, "link undo") == "1 link is taken back."
    assert (await told(stage, stage.amy, "link show")).startswith("No other account is proven to be yours.")
    alone = await stage.stats(stage.amy, "user.stats", person="me", where="everywhere")
    assert {one["name"]: one["value"] for one in alone.embeds[0]["fields"]}["messages"] == "1"


async def test_a_code_that_was_shown_elsewhere_is_typed_here(stage: Stage, sqlite_world: World) -> None:
    await sqlite_world.tell(started(), named("amelie"), message("amelie"), "00:40")
    begun = await stage.userstats.ask("link.begin", {"platform": "cytube", "account": "amelie"}, 5)
    code = json.loads(begun)["data"]["code"]
    assert (
        await told(stage, stage.amy, "link confirm", code=f" {code.lower()} ") == "These accounts are one person now."
    )
    said = await told(stage, stage.amy, "link confirm", code="WRONG")
    assert said == "This code is wrong, over, or meant to be typed elsewhere."


async def test_a_choice_that_was_not_taken_is_not_said_to_be(stage: Stage) -> None:
    stage.userstats.away = True
    said = await told(stage, stage.amy, "opt_out")
    assert said == "The statistics do not answer at the moment. Nothing is lost; ask again in a minute."
