"""Fifty people in three guilds of Discord for an evening, through the bridge, the broker and userstats: every count and
every millisecond is what an independent oracle makes of what really happened.

All processes run as users start them; bridge and userstats have the clock of the stand-in, which stands still until the
bridge has heard what was done (see `discord_evening/evening.py`). So nothing is compared with a tolerance.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio

from tests.brokers import Brokers, started
from tests.e2e import discord_compared as compared
from tests.e2e.discord_answers import Spent, asked
from tests.e2e.discord_stage import evening_clock, settings, stage
from tests.stand_ins.discord import StandIn
from tests.stand_ins.discord_evening import Evening, Oracle, Town
from tests.stored import letters

SEED: Final = int(os.environ.get("USERSTATS_EVENING_SEED") or 7)
ACTS: Final = 1500
STORM_SEED: Final = int(os.environ.get("USERSTATS_STORM_SEED") or secrets.randbelow(10**6))
HOUR: Final = 3_600_000


class Heard(NamedTuple):
    """An evening, what is said of it, and what the processes said."""

    spent: Spent
    dead: list[Any]
    """Letters."""
    errors: list[str]
    """In the logs."""


async def heard(brokers: Brokers, seed: int, acts: int) -> Heard:
    """Spend an evening, and ask."""
    clock = evening_clock(brokers.folder)
    async with StandIn(settings(clock)) as site:
        evening = Evening(Town(site, seed), clock, seed=seed, acts=acts)
        async with stage(site, brokers, environment=clock.environment) as there:
            await evening.spend(there)
            spent = await asked(there, Oracle(evening))
            lines = [line for part in (there.userstats, there.bridge) for line in part.log.read_text().splitlines()]
    errors = [line for line in lines if " ERROR " in line or "Traceback" in line]
    return Heard(spent, list(await letters(brokers)), errors)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Heard]:
    """Spent once; each test looks at a part of it."""
    print(f"USERSTATS_EVENING_SEED={SEED}")
    brokers = Brokers(await started(Path(tmp_path_factory.mktemp("evening"))))
    yield await heard(brokers, SEED, ACTS)
    await brokers.disconnect()
    await brokers.embedded.stop()


@pytest.fixture
def spent(evening: Heard) -> Spent:
    return evening.spent


def test_the_evening_had_everything_in_it(spent: Spent) -> None:
    kinds = Counter(deed.what for deed in spent.oracle.told.record.deeds)
    troubles = Counter(one.kind for one in spent.oracle.line.silences)

    assert len(spent.oracle.told.record.deeds) > 2000
    assert {
        "message", "edit", "delete", "react", "unreact", "reactions_cleared", "voice", "presence", "joined", "left",
        "kicked", "banned", "nick", "renamed", "role_given", "thread_created", "thread_joined", "thread_archived",
        "thread_unarchived", "thread_deleted", "channel_created", "outage", "outage_over", "bot_left", "consent",
    } <= kinds.keys()  # fmt: skip
    assert troubles == {"replayed": 7, "lost": 4}


def test_nothing_was_said_that_discords_documents_do_not_allow(spent: Spent) -> None:
    site = spent.oracle.town.site

    assert (site.violations, site.unknown, site.proxy.refused) == ([], [], [])


def test_nothing_was_refused_and_nothing_went_wrong(evening: Heard) -> None:
    assert (evening.dead, evening.errors) == ([], [])


def test_g13_what_everybody_said_changed_and_took_back_is_as_it_was(spent: Spent) -> None:
    found, expected = compared.messages(spent)

    assert found == expected
    assert sum(row[0] for row in expected.values()) > 800


def test_g08_messages_of_persons_and_all_others_are_told_apart_in_every_channel(spent: Spent) -> None:
    found, expected = compared.kinds(spent)

    assert found == expected
    assert sum(row[-1] for row in expected.values()) > 20


def test_private_messages_to_the_bot_are_counted(spent: Spent) -> None:
    found, expected = compared.private(spent)

    assert found == expected


def test_g13_reactions_are_counted_net_and_gross(spent: Spent) -> None:
    found, expected = compared.reactions(spent)

    assert found == expected


def test_threads_are_counted_where_they_hang(spent: Spent) -> None:
    found, expected = compared.threads(spent)

    assert found == expected


def test_g04_everybodys_time_in_every_voice_channel_is_what_it_was(spent: Spent) -> None:
    found, expected = compared.voice(spent)

    assert found == expected
    assert sum(row[0] for row in expected.values()) > 2 * HOUR
    assert all(map(any, zip(*expected.values(), strict=True)))


def test_g02_every_stay_ends_when_it_was_seen_last(spent: Spent) -> None:
    found, expected = compared.stays(spent)

    assert found == expected
    assert {"left", "moved", "unobserved", ""} <= {row[-1] for row in expected}


def test_g07_voice_channels_have_the_time_of_all_who_let_it_be_counted(spent: Spent) -> None:
    found, expected = compared.voice_channels(spent)

    assert found == expected


def test_g10_who_is_in_voice_now_is_who_lets_everybody_see_it(spent: Spent) -> None:
    found, expected = compared.in_voice(spent)

    assert found == expected


def test_g05_everybodys_status_is_one_however_many_guilds_told_it(spent: Spent) -> None:
    found, expected = compared.presence(spent)

    assert found == expected
    assert sum(sum(row[:3]) for row in expected.values()) > 5 * HOUR


def test_what_people_were_seen_to_do_lasted_as_long_as_it_did(spent: Spent) -> None:
    found, expected = compared.activities(spent)

    assert found == expected


def test_g28_a_status_is_told_of_who_let_it_be_told_and_of_nobody_else(spent: Spent) -> None:
    found, expected = compared.statuses(spent)

    assert found == expected


def test_g09_who_came_and_went_is_known_also_of_what_nobody_saw(spent: Spent) -> None:
    found, expected = compared.members(spent)

    assert found == expected


def test_g10_boards_show_those_who_let_themselves_be_shown(spent: Spent) -> None:
    found, expected = compared.boards(spent)

    assert found == expected


def test_g03_what_was_observed_and_what_was_not_is_told(spent: Spent) -> None:
    found, expected = compared.coverage(spent)

    assert found == expected
    assert min(gaps for _, gaps in expected.values()) >= 3


def test_the_numbers_of_the_guilds_are_those_in_the_end(spent: Spent) -> None:
    found, expected = compared.guilds(spent)

    assert found == expected


@pytest.mark.faults
async def test_another_evening_each_time_is_counted_as_exactly(fresh_broker: Brokers) -> None:
    print(f"USERSTATS_STORM_SEED={STORM_SEED}")
    other = await heard(fresh_broker, STORM_SEED, 300)

    assert (compared.wrong(other.spent), other.dead, other.errors) == ({}, [], []), STORM_SEED
    assert other.spent.oracle.town.site.violations == [], STORM_SEED
