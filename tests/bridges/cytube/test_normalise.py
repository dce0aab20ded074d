"""What a table of frames does not show: sizes, identities, verdicts, and what the room remembers."""

from __future__ import annotations

from typing import Any

import pytest

from bridges.cytube_room import HEARD, Room, beat_events, enter, frame
from bridges.text import Lexicon
from tests.bridges.desk import FakeDesk

from .play import PLACE, REJOIN, Player, chat, user

NOW = 1_700_000_000_000


def _kinds(player: Player) -> list[str]:
    return [type(event).__name__ for event in player.events]


def _refusals(player: Player) -> list[tuple[str, str]]:
    told = player.spelled()
    return [(event["refused"], event["reason"]) for event in told if event["kind"] == "EventRefused"]


def test_a_large_roster_travels_in_parts_of_256_of_one_snapshot() -> None:
    player = Player()
    player.play([("userlist", [[user(f"user{n}", afk=n % 2 == 0) for n in range(600)]], NOW)])

    parts: list[Any] = [event for event in player.events if type(event).__name__ == "RosterSeen"]

    assert [(part.part, part.parts, len(part.people)) for part in parts] == [(1, 3, 256), (2, 3, 256), (3, 3, 88)]
    assert len({part.snapshot for part in parts}) == 1
    assert len({present.person for part in parts for present in part.people}) == 600


def test_a_roster_beyond_all_measure_is_cut_and_refused() -> None:
    player = Player()
    player.play([("userlist", [[user(f"user{n}") for n in range(5_100)]], NOW), ("addUser", [user("late")], NOW)])

    assert len(player.room.people) == 5_000
    assert _refusals(player) == [("userlist", "overflow"), ("addUser", "overflow")]


def test_a_name_and_a_message_of_a_megabyte_are_refused() -> None:
    player = Player()
    huge = "x" * 1_000_000
    player.play(
        [
            ("userlist", [[user("amy")]], NOW),
            ("addUser", [user(huge)], NOW),
            ("chatMsg", [chat(huge, "hi", NOW)], NOW),
            ("chatMsg", [chat("amy", huge, NOW)], NOW),
            ("updateEmote", [{"name": huge}], NOW),
            ("queue", [{"item": {"uid": 1, "queueby": huge}}], NOW),
            ("setCurrent", [1], NOW),
            ("changeMedia", [{"id": huge[:1000], "title": huge, "type": huge, "seconds": 5, "currentTime": 0}], NOW),
        ]
    )

    assert _kinds(player) == ["Named", "RosterSeen", *["EventRefused"] * 4, "MediaStarted"]
    frames = ["addUser", "chatMsg", "chatMsg", "updateEmote"]
    assert _refusals(player) == [(name, "too_big") for name in frames]
    medium: Any = player.events[-1]
    assert (len(medium.title), len(medium.media_type), len(medium.media_id)) == (512, 32, 256)


def test_a_line_whose_facts_do_not_fit_into_an_event_is_refused() -> None:
    player = Player()
    emote = "\U0001f602" * 64
    player.play(
        [
            ("emoteList", [[{"name": emote}]], NOW),
            ("userlist", [[]], NOW),
            ("chatMsg", [chat("amy", f"{emote} " * 62, NOW)], NOW),
            ("chatMsg", [chat("amy", f"{emote} " * 20, NOW)], NOW),
        ]
    )

    assert _kinds(player) == ["RosterSeen", "EventRefused", "Named", "MessageSent"]
    assert _refusals(player) == [("chatMsg", "too_big")]


def test_thanks_mentions_votes_and_links_become_keys_and_counts() -> None:
    player = Player(FakeDesk(Lexicon(phrases=("lol",), names=frozenset({"kc"}))))
    player.play(
        [
            ("userlist", [[user("Amy"), user("Bob")]], NOW),
            ("chatMsg", [chat("Amy", "++Bob and movie++ @Bob", NOW)], NOW),
            ("chatMsg", [chat("Bob", 'see <a href="https://e.org">https://e.org</a>', NOW + 1)], NOW),
        ]
    )

    lines = [event for event in player.spelled() if event["kind"] == "MessageSent"]

    assert [(line.get("thanks"), line.get("mentions"), line.get("vote"), line.get("links")) for line in lines] == [
        ([{"who": "the name bob", "token": "++"}], ["bob"], 1, None),
        (None, None, None, 1),
    ]


def test_the_same_line_has_the_same_id_whoever_tells_of_it_in_whichever_watch() -> None:
    lines = [
        ("chatMsg", [chat(name, f"{n}", NOW + n // 2)], NOW) for n, name in enumerate(["amy", "amy", "bob", "amy"])
    ]
    live, replayed = Player(), Player()
    live.play([("userlist", [[]], NOW), *lines])
    replayed.play([(REJOIN, [], NOW), *lines, ("userlist", [[]], NOW)])

    def ids(player: Player) -> list[int]:
        return [event.id for event in player.events if type(event).__name__ == "MessageSent"]

    assert ids(live) == ids(replayed)
    assert len(set(ids(live))) == 4


def test_lines_from_before_all_that_is_remembered_are_not_counted_after_a_crash_of_the_server() -> None:
    player = Player()
    lines = [("chatMsg", [chat("amy", f"{n}", NOW + n // 4)], NOW + 100) for n in range(101)]
    missed = ("chatMsg", [chat("amy", "new", NOW + 400)], NOW + 500)
    player.play([("userlist", [[]], NOW), *lines])
    player.play([(REJOIN, [], NOW), *lines[55:70], ("userlist", [[]], NOW + 500)])
    player.play([(REJOIN, [], NOW), *lines[60:74], missed, ("userlist", [[]], NOW + 500)])

    assert _kinds(player).count("MessageSent") == 102


def test_live_lines_count_although_the_servers_clock_went_back() -> None:
    player = Player()
    player.play([("userlist", [[]], NOW)])
    player.play([("chatMsg", [chat("amy", f"{n}", NOW - n * 60_000)], NOW) for n in range(50)])

    assert _kinds(player).count("MessageSent") == 50


def test_a_cursor_that_is_damaged_is_forgotten() -> None:
    desk = FakeDesk()
    desk.cursors = {"chat.00": "garbage", "chat.01": "1 2", "chat.02": "2 x y z", "chat.03": f"3 {NOW} ff ff"}

    room = enter(PLACE, "w1", desk)

    assert (room.said, [tuple(line) for line in room.lines]) == (4, [(NOW, 255, 255)])


def test_each_line_writes_one_short_value_of_the_cursor() -> None:
    player = Player()
    player.play([("userlist", [[]], NOW)])
    player.play([("chatMsg", [chat("amy", f"{n}", NOW + n)], NOW + n) for n in range(70)])

    _, observation = frame(player.room, "chatMsg", [chat("amy", "x", NOW + 99)], NOW, player.desk)

    assert list(observation.cursor) == ["chat.06"]
    assert max(map(len, observation.cursor.values())) < 64
    assert len(player.desk.cursors) == 32
    assert enter(PLACE, "w2", player.desk).lines == player.room.lines


def test_a_beat_counts_the_people_without_the_bot_and_the_connections_as_cytube_says() -> None:
    player = Player(own="BridgeBot")
    nothing_yet = beat_events(player.room, NOW, player.desk)
    player.play([("userlist", [[user("amy", afk=True), user("bob"), user("BridgeBot")]], NOW)])
    untold = beat_events(player.room, NOW, player.desk)
    player.play([("usercount", [7], NOW)])
    told = beat_events(player.room, NOW + 30_000, player.desk)

    assert nothing_yet == ()
    assert player.desk.spelled([*untold, *told]) == [
        {"kind": "PopulationCounted", "at": NOW, "named": 2, "not_afk": 1},
        {"kind": "PopulationCounted", "at": NOW + 30_000, "connected": 7, "named": 2, "not_afk": 1},
    ]
    assert untold[0].id != told[0].id


def test_frames_that_mean_nothing_are_not_heard_and_change_nothing() -> None:
    player = Player()
    before = player.room
    options = {"password": "open sesame"}
    player.play(
        [
            ("channelOpts", [options], NOW),
            ("setMotd", ["x"], NOW),
            ("clearVoteskipVote", [], NOW),
            ("closePoll", [None], NOW),
        ]
    )

    assert player.room is before
    assert player.events == []
    assert HEARD.isdisjoint({"channelOpts", "setUserRank", "channelCSSJS", "setMotd", "newPoll", "mediaUpdate"})


KICKS = [
    ("Duplicate login", "replaced"),
    ("You're banned!", "banned"),
    ("You are banned from this channel.", "banned"),
    ("Channel shutting down", "lost"),
    ("Channel could not be loaded: some reason", "refused"),
    ("Rate limit exceeded", "refused"),
    ("Too many connections from your IP address", "refused"),
    ("because I, the moderator, say so", "kicked"),
    ("", "kicked"),
]


@pytest.mark.parametrize(("said", "reason"), KICKS)
def test_a_kick_is_understood_without_keeping_what_the_moderator_wrote(said: str, reason: str) -> None:
    player = Player()
    player.play([("kick", [{"reason": said}], NOW)])

    verdict = player.room.verdict

    assert verdict is not None
    assert (verdict.reason, verdict.retry_in >= 10) == (reason, True)
    assert "moderator, say" not in repr((player.room, player.events))


ERRORS = [
    ("Channel 'lounge' is hosted on another server.  Try refreshing the page", "moved"),
    ("This channel has blocked anonymous users.  Please provide a user name to join.", "refused"),
    ("Invalid channel name.  Channel names may consist of 1-30 characters", "refused"),
]


@pytest.mark.parametrize(("said", "reason"), ERRORS)
def test_an_error_that_keeps_us_outside_is_a_verdict_until_we_are_inside(said: str, reason: str) -> None:
    outside, inside = Player(), Player()
    outside.play([("errorMsg", [{"msg": said}], NOW)])
    inside.play([("userlist", [[]], NOW), ("errorMsg", [{"msg": said}], NOW)])

    assert [player.room.verdict and player.room.verdict.reason for player in (outside, inside)] == [reason, None]


def test_errors_about_something_else_are_no_verdict() -> None:
    player = Player()
    player.play(
        [("errorMsg", [{"msg": "PM failed: bob isn't connected to this channel."}], NOW), ("errorMsg", [{}], NOW)]
    )

    assert player.room.verdict is None


LOGINS: list[tuple[dict[str, Any], str, str]] = [
    ({"success": True, "name": "BridgeBot"}, "in", "bridgebot"),
    ({"success": True, "name": "BridgeBot", "guest": True}, "in", "bridgebot"),
    ({"success": False, "error": "That name is already in use on this channel."}, "later", "bridgebot"),
    (
        {"success": False, "error": "Guest logins are restricted to one per IP address per 60 seconds."},
        "later",
        "bridgebot",
    ),
    ({"success": False, "error": "Invalid username/password combination"}, "refused", "bridgebot"),
    ({"success": False, "error": "That username is registered."}, "refused", ""),
    ({"success": False}, "refused", "bridgebot"),
]


@pytest.mark.parametrize(("answer", "login", "own"), LOGINS)
def test_the_answer_to_a_login_says_who_the_bot_is(answer: dict[str, Any], login: str, own: str) -> None:
    player = Player(own="BridgeBot")
    player.play([("login", [answer], NOW), ("rank", [-1], NOW), ("rank", [1.5], NOW)])

    assert (player.room.login, player.room.own, player.room.own_rank) == (login, own, 1.5)


def test_the_door_closes_and_opens() -> None:
    player = Player()
    states = []
    for name, args in [("needPassword", [False]), ("needPassword", [True]), ("cancelNeedPassword", [])]:
        player.play([(name, args, NOW)])
        states.append(player.room.at_door)

    assert states == ["no password", "wrong password", ""]


def test_a_room_of_an_earlier_moment_stays_what_it_was() -> None:
    player = Player()
    player.play([("userlist", [[user("amy")]], NOW)])
    earlier: Room = player.room
    player.play(
        [
            ("addUser", [user("bob")], NOW),
            ("setAFK", [{"name": "amy", "afk": True}], NOW),
            ("userLeave", [{"name": "amy"}], NOW),
        ]
    )

    assert {name: tuple(seen) for name, seen in earlier.people.items()} == {"amy": ("amy", False, True)}


def test_names_met_beyond_all_measure_are_forgotten_and_told_again() -> None:
    player = Player()
    player.play([("userlist", [[user("amy")]], NOW)])
    player.play([("chatMsg", [chat(f"guest{n}", "hi", NOW + n)], NOW) for n in range(4_200)])
    player.play([("chatMsg", [chat(name, "hi", NOW + 9_000)], NOW) for name in ("amy", "guest0")])

    assert len(player.room.named) < 4_096
    assert _kinds(player)[-3:] == ["MessageSent", "Named", "MessageSent"]
