"""Costly answers are given again only as of the very position of the stream they were made at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.say import PSEUDONYMS, World, message, named
from userstats import answer, recent
from userstats.answer import Answers
from userstats.contract.questions import Reply
from userstats.recent import Recent
from userstats.stats import aliases, messages, people
from userstats.store.seam import Store


def test_an_answer_is_kept_for_its_position_and_a_few_seconds() -> None:
    now = [100.0]
    kept = Recent(clock=lambda: now[0])
    kept.keep("question", 7, ["data"], None)

    assert [kept.get("question", 7) is not None, kept.get("question", 8), kept.get("another", 7)] == [True, None, None]
    now[0] += recent.SECONDS + 0.1
    assert kept.get("question", 7) is None


def test_no_more_than_a_bounded_number_is_kept() -> None:
    kept = Recent()
    for number in range(1000):
        kept.keep(number, 1, number, None)

    assert [kept.get(0, 1), kept.get(999, 1) is not None, len(kept._kept)] == [None, True, 64]


@pytest.fixture
async def world(store: Store) -> World:
    return await World.open(store, aliases.STATISTIC, messages.STATISTIC, people.STATISTIC)


async def test_what_is_counted_meanwhile_is_in_the_next_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "COSTLY_SECONDS", 0)
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)

    async def board() -> Any:
        reply = await answers.answer("leaderboard.messages", {"since": "all"})
        assert isinstance(reply, Reply)
        return [(row.username, row.count) for row in reply.data]

    await world.tell("20:00", named("amy"), message("amy"))
    first, again = await board(), await board()
    await world.tell(message("amy"))

    assert (first, again, await board()) == ([("amy", 1)], [("amy", 1)], [("amy", 2)])
