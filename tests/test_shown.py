"""Who may be named in answers: what people chose is obeyed by every board, list and card, and sums lose nobody."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.say import PSEUDONYMS, World, alias_added, message, named, person, place, private, roster, started
from tests.say_consent import chose
from tests.say_guild import (
    CONNECTION,
    GENERAL,
    GUILD,
    member_joined,
    presence_changed,
    reaction_added,
    thread_created,
    voice_moved,
)
from tests.stats.ask import ask, refusal, reply
from userstats.answer import Answers, Asker
from userstats.contract.consents import TOPICS, Level
from userstats.contract.events import Event, MessageSent, Place
from userstats.contract.privacy import PrivacySettings, SpacePolicy
from userstats.contract.pseudonym import FIRST_PERSON
from userstats.contract.questions import Account, Reply
from userstats.stats import aliases, messages, people
from userstats.stats.aliases import Aliased
from userstats.stats.kudos import Pair, Thanked
from userstats.stats.messages import Talker
from userstats.store.sqlite import SQLiteStore
from userstats.store.views import views

AMY, BOB = Account("cytube", "amy"), Account("cytube", "bob")
Who = tuple[Asker, Account | None]
OPERATOR: Who = ("operator", None)
AS_AMY: Who = ("bridge", AMY)
OTHERS: tuple[Who, ...] = (("everyone", None), ("staff", None), ("bridge", None), ("bridge", BOB))
HIDES = (403, "'amy' keeps their numbers to themselves")
COUNTED = PrivacySettings(messages="counted")
ABOUT_AMY = ("user.stats", "user.profile", "user.names", "user.messages", "user.activity", "user.kudos", "user.emotes")


async def evening(world: World) -> None:
    """Amy, Bob and Cid say 3, 2 and 1 things; each thanks the next, Amy twice; all are still here."""
    await world.tell(
        "20:00", started(), named("amy"), named("bob"), named("cid"), roster("amy", "bob", "cid"),
        message("amy", thanks=["bob"]), message("amy", thanks=["bob"]), message("amy"), message("bob", thanks=["cid"]),
        message("bob"), message("cid", thanks=["amy"], emotes=["hi"]), private("amy"), "20:30",
    )  # fmt: skip


async def named_in(world: World, privacy: PrivacySettings = PrivacySettings()) -> dict[str, str]:  # noqa: B008
    """Every question that names nobody, as everybody may ask it, and its whole answer as text."""
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now, privacy=privacy)
    found = {}
    for name, question in world.service.catalogue.questions.items():
        told = await answers.answer(name, _needed(name), "everyone")
        found[name] = str(told) if isinstance(told, Reply) and not question.changes else ""
    return found


def _needed(name: str) -> dict[str, Any]:
    return {"user.search": {"prefix": "a"}, "alias.find": {"alias": "Ames"}}.get(name, {})


# --- boards and lists ---


@pytest.mark.parametrize("level", ["off", "anonymous", "counted"])
async def test_g10_who_is_not_shown_is_on_no_board_and_in_no_list(world: World, level: Level) -> None:
    await evening(world)
    await world.tell(alias_added("amy", "Ames"), named("Ames", worn=False))
    before = await named_in(world)
    await world.tell(chose("amy", level))

    after = await named_in(world)

    assert {name for name, text in before.items() if "amy" in text.casefold()} >= {
        "leaderboard.messages", "leaderboard.activity", "leaderboard.kudos", "leaderboard.givers", "kudos.pairs",
        "channel.top", "channel.present", "user.search", "alias.list", "alias.find",
    }  # fmt: skip
    assert {name: text for name, text in after.items() if "amy" in text.casefold()} == {}
    assert {name for name, text in after.items() if f"#{person('amy') % 10**6:06d}" in text} == set()


@pytest.mark.parametrize("level", ["off", "anonymous", "counted"])
async def test_g10_who_is_not_shown_in_a_guild_is_on_no_board_and_in_no_list(world: World, level: Level) -> None:
    told = PrivacySettings(voice="shown", presence="shown")
    await world.tell(
        "20:00", started(GUILD), started(CONNECTION), named("Amy", GUILD, account="amy"), member_joined("amy"),
        voice_moved("amy", "300"), voice_moved("bob", "300"), reaction_added("bob", "hi", to="amy"),
        thread_created("amy", "9"), presence_changed("amy", "online", "playing:Chess"),
        message("amy", GENERAL), "20:30",
    )  # fmt: skip
    before = await named_in(world, told)
    await world.tell(*(chose("amy", level, topic, platform="discord") for topic in TOPICS), "20:40")

    after = await named_in(world, told)

    assert {name for name, text in before.items() if "Amy" in text} >= {
        "leaderboard.messages", "leaderboard.reactions", "voice.leaderboard", "voice.now", "user.search",
    }  # fmt: skip
    assert {name: text for name, text in after.items() if "Amy" in text} == {}


async def test_g10_voice_is_told_of_nobody_who_has_not_opted_in(world: World) -> None:
    await world.tell(
        "20:00", started(GUILD), named("Amy", GUILD, account="amy"), voice_moved("amy", "300"), message("amy", GENERAL),
        "20:30",
    )  # fmt: skip

    assert await ask(world, "voice.leaderboard") == await ask(world, "voice.now") == []
    assert await refusal(world, "voice.user", "everyone", username="Amy") == (
        403, "'Amy' keeps their numbers to themselves",
    )  # fmt: skip
    assert [one.username for one in await ask(world, "leaderboard.messages")] == ["Amy"]


async def test_g10_who_is_counted_is_in_sums_and_on_no_board(world: World) -> None:
    await evening(world)
    sums = ("channel.messages_by_hour", "channel.people_by_hour", "system.stats", "leaderboard.emotes", "channel.list")
    before = [await ask(world, name) for name in sums if name != "system.stats"]
    await world.tell(chose("amy", "counted"))

    after = [await ask(world, name) for name in sums if name != "system.stats"]

    assert after == before
    assert await ask(world, "leaderboard.messages") == [Talker("bob", 2), Talker("cid", 1)]
    assert await ask(world, "leaderboard.kudos") == [Thanked("bob", 2), Thanked("cid", 1)]
    assert await ask(world, "leaderboard.givers") == [Thanked("bob", 1), Thanked("cid", 1)]
    assert await ask(world, "kudos.pairs") == [Pair("bob", "cid", 1)]
    assert await world.rows("SELECT messages FROM place_totals") == [(6,)]


async def test_under_a_policy_only_those_who_chose_it_are_shown(world: World) -> None:
    await evening(world)
    await world.tell(chose("bob", "shown"), chose("cid", "counted"))

    board = await reply(world, "leaderboard.messages", privacy=COUNTED)
    here = await reply(world, "channel.present", privacy=COUNTED)

    assert isinstance(board, Reply)
    assert isinstance(here, Reply)
    assert (board.data, [one.username for one in here.data]) == ([Talker("bob", 2)], ["bob"])
    assert [name for name, text in (await named_in(world, COUNTED)).items() if "amy" in text or "cid" in text] == []


async def test_a_policy_of_one_space_hides_what_people_do_there_and_nothing_else(world: World) -> None:
    elsewhere = Place("cytube", "other.example", "lounge")
    await evening(world)
    await world.tell(
        named("dan", elsewhere), message("dan", elsewhere), *(message("bob", elsewhere) for _ in range(5)),
        chose("cid", "shown"), message("cid", elsewhere), "20:40",
    )  # fmt: skip
    privacy = PrivacySettings(spaces={"other.example": SpacePolicy(messages="counted")})
    scopes: list[dict[str, Any]] = [{}, {"domain": "cytu.be"}, {"domain": "other.example"}]

    boards = [
        (await ask(world, "leaderboard.messages", privacy=privacy, since=since, **where))
        for since in ("all", "1d")
        for where in scopes
    ]

    everywhere = [Talker("amy", 3), *sorted([Talker("bob", 2), Talker("cid", 2)], key=lambda row: person(row.username))]
    here = [Talker("amy", 3), Talker("bob", 2), Talker("cid", 1)]
    assert boards == [everywhere, here, [Talker("cid", 1)]] * 2
    assert await refusal(world, "user.stats", "everyone", privacy=privacy, username="bob") == (
        403, "'bob' is not shown in all of these places; say with domain which one you mean",
    )  # fmt: skip
    there = await ask(world, "user.stats", "everyone", privacy=privacy, username="bob", domain="cytu.be")
    assert there.messages == 2
    assert (await ask(world, "user.stats", "everyone", privacy=privacy, username="amy")).messages == 3


async def test_what_lasts_in_a_space_where_people_are_not_shown_is_on_no_board(world: World) -> None:
    elsewhere = Place("cytube", "other.example", "lounge")
    await world.tell("20:00", started(), roster("amy"), started(elsewhere), roster("amy", "bob", where=elsewhere))
    await world.tell(named("amy"), named("bob"), "20:30")
    privacy = PrivacySettings(spaces={"other.example": SpacePolicy(messages="counted")})

    board = await ask(world, "leaderboard.activity", privacy=privacy)

    assert [(row.username, row.not_afk_ms) for row in board] == [("amy", 30 * 60_000)]


async def test_views_for_other_programs_name_nobody_who_is_not_shown(world: World) -> None:
    await world.service.start(views(world.store.dialect))
    await evening(world)
    await world.tell(chose("amy", "counted"), chose("bob", "anonymous"), message("bob"))

    found = {
        name: {row[0] for row in await world.rows(f"SELECT username FROM {name}")}
        for name in ("users", "message_counts", "pm_counts", "user_activity", "emote_usage", "kudos_plusplus")
    }

    assert {name: sorted(names) for name, names in found.items()} == {
        "users": ["cid"], "message_counts": ["cid"], "pm_counts": [], "user_activity": ["cid"], "emote_usage": ["cid"],
        "kudos_plusplus": ["cid"],
    }  # fmt: skip


# --- cards ---


@pytest.mark.parametrize("question", ABOUT_AMY)
async def test_g10_a_card_is_told_to_its_person_and_the_operator_only(world: World, question: str) -> None:
    await evening(world)
    await world.tell(chose("amy", "counted"))

    told = [
        await ask(world, question, *who, username=name)
        for who, name in ((OPERATOR, "amy"), (AS_AMY, "amy"), (AS_AMY, "me"))
    ]

    assert told[0] == told[1] == told[2]
    for asker, me in OTHERS:
        assert await refusal(world, question, asker, me, username="Amy") == (403, HIDES[1].replace("amy", "Amy"))


async def test_g10_what_is_answered_about_oneself_is_answered_about_nobody_else(world: World) -> None:
    await evening(world)

    mine = await ask(world, "user.private_messages", "bridge", AMY, username="me")

    assert mine.private_messages == 1
    assert await refusal(world, "user.private_messages", "bridge", BOB, username="amy") == (
        403, "'amy' is not you, and this is answered about oneself only",
    )  # fmt: skip
    assert (await refusal(world, "user.private_messages", "everyone", username="amy"))[0] == 403


async def test_who_asks_for_somebody_may_not_do_more_than_they(world: World) -> None:
    assert (await refusal(world, "system.holes", "bridge", AMY))[0] == 403
    assert (await refusal(world, "system.holes", "operator", AMY))[0] == 403


async def test_an_answer_to_one_asker_is_not_given_to_another(world: World) -> None:
    await evening(world)
    await world.tell(chose("amy", "counted"))
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)

    told = [
        isinstance(await answers.answer("user.stats", {"username": "amy"}, *who), Reply)
        for who in (OPERATOR, *OTHERS, AS_AMY, OTHERS[-1], OPERATOR)
    ]

    assert told == [True, False, False, False, False, True, False, True]


async def test_nobody_who_is_not_shown_is_suggested_for_a_misspelled_name(world: World) -> None:
    await evening(world)
    await world.tell(named("ammy"), message("ammy"), chose("amy", "counted"))

    told = await reply(world, "user.stats", "everyone", username="amym")

    assert not isinstance(told, Reply)
    assert told.error.details == {"did_you_mean": ["ammy"]}


async def test_a_hidden_account_lends_neither_name_nor_numbers_to_the_others_of_its_person(world: World) -> None:
    await evening(world)
    await world.tell(alias_added("amy", "bob"), chose("amy", "counted"))

    assert await ask(world, "leaderboard.messages") == [Talker("bob", 2), Talker("cid", 1)]
    shown = await ask(world, "user.stats", "everyone", username="bob")
    own = await ask(world, "user.stats", "bridge", BOB, username="me")
    assert (shown.username, shown.messages, own.username, own.messages) == ("bob", 2, "amy", 5)
    assert await ask(world, "alias.list", "everyone") == []
    assert await ask(world, "alias.list") == [Aliased("amy", ["bob"])]


async def test_the_place_on_the_board_is_that_of_the_board(world: World) -> None:
    await evening(world)
    await world.tell(chose("amy", "counted"))

    assert (await ask(world, "user.profile", username="bob")).rank == 1


# --- sums ---

LEVELS = st.sampled_from([None, "off", "anonymous", "counted", "shown"])
WHO = st.sampled_from(["amy", "bob", "cid"])
SAID = st.builds(lambda who, where, words: message(who, where, words=words), WHO, st.sampled_from(["lounge", "lobby"]),
                 st.integers(0, 5))  # fmt: skip
DONE = st.one_of(SAID, SAID, st.builds(chose, WHO, LEVELS, st.sampled_from(["messages", "voice"])))


@settings(max_examples=40, deadline=None)
@given(st.lists(DONE, max_size=25))
def test_g10_sums_are_of_everything_that_was_admitted_in_the_order_of_the_stream(said: list[Event]) -> None:
    counted, boards, dump = asyncio.run(_tell(said))

    levels: dict[int, Level | None] = {}
    expected: Counter[Place] = Counter()
    by_person: Counter[int] = Counter()
    for event in said:
        if isinstance(event, MessageSent):
            admitted = levels.get(event.author) != "off"
            expected[event.place] += admitted
            by_person[event.author] += admitted and levels.get(event.author) != "anonymous"
        else:
            levels |= {event.person: event.level} if event.topic == "messages" else {}  # type: ignore[attr-defined]
    shown = {one: number for one, number in by_person.items() if levels.get(one) in (None, "shown") and number}
    assert counted == +expected
    assert sorted(boards.values()) == sorted(shown.values())
    assert sum(number for one, number in dump.items() if one >= FIRST_PERSON) == sum(by_person.values())
    assert sum(dump.values()) == expected.total()


async def _tell(said: list[Event]) -> tuple[Counter[Place], dict[str, int], dict[int, int]]:
    with tempfile.TemporaryDirectory() as folder:
        rooms = (aliases.STATISTIC, messages.STATISTIC, people.STATISTIC)
        world = await World.open(await SQLiteStore.open(Path(folder) / "x.db"), *rooms)
        await world.tell("20:00", *said, "20:01", batch=4)
        rows = await world.rows(
            "SELECT p.channel, t.messages FROM place_totals t JOIN places p ON p.place = t.place WHERE t.messages > 0"
        )
        each = await world.rows("SELECT person, messages FROM everyone_totals WHERE messages > 0")
        board = await ask(world, "leaderboard.messages", since="all", limit=100)
        await world.store.close()
    sums = Counter({place(channel): number for channel, number in rows})
    return sums, {row.username: row.count for row in board}, dict(each)
