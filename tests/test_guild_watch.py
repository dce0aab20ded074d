"""One watch sees all channels of a guild: what lasts in them is credited by the guild's signs of life."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lived import lived
from tests.rooms import GUILDS
from tests.say import Gap, World, beat, clock, gap, message, started, stopped
from tests.say_guild import (
    CONNECTION,
    ELSEWHERE,
    GENERAL,
    GUILD,
    account,
    consent_changed,
    in_voice,
    member_joined,
    member_left,
    presence_changed,
    shard,
    voice_moved,
    voice_seen,
)
from tests.test_spans import Credits, Oracle, _add
from userstats.contract import wire
from userstats.contract.events import BridgeStopped, Event, VoiceMoved, VoiceSeen
from userstats.service import Message
from userstats.store.seam import Store
from userstats.store.sqlite import SQLiteStore

MINUTE: Final = 60_000
NAMES: Final = ("amy", "bob", "cid")
PEOPLE: Final = {account(name): name for name in NAMES}
LASTING: Final = (
    "SELECT s.person, p.channel, s.span, s.since, w.seen_until FROM open_spans s JOIN places p ON p.place = s.place "
    "JOIN watches w ON w.place = COALESCE(p.observer, p.place)"
)


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, GUILDS)


async def credited(world: World) -> Credits:
    """Milliseconds by channel, person, quarter and nothing else; with what lasts up to the last sign of life."""
    found: Credits = Counter()
    for channel, who, quarter, amount in await world.rows(
        "SELECT p.channel, q.person, q.quarter, q.talk_ms FROM person_quarters q JOIN places p ON p.place = q.place"
    ):
        found[int(channel or 0), who, quarter, ""] += amount
    for who, channel, span, since, until in await world.rows(LASTING):
        _add(found, int(channel or 0), since, until, [("", who)] if span == "talk" else [])
    return {key: amount for key, amount in found.items() if amount}


async def minutes(world: World) -> dict[tuple[str, int], float]:
    """Minutes by person and channel."""
    found: Counter[tuple[str, int]] = Counter()
    for (channel, who, _, _), amount in (await credited(world)).items():
        found[PEOPLE[who], channel] += amount
    return {key: amount / MINUTE for key, amount in found.items()}


async def talks(world: World) -> list[tuple[Any, ...]]:
    """Every stay that ended, by name, channel, clock and reason."""
    rows = await world.rows(
        "SELECT t.person, p.channel, t.since, t.until, t.ended FROM talks t JOIN places p ON p.place = t.place "
        "ORDER BY t.since, t.person"
    )
    return sorted((PEOPLE[who], channel, since, until, why) for who, channel, since, until, why in rows)


async def test_what_lasts_in_a_channel_is_credited_by_the_guilds_beats_at_hour_borders(world: World) -> None:
    await world.tell(started(GUILD), "20:10", voice_moved("amy", "300"), "22:20")
    assert await world.rows("SELECT p.channel, talk_ms FROM person_totals t JOIN places p ON p.place = t.place") == [
        ("300", 110 * MINUTE)
    ]
    assert await world.rows("SELECT since, began FROM open_spans") == [(clock("22:00"), clock("20:10"))]
    assert await minutes(world) == {("amy", 300): 130}
    assert await world.rows("SELECT place FROM watches") == [(world.number(GUILD),)]


async def test_what_happens_in_one_channel_is_proof_of_life_for_another(world: World) -> None:
    await world.tell(started(GUILD), gap("20:00"), voice_moved("amy", "300"), gap("20:01"), message("bob", GENERAL))
    await world.tell(gap("20:02"), message("bob", GENERAL))
    assert await minutes(world) == {("amy", 300): 2}
    assert await world.rows("SELECT place, seen_until FROM watches") == [(world.number(GUILD), clock("20:02"))]


async def test_a_channel_that_nobody_spoke_in_before_is_seen_by_the_guilds_watch(world: World) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), "20:10", voice_moved("amy", "301"), "20:30")
    rows = await world.rows("SELECT channel, observer FROM places ORDER BY place")
    assert rows == [("", None), ("300", world.number(GUILD)), ("301", world.number(GUILD))]
    assert await minutes(world) == {("amy", 300): 10, ("amy", 301): 20}
    assert await talks(world) == [("amy", "300", clock("20:00"), clock("20:10"), "moved")]


@pytest.mark.parametrize(("reason", "until"), [("stopped", "20:10:20"), ("lost", "20:10")])
async def test_g02_what_lasts_in_channels_ends_with_the_guilds_watch(world: World, reason: Any, until: str) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), voice_moved("bob", "301"), "20:10")
    await world.tell(gap("20:10:20"), stopped(GUILD, reason=reason), gap("20:30"))
    assert await talks(world) == [
        ("amy", "300", clock("20:00"), clock(until), "unobserved"),
        ("bob", "301", clock("20:00"), clock(until), "unobserved"),
    ]
    assert sum((await minutes(world)).values()) == 2 * (clock(until) - clock("20:00")) / MINUTE
    assert await world.rows("SELECT * FROM open_spans") == []


async def test_g02_a_new_watch_ends_what_the_last_one_saw_in_all_channels(world: World) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), voice_moved("bob", "301"), "20:10")
    await world.tell(gap("20:20"), started(GUILD), voice_seen(in_voice("bob", "300")), "20:30")
    await world.tell(gap("20:31"), started(GUILD), "20:40")
    assert await minutes(world) == {("amy", 300): 10, ("bob", 301): 10, ("bob", 300): 10}
    assert await talks(world) == [
        ("amy", "300", clock("20:00"), clock("20:10"), "unobserved"),
        ("bob", "300", clock("20:20"), clock("20:30"), "unobserved"),
        ("bob", "301", clock("20:00"), clock("20:10"), "unobserved"),
    ]


async def test_g02_the_silence_of_a_guild_is_credited_in_none_of_its_channels(world: World) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), "20:10", gap("21:00"), beat(GUILD), "21:05")
    assert await minutes(world) == {("amy", 300): 15}
    assert await talks(world) == [("amy", "300", clock("20:00"), clock("20:10"), "unobserved")]
    assert await world.rows("SELECT since, began FROM open_spans") == [(clock("21:00"), clock("21:00"))]
    await world.tell(voice_moved("amy"))
    assert await talks(world) == [
        ("amy", "300", clock("20:00"), clock("20:10"), "unobserved"),
        ("amy", "300", clock("21:00"), clock("21:05"), "left"),
    ]


async def test_what_an_ended_watch_still_says_of_a_channel_moves_nobody(world: World) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), "20:10", started(GUILD))
    await world.tell(voice_seen(in_voice("amy", "300")), voice_moved("amy", watch="watch-1"), "20:20")
    await world.tell(message("bob", GENERAL, watch="watch-1"), "20:30")
    assert await minutes(world) == {("amy", 300): 30}


async def test_a_channel_that_an_ended_watch_told_of_first_is_seen_by_the_next_one(world: World) -> None:
    await world.tell("20:00", started(GUILD), started(GUILD), voice_moved("bob", "300", watch="watch-1"))
    assert await world.rows("SELECT channel, observer FROM places") == [("", None), ("300", None)]
    await world.tell(voice_moved("amy", "300"), "20:10")
    assert await world.rows("SELECT channel, observer FROM places") == [("", None), ("300", world.number(GUILD))]
    assert await minutes(world) == {("amy", 300): 10}


async def test_g01_a_restart_between_two_moves_changes_nothing(store: Store, tmp_path: Path) -> None:
    evening: list[str | Gap | Event] = [
        started(GUILD), "20:00", voice_moved("amy", "300"), member_joined("bob"), "20:50", voice_moved("bob", "300"),
        "21:10", voice_moved("amy", "301"), "21:20", started(GUILD), voice_seen(in_voice("bob", "301")), "22:10",
    ]  # fmt: skip
    other = await SQLiteStore.open(tmp_path / "other.db")
    whole, broken = await World.open(store, GUILDS), await World.open(other, GUILDS)
    await whole.tell(*evening)
    for one in evening:
        await broken.tell(one)
        await broken.restart()
    assert await broken.dump() == await whole.dump()
    assert await minutes(whole) == {("amy", 300): 70, ("amy", 301): 10, ("bob", 300): 30, ("bob", 301): 50}
    await other.close()


async def test_two_guilds_do_not_keep_each_other_alive(world: World) -> None:
    await world.tell(started(GUILD), started(ELSEWHERE), "20:00", voice_moved("amy", "300"))
    await world.tell(voice_moved("amy", "400", ELSEWHERE), "20:10", stopped(GUILD), "20:30")
    assert await minutes(world) == {("amy", 300): 10, ("amy", 400): 30}


async def test_a_channel_that_was_observed_by_itself_is_taken_over_by_its_guild(world: World) -> None:
    await world.tell("20:00", message("amy", GENERAL), member_joined("amy", GENERAL), "20:10", gap("20:30"))
    assert await world.rows("SELECT place FROM watches") == [(world.number(GENERAL),)]
    await world.tell(started(GUILD), message("amy", GENERAL), "20:40")
    assert await world.rows("SELECT place FROM watches") == [(world.number(GUILD),)]
    assert await world.rows("SELECT place, since, until FROM observed ORDER BY place") == [
        (world.number(GENERAL), clock("20:00"), clock("20:10")), (world.number(GUILD), clock("20:30"), clock("20:40")),
    ]  # fmt: skip


async def test_a_ghost_of_a_stay_leaves_its_milliseconds_and_nothing_else(world: World) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), gap("20:00:00.999"), voice_moved("amy", "301"))
    await world.tell(gap("20:00:02"), voice_moved("amy"))
    assert await talks(world) == [("amy", "301", clock("20:00:00.999"), clock("20:00:02"), "left")]
    assert await world.rows("SELECT talk_ms, talks FROM person_totals ORDER BY place") == [(999, 0), (1001, 1)]
    assert await world.rows("SELECT longest_ms, last_at FROM talk_records") == [(1001, clock("20:00:02"))]


async def test_the_longest_stay_is_remembered_whatever_ended_it(world: World) -> None:
    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), "20:30", voice_moved("amy"), "20:40")
    await world.tell(voice_moved("amy", "300"), "20:50", started(GUILD), voice_seen(in_voice("amy")), "20:55")
    await world.tell(voice_seen(), "21:00")
    assert await world.rows("SELECT longest_ms, last_at FROM talk_records") == [(30 * MINUTE, clock("20:55"))]
    assert await world.rows("SELECT talks FROM person_totals") == [(3,)]
    assert (await talks(world))[-1] == ("amy", "300", clock("20:50"), clock("20:55"), "missed")


# --- states about something ---


async def played(world: World) -> dict[tuple[str, str], int]:
    """Minutes by person and game, credited."""
    rows = await world.rows("SELECT person, game, SUM(play_ms) FROM played_totals GROUP BY person, game")
    return {(PEOPLE[who], game): amount // MINUTE for who, game, amount in rows}


async def test_a_state_about_something_is_credited_to_what_it_is_about(world: World) -> None:
    await world.tell(
        started(CONNECTION), "20:00", presence_changed("amy", "online", "playing:Chess", "playing:Go: 9x9")
    )
    await world.tell(presence_changed("bob", "online", "playing:Chess"), "20:10")
    await world.tell(presence_changed("amy", "online", "playing:Go: 9x9"), "21:05")
    assert await played(world) == {("amy", "Chess"): 10, ("amy", "Go: 9x9"): 60, ("bob", "Chess"): 60}
    assert await world.rows("SELECT span, since, began FROM open_spans WHERE span LIKE 'play:%' ORDER BY span") == [
        ("play:Chess", clock("21:00"), clock("20:00")), ("play:Go: 9x9", clock("21:00"), clock("20:10")),
    ]  # fmt: skip
    await world.restart()
    await world.tell(presence_changed("amy", "offline"), presence_changed("bob", "offline"), "21:10")
    assert await played(world) == {("amy", "Chess"): 10, ("amy", "Go: 9x9"): 65, ("bob", "Chess"): 65}
    assert await world.rows("SELECT * FROM open_spans") == []
    assert (world.service.state.spans.keys() & {"play:Chess"}, world.service.state.details) == (set(), {})


async def test_g05_who_is_seen_by_two_connections_has_one_time(world: World) -> None:
    chess = ("online", "playing:Chess")
    await world.tell(started(CONNECTION), started(shard(1, 2)), "20:00")
    await world.tell(presence_changed("amy", *chess), presence_changed("amy", *chess, where=shard(1, 2)), "20:30")  # type: ignore[arg-type]
    await world.tell(presence_changed("amy", "offline"), "20:40")
    assert await played(world) == {("amy", "Chess"): 30}


async def test_g02_what_a_silent_watch_had_seen_ends_with_its_last_sign_of_life_when_another_takes_over(
    world: World,
) -> None:
    chess = presence_changed("amy", "online", "playing:Chess")
    await world.tell(started(CONNECTION), "20:00", chess, "20:10", gap("20:20"))
    await world.tell(
        started(shard(1, 2)), presence_changed("amy", "idle", "playing:Go", where=shard(1, 2)), gap("20:21")
    )
    await world.tell(presence_changed("amy", "offline", where=shard(1, 2)))
    assert await played(world) == {("amy", "Chess"): 10, ("amy", "Go"): 1}
    assert await world.rows("SELECT SUM(up_ms) FROM person_totals") == [(11 * MINUTE,)]


# --- states that nobody needs to observe ---


async def test_what_is_not_credited_survives_the_watches(world: World) -> None:
    await world.tell(started(GUILD), "20:00", member_joined("amy"), "20:10", stopped(GUILD), gap("23:00"))
    await world.tell(started(GUILD), "2025-03-04 01:00", started(GUILD))
    assert await world.rows("SELECT span, place, since, began FROM open_spans") == [
        ("member", world.number(GUILD), clock("20:00"), clock("20:00"))
    ]
    await world.restart()
    await world.tell(member_left("amy"))
    assert await world.rows("SELECT * FROM open_spans") == []
    assert await world.rows("SELECT * FROM person_quarters") == []


# --- people who do not want it ---


async def test_who_does_not_want_it_is_forgotten_wherever_they_are_and_not_credited(world: World) -> None:
    await world.tell(started(GUILD), started(ELSEWHERE), started(CONNECTION), "20:10", voice_moved("amy", "300"))
    await world.tell(voice_moved("amy", "400", ELSEWHERE), voice_moved("bob", "300"), member_joined("amy"))
    await world.tell(
        presence_changed("amy", "online", "playing:Chess"), "21:30", consent_changed("amy", "voice", "off")
    )
    await world.tell("22:00", voice_moved("amy"))
    assert await world.rows("SELECT span, person FROM open_spans ORDER BY span") == [
        ("member", account("amy")), ("talk", account("bob")),
    ]  # fmt: skip
    assert await minutes(world) == {("amy", 300): 50, ("amy", 400): 50, ("bob", 300): 110}
    assert await played(world) == {("amy", "Chess"): 50}
    assert await talks(world) == []


# --- whatever happens ---

_who = st.sampled_from(NAMES)
_where = st.sampled_from(["300", "301", "302"])
_moves: st.SearchStrategy[Event] = st.one_of(
    st.builds(voice_moved, _who, _where),
    st.builds(voice_moved, _who, _where, before=_where),
    st.builds(voice_moved, _who),
    st.builds(message, _who, st.just(GENERAL)),
    st.lists(st.builds(in_voice, _who, _where), max_size=3, unique_by=lambda one: one.person).map(
        lambda people: voice_seen(*people)
    ),
    st.builds(started, st.just(GUILD)),
    st.builds(stopped, st.just(GUILD), reason=st.sampled_from(["stopped", "lost"])),
    st.builds(voice_moved, _who, _where, watch=st.sampled_from(["watch-1", "watch-2"])),
)
_passing: st.SearchStrategy[str | Gap] = st.one_of(
    st.sampled_from(["+1s", "+20s", "+16m", "+2h"]), st.sampled_from(["+1s", "+90s", "+91s", "+16m"]).map(Gap)
)
_evenings = st.lists(st.one_of(_moves, _moves, _passing), max_size=30)


class Halls(Oracle):
    """What is to be credited at the guild's channels, worked out slowly: between any two signs of life of the guild."""

    def _follow(self, event: Event) -> None:
        match event:
            case VoiceMoved(person=who, now=now):
                self.states = {one for one in self.states if one[1] != who}
                self.states |= {(now.channel, who)} if now else set()
            case VoiceSeen(people=people):
                self.states = {(one.channel, one.person) for one in people}
            case BridgeStopped():
                super()._follow(event)


def expected(stream: Sequence[Message]) -> Credits:
    found: Credits = Counter()
    oracle = Halls(0, found)
    for one in stream:
        event = wire.decode(one.data, one.subject)
        assert isinstance(event, Event)
        oracle.hear(event)
    return {(int(channel), who, quarter, ""): amount for (_, who, quarter, channel), amount in found.items() if amount}


def evening_of(evening: Sequence[str | Gap | Event]) -> list[str | Gap | Event]:
    """The evening of a guild that is observed."""
    return [started(GUILD), gap("20:00"), *evening]


@settings(max_examples=60, deadline=None)
@given(_evenings, st.integers(1, 20))
@example([started(GUILD), voice_moved("amy", "300", watch="watch-1"), voice_moved("amy", "300"), "+30s"], 1)
def test_g04_every_interleaving_of_moves_is_credited_once_and_to_the_right_channel(
    evening: list[str | Gap | Event], batch: int
) -> None:
    async def holds() -> None:
        async with lived([GUILDS], *evening_of(evening), batch=batch) as (world, stream):
            assert await credited(world) == expected(stream)

    asyncio.run(holds())


@settings(max_examples=40, deadline=None)
@given(_evenings)
def test_g04_the_channels_of_a_person_add_up_to_no_more_than_was_observed_of_the_guild(
    evening: list[str | Gap | Event],
) -> None:
    async def holds() -> None:
        async with lived([GUILDS], *evening_of(evening), "+1m") as (world, _):
            observed = await world.rows("SELECT since, until FROM observed")
            sums = Counter[int]()
            for (_, who, _, _), amount in (await credited(world)).items():
                sums[who] += amount
            assert max(sums.values(), default=0) <= sum(until - since for since, until in observed)

    asyncio.run(holds())


@settings(max_examples=30, deadline=None)
@given(_evenings, st.integers(1, 7), st.booleans())
def test_g01_the_same_moves_leave_the_same_rows_whatever_the_batches_and_restarts_were(
    evening: list[str | Gap | Event], batch: int, restarting: bool
) -> None:
    async def holds() -> None:
        said = evening_of(evening)
        async with lived([GUILDS], *said) as whole, lived([GUILDS], *said, batch=batch, restarting=restarting) as parts:
            assert await parts.world.dump() == await whole.world.dump()

    asyncio.run(holds())
