"""What userstats knows of itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.say import (
    PSEUDONYMS,
    World,
    afk,
    alias_added,
    clock,
    gap,
    joined,
    left,
    media,
    message,
    named,
    private,
    refused,
)  # fmt: skip
from userstats.answer import Answers, Asker
from userstats.contract.questions import LARGEST_REPLY, Failure, Parameter, Reply
from userstats.service import Message
from userstats.stats.system import DeadLetters, Health, Holes, Letter, Pong, SystemStats
from userstats.vitals import ServiceState


class Process:
    """A world and the process that counts it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connected = True
        self.lag = 0
        self.state = "following"
        self.seconds = 100.0
        self.vitals = ServiceState(
            "1.2.3", lambda: self.connected, lambda: self.lag, lambda: self.state, clock=lambda: self.seconds
        )
        self.answers = Answers(
            world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now, services=(self.vitals,),
            observe=self.vitals.observe,
        )  # fmt: skip

    async def ask(self, name: str, asker: Asker = "operator", **request: Any) -> Any:
        reply = await self.answers.answer(name, request, asker)
        assert isinstance(reply, Reply), reply
        return reply.data


@pytest.fixture
def process(world: World) -> Process:
    return Process(world)


async def test_the_totals(world: World, process: Process) -> None:
    await world.tell(named("amy"), named("bob"), alias_added("amy", "amy2"), "20:00", joined("amy"), joined("bob"))
    await world.tell(message("amy", thanks=["bob", "nobody"], emotes=["#a", "#a"]), private("bob"), afk("bob"))
    await world.tell(message("bob", thanks=[("amy", "lol")]), message("amy", "lobby", thanks=["amy2"]), left("amy"))
    await world.tell(media("One"), media("Two"), message("robot", by="bot"), "20:10")
    assert await process.ask("system.stats") == SystemStats(
        total_users=3,
        total_messages=3,
        total_pms=1,
        total_kudos=2,
        total_kudos_plusplus=1,
        total_kudos_phrases=1,
        total_emotes=2,
        total_media_changes=2,
        events_processed=world.seq,
        commands_processed=0,
        active_sessions=1,
    )
    await process.answers.answer("no.question", {})
    assert (await process.ask("system.stats")).commands_processed == 2


async def test_nobody_is_here_in_a_room_whose_bridge_was_killed(world: World, process: Process) -> None:
    await world.tell(named("amy"), "20:00", joined("amy"), "20:10", gap("20:12"))
    assert (await process.ask("system.stats")).active_sessions == 0
    assert (await process.ask("user.profile", username="amy")).here == []


async def test_g30_the_totals_are_the_metrics(world: World, process: Process) -> None:
    await world.tell(named("amy"), named("amy2"), alias_added("amy", "amy2"), "20:00", joined("amy"), private("amy"))
    await world.tell(message("amy", thanks=["amy2", "zoe"], emotes=["#a"]), message("zoe", thanks=["amy"]), "20:10")
    await world.tell(media("One"), media("Two"), message("cid", thanks=[("amy2", "lol")]))
    sums = {
        metric.name: sum(row[-1] for row in await world.samples(metric))
        for metric in world.service.catalogue.metrics
    }  # fmt: skip
    stats = await process.ask("system.stats")
    assert (
        stats.total_users, stats.total_messages, stats.total_pms, stats.total_kudos, stats.total_emotes,
        stats.total_media_changes, stats.active_sessions,
    ) == (
        sums["userstats_people"], sums["userstats_messages_total"], sums["userstats_private_messages_total"],
        sums["userstats_kudos_total"], sums["userstats_emotes_total"], sums["userstats_media_total"],
        sums["userstats_present"],
    )  # fmt: skip
    assert stats.total_kudos == 2


async def test_health_says_whether_answers_are_new(world: World, process: Process) -> None:
    await world.tell("20:00", joined("amy"))
    process.seconds += 12.5
    healthy = Health("userstats", "healthy", 12.5, True, True, "following", 0, 1)
    assert await process.ask("system.health") == healthy
    process.lag = 20_000
    assert (await process.ask("system.health")).status == "degraded"
    process.lag, process.state = 0, "waiting"
    assert (await process.ask("system.health")).status == "degraded"
    process.connected = False
    assert (await process.ask("system.health")).status == "unhealthy"


async def test_ping(world: World, process: Process) -> None:
    world.now = clock("20:00")
    process.seconds += 1
    assert await process.ask("system.ping", tz="Europe/Berlin") == Pong(
        True, "userstats", "1.2.3", 1.0, "2025-03-03T21:00:00+01:00"
    )


async def test_rows_that_never_arrived_are_told_by_outbox(world: World, process: Process) -> None:
    rows = world.messages(*(message("amy") for _ in range(9)))
    other = world.messages(message("bob"), producer="outbox-2")
    await world.apply([rows[0], rows[3], rows[4], *other, rows[8]])
    assert await process.ask("system.holes", "staff") == [Holes("outbox-1", 9, 5, [(2, 3), (6, 8)])]
    await world.apply([rows[6], rows[1]])
    assert await process.ask("system.holes") == [Holes("outbox-1", 9, 3, [(3, 3), (6, 6), (8, 8)])]


async def test_dead_letters_by_reason_with_the_latest(world: World, process: Process) -> None:
    await world.tell("20:00", refused("chatMsg"))
    stamp = clock("20:01") * 1_000_000
    subject = "chat.v1.event.cytube.cytu=2Ebe.lounge.Joined"
    await world.apply([Message(11, stamp, subject, b"{oops"), Message(12, stamp, subject, b"{}")])
    await world.apply([Message(13, stamp + 60_000_000_000, subject, b"}")])
    letters = await process.ask("system.dead_letters")
    assert [(one.reason, one.count, one.latest.seq) for one in letters] == [("json", 2, 13), ("unknown_type", 1, 12)]
    assert letters[0] == DeadLetters("json", 2, Letter(13, "2025-03-03T20:02:00+00:00", "$", "not JSON", 1))
    assert await process.ask("system.dead_letters", limit=1) == letters[:1]


@pytest.mark.parametrize("name", ["system.holes", "system.dead_letters"])
async def test_what_is_missing_is_for_staff(process: Process, name: str) -> None:
    assert isinstance(found := await process.answers.answer(name, {}, "everyone"), Failure)
    assert found.error.code == 403


async def test_an_empty_database_has_totals_of_zero(process: Process) -> None:
    assert await process.ask("system.stats") == SystemStats(*[0] * 11)
    assert await process.ask("system.holes") == []
    assert await process.ask("system.dead_letters") == []


async def test_every_question_is_listed_with_what_it_takes(process: Process) -> None:
    listed = {one.question: one for one in await process.ask("system.questions")}
    assert list(listed) == list(process.answers.asked)
    assert listed["leaderboard.kudos"].parameters[-2:] == (
        Parameter(name="kind", default="all", choices=("all", "phrases", "plusplus")),
        Parameter(name="limit", kind="integer", default=10, least=1, most=1000),
    )
    assert listed["user.search"].parameters[0] == Parameter(name="prefix", required=True, least=1, most=128)
    kinds = {one.name: one.kind for one in listed["import.begin"].parameters}
    assert [kinds[name] for name in ("batch", "source", "facts", "rooms")] == ["string", "string", "integer", "json"]
    about = ("scoped", "names_people", "period", "audience", "changes")
    some = [listed[name] for name in ("alias.list", "channel.top", "phrase.add")]
    assert [tuple(getattr(one, key) for key in about) for one in some] == [
        (False, True, None, "everyone", False),
        (True, True, "30d", "everyone", False),
        (False, False, None, "staff", True),
    ]


async def test_the_list_of_questions_fits_into_an_answer(process: Process) -> None:
    assert len(msgspec.json.encode(await process.ask("system.questions"))) < LARGEST_REPLY // 2
