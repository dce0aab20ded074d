"""What userstats answers in Kryten's world, to clients without keys over a real broker: exact values and errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.surfaces.kryten_asking import Asking
from userstats.contract import subjects
from userstats.surfaces.kryten import surface as surface_module
from userstats.surfaces.kryten.commands import COMMANDS
from userstats.surfaces.kryten.dialect import DOCUMENTED, Query, query_of

BOB = {
    "all_messages": [{"channel": "Lounge", "count": 2}, {"channel": "attic", "count": 1}],
    "pms": 1,
    "emotes": [{"emote": "pogchamp", "count": 1}],
}
BOBS_TIME = {"total_time_seconds": 1200, "not_afk_time_seconds": 600}
SNAPSHOTS: list[dict[str, Any]] = [
    {"timestamp": "2025-03-03T20:15:00+00:00", "connected_count": 4, "chat_count": 0},
    {"timestamp": "2025-03-03T20:10:00+00:00", "connected_count": 4, "chat_count": 3},
    {"timestamp": "2025-03-03T20:00:00+00:00", "connected_count": 7, "chat_count": 2},
]
MARKS = {
    "high": {"timestamp": "2025-03-03T20:00:00+00:00", "total_users": 7, "chat_users": 2},
    "low": {"timestamp": "2025-03-03T20:15:00+00:00", "total_users": 4, "chat_users": 0},
}
PLAYS = [
    {"timestamp": "2025-03-03T20:15:00+00:00", "media_title": "Another Movie 2001", "media_type": "fi",
     "media_id": "m2"},
    {"timestamp": "2025-03-03T20:00:00+00:00", "media_title": "First In List", "media_type": "yt",
     "media_id": "first01"},
]  # fmt: skip
VOTES = {
    "media_title": "First In List", "media_type": "yt", "media_id": "first01", "upvotes": 1, "downvotes": 1,
    "total_votes": 2, "score": 0,
}  # fmt: skip
TOP = [{"username": "Bob", "count": 2}, {"username": "Alice", "count": 1}]
BOARD = [{"username": "Bob", "count": 3}, {"username": "Alice", "count": 1}]
KUDOS = [{"username": name, "count": 1} for name in ("Alice", "Bob", "Carol-Ann")]
EMOTES = [{"emote": "pogchamp", "count": 3}, {"emote": ":kappa:", "count": 1}]
TOTALS = {
    "total_users": 6, "total_messages": 7, "total_pms": 1, "total_kudos": 3, "total_emotes": 4,
    "total_media_changes": 2, "active_sessions": 3,
}  # fmt: skip
HEALTH = {
    "service": "userstats", "status": "healthy", "uptime_seconds": 0.0, "database_connected": True,
    "nats_connected": True,
}  # fmt: skip


def sorted_board(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (-row["count"], row["username"]))


async def test_a_person_everywhere_and_in_one_channel_by_any_spelling(kryten: Asking) -> None:
    kudos = {"kudos_plusplus": 1, "kudos_phrases": []}
    assert await kryten.ask("user.stats", username="bob") == {
        "username": "bob", "messages": 0, **BOB, **kudos, "all_activity": [{"channel": "Lounge", **BOBS_TIME}],
    }  # fmt: skip
    assert await kryten.ask("user.stats", username="BOB", channel="LOUNGE") == {
        "username": "BOB", "messages": 2, **BOB, **kudos, "activity": BOBS_TIME,
    }  # fmt: skip
    assert await kryten.ask("user.stats", username="Bob", channel="attic") == {
        "username": "Bob", "messages": 1, **BOB, **kudos, "activity": None,
    }  # fmt: skip
    assert await kryten.ask("user.profile", username="Bob") == {
        "username": "Bob", "messages": 0, **BOB, "kudos": {"plusplus": 1, "phrases": []},
        "activity": [{"channel": "Lounge", **BOBS_TIME}],
    }  # fmt: skip


async def test_an_alias_is_the_person_and_thanks_to_oneself_through_it_do_not_count(kryten: Asking) -> None:
    assert await kryten.ask("user.stats", username="AL", channel="lounge") == {
        "username": "AL", "messages": 1, "all_messages": [{"channel": "Lounge", "count": 1}], "pms": 0,
        "kudos_plusplus": 0, "kudos_phrases": [{"phrase": "lol", "count": 1}],
        "emotes": [{"emote": "pogchamp", "count": 2}, {"emote": ":kappa:", "count": 1}],
        "activity": {"total_time_seconds": 1800, "not_afk_time_seconds": 1800},
    }  # fmt: skip
    assert await kryten.ask("user.kudos", username="al") == {
        "username": "al", "plusplus": 0, "phrases": [{"phrase": "lol", "count": 1}],
    }  # fmt: skip


async def test_a_person_nobody_ever_saw_has_zeros(kryten: Asking) -> None:
    nothing = {"username": "nobody", "messages": 0, "all_messages": [], "pms": 0, "emotes": []}
    kudos = {"kudos_plusplus": 0, "kudos_phrases": []}
    assert await kryten.ask("user.stats", username="nobody") == {**nothing, **kudos, "all_activity": []}
    assert await kryten.ask("user.stats", username="nobody", channel="x") == {**nothing, **kudos, "activity": None}
    assert await kryten.ask("user.messages", username="nobody") == {"username": "nobody", "channels": []}
    assert await kryten.ask("user.activity", username="nobody") == {"username": "nobody", "all_activity": []}
    assert await kryten.ask("user.kudos", username="nobody") == {"username": "nobody", "plusplus": 0, "phrases": []}


async def test_messages_and_time_of_a_person(kryten: Asking) -> None:
    assert await kryten.ask("user.messages", username="bob") == {"username": "bob", "channels": BOB["all_messages"]}
    assert await kryten.ask("user.messages", username="bob", channel="#lounge") == {
        "username": "bob", "channel": "Lounge", "message_count": 2,
    }  # fmt: skip
    assert await kryten.ask("user.activity", username="bob") == {
        "username": "bob", "all_activity": [{"channel": "Lounge", **BOBS_TIME}],
    }  # fmt: skip
    assert await kryten.ask("user.activity", username="bob", channel="lounge") == {
        "username": "bob", "channel": "Lounge", "activity": BOBS_TIME,
    }  # fmt: skip
    assert await kryten.ask("user.activity", username="stats", channel="attic") == {
        "username": "stats", "channel": "attic", "activity": None,
    }  # fmt: skip


async def test_a_room_its_people_films_and_votes(kryten: Asking) -> None:
    population = {"current": SNAPSHOTS[0], "history": SNAPSHOTS}
    assert await kryten.ask("channel.top_users", channel="lounge", limit=3) == {"channel": "Lounge", "top_users": TOP}
    assert await kryten.ask("channel.population", channel="LOUNGE", hours="1") == {"channel": "Lounge", **population}
    assert await kryten.ask("channel.media_history", channel="lounge", limit=1) == {
        "channel": "Lounge", "history": PLAYS[:1],
    }  # fmt: skip
    assert await kryten.ask("channel.watermarks", channel="lounge") == MARKS
    assert await kryten.ask("channel.watermarks", channel="lounge", days=7) == MARKS
    assert await kryten.ask("channel.movie_votes", channel="lounge") == [
        {**VOTES, "last_vote": "2025-03-03T20:00:00+00:00"}
    ]
    assert await kryten.ask("channel.movie_votes", channel="lounge", media_title="First In List") == VOTES
    assert await kryten.ask("channel.movie_votes", channel="lounge", media_title="Nothing") is None
    assert await kryten.ask("stats.global", channel="lounge", limit=5) == {
        "channel": "Lounge", "domain": "cytu.be", "top_users": TOP, "watermarks": MARKS, "population": population,
    }  # fmt: skip


async def test_a_room_nobody_ever_saw_is_empty(kryten: Asking) -> None:
    assert await kryten.ask("channel.top_users", channel="Nowhere") == {"channel": "Nowhere", "top_users": []}
    assert await kryten.ask("channel.population", channel="Nowhere") == {
        "channel": "Nowhere", "current": None, "history": [],
    }  # fmt: skip
    assert await kryten.ask("channel.watermarks", channel="Nowhere") == {"high": None, "low": None}
    assert await kryten.ask("channel.movie_votes", channel="Nowhere") == []
    assert await kryten.ask("timeseries.messages", channel="Nowhere") == {"channel": "Nowhere", "data": []}


async def test_boards_of_a_room_and_of_the_whole_site(kryten: Asking) -> None:
    assert await kryten.ask("leaderboard.messages", channel="lounge") == {"channel": "Lounge", "leaderboard": TOP}
    assert await kryten.ask("leaderboard.messages", limit=3) == {"channel": None, "leaderboard": BOARD}
    kudos = await kryten.ask("leaderboard.kudos")
    assert {"leaderboard": sorted_board(kudos["leaderboard"])} == {"leaderboard": KUDOS}
    assert await kryten.ask("leaderboard.emotes") == {"leaderboard": EMOTES}
    assert await kryten.ask("leaderboard.emotes", limit=1) == {"leaderboard": EMOTES[:1]}


async def test_series_by_the_hour(kryten: Asking) -> None:
    hour = "2025-03-03 20:00:00"
    later = {"start_time": "2025-03-03T21:00:00Z", "end_time": "2025-03-03T22:00:00+00:00"}
    assert await kryten.ask("timeseries.messages", channel="lounge") == {
        "channel": "Lounge", "data": [{"hour": hour, "avg_active_users": 1.67}],
    }  # fmt: skip
    assert await kryten.ask("timeseries.kudos") == {"data": [{"hour": hour, "kudos_count": 3}]}
    assert await kryten.ask("timeseries.kudos", start_time="2025-03-03T20:00:00") == {
        "data": [{"hour": hour, "kudos_count": 3}]
    }
    assert await kryten.ask("timeseries.kudos", channel="attic") == {"data": []}
    assert await kryten.ask("timeseries.kudos", **later) == {"data": []}


async def test_everything_at_once_is_about_the_first_configured_room(kryten: Asking) -> None:
    found = await kryten.ask("channel.all_stats", limits={"top_users": 1, "media_history": 1, "leaderboards": 2})
    system = found["system"]["stats"]
    found["leaderboards"]["kudos"] = len(found["leaderboards"]["kudos"])

    assert found == {
        "domain": "cytu.be",
        "system": {
            "health": HEALTH,
            "stats": {**TOTALS, "events_processed": system["events_processed"], "commands_processed": 0},
        },
        "leaderboards": {"messages": BOARD, "kudos": 2, "emotes": EMOTES},
        "channel": {
            "top_users": TOP[:1],
            "population": {"current": SNAPSHOTS[0], "history_24h": SNAPSHOTS},
            "watermarks": MARKS,
            "media_history": PLAYS[:1],
            "movie_votes": [{**VOTES, "last_vote": "2025-03-03T20:00:00+00:00"}],
        },
    }


async def test_another_site_is_meant_where_it_is_named_or_has_the_only_room_of_the_name(kryten: Asking) -> None:
    here = await kryten.ask("user.stats", username="Bob", channel="lounge")
    there = await kryten.ask("user.stats", username="Bob", channel="lounge", domain="OTHER.tube")
    hall = await kryten.ask("user.messages", username="Bob", channel="hall")

    assert [here["messages"], there["messages"], there["all_messages"]] == [
        2, 1, [{"channel": "Hall", "count": 1}, {"channel": "lounge", "count": 1}],
    ]  # fmt: skip
    assert hall == {"username": "Bob", "channel": "Hall", "message_count": 1}


async def test_the_service_itself(kryten: Asking) -> None:
    stats = await kryten.ask("system.stats")
    ping = await kryten.ask("system.ping")

    assert await kryten.ask("system.health") == HEALTH
    assert stats == {**TOTALS, "events_processed": stats["events_processed"], "commands_processed": 0}
    assert ping == {
        "pong": True, "service": "userstats", "version": "1.2.3", "uptime_seconds": 0.0, "timestamp": ping["timestamp"],
        "metrics_endpoint": "http://localhost:28282/metrics",
    }  # fmt: skip
    assert "+" not in ping["timestamp"]


async def test_aliases_are_listed_found_added_changed_and_taken_away(kryten: Asking) -> None:
    assert await kryten.ask("alias.list") == {"aliases": {"Alice": ["al"]}, "total_users": 1, "total_aliases": 1}
    assert await kryten.ask("alias.get", username="ALICE") == {"username": "ALICE", "aliases": ["al"], "count": 1}
    assert await kryten.ask("alias.find", alias="AL") == {"alias": "AL", "username": "Alice", "found": True}
    assert await kryten.ask("alias.find", alias="zz") == {"alias": "zz", "username": None, "found": False}
    assert await kryten.ask("alias.resolve", username="aL") == {
        "username": "aL", "canonical": "Alice", "is_alias": True,
    }  # fmt: skip
    assert await kryten.ask("alias.resolve", username="Bob") == {
        "username": "Bob", "canonical": "Bob", "is_alias": False,
    }  # fmt: skip
    assert await kryten.ask("alias.add", username="Bob", alias="Bobby") == {
        "username": "Bob", "alias": "Bobby", "added": True, "message": "Added alias 'Bobby' for user 'Bob'",
    }  # fmt: skip
    assert await kryten.ask("alias.add", username="Bob", alias="al") == {
        "username": "Bob", "alias": "al", "added": False,
        "message": "Alias 'al' is already assigned to user 'Alice'",
    }  # fmt: skip
    assert await kryten.ask("alias.update", old_alias="bobby", new_alias="AL") == {
        "old_alias": "bobby", "new_alias": "AL", "updated": False,
        "message": "Alias 'AL' is already assigned to user 'Alice'",
    }  # fmt: skip
    assert await kryten.ask("alias.update", old_alias="bobby", new_alias="Robert") == {
        "old_alias": "bobby", "new_alias": "Robert", "updated": True,
        "message": "Updated alias 'bobby' to 'Robert' for user 'Bob'",
    }  # fmt: skip
    assert await kryten.ask("alias.update", old_alias="zz", new_alias="yy") == {
        "old_alias": "zz", "new_alias": "yy", "updated": False, "message": "Alias 'zz' not found",
    }  # fmt: skip
    assert await kryten.ask("alias.delete", username="Alice", alias="robert") == {
        "username": "Alice", "alias": "robert", "deleted": False, "message": "Alias 'robert' not found",
    }  # fmt: skip
    assert await kryten.ask("alias.delete", username="bob", alias="robert") == {
        "username": "bob", "alias": "robert", "deleted": True, "message": "Deleted alias 'robert' for user 'Bob'",
    }  # fmt: skip
    assert await kryten.ask("alias.list") == {"aliases": {"Alice": ["al"]}, "total_users": 1, "total_aliases": 1}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("user.stats", {}, "username required"),
    ("user.stats", {"username": ""}, "username required"),
    ("user.stats", {"username": ["x"]}, "username must be a text of at most 512 characters"),
    ("channel.top_users", {}, "channel required"),
    ("channel.top_users", {"channel": 5}, "channel must be a text of at most 512 characters"),
    ("channel.top_users", {"channel": "lounge", "limit": -1}, "limit must be a whole number from 1 to 1000"),
    ("channel.top_users", {"channel": "lounge", "limit": "abc"}, "limit must be a whole number from 1 to 1000"),
    ("leaderboard.kudos", {"limit": 2.5}, "limit must be a whole number from 1 to 1000"),
    ("leaderboard.emotes", {"limit": True}, "limit must be a whole number from 1 to 1000"),
    ("leaderboard.messages", {"limit": 100_000}, "limit must be a whole number from 1 to 1000"),
    ("channel.population", {"channel": "x", "hours": 0}, "hours must be a whole number from 1 to 8784"),
    ("channel.watermarks", {"channel": "x", "days": "x"}, "days must be a whole number from 1 to 3660"),
    ("channel.all_stats", {"limits": 3}, "limits must be an object"),
    ("channel.all_stats", {"limits": {"top_users": 0}}, "limits.top_users must be a whole number from 1 to 1000"),
    ("timeseries.kudos", {"start_time": "x"}, "start_time must be a time like 2026-11-20T18:00:00+00:00"),
    ("alias.add", {"username": "Bob"}, "alias required"),
    ("alias.update", {"old_alias": "x"}, "new_alias required"),
    ("no.such", {}, "Unknown command: no.such"),
]
UNREADABLE = [
    (b"{oops", "Invalid JSON"),
    (b"\xff", "Invalid JSON"),
    (b"[" * 9000, "Invalid JSON"),
    (b"[1]", "the request must be a JSON object"),
    (b'"user.stats"', "the request must be a JSON object"),
    (b"", "Missing 'command' field"),
    (b'{"service":"userstats"}', "Missing 'command' field"),
    (b'{"service":"robot","command":"system.ping"}', "Command intended for 'robot', not 'userstats'"),
    (b" " * 20_000, "the request has 20000 bytes, the most is 16384"),
]


async def test_what_makes_no_sense_is_refused_in_words(kryten: Asking) -> None:
    said = [await kryten.refused(command, **request) for command, request, _ in WRONG]

    assert said == [error for *_, error in WRONG]


async def test_what_is_no_request_gets_an_error_with_service_and_success(kryten: Asking) -> None:
    said = [await kryten.raw(data) for data, _ in UNREADABLE]

    assert said == [{"service": "userstats", "success": False, "error": error} for _, error in UNREADABLE]


async def test_a_command_that_is_no_text_is_unknown(kryten: Asking) -> None:
    assert await kryten.raw(b'{"command": ["user.stats"]}') == {
        "service": "userstats", "command": "['user.stats']", "success": False,
        "error": "Unknown command: ['user.stats']",
    }  # fmt: skip


def test_every_command_of_the_peer_is_there() -> None:
    peers = {"user": 5, "stats": 1, "channel": 6, "leaderboard": 3, "timeseries": 2, "system": 3, "alias": 7}
    nouns = [command.split(".")[0] for command in COMMANDS]

    assert {noun: nouns.count(noun) for noun in nouns} == peers
    assert len(DOCUMENTED) == 12


@pytest.mark.parametrize(
    ("subject", "query"),
    [
        ("cytu.be.user.stats", Query("cytu.be", "user.stats")),
        ("localhost:8080.user.stats", Query("localhost:8080", "user.stats")),
        ("a.b.c.d.channel.top_users", Query("a.b.c.d", "channel.top_users")),
        ("user.stats", Query("", "user.stats")),
        ("stats", Query("", ".stats")),
    ],
)
def test_the_last_two_tokens_of_an_older_subject_are_noun_and_verb(subject: str, query: Query) -> None:
    assert query_of(f"{subjects.SEED_QUERY}.{subject}") == query


async def test_the_documented_older_queries_are_answered_flat(kryten: Asking) -> None:
    time = {"total_seconds": 1200, "active_seconds": 600}
    stats = await kryten.query("user.stats", username="Bob")
    assert stats == {
        "username": "Bob", "aliases": [], "messages": {"Lounge": 2, "attic": 1}, "pms": 1,
        "activity": {"Lounge": time}, "kudos_plusplus": 1, "kudos_phrases": [],
        "emotes": [{"emote": "pogchamp", "count": 1}],
    }  # fmt: skip
    assert await kryten.query("user.stats", username="Alice", channel="lounge") == {
        "username": "Alice", "aliases": ["al"], "messages": {"Lounge": 1}, "pms": 0,
        "activity": {"Lounge": {"total_seconds": 1800, "active_seconds": 1800}}, "kudos_plusplus": 0,
        "kudos_phrases": [{"phrase": "lol", "count": 1}],
        "emotes": [{"emote": "pogchamp", "count": 2}, {"emote": ":kappa:", "count": 1}],
    }  # fmt: skip
    assert await kryten.query("user.messages", username="bob") == {
        "username": "bob", "channels": {"Lounge": 2, "attic": 1},
    }  # fmt: skip
    assert await kryten.query("user.messages", username="bob", channel="attic") == {
        "username": "bob", "channel": "attic", "count": 1,
    }  # fmt: skip
    assert await kryten.query("user.activity", username="bob", channel="lounge") == {
        "username": "bob", "channel": "Lounge", **time,
    }  # fmt: skip
    assert await kryten.query("user.activity", username="bob") == {"username": "bob", **time}
    assert await kryten.query("user.kudos", username="bob") == {"username": "bob", "plusplus": 1, "phrases": []}
    assert await kryten.query("channel.top_users", channel="lounge") == {"channel": "Lounge", "top_users": TOP}
    assert await kryten.query("channel.population", channel="lounge", hours=1) == {
        "channel": "Lounge", "hours": 1,
        "snapshots": [
            {"timestamp": row["timestamp"].replace("+00:00", "Z"), "connected": row["connected_count"],
             "chatting": row["chat_count"]}
            for row in SNAPSHOTS
        ],
    }  # fmt: skip
    assert await kryten.query("channel.media_history", channel="lounge", limit=1) == {
        "channel": "Lounge",
        "media_history": [
            {"timestamp": "2025-03-03T20:15:00Z", "title": "Another Movie 2001", "type": "fi", "id": "m2"}
        ],
    }
    assert await kryten.query("leaderboard.messages", limit=1) == {"leaderboard": BOARD[:1]}
    assert await kryten.query("leaderboard.emotes") == {"leaderboard": EMOTES}
    assert len((await kryten.query("leaderboard.kudos"))["leaderboard"]) == 3
    assert await kryten.query("system.health") == HEALTH
    assert await kryten.query("system.stats") == TOTALS


async def test_the_domain_of_an_older_subject_is_the_site_that_is_meant(kryten: Asking) -> None:
    board = await kryten.query("leaderboard.messages", "other.tube")
    channels = await kryten.query("channel.list", "other.tube")
    error = await kryten.query("user.stats")
    flat = await kryten.query("stats.global", channel="lounge")
    unknown = await kryten.query("no.such")

    assert board == {"leaderboard": [{"username": "Bob", "count": 2}]}
    assert (channels["success"], channels["question"]) == (True, "channel.list")
    assert [(one["domain"], one["channel"]) for one in channels["data"]] == [
        ("other.tube", "hall"), ("other.tube", "lounge"),
    ]  # fmt: skip
    assert error == {"success": False, "error": "username required"}
    assert flat["top_users"] == TOP
    assert (unknown["success"], unknown["error"]["code"]) == (False, 404)


async def test_a_hundred_requests_at_once_are_all_answered_or_asked_to_wait(
    kryten: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface_module, "_WAITING", 4)
    replies = await asyncio.gather(*(kryten.reply("system.ping") for _ in range(100)))

    answered = [reply for reply in replies if reply["success"]]
    busy = [reply for reply in replies if not reply["success"]]
    assert len(answered) >= 12
    assert {reply["error"] for reply in busy} <= {"too many requests at once; ask again"}
    assert (await kryten.ask("system.ping"))["pong"] is True


async def test_a_reply_is_sent_to_an_inbox_and_nowhere_else(kryten: Asking) -> None:
    heard = await kryten.client.subscribe("kryten.>")
    await kryten.client.flush()
    await kryten.client.publish(subjects.KRYTEN_COMMAND, b"{}", reply="kryten.robot.command")
    await kryten.client.publish(subjects.KRYTEN_COMMAND, b"{}")
    await kryten.ask("system.ping")

    said = {(await heard.next_msg(timeout=1)).subject for _ in range(3)}
    assert said <= {subjects.KRYTEN_COMMAND, "kryten.lifecycle.userstats.heartbeat"}


async def test_an_answer_that_is_too_large_is_refused_with_its_size(
    kryten: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface_module, "_LARGEST_REPLY", 100)
    told = [await kryten.refused("user.stats", username="bob"), (await kryten.query("system.stats"))["error"]]
    enveloped = await kryten.query("channel.list")

    assert [text.endswith("bytes; ask for less with limit or hours") for text in told] == [True, True]
    assert enveloped["error"]["code"] == 400
