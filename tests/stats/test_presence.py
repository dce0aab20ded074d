"""Who is online, idle or dnd, and on which devices, of people who want that known."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lived import lived
from tests.say import Gap, World, alias_added, clock, gap, message, named, started, stopped
from tests.say_guild import (
    CONNECTION,
    GENERAL,
    GUILD,
    account,
    consent_changed,
    not_granted,
    presence,
    presence_changed,
    presences_seen,
    shard,
)
from tests.stats.ask import ask, refusal
from userstats.contract.consents import Level
from userstats.contract.events import Event
from userstats.frames import Cell
from userstats.presences import PresenceSettings
from userstats.stats import aliases, games, guilds, people
from userstats.stats import presence as room
from userstats.stats.presence import Doing, Status, StatusBucket, Summary, Times
from userstats.store.seam import Store

MINUTE = 60_000
NAMES = ("amy", "bob", "cid")
ROOMS = (room.STATISTIC, games.STATISTIC, guilds.STATISTIC, people.STATISTIC, aliases.STATISTIC)
SECOND = shard(1, 2)
NOT_GRANTED = "not tracked: the platform does not tell this bot who is online; it is not granted the presence intent"


def known(*names: str) -> list[Event]:
    """These people have names, and let everybody see their status."""
    return [
        event
        for name in names
        for event in (named(name, CONNECTION, everywhere=True), consent_changed(name, "presence", "shown"))
    ]


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, *ROOMS)
    await world.tell(*known(*NAMES), started(CONNECTION))
    return world


async def minutes(world: World, who: str, **request: Any) -> tuple[float, float, float]:
    """Minutes online, idle and dnd."""
    found: Times = await ask(world, "presence.user", username=who, **request)
    return found.online_ms / MINUTE, found.idle_ms / MINUTE, found.dnd_ms / MINUTE


async def log(world: World) -> list[tuple[Any, ...]]:
    names = {account(name): name for name in NAMES}
    rows = await world.rows(
        "SELECT at, person, status, activity_type, activity_name FROM presence_log ORDER BY at, seq, person"
    )
    return [(at, names[who], *state) for at, who, *state in rows]


# --- time by status ---


async def test_time_is_counted_by_status(world: World) -> None:
    await world.tell("20:00", presence_changed("amy"), "20:10", presence_changed("amy", "idle"), "20:30")
    await world.tell(presence_changed("amy", "dnd"), "21:30", presence_changed("amy", "offline"), "22:00")
    assert await minutes(world, "amy") == (10, 20, 60)
    assert await world.rows("SELECT * FROM open_spans") == []


async def test_what_lasts_now_is_counted_up_to_the_last_sign_of_life(world: World) -> None:
    await world.tell("20:00", presence_changed("amy", on=["desktop", "mobile"]), "20:20", gap("23:00"))
    assert await ask(world, "presence.user", username="amy") == Times(
        "amy", 20 * MINUTE, 0, 0, 20 * MINUTE, 20 * MINUTE, 0, 0
    )


async def test_time_by_device_and_with_a_custom_status_is_counted_beside(world: World) -> None:
    await world.tell("20:00", presence_changed("amy", on=["desktop"]), "20:10")
    await world.tell(presence_changed("amy", "idle", "custom", on=["mobile", "web"]), "20:30")
    await world.tell(presence_changed("amy", "idle", on=["web"]), "20:35", presence_changed("amy", "offline"))
    assert await ask(world, "presence.user", username="amy") == Times(
        "amy", 10 * MINUTE, 25 * MINUTE, 0, 10 * MINUTE, 20 * MINUTE, 25 * MINUTE, 20 * MINUTE
    )


async def test_g05_a_status_that_is_told_again_changes_nothing(world: World) -> None:
    await world.tell("20:00", presence_changed("amy", "online", "playing:Chess", on=["web"]), "20:10")
    before = await world.dump()
    same = presence_changed("amy", "online", "playing:Chess", on=["web"])
    await world.tell(same, same, presences_seen(presence("amy", "online", "playing:Chess", on=["web"])))
    after = await world.dump()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"event_tallies", "producers", "recent_ids"}


async def test_g05_n_guilds_and_several_connections_give_one_time(world: World) -> None:
    await world.tell(started(SECOND), "20:00", presence_changed("amy", where=SECOND), presence_changed("amy"))
    await world.tell(presence_changed("amy"), "20:10", presence_changed("amy", "idle"))
    await world.tell(presence_changed("amy", "idle", where=SECOND), presence_changed("amy", "idle"), "20:30")
    await world.tell(presence_changed("amy", "offline"), presence_changed("amy", "offline", where=SECOND), "20:40")
    assert await minutes(world, "amy") == (10, 20, 0)
    assert [(status, at) for at, _, status, *_ in await log(world)] == [
        ("online", clock("20:00")), ("idle", clock("20:10")), ("offline", clock("20:30")),
    ]  # fmt: skip


async def test_g05_a_snapshot_of_one_connection_does_not_end_what_another_tells(world: World) -> None:
    await world.tell(started(SECOND), "20:00", presences_seen(presence("amy")), "20:10")
    await world.tell(presences_seen(presence("bob"), where=SECOND), presences_seen(presence("amy")), "20:20")
    assert (await minutes(world, "amy"), await minutes(world, "bob")) == ((20, 0, 0), (10, 0, 0))


async def test_another_connection_takes_over_when_the_first_one_is_gone(world: World) -> None:
    await world.tell(started(SECOND), "20:00", presence_changed("amy"), "20:10", stopped(CONNECTION), "20:20")
    await world.tell(presence_changed("amy", "idle", where=SECOND), "20:30")
    assert await minutes(world, "amy") == (10, 10, 0)
    assert (await ask(world, "presence.now", username="amy")).status == "idle"


async def test_g02_a_connection_that_is_silent_tells_nothing_any_more(world: World) -> None:
    await world.tell("20:00", presence_changed("amy", "online", "playing:Chess"), "20:10", gap("20:20"))
    await world.tell(started(SECOND), presence_changed("amy", "idle", where=SECOND), gap("20:21"))
    await world.tell(presence_changed("amy", "dnd", where=SECOND), gap("20:22"), presence_changed("amy"))
    assert await minutes(world, "amy") == (10, 1, 0)
    assert await world.rows("SELECT DISTINCT place FROM open_spans") == [(world.number(SECOND),)]


async def test_g02_after_a_reconnect_the_snapshot_says_who_is_there(world: World) -> None:
    await world.tell("20:00", presence_changed("amy"), presence_changed("bob", "idle"), "20:10", gap("20:20"))
    await world.tell(started(CONNECTION), presences_seen(presence("bob", "dnd"), presence("cid")), "20:30")
    assert [await minutes(world, name) for name in NAMES] == [(10, 0, 0), (0, 10, 10), (10, 0, 0)]


async def test_g02_a_snapshot_closes_who_is_not_in_it_once_all_parts_are_there(world: World) -> None:
    await world.tell(
        "20:00", presence_changed("amy"), "20:10", presences_seen(presence("bob"), part=1, parts=2, snapshot="x")
    )
    await world.restart()
    await world.tell("20:20", presences_seen(presence("cid"), part=2, parts=2, snapshot="x"), "20:30")
    assert [await minutes(world, name) for name in NAMES] == [(20, 0, 0), (10, 0, 0), (10, 0, 0)]
    assert await world.rows("SELECT * FROM room_memory") == []
    assert sorted(row[1:3] for row in await log(world)) == [
        ("amy", "offline"), ("amy", "online"), ("bob", "online"), ("cid", "online"),
    ]  # fmt: skip


async def test_g01_a_restart_in_between_loses_nothing(world: World) -> None:
    await world.tell("20:00", presence_changed("amy", on=["web"]), "20:10")
    await world.restart()
    await world.tell("20:20", presence_changed("amy", "offline"), "20:30")
    assert await minutes(world, "amy") == (20, 0, 0)


# --- now ---


async def test_what_somebody_is_doing_now(world: World) -> None:
    doing = ("playing:Chess: the game", "listening:Radio", "custom")
    await world.tell("18:30", presence_changed("amy", "idle", *doing, on=["mobile"]), "20:00:10")
    assert await ask(world, "presence.now", username="amy", tz="Europe/Berlin") == Status(
        "amy", "idle", "2025-03-03T19:30:00+01:00", ["mobile"],
        [
            Doing("listening", "Radio", "2025-03-03T19:30:00+01:00"),
            Doing("playing", "Chess: the game", "2025-03-03T19:30:00+01:00"),
        ],
        True, "",
    )  # fmt: skip


async def test_g27_invisible_is_offline(world: World) -> None:
    await world.tell("20:00", presence_changed("amy", on=["web"]), "20:10")
    await world.tell(presence_changed("amy", "offline", "playing:Chess", on=[]), "20:20")
    assert await ask(world, "presence.now", username="amy") == Status(
        "amy", "offline", "2025-03-03T20:10:00+00:00", [], [], False, ""
    )
    assert await minutes(world, "amy") == (10, 0, 0)
    assert await world.rows("SELECT * FROM activities_totals") == []


def untracked(why: str) -> Status:
    return Status("amy", "not tracked", None, [], [], False, why)


async def test_g28_what_is_not_told_is_not_tracked_and_never_offline(world: World) -> None:
    async def now() -> Status:
        found: Status = await ask(world, "presence.now", username="amy")
        return found

    assert await now() == untracked("nobody's status was ever told here; people opt in")
    await world.tell("20:00", presence_changed("bob"), "20:10")
    assert await now() == untracked("their status was never told here; people opt in")
    await world.tell(presence_changed("amy"), "20:20", presence_changed("amy", "offline"), gap("20:22"))
    assert await now() == untracked("the platform is not connected now")
    await world.tell("20:30")
    assert (await now()).status == "offline"
    await world.tell(not_granted("presences", "members"))
    assert await now() == untracked(NOT_GRANTED.removeprefix("not tracked: "))
    await world.tell(not_granted(where=GUILD), gap("20:30:01"), not_granted("members"))
    assert (await now()).status == "offline"


@pytest.mark.parametrize("level", ["off", "anonymous"])
async def test_g28_who_does_not_let_their_status_be_told_any_more_is_not_offline(world: World, level: Level) -> None:
    await world.tell("20:00", presence_changed("amy"), "20:10", presence_changed("amy", "offline"))
    await world.tell(consent_changed("amy", "presence", level), "20:20")

    assert await ask(world, "presence.now", username="amy") == untracked("they do not let their status be told")


@pytest.mark.parametrize("question", ["presence.stats", "presence.series", "presence.peak", "presence.games"])
async def test_g28_what_the_platform_does_not_let_the_bot_know_is_refused(world: World, question: str) -> None:
    await world.tell("20:00", presence_changed("amy"), "20:10", not_granted("presences"))
    assert await refusal(world, question) == (404, NOT_GRANTED)


async def test_g28_where_nobodys_status_was_ever_told_there_are_no_numbers(world: World) -> None:
    assert await ask(world, "presence.stats") == Summary(None, None, None, None, None, None, None)
    assert await ask(world, "presence.games") == []
    assert {one.online_ms for one in await ask(world, "presence.series")} == {None}
    assert {one.value for one in await ask(world, "presence.peak")} == {None}


@pytest.mark.parametrize("question", ["presence.user", "presence.activities"])
async def test_g28_numbers_of_somebody_whose_status_is_not_told_are_refused(world: World, question: str) -> None:
    untold = "not tracked: the status of 'amy' was never told here; people opt in"
    assert await refusal(world, question, username="amy") == (404, untold)
    await world.tell("20:00", presence_changed("bob"), "20:10")
    assert await refusal(world, question, username="amy") == (404, untold)
    await world.tell(not_granted("presences"))
    assert await refusal(world, question, username="amy") == (404, NOT_GRANTED)


# --- what people chose ---


async def test_g10_the_status_of_people_who_have_not_chosen_to_show_it_is_told_to_nobody_else(world: World) -> None:
    await world.tell(consent_changed("amy", "presence", "counted"), "20:00", presence_changed("amy"), "20:10")
    for question in ("presence.now", "presence.user", "presence.activities"):
        assert await refusal(world, question, asker="everyone", username="amy") == (
            403, "'amy' keeps their numbers to themselves",
        )  # fmt: skip
    assert (await ask(world, "presence.stats")).online == 1


@pytest.mark.parametrize("level", ["off", "anonymous", None])
async def test_g10_who_does_not_want_it_any_more_is_forgotten_at_once(world: World, level: Any) -> None:
    await world.tell("20:00", presence_changed("amy", "online", "playing:Chess", on=["web"]), "20:10")
    await world.tell(consent_changed("amy", "presence", level), "20:20")
    assert await world.rows("SELECT * FROM open_spans") == []
    assert await world.rows("SELECT online_ms FROM person_totals") == []
    assert world.service.state.details == {}


async def test_g10_what_was_on_its_way_when_somebody_opted_out_is_not_counted(world: World) -> None:
    await world.tell("20:00", consent_changed("amy", "presence", "off"), presence_changed("amy"), "20:10")
    await world.tell(presences_seen(presence("amy"), presence("bob")), "20:20", presence_changed("bob", "offline"))
    assert await world.rows("SELECT DISTINCT person FROM presence_log") == [(account("bob"),)]
    assert await world.rows("SELECT person FROM person_totals") == [(account("bob"),)]


# --- everybody together ---


async def test_everybody_is_taken_together(world: World) -> None:
    await world.tell(alias_added("amy", "cid"), "18:00", presence_changed("amy"), presence_changed("cid"), "19:00")
    await world.tell(presence_changed("bob", "dnd"), presence_changed("amy", "idle"), "20:30")
    summary = Summary(2, 1, 1, 1, 210 * MINUTE, 90 * MINUTE, 90 * MINUTE)
    assert await ask(world, "presence.stats") == summary
    assert await ask(world, "presence.stats", since="all") == summary
    assert await ask(world, "presence.stats", from_="2025-03-03T18:30", to="2025-03-03T18:45") == Summary(
        1, 1, 1, 1, 30 * MINUTE, 0, 0
    )


async def test_a_guild_has_the_people_who_were_seen_there(world: World) -> None:
    await world.tell(started(GUILD), message("amy", GENERAL), "19:00", presence_changed("amy"), "19:10")
    await world.tell(presence_changed("bob", "idle"), "19:30", presence_changed("amy", "offline"), "19:40")
    assert await ask(world, "presence.stats", domain="100") == Summary(1, 0, 0, 0, 30 * MINUTE, 0, 0)
    assert await ask(world, "presence.stats", platform="discord") == Summary(2, 0, 1, 0, 30 * MINUTE, 30 * MINUTE, 0)
    (day,) = await ask(world, "presence.series", domain="100", from_="2025-03-03")
    assert (day.online_ms, day.idle_ms) == (30 * MINUTE, 0)
    cells = [one for one in await ask(world, "presence.peak", domain="100") if one.value]
    assert cells == [Cell(1, 19, 30 * MINUTE, 40 * MINUTE)]


async def test_statuses_by_time_and_nothing_where_nothing_was_observed(world: World) -> None:
    await world.tell("18:30", presence_changed("amy"), "19:15", presence_changed("amy", "idle"), "20:00")
    await world.tell(stopped(CONNECTION), gap("22:00"))
    assert await ask(world, "presence.series", step="hour", from_="2025-03-03T18:00") == [
        StatusBucket("2025-03-03T18:00:00+00:00", 30 * MINUTE, 0, 0, 1.0),
        StatusBucket("2025-03-03T19:00:00+00:00", 15 * MINUTE, 45 * MINUTE, 0, 1.0),
        StatusBucket("2025-03-03T20:00:00+00:00", None, None, None, 0.0),
        StatusBucket("2025-03-03T21:00:00+00:00", None, None, None, 0.0),
    ]


async def test_g18_hours_of_the_week_are_those_of_the_zone_that_is_asked_for(world: World) -> None:
    await world.tell("18:00", presence_changed("amy"), "18:15", presence_changed("amy", "idle"), "19:15")
    await world.tell(presence_changed("amy", "offline"), "19:20")
    cells = {(one.weekday, one.hour): one.value for one in await ask(world, "presence.peak", tz="Asia/Kathmandu")}
    assert (cells[1, 23], cells[2, 0], cells[2, 1], cells[2, 2]) == (15 * MINUTE, 60 * MINUTE, 0, None)
    idle = [one for one in await ask(world, "presence.peak", kind="idle") if one.value]
    assert idle == [Cell(1, 18, 45 * MINUTE, 60 * MINUTE), Cell(1, 19, 15 * MINUTE, 20 * MINUTE)]


async def test_single_changes_grow_old_and_sums_stay(world: World) -> None:
    world.service.settings["presence"] = PresenceSettings(store_days=1)
    await world.tell("20:00", presence_changed("amy"), "20:10", presence_changed("amy", "offline"), stopped(CONNECTION))
    await world.tell(gap("2025-03-05 00:10"), started(CONNECTION), presence_changed("bob"))
    assert await log(world) == [(clock("2025-03-05 00:10"), "bob", "online", None, None)]
    assert await minutes(world, "amy") == (10, 0, 0)
    assert (await ask(world, "presence.now", username="amy")).since is None
    aged = await world.rows("SELECT kept_in, label, number FROM aged_rows ORDER BY label")
    assert aged == [("presence_log", "offline", 1), ("presence_log", "online", 1)]


async def test_metrics_count_who_is_there_and_what_is_credited(world: World) -> None:
    await world.tell("20:00", presence_changed("amy"), presence_changed("bob", "idle"), "20:10")
    await world.tell(presence_changed("amy", "idle"))
    found = {one.name: await world.rows(one.sql, alive=world.now - 90_000) for one in room.STATISTIC.metrics}
    assert found == {
        "userstats_presence_people": [("discord", "idle", 2)],
        "userstats_presence_seconds_total": [
            ("discord", "dnd", 0), ("discord", "idle", 0), ("discord", "online", 600),
        ],
    }  # fmt: skip


# --- whatever happens ---

_who = st.sampled_from(NAMES)
_status: st.SearchStrategy[Literal["online", "idle", "dnd", "offline"]] = st.sampled_from(
    ["online", "idle", "dnd", "offline"]
)
_doing = st.lists(st.sampled_from(["playing:Chess", "playing:Go", "listening:Radio", "custom"]), max_size=2)
_where = st.sampled_from([CONNECTION, SECOND])
_on = st.lists(st.sampled_from(["desktop", "mobile", "web"]), max_size=2)
_presences = st.builds(lambda who, status, doing, on: presence(who, status, *doing, on=on), _who, _status, _doing, _on)
_deeds: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        lambda who, status, doing, on, where: presence_changed(who, status, *doing, on=on, where=where),
        _who, _status, _doing, _on, _where,
    ),
    st.builds(
        lambda seen, where: presences_seen(*seen, where=where),
        st.lists(_presences, max_size=3, unique_by=lambda one: one.person), _where,
    ),
    st.builds(consent_changed, _who, st.just("presence"), st.sampled_from(["off", "shown", None])),
    st.builds(started, _where),
    st.builds(stopped, _where),
)  # fmt: skip
_passing: st.SearchStrategy[str | Gap] = st.one_of(
    st.sampled_from(["+1s", "+16m", "+2h"]), st.sampled_from(["+1s", "+90s", "+91s", "+16m"]).map(Gap)
)
_evenings = st.lists(st.one_of(_deeds, _deeds, _passing), max_size=30)


@settings(max_examples=60, deadline=None)
@given(_evenings, st.integers(1, 20))
def test_g05_whatever_happens_nobody_has_two_statuses_at_once(evening: list[str | Gap | Event], batch: int) -> None:
    async def holds() -> None:
        begun: list[str | Gap | Event] = [*known(*NAMES), started(CONNECTION), started(SECOND), gap("20:00")]
        async with lived(ROOMS, *begun, *evening, "+1m", batch=batch) as (world, _):
            await is_one(world)

    async def is_one(world: World) -> None:
        lasting = await world.rows(
            "SELECT person, COUNT(*) FROM open_spans WHERE span IN ('online', 'idle', 'dnd') GROUP BY 1"
        )
        assert {number for _, number in lasting} <= {1}
        here = Counter[int]()
        for person, milliseconds in await world.rows(
            "SELECT person, online_ms + idle_ms + dnd_ms FROM everyone_totals"
        ):
            here[person] += milliseconds
        assert [one for one in here.values() if one > world.now - clock("20:00")] == []
        further = await world.rows(
            "SELECT COUNT(*) FROM open_spans o WHERE NOT EXISTS (SELECT 1 FROM open_spans s WHERE s.person = o.person "
            "AND s.place = o.place AND s.span IN ('online', 'idle', 'dnd'))"
        )
        assert further == [(0,)]
        assert await world.rows("SELECT * FROM parked_events") == []

    asyncio.run(holds())


@settings(max_examples=30, deadline=None)
@given(_evenings, st.integers(1, 7))
def test_the_same_statuses_leave_the_same_rows_whatever_the_batches_and_restarts_were(
    evening: list[str | Gap | Event], batch: int
) -> None:
    async def holds() -> None:
        said = [started(CONNECTION), started(SECOND), gap("20:00"), *evening]
        async with lived(ROOMS, *said) as whole, lived(ROOMS, *said, batch=batch, restarting=True) as parts:
            assert await parts.world.dump() == await whole.world.dump()

    asyncio.run(holds())
