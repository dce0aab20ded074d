"""One connection that observes many places (a shard and its guilds): each has its own beginning, beats and end."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridges.bridge import Ended, Observation
from bridges.lease import NatsLease
from tests.bridges.observed import FAST, PATIENT, message, stream, until
from tests.bridges.stage import SETTINGS, Stage, running, userstats
from tests.bridges.test_runner import _no_answer, take_over
from tests.brokers import Brokers
from userstats.contract.events import BridgeBeat, BridgeStarted, BridgeStopped, Event, Place

SHARD = Place("demo", "", "shard.0.1")
HERE = Place("demo", "", "")
ONE = Place("demo", "100", "")
TWO = Place("demo", "200", "")
CHANNEL = Place("demo", "100", "7")


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    """Kind, space and watch of each."""
    return [(type(event).__name__, event.place.space, event.watch) for event in events]


def say(stage: Stage, *events: Event, **more: Any) -> None:
    stage.script.put_nowait(Observation(events, **more))


async def test_each_place_is_observed_from_when_it_was_opened_until_it_was_closed(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage(SHARD)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        say(stage, opened={HERE: "w"})
        say(stage, message(1, CHANNEL, "w.1"), opened={ONE: "w.1", TWO: "w.2"})
        say(stage, message(2, CHANNEL, "w.1"), closed={ONE: "lost"})
        say(stage, message(3, CHANNEL, "w.3"), opened={ONE: "w.3"})
        await until(partial(at_work.has_published, 8))

    events = await stream(fresh_broker)
    assert told(events) == [
        ("BridgeStarted", "", "w"),
        ("BridgeStarted", "100", "w.1"), ("BridgeStarted", "200", "w.2"), ("MessageSent", "100", "w.1"),
        ("MessageSent", "100", "w.1"), ("BridgeStopped", "100", "w.1"),
        ("BridgeStarted", "100", "w.3"), ("MessageSent", "100", "w.3"),
        ("BridgeStopped", "", "w"), ("BridgeStopped", "200", "w.2"), ("BridgeStopped", "100", "w.3"),
    ]  # fmt: skip
    assert [event.reason for event in events if isinstance(event, BridgeStopped)] == ["lost"] + ["stopped"] * 3


async def test_every_open_place_beats_and_no_closed_one_does(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage(SHARD)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=FAST) as at_work:
        say(stage, opened={HERE: "w", ONE: "w.1", TWO: "w.2"})
        say(stage, closed={ONE: "kicked"})
        await until(partial(at_work.has_published, 4 + 3))  # and one round of beats, with the stage's own count

    beats = [event for event in await stream(fresh_broker) if isinstance(event, BridgeBeat)]
    assert {(beat.place, beat.watch) for beat in beats} == {(HERE, "w"), (TWO, "w.2")}


async def test_a_connection_that_ends_ends_everything_that_it_observed(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage(SHARD)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        say(stage, opened={HERE: "w", ONE: "w.1"})
        stage.fail(Ended("replaced", "another session"))
        say(stage, opened={HERE: "x"})
        await until(partial(at_work.has_published, 5))

    events = await stream(fresh_broker)
    assert [(type(one).__name__, one.watch) for one in events] == [
        ("BridgeStarted", "w"), ("BridgeStarted", "w.1"), ("BridgeStopped", "w"), ("BridgeStopped", "w.1"),
        ("BridgeStarted", "x"), ("BridgeStopped", "x"),
    ]  # fmt: skip
    assert [one.reason for one in events if isinstance(one, BridgeStopped)] == ["replaced", "replaced", "stopped"]


async def test_a_lost_lease_takes_back_what_was_told_of_every_place_of_the_connection_and_of_no_other(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await userstats(fresh_broker, SETTINGS)
    shard, other = Stage(SHARD), Stage(Place("demo", "", "shard.1.2"))
    async with running(fresh_broker, tmp_path / "o.db", shard, other, settings=PATIENT) as at_work:
        say(shard, message(1, CHANNEL, "w.1"), opened={ONE: "w.1"})
        await until(partial(at_work.has_published, 2))
        say(other, opened={TWO: "v.1"})
        await until(partial(at_work.has_published, 3))
        with monkeypatch.context() as unanswered:
            unanswered.setattr(NatsLease, "_write", _no_answer)
            await until(lambda: not at_work.runner._observers[0].lease.sure)
            say(shard, message(2, CHANNEL, "w.1"))
            say(other, message(3, Place("demo", "200", "9"), "v.1"))
            await until(lambda: at_work.outbox.waiting == 2)
            await take_over(fresh_broker, SHARD)
        await until(partial(at_work.has_published, 5))

    events = await stream(fresh_broker)
    assert [event.id for event in events if type(event).__name__ == "MessageSent"] == [1, 3]
    assert [event.place for event in events if isinstance(event, BridgeStarted)] == [ONE, TWO]
