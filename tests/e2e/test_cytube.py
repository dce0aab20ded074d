"""A CyTube room through the bridge, the broker and userstats, to every surface: all say what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.brokers import Brokers, started
from tests.e2e.evening import BOT, GUEST, WHISPERED, Evening, spend


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Evening]:
    """Spent once; each test looks at a part of it."""
    brokers = Brokers(await started(Path(tmp_path_factory.mktemp("evening"))))
    yield await spend(brokers)
    await brokers.disconnect()
    await brokers.embedded.stop()


def crowd(evening: Evening) -> Mapping[str, Mapping[str, Any]]:
    """Everybody but the bot, as the site counted them."""
    return {name: row for name, row in evening.before["people"].items() if name != BOT}


def people_inside(evening: Evening) -> list[dict[str, Any]]:
    """Those in the room with a name, the bot left out."""
    return [member for member in evening.inside if member["name"] not in ("", BOT)]


def board(numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """A leaderboard of these numbers."""
    rows = [{"username": name, "count": number} for name, number in numbers.items() if number]
    return by_count(rows)


def by_count(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (-row["count"], row["username"]))


def total(evening: Evening, question: str, column: str = "count") -> int:
    """A column's sum over everybody's answer to a question."""
    return sum(row[column] for key, rows in evening.nats.items() if key.split()[0] == question for row in rows)


def thanks(evening: Evening) -> Counter[tuple[str, str]]:
    """Thanks by giver and receiver, without those to oneself."""
    spelled = {name.lower(): name for name in crowd(evening)}
    pairs = Counter[tuple[str, str]]()
    for giver, row in crowd(evening).items():
        for name, number in row["thanks"].items():
            pairs[giver, spelled[name]] += number
    return Counter({pair: number for pair, number in pairs.items() if pair[0] != pair[1]})


def test_the_evening_had_everything_in_it(evening: Evening) -> None:
    totals = {key: sum(row[key] for row in crowd(evening).values()) for key in ("messages", "joins", "afk_spans")}

    assert totals["messages"] == evening.before["messages"] == 241
    assert totals["joins"] > len(crowd(evening))
    assert totals["afk_spans"] > 3
    assert sum(thanks(evening).values()) > 5


def test_everybodys_messages_are_the_sites(evening: Evening) -> None:
    expected = {name: row["messages"] for name, row in crowd(evening).items()}

    assert by_count(evening.nats["leaderboard.messages"]) == board(expected)


def test_everybodys_words_are_the_sites(evening: Evening) -> None:
    said = {name: (row["messages"], row["words"]) for name, row in crowd(evening).items()}
    told = {name: [(row["messages"], row["words"]) for row in evening.nats[f"user.messages {name}"]] for name in said}

    assert told == {name: [pair] for name, pair in said.items()}


def test_private_messages_to_the_bot_are_counted_and_those_to_others_are_not_heard(evening: Evening) -> None:
    told = {name: evening.nats[f"user.private_messages {name}"]["private_messages"] for name in crowd(evening)}

    assert told == dict.fromkeys(crowd(evening), 0) | {GUEST: WHISPERED}
    assert sum(row["pms"] for row in crowd(evening).values()) > WHISPERED


def test_everybodys_joins_are_the_sites(evening: Evening) -> None:
    told = {name: [row["joins"] for row in evening.nats[f"user.activity {name}"]] for name in crowd(evening)}

    assert told == {name: [row["joins"]] for name, row in crowd(evening).items()}


def test_everybodys_time_is_the_sites_but_for_the_delay_of_what_began_and_ended_it(evening: Evening) -> None:
    # A span's ends are known when the bridge hears of them. What lasts still was asked for between the two reports.
    bounds = {}
    for name, row in crowd(evening).items():
        (told,) = evening.live[f"user.activity {name}"]
        slack = 2 * (row["joins"] + row["afk_spans"]) * (evening.delay + 50)
        for ours, theirs in ((told["total_ms"], "present_ms"), (told["total_ms"] - told["not_afk_ms"], "afk_ms")):
            bounds[name, theirs] = [row[theirs] - slack, ours, evening.after["people"][name][theirs] + slack]

    assert bounds == {key: sorted(three) for key, three in bounds.items()}


def test_the_emotes_of_everybody_and_of_the_room_are_the_sites(evening: Evening) -> None:
    told = {
        name: {row["emote"]: row["count"] for row in evening.nats[f"user.emotes {name}"]} for name in crowd(evening)
    }
    everybody = sum((Counter(row["emotes"]) for row in crowd(evening).values()), Counter[str]())

    assert told == {name: row["emotes"] for name, row in crowd(evening).items()}
    assert {row["emote"]: row["count"] for row in evening.nats["leaderboard.emotes"]} == everybody


def test_who_thanks_whom_is_as_it_was_said(evening: Evening) -> None:
    told = {(row["giver"], row["receiver"]): row["count"] for row in evening.nats["kudos.pairs"]}
    received = Counter[str]()
    for (_, receiver), number in thanks(evening).items():
        received[receiver] += number

    assert told == thanks(evening)
    assert by_count(evening.nats["leaderboard.kudos"]) == board(received)


def test_what_played_is_what_the_site_played(evening: Evening) -> None:
    titles = [row["title"] for row in reversed(evening.nats["channel.media"])]

    assert titles == [f"Film {number}" for number in range(evening.before["media"])]


def test_the_population_is_who_is_in_the_room(evening: Evening) -> None:
    named = people_inside(evening)
    (now,) = evening.live["channel.now"]

    assert {key: now[key] for key in ("channel", "connected", "named", "not_afk")} == {
        "channel": "grindhouse",
        "connected": len(evening.inside),
        "named": len(named),
        "not_afk": sum(not member["afk"] for member in named),
    }
    assert {(row["username"], row["afk_since"] is not None) for row in evening.live["channel.present"]} == {
        (member["name"], member["afk"]) for member in named
    }


def test_the_bot_is_none_of_the_people(evening: Evening) -> None:
    assert BOT not in str(evening.nats["leaderboard.messages"]) + str(evening.live["channel.present"])
    assert evening.nats["system.coverage"][0]["observed_ms"] > 3000


def test_g30_http_says_what_nats_says(evening: Evening) -> None:
    assert evening.http == evening.nats
    assert len(evening.http) > 100
    assert "internal error" not in str(evening.http)


def test_g30_the_command_line_says_what_nats_says(evening: Evening) -> None:
    assert evening.cli == {key: evening.nats[key] for key in evening.cli}


def test_g30_prometheus_says_what_nats_says(evening: Evening) -> None:
    expected = {
        ("userstats_messages_total", "cytube"): total(evening, "leaderboard.messages"),
        ("userstats_kudos_total", "plusplus"): total(evening, "leaderboard.kudos"),
        ("userstats_emotes_total", "cytube"): total(evening, "leaderboard.emotes"),
        ("userstats_media_total", "cytube"): total(evening, "channel.top_media", "plays"),
        ("userstats_joins_total", "cytube"): total(evening, "user.activity", "joins"),
        ("userstats_present_seconds_total", "cytube"): total(evening, "user.activity", "total_ms") / 1000,
        ("userstats_private_messages_total", "cytube"): WHISPERED,
        ("userstats_total_messages", ""): total(evening, "leaderboard.messages"),
    }
    assert {key: evening.metrics.get(key) for key in expected} == expected
