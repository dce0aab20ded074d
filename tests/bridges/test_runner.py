"""What every bridge gets from its runner: watches, beats, leases, consent, back-off, goodbyes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest
from nats.errors import ConnectionClosedError

from bridges.bridge import Ended
from bridges.lease import NatsLease
from bridges.over_nats import OverNats
from bridges.runner import Runner
from tests.bridges.observed import (
    FAST,
    NOW,
    OTHER,
    PATIENT,
    ROOM,
    WATCH,
    event_of,
    everything,
    joined,
    message,
    opened,
    stream,
    until,
)
from tests.bridges.stage import KEY, SETTINGS, Stage, Userstats, running, userstats
from tests.brokers import Brokers
from userstats.contract import subjects
from userstats.contract.consents import Choice, Level
from userstats.contract.events import (
    BridgeBeat,
    BridgeStarted,
    BridgeStopped,
    Event,
    MessageSent,
    Place,
    PopulationCounted,
    Voice,
    VoiceMoved,
)
from userstats.contract.pseudonym import Pseudonyms

ROOT = Path(__file__).parents[2]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_watch_begins_with_its_first_observation_and_ends_with_a_goodbye(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        await until(lambda: stage.watches)
        stage.say(message(1, watch=stage.watches[0]), message(2, watch=stage.watches[0]))
        await until(lambda: at_work.runner.health.published == 3)
        health = at_work.runner.health

    started, first, second, stopped = await stream(fresh_broker)
    assert (health.connected, health.settings_known, health.waiting, health.lost) == (True, True, 0, 0)
    assert health.rooms == {
        "demo/stage/lounge": ("watching", stage.watches[0], health.rooms["demo/stage/lounge"].last_frame, "")
    }
    assert isinstance(started, BridgeStarted)
    assert isinstance(stopped, BridgeStopped)
    assert ([first.id, second.id], started.bridge, stopped.reason) == ([1, 2], "demo", "stopped")
    assert {event.watch for event in (started, first, second, stopped)} == {stage.watches[0]}
    assert stage.closed == 1


async def test_a_room_that_was_never_reached_was_never_watched(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.fail(Ended("refused", "the room does not exist"))
        await until(lambda: len(stage.watches) == 2)
        room = at_work.runner.health.rooms["demo/stage/lounge"]
        assert (room.watch, room.last_frame, room.trouble) == ("", 0, "refused: the room does not exist")

    assert await stream(fresh_broker) == []


@pytest.mark.parametrize("reason", ["kicked", "banned", "lost", "moved", "replaced", "refused"])
async def test_a_watch_that_ended_says_why_and_the_next_one_is_another(
    fresh_broker: Brokers, tmp_path: Path, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.breathe()
        stage.fail(Ended(reason, "as the platform says"))  # type: ignore[arg-type]
        stage.fail(Ended("refused", "not yet"))
        stage.fail(Ended("refused", "not yet"))
        stage.breathe()
        await until(lambda: at_work.runner.health.published == 3)

    events = await stream(fresh_broker)
    assert kinds(events) == ["BridgeStarted", "BridgeStopped", "BridgeStarted", "BridgeStopped"]
    assert [event.reason for event in events if isinstance(event, BridgeStopped)] == [reason, "stopped"]
    assert [event.watch for event in events] == [stage.watches[0]] * 2 + [stage.watches[3]] * 2
    assert [record.getMessage() for record in caplog.records if record.name == "bridges.observer"] == [
        "demo/stage/lounge: watching",
        f"demo/stage/lounge: gone ({reason}: as the platform says)",
        "demo/stage/lounge: back",
    ]


async def test_any_other_error_loses_the_watch_at_its_last_sign_of_life_and_is_not_quoted(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT):
        stage.breathe()
        await until(lambda: stage.script.empty() and stage.watches)
        await asyncio.sleep(0.05)
        stage.fail(ValueError("what amy wrote in confidence"))
        await until(lambda: len(stage.watches) == 2)

    started, stopped = await stream(fresh_broker)
    assert isinstance(stopped, BridgeStopped)
    assert (stopped.reason, stopped.at, stopped.seen) == ("lost", started.at, started.at)
    assert "gone (ValueError at watch:" in caplog.text
    assert "confidence" not in caplog.text


async def test_g02_beats_come_only_with_proof_of_life_and_say_when_it_was(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage) as at_work:
        proofs = []
        for published in (3, 5):
            stage.breathe()
            await until(partial(at_work.has_published, published))
            proofs.append(at_work.runner.health.rooms["demo/stage/lounge"].last_frame)
            await asyncio.sleep(FAST.beat_seconds * 3)

    events = await stream(fresh_broker)
    assert kinds(events) == [
        "BridgeStarted", "BridgeBeat", "PopulationCounted", "BridgeBeat", "PopulationCounted", "BridgeStopped",
    ]  # fmt: skip
    assert [(event.at, event.seen) for event in events if isinstance(event, BridgeBeat)] == [(at, at) for at in proofs]
    counted = [(event.named, event.seen) for event in events if isinstance(event, PopulationCounted)]
    assert counted == [(3, at) for at in proofs]


async def test_g25_a_platform_that_falls_silent_is_given_up(
    fresh_broker: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    quick = msgspec.structs.replace(FAST, silence_seconds=0.2)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=quick):
        stage.breathe()
        await until(lambda: len(stage.watches) == 2)

    assert [event.reason for event in await stream(fresh_broker) if isinstance(event, BridgeStopped)] == ["lost"]
    assert "gone (no sign of life)" in caplog.text


async def test_a_room_is_watched_on_while_the_broker_is_away(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1))
        await until(lambda: at_work.runner.health.published == 2)
        await fresh_broker.embedded.stop()
        for number in range(2, 102):
            stage.say(message(number))
        await until(lambda: at_work.outbox.waiting == 100)
        await asyncio.sleep(FAST.lease_seconds)
        assert at_work.runner.health.rooms["demo/stage/lounge"].state == "watching"
        await fresh_broker.embedded.start()
        await until(lambda: at_work.outbox.waiting == 0)

    events = await stream(fresh_broker)
    assert [event.id for event in events[1:-1]] == list(range(1, 102))
    assert {event.watch for event in (events[0], events[-1])} == {stage.watches[0]}
    assert [event.n for event in events] == list(range(1, 104))


async def test_stopping_is_quick_while_the_broker_is_away_and_loses_nothing(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage, later = Stage(), Stage()
    brief = msgspec.structs.replace(PATIENT, stop_seconds=0.1)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=brief) as at_work:
        stage.say(message(1))
        await until(lambda: at_work.runner.health.published == 2)
        await fresh_broker.embedded.stop()
        stage.say(message(2))
        await until(lambda: at_work.outbox.waiting == 1)
    await fresh_broker.embedded.start()
    async with running(fresh_broker, tmp_path / "o.db", later, settings=brief) as at_work:
        await until(lambda: at_work.outbox.waiting == 0)

    assert kinds(await stream(fresh_broker)) == ["BridgeStarted", "MessageSent", "MessageSent", "BridgeStopped"]


async def test_a_bridge_reads_no_further_than_there_is_room(fresh_broker: Brokers, tmp_path: Path) -> None:
    stage = Stage()
    small = msgspec.structs.replace(PATIENT, outbox_max_rows=100)
    for number in range(1, 1001):
        stage.say(message(number))
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=small) as at_work:
        await until(lambda: at_work.outbox.waiting == 100)
        await asyncio.sleep(0.2)
        unread = stage.script.qsize()
        answering = await userstats(fresh_broker, SETTINGS)
        await until(lambda: at_work.runner.health.published == 1001)

    assert unread > 800
    assert [event.id for event in (await stream(fresh_broker))[1:-1]] == list(range(1, 1001))
    assert answering.asked[0] == {"since": 0, "places": ["demo/stage/lounge"]}


async def test_cursors_are_there_again_in_the_next_watch_and_the_next_run(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage, again = Stage(), Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT):
        stage.say(read="17")
        stage.fail(Ended("lost", "gone"))
        await until(lambda: len(stage.watches) == 2)
        within = stage.desk.cursor("read")
    async with running(fresh_broker, tmp_path / "o.db", again, settings=PATIENT):
        await until(lambda: again.watches)
        later = again.desk.cursor("read")

    assert (within, later) == ("17", "17")


async def test_one_process_watches_several_rooms_over_one_outbox(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    here, there = Stage(), Stage(OTHER)
    async with running(fresh_broker, tmp_path / "o.db", here, there, settings=PATIENT) as at_work:
        here.say(message(1))
        there.say(message(2, OTHER))
        here.fail(Ended("lost", "gone"))
        await until(lambda: at_work.runner.health.published == 5)
        states = {name: room.state for name, room in at_work.runner.health.rooms.items()}

    events = await stream(fresh_broker)
    assert states["demo/stage/attic"] == "watching"
    assert [event.n for event in events] == list(range(1, len(events) + 1))
    assert kinds([event for event in events if event.place == OTHER]) == [
        "BridgeStarted", "MessageSent", "BridgeStopped",
    ]  # fmt: skip


# --- consent and what bridges must know


def off(person: int, level: Level = "off") -> Choice:
    return Choice(person, "messages", level)


async def test_g10_who_opted_out_never_reaches_the_outbox(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS, off(7), off(9), off(8))
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        await until(lambda: at_work.runner.health.settings_known)
        stage.say(message(1, author=7), message(2, author=5, mentions=(6, 8), reply_to=7), joined(3, 8), joined(4, 6))
        await until(lambda: at_work.runner.health.published == 3)
        rows = [event_of(row) for row in await everything(at_work.outbox)]

    assert [event.id for event in rows[1:]] == [2, 4]
    assert rows[1] == msgspec.structs.replace(
        message(2, author=5, mentions=(6,)), v=1, producer="p", n=2, crc=rows[1].crc
    )


async def test_g10_nothing_is_published_until_it_is_known_who_opted_out_and_then_without_them(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    answering = await userstats(fresh_broker, None, off(7), off(6, "anonymous"))
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1, author=7), message(2, author=5), message(3, author=6), message(4, author=5, mentions=(7,)))
        await until(lambda: at_work.outbox.waiting == 5)
        await until(lambda: answering.asked)
        before = (await stream(fresh_broker), at_work.runner.health.settings_known)
        answering.settings = SETTINGS
        await until(lambda: at_work.runner.health.published == 4)

    events = await stream(fresh_broker)
    assert before == ([], False)
    assert [(event.n, event.id) for event in events[1:4]] == [(2, 2), (3, 3), (4, 4)]
    authors = [event.author for event in events if isinstance(event, MessageSent)]
    assert authors == [5, Pseudonyms(KEY).anonymous(6, WATCH), 5]
    assert "7" not in {str(who) for event in events for who in getattr(event, "mentions", ())}


async def test_what_was_known_is_known_at_the_next_start_without_userstats(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    answering = await userstats(fresh_broker, SETTINGS, off(7))
    async with running(fresh_broker, tmp_path / "o.db", Stage(), settings=PATIENT) as at_work:
        await until(lambda: at_work.runner.health.settings_known)
    answering.settings = None

    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1, author=7), message(2, author=5))
        await until(lambda: at_work.runner.health.published == 2)
        lexicon = stage.desk.lexicon

    assert [event.id for event in (await stream(fresh_broker))[1:-1]] == [2]
    assert lexicon.phrases == ("lol",)


async def test_choices_are_asked_for_in_pages_and_then_only_what_changed(fresh_broker: Brokers, tmp_path: Path) -> None:
    answering = await userstats(fresh_broker, SETTINGS, *(off(person) for person in range(10, 15)))
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        await until(lambda: at_work.runner.health.settings_known)
        stage.breathe()
        await until(lambda: stage.desks)
        first, noticed = stage.desk.consent, stage.desk.consents
        answering.choices.append(Choice(12, "messages"))
        await until(lambda: stage.desk.consents != noticed)
        later = stage.desk.consent

    assert answering.pages == [0, 2, 4, 5]
    assert [first.level(person, "messages") for person in (11, 12, 15)] == ["off", "off", "shown"]
    assert [later.level(person, "messages") for person in (11, 12, 15)] == ["off", "shown", "shown"]
    assert (first.revision, later.revision) == (5, 6)


async def test_choices_of_another_installation_are_forgotten(fresh_broker: Brokers, tmp_path: Path) -> None:
    answering = await userstats(fresh_broker, SETTINGS, off(7), off(8), off(9))
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        await until(lambda: at_work.runner.health.settings_known)
        stage.breathe()
        await until(lambda: stage.desks)
        answering.choices[:] = [off(4)]
        await until(lambda: stage.desk.consent.revision == 1)
        levels = [stage.desk.consent.level(person, "messages") for person in (4, 7, 8)]

    assert levels == ["off", "shown", "shown"]


async def test_g10_without_knowing_who_chose_what_a_bridge_tells_nothing(fresh_broker: Brokers, tmp_path: Path) -> None:
    stage = Stage()
    connection = await fresh_broker.connect("userstats")
    mute = Userstats(SETTINGS, [off(7)])
    await connection.subscribe(subjects.question("settings.for_bridge"), cb=mute.answer)
    await connection.flush()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1, author=7), moved(2, 7))
        await until(lambda: len(mute.asked) > 1)
        waiting, known = at_work.outbox.waiting, at_work.runner.health.settings_known

    assert (waiting, known) == (2, False)
    assert await stream(fresh_broker) == []


def moved(number: int, person: int) -> VoiceMoved:
    return VoiceMoved(id=number, at=NOW, seen=NOW, place=ROOM, watch=WATCH, person=person, now=Voice(person, "8"))


async def test_what_an_earlier_version_kept_may_be_of_no_use(fresh_broker: Brokers, tmp_path: Path) -> None:
    async with opened(tmp_path / "o.db") as earlier:
        await earlier.remember("settings", '{"revision": "seven"}')
    await userstats(fresh_broker, SETTINGS)
    async with running(fresh_broker, tmp_path / "o.db", Stage(), settings=PATIENT) as at_work:
        await until(lambda: at_work.runner.health.settings_known)


async def test_phrases_and_names_are_the_configured_ones_until_userstats_has_answered(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT, phrases=["Good One"]) as at_work:
        await until(lambda: stage.watches)
        before = stage.desk.lexicon
        answering = await userstats(
            fresh_broker,
            {**SETTINGS, "names": {"demo/stage/lounge": ["Amy"], "demo/stage/attic": ["Bob"]}, "aliases": ["KC"]},
        )
        await until(lambda: at_work.runner.health.settings_known)
        after = stage.desk.lexicon
        answering.settings = {**SETTINGS, "revision": 9, "phrases": ["rofl"]}
        await until(lambda: stage.desk.lexicon.phrases == ("rofl",))

    assert (before.phrases, before.names) == (("good one",), frozenset())
    assert (after.phrases, after.names) == (("lol",), frozenset({"amy", "kc"}))


async def test_an_erased_account_is_somebody_else_from_then_on(fresh_broker: Brokers, tmp_path: Path) -> None:
    answering = await userstats(fresh_broker, SETTINGS)
    account = str(Pseudonyms(KEY)._hash("account", "demo", "amy"))
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        await until(lambda: at_work.runner.health.settings_known and stage.watches)
        before = stage.desk.pseudonyms.person("demo", "amy")
        answering.settings = {**SETTINGS, "revision": 2, "generations": {account: 1}}
        await until(lambda: stage.desk.pseudonyms.person("demo", "amy") != before)
        after = stage.desk.pseudonyms.person("demo", "amy")

    assert after == Pseudonyms(KEY, {account: 1}).person("demo", "amy")


@pytest.mark.parametrize(
    "answer", [b"not json", b'{"success": false}', b'{"success": true, "data": {"revision": "x"}}']
)
async def test_an_answer_that_makes_no_sense_is_no_consent(
    fresh_broker: Brokers, tmp_path: Path, answer: bytes
) -> None:
    connection = await fresh_broker.connect("userstats")
    asked = 0

    async def respond(message: object) -> None:
        nonlocal asked
        asked += 1
        await message.respond(answer)  # type: ignore[attr-defined]

    await connection.subscribe(subjects.question("settings.for_bridge"), cb=respond)
    stage = Stage()
    brief = msgspec.structs.replace(PATIENT, stop_seconds=0.1)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=brief) as at_work:
        stage.say(message(1))
        await until(lambda: asked > 2 and at_work.outbox.waiting == 2)
        assert (at_work.runner.health.settings_known, at_work.runner.health.published) == (False, 0)


# --- the lease


async def test_of_two_bridges_one_watches_and_the_other_follows_at_once_when_it_stops(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    first, second = Stage(), Stage()
    async with running(fresh_broker, tmp_path / "1.db", first, settings=PATIENT) as at_work:
        await until(lambda: first.watches)
        async with running(fresh_broker, tmp_path / "2.db", second, settings=PATIENT) as waiting:
            await asyncio.sleep(FAST.lease_seconds * 1.5)
            assert (len(first.watches), second.watches) == (1, [])
            assert waiting.runner.health.rooms["demo/stage/lounge"].state == "waiting"
            at_work.runner.stop()
            await until(lambda: second.watches, FAST.lease_seconds / 2)


LEADER = """
import asyncio, sys
from pathlib import Path
import msgspec
from bridges.bridge import Observation
from bridges.outbox import Outbox
from bridges.over_nats import OverNats
from bridges.runner import Runner
from tests.bridges.observed import PATIENT, message
from tests.bridges.stage import KEY, Stage
from tests.brokers import ANY_PORT
from userstats.contract.broker import connect

class Chatter(Stage):
    async def watch(self, desk, watch):
        print("watching", flush=True)
        number = 0
        while True:
            number += 1
            now = desk.now()
            yield Observation([msgspec.structs.replace(message(number, watch=watch), at=now, seen=now)])
            await asyncio.sleep(0.005)

async def main():
    outbox = await Outbox.open(Path(sys.argv[1]), PATIENT)
    connection = await connect(ANY_PORT, "bridge_demo", name="leader", folder=Path(sys.argv[2]))
    await Runner([Chatter()], OverNats(connection), outbox, PATIENT, key=KEY).run()

asyncio.run(main())
"""


async def leader(brokers: Brokers, file: Path) -> asyncio.subprocess.Process:
    """Another process that watches the room already."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LEADER, str(file), str(brokers.folder),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"watching\n"
    return process


@pytest.mark.faults
async def test_when_the_watching_process_is_killed_another_takes_over(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    process = await leader(fresh_broker, tmp_path / "1.db")
    stage = Stage()
    async with running(fresh_broker, tmp_path / "2.db", stage, settings=PATIENT):
        await asyncio.sleep(0.5)
        assert stage.watches == []
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await until(lambda: stage.watches)


@pytest.mark.faults
async def test_a_process_that_was_stopped_for_too_long_tells_nothing_it_saw_afterwards(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    process = await leader(fresh_broker, tmp_path / "1.db")
    stage = Stage()
    async with running(fresh_broker, tmp_path / "2.db", stage, settings=PATIENT) as at_work:
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        stage.breathe()
        await until(lambda: at_work.runner.health.published == 1)
        resumed = time.time() * 1000
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        await process.wait()

    events = await stream(fresh_broker)
    zombie = [event for event in events if event.watch == events[0].watch]
    assert set(kinds(zombie[1:-1])) == {"MessageSent"}
    assert [event.reason for event in zombie if isinstance(event, BridgeStopped)] == ["replaced"]
    assert max(event.seen for event in zombie) < resumed
    assert [event.n for event in zombie] == list(range(1, len(zombie) + 1))


async def test_what_is_observed_while_the_lease_is_unsure_waits_and_is_taken_back_if_it_was_lost(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1), message(2))
        await until(partial(at_work.has_published, 3))
        with monkeypatch.context() as unanswered:
            unanswered.setattr(NatsLease, "_write", _no_answer)
            await until(lambda: not at_work.runner._observers[0].lease.sure)
            stage.say(message(3), message(4))
            await until(lambda: at_work.outbox.waiting == 2)
            await asyncio.sleep(0.3)
            assert (at_work.outbox.waiting, at_work.runner.health.published) == (2, 3)
            await take_over(fresh_broker)
        await until(partial(at_work.has_published, 4))

    events = await stream(fresh_broker)
    assert kinds(events) == ["BridgeStarted", "MessageSent", "MessageSent", "BridgeStopped"]
    assert [event.n for event in events] == [1, 2, 3, 4]


async def test_what_is_observed_while_the_lease_is_unsure_is_told_if_it_is_still_ours(
    fresh_broker: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1))
        await until(partial(at_work.has_published, 2))
        with monkeypatch.context() as unanswered:
            unanswered.setattr(NatsLease, "_write", _no_answer)
            await until(lambda: not at_work.runner._observers[0].lease.sure)
            stage.say(message(2))
            await until(lambda: at_work.outbox.waiting == 1)
        await until(partial(at_work.has_published, 3))

    assert kinds(await stream(fresh_broker)) == ["BridgeStarted", "MessageSent", "MessageSent", "BridgeStopped"]


async def _no_answer(*_: object) -> int:
    raise TimeoutError


async def take_over(brokers: Brokers, place: Place = ROOM) -> None:
    """Somebody else writes the place's lease."""
    other = await brokers.connect("bridge_demo")
    subject = f"{subjects.LEASE_KEYS}.{subjects.lease(place)}"
    await other.jetstream(prefix=other.api).publish(subject, b"somebody else", msg_ttl=2)


async def test_a_bridge_whose_lease_was_taken_stops_watching_and_waits_for_the_room(
    fresh_broker: Brokers, tmp_path: Path
) -> None:
    await userstats(fresh_broker, SETTINGS)
    stage = Stage()
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=PATIENT) as at_work:
        stage.say(message(1))
        await until(lambda: at_work.runner.health.published == 2)
        await take_over(fresh_broker)
        await until(partial(at_work.has_published, 3))
        assert at_work.runner.health.rooms["demo/stage/lounge"].state in {"waiting", "gone"}
        await until(lambda: len(stage.watches) == 2)

    events = await stream(fresh_broker)
    assert kinds(events) == ["BridgeStarted", "MessageSent", "BridgeStopped"]
    assert [event.reason for event in events if isinstance(event, BridgeStopped)] == ["replaced"]


async def test_a_bridge_that_is_started_again_has_its_room_at_once(fresh_broker: Brokers, tmp_path: Path) -> None:
    await userstats(fresh_broker, SETTINGS)
    process = await leader(fresh_broker, tmp_path / "o.db")
    process.send_signal(signal.SIGKILL)
    await process.wait()
    stage = Stage()
    lasting = msgspec.structs.replace(PATIENT, lease_seconds=60)
    async with running(fresh_broker, tmp_path / "o.db", stage, settings=lasting):
        await until(lambda: stage.watches, 1.5)


async def test_a_connection_closed_for_good_ends_the_runner(fresh_broker: Brokers, tmp_path: Path) -> None:
    connection = await fresh_broker.connect("bridge_demo")
    async with opened(tmp_path / "o.db") as outbox:
        runner = Runner([Stage()], OverNats(connection), outbox, FAST, key=KEY)
        await connection.close()
        with pytest.raises(ConnectionClosedError):
            await asyncio.wait_for(runner.run(), 5)
