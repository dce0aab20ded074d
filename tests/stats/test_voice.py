"""How long people are in voice channels, how long of that active and in company, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lived import lived
from tests.say import Gap, World, alias_added, gap, message, named, started, stopped
from tests.say_guild import (
    ELSEWHERE,
    GUILD,
    VOICE,
    account,
    consent_changed,
    in_voice,
    place_closed,
    voice_counted,
    voice_moved,
    voice_seen,
)
from tests.stats.ask import ask, refusal
from userstats.contract.events import Event
from userstats.stats import aliases, people, voice, voice_channels
from userstats.stats.voice import InVoice, Session, VoiceStay, VoiceTime
from userstats.store.seam import Store
from userstats.voiced import VoiceSettings

MINUTE = 60_000
NAMES = ("amy", "bob", "cid")
ROOMS = (voice.STATISTIC, voice_channels.STATISTIC, people.STATISTIC, aliases.STATISTIC)


def known(*names: str) -> list[Event]:
    """These people have names, and let everybody see their time in voice channels."""
    return [
        event
        for name in names
        for event in (named(name, GUILD, everywhere=True), consent_changed(name, "voice", "shown"))
    ]


@pytest.fixture
async def world(store: Store) -> World:
    world = await World.open(store, *ROOMS)
    await world.tell(*known(*NAMES), started(GUILD))
    return world


def told(world: World, **rules: Any) -> None:
    """Count by these rules from now on."""
    world.service.settings["voice"] = VoiceSettings(**rules)


def minutes(stays: Iterable[VoiceStay]) -> dict[str, tuple[float, float, float]]:
    """Raw, active and social minutes by channel."""
    return {one.channel: (one.raw_ms / MINUTE, one.active_ms / MINUTE, one.social_ms / MINUTE) for one in stays}


async def of(world: World, who: str, **request: Any) -> dict[str, tuple[float, float, float]]:
    return minutes(await ask(world, "voice.user", username=who, **request))


async def ended(world: World) -> list[tuple[Any, ...]]:
    """Every stay that ended: name, channel, minutes, reason."""
    names = {account(name): name for name in NAMES}
    rows = await world.rows(
        "SELECT s.person, p.channel, s.until - s.since, s.ended FROM voice_sessions s "
        "JOIN places p ON p.place = s.place ORDER BY s.since, s.person"
    )
    return sorted((names[who], channel, lasted / MINUTE, why) for who, channel, lasted, why in rows)


# --- raw, active, social ---


async def test_time_in_a_channel_is_counted_from_coming_to_going(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:40", voice_moved("amy", before="300"), "21:00")
    assert await ask(world, "voice.user", username="amy") == [
        VoiceStay(
            "100", "300", 40 * MINUTE, 40 * MINUTE, 0, 0, 0, 0, 0, 1, 40 * MINUTE, "2025-03-03T20:40:00+00:00"
        )
    ]  # fmt: skip
    assert await world.rows("SELECT * FROM open_spans") == []


async def test_g07_raw_active_and_social_time_are_three_numbers(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:10", voice_moved("bob", "300"), "20:20")
    await world.tell(voice_moved("amy", "300", before="300", state={"deafened": True}), "20:30")
    await world.tell(voice_moved("amy", "300", before="300"), "20:40", voice_moved("bob", before="300"), "20:50")
    assert await of(world, "amy") == {"300": (50, 40, 20)}
    assert await of(world, "bob") == {"300": (30, 30, 20)}


async def test_g07_time_in_the_afk_channel_is_raw_time_only(world: World) -> None:
    await world.tell(
        "20:00", voice_moved("amy", "300", state={"afk": True}), voice_moved("bob", "300", state={"afk": True})
    )
    await world.tell("20:30", voice_moved("amy", "301", before="300"), "20:40")
    assert await of(world, "amy") == {"300": (30, 0, 0), "301": (10, 10, 0)}
    assert await of(world, "bob") == {"300": (40, 0, 0)}


async def test_g07_an_open_microphone_alone_overnight_is_no_social_time(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_counted(("300", 1, 0, 2)), "2025-03-04 06:00")
    assert await of(world, "amy") == {"300": (600, 600, 0)}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, (60, 50, 50)),
        ({"active_without": ("muted",)}, (60, 40, 30)),
        ({"active_without": ("afk", "deafened", "muted")}, (60, 30, 30)),
        ({"active_without": ()}, (60, 60, 50)),
        ({"social_people": 1}, (60, 50, 50)),
        ({"social_people": 3}, (60, 50, 0)),
    ],
)
async def test_g07_the_rules_of_active_and_social_time_are_settings(
    world: World, rules: dict[str, Any], expected: tuple[float, ...]
) -> None:
    told(world, **rules)
    await world.tell("20:00", voice_moved("bob", "300"), voice_moved("amy", "300"), "20:10")
    await world.tell(voice_moved("amy", "300", state={"muted": True}), "20:30")
    await world.tell(voice_moved("amy", "300", state={"deafened": True}), "20:40")
    await world.tell(voice_moved("amy", "300"), "21:00", voice_moved("amy"))
    assert await of(world, "amy") == {"300": expected}


async def test_who_wants_no_time_kept_is_company_by_the_headcount(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_counted(("300", 1)), "20:10", voice_counted(("300", 2)))
    await world.tell("20:25", voice_counted(("300", 1, 1)), "20:30", voice_counted(("300", 2)), "20:40")
    await world.tell(voice_moved("amy"), voice_counted(("300", 1)), "20:50")
    assert await of(world, "amy") == {"300": (40, 40, 25)}


async def test_a_headcount_opens_and_ends_the_social_time_of_everybody_in_the_channel(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_moved("bob", "300", state={"deafened": True}))
    await world.tell(voice_moved("cid", "301"), voice_counted(("300", 1, 1), ("301", 1)), "20:10")
    await world.tell(
        voice_counted(("300", 2, 1)), "20:20", voice_moved("bob", "300"), voice_counted(("300", 3)), "20:30"
    )
    await world.tell(voice_counted(("300", 1)), "20:40")
    assert [await of(world, name) for name in NAMES] == [
        {"300": (40, 40, 20)}, {"300": (40, 20, 10)}, {"301": (40, 40, 0)},
    ]  # fmt: skip


async def test_g08_bots_are_nobodys_company_and_have_no_time(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_moved("bob", "300", bot=True), "20:10")
    await world.tell(voice_seen(in_voice("amy"), in_voice("bob", bot=True)), voice_counted(("300", 1, 0, 1)), "20:20")
    assert await of(world, "amy") == {"300": (20, 20, 0)}
    assert await ask(world, "voice.leaderboard", kind="raw") == [VoiceTime("amy", 20 * MINUTE)]
    assert await world.rows("SELECT people, deafened, bots FROM voice_now") == [(1, 0, 1)]


async def test_g07_a_headcount_of_an_earlier_watch_is_no_company(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_counted(("300", 5)), "20:10", started(GUILD))
    await world.tell(voice_seen(in_voice("amy")), "20:30")
    assert await of(world, "amy") == {"300": (30, 30, 10)}
    assert await world.rows("SELECT people FROM voice_now") == [(0,)]


async def test_time_muted_deafened_streaming_and_with_video_is_counted_beside(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300", state={"muted": True}), "20:01")
    await world.tell(voice_moved("amy", "300", state={"streaming": True, "video": True}), "20:03")
    await world.tell(voice_moved("amy", "300", state={"video": True, "deafened": True, "muted": True}), "20:07")
    (stay,) = await ask(world, "voice.user", username="amy")
    assert (stay.muted_ms, stay.deafened_ms, stay.streaming_ms, stay.video_ms) == (
        5 * MINUTE, 4 * MINUTE, 2 * MINUTE, 6 * MINUTE,
    )  # fmt: skip


# --- moves, snapshots, watches ---


async def test_g04_a_move_is_counted_once_and_without_a_gap(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:10", voice_moved("amy", "301", before="300"), "20:30")
    await world.tell(voice_moved("amy", "301", before="300"), "20:40", voice_moved("amy", before="301"))
    assert await of(world, "amy") == {"300": (10, 10, 0), "301": (30, 30, 0)}
    assert await ended(world) == [("amy", "300", 10, "moved"), ("amy", "301", 30, "left")]


async def test_g04_a_ghost_of_moving_about_is_no_stay(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), gap("20:00:00.5"), voice_moved("amy", "301"), "20:10")
    await world.tell(gap("20:10:00.2"), voice_moved("amy"))
    assert await ended(world) == [("amy", "301", 10 - 0.3 / 60, "left")]
    assert await ask(world, "voice.sessions", username="amy") == [
        Session("100", "301", "2025-03-03T20:00:00+00:00", "2025-03-03T20:10:00+00:00", 10 * MINUTE - 300, "left")
    ]
    (first, second) = sorted(await ask(world, "voice.user", username="amy"), key=lambda one: one.channel)
    assert (first.raw_ms, first.sessions, second.sessions) == (500, 0, 1)


async def test_a_stay_that_goes_on_through_a_change_of_state_is_one(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:10", voice_moved("amy", "300", state={"muted": True}))
    await world.tell("20:20", voice_moved("amy", "300", state={"deafened": True}), "20:30", voice_moved("amy"))
    assert await ended(world) == [("amy", "300", 30, "left")]


async def test_g05_a_state_that_is_told_again_changes_nothing(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:10", voice_moved("amy", "300"), "20:20")
    before = await world.rows("SELECT span, since, began FROM open_spans ORDER BY span")
    await world.tell(voice_moved("amy", "300"), voice_seen(in_voice("amy")))
    assert await world.rows("SELECT span, since, began FROM open_spans ORDER BY span") == before
    assert await ended(world) == []


async def test_g03_a_snapshot_after_a_reconnect_closes_who_is_gone_and_opens_who_is_new(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_moved("bob", "300"), "20:10", gap("20:20"))
    await world.tell(started(GUILD), voice_seen(in_voice("bob", "301"), in_voice("cid", "301", muted=True)), "20:30")
    assert [await of(world, name) for name in NAMES] == [
        {"300": (10, 10, 10)}, {"300": (10, 10, 10), "301": (10, 10, 10)}, {"301": (10, 10, 10)},
    ]  # fmt: skip
    assert await ended(world) == [("amy", "300", 10, "unobserved"), ("bob", "300", 10, "unobserved")]
    assert await world.rows("SELECT * FROM voice_drift") == []


async def test_g03_what_a_later_snapshot_corrects_is_counted_as_drift(world: World) -> None:
    here = [in_voice("amy"), in_voice("bob", "301", muted=True)]
    await world.tell("20:00", voice_seen(*here), "20:10", voice_seen(*here), "20:20")
    assert await world.rows("SELECT snapshots, corrections FROM voice_drift") == [(1, 0)]
    await world.tell(voice_seen(in_voice("bob", "301"), in_voice("cid")), "20:30")
    assert await world.rows("SELECT snapshots, corrections FROM voice_drift") == [(2, 3)]
    assert await ended(world) == [("amy", "300", 20, "missed")]
    assert [await of(world, name) for name in NAMES] == [
        {"300": (20, 20, 0)}, {"301": (30, 30, 0)}, {"300": (10, 10, 0)},
    ]  # fmt: skip


async def test_g02_a_snapshot_in_parts_applies_when_all_parts_are_there(world: World) -> None:
    await world.tell("20:00", voice_moved("cid", "300"), voice_seen(in_voice("amy"), snapshot="one", part=1, parts=2))
    await world.tell("20:10", voice_seen(in_voice("bob"), snapshot="two", part=2, parts=2))
    await world.restart()
    await world.tell("20:20", voice_seen(in_voice("amy"), snapshot="two", part=1, parts=2), "20:30")
    assert [await of(world, name) for name in NAMES] == [
        {"300": (10, 10, 10)}, {"300": (10, 10, 10)}, {"300": (20, 20, 0)},
    ]  # fmt: skip
    assert await world.rows("SELECT item FROM room_memory WHERE item LIKE 'parts%'") == []


@pytest.mark.parametrize(
    ("events", "minutes_", "why"),
    [
        (["20:10", stopped(GUILD)], 10, "unobserved"),
        (["20:10", gap("20:11"), stopped(GUILD, reason="lost")], 10, "unobserved"),
        (["20:10", gap("21:10"), started(GUILD)], 10, "unobserved"),
        (["20:10", place_closed(VOICE)], 10, "closed"),
        (["20:10", voice_seen()], 10, "missed"),
    ],
)
async def test_g02_no_stay_grows_past_what_was_seen_of_it(
    world: World, events: list[str | Gap | Event], minutes_: float, why: str
) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), *events, gap("23:00"))
    assert await ended(world) == [("amy", "300", minutes_, why)]
    assert await of(world, "amy") == {"300": (minutes_, minutes_, 0)}


async def test_g01_a_restart_in_the_middle_of_a_stay_loses_nothing(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_counted(("300", 2)), "20:10")
    await world.restart()
    await world.tell("20:30", voice_moved("bob", "300"), "20:40", voice_moved("amy"))
    assert await of(world, "amy") == {"300": (40, 40, 40)}
    assert await ended(world) == [("amy", "300", 40, "left")]


async def test_a_guild_of_which_nothing_is_seen_does_not_end_the_stays_of_another(world: World) -> None:
    await world.tell(started(ELSEWHERE), "20:00", voice_moved("amy", "300"), voice_moved("bob", "400", ELSEWHERE))
    await world.tell("20:10", stopped(ELSEWHERE), "20:30")
    assert (await of(world, "amy"), await of(world, "bob")) == ({"300": (30, 30, 0)}, {"400": (10, 10, 0)})


# --- what people chose ---


async def test_g10_time_of_people_who_have_not_chosen_is_on_no_board(world: World) -> None:
    await world.tell(named("dan", GUILD, everywhere=True), "20:00", voice_moved("dan", "300"), "21:30")
    await world.tell(voice_moved("amy", "300"), "21:40", voice_moved("dan"), voice_moved("amy"))
    assert await ask(world, "voice.leaderboard") == [VoiceTime("amy", 10 * MINUTE)]
    assert await ask(world, "voice.leaderboard", asker="everyone", since="all") == [VoiceTime("amy", 10 * MINUTE)]
    assert await refusal(world, "voice.user", asker="everyone", username="dan") == (
        403, "'dan' keeps their numbers to themselves",
    )  # fmt: skip


async def test_g10_who_is_in_voice_now_is_said_only_of_those_who_are_shown(world: World) -> None:
    await world.tell(consent_changed("cid", "voice", "counted"), "20:00", voice_moved("amy", "300"))
    await world.tell(voice_moved("cid", "300"), voice_moved("bob", "301", state={"muted": True}), "20:10:20")
    here = [
        InVoice("amy", "100", "300", "2025-03-03T20:00:00+00:00", 10 * MINUTE, True, True, False, False, False, False),
        InVoice("bob", "100", "301", "2025-03-03T20:00:00+00:00", 10 * MINUTE, True, False, True, False, False, False),
    ]
    assert await ask(world, "voice.now") == here
    assert await ask(world, "voice.now", asker="everyone", channel="301") == here[1:]
    await world.tell(stopped(GUILD))
    assert await ask(world, "voice.now") == []


async def test_nobody_is_in_voice_now_where_nobody_looked_for_a_while(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:10", gap("20:11:30"))
    assert [one.time_ms for one in await ask(world, "voice.now")] == [10 * MINUTE]
    await world.tell(gap("20:12"))
    assert await ask(world, "voice.now") == []


@pytest.mark.parametrize("level", ["off", "anonymous", None])
async def test_g10_who_does_not_want_it_any_more_is_forgotten_at_once(world: World, level: Any) -> None:
    await world.tell("20:10", voice_moved("amy", "300"), voice_moved("bob", "300"), "21:30")
    await world.tell(consent_changed("amy", "voice", level), "21:40")
    assert await world.rows("SELECT DISTINCT person FROM open_spans") == [(account("bob"),)]
    assert await world.rows("SELECT voice_ms FROM everyone_totals WHERE person = :amy", amy=account("amy")) == [
        (50 * MINUTE,)
    ]
    assert await ended(world) == []


async def test_g10_what_was_on_its_way_when_somebody_opted_out_is_not_counted(world: World) -> None:
    await world.tell("20:00", consent_changed("amy", "voice", "off"), voice_moved("amy", "300"), "20:10")
    await world.tell(voice_seen(in_voice("amy"), in_voice("bob")), "20:20", voice_moved("amy", "301"), "20:30")
    await world.restart()
    await world.tell(voice_moved("amy", "300"), "20:40", consent_changed("amy", "voice", "counted"))
    await world.tell(voice_moved("amy", "300"), "20:50")
    assert await of(world, "amy") == {"300": (10, 10, 10)}


async def test_a_choice_about_something_else_changes_nothing(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:10", consent_changed("amy", "messages", "off"))
    await world.tell(consent_changed("amy", "voice", "counted"), "20:20")
    assert await of(world, "amy") == {"300": (20, 20, 0)}


# --- questions ---


async def test_the_board_is_told_by_kind_of_time_and_includes_what_lasts(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), "20:30", voice_moved("bob", "300"), "20:40")
    await world.tell(voice_moved("cid", "301", state={"deafened": True}), "21:20", voice_moved("bob"), "21:30")
    board = await ask(world, "voice.leaderboard", kind="raw")
    assert {one.username: one.time_ms // MINUTE for one in board} == {"amy": 90, "bob": 50, "cid": 50}
    assert await ask(world, "voice.leaderboard", limit=1) == [VoiceTime("amy", 90 * MINUTE)]
    social = await ask(world, "voice.leaderboard", kind="social", since="all")
    assert {one.username: one.time_ms for one in social} == {"amy": 50 * MINUTE, "bob": 50 * MINUTE}
    assert await ask(world, "voice.leaderboard", kind="raw", channel="301") == [VoiceTime("cid", 50 * MINUTE)]
    quarter = await ask(world, "voice.leaderboard", kind="raw", from_="2025-03-03T21:00", to="2025-03-03T21:15")
    assert {one.username: one.time_ms for one in quarter} == dict.fromkeys(NAMES, 15 * MINUTE)


async def test_accounts_that_share_an_alias_are_one(world: World) -> None:
    await world.tell(alias_added("amy", "bob"), "20:00", voice_moved("amy", "300"), voice_moved("bob", "301"), "20:30")
    await world.tell(voice_moved("bob"), "20:40")
    assert await ask(world, "voice.leaderboard") == [VoiceTime("amy", 70 * MINUTE)]
    assert await of(world, "bob") == {"300": (40, 40, 0), "301": (30, 30, 0)}


async def test_stays_are_told_to_oneself_newest_first_and_the_one_that_lasts(world: World) -> None:
    await world.tell("18:30", voice_moved("amy", "300"), "18:50", voice_moved("amy", "301"), "19:00")
    await world.tell(voice_moved("amy"), "20:00", voice_moved("amy", "300"), "20:05")
    stays = [
        Session("100", "300", "2025-03-03T21:00:00+01:00", None, 5 * MINUTE, ""),
        Session("100", "301", "2025-03-03T19:50:00+01:00", "2025-03-03T20:00:00+01:00", 10 * MINUTE, "left"),
        Session("100", "300", "2025-03-03T19:30:00+01:00", "2025-03-03T19:50:00+01:00", 20 * MINUTE, "moved"),
    ]
    assert await ask(world, "voice.sessions", username="amy", tz="Europe/Berlin") == stays
    assert await ask(world, "voice.sessions", username="amy", tz="Europe/Berlin", limit=2) == stays[:2]
    assert await ask(world, "voice.sessions", username="amy", tz="Europe/Berlin", channel="301") == stays[1:2]
    assert await ask(world, "voice.sessions", username="amy", hours=1, tz="Europe/Berlin") == stays[:1]
    assert await refusal(world, "voice.sessions", asker="everyone", username="amy") == (
        403, "voice.sessions is answered to self only",
    )  # fmt: skip


async def test_a_period_has_the_longest_stay_of_that_period(world: World) -> None:
    await world.tell(
        "10:00", voice_moved("amy", "300"), "12:00", voice_moved("amy"), "20:00", voice_moved("amy", "300")
    )
    await world.tell("20:30", voice_moved("amy"), "20:40", voice_moved("amy", "300"), "20:45")
    (ever,) = await ask(world, "voice.user", username="amy")
    (lately,) = await ask(world, "voice.user", username="amy", hours=2)
    assert (ever.sessions, ever.longest_ms, ever.last) == (3, 120 * MINUTE, "2025-03-03T20:45:00+00:00")
    assert (lately.raw_ms, lately.sessions, lately.longest_ms) == (35 * MINUTE, 2, 30 * MINUTE)


async def test_single_stays_grow_old_and_sums_and_records_stay(world: World) -> None:
    told(world, session_days=2)
    await world.tell("20:00", voice_moved("amy", "300"), "20:30", voice_moved("amy"), stopped(GUILD))
    await world.tell(gap("2025-03-05 23:00"), started(GUILD), voice_moved("amy", "300"), gap("2025-03-05 23:01"))
    await world.tell(voice_moved("amy"))
    assert len(await ended(world)) == 2
    await world.tell(gap("2025-03-06 00:10"), voice_moved("amy"))
    assert await ended(world) == [("amy", "300", 1, "left")]
    assert await world.rows("SELECT kept_in, label, number FROM aged_rows") == [("voice_sessions", "left", 1)]
    (stay,) = await ask(world, "voice.user", username="amy")
    assert (stay.raw_ms, stay.sessions, stay.longest_ms) == (31 * MINUTE, 2, 30 * MINUTE)


async def test_an_empty_database_has_nobody_in_voice(world: World) -> None:
    assert await ask(world, "voice.leaderboard") == []
    assert await ask(world, "voice.leaderboard", since="all", kind="raw") == []
    assert await ask(world, "voice.now") == []
    assert await ask(world, "voice.user", username="amy") == []
    assert await ask(world, "voice.sessions", username="amy") == []
    assert await refusal(world, "voice.user", username="zoe") == (404, "nobody called 'zoe' was ever seen")


async def test_metrics_count_who_is_in_voice_and_what_is_credited(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), voice_moved("bob", "300", state={"deafened": True}))
    await world.tell(
        voice_counted(("300", 3, 1)), "20:10", voice_moved("amy"), voice_seen(), voice_seen(in_voice("bob"))
    )
    alive = world.now - 90_000
    found = {one.name: await world.rows(one.sql, alive=alive) for one in voice.STATISTIC.metrics}
    assert found == {
        "userstats_voice_people": [("discord", 4)],
        "userstats_voice_counted": [("discord", 1)],
        "userstats_voice_seconds_total": [
            ("discord", "active", 600), ("discord", "raw", 1200), ("discord", "social", 600),
        ],
        "userstats_voice_sessions_total": [("discord", 2)],
        "userstats_voice_drift_total": [("discord", 1)],
    }  # fmt: skip


# --- whatever happens ---

_who = st.sampled_from(NAMES)
_where = st.sampled_from(["300", "301"])
_state = st.fixed_dictionaries({}, optional=dict.fromkeys(("muted", "deafened", "afk", "streaming"), st.just(True)))
_voices = st.builds(lambda who, where, state: in_voice(who, where, **state), _who, _where, _state)
_deeds: st.SearchStrategy[Event] = st.one_of(
    st.builds(lambda who, where, state: voice_moved(who, where, state=state), _who, _where, _state),
    st.builds(voice_moved, _who),
    st.builds(lambda where, *counts: voice_counted((where, *counts)), _where, st.integers(0, 4), st.integers(0, 2)),
    st.lists(_voices, max_size=3, unique_by=lambda one: one.person).map(lambda seen: voice_seen(*seen)),
    st.builds(consent_changed, _who, st.just("voice"), st.sampled_from(["off", "shown", None])),
    st.builds(place_closed, st.just(VOICE)),
    st.builds(started, st.just(GUILD)),
    st.builds(stopped, st.just(GUILD)),
)
_passing: st.SearchStrategy[str | Gap] = st.one_of(
    st.sampled_from(["+1s", "+16m", "+2h"]), st.sampled_from(["+1s", "+90s", "+91s", "+16m"]).map(Gap)
)
_evenings = st.lists(st.one_of(_deeds, _deeds, _passing), max_size=30)


@settings(max_examples=60, deadline=None)
@given(_evenings, st.integers(1, 20))
def test_g04_g07_whatever_happens_social_lies_in_active_in_raw_time_and_boards_add_up(
    evening: list[str | Gap | Event], batch: int
) -> None:
    async def holds() -> None:
        said = [*known(*NAMES), started(GUILD), gap("20:00"), *evening, "+1m", *known(*NAMES)]
        async with lived(ROOMS, *said, batch=batch) as (world, _):
            await adds_up(world)

    async def adds_up(world: World) -> None:
        stays = [one for name in NAMES for one in await ask(world, "voice.user", username=name)]
        assert [one for one in stays if not one.social_ms <= one.active_ms <= one.raw_ms] == []
        assert [one for one in stays if max(one.muted_ms, one.deafened_ms, one.streaming_ms) > one.raw_ms] == []
        for kind, of_stay in {"raw": "raw_ms", "active": "active_ms", "social": "social_ms"}.items():
            for since in ("all", "30d"):
                board = await ask(world, "voice.leaderboard", kind=kind, since=since)
                assert sum(one.time_ms for one in board) == sum(getattr(one, of_stay) for one in stays)
        rows = await ask(world, "voice.channels", since="all")
        assert sum(one.raw_ms for one in rows) == sum(one.raw_ms for one in stays)
        social = await world.rows("SELECT COUNT(*) FROM open_spans WHERE span = 'voice_social' GROUP BY place")
        active = await world.rows("SELECT COUNT(*) FROM open_spans WHERE span = 'voice_active' GROUP BY place")
        assert set(social) <= set(active)
        assert await world.rows("SELECT * FROM parked_events") == []

    asyncio.run(holds())


@settings(max_examples=30, deadline=None)
@given(_evenings, st.integers(1, 7))
def test_the_same_events_leave_the_same_rows_whatever_the_batches_and_restarts_were(
    evening: list[str | Gap | Event], batch: int
) -> None:
    async def holds() -> None:
        said = [started(GUILD), gap("20:00"), *evening]
        async with lived(ROOMS, *said) as whole, lived(ROOMS, *said, batch=batch, restarting=True) as parts:
            assert await parts.world.dump() == await whole.world.dump()

    asyncio.run(holds())


def test_the_rules_that_can_be_set_are_known() -> None:
    assert msgspec.to_builtins(VoiceSettings()) == {
        "active_without": ("afk", "deafened"), "social_people": 2, "session_days": 90,
    }  # fmt: skip


async def test_a_name_that_is_worn_everywhere_is_found_in_each_guild_and_on_no_other_site(world: World) -> None:
    await world.tell("20:00", voice_moved("amy", "300"), message("amy"), named("amy"), "20:10")
    assert await of(world, "amy", domain="100") == {"300": (10, 10, 0)}
    assert await ask(world, "voice.user", username="amy", domain="cytu.be") == []
    assert (await refusal(world, "voice.user", username="amy"))[0] == 409
