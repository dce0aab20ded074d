"""kill -9 of the bridge to Discord, of userstats and of nats-server; bursts; malformed dispatches."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import pytest

from tests.brokers import Brokers
from tests.e2e.discord_answers import asked
from tests.e2e.discord_compared import wrong
from tests.e2e.discord_stage import Stage, evening_clock, settings, stage
from tests.stand_ins.discord import Actor, Channel, Guild, StandIn, activities
from tests.stand_ins.discord_evening import Evening, Oracle, Town
from tests.stand_ins.discord_evening.choosing import Choice
from tests.stored import events, letters
from userstats.contract.events import EventRefused, MessageSent, PresenceChanged, VoiceMoved
from userstats.contract.pseudonym import Pseudonyms, load_key

SEED: Final = int(os.environ.get("USERSTATS_STORM_SEED") or secrets.randbelow(10**6))
BEAT: Final = 500
"""Milliseconds between two beats where the bridge is killed."""


@pytest.mark.faults
async def test_g01_userstats_and_the_broker_are_killed_and_every_count_is_exact(fresh_broker: Brokers) -> None:
    print(f"USERSTATS_STORM_SEED={SEED}")
    clock = evening_clock(fresh_broker.folder)
    async with StandIn(settings(clock)) as site:
        evening = Evening(Town(site, SEED), clock, seed=SEED, acts=200, calm=True)
        async with stage(site, fresh_broker, environment=clock.environment) as there:

            async def userstats_dies() -> None:
                await there.userstats.kill()
                await go_on(evening)
                await there.userstats.start()

            async def broker_dies() -> None:
                os.kill(fresh_broker.running.pid, signal.SIGKILL)
                await fresh_broker.embedded.stop()
                await go_on(evening)
                await fresh_broker.embedded.start()

            await evening.spend(there, (userstats_dies, broker_dies, userstats_dies, broker_dies))
            spent = await asked(there, Oracle(evening))

    assert (wrong(spent), site.violations) == ({}, []), SEED
    assert await letters(fresh_broker) == []


async def go_on(evening: Evening) -> None:
    """Things happen."""
    for _ in range(15):
        await evening.act()
        await evening.moment()


# -- the bridge is killed ---------------------------------------------------------------------------------------------


class Kill(NamedTuple):
    """What there is to know of an evening in which the bridge was killed, by the site's clock in ms."""

    began: int
    """Everybody's consent was known."""
    killed: int
    back: int
    ended: int
    told: Mapping[int, int]
    """Milliseconds in voice, by person."""
    messages: Mapping[str, int]
    coverage: list[dict[str, Any]]
    delay: int
    """Milliseconds that the slowest message took from the site's clock to the bridge's."""


async def test_g01_a_killed_bridge_costs_a_beat_at_most_and_nothing_counts_twice(fresh_broker: Brokers) -> None:
    print(f"USERSTATS_STORM_SEED={SEED}")
    chance = random.Random(SEED)
    async with StandIn(settings()) as site:
        guild = site.guild("cinema")
        general = site.channel(guild, "general")
        rooms = [site.channel(guild, name, "voice") for name in ("lounge", "balcony", "stairs")]
        people = site.populate(guild, 12)
        async with stage(site, fresh_broker, bridge={"beat_seconds": BEAT / 1000}) as there:
            kill = await lived(there, guild, general, rooms, people, chance)
    lasted = {one.id: observed(site, one, (kill.began, kill.killed), (kill.back, kill.ended)) for one in people}
    slack = {one.id: (kill.delay + 50) * (2 + edges(site, one)) for one in people}
    bounds = {who: (lasted[who] - BEAT - slack[who], kill.told[who], lasted[who] + slack[who]) for who in lasted}

    assert bounds == {who: tuple(sorted(three)) for who, three in bounds.items()}, SEED
    assert sum(kill.told.values()) > 6 * 3000
    said = [deed for deed in site.record.of("message") if not kill.killed <= deed.at < kill.back]
    assert kill.messages == Counter(site.world.users[deed.who or 0].name for deed in said), SEED
    assert all(one.facts["text"] != "unheard" for one in said)
    (whole,) = [row for row in kill.coverage if row["domain"] == str(guild.id)]
    (gap,) = whole["latest_gaps"]
    ends = [milliseconds(gap["from"]), milliseconds(gap["to"])]
    assert kill.killed - BEAT - kill.delay - 1050 <= ends[0] <= kill.killed
    assert kill.killed < ends[1] <= kill.back + kill.delay + 50
    assert (site.violations, site.unknown) == ([], [])


async def lived(
    there: Stage,
    guild: Guild,
    general: Channel,
    rooms: Sequence[Channel],
    people: Sequence[Actor],
    chance: random.Random,
) -> Kill:
    """People wander about and talk; the bridge is killed, and comes back; it stops."""
    site = there.site
    for one in people:
        await one.join_voice(chance.choice(rooms))
    await there.choose([(one, "voice", "shown") for one in people], people[-1])
    began = site.now()
    await wander(rooms, people, general, chance, 1.2)
    await heard(site)
    await there.until(lambda: all_said(there, general), "not everything was counted")
    await there.bridge.kill()
    killed = site.now()
    for session in list(site.gateway.sessions.values()):
        site.gateway.forget(session)
    for one in people[::3]:
        await one.leave_voice()
    await people[0].say(general, "unheard")
    await asyncio.sleep(0.8)
    await there.bridge.start()
    await site.connected(within=20)
    await heard(site)
    back = site.now()
    await wander(rooms, [one for one in people if site.voice.state(one.user)], general, chance, 1.0)
    await heard(site)
    await there.bridge.stop()
    ended = site.now()
    told = {}
    for one in people:
        rows = await there.data("voice.user", username=one.user.name, since="all")
        told[one.id] = sum(row["raw_ms"] for row in rows)
    board = await there.data("leaderboard.messages", since="all", limit=50)
    delay = max(event.seen - event.at for event in await events(there.brokers) if isinstance(event, MessageSent))
    messages = {row["username"]: row["count"] for row in board}
    return Kill(began, killed, back, ended, told, messages, await there.data("system.coverage", since="all"), delay)


async def wander(
    rooms: Sequence[Channel], people: Sequence[Actor], general: Channel, chance: random.Random, seconds: float
) -> None:
    """Somebody moves or says something, again and again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        await chance.choice(people).join_voice(chance.choice(rooms))
        await chance.choice(people).say(general, "here")
        await asyncio.sleep(0.03)


async def heard(site: StandIn) -> None:
    """Until the bridge has said that it got everything."""
    async with asyncio.timeout(10):
        while not all(one.is_heard for one in site.gateway.sessions.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def all_said(there: Stage, general: Channel) -> bool:
    rows = await there.data("channel.messages", since="all")
    return bool(sum(row["messages"] for row in rows) == len(general.messages))


def observed(site: StandIn, who: Actor, *times: tuple[int, int]) -> int:
    """How long somebody really was in voice within these times."""
    spans = [(span.began, span.ended) for span in site.record.voice_spans(times[-1][1]) if span.who == who.id]
    return sum(max(0, min(end, until) - max(start, since)) for start, end in spans for since, until in times)


def edges(site: StandIn, who: Actor) -> int:
    """How often they came, moved or went."""
    return sum(1 for _ in site.record.of("voice", who=who.id))


def milliseconds(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)


# -- bursts -----------------------------------------------------------------------------------------------------------


async def test_a_burst_in_one_read_is_counted_with_the_state_that_each_event_carried(fresh_broker: Brokers) -> None:
    clock = evening_clock(fresh_broker.folder)
    async with StandIn(settings(clock)) as site:
        guild = site.guild("cinema")
        general = site.channel(guild, "general")
        rooms = [site.channel(guild, f"room{number}", "voice") for number in range(4)]
        people = site.populate(guild, 25)
        async with stage(site, fresh_broker, environment=clock.environment) as there:
            await people[0].join_voice(rooms[0])
            choices: list[Choice] = [(one, "presence", "shown") for one in people]
            choices += [(one, "voice", "shown") for one in reversed(people)]
            await there.choose(choices, people[0])
            played, moved = await burst(site, rooms, people)
            await heard(site)
            clock.advance(60_000)
            await site.owner.say(general, "a minute later")
            await site.owner.dm("a minute later")
            await there.counted()
            games = await there.data("presence.games", since="all", limit=500)
            now = {one["username"]: one["channel"] for one in await there.data("voice.now", limit=500)}
            times = {
                one.user.name: await there.data("voice.user", username=one.user.name, since="all") for one in people
            }
    names = Pseudonyms(load_key(fresh_broker.folder / "data" / "pseudonym.key"))
    stored = await events(fresh_broker)
    by_person = {names.person("discord", str(one.id)): one.id for one in people}

    assert {row["name"]: row["times"] for row in games} == Counter(game for _, game in played)
    assert [
        (by_person[event.presence.person], event.presence.activities[0].name)
        for event in stored if isinstance(event, PresenceChanged)
    ] == played  # fmt: skip
    assert [
        (by_person[event.person], event.before, event.now.channel if event.now else "")
        for event in stored if isinstance(event, VoiceMoved)
    ][-len(moved) :] == moved  # fmt: skip
    last = {who: channel for who, _, channel in moved}
    assert now == {one.user.name: last[one.id] for one in people}
    assert {
        name: [(row["channel"], row["raw_ms"]) for row in rows if row["raw_ms"]] for name, rows in times.items()
    } == {one.user.name: [(last[one.id], 60_000)] for one in people}
    assert (site.violations, site.unknown, await letters(fresh_broker)) == ([], [], [])


async def burst(
    site: StandIn, rooms: Sequence[Channel], people: Sequence[Actor]
) -> tuple[list[tuple[int, str]], list[tuple[int, str, str]]]:
    """1,000 changes of presence and 1,000 moves in one write; who played what, and who went from where to where."""
    played: list[tuple[int, str]] = []
    moved: list[tuple[int, str, str]] = []
    where = {one.id: "" for one in people} | {people[0].id: str(rooms[0].id)}
    with site.burst():
        for number in range(1000):
            person = people[number % len(people)]
            game = f"Game {number % 40}-{number // 40 % 2}"
            await person.presence("online", activities.playing(game))
            played.append((person.id, game))
            room = next(it for it in (rooms[number % 4], rooms[(number + 1) % 4]) if str(it.id) != where[person.id])
            await person.join_voice(room)
            moved.append((person.id, where[person.id], str(room.id)))
            where[person.id] = str(room.id)
    return played, moved


async def test_a_malformed_dispatch_is_counted_dropped_and_survived(fresh_broker: Brokers) -> None:
    async with StandIn(settings()) as site:
        guild = site.guild("cinema")
        general = site.channel(guild, "general")
        amy = site.user("amy")
        site.enrol(guild, amy)
        async with stage(site, fresh_broker) as there:
            await amy.say(general, "before")
            sessions = set(site.gateway.sessions)
            for name, payload in broken(guild, general):
                site.faults.dispatch(name, payload)
            await amy.say(general, "after")
            await there.until(lambda: all_said(there, general), "the bridge did not go on")
            refused = await refusals(fresh_broker)
            log = there.bridge.log.read_text()
    assert set(site.gateway.sessions) == sessions
    assert set(refused) == {name for name, _ in broken(guild, general)}
    assert "somebody-wrote-this" not in log


def broken(guild: Guild, general: Channel) -> Iterable[tuple[str, Any]]:
    """Dispatches that mean nothing."""
    where = {"guild_id": str(guild.id), "channel_id": str(general.id)}
    return (
        ("MESSAGE_CREATE", {**where, "id": "somebody-wrote-this", "content": ["somebody-wrote-this"]}),
        ("VOICE_STATE_UPDATE", {**where, "user_id": {"x": "somebody-wrote-this"}}),
        ("PRESENCE_UPDATE", {"guild_id": str(guild.id), "user": "somebody-wrote-this", "status": 7}),
        ("GUILD_MEMBER_ADD", {"guild_id": str(guild.id), "user": None}),
        ("THREAD_CREATE", {"guild_id": str(guild.id), "name": "somebody-wrote-this"}),
        ("MESSAGE_REACTION_ADD", {**where, "emoji": "somebody-wrote-this"}),
    )


async def refusals(brokers: Brokers) -> list[str]:
    return [event.refused for event in await events(brokers) if isinstance(event, EventRefused)]
