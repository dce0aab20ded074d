"""Everything about one person on a card, and finding people by name."""

from __future__ import annotations

from typing import Any

from tests.say import (
    World,
    afk,
    alias_added,
    gap,
    joined,
    left,
    message,
    named,
    person,
    private,
    stopped,
)  # fmt: skip
from tests.stats.ask import ask, refusal, reply
from userstats.contract.events import Place
from userstats.contract.questions import Failure
from userstats.stats import users
from userstats.stats.users import Emote, Match, Profile, Said, Stay, UserStats, Worn

MINUTE = 60_000
GUILD = Place("discord", "123", "general")


def at(clock: str, day: str = "2025-03-03") -> str:
    return f"{day}T{clock}:00+00:00"


async def test_the_card_shows_everything_about_one_person(world: World) -> None:
    await world.tell(named("Amy"), named("bob"), "20:00", joined("amy"), "20:10", afk("amy"), private("amy"))
    await world.tell(message("amy", words=3, emotes=["#a", "#b", "#a"], thanks=["bob"]), "20:15")
    await world.tell(message("bob", thanks=["amy", ("bob", "lol")]), message("bob", thanks=[("amy", "lol")]), "20:20")
    await world.tell(message("amy", "lobby", words=2), left("amy"), "20:30")
    assert await ask(world, "user.stats", username="AMY") == UserStats(
        username="Amy",
        first_seen=at("20:00"),
        last_seen=at("20:20"),
        messages=2,
        blocks=2,
        words=5,
        private_messages=1,
        total_ms=20 * MINUTE,
        not_afk_ms=10 * MINUTE,
        kudos_plusplus=1,
        kudos_phrases=[Said("lol", 1)],
        kudos_given=1,
        emotes=[Emote("#a", 2), Emote("#b", 1)],
        channels=[
            Stay("cytube", "cytu.be", "lounge", 1, 3, 1, 20 * MINUTE, 10 * MINUTE, 1),
            Stay("cytube", "cytu.be", "lobby", 1, 2, 0, 0, 0, 1),
        ],
    )


async def test_the_card_includes_what_lasts_now_and_is_cut_to_channel_and_period(world: World) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), message("amy"), "22:00", message("amy"), afk("amy"))
    await world.tell(message("amy", "lobby"), "22:30")
    whole = await ask(world, "user.stats", username="amy")
    assert (whole.messages, whole.total_ms, whole.not_afk_ms) == (3, 150 * MINUTE, 120 * MINUTE)
    recent = await ask(world, "user.stats", username="amy", hours=1, channel="lounge")
    assert (recent.messages, recent.total_ms, recent.not_afk_ms) == (1, 60 * MINUTE, 30 * MINUTE)
    assert [stay.channel for stay in recent.channels] == ["lounge"]
    assert (recent.first_seen, recent.last_seen) == (at("20:00"), at("22:00"))


async def test_accounts_that_share_an_alias_are_one_card(world: World) -> None:
    await world.tell(named("amy"), named("amy2"), "20:00", joined("amy"), joined("amy2"), message("amy", words=2))
    await world.tell(message("amy2", words=3, thanks=["amy"]), "20:10", alias_added("amy", "amy2"))
    card = await ask(world, "user.stats", username="amy2")
    assert (card.username, card.messages, card.words, card.total_ms) == ("amy", 2, 5, 20 * MINUTE)
    assert (card.kudos_plusplus, card.kudos_given) == (0, 0)


async def test_of_a_name_that_is_only_said_to_be_an_alias_there_is_a_card_without_numbers(world: World) -> None:
    await world.tell(named("Kevin", worn=False), named("kc", worn=False), alias_added("kevin", "kc"), "20:00")
    await world.tell(message("amy", thanks=["kc"]), "20:20")
    card = await ask(world, "user.stats", username="kevin")
    assert (card.first_seen, card.messages, card.kudos_plusplus, card.channels) == (None, 0, 1, [])
    assert await ask(world, "user.names", username="kevin") == []
    profile = await ask(world, "user.profile", username="kevin")
    assert (profile.names, sorted(profile.aliases), profile.rank) == ([], ["Kevin", "kc"], None)


async def test_g19_a_change_of_case_keeps_one_person_with_the_latest_spelling(world: World) -> None:
    await world.tell(named("amy"), "20:00", message("amy"), "20:10", named("AMY"), message("AMY"), "20:20")
    assert (await ask(world, "user.stats", username="Amy")).messages == 2
    assert await ask(world, "user.names", username="amy") == [Worn("AMY", "cytube", "cytu.be", at("20:10"))]


async def test_g19_a_rename_keeps_one_person_with_all_their_names(world: World) -> None:
    await world.tell("20:00", named("Kev", GUILD, account="5"), message("5", GUILD), "20:10")
    await world.tell(named("Kevin", GUILD, account="5"), message("5", GUILD), "20:20")
    names = [Worn("Kevin", "discord", "123", at("20:10")), Worn("Kev", "discord", "123", at("20:00"))]
    assert await ask(world, "user.names", username="kev") == names
    card = await ask(world, "user.stats", username="KEVIN")
    assert (card.username, card.messages) == ("Kevin", 2)


async def test_the_profile_says_who_somebody_is(world: World) -> None:
    await world.tell(named("amy"), named("amy2"), named("kc", worn=False), alias_added("amy", "amy2"))
    await world.tell(alias_added("amy", "kc"), "20:00", joined("amy2", "lobby"), message("amy"), message("amy2"))
    await world.tell(named("bob"), "20:10", *(message("bob") for _ in range(3)), message("cid"), "20:20")
    assert await ask(world, "user.profile", username="amy") == Profile(
        username="amy",
        names=["amy2", "amy"],
        aliases=["kc"],
        domains=["cytu.be"],
        bot=False,
        first_seen=at("20:00"),
        last_seen=at("20:00"),
        here=["cytu.be/lobby"],
        messages=2,
        rank=2,
    )
    assert (await ask(world, "user.profile", username="bob")).rank == 1


async def test_the_rank_is_the_place_on_the_board(world: World) -> None:
    await world.tell(*map(named, ("amy", "amy2", "bob", "cid", "dan")), named("robot", bot=True), "20:00")
    for name, times in (("amy", 2), ("amy2", 2), ("bob", 3), ("cid", 1), ("dan", 1), ("robot", 9)):
        await world.tell(*(message(name) for _ in range(times)))
    await world.tell(alias_added("amy", "amy2"), "20:10")
    ranks = {name: (await ask(world, "user.profile", username=name)).rank for name in ("amy", "bob", "cid", "dan")}
    assert ranks == {"amy": 1, "bob": 2, "cid": 3, "dan": 3}
    assert (await ask(world, "user.profile", username="robot")).rank is None


async def test_people_are_found_by_the_beginning_of_a_name_or_alias(world: World) -> None:
    await world.tell(named("Anna"), named("anton"), named("bob"), named("ÄNNE"), named("an_kc", worn=False))
    await world.tell(alias_added("bob", "an_kc"), "20:00", message("anna"), "20:10", message("anton"), "20:20")
    await world.tell(message("bob", "lobby"), message("änne"), "20:30")
    found = [
        Match("an_kc", "bob", at("20:20")), Match("anton", "anton", at("20:10")), Match("Anna", "Anna", at("20:00")),
    ]  # fmt: skip
    assert await ask(world, "user.search", prefix="AN") == found
    assert await ask(world, "user.search", prefix="AN", limit=1) == found[:1]
    assert await ask(world, "user.search", prefix="an", channel="lounge") == found[1:]
    assert await ask(world, "user.search", prefix="änn") == [Match("ÄNNE", "ÄNNE", at("20:20"))]
    assert await ask(world, "user.search", prefix="a%") == []
    assert (await refusal(world, "user.search", prefix="an\0\ud800t"))[0] == 400


async def test_somebody_with_several_such_names_is_found_once(world: World) -> None:
    await world.tell(named("anna"), named("anna2"), alias_added("anna", "anna2"), "20:00", message("anna"))
    await world.tell("20:05", message("anna2"), "20:20")
    assert await ask(world, "user.search", prefix="anna") == [Match("anna2", "anna", at("20:05"))]


async def meant(world: World, **request: Any) -> tuple[int, Any]:
    found = await reply(world, "user.stats", **request)
    assert isinstance(found, Failure)
    return found.error.code, found.error.details


async def test_an_unknown_name_is_answered_with_names_that_are_nearly_so(world: World) -> None:
    await world.tell(*map(named, ("Amelia", "amy", "Bob")), "20:00", message("amelia"), message("amy"))
    await world.tell(message("bob", "lobby"), "20:10")
    assert await meant(world, username="amelie") == (404, {"did_you_mean": ["Amelia"]})
    assert await meant(world, username="AMIE") == (404, {"did_you_mean": ["Amelia"]})
    assert await meant(world, username="bbo", channel="lounge") == (404, {"did_you_mean": []})
    assert await meant(world, username="bbo", channel="lobby") == (404, {"did_you_mean": ["Bob"]})
    assert (await refusal(world, "user.stats", username="x" * 128))[0] == 404


async def test_g18_times_are_told_in_the_zone_that_is_asked_for(world: World) -> None:
    await world.tell(named("amy"), "20:00", message("amy"), "20:10")
    card = await ask(world, "user.stats", username="amy", tz="Asia/Kolkata")
    assert card.first_seen == "2025-03-04T01:30:00+05:30"
    profile = await ask(world, "user.profile", username="amy", tz="America/St_Johns")
    assert profile.last_seen == "2025-03-03T16:30:00-03:30"


async def test_the_card_of_a_period_in_the_past(world: World) -> None:
    await world.tell(named("amy"), "20:00", message("amy", emotes=["#a"]), "20:10", stopped(), gap("2025-03-05 10:00"))
    await world.tell(message("amy", emotes=["#b"]), "2025-03-05 10:10")
    card = await ask(world, "user.stats", username="amy", to="2025-03-04")
    assert (card.messages, card.emotes, card.last_seen) == (1, [Emote("#a", 1)], at("10:00", "2025-03-05"))


async def test_an_empty_database_knows_nobody(world: World) -> None:
    for name in ("user.stats", "user.profile", "user.names"):
        assert await refusal(world, name, username="amy") == (404, "nobody called 'amy' was ever seen")
    assert await ask(world, "user.search", prefix="a") == []


async def test_the_metric_counts_people_once_and_no_bots(world: World) -> None:
    await world.tell(named("amy"), named("robot", bot=True), "20:00", message("amy"), message("amy", "lobby"))
    await world.tell(joined("bob"), message("robot", by="bot"), message("1", GUILD))
    assert await world.rows(users.STATISTIC.metrics[0].sql) == [("cytube", 2), ("discord", 1)]
    assert person("amy") != person("bob")


async def test_g10_a_profile_that_is_asked_for_in_one_guild_tells_nothing_of_another(world: World) -> None:
    here, there = Place("discord", "100", "200"), Place("discord", "101", "201")
    await world.tell(named("Amy", here, account="1"), named("secret nick", there, account="1"))
    await world.tell("20:00", named("Bob", here, account="2"), message("1", here), message("1", there))
    await world.tell(message("1", there), message("2", here), message("2", here), "20:20")

    profile = await ask(world, "user.profile", username="amy", domain="100")
    assert (profile.names, profile.domains, profile.messages, profile.rank) == (["Amy"], ["100"], 1, 2)
    assert [one.name for one in await ask(world, "user.names", username="amy", domain="100")] == ["Amy"]
    everywhere = await ask(world, "user.profile", username="amy")
    assert (sorted(everywhere.names), everywhere.messages, everywhere.rank) == (["Amy", "secret nick"], 3, 1)
