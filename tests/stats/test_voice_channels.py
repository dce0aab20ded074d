"""Which voice channels are used the most, when, and how full they are."""

from __future__ import annotations

import pytest

from tests.say import World, alias_added, clock, gap, message, named, started, stopped
from tests.say_guild import (
    ELSEWHERE,
    GENERAL,
    GUILD,
    consent_changed,
    in_voice,
    voice_counted,
    voice_moved,
    voice_seen,
)
from tests.stats.ask import ask
from userstats.frames import Cell
from userstats.stats import aliases, people, voice, voice_channels
from userstats.stats.voice_channels import VoiceBucket, VoiceChannel
from userstats.store.seam import Store

MINUTE = 60_000


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, voice.STATISTIC, voice_channels.STATISTIC, people.STATISTIC, aliases.STATISTIC)


async def test_channels_have_their_time_people_stays_and_peaks(world: World) -> None:
    await world.tell(started(GUILD), message("amy", GENERAL), "18:50", voice_moved("amy", "300"))
    await world.tell(
        voice_counted(("300", 1)), "19:00", voice_moved("bob", "300"), voice_counted(("300", 2, 1)), "19:10"
    )
    await world.tell(voice_moved("bob", "301"), voice_counted(("300", 2), ("301", 1)), "19:20")
    assert await ask(world, "voice.channels") == [
        VoiceChannel("100", "300", 40 * MINUTE, 40 * MINUTE, 20 * MINUTE + 10 * MINUTE, 2, 1, 3, 2),
        VoiceChannel("100", "301", 10 * MINUTE, 10 * MINUTE, 0, 1, 0, 1, 1),
    ]
    assert [one.channel for one in await ask(world, "voice.channels", channel="301")] == ["301"]
    await world.tell("19:30", stopped(GUILD))
    assert [(one.raw_ms, one.sessions, one.now) for one in await ask(world, "voice.channels")] == [
        (50 * MINUTE, 2, None), (20 * MINUTE, 1, None),
    ]  # fmt: skip


async def test_people_of_a_channel_are_counted_once_and_nobody_who_is_anonymous(world: World) -> None:
    await world.tell(named("amy", GUILD, everywhere=True), named("bob", GUILD, everywhere=True), started(GUILD))
    await world.tell(alias_added("amy", "bob"), consent_changed("cid", "voice", "anonymous"), "19:30")
    await world.tell(voice_moved("amy", "300"), voice_moved("bob", "300"), voice_moved("cid", "300"), "20:10")
    await world.tell(started(GUILD), voice_seen(in_voice("amy"), in_voice("cid"), in_voice("dan")), "20:20")
    (channel,) = await ask(world, "voice.channels")
    assert (channel.people, channel.raw_ms) == (2, (3 * 40 + 3 * 10) * MINUTE)


async def test_a_period_of_channels_is_cut_out(world: World) -> None:
    await world.tell(started(GUILD), "18:00", voice_moved("amy", "300"), voice_counted(("300", 4)), "19:00")
    await world.tell(voice_counted(("300", 2)), "19:30", voice_moved("amy"), voice_moved("bob", "301"), "20:00")
    hour = await ask(world, "voice.channels", from_="2025-03-03T19:15", to="2025-03-03T19:45")
    assert hour == [
        VoiceChannel("100", "300", 15 * MINUTE, 15 * MINUTE, 15 * MINUTE, 1, 1, 2, 2),
        VoiceChannel("100", "301", 15 * MINUTE, 15 * MINUTE, 0, 1, 0, 1, None),
    ]
    assert await ask(world, "voice.channels", from_="2025-03-03T12:00", to="2025-03-03T13:00") == []


async def test_without_headcounts_the_people_who_are_known_are_the_peak(world: World) -> None:
    await world.tell(started(GUILD), "19:00", voice_moved("amy", "300"), "19:20", voice_moved("bob", "300"), "19:40")
    await world.tell(voice_moved("amy"), voice_moved("bob"), "19:50")
    assert [(one.peak, one.now) for one in await ask(world, "voice.channels")] == [(2, None)]


# --- by time ---


async def test_a_peak_is_carried_on_through_quarters_in_which_nothing_changes(world: World) -> None:
    await world.tell(started(GUILD), "19:05", voice_counted(("300", 3), ("301", 1)), "19:50")
    await world.tell(voice_counted(("301", 0)), "20:05", voice_counted(("300", 0)), "20:40")
    first = clock("19:00") // (15 * MINUTE)
    peaks = "SELECT quarter - :first, people FROM voice_peaks v JOIN places p ON p.place = v.place "
    assert await world.rows(peaks + "WHERE p.channel = '' ORDER BY quarter", first=first) == [
        (0, 4), (1, 4), (2, 4), (3, 4), (4, 3),
    ]  # fmt: skip
    assert await world.rows(peaks + "WHERE p.channel = '300' ORDER BY quarter", first=first) == [
        (0, 3), (1, 3), (2, 3), (3, 3), (4, 3),
    ]  # fmt: skip
    assert await world.rows(peaks + "WHERE p.channel = '301' ORDER BY quarter", first=first) == [
        (0, 1), (1, 1), (2, 1), (3, 1),
    ]  # fmt: skip


async def test_a_peak_is_not_carried_into_what_nobody_saw(world: World) -> None:
    await world.tell(started(GUILD), "19:05", voice_counted(("300", 3)), "19:10", gap("21:00"), started(GUILD), "21:20")
    assert await world.rows("SELECT DISTINCT quarter FROM voice_peaks") == [(clock("19:00") // (15 * MINUTE),)]


async def test_active_and_social_time_that_is_over_counts_while_the_stay_lasts(world: World) -> None:
    await world.tell("19:00", started(GUILD), voice_moved("amy", "300"), voice_counted(("300", 2)), "19:05")
    await world.tell(voice_counted(("300", 1)), "19:10")
    (lounge,) = await ask(world, "voice.channels")
    assert (lounge.raw_ms, lounge.active_ms, lounge.social_ms) == (10 * MINUTE, 10 * MINUTE, 5 * MINUTE)
    await world.tell(voice_moved("amy", "300", state={"deafened": True}), "19:25")
    (lounge,) = await ask(world, "voice.channels")
    assert (lounge.raw_ms, lounge.active_ms, lounge.social_ms) == (25 * MINUTE, 10 * MINUTE, 5 * MINUTE)


async def test_time_and_peaks_by_hour(world: World) -> None:
    await world.tell("18:00", started(GUILD), "18:30", voice_moved("amy", "300"), voice_counted(("300", 1)), "19:10")
    await world.tell(voice_moved("bob", "301"), voice_counted(("300", 2), ("301", 3)), "19:20", voice_moved("amy"))
    await world.tell(voice_counted(("300", 0)), "20:15", stopped(GUILD), gap("22:00"))
    buckets = await ask(world, "voice.series", step="hour", from_="2025-03-03T18:00")
    assert buckets == [
        VoiceBucket("2025-03-03T18:00:00+00:00", 30 * MINUTE, 30 * MINUTE, 0, 1, 1.0),
        VoiceBucket("2025-03-03T19:00:00+00:00", 70 * MINUTE, 70 * MINUTE, 60 * MINUTE, 5, 1.0),
        VoiceBucket("2025-03-03T20:00:00+00:00", 15 * MINUTE, 15 * MINUTE, 15 * MINUTE, 3, 0.25),
        VoiceBucket("2025-03-03T21:00:00+00:00", None, None, None, None, 0.0),
    ]
    alone = await ask(
        world, "voice.series", step="hour", from_="2025-03-03T19:00", to="2025-03-03T20:00", channel="301"
    )
    assert [(one.raw_ms, one.peak) for one in alone] == [(50 * MINUTE, 3)]


async def test_g18_a_day_that_has_25_hours_is_told_with_all_of_them(world: World) -> None:
    await world.tell(gap("2025-10-25 21:00"), started(GUILD), voice_moved("amy", "300"), voice_counted(("300", 1)))
    await world.tell("2025-10-26 23:30")
    days = await ask(world, "voice.series", step="day", from_="2025-10-25", tz="Europe/Berlin")
    assert [(one.at, one.raw_ms) for one in days] == [
        ("2025-10-25T00:00:00+02:00", 60 * MINUTE),
        ("2025-10-26T00:00:00+02:00", 25 * 60 * MINUTE),
        ("2025-10-27T00:00:00+01:00", 30 * MINUTE),
    ]


async def test_hours_of_the_week_in_the_zone_of_who_asks(world: World) -> None:
    await world.tell("18:00", started(GUILD), "19:15", voice_moved("amy", "300"), voice_counted(("300", 2)), "19:45")
    await world.tell(voice_moved("amy"), voice_counted(("300", 0)), "20:00", stopped(GUILD), gap("21:00"))
    cells = {(one.weekday, one.hour): one for one in await ask(world, "voice.heatmap", tz="Asia/Kathmandu")}
    assert (cells[2, 0], cells[2, 1], cells[2, 2]) == (
        Cell(2, 0, 0, 60 * MINUTE), Cell(2, 1, 30 * MINUTE, 45 * MINUTE), Cell(2, 2, None, 0),
    )  # fmt: skip
    peaks = {(one.weekday, one.hour): one.value for one in await ask(world, "voice.peak", tz="Asia/Kathmandu")}
    assert (peaks[2, 0], peaks[2, 1], peaks[2, 2], len(peaks)) == (0, 2, None, 168)
    social = await ask(world, "voice.heatmap", kind="social")
    assert [one for one in social if one.value] == [Cell(1, 19, 30 * MINUTE, 60 * MINUTE)]


async def test_two_guilds_are_told_apart(world: World) -> None:
    await world.tell(started(GUILD), started(ELSEWHERE), "19:00", voice_moved("amy", "300"), voice_counted(("300", 2)))
    await world.tell(voice_moved("bob", "400", ELSEWHERE), voice_counted(("400", 7), where=ELSEWHERE), "19:30")
    assert [one.channel for one in await ask(world, "voice.channels", domain="101")] == ["400"]
    here = [one.value for one in await ask(world, "voice.peak", domain="100") if one.value]
    assert (here, [one.value for one in await ask(world, "voice.peak") if one.value]) == ([2], [7])


async def test_an_empty_database_has_no_voice_channels(world: World) -> None:
    assert await ask(world, "voice.channels") == []
    assert await ask(world, "voice.channels", since="all") == []
    assert await ask(world, "voice.series", since="all") == []
    assert {one.value for one in await ask(world, "voice.peak")} == {None}
    assert {one.value for one in await ask(world, "voice.heatmap", since="all")} == {None}
