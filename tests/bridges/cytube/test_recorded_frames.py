"""Frames of a real CyTube: every recorded client's view, and what it amounts to.

The numbers were counted by reading the recordings. Most of them begin when everybody is in already; `before` is who.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from userstats.contract.events import Event

from .play import REJOIN, Frame, Player, user
from .views import VIEWS, View

FOLDER = Path(__file__).parents[4] / "shared" / "reference" / "cytube_frames"
FILES = sorted(FOLDER.glob("*.jsonl"))

pytestmark = pytest.mark.skipif(not FILES, reason="the recorded frames of a real CyTube are not beside this checkout")


def _frames(file: Path, client: str) -> Iterator[Frame]:
    for line in file.read_text().splitlines():
        frame = json.loads(line)
        if frame["client"] == client and (frame["dir"] == "in" or frame["event"] == "@connect"):
            yield {"@connect": REJOIN}.get(frame["event"], frame["event"]), frame["args"], int(frame["ts"] * 1000)


def _amounts(player: Player, events: Sequence[Event]) -> dict[str, Any]:
    told = player.desk.spelled(events)

    def of(kind: str, field: str) -> list[str]:
        return [event[field] for event in told if event["kind"] == kind]

    verdict = player.room.verdict
    amounts = {
        "messages": dict(Counter(of("MessageSent", "author"))),
        "private": dict(Counter(of("PrivateMessageSent", "author"))),
        "emotes": dict(Counter(emote for event in told for emote in event.get("emotes", ()))),
        "rosters": [len(event.get("people", ())) for event in told if event["kind"] == "RosterSeen"],
        "joined": of("Joined", "person"),
        "left": of("Left", "person"),
        "away": dict(Counter(of("AfkStarted", "person"))),
        "back": dict(Counter(of("AfkEnded", "person"))),
        "media": [
            (event["title"], event.get("seconds"), event.get("queued_by"), event.get("resumed", False))
            for event in told
            if event["kind"] == "MediaStarted"
        ],
        "refused": of("EventRefused", "refused"),
        "people": sorted(player.room.people),
        "connected": player.room.connected,
        "emote list": sorted(player.room.emotes),
        "door": player.room.at_door,
        "verdict": verdict and verdict.reason,
    }
    return {key: value for key, value in amounts.items() if value}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.file}-{view.client}")
def test_what_a_client_saw_amounts_to_what_happened(view: View) -> None:
    player = Player(own=view.own)
    player.play([("userlist", [[user(name) for name in view.before]], 1_795_174_000_000)])

    events = player.play(_frames(FOLDER / f"{view.file}.jsonl", view.client))

    assert _amounts(player, events) == view.amounts_to


def test_nothing_that_any_client_ever_received_is_refused() -> None:
    clients = {(file, json.loads(line)["client"]) for file in FILES for line in file.read_text().splitlines()}
    views = [(file, client, Player()) for file, client in sorted(clients)]

    told = [event for file, client, player in views for event in player.play(_frames(file, client))]

    assert [event for event in told if type(event).__name__ == "EventRefused"] == []


def test_no_password_address_or_alias_of_a_recording_is_remembered_or_told() -> None:
    player = Player(own="Door_Guest")
    player.play(_frames(FOLDER / "10_password_channel.jsonl", "a"))
    moderator = Player(own="BridgeBot")
    moderator.play(_frames(FOLDER / "08_moderation.jsonl", "bot"))

    kept = repr((player.room, player.events, player.desk.cursors, moderator.room, moderator.events))

    assert [secret for secret in ("open sesame", "+Jk.f9O", "shadow words") if secret in kept] == []
