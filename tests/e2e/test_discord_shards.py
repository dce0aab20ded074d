"""More than one shard, in one process and in several; and one shard that two processes want: the same counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from tests.brokers import Brokers
from tests.e2e.discord_answers import asked
from tests.e2e.discord_compared import coverage, wrong
from tests.e2e.discord_stage import Stage, evening_clock, settings, stage
from tests.stand_ins.discord import StandIn
from tests.stand_ins.discord_evening import Evening, Oracle, Town
from tests.stand_ins.discord_evening.line import Silence

SEED: Final = 3
ACTS: Final = 150
OFTEN: Final = {"beat_seconds": 0.2}
"""A shard that only tells of people's presence is silent for long; beats come often, and the clock goes slowly."""
LEASES: Final = {"lease_seconds": 3, "renew_seconds": 0.5}


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ({"shard_count": 2}, []),
        ({"shard_count": 2, "shard_ids": [0]}, [{"discord": {"shard_ids": [1]}}]),
    ],
    ids=["one process", "two processes"],
)
async def test_two_shards_count_as_one_does(
    fresh_broker: Brokers, first: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> None:
    clock = evening_clock(fresh_broker.folder)
    async with StandIn(settings(clock)) as site:
        evening = Evening(Town(site, SEED), clock, seed=SEED, acts=ACTS, calm=True, longest=2_000)
        around = clock.environment
        sections = {"discord": first, "bridge": OFTEN}
        async with stage(site, fresh_broker, environment=around, sessions=2, others=others, **sections) as there:
            await evening.spend(there)
            spent = await asked(there, Oracle(evening))
            covered = await there.data("system.coverage", since="all")

    assert (wrong(spent, coverage), site.violations, site.unknown) == ({}, [], [])
    assert [(row["domain"], row["channel"], row["gaps"]) for row in covered if not row["domain"]] == [
        ("", "", 0), ("", "shard.1.2", 0),
    ]  # fmt: skip


async def test_of_two_processes_with_the_same_shard_one_tells_and_the_other_goes_on(fresh_broker: Brokers) -> None:
    clock = evening_clock(fresh_broker.folder)
    async with StandIn(settings(clock)) as site:
        evening = Evening(Town(site, SEED), clock, seed=SEED, acts=ACTS, calm=True)
        around = clock.environment
        async with stage(site, fresh_broker, environment=around, others=[{}], bridge=LEASES) as there:

            async def dies() -> None:
                await taken_over(there, evening)

            await evening.spend(there, [dies])
            spent = await asked(there, Oracle(evening))

    assert (wrong(spent), site.violations, site.unknown) == ({}, [], [])
    assert site.gateway.identifies == 2


async def taken_over(there: Stage, evening: Evening) -> None:
    """The process that holds the shard is killed; the other one has it when the lease has run out."""
    assert there.site.gateway.identifies == 1
    await evening.moment()
    await evening.roll_call()
    await there.counted()
    first, since = len(there.site.record), evening.clock()
    waiting = [part for part in there.bridges if ": watching" not in part.log.read_text()]
    (telling,) = [part for part in there.bridges if part not in waiting]
    await telling.kill()
    for session in list(there.site.gateway.sessions.values()):
        there.site.gateway.forget(session)
    for _ in range(20):
        await evening.act()
        evening.clock.advance(1_500)
    await there.site.connected(within=30)
    await evening.heard()
    away = Silence("lost", first, len(there.site.record), since, evening.clock(), by_another=True)
    evening.line.silences.append(away)
    await evening.settled()
    await evening.moment()
