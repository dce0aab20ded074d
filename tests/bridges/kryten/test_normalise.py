"""Whatever a robot says, reading it raises nothing and never mistakes one site for another."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridges.cytube_room import HEARD, enter
from bridges.kryten.normalise import Elsewhere, Garbled, Recent, Told, begun, bot_of, read, rooms_of, sign, told
from tests.bridges.desk import FakeDesk, received
from userstats.contract import subjects
from userstats.contract.events import Event, Place

PLACE = Place("cytube", "cytu.be", "lounge")
NOW = 1_700_000_000_000
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)
NAMES = st.sampled_from(sorted(HEARD)) | st.text(max_size=8)


def envelope(**changes: Any) -> bytes:
    return json.dumps(
        {"event_name": "chatMsg", "payload": 1, "channel": "Lounge", "domain": "cytu.be", **changes}
    ).encode()


@given(st.binary(max_size=64) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_as_something(raw: bytes) -> None:
    assert isinstance(told(raw, PLACE), (Told, Elsewhere, Garbled))
    assert sign("connected", raw, PLACE) in ("", "came")
    assert isinstance(rooms_of([raw]), list)
    assert isinstance(bot_of(raw), str)


@given(st.lists(st.tuples(NAMES, ANYTHING), max_size=12))
def test_any_frames_become_events_that_keep_the_contract(frames: list[tuple[str, Any]]) -> None:
    desk = FakeDesk()
    room, events = enter(PLACE, "w1", desk), list[Event]()
    for name, payload in frames:
        room, observation = read(room, name, payload, NOW, desk)
        events += observation.events

    assert received(events) == events


@given(st.dictionaries(st.sampled_from(("users", "list", "items", "current")), ANYTHING))
def test_whatever_the_buckets_hold_can_be_read(kept: dict[str, Any]) -> None:
    desk = FakeDesk()
    room = enter(PLACE, "w1", desk)
    for name, content in begun(kept):
        room, observation = read(room, name, content, NOW, desk)
        assert received(observation.events) == list(observation.events)


def test_an_envelope_belongs_to_a_room_by_its_site_and_channel() -> None:
    ours: list[dict[str, Any]] = [{}, {"channel": "LOUNGE"}, {"domain": "CyTu.be"}, {"domain": "https://cytu.be"}]
    others: list[dict[str, Any]] = [
        {"domain": "other.tube"},
        {"channel": "lounge2"},
        {"domain": "cytube"},
        {"domain": "http://cytu.be/x"},
    ]
    broken: list[dict[str, Any]] = [{"domain": None}, {"channel": 3}, {"event_name": []}]

    assert [told(envelope(**changes), PLACE) for changes in ours] == [Told("chatMsg", 1)] * 4
    assert [told(envelope(**changes), PLACE) for changes in others] == [Elsewhere()] * 4
    assert [told(envelope(**changes), PLACE) for changes in broken] == [Garbled()] * 3


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40))
def test_an_envelope_that_is_published_again_is_known_again(ids: list[str]) -> None:
    recent = Recent()
    fresh = [one for one in ids if not recent.again(Told("chatMsg", 1, one))]

    assert fresh == list(dict.fromkeys(ids))


def test_what_is_remembered_of_envelopes_is_bounded() -> None:
    recent = Recent()
    again = [recent.again(Told("chatMsg", 1, str(number))) for number in (*range(5000), 4999, 904, 903, "", "")]

    assert again[:5000] == [False] * 5000
    assert again[5000:] == [True, True, False, False, False]
    assert len(recent._ids) == 4096


def test_subjects_are_spelled_as_the_robot_spells_them() -> None:
    assert subjects.kryten_events_of("420Grindhouse") == "kryten.events.cytube.420grindhouse.>"
    assert subjects.kryten_token("A.b C!@#$%^&*()+=[]{}|\\:;\"'<>,?/_-") == "ab-c_-"
    assert len(subjects.kryten_token("x" * 200)) == 100
    assert subjects.kryten_user_level("cytu.be", "420Grindhouse") == "kryten.user_level.cytu.be.420Grindhouse"
    assert subjects.kryten_bucket("420Grindhouse", "userlist") == "kryten_420Grindhouse_userlist"
    assert subjects.kryten_lifecycle("userstats", "startup") == "kryten.lifecycle.userstats.startup"


def test_frames_about_the_robot_alone_mean_nothing() -> None:
    names = ("errorMsg", "needPassword", "rank", "mediaUpdate", "channelOpts", "setPermissions", "voteskip")

    assert {told(envelope(event_name=name), PLACE) for name in names} == {Told("", 1)}


def test_the_moments_of_a_robots_life() -> None:
    here, there = {"domain": "cytu.be", "channel": "Lounge"}, {"domain": "other.tube", "channel": "Lounge"}
    signs = [
        (moment, sign(moment, json.dumps(message).encode(), PLACE))
        for moment, message in [
            ("startup", {}), ("startup", here), ("startup", there), ("connected", {"target": "NATS"}),
            ("connected", {"target": "CyTube", **here}), ("connected", {"target": "CyTube", **there}),
            ("heartbeat", {}), ("heartbeat", there), ("disconnected", {"target": "NATS"}),
            ("disconnected", {"target": "CyTube"}), ("disconnected", {"target": "CyTube", **here}),
            ("disconnected", {"target": "CyTube", **there}), ("shutdown", {}), ("shutdown", here), ("restart", here),
        ]
    ]  # fmt: skip

    assert signs == [
        ("startup", ""), ("startup", "came"), ("startup", ""), ("connected", ""), ("connected", "came"),
        ("connected", ""), ("heartbeat", "alive"), ("heartbeat", ""), ("disconnected", ""), ("disconnected", "went?"),
        ("disconnected", "went"), ("disconnected", ""), ("shutdown", "went?"), ("shutdown", "went"), ("restart", ""),
    ]  # fmt: skip
