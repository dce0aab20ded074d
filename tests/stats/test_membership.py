"""Who joins a guild and leaves it, who comes back, and how many stay."""

from __future__ import annotations

import pytest

from tests.say import World, clock, gap, named, started, stopped
from tests.say_guild import (
    GUILD,
    account,
    consent_changed,
    member,
    member_joined,
    member_left,
    members_seen,
    roles_seen,
)
from tests.stats.ask import ask, refusal
from userstats.contract.consents import Level
from userstats.stats import aliases, membership, people
from userstats.stats.membership import Change, Cohort, Members, Membership
from userstats.store.seam import Store


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, aliases.STATISTIC, people.STATISTIC, membership.STATISTIC)
    await world.tell(started(GUILD), *(named(who, GUILD) for who in ("amy", "bob", "cid")))
    return world


async def members(world: World) -> list[tuple[int, int | None]]:
    """Person and when they left, of every membership in the order of joining."""
    return await world.rows("SELECT person, left_at FROM memberships ORDER BY joined_at, person")


async def test_who_joins_leaves_and_comes_back_has_two_memberships(world: World) -> None:
    await world.tell("10:00", member_joined("amy"), "11:00", member_left("amy"), "12:00", member_joined("amy"))

    assert await ask(world, "membership.history", username="amy") == [
        Membership("100", "2025-03-03T12:00:00+00:00", None, "", False),
        Membership("100", "2025-03-03T10:00:00+00:00", "2025-03-03T11:00:00+00:00", "left", False),
    ]
    await world.tell("12:20")
    assert await ask(world, "membership.overview") == [
        Members("100", members=1, bots=0, came=2, went=1, returned=1, median_stay_ms=3_600_000)
    ]


async def test_g03_a_list_of_all_members_shows_who_left_and_who_came_while_nobody_looked(world: World) -> None:
    await world.tell("10:00", members_seen(member("amy", "01:00"), member("bob", "02:00")), stopped(GUILD))
    await world.tell(gap("15:00"), started(GUILD), members_seen(member("bob", "02:00"), member("cid", "14:00")))

    rows = await world.rows("SELECT person, joined_at, found, left_at, why FROM memberships ORDER BY joined_at")
    assert rows == [
        (account("amy"), clock("01:00"), 1, clock("15:00"), "missed"),
        (account("bob"), clock("02:00"), 1, None, None),
        (account("cid"), clock("14:00"), 1, None, None),
    ]


async def test_membership_goes_on_while_nobody_looks(world: World) -> None:
    await world.tell("10:00", member_joined("amy"), stopped(GUILD), gap("15:00"), started(GUILD), "15:01")
    await world.restart()
    await world.tell(member_left("amy", reason="banned"), "15:20")

    assert await ask(world, "membership.history", username="amy") == [
        Membership("100", "2025-03-03T10:00:00+00:00", "2025-03-03T15:01:00+00:00", "banned", False)
    ]


async def test_who_left_and_joined_again_unseen_did_both(world: World) -> None:
    await world.tell("10:00", member_joined("amy"), "12:00", members_seen(member("amy", "11:00")), "12:20")

    assert await members(world) == [(account("amy"), clock("12:00")), (account("amy"), None)]
    (overview,) = await ask(world, "membership.overview")
    assert (overview.members, overview.went) == (1, 1)


async def test_a_list_that_comes_in_parts_applies_when_it_is_complete_and_once(world: World) -> None:
    await world.tell("10:00", members_seen("amy", "bob"))
    await world.tell("10:05", members_seen("bob", part=2, parts=2, snapshot="s"))
    assert [left for _, left in await members(world)] == [None, None]

    await world.restart()
    await world.tell(members_seen("cid", part=1, parts=2, snapshot="s"))

    assert await world.rows("SELECT person, left_at FROM memberships WHERE left_at IS NOT NULL") == [
        (account("amy"), clock("10:05"))
    ]
    assert await world.rows("SELECT COUNT(*) FROM room_memory WHERE room = 'membership'") == [(0,)]


async def test_a_list_of_which_parts_are_missing_is_dropped_when_another_begins(world: World) -> None:
    await world.tell("10:00", members_seen("amy", "bob"), members_seen("amy", part=1, parts=2, snapshot="s"))
    await world.tell(members_seen("amy", "bob", "cid", snapshot="t"))

    assert sorted(await members(world)) == sorted((account(who), None) for who in ("amy", "bob", "cid"))


async def test_the_same_join_in_a_list_and_as_an_event_is_one(world: World) -> None:
    await world.tell("10:00", members_seen(member("amy", "10:00")), member_joined("amy"), "10:20")

    assert await members(world) == [(account("amy"), None)]


async def test_joins_and_leaves_are_told_by_day_and_an_unobserved_day_has_no_numbers(world: World) -> None:
    await world.tell("10:00", member_joined("amy"), member_joined("bob"), "11:00", member_left("amy"), stopped(GUILD))
    await world.tell(gap("2025-03-05 00:00"))

    told = await ask(world, "membership.changes", **{"from": "2025-03-03", "to": "2025-03-05"})  # type: ignore[arg-type]
    assert told == [
        Change("2025-03-03T00:00:00+00:00", 2, 1, 1, 0.4583),
        Change("2025-03-04T00:00:00+00:00", None, None, None, 0.0),
    ]


async def test_g08_bots_are_members_and_no_people(world: World) -> None:
    await world.tell("10:00", member_joined("robot", bot=True), members_seen(member("robot", "10:00", bot=True)))
    await world.tell("10:20")

    assert await ask(world, "membership.overview") == [Members("100", 0, 1, 0, 0, 0, None)]


async def test_retention_tells_how_many_of_a_week_are_left_after_more_weeks(world: World) -> None:
    await world.tell("10:00", *(member_joined(who) for who in ("amy", "bob", "cid")))
    await world.tell(gap("2025-03-11 10:00"), member_left("bob"), gap("2025-03-18 10:00"), member_left("cid"))
    await world.tell(gap("2025-03-24 00:00"))

    told = await ask(world, "membership.retention", **{"from": "2025-03-03", "to": "2025-03-24"})  # type: ignore[arg-type]
    since = "2025-03-03T00:00:00+00:00"
    assert told == [Cohort(since, 3, 0, 3, 1.0), Cohort(since, 3, 1, 2, 0.6667), Cohort(since, 3, 2, 1, 0.3333)]


async def test_g10_the_history_of_somebody_else_is_not_everybodys(world: World) -> None:
    await world.tell("10:00", member_joined("amy"))

    code, _ = await refusal(world, "membership.history", "everyone", username="amy")
    assert code == 403


@pytest.mark.parametrize("level", ["off", "anonymous"])
async def test_g10_who_wants_nothing_kept_is_no_member_any_more(world: World, level: Level) -> None:
    await world.tell("10:00", member_joined("amy"), consent_changed("amy", "messages", level), "10:05")
    await world.tell(members_seen("bob"))

    assert [left for person, left in await members(world) if person == account("amy")] == [None]
    assert await world.rows("SELECT COUNT(*) FROM open_spans WHERE person = :amy", amy=account("amy")) == [(0,)]
    assert [one.went for one in await ask(world, "membership.overview")] == [0]


async def test_the_latest_roles_are_kept(world: World) -> None:
    await world.tell("10:00", roles_seen("amy", "9", "8"), "11:00", roles_seen("amy", "8"))

    assert await world.rows("SELECT person, roles FROM member_roles") == [(account("amy"), "8")]
