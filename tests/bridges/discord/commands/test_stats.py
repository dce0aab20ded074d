"""`/stats`, as people on a server use it: typed, answered, turned, filled in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.say import World, message, named, place_named, started
from tests.stand_ins.discord import Settings, Unanswered
from userstats.contract.events import Place

from .asking import CALLBACK, ORIGINAL, Stage, asking, embed, labels, table

PAGING = ["First", "Back", "Next", "Last", "Refresh"]
PROMISE, FORM, SENTENCE = 5, 9, 4
"""Types of callbacks."""


@pytest_asyncio.fixture
async def stage(sqlite_world: World) -> AsyncIterator[Stage]:
    """Forty people who talked in the cinema's general channel; amy and bob did, too."""
    async with asking(sqlite_world) as stage:
        await talked(stage, sqlite_world)
        yield stage


async def talked(stage: Stage, world: World) -> None:
    """What there is to ask about."""
    general, lobby = stage.place(stage.general), stage.place(stage.lobby)
    people = {f"user{number}": f"{number}" for number in range(40)}
    people |= {"amy": str(stage.amy.id), "bob": str(stage.bob.id)}
    names = [named(name, general, account=account) for name, account in people.items()]
    said = [
        message(account, general)
        for account in people.values()
        for _ in range(int(account) + 1 if len(account) < 3 else 1)
    ]
    theatre = started(Place(lobby.platform, lobby.space, ""))
    rooms = (started(stage.place()), place_named("general", general, type="text"), theatre)
    there = (named("zoe", lobby, account="77"), message("77", lobby, words=9))
    await world.tell(*rooms, "00:10", *names, *said, *there, "01:00")


async def test_a_question_is_answered_where_it_was_asked(stage: Stage) -> None:
    answer = await stage.stats(stage.amy, "Leaderboard Messages", limit=2, period="7d")
    assert embed(answer)["title"] == "leaderboard.messages"
    assert [line.split()[0] for line in table(answer)] == ["username", "user39", "user38"]
    assert embed(answer)["footer"]["text"].startswith("2025-02-24 01:00 to 2025-03-03 01:00 UTC · 0.5 % observed since")
    assert labels(answer) == [("Refresh", True)]
    assert stage.userstats.asked[-1] == (
        "leaderboard.messages",
        {"limit": 2, "since": "7d", "platform": "discord", "domain": str(stage.cinema.id)},
        f"discord:{stage.amy.id}",
    )


async def test_g21_an_answer_is_promised_before_the_question_is_asked(stage: Stage) -> None:
    stage.userstats.seconds = 0.3
    reply = await stage.amy.slash(stage.general, "stats", question="leaderboard.messages")
    assert await reply.acknowledged() == PROMISE
    assert reply.deferred
    assert table(await reply.message())[0] == "username  count"


async def test_g21_an_answer_may_come_later_than_discord_waits_for_a_first_sign(sqlite_world: World) -> None:
    async with asking(sqlite_world, stand_in=Settings(ack_window=0.5)) as stage:
        await talked(stage, sqlite_world)
        await stage.stats(stage.amy, "system.ping")  # from here on it is known which questions there are
        stage.userstats.seconds = 1.0
        assert table(await stage.stats(stage.amy, "leaderboard.messages"))[0] == "username  count"


async def test_a_long_answer_is_turned_page_by_page(stage: Stage) -> None:
    answer = await stage.stats(stage.amy, "leaderboard.messages")
    first = table(answer)
    assert labels(answer) == [*zip(PAGING, [False, False, True, True, True], strict=True)]
    assert embed(answer)["footer"]["text"].endswith("page 1 of 3")
    seen = [first]
    for button in ("Next", "Last", "Back", "First"):
        pressed = await stage.amy.press(answer, button)
        answer = await pressed.changed()
        seen.append(table(answer))
    assert [one[0] for one in seen] == ["username  count"] * 5
    assert seen[1] == seen[3]
    assert seen[4] == first
    names = [line.split()[0] for page in seen[:3] for line in page[1:]]
    assert len(names) == len(set(names)) == 42
    assert labels(answer) == [*zip(PAGING, [False, False, True, True, True], strict=True)]


async def test_refreshing_counts_what_has_happened_since(stage: Stage, sqlite_world: World) -> None:
    answer = await stage.stats(stage.amy, "leaderboard.messages", limit=1)
    await sqlite_world.tell(*[message("7", stage.place(stage.general)) for _ in range(90)], "01:20")
    pressed = await stage.amy.press(answer, "Refresh")
    assert table(await pressed.changed())[1].split() == ["user7", "98"]


async def test_g21_a_button_answers_after_a_restart(stage: Stage) -> None:
    async with stage.restarted():
        answer = await stage.stats(stage.amy, "leaderboard.messages")
    async with stage.restarted():
        pressed = await stage.amy.press(answer, "Last")
        assert embed(await pressed.changed())["footer"]["text"].endswith("page 3 of 3")


async def test_only_whoever_asked_may_press(stage: Stage) -> None:
    answer = await stage.stats(stage.amy, "leaderboard.messages")
    before = answer.revision
    pressed = await stage.bob.press(answer, "Next")
    said = await pressed.message()
    assert (said.content, pressed.ephemeral) == (
        "These buttons are for whoever asked; ask yourself with `/stats`.",
        True,
    )
    assert answer.revision == before


async def test_a_button_that_cannot_be_read_any_more_says_what_to_do(stage: Stage) -> None:
    answer = await stage.stats(stage.amy, "leaderboard.messages")
    answer.components[0]["components"][4]["custom_id"] = "rfrom an older version"
    pressed = await stage.amy.press(answer, "Refresh")
    said = await pressed.message()
    assert (said.content, pressed.ephemeral) == ("This cannot be read any more; run the command again.", True)


async def test_a_query_too_long_for_one_id_is_turned_all_the_same(stage: Stage) -> None:
    long = "".join(chr(0x4E00 + number * 37 % 20000) for number in range(80))
    answer = await stage.stats(stage.amy, "channel.votes", arguments=f"title={long}", limit=3)
    assert [label for label, _ in labels(answer)] == PAGING
    pressed = await stage.amy.press(answer, "Refresh")
    await pressed.changed()
    assert stage.userstats.requests("channel.votes")[-1]["title"] == long


async def test_while_the_statistics_are_away_it_is_said_so(stage: Stage) -> None:
    answer = await stage.stats(stage.amy, "leaderboard.messages")
    before = answer.revision
    stage.userstats.away = True
    away = "The statistics do not answer at the moment. Nothing is lost; ask again in a minute."
    assert (await stage.stats(stage.amy, "leaderboard.messages")).content == away
    pressed = await stage.amy.press(answer, "Next")
    assert ((await pressed.message()).content, pressed.ephemeral) == (away, True)
    assert answer.revision == before


async def test_after_a_restart_without_the_statistics_it_is_still_known_what_can_be_asked(stage: Stage) -> None:
    await stage.stats(stage.amy, "leaderboard.messages")
    stage.userstats.away = True
    async with stage.restarted():
        offers = await stage.amy.autocomplete(stage.general, "stats", "question", "leader")
        assert [one["value"] for one in offers][:2] == ["leaderboard.activity", "leaderboard.emotes"]


async def test_before_the_statistics_have_ever_answered_it_is_said_so(sqlite_world: World) -> None:
    async with asking(sqlite_world) as stage:
        stage.userstats.away = True
        answer = await stage.stats(stage.amy, "leaderboard.messages")
        assert answer.content.startswith("It is not known yet what can be asked")
        assert await stage.amy.autocomplete(stage.general, "stats", "question", "leader") == []


async def test_what_must_still_be_said_is_asked_for_in_a_form(stage: Stage) -> None:
    reply = await stage.amy.slash(stage.general, "stats", question="user.messages", period="7d")
    assert await reply.acknowledged() == FORM
    done = await stage.amy.submit(reply, {"username": "user7"})
    answer = await done.message()
    assert (embed(answer)["title"], done.ephemeral) == ("user.messages", True)
    assert stage.userstats.requests("user.messages") == [
        {"username": "user7", "since": "7d", "platform": "discord", "domain": str(stage.cinema.id)}
    ]


async def test_a_form_asks_for_several_things_of_any_kind(stage: Stage) -> None:
    reply = await stage.boss.slash(stage.general, "stats", question="import.remark")
    fields = {"batch": "b1", "table": "users", "outcome": "Merged", "reason": "same", "rows": "nothing"}
    said = await (await stage.boss.submit(reply, fields)).message()
    assert said.content == "`rows` is written as JSON, and `nothing` is none."
    said = await (await stage.boss.submit(reply, {**fields, "rows": "[]"})).message()
    assert said.content == "import.remark is answered to operator only."
    assert stage.userstats.asked[-1] == ("import.remark", {**fields, "outcome": "merged", "rows": []}, "")


async def test_what_does_not_fit_into_a_form_is_asked_for_in_words(stage: Stage) -> None:
    answer = await stage.boss.slash(
        stage.general, "stats", question="import.begin", arguments="source=kryten-userstats"
    )
    assert await answer.acknowledged() == FORM
    long = "".join(chr(0x4E00 + number * 37 % 20000) for number in range(60))
    said = await stage.stats(stage.boss, "import.rows", arguments=f"batch={long}")
    assert said.content == "`import.rows` wants to be told `first`, `room` and `rows`: write them into `arguments`."


async def test_a_misspelt_name_is_corrected_with_a_button(stage: Stage) -> None:
    said = await stage.stats(stage.amy, "user.stats", person="user_7")
    assert said.content.startswith("Nobody called `user_7` was ever seen on this server; did you mean `user7`")
    assert ("user7", True) in labels(said)
    pressed = await stage.amy.press(said, "user7")
    answer = await pressed.changed()
    assert (answer.content, embed(answer)["fields"][0]["value"]) == ("", "`user7`")
    assert labels(answer) == [("Refresh", True)]


async def test_a_misspelt_question_is_corrected_in_words(stage: Stage) -> None:
    reply = await stage.amy.slash(stage.general, "stats", question="leaderbord mesages")
    said = await reply.message()
    assert said.content.startswith("There is no question `leaderbord mesages`; did you mean `leaderboard.messages`, ")
    assert reply.ephemeral


async def test_g10_what_is_about_a_person_is_shown_to_the_asker_alone_unless_they_want_otherwise(stage: Stage) -> None:
    for person in ("me", "user7"):
        reply = await stage.amy.slash(stage.general, "stats", question="user.stats", person=person)
        await reply.message()
        assert reply.ephemeral
        reply = await stage.amy.slash(stage.general, "stats", question="user.stats", person=person, private=False)
        await reply.message()
        assert not reply.ephemeral
    reply = await stage.amy.slash(stage.general, "stats", question="leaderboard.messages", private=True)
    await reply.message()
    assert reply.ephemeral


async def test_a_member_can_be_chosen_and_oneself_is_me(stage: Stage) -> None:
    assert embed(await stage.stats(stage.amy, "user.stats", member=stage.amy))["fields"][0]["value"] == "`amy`"
    assert embed(await stage.stats(stage.amy, "user.stats", member=stage.bob))["fields"][0]["value"] == "`bob`"
    assert [one["username"] for one in stage.userstats.requests("user.stats")] == ["me", "bob"]


async def test_a_channel_can_be_chosen_and_a_thread_is_its_channel(stage: Stage) -> None:
    thread = await stage.amy.thread(stage.general, "plans")
    for channel in (stage.general, thread):
        answer = await stage.stats(stage.amy, "channel.top", channel=channel, limit=1)
        assert table(answer)[1].split()[:2] == ["user39", "40"]
    assert {one["channel"] for one in stage.userstats.requests("channel.top")} == {str(stage.general.id)}
    silent = await stage.stats(stage.amy, "channel.top", channel=stage.lounge)
    assert silent.content == "Nothing was counted there yet."


async def test_no_server_sees_another_one(stage: Stage) -> None:
    board = await stage.stats(stage.amy, "leaderboard.messages", stage.lobby)
    assert table(board) == ["username  count", "zoe           1"]
    for who in (stage.bob, stage.mod):
        for where in ("everywhere", f"discord:{stage.theatre.id}", "cytube:cytu.be/room"):
            said = await stage.stats(who, "leaderboard.messages", where=where)
            assert said.content.endswith("other places only operators may ask about.")
    everywhere = await stage.stats(stage.boss, "leaderboard.messages", where="everywhere")
    assert embed(everywhere)["footer"]["text"].endswith("page 1 of 3")
    theatre = await stage.stats(stage.boss, "leaderboard.messages", where=f"discord:{stage.theatre.id}")
    assert table(theatre)[1:] == ["zoe           1"]


async def test_what_is_not_counted_here_does_not_tell_of_other_places(stage: Stage) -> None:
    empty = stage.site.guild("empty")
    hall = stage.site.channel(empty, "hall")
    stage.site.enrol(empty, stage.amy, stage.boss)
    said = await stage.stats(stage.amy, "leaderboard.messages", hall)
    assert said.content == "Nothing was counted there yet."
    said = await stage.stats(stage.boss, "leaderboard.messages", hall)
    assert str(stage.cinema.id) in said.content


async def test_in_a_conversation_with_the_bot_one_asks_about_oneself(stage: Stage) -> None:
    conversation = stage.site.world.dm(stage.amy.user)
    mine = await stage.stats(stage.amy, "user.stats", conversation, person="me")
    assert embed(mine)["fields"][0]["value"] == "`amy`"
    said = await stage.stats(stage.amy, "leaderboard.messages", conversation)
    assert said.content.startswith("In a conversation with me you can ask about yourself")


async def test_what_only_moderators_may_ask(stage: Stage) -> None:
    for who, why in ((stage.amy, "is for those who may manage this server."), (stage.mod, "may ask it here.")):
        said = await stage.stats(who, "system.holes")
        assert said.content.endswith(why)
    assert embed(await stage.stats(stage.boss, "system.holes"))["title"] == "system.holes"
    assert stage.userstats.asked[-1][2] == ""


async def test_an_answer_can_be_had_as_a_file(stage: Stage) -> None:
    answer = await stage.stats(stage.amy, "leaderboard.messages", limit=1, format="csv")
    assert [one["filename"] for one in answer.attachments] == ["leaderboard.messages.csv"]
    assert (answer.content, answer.embeds, answer.components) == ("Who says the most.", [], [])


@pytest.mark.parametrize("name", ["@everyone", "<@1>", "``` a", "**b** https://x.y", "a\u202eb\u200b", "名前" * 16])
async def test_g22_names_neither_mention_anybody_nor_break_anything(
    stage: Stage, sqlite_world: World, name: str
) -> None:
    general = stage.place(stage.general)
    await sqlite_world.tell(named(name, general, account="7"), *[message("7", general) for _ in range(99)], "01:20")
    board = await stage.stats(stage.amy, "leaderboard.messages", limit=2)
    assert [line.rsplit(maxsplit=1)[1] for line in table(board)] == ["count", "107", "40"]
    card = await stage.stats(stage.amy, "user.stats", person=name)
    value = embed(card)["fields"][0]["value"]
    assert (value[0], value[-1], value.count("`")) == ("`", "`", 2)
    assert "`" in (await stage.stats(stage.amy, "user.stats", person=f"{name}x")).content
    answers = [*stage.site.rest.of(CALLBACK), *stage.site.rest.of(ORIGINAL)]
    said = [one.body for one in answers if one.body and "content" in one.body]
    assert said
    assert {str(one["allowed_mentions"]["parse"]) for one in said} == {"[]"}


async def test_who_asks_very_fast_is_told_to_wait(sqlite_world: World) -> None:
    async with asking(sqlite_world, polite=True) as stage:
        said = [(await stage.stats(stage.amy, "system.ping")).content for _ in range(8)]
        assert [one.startswith("You ask very fast; again in ") for one in said] == [False] * 6 + [True] * 2
        assert embed(await stage.stats(stage.bob, "system.ping"))["title"] == "system.ping"


async def test_one_server_cannot_keep_all_others_waiting(stage: Stage) -> None:
    await stage.stats(stage.amy, "system.ping")
    stage.userstats.seconds = 0.5
    replies = [await stage.bob.slash(stage.general, "stats", question="system.ping") for _ in range(8)]
    elsewhere = await stage.amy.slash(stage.lobby, "stats", question="system.ping")
    contents = [(await reply.message()).content for reply in [*replies, elsewhere]]
    busy = "Many questions are being answered just now; ask again in a moment."
    assert contents == [""] * 6 + [busy] * 2 + [""]


async def test_an_interaction_that_is_too_late_is_let_go(sqlite_world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with asking(sqlite_world, stand_in=Settings(ack_window=0.2)) as stage:
        stage.site.faults.late(CALLBACK, 0.4)
        reply = await stage.amy.slash(stage.general, "stats", question="system.ping")
        with pytest.raises(Unanswered):
            await reply.acknowledged()
        await asyncio.sleep(0.4)
        assert [one.getMessage() for one in caplog.records if "too late" in one.getMessage()] == [
            "an answer came too late for Discord (10062)"
        ]
        assert embed(await stage.stats(stage.amy, "system.ping"))["title"] == "system.ping"


async def test_a_fault_of_ours_is_apologised_for_and_logged_without_what_was_asked(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("user7")

    await stage.stats(stage.amy, "system.ping")
    monkeypatch.setattr("bridges.discord.commands.stats.request", broken)
    reply = await stage.amy.slash(stage.general, "stats", question="user.stats", person="user7")
    said = await reply.message()
    assert (said.content, reply.ephemeral) == ("Something went wrong here; the bridge's log says more.", True)
    failed = [one.getMessage() for one in caplog.records if "a command failed" in one.getMessage()]
    assert len(failed) == 1
    assert "user7" not in failed[0]


async def test_g9_a_board_asks_discord_for_nothing(stage: Stage) -> None:
    before = len(stage.site.rest.asked)
    await stage.stats(stage.amy, "leaderboard.messages")
    assert [one.route for one in stage.site.rest.asked[before:]] == [CALLBACK, ORIGINAL]
