"""`POST /api/events`: what a bridge sends there is in the stream as if it had come over NATS, or nothing of it is."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio

from tests.bridges.observed import ROOM, SOMEBODY, message
from tests.brokers import Brokers, started
from tests.surfaces.intake import OPERATOR, SHOWN, TOKEN, Intake, Said, taking
from userstats.contract import http, subjects, wire
from userstats.contract.events import Event, Place
from userstats.contract.stream import StreamSettings
from userstats.gateway import Gateway
from userstats.surfaces import events as surfaces

REFUSED: Final = "it says it is of a platform that no bridge tells of; known are cytube, demo, discord"


@pytest_asyncio.fixture
async def intake(fresh_broker: Brokers, tmp_path: Path) -> AsyncIterator[Intake]:
    async with taking(fresh_broker, tmp_path) as found:
        yield found


def sealed(event: Event, n: int = 0, producer: str = "outbox-1") -> bytes:
    """As the bridge's outbox row of this number publishes it."""
    return wire.seal(wire.body(event), producer, n or event.id)


def several(numbers: Iterable[int]) -> list[bytes]:
    return [sealed(message(number)) for number in numbers]


AUTHOR = b'"author":%d' % SOMEBODY


def altered(**fields: Any) -> bytes:
    """A message with other or further fields, sealed as if it were right."""
    return wire.seal(json.dumps({**json.loads(wire.body(message(900))), **fields}).encode(), "outbox-2", 1)


def at_home(lines: Sequence[bytes]) -> list[tuple[str, bytes]]:
    return [(subjects.event(ROOM, "MessageSent"), line) for line in lines]


# --- what is taken


@pytest.mark.parametrize("count", [1, 15, 16, http.MOST_EVENTS])
async def test_events_are_stored_byte_by_byte_in_their_order(intake: Intake, count: int) -> None:
    lines = several(range(1, count + 1))

    said = await intake.post(lines)

    assert (said.status, said.body) == (
        200, {"success": True, "stored": count, "dead": [], "broker": intake.broker},
    )  # fmt: skip
    assert await intake.stored() == at_home(lines)


async def test_each_event_is_stored_at_its_own_place_and_kind(intake: Intake) -> None:
    elsewhere = Place("discord", "123", "456")
    lines = [sealed(message(1)), sealed(message(2, elsewhere))]

    assert (await intake.post(lines)).status == 200
    assert [subject for subject, _ in await intake.stored()] == [
        "chat.v1.event.demo.stage.lounge.MessageSent", "chat.v1.event.discord.123.456.MessageSent",
    ]  # fmt: skip


async def test_what_is_sent_again_is_stored_once_whole_or_in_part(intake: Intake) -> None:
    lines = several(range(1, 61))

    answers = [
        await intake.post(lines[:40]),
        await intake.post(lines[:40]),
        await intake.post(lines),
    ]

    assert [(said.status, said.body["stored"]) for said in answers] == [(200, 40), (200, 40), (200, 60)]
    assert await intake.stored() == at_home(lines)


async def test_several_bridges_at_once_each_keep_their_order(intake: Intake) -> None:
    told = {name: [sealed(message(n), n, name) for n in range(1, 201)] for name in ("one", "two", "three")}

    async def tell(name: str) -> None:
        for first in range(0, 200, 20):
            assert (await intake.post(told[name][first : first + 20])).status == 200

    await asyncio.gather(*map(tell, told))

    stored = [line for _, line in await intake.stored()]
    assert {name: [line for line in stored if line in set(lines)] for name, lines in told.items()} == told


async def test_blank_lines_and_carriage_returns_are_no_events(intake: Intake) -> None:
    one, two = several((1, 2))

    said = await intake.post([b"", one + b"\r", b" ", two, b""])

    assert (said.status, said.body["stored"], said.body["dead"]) == (200, 2, [])
    assert await intake.stored() == at_home([one, two])


# --- what is no event


POISON: Final[dict[str, tuple[bytes, str, http.Dead]]] = {
    "of a later kind": (
        altered(kind="TeaDrunk"), "chat.v1.event.demo.stage.lounge.TeaDrunk", http.Dead(1, "unknown_type", "$.kind"),
    ),
    "altered on its way": (
        several([7])[0].replace(AUTHOR, b'"author":8'), "chat.v1.event.demo.stage.lounge.MessageSent",
        http.Dead(1, "crc", "$.crc"),
    ),
    "wrong in a field": (
        altered(author="amy"), "chat.v1.event.demo.stage.lounge.MessageSent", http.Dead(1, "schema", "$.author"),
    ),
    "not JSON": (b'{"kind": "MessageSent", ...', "chat.v1.event.unreadable.=.=.Unreadable", http.Dead(1, "json", "$")),
    "no object": (b"[1, 2, 3]", "chat.v1.event.unreadable.=.=.Unreadable", http.Dead(1, "schema", "$")),
    "of a kind that is somebody's text": (
        altered(kind="what amy said"), "chat.v1.event.unreadable.=.=.Unreadable",
        http.Dead(1, "unknown_type", "$.kind"),
    ),
    "nested without end": (
        b'{"extra": ' + b"[" * 10_000, "chat.v1.event.unreadable.=.=.Unreadable", http.Dead(1, "deep", "$"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
async def test_what_is_no_event_is_stored_too_and_told_and_the_others_do_not_wait(intake: Intake, poison: str) -> None:
    line, subject, dead = POISON[poison]
    before, after = several((1, 2))

    said = await intake.post([before, line, after])

    assert (said.status, said.body["dead"]) == (200, [msgspec.to_builtins(dead)])
    assert await intake.stored() == [*at_home([before]), (subject, line), *at_home([after])]
    decoded = [wire.decode(payload, at) for at, payload in await intake.stored()]
    assert [one.reason for one in decoded if isinstance(one, wire.Bad)] == [dead.reason]


@pytest.mark.parametrize("poison", POISON)
async def test_what_is_no_event_is_stored_once_however_often_it_is_sent(intake: Intake, poison: str) -> None:
    lines = [POISON[poison][0], *several((1,))]

    assert [(await intake.post(lines)).status for _ in range(3)] == [200, 200, 200]
    assert [line for _, line in await intake.stored()] == lines


async def test_a_damaged_row_does_not_take_the_place_of_the_row_it_says_it_is(intake: Intake) -> None:
    good = several((5,))[0]
    damaged = good.replace(AUTHOR, b'"author":8')

    assert [(await intake.post([line])).status for line in (damaged, good)] == [200, 200]
    assert [line for _, line in await intake.stored()] == [damaged, good]


# --- what is refused


async def refused_whole(intake: Intake, lines: Sequence[bytes], headers: Mapping[str, str] = SHOWN) -> Said:
    """The refusal; nothing of it is in the stream."""
    said = await intake.post(lines, headers)
    assert (said.body["success"], await intake.stored()) == (False, [])
    return said


@pytest.mark.parametrize("platform", ["userstats", "unreadable", "irc", "Demo"])
async def test_an_event_of_a_platform_that_no_bridge_tells_of_refuses_all(intake: Intake, platform: str) -> None:
    forged = sealed(message(2, Place(platform, "", "")))
    odd = altered(kind="TeaDrunk", place={"platform": platform, "space": "", "channel": ""})
    for line in (forged, odd):
        said = await refused_whole(intake, [*several((1,)), line])
        assert (said.problem, said.body["error"]["details"]) == ((403, f"line 1: {REFUSED}"), {"index": 1})


async def test_an_event_that_the_stream_would_not_take_refuses_all(intake: Intake) -> None:
    fits, large = b"x" * wire.LARGEST, b"x" * (wire.LARGEST + 1)

    said = await refused_whole(intake, [*several((1, 2)), large])

    expected = "line 2: it has 16385 bytes, the most is 16384; say EventRefused(too_big) in its place"
    assert said.problem == (413, expected)
    assert (await intake.post([fits])).status == 200


async def test_too_many_events_are_refused(intake: Intake) -> None:
    said = await refused_whole(intake, several(range(1, http.MOST_EVENTS + 2)))
    assert said.problem == (413, "there are 1001 events in it, the most is 1000")


@pytest.mark.parametrize("chunked", [False, True])
async def test_too_large_a_body_is_refused_whether_it_says_so_or_not(intake: Intake, chunked: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(http.MOST_BYTES // 65_536 + 1):
            yield b" " * 65_536

    body = parts() if chunked else b" " * (http.MOST_BYTES + 1)
    async with intake.session.post(http.EVENTS, data=body, headers=SHOWN) as response:
        said = Said(response.status, await response.json(), response.headers)
    assert said.problem == (413, "the body is too large, the most is 4194304 bytes")


async def test_a_body_that_grows_when_it_is_unpacked_is_refused(intake: Intake) -> None:
    packed = zlib.compress(b" " * (http.MOST_BYTES * 8))
    headers = {**SHOWN, "Content-Encoding": "deflate"}
    assert (len(packed) < 100_000, (await intake.post([packed], headers)).status) == (True, 413)


@pytest.mark.parametrize("lines", [[], [b""], [b"\n\n \r\n"]])
async def test_no_event_at_all_is_a_mistake(intake: Intake, lines: list[bytes]) -> None:
    assert (await refused_whole(intake, lines)).problem == (400, "there is no event in it")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream"])
async def test_another_kind_of_body_is_refused(intake: Intake, kind: str) -> None:
    said = await refused_whole(intake, several((1,)), {**SHOWN, "Content-Type": kind})
    assert said.problem == (415, "the body must be application/x-ndjson: one sealed event a line")


async def test_a_body_that_does_not_arrive_is_not_waited_for(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surfaces, "_READ_SECONDS", 0.2)
    head = "".join(f"{name}: {value}\r\n" for name, value in SHOWN.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.surface.port)
    writer.write(f"POST {http.EVENTS} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: 50\r\n\r\n{{".encode())
    async with asyncio.timeout(10):
        status = (await reader.readline()).split()[1]
    writer.close()
    assert status == b"400"


# --- who may


@pytest.mark.parametrize(
    "given", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer ", f"Bearer {OPERATOR}", "Bearer é"]
)
async def test_anything_but_the_token_is_no_token(intake: Intake, given: str) -> None:
    headers = {**SHOWN, "Authorization": given}
    said = await refused_whole(intake, several((1,)), headers)
    assert said.problem == (401, "the token of http.events_token is needed")
    assert said.headers["WWW-Authenticate"] == "Bearer"
    assert (await intake.get(http.EVENTS, headers)).status == 401


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", f"Bearer {OPERATOR}"])
async def test_without_a_token_in_the_settings_nobody_may(fresh_broker: Brokers, tmp_path: Path, given: str) -> None:
    async with taking(fresh_broker, tmp_path, token="") as intake:
        said = await refused_whole(intake, several((1,)), {**SHOWN, "Authorization": given})
        assert said.problem == (403, "no events are taken over HTTP: http.events_token is not set")


async def test_with_the_token_a_bridge_asks_what_it_must_know_and_nothing_that_only_operators_may(
    intake: Intake,
) -> None:
    path = http.question_path("settings.for_bridge")
    nobody = {"Content-Type": "application/json"}
    shown = {**SHOWN, **nobody}
    async with intake.session.post(path, json={"since": 0, "places": ["demo/stage/lounge"]}, headers=shown) as response:
        posted = await response.json()
    got = await intake.get(f"{path}?since=0&places=demo/stage/lounge")

    assert (posted["data"]["phrases"], got.body["data"]) == (["bravo"], posted["data"])
    assert (await intake.get(path, nobody)).problem == (403, "settings.for_bridge is answered to staff only")


# --- when it cannot be done now


async def test_who_sends_is_told_which_broker_takes_it(intake: Intake) -> None:
    said = await intake.get(http.EVENTS)
    assert (said.status, said.body) == (
        200, {"success": True, "broker": intake.broker, "most_events": 1000, "most_bytes": 4_194_304},
    )  # fmt: skip


async def test_events_for_another_broker_process_are_not_stored(intake: Intake) -> None:
    broker = intake.broker
    said = await refused_whole(intake, several((1,)), {**SHOWN, "If-Match": '"one before"'})
    assert said.problem == (412, "another broker process takes the events now")
    assert (said.headers["ETag"], said.body["error"]["details"]) == (f'"{broker}"', {"broker": broker})
    assert (await intake.post(several((1,)), {**SHOWN, "If-Match": f'"{broker}"'})).status == 200


async def test_while_the_broker_is_away_events_are_refused_for_now(intake: Intake) -> None:
    await intake.brokers.embedded.stop()
    said = await intake.post(several((1,)))
    hello = await intake.get(http.EVENTS)
    assert said.problem == hello.problem == (503, "the broker cannot be reached; try again")
    assert (said.headers["Retry-After"], hello.headers["Retry-After"]) == ("1", "1")

    await intake.brokers.embedded.start()
    async with asyncio.timeout(20):
        while (await intake.post(several((1,)))).status != 200:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)
    assert await intake.stored() == at_home(several((1,)))


async def test_a_full_stream_refuses_for_now_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    brokers = Brokers(await started(tmp_path / "b", StreamSettings(max_bytes=50_000)))
    async with taking(brokers, tmp_path) as intake:
        answers = [await intake.post(several(range(first, first + 100))) for first in range(1, 701, 100)]
    statuses = [said.status for said in answers]
    await brokers.disconnect()
    await brokers.embedded.stop()

    assert (statuses[0], statuses[-2:]) == (200, [503, 503])
    assert answers[-1].problem == (503, "the stream is full; try again")
    assert caplog.text.count("events over HTTP are not taken: the stream is full") == 1


async def test_more_requests_than_can_be_held_are_refused_for_now(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    append: Callable[..., Any] = Gateway.append

    async def held(*given: Any) -> None:
        await gate.wait()
        await append(*given)

    monkeypatch.setattr(Gateway, "append", held)
    waiting = [asyncio.create_task(intake.post(several((number,)))) for number in range(1, 13)]
    done, _ = await asyncio.wait(waiting, timeout=1)
    gate.set()
    answers = await asyncio.gather(*waiting)

    assert [one.result().problem for one in done] == [(429, "too many at once; try again")] * 4
    assert sorted(said.status for said in answers) == [200] * 8 + [429] * 4
    assert len(await intake.stored()) == 8
