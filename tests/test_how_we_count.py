"""The worked examples of docs/explanation/how-we-count.md come out as they are written there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from bridges.text import Lexicon, of_plain
from tests.say import (
    World,
    afk,
    alias_added,
    back,
    gap,
    joined,
    left,
    media,
    message,
    named,
    population,
    roster,
    started,
)
from tests.stats.ask import ask, reply
from userstats.contract.questions import Reply

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "how-we-count.md"
HOUR: Final = 3_600_000
MINUTE: Final = 60_000


async def test_a_stay_with_an_absence_is_counted_as_the_first_example_says(world: World) -> None:
    await world.tell("20:00", named("amy"), joined("amy"), "20:20", afk("amy"), "20:40", back("amy"), message("amy"))
    await world.tell("21:00", left("amy"), "21:10")

    (stay,) = await ask(world, "user.activity", username="amy")
    quarters = await world.rows("SELECT present_ms, afk_ms FROM person_quarters ORDER BY quarter")
    assert (stay.total_ms, stay.not_afk_ms, stay.joins) == (HOUR, 40 * MINUTE, 1)
    assert quarters == [(15 * MINUTE, 0), (15 * MINUTE, 10 * MINUTE), (15 * MINUTE, 10 * MINUTE), (15 * MINUTE, 0)]


async def test_a_gap_is_credited_to_nobody_as_the_second_example_says(world: World) -> None:
    await world.tell("20:00", named("amy"), joined("amy"), "20:30", gap("21:00"), started(), roster("amy"))
    await world.tell("21:30", left("amy"))

    answer = await reply(world, "user.activity", username="amy")
    (room,) = await ask(world, "system.coverage", since="90m")
    assert isinstance(answer, Reply)
    assert [(stay.total_ms, stay.joins) for stay in answer.data] == [(HOUR, 1)]
    assert answer.coverage is not None
    assert round(answer.coverage.ratio or 0, 3) == 0.667
    assert [(one.start[11:16], one.end[11:16]) for one in room.latest_gaps] == [("20:30", "21:00")]


async def test_an_alias_changes_what_counts_as_the_third_example_says(world: World) -> None:
    await world.tell("20:00", named("amy"), named("KevinChrist"), message("amy", thanks=["kc"]))
    await world.tell(message("amy", thanks=["KevinChrist"]), message("KevinChrist", thanks=["kc"]), "20:05")
    before = await _verdicts(world)
    await world.tell(alias_added("KevinChrist", "kc"), named("kc", worn=False), "20:06")

    assert before == {"counted": 1, "unknown_name": 2}
    assert await _verdicts(world) == {"counted": 2, "self": 1}


async def _verdicts(world: World) -> dict[str, int]:
    return {one.verdict: one.count for one in await ask(world, "kudos.verdicts") if one.count}


async def test_snapshots_hold_the_first_count_after_a_border_as_the_fourth_example_says(world: World) -> None:
    await world.tell("20:00", started(), population(5, 3, 2), "20:03", population(6, 4, 3), "20:05:20")
    await world.tell(population(7, 4, 3), "20:10:15", population(4, 3, 2), "20:12")

    snapshots = await ask(world, "channel.population")
    assert [(one.at[11:16], one.connected) for one in snapshots] == [("20:00", 5), ("20:05", 7), ("20:10", 4)]


async def test_a_person_has_one_vote_on_a_title_the_newest(world: World) -> None:
    await world.tell("20:00", media("The Thing"), message("amy", vote=1), message("amy", vote=-1), "20:05")

    (verdict,) = await ask(world, "channel.votes")
    assert (verdict.up, verdict.down) == (0, 1)


LEXICON: Final = Lexicon(("lol", "haha", "😂"), frozenset({"amy", "bob", "dave-smith"}))


@pytest.mark.parametrize(
    ("said", "thanked"),
    [
        ("++amy", [("amy", "++")]), ("amy++", [("amy", "++")]), ("@amy ++", [("amy", "++")]),
        ("amy: ++", [("amy", "++")]), ("++ amy", [("amy", "++")]), ("dave-smith++", [("dave-smith", "++")]),
        ("++newcomer", [("newcomer", "++")]), ("lol amy", [("amy", "lol")]), ("amy haha", [("amy", "haha")]),
        ("hahaha amy", [("amy", "haha")]), ("amy lol 😂 bob", [("amy", "lol"), ("bob", "😂")]), ("C++", []),
        ("i++", []), ("notepad++", []), ("http://x.example/amy++", []), ("`amy++`", []),
        ("> amy++ said somebody", []), ("lol, what did amy say", []), ("movie++", []), ("movie--", []),
    ],
)  # fmt: skip
def test_thanks_are_found_as_the_table_says(said: str, thanked: list[tuple[str, str]]) -> None:
    assert list(of_plain(said, lexicon=LEXICON, speaker="eve").thanks) == thanked
    assert said in PAGE.read_text(encoding="utf-8")
