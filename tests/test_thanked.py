"""Every question about thanks says what a plain reading of the tables says: one thanks and one name at a time."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.say import PSEUDONYMS, World, alias_added, alias_removed, clock, gap, message, named
from tests.stats.ask import ask
from tests.stores import KINDS, fresh
from userstats.contract.events import Event, Place
from userstats.directory import Called, Directory
from userstats.statistic import HOUR_MS, QUARTER_MS
from userstats.stats import aliases, kudos, people
from userstats.store.seam import Reader

ROOMS: Final = (kudos.STATISTIC, people.STATISTIC, aliases.STATISTIC)
NAMES: Final = ("amy", "bob", "cid", "dan", "eve", "zoe")
"""Eve and Zoe are only called so where somebody takes the name."""
PLACES: Final = (
    Place("cytube", "cytu.be", "lounge"), Place("cytube", "cytu.be", "lobby"), Place("cytube", "other.tv", "lounge"),
    Place("discord", "123", "general"),
)  # fmt: skip
DAYS: Final = ("2025-03-03 20:00", "2025-03-04 03:00", "2025-03-05 12:00")
END: Final = "2025-03-05 12:10"
PERIODS: Final = (
    ({"since": "all"}, clock("00:00"), clock(END)),
    ({"days": 2}, clock("2025-03-03 12:10"), clock(END)),
    ({"hours": 20}, clock("2025-03-04 16:10"), clock(END)),
    ({"since": "all", "to": "2025-03-04T06:00"}, clock("00:00"), clock("2025-03-04 06:00")),
)
"""Requests, and the milliseconds of each."""

some_name = st.sampled_from(NAMES)
some_place = st.sampled_from(PLACES)
thanks = st.builds(
    lambda who, where, said: message(who, where, thanks=said), some_name, some_place,
    st.lists(st.tuples(some_name, st.sampled_from(("++", "lol"))), min_size=1, max_size=2),
)  # fmt: skip
renamed = st.builds(
    lambda name, where, account, everywhere: named(name, where, account=account, everywhere=everywhere),
    some_name, some_place, some_name, st.booleans(),
)  # fmt: skip
grouped = st.permutations(NAMES).map(lambda names: alias_added(names[0], names[1]))
events = st.lists(st.one_of(thanks, thanks, renamed, grouped, some_name.map(alias_removed)), max_size=30)


class Fact(NamedTuple):
    """Thanks of one quarter hour, and what becomes of them."""

    quarter: int
    place: int
    token: str
    times: int
    plusplus: int
    giver: Called
    receiver: Called | None
    """None: nobody known."""

    @property
    def verdict(self) -> str:
        if self.receiver is None:
            return "unknown_name"
        return "self" if self.receiver == self.giver else "counted"


class Names:
    """Who is meant by a name, as the tables say it."""

    @classmethod
    async def read(cls, reader: Reader, mains: dict[int, int]) -> Names:
        names = cls()
        names.mains = mains
        names.wearers = await reader.rows("SELECT person, name_key, at, platform, space FROM wearers")
        names.owners = dict(await reader.rows("SELECT alias, owner FROM aliases WHERE owner > 0"))
        names.sites = {one[0]: one[1:] for one in await reader.rows("SELECT place, platform, space FROM places")}
        return names

    mains: dict[int, int]
    wearers: list[tuple[Any, ...]]
    owners: dict[int, int]
    """By alias."""
    sites: dict[int, tuple[str, ...]]

    def standing_for(self, person: int) -> Called:
        return Called(self.mains.get(person, person))

    def meant(self, place: int, who: int) -> Called | None:
        owner = self.owners.get(who, who)
        declared = owner in self.owners.values()
        family = {owner, *(alias for alias, of in self.owners.items() if of == owner)}
        worn = sorted(
            (elsewhere, name != owner, -at, person)
            for person, name, at, platform, space in self.wearers
            for elsewhere in [(platform, space or self.sites[place][1]) != self.sites[place]]
            if name in family and (declared or not elsewhere)
        )
        if worn:
            return self.standing_for(worn[0][-1])
        return Called(owner, unworn=True) if declared else None


async def read(world: World) -> tuple[list[Fact], dict[Called, str]]:
    """All thanks there are, and what those who received or gave some are called."""
    async with world.store.reading() as reader:
        directory = Directory(reader, PSEUDONYMS)
        names = await Names.read(reader, dict(await directory.main()))
        rows = await reader.rows("SELECT quarter, place, giver, who, token, times, plusplus FROM kudos_quarters")
        facts = [
            Fact(quarter, place, token, times, plusplus, names.standing_for(giver), names.meant(place, who))
            for quarter, place, giver, who, token, times, plusplus in rows
        ]
        known = [one for fact in facts for one in (fact.giver, fact.receiver) if one is not None]
        return facts, await directory.called(known)


def board(numbers: Counter[Any], called: dict[Called, str]) -> list[tuple[Any, ...]]:
    """Names and a number in each row, largest first."""
    ordered = sorted(numbers.items(), key=lambda one: (-one[1], one[0]))
    return [(*(called[one] for one in those), number) for those, number in ordered if number]


def expected(facts: list[Fact], called: dict[Called, str]) -> dict[str, Any]:
    """What these thanks come to."""
    verdicts, tokens, hours, received, gave, pairs = (Counter[Any]() for _ in range(6))
    for fact in facts:
        verdicts[fact.verdict] += fact.times
    for fact in (one for one in facts if one.verdict == "counted"):
        tokens[fact.token] += fact.times
        hours[fact.quarter * QUARTER_MS // HOUR_MS] += fact.times
        received[(fact.receiver,)] += fact.times
        gave[(fact.giver,)] += fact.times
        pairs[fact.giver, fact.receiver] += fact.times
    return {
        "verdicts": dict(verdicts),
        "phrases": sorted(tokens.items(), key=lambda one: (-one[1], one[0])),
        "by_hour": [number for _, number in sorted(hours.items())],
        "kudos": board(received, called),
        "plusplus": sum(fact.plusplus for fact in facts if fact.verdict == "counted"),
        "givers": board(gave, called),
        "pairs": board(pairs, called),
    }


async def answered(world: World, **request: Any) -> dict[str, Any]:
    """What the questions say."""
    most = {**request, "limit": 1000}
    plusplus = await ask(world, "leaderboard.kudos", kind="plusplus", **most)
    hours = await ask(world, "channel.kudos_by_hour", **request)
    return {
        "verdicts": {one.verdict: one.count for one in await ask(world, "kudos.verdicts", **request) if one.count},
        "phrases": [(one.phrase, one.count) for one in await ask(world, "channel.phrases", **most)],
        "by_hour": [one.count for one in hours if one.count],
        "kudos": [(one.username, one.count) for one in await ask(world, "leaderboard.kudos", **most)],
        "plusplus": sum(one.count for one in plusplus),
        "givers": [(one.username, one.count) for one in await ask(world, "leaderboard.givers", **most)],
        "pairs": [(one.giver, one.receiver, one.count) for one in await ask(world, "kudos.pairs", **most)],
    }


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.tuples(events, events, events))
async def test_g14_g15_whoever_is_meant_by_a_name_every_question_counts_the_same_thanks(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, told: tuple[list[Event], ...]
) -> None:
    database = fresh(kind, tmp_path_factory.mktemp("thanked"), lambda: request.getfixturevalue("postgres"))
    world = await World.open(await database.open(), *ROOMS)
    await world.tell(*(named(name, where) for where in PLACES for name in NAMES[:4]))
    for day, said in zip(DAYS, told, strict=True):
        await world.tell(gap(day), *said)
    await world.tell(gap(END))
    facts, called = await read(world)
    lounges = {world.number(place) for place in PLACES if place.channel == "lounge"}
    for asked, since, until in PERIODS:
        within = [one for one in facts if since // QUARTER_MS <= one.quarter < -(-until // QUARTER_MS)]
        assert await answered(world, **asked) == expected(within, called)
        there = [one for one in within if one.place in lounges]
        assert await answered(world, **asked, channel="lounge") == expected(there, called)
    counter = sum(number for _, number in await world.rows(kudos.STATISTIC.metrics[0].sql))
    assert counter == expected(facts, called)["verdicts"].get("counted", 0)
    await database.close()
