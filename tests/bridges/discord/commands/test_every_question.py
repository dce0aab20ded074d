"""Every question there is, asked as `/stats`: on an empty database, and where something has happened.

One stand-in and one bot serve all of them. Discord's documents judge whatever is said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.say import World, message, named, private, started
from tests.say_guild import guild_counted, member_joined, presence_changed, reaction_added, thread_created, voice_moved
from tests.stand_ins.discord import Message
from userstats.contract.events import Place
from userstats.contract.questions import Listed, Parameter
from userstats.store.sqlite import SQLiteStore

from .asking import Stage, asking, embed
from .questions import REAL

VALUES = {"username": "amy", "alias": "ames", "prefix": "a", "phrase": "thx", "first": "0", "facts": "0", "names": "0"}
"""What to say for parameters that must be said."""
pytestmark = pytest.mark.asyncio(loop_scope="module")
every_question = pytest.mark.parametrize("listed", REAL, ids=[one.question for one in REAL])


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["empty", "small"])
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot of which the operator may ask whatever there is."""
    store = await SQLiteStore.open(tmp_path_factory.mktemp("every") / "world.db")
    world = await World.open(store)
    async with asking(world) as stage:
        if request.param == "small":
            await lived(stage, world)
        yield stage
    await store.close()


async def lived(stage: Stage, world: World) -> None:
    """A little of everything, in the cinema."""
    guild, general, voice = stage.place(), stage.place(stage.general), stage.place(stage.lounge)
    connection = Place("discord", "", "")
    names = {"amy": str(stage.amy.id), "bob": str(stage.bob.id), "boss": str(stage.boss.id)}
    amy, bob = names["amy"], names["bob"]
    await world.tell(
        started(guild), started(connection),
        *[named(name, general, account=account) for name, account in names.items()],
        *[member_joined(account, guild) for account in names.values()],
        "00:10", message(amy, general, words=3, emotes=["kek"], thanks=["bob"]), message(bob, general, reply_to=amy),
        private(names["boss"], connection), reaction_added(bob, "kek", general, to=amy),
        thread_created(amy, "900", general), voice_moved(amy, voice.channel, guild),
        presence_changed(amy, "online", "playing:Chess", where=connection), guild_counted(3, guild, online=2, voice=1),
        "01:00", voice_moved(amy, "", guild, before=voice.channel), "01:30",
    )  # fmt: skip


async def asked(stage: Stage, listed: Listed, **options: Any) -> Message:
    """The operator's answer; what must still be said is said in a form, or as arguments where there is too much."""
    about_me = {"username"} if listed.audience == "self" else set()
    required = [one for one in listed.parameters if one.required and one.name not in about_me]
    wanted = {one.name: VALUES.get(one.name, _any(one)) for one in required}
    few = dict(list(wanted.items())[:5])
    more = " ".join(f"{name}={value}" for name, value in list(wanted.items())[5:])
    told = {**options, **({"arguments": more} if more else {})}
    reply = await stage.boss.slash(stage.general, "stats", question=listed.question, **told)
    done = (await stage.boss.submit(reply, few)) if few else reply
    return await done.message()


def _any(one: Parameter) -> str:
    if one.choices:
        return str(one.choices[0])
    return {"json": "[]", "integer": "1", "array": "a"}.get(one.kind, "x")


@every_question
async def test_g30_every_question_is_answered_as_a_slash_command(stage: Stage, listed: Listed) -> None:
    answer = await asked(stage, listed)
    assert stage.userstats.asked[-1][0] == listed.question
    shown = [one["title"] for one in answer.embeds]
    assert shown == [listed.question] or answer.content.endswith((".", "?"))
    assert not answer.content.startswith("Something went wrong")


@every_question
async def test_every_question_is_suggested_and_its_parameters_are(stage: Stage, listed: Listed) -> None:
    offers = await stage.boss.autocomplete(stage.general, "stats", "question", listed.question)
    assert offers[0]["value"] == listed.question
    for option in ("arguments", "kind", "step"):
        offers = await stage.boss.autocomplete(stage.general, "stats", option, "", question=listed.question)
        assert len(offers) <= 25


async def test_nothing_that_was_said_was_against_discords_documents(stage: Stage) -> None:
    assert (stage.site.violations, stage.site.unknown) == ([], [])
    assert embed(await stage.stats(stage.boss, "system.questions"))["title"] == "system.questions"
