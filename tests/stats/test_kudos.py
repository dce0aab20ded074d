"""Who thanks whom, and what of it counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.say import World, alias_added, alias_removed, gap, key, message, named, person, stopped
from tests.stats.ask import ask, refusal
from userstats import catalogue
from userstats.contract.events import Place
from userstats.kudos_rules import KudosSettings
from userstats.service import Service
from userstats.stats import aliases, kudos, people
from userstats.stats.kudos import Bucket, Kudos, Pair, Phrased, Thanked, Verdict
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore

GUILD = Place("discord", "123", "general")
ROOMS = (kudos.STATISTIC, people.STATISTIC, aliases.STATISTIC)


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, *ROOMS)


async def ruled(store: Store, rules: KudosSettings) -> World:
    """A world with these rules."""
    world = World(store, catalogue.build(ROOMS))
    world.service = Service(store, world.service.catalogue, {"kudos": rules})
    await world.service.start()
    return world


async def board(world: World, **request: Any) -> list[tuple[str, int]]:
    return [(row.username, row.count) for row in await ask(world, "leaderboard.kudos", **request)]


async def verdicts(world: World, **request: Any) -> dict[str, int]:
    """How many of each, of those there are any of."""
    found: list[Verdict] = await ask(world, "kudos.verdicts", **request)
    return {one.verdict: one.count for one in found if one.count}


async def counter(world: World) -> dict[str, int]:
    """The metric."""
    return dict(await world.rows(kudos.STATISTIC.metrics[0].sql))


async def test_thanks_are_counted_by_receiver_with_plusplus_and_phrases_apart(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "20:00", message("amy", thanks=["bob"]))
    await world.tell(message("cid", thanks=["BOB", ("amy", "lol")]), message("cid", thanks=[("bob", "lol")]), "20:10")
    assert await ask(world, "leaderboard.kudos") == [Thanked("bob", 3), Thanked("amy", 1)]
    assert await ask(world, "leaderboard.kudos", kind="plusplus") == [Thanked("bob", 2)]
    assert await ask(world, "leaderboard.kudos", kind="phrases") == [Thanked("amy", 1), Thanked("bob", 1)]
    assert await ask(world, "user.kudos", username="bob") == Kudos("bob", 3, 2, [Phrased("lol", 1)], 0, 0)
    assert await ask(world, "channel.phrases") == [Phrased("++", 2), Phrased("lol", 2)]
    assert await counter(world) == {"plusplus": 2, "phrase": 2}


async def test_what_is_stored_is_the_name_as_it_was_said(world: World) -> None:
    await world.tell("20:00", message("amy", thanks=["bob", ("cid", "lol")]), message("amy", thanks=["bob"]))
    rows = await world.rows("SELECT who, giver, place, token, times, plusplus FROM kudos_totals")
    assert sorted(rows) == sorted(
        [
            (key("bob"), person("amy"), world.number(), "++", 2, 2),
            (key("cid"), person("amy"), world.number(), "lol", 1, 0),
        ]
    )


async def test_g14_one_for_each_message_giver_and_receiver(world: World) -> None:
    await world.tell(named("bob"), "20:00", message("amy", thanks=["bob", ("bob", "lol"), "Bob"]), "20:10")
    assert await board(world) == [("bob", 1)]


async def test_g14_a_name_that_nobody_wears_is_stored_and_not_shown_until_somebody_does(world: World) -> None:
    await world.tell(named("bob"), "20:00", message("amy", thanks=["c", "bob"]), "20:10")
    assert await board(world) == [("bob", 1)]
    assert await verdicts(world) == {"counted": 1, "unknown_name": 1}
    assert await counter(world) == {"plusplus": 1, "phrase": 0}
    await world.tell(named("c"), "20:20")
    assert sorted(await board(world)) == [("bob", 1), ("c", 1)]


async def test_a_name_means_who_wears_it_on_that_site(world: World) -> None:
    await world.tell(named("bob"), named("bob", GUILD, account="777"), "20:00")
    await world.tell(message("amy", thanks=["bob"]), message("eve", GUILD, thanks=["bob"]))
    await world.tell(message("eve", GUILD, thanks=["amy", ("bob", "lol")]), "20:10")
    assert await board(world, platform="cytube") == [("bob", 1)]
    assert await board(world, platform="discord") == [("bob", 2)]
    assert await board(world) == [("bob", 2), ("bob", 1)]
    assert (await refusal(world, "user.kudos", username="bob"))[0] == 409
    assert (await ask(world, "user.kudos", username="bob", platform="discord")).received == 2


async def test_of_two_who_wear_a_name_the_one_who_took_it_last_is_meant(world: World) -> None:
    await world.tell(named("chief", GUILD, account="1"), "20:00", named("chief", GUILD, account="2"))
    await world.tell(message("2", GUILD, thanks=["chief"]), message("1", GUILD, thanks=["chief"]), "20:10")
    assert await world.rows("SELECT COUNT(*) FROM wearers") == [(2,)]
    assert await verdicts(world) == {"counted": 1, "self": 1}
    assert await ask(world, "kudos.pairs") == [Pair("chief", "chief", 1)]


async def test_g19_thanks_to_an_old_name_are_thanks_to_the_same_person(world: World) -> None:
    await world.tell(named("kc", GUILD, account="5"), named("dan", GUILD, account="6"), "20:00")
    await world.tell(message("6", GUILD, thanks=["kc"]), "20:05", named("Kevin", GUILD, account="5"))
    await world.tell(message("6", GUILD, thanks=["kevin"]), "20:10")
    assert await board(world) == [("Kevin", 2)]
    assert (await ask(world, "user.kudos", username="kc")).received == 2


async def test_an_alias_means_its_owner_and_correcting_it_corrects_the_past(world: World) -> None:
    await world.tell(named("Kevin"), named("amy"), alias_added("kevin", "kc"), "20:00")
    await world.tell(message("amy", thanks=["kc"]), message("bob", thanks=["KEVIN"]), "20:10")
    assert await board(world) == [("Kevin", 2)]
    await world.tell(alias_removed("kc"))
    assert await board(world) == [("Kevin", 1)]
    await world.tell(alias_added("amy", "kc"))
    assert await board(world) == [("Kevin", 1)]
    assert await verdicts(world) == {"counted": 1, "self": 1}


async def test_an_alias_whose_owner_was_never_seen_is_kept_under_the_owners_name(world: World) -> None:
    await world.tell(named("Kevin", worn=False), named("kc", worn=False), alias_added("kevin", "kc"), "20:00")
    await world.tell(message("amy", thanks=["kc"]), message("amy", thanks=[("kevin", "lol")]), "20:10")
    assert await board(world) == [("Kevin", 2)]
    assert await ask(world, "user.kudos", username="kc") == Kudos("kc", 2, 1, [Phrased("lol", 1)], 0, 0)
    assert await ask(world, "kudos.pairs", username="kevin") == [Pair(f"#{person('amy') % 10**6:06d}", "Kevin", 2)]
    await world.tell(named("kevin"))
    assert await board(world) == [("kevin", 2)]


async def test_an_alias_means_its_owner_also_where_only_another_site_knows_him(world: World) -> None:
    await world.tell(named("Kevin", GUILD, account="5"), alias_added("kevin", "kc"), "20:00")
    await world.tell(message("amy", thanks=["kc"]), message("eve", GUILD, thanks=["kc"]), "20:10")
    assert await board(world) == [("Kevin", 2)]
    assert await board(world, platform="cytube") == [("Kevin", 1)]
    assert (await ask(world, "user.kudos", username="kevin")).received == 2


async def test_g15_nobody_thanks_themselves_not_even_under_another_name(world: World) -> None:
    await world.tell(named("amy"), named("amy2"), named("bob"), "20:00")
    await world.tell(message("amy", thanks=["amy2", "amy"]), message("bob", thanks=["amy2"]), "20:10")
    assert sorted(await board(world)) == [("amy2", 2)]
    await world.tell(alias_added("amy", "amy2"))
    assert await board(world) == [("amy", 1)]
    assert await board(world, since="all") == [("amy", 1)]
    assert await counter(world) == {"plusplus": 1, "phrase": 0}
    assert await verdicts(world, since="all") == {"counted": 1, "self": 2}
    assert await ask(world, "user.kudos", username="amy") == Kudos("amy", 1, 1, [], 0, 0)
    assert await ask(world, "kudos.pairs") == [Pair("bob", "amy", 1)]
    assert await ask(world, "leaderboard.givers") == [Thanked("bob", 1)]


async def test_g15_what_bots_say_is_recorded_and_does_not_count(world: World) -> None:
    await world.tell(named("bob"), "20:00", message("robot", by="bot", thanks=["bob"]), "20:10")
    assert await board(world) == []
    assert await verdicts(world) == {"bot": 1}


async def test_g15_a_cooldown_between_two_people(store: Store) -> None:
    world = await ruled(store, KudosSettings(cooldown_seconds=60))
    await world.tell(named("amy"), named("bob"), named("cid"), alias_added("bob", "bobby"), "20:00")
    await world.tell(message("amy", thanks=["bob"]), "20:00:30", message("amy", thanks=["bobby", "cid"]))
    await world.tell("20:00:59", message("cid", thanks=["bob"]), message("amy", thanks=[("bob", "lol")]))
    await world.tell("20:01", message("amy", thanks=["bob"]), "20:10")
    assert await verdicts(world) == {"counted": 4, "cooldown": 2}
    assert await board(world) == [("bob", 3), ("cid", 1)]


async def test_g15_no_thanks_in_return(store: Store) -> None:
    world = await ruled(store, KudosSettings(back_thank_seconds=60))
    await world.tell(named("amy"), named("amy2"), named("bob"), alias_added("amy", "amy2"), "20:00")
    await world.tell(message("amy2", thanks=["bob"]), "20:00:30", message("bob", thanks=["amy"]))
    await world.tell("20:01", message("bob", thanks=["amy2"]), "20:10")
    assert await verdicts(world) == {"counted": 2, "back_thank": 1}


async def test_g15_a_cap_for_each_day(store: Store) -> None:
    world = await ruled(store, KudosSettings(daily_cap=2))
    await world.tell(*map(named, ("bob", "cid", "dan")), "23:00", message("amy", thanks=["bob", "cid", "dan"]))
    await world.tell("2025-03-04 00:00", message("amy", thanks=["dan"]), "2025-03-04 00:10")
    assert await verdicts(world) == {"counted": 3, "daily_cap": 1}
    assert sorted(await board(world)) == [("bob", 1), ("cid", 1), ("dan", 1)]


async def test_g15_rules_remember_over_a_restart(store: Store) -> None:
    world = await ruled(store, KudosSettings(cooldown_seconds=60, daily_cap=2))
    await world.tell(named("bob"), "20:00", message("amy", thanks=["bob"]), "20:00:30")
    service = Service(store, world.service.catalogue, world.service.settings)
    await service.start()
    world.service = service
    await world.tell(message("amy", thanks=["bob"]), message("amy", thanks=["cid"]), message("amy", thanks=["dan"]))
    await world.tell("20:10")
    assert await verdicts(world) == {"counted": 1, "cooldown": 1, "daily_cap": 1, "unknown_name": 1}


async def test_g15_without_rules_nothing_is_remembered(world: World) -> None:
    await world.tell(named("bob"), alias_added("bob", "kc"), "20:00", *(message("amy", thanks=["bob"]),) * 3, "20:10")
    assert await world.rows("SELECT * FROM room_memory") == []
    assert await verdicts(world) == {"counted": 3}


async def test_g17_what_counts_and_what_does_not_is_all_there_is(store: Store) -> None:
    world = await ruled(store, KudosSettings(cooldown_seconds=60))
    await world.tell(named("amy"), named("bob"), "20:00")
    await world.tell(message("amy", thanks=["bob", "zoe", "amy"]), message("amy", thanks=["bob"]))
    await world.tell(message("robot", by="bot", thanks=["bob"]), "20:10")
    assert await verdicts(world) == {"counted": 1, "self": 1, "unknown_name": 1, "bot": 1, "cooldown": 1}
    assert sum((await verdicts(world, since="all")).values()) == 5


async def test_g31_the_board_has_30_days_and_all_time_is_explicit(world: World) -> None:
    await world.tell(named("bob"), named("amy"), alias_added("amy", "amy2"), "20:00")
    await world.tell(message("amy", thanks=["bob", "amy2"]), gap("2025-04-20 20:00"), message("bob", thanks=["amy"]))
    await world.tell("2025-04-20 20:10")
    assert await board(world) == [("amy", 1)]
    assert sorted(await board(world, since="all")) == [("amy", 1), ("bob", 1)]
    assert await board(world, since="all", to="2025-03-10") == [("bob", 1)]
    assert await verdicts(world, since="all", to="2025-03-10") == {"counted": 1, "self": 1}


async def test_own_thanks_in_another_period_take_nothing_away(world: World) -> None:
    await world.tell(named("amy"), alias_added("amy", "amy2"), "20:00", message("amy", thanks=["amy2"]))
    await world.tell(gap("2025-04-20 20:00"), message("bob", thanks=["amy2"]), "2025-04-20 20:10")
    assert await board(world) == [("amy", 1)]
    assert await board(world, days=1) == [("amy", 1)]


async def test_the_board_of_one_channel_or_of_several(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "20:00", message("cid", thanks=["amy"]))
    await world.tell(*(message("cid", "lobby", thanks=["bob"]),) * 2, message("cid", "lobby", thanks=["amy"]), "20:10")
    assert await board(world, channel="lounge", since="all") == [("amy", 1)]
    assert await board(world, channel="lobby", since="all") == [("bob", 2), ("amy", 1)]
    assert sorted(await board(world, domain="cytu.be", since="all")) == [("amy", 2), ("bob", 2)]
    assert await ask(world, "channel.phrases", channel="lounge") == [Phrased("++", 1)]


async def test_pairs_and_givers(world: World) -> None:
    await world.tell(*map(named, ("amy", "bob", "cid")), "20:00", message("amy", thanks=["bob", ("cid", "lol")]))
    await world.tell(message("amy", thanks=["bob"]), message("bob", thanks=["cid"]), "20:10")
    pairs = await ask(world, "kudos.pairs")
    assert pairs[0] == Pair("amy", "bob", 2)
    assert {(one.giver, one.receiver): one.count for one in pairs[1:]} == {("amy", "cid"): 1, ("bob", "cid"): 1}
    assert [one.giver for one in await ask(world, "kudos.pairs", username="bob")] == ["amy", "bob"]
    assert await ask(world, "leaderboard.givers") == [Thanked("amy", 3), Thanked("bob", 1)]
    assert await ask(world, "leaderboard.givers", kind="phrases") == [Thanked("amy", 1)]
    assert await ask(world, "user.kudos", username="amy") == Kudos("amy", 0, 0, [], 3, 2)


async def test_the_board_is_exact_where_many_names_must_be_looked_up(world: World) -> None:
    """Amy's three names are each said less often than a hundred others, of which nobody is known."""
    names = ["ann", "amelia", "amy"]
    for name in names:
        await world.tell(named(name, GUILD, account="1"), "+1s")
    await world.tell(named("bob", GUILD, account="2"))
    await world.tell(*(message("x", GUILD, thanks=[f"nobody{n}"]) for n in range(100) for _ in range(5)))
    await world.tell(*(message("x", GUILD, thanks=[name]) for name in names for _ in range(4)))
    await world.tell(*(message("x", GUILD, thanks=["bob"]) for _ in range(10)), "20:10")
    assert await board(world, limit=1) == [("amy", 12)]
    assert await board(world, limit=2, since="all") == [("amy", 12), ("bob", 10)]


async def test_thanks_by_hour_and_day_of_the_zone(world: World) -> None:
    await world.tell(named("amy"), named("bob"), "20:00", message("amy", thanks=["bob", "zoe", "amy"]), "20:50")
    await world.tell(message("amy", thanks=[("bob", "lol")]), "21:10", message("bob", thanks=["amy"]), "21:20")
    await world.tell(stopped(), gap("22:30"), message("amy", thanks=["bob"]), "23:30")
    assert await ask(world, "channel.kudos_by_hour", from_="2025-03-03T19:00") == [
        Bucket("2025-03-03T19:00:00+00:00", 0, 0),
        Bucket("2025-03-03T20:00:00+00:00", 2, 1),
        Bucket("2025-03-03T21:00:00+00:00", 1, 1),
        Bucket("2025-03-03T22:00:00+00:00", 1, 1),
        Bucket("2025-03-03T23:00:00+00:00", 0, 0),
    ]
    assert await ask(world, "channel.kudos_by_hour", since="all", step="day", tz="Asia/Kolkata") == [
        Bucket("2025-03-03T00:00:00+05:30", 0, 0),
        Bucket("2025-03-04T00:00:00+05:30", 4, 3),
    ]


async def test_hours_that_nobody_observed_have_no_thanks_rather_than_none(world: World) -> None:
    await world.tell(named("bob"), "10:00", message("amy", thanks=["bob"]), "10:05", stopped(), gap("12:30"))
    await world.tell(message("amy", "lobby"), "12:50")
    assert [one.count for one in await ask(world, "channel.kudos_by_hour", from_="2025-03-03T09:00")] == [
        0, 1, None, 0,
    ]  # fmt: skip
    assert [one.count for one in await ask(world, "channel.kudos_by_hour", hours=3, channel="lobby")] == [
        None, None, None, 0,
    ]  # fmt: skip


async def test_an_empty_database_has_no_kudos(world: World) -> None:
    for name in ("leaderboard.kudos", "leaderboard.givers", "kudos.pairs", "channel.phrases"):
        assert await ask(world, name) == []
        assert await ask(world, name, since="all") == []
    assert await ask(world, "channel.kudos_by_hour", since="all") == []
    assert await verdicts(world) == {}
    assert await counter(world) == {"plusplus": 0, "phrase": 0}


NAMES = ["amy", "bob", "cid", "dan", "eve"]
said = st.builds(
    lambda who, name, token: message(who, thanks=[(name, token)]),
    st.sampled_from(NAMES), st.sampled_from([*NAMES, "zoe"]), st.sampled_from(["++", "lol"]),
)  # fmt: skip
aliased = st.builds(alias_added, st.sampled_from(NAMES[:2]), st.sampled_from([*NAMES[2:], "zoe"]))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.one_of(said, said, said, aliased), max_size=40))
async def test_g30_every_way_to_ask_gives_the_same_total(tmp_path_factory: Any, events: list[Any]) -> None:
    store = await SQLiteStore.open(tmp_path_factory.mktemp("kudos") / "db")
    world = await World.open(store, *ROOMS)
    await world.tell(*map(named, NAMES), "20:00", *events, "20:20")
    total = sum((await counter(world)).values())
    assert (await verdicts(world)).get("counted", 0) == total
    for since in ("30d", "all"):
        assert sum(number for _, number in await board(world, since=since)) == total
        for question in ("leaderboard.givers", "kudos.pairs", "channel.phrases"):
            assert sum(one.count for one in await ask(world, question, limit=100, since=since)) == total
    cards = [await ask(world, "user.kudos", username=name) for name in NAMES]
    assert {(card.username, card.received) for card in cards if card.received} == set(await board(world))
    await store.close()
