"""A guild and its channels may be asked for by their names, and are shown by them; the ids stay in the data."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tests.say import PSEUDONYMS, World, message, place_named, started
from userstats import catalogue
from userstats.answer import Answers
from userstats.contract.events import Place
from userstats.contract.questions import Failure, Reply
from userstats.surfaces.drawing import Look
from userstats.surfaces.text import render

GUILD = Place("discord", "100", "")
GENERAL = Place("discord", "100", "200")
LOUNGE = Place("cytube", "cytu.be", "lounge")


async def told(world: World) -> Answers:
    await world.tell(
        "20:00", started(GUILD, bridge="discord"),
        place_named("Chess Club", GUILD, type="guild"),
        place_named("Général", GENERAL, type="text"),
        message("amy", GENERAL, words=3),
        place_named("Lounge", LOUNGE), message("bob", LOUNGE),
    )  # fmt: skip
    return Answers(catalogue.read(), world.store, PSEUDONYMS, now=lambda: world.now)


async def talk(answers: Answers, **request: Any) -> Reply:
    reply = await answers.answer("channel.list", request)
    assert isinstance(reply, Reply)
    return reply


async def test_a_channel_is_found_by_its_name_and_its_guild_by_its_own(world: World) -> None:
    answers = await told(world)

    by_name = await talk(answers, domain="chess club", channel="#général")
    by_id = await talk(answers, domain="100", channel="200")

    assert [(one.domain, one.channel, one.messages) for one in by_name.data] == [("100", "200", 1)]
    assert by_name.data == by_id.data


async def test_an_answer_says_what_its_ids_are_called_and_nothing_where_they_are_names(world: World) -> None:
    answers = await told(world)

    assert (await talk(answers)).places == {"100": "Chess Club", "200": "Général"}
    assert (await talk(answers, platform="cytube")).places == {}


async def test_tables_show_names_and_machine_forms_ids(world: World) -> None:
    reply = json.loads(msgspec.json.encode(await talk(await told(world), platform="discord")))

    table = render(reply, "table", Look())

    assert "Chess Club" in table
    assert "#Général" in table
    assert '"channel": "200"' in render(reply, "json", Look())


async def test_an_unknown_name_is_refused_in_words(world: World) -> None:
    reply = await (await told(world)).answer("channel.list", {"domain": "nowhere"})

    assert isinstance(reply, Failure)
    assert (reply.error.code, reply.error.message) == (404, "nothing is known about space 'nowhere'")


async def test_a_channel_is_as_well_observed_as_its_guild(world: World) -> None:
    answers = await told(world)
    await world.tell("21:00")

    period = {"from": "2025-03-03T20:00", "to": "2025-03-03T21:00"}
    reply = await answers.answer("leaderboard.messages", {"channel": "général", **period})

    assert isinstance(reply, Reply)
    assert reply.coverage is not None
    assert reply.coverage.ratio == 1.0
