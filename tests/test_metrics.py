"""What /metrics says: rightly, under the peer's names too, and never a name."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from nats.aio.client import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.brokers import Brokers
from tests.e2e.evening import address
from tests.e2e.processes import Part, ask, configure
from tests.say import (
    PSEUDONYMS,
    Gap,
    World,
    afk,
    alias_added,
    beat,
    clock,
    gap,
    joined,
    media,
    message,
    named,
    phrase_added,
    place_named,
    population,
    private,
    refused,
    roster,
    started,
    stopped,
)
from tests.say_guild import (
    CONNECTION,
    GENERAL,
    GUILD,
    backfill_reached,
    consent_changed,
    guild_counted,
    in_voice,
    member_joined,
    member_left,
    members_seen,
    presence_changed,
    reaction_added,
    reaction_removed,
    thread_created,
    voice_counted,
    voice_moved,
    voice_seen,
)
from userstats import catalogue
from userstats.answer import Answers
from userstats.contract.events import KINDS, Event, Place
from userstats.contract.questions import Reply
from userstats.contract.wire import REASONS
from userstats.inbox import Inbox
from userstats.ingest import Ingest
from userstats.service import Message
from userstats.statistic import Metric, Statistic
from userstats.store.seam import Store
from userstats.surfaces.http import HttpSurface
from userstats.surfaces.metrics import Metrics, declared, rooms
from userstats.surfaces.peer_metrics import PEER, Peer, number
from userstats.surfaces.sampling import Sampled, still_good
from userstats.surfaces.service_metrics import SERIES, UNKNOWN, Timings
from userstats.vitals import ServiceState

CAPTURES: Final = Path(__file__).parents[2] / "shared" / "reference" / "kryten"
CYTUBE: Final = '{platform="cytube"}'
MINUTE: Final = 60_000
EVENING: Final[tuple[str | Gap | Event, ...]] = (
    named("Amy"), named("Bob"), phrase_added("lol"), "20:00", roster("amy", away=["bob"]), population(7, 2, 1),
    message("amy", emotes=["#a", "#b", "#a"], thanks=["bob"]), message("bob", thanks=[("amy", "lol"), "amy2"]),
    message("amy", thanks=["bob", ("bob", "lol")]), private("amy"), media("Alien"), message("bob", vote=1),
    "20:10", joined("cid"), media("Dune"), population(8, 3, 2), "20:10:30",
)  # fmt: skip
"""A message thanks a person once; `amy2` is nobody."""
IN_A_GUILD: Final[tuple[str | Gap | Event, ...]] = (
    started(GUILD), started(CONNECTION), consent_changed("amy", "voice", "shown"), guild_counted(3, online=2),
    members_seen("amy", "bob"), member_joined("cid"), member_left("bob"), message("amy", GENERAL),
    reaction_added("amy", "x"), reaction_removed("amy", "x"), thread_created("amy", "900"),
    backfill_reached(1, "20:00"), voice_seen(in_voice("amy")), voice_counted(("300", 2)), presence_changed("amy"),
    "20:12", voice_seen(in_voice("bob")), voice_moved("bob"), presence_changed("amy", "idle"), "20:13",
)  # fmt: skip
"""What there are metrics about that EVENING has nothing of."""


needs_captures = pytest.mark.skipif(
    not CAPTURES.exists(), reason="the captures of the peer are not beside this project"
)


def of(world: World, *, nats: bool = True, timings: Timings | None = None) -> Metrics:
    """The metrics of this world, whose clock it is."""
    ingest = Ingest(world.service, Inbox(Client()))
    asked = timings or Timings(world.service.catalogue.questions)
    return Metrics(world.service, ingest, "1.2.3", lambda: nats, asked, now=lambda: world.now)


def read(page: bytes | str) -> dict[str, float]:
    """Every sample of a page, as it is written there: `name{label="value"}`."""
    text = page.decode() if isinstance(page, bytes) else page
    return {
        sample.name + _labels(sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _labels(labels: dict[str, str]) -> str:
    written = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{{{written}}}" if written else ""


async def about(metrics: Metrics, *names: str) -> dict[str, float]:
    """The samples of the page whose metric is one of these."""
    page = read(await metrics.text())
    return {sample: value for sample, value in page.items() if sample.partition("{")[0] in names}


def peer_lines(page: bytes) -> dict[str, str]:
    """The lines of the peer's metrics, as they are written."""
    lines = [line.split(" ") for line in page.decode().splitlines() if not line.startswith("#")]
    return {name: value for name, value in lines if name in PEER}


async def test_an_empty_database_shows_zeros_under_the_peers_names(world: World) -> None:
    assert peer_lines(await of(world).text()) == dict.fromkeys(PEER, "0")


async def test_the_peers_names_show_what_was_counted(world: World) -> None:
    await world.tell(*EVENING)
    assert peer_lines(await of(world).text()) == {
        "userstats_total_users_tracked": "3",
        "userstats_total_messages": "4",
        "userstats_total_pms": "1",
        "userstats_total_kudos": "3",
        "userstats_total_kudos_plusplus": "2",
        "userstats_total_kudos_phrases": "1",
        "userstats_total_emote_usage": "3",
        "userstats_total_media_changes": "2",
        "userstats_active_sessions": "3",
    }


async def test_g30_the_page_and_the_answer_about_the_system_have_the_same_totals(world: World) -> None:
    await world.tell(*EVENING)
    state = ServiceState("1.2.3", lambda: True, lambda: 0, lambda: "following")
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, services=(state,), now=lambda: world.now)
    reply = await answers.answer("system.stats", {})
    assert isinstance(reply, Reply)
    lines = peer_lines(await of(world).text())
    assert {
        "userstats_total_users_tracked": reply.data.total_users,
        "userstats_total_messages": reply.data.total_messages,
        "userstats_total_pms": reply.data.total_pms,
        "userstats_total_kudos": reply.data.total_kudos,
        "userstats_total_kudos_plusplus": reply.data.total_kudos_plusplus,
        "userstats_total_kudos_phrases": reply.data.total_kudos_phrases,
        "userstats_total_emote_usage": reply.data.total_emotes,
        "userstats_total_media_changes": reply.data.total_media_changes,
        "userstats_active_sessions": reply.data.active_sessions,
    } == {name: int(value) for name, value in lines.items()}


def test_large_numbers_of_the_peer_lose_no_digit() -> None:
    samples = {"ours": [(("cytube",), 1_234_567.0), (("demo",), 9_000_000_000.0)]}
    assert number(Peer("counter", "", "ours"), samples) == 9_001_234_567
    assert number(Peer("counter", "", "ours", "demo"), samples) == 9_000_000_000


@needs_captures
async def test_every_metric_of_the_peer_is_there_with_its_type_and_without_labels(world: World) -> None:
    await world.tell(*EVENING)
    page = (await of(world).text()).decode()
    captured = (CAPTURES / "metrics.txt").read_text()
    types = set(re.findall("^# TYPE .*$", captured, re.MULTILINE))
    names = {line.split(" ")[0] for line in captured.splitlines() if line and not line.startswith("#")}
    assert types - set(page.splitlines()) == set()
    assert names - {line.split(" ")[0] for line in page.splitlines()} == set()


@needs_captures
async def test_the_health_page_has_the_peers_shape(world: World) -> None:
    await world.tell(*EVENING)
    captured = json.loads((CAPTURES / "health.json").read_text())["health"]
    health = await of(world).health()
    assert {name: type(value) for name, value in health.items()} == {
        name: type(value) for name, value in captured.items()
    }
    assert {**health, "uptime_seconds": 0} == {
        "service": "userstats", "status": "healthy", "uptime_seconds": 0, "nats_connected": True,
        "database": "connected", "total_users_tracked": 3, "active_sessions": 3, "channels_configured": 1,
    }  # fmt: skip


async def test_the_page_is_what_is_declared_and_each_metric_once(world: World) -> None:
    await world.tell(*EVENING, afk("cid"), *IN_A_GUILD, "21:10", stopped(), "21:20", joined("amy"))
    timings = Timings(world.service.catalogue.questions)
    timings.observe("leaderboard.messages", 200, 0.003)
    page = (await of(world, timings=timings).text()).decode()
    helps = re.findall(r"^# HELP (\S+) (.+)$", page, re.MULTILINE)
    types = re.findall(r"^# TYPE (\S+) (.+)$", page, re.MULTILINE)
    own = declared(world.service.catalogue)
    assert sorted(helps) == sorted([(one.name, one.help) for one in own] + [(n, p.help) for n, p in PEER.items()])
    assert sorted(types) == sorted([(one.name, one.type) for one in own] + [(n, p.type) for n, p in PEER.items()])
    labels = {one.name: set(one.labels) for one in own}
    found = {
        family.documentation: set(sample.labels) - {"le"}
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if family.documentation in {one.help for one in own}
    }
    assert found == {one.help: labels[one.name] for one in own}


def test_names_follow_the_rules_of_prometheus() -> None:
    own = declared(catalogue.read())
    assert [one.name for one in own if not re.fullmatch("userstats_[a-z][a-z0-9_]*[a-z]", one.name)] == []
    assert [one.name for one in own if (one.type == "counter") != one.name.endswith("_total")] == []
    assert [one.name for one in own if re.search("_(ms|millis|minutes|hours|kb|mb|percent)(_|$)", one.name)] == []
    assert [one.name for one in own if not one.help.endswith(".")] == []


async def test_no_label_holds_what_is_not_of_a_closed_set(world: World) -> None:
    await world.tell(*EVENING, *IN_A_GUILD)
    timings = Timings(world.service.catalogue.questions)
    timings.observe("leaderboard.messages", 200, 0.003)
    timings.observe("no such question", 404, 0.003)
    page = (await of(world, timings=timings).text()).decode()
    found: dict[str, set[str]] = {}
    for name, value in re.findall(r'(\w+)="([^"]*)"', page):
        found.setdefault(name, set()).add(value)
    statistics = {room.name for room in world.service.catalogue.rooms}
    assert found.pop("le") >= {"0.2", "+Inf"}
    assert found.pop("kind") <= {*KINDS, "plusplus", "phrase", "raw", "active", "social"}
    assert found.pop("statistic") <= {*statistics, "service"}
    assert found == {
        "platform": {"cytube", "discord", "userstats"},
        "reason": set(REASONS),
        "status": {"online", "idle", "dnd"},
        "topic": {"voice"},
        "level": {"shown"},
        "question": {"leaderboard.messages", UNKNOWN},
        "code": {"200", "404"},
        "direction": {"up"},
        "version": {"1.2.3"},
    }


async def test_no_name_reaches_the_page(world: World) -> None:
    mark = "Xyzzy"
    here = Place("cytube", f"{mark}.example", mark.lower())
    deeds = [
        named(f"{mark}-amy", here, account=f"{mark}-account"), named(f"{mark}2", here),
        place_named(f"{mark} room", here), alias_added(f"{mark}-amy", f"{mark}2"),
        phrase_added(f"{mark} thanks".lower()), joined(f"{mark}-amy", here), population(3, 1, 1, here),
        message(f"{mark}-amy", here, emotes=[f"#{mark}"], thanks=[(f"{mark}2", f"{mark} thanks".lower())], vote=1),
        media(f"{mark} the film", here, media_id=mark, queued_by=f"{mark}-amy"), refused(mark, here),
    ]  # fmt: skip
    await world.tell("20:00", *deeds, "20:10")
    await world.apply([Message(world.seq + 1, 1, f"chat.v1.event.{mark}.x.y.Joined", f'{{"{mark}": 1'.encode())])
    timings = Timings(world.service.catalogue.questions)
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, observe=timings.observe)
    for question, request in ((f"user.{mark}", {}), ("user.stats", {"username": mark}), ("user.stats", {mark: mark})):
        await answers.answer(question, request)
    page = (await of(world, timings=timings).text()).decode()
    assert mark.lower() not in page.lower()
    assert 'userstats_dead_letters_total{reason="json"} 1.0' in page
    assert f'code="404",question="{UNKNOWN}"' in page


async def test_what_was_not_counted_is_told_by_kind_and_reason(world: World) -> None:
    told = world.messages("20:00", message("amy"), joined("amy"), "20:01", message("amy", at=clock("23:00")))
    await world.apply([*told, *world.again(told)])
    await world.apply([Message(world.seq + 1, 1, "chat.v1.event.x.x.x.Joined", b"{}")])
    late = world.messages(message("amy"), message("amy"), message("amy"))
    await world.apply([late[-1]._replace(seq=late[-1].seq + 1)])
    names = (
        "userstats_events_total", "userstats_events_duplicate_total", "userstats_events_ahead_total",
        "userstats_missing_rows",
    )  # fmt: skip
    assert await about(of(world), *names) == {
        'userstats_events_total{kind="BridgeBeat",platform="cytube"}': 2,
        'userstats_events_total{kind="Joined",platform="cytube"}': 1,
        'userstats_events_total{kind="MessageSent",platform="cytube"}': 3,
        f"userstats_events_duplicate_total{CYTUBE}": 5,
        "userstats_events_ahead_total": 1,
        "userstats_missing_rows": 2,
    }
    dead = await about(of(world), "userstats_dead_letters_total")
    assert {name: value for name, value in dead.items() if value} == {
        'userstats_dead_letters_total{reason="unknown_type"}': 1
    }
    assert len(dead) == len(REASONS)


async def test_what_grew_old_and_was_deleted_is_still_counted(world: World) -> None:
    stamp = clock("20:00") * 1_000_000
    for seq, day in enumerate((0, 1, 100), 1):
        await world.apply([Message(seq, stamp + day * 86_400 * 10**9, "x", b"no event")])
    assert await world.rows("SELECT seq FROM dead_letters") == [(3,)]
    dead = await about(of(world), "userstats_dead_letters_total")
    assert {name: value for name, value in dead.items() if value} == {'userstats_dead_letters_total{reason="json"}': 3}
    assert len(dead) == len(REASONS)


async def test_coverage_is_of_24_hours_or_since_a_room_was_first_observed(world: World) -> None:
    await world.tell(beat(), "06:00", gap("12:00"), beat(), "23:30")
    name = f"userstats_coverage_ratio{CYTUBE}"
    assert await about(of(world), "userstats_coverage_ratio") == {name: pytest.approx((6 + 11.5) / 23.5)}
    await world.tell("2025-03-04 06:00")
    assert await about(of(world), "userstats_coverage_ratio") == {name: pytest.approx(18 / 24)}
    await world.tell(beat("lobby"), "2025-03-04 12:00")
    assert await about(of(world), "userstats_coverage_ratio") == {name: pytest.approx((24 + 6) / (24 + 6))}


async def test_g02_what_is_silent_now_is_not_covered_and_after_a_week_a_room_is_retired(world: World) -> None:
    await world.tell(beat(), "2025-03-04 00:00", gap("2025-03-04 18:00"))
    name = f"userstats_coverage_ratio{CYTUBE}"
    assert await about(of(world), "userstats_coverage_ratio") == {name: pytest.approx(6 / 24)}
    await world.tell(gap("2025-03-10 23:00"))
    assert await about(of(world), "userstats_coverage_ratio") == {name: 0}
    await world.tell(gap("2025-03-11 01:00"))
    assert await about(of(world), "userstats_coverage_ratio") == {}


async def test_g03_the_drift_is_the_difference_of_open_presences_and_the_bridges_count(world: World) -> None:
    await world.tell(
        "20:00", roster("amy", "bob"), population(9, 2, 2), joined("cid", "lobby"), population(1, 4, 4, "lobby")
    )
    assert await about(of(world), "userstats_roster_drift") == {f"userstats_roster_drift{CYTUBE}": 3}
    await world.tell(population(2, 1, 1, "lobby"), "20:05")
    assert await about(of(world), "userstats_roster_drift") == {f"userstats_roster_drift{CYTUBE}": 0}
    await world.tell(stopped(), stopped("lobby"))
    assert await about(of(world), "userstats_roster_drift") == {}


async def test_the_database_has_a_size(world: World) -> None:
    ((_, size),) = (await about(of(world), "userstats_database_bytes")).items()
    assert size > 100_000


BROKEN: Final = Statistic(name="broken", metrics=(Metric("userstats_broken", "Never there.", "SELECT x FROM nowhere"),))
MANY: Final = Metric(
    "userstats_many", "Too many.",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 520) SELECT i, i FROM n ORDER BY i",
    ("platform",),
)  # fmt: skip


async def test_a_statistic_whose_metrics_fail_does_not_take_the_others_along(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    world = await World.open(store, BROKEN, *catalogue.read().rooms)
    await world.tell(*EVENING)
    metrics = of(world)
    page = read(await metrics.text())
    await world.tell(message("amy"))
    await metrics.text()
    others = [room.name for room in catalogue.read().rooms if room.metrics]
    assert {name: value for name, value in page.items() if name.startswith("userstats_statistic_readable")} == {
        f'userstats_statistic_readable{{statistic="{room}"}}': float(room != "broken")
        for room in ("broken", "service", *others)
    }
    assert page[f"userstats_messages_total{CYTUBE}"] == 4
    assert page["userstats_service_status"] == 1
    (failed,) = (record for record in caplog.records if record.levelname == "ERROR")
    said, _, why = failed.getMessage().partition(": ")
    assert said == "the metrics of broken cannot be read, the others can"
    assert re.match(r"\w+Error( \(no such table: nowhere\))? in \w+ at [\w.]+:\d+", why)
    assert failed.exc_info is None


async def test_of_a_metric_with_too_many_labels_the_surplus_is_left_out_and_counted(store: Store) -> None:
    world = await World.open(store, Statistic(name="many", metrics=(MANY,)), *catalogue.read().rooms)
    page = await about(of(world), "userstats_many", "userstats_metrics_series_dropped_total")
    assert page.pop("userstats_metrics_series_dropped_total") == 520 - SERIES
    assert page == {f'userstats_many{{platform="{number}"}}': number for number in range(1, SERIES + 1)}


async def test_without_the_database_the_page_says_so_and_shows_no_zeros(world: World) -> None:
    await world.tell(*EVENING)
    metrics = of(world)
    assert peer_lines(await metrics.text()) != {}
    await world.store.close()
    page = await metrics.text()
    assert peer_lines(page) == {}
    assert {name: value for name, value in read(page).items() if name in STATES} == {
        "userstats_database_connected": 0, "userstats_service_status": 0, "userstats_nats_connected": 1,
    }  # fmt: skip
    assert (await metrics.health())["status"] == "unhealthy"
    assert (await metrics.checks())["ready"] is False


STATES: Final = ("userstats_database_connected", "userstats_service_status", "userstats_nats_connected")


async def test_h01_without_nats_the_page_says_so(world: World) -> None:
    metrics = of(world, nats=False)
    assert await about(metrics, *STATES) == {
        "userstats_database_connected": 1, "userstats_service_status": 0, "userstats_nats_connected": 0,
    }  # fmt: skip
    assert (await metrics.health())["status"] == "unhealthy"


def test_no_metric_reads_what_grows_with_every_event() -> None:
    known = catalogue.read()
    fine = {table for ledger in known.ledgers for table in (ledger.quarters, ledger.days)}
    metrics = [metric for one in rooms(known, "sqlite").values() for metric in one]
    assert {metric.name: fine & set(re.findall(r"\w+", metric.sql)) for metric in metrics} == {
        metric.name: set() for metric in metrics
    }


@pytest.mark.parametrize(
    ("position", "seconds", "good"),
    [(7, 1.0, True), (7, 29.0, True), (7, 31.0, False), (8, 0.9, True), (8, 1.1, False)],
    ids=["nothing new", "nothing new for long", "too old", "new, but it was expensive", "new, and long enough ago"],
)
def test_the_database_is_not_read_at_every_scrape(position: int, seconds: float, good: bool) -> None:
    last = Sampled(position=7, at=100.0, cost=0.01, samples={}, seconds={})
    assert still_good(last, position, 100.0 + seconds) is good


async def test_scrapes_at_the_same_time_read_the_database_once(world: World) -> None:
    await world.tell(*EVENING)
    sampler = of(world)._sampler
    first, *others = await asyncio.gather(*(sampler.sample() for _ in range(5)))
    assert [other is first for other in others] == [True] * 4


async def test_every_answer_is_timed_once_whatever_comes_of_it(world: World) -> None:
    seen: list[tuple[str, int]] = []
    answers = Answers(
        world.service.catalogue, world.store, PSEUDONYMS, observe=lambda name, code, _: seen.append((name, code))
    )
    await answers.answer("leaderboard.messages", {})
    await answers.answer("leaderboard.messages", {"limit": "many"})
    await answers.answer("settings.export", {}, "everyone")
    await answers.answer("no.such", {})
    assert seen == [
        ("leaderboard.messages", 200), ("leaderboard.messages", 400), ("settings.export", 403), ("no.such", 404),
    ]  # fmt: skip


def test_timings_have_no_times_of_creation_and_forget_names_of_questions_that_do_not_exist() -> None:
    timings = Timings(["user.stats"])
    timings.observe("user.stats", 200, 0.15)
    timings.observe("user.amy", 404, 0.001)
    counts = {
        (sample.name, *sample.labels.values()): sample.value
        for sample in timings.family().samples
        if sample.labels.get("le", "0.2") == "0.2" and not sample.name.endswith("_sum")
    }
    name = "userstats_question_duration_seconds"
    assert counts == {
        (f"{name}_bucket", "user.stats", "200", "0.2"): 1, (f"{name}_count", "user.stats", "200"): 1,
        (f"{name}_bucket", UNKNOWN, "404", "0.2"): 1, (f"{name}_count", UNKNOWN, "404"): 1,
    }  # fmt: skip


COMPLAINTS: Final = {
    *(f'{name} counter metrics should have "_total" suffix' for name, peer in PEER.items() if peer.type == "counter"),
}
"""What the linter says of the peer's names, which are not ours to choose."""


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here; Debian: apt-get install prometheus")
async def test_promtool_has_nothing_against_the_page_but_the_peers_names(world: World) -> None:
    await world.tell(*EVENING)
    timings = Timings(world.service.catalogue.questions)
    timings.observe("leaderboard.messages", 200, 0.003)
    page = await of(world, timings=timings).text()
    done = await asyncio.to_thread(
        subprocess.run, ["promtool", "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert set((done.stdout + done.stderr).decode().splitlines()) == COMPLAINTS


@pytest.fixture
async def site(world: World) -> AsyncIterator[tuple[World, str]]:
    """A world with all that happened in it, and where its pages are."""
    await world.tell(*EVENING)
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS)
    surface = HttpSurface(answers, of(world), host="127.0.0.1", port=0, token="")
    await surface.start()
    yield world, f"http://127.0.0.1:{surface.port}"
    await surface.stop()


async def get(url: str) -> tuple[int, str, str]:
    """Status, kind and text of a page."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def test_the_pages_over_http(site: tuple[World, str]) -> None:
    _, url = site
    status, kind, page = await get(f"{url}/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "userstats_total_messages 4\n" in page
    status, kind, page = await get(f"{url}/health")
    assert (status, kind, json.loads(page)["status"]) == (200, "application/json; charset=utf-8", "healthy")
    status, _, page = await get(f"{url}/healthz")
    assert (status, json.loads(page)["status"]) == (200, "alive")
    status, _, page = await get(f"{url}/readyz")
    assert (status, json.loads(page)["stream"]) == (503, "starting")


async def test_without_the_database_the_pages_answer_and_say_503(site: tuple[World, str]) -> None:
    world, url = site
    names = ("metrics", "health", "healthz", "readyz")
    before = [(await get(f"{url}/{name}"))[0] for name in names]
    await world.store.close()
    after = [(await get(f"{url}/{name}"))[0] for name in names]
    assert (before, after) == ([200, 200, 200, 503], [200, 503, 200, 503])


async def until(url: str, wanted: tuple[Any, ...]) -> tuple[Any, ...]:
    """Status of /readyz and /health, and whether /metrics says that NATS is connected: until they are as wanted."""
    found: tuple[Any, ...] = ()
    for _ in range(300):
        ready, health, page = [await get(f"{url}/{name}") for name in ("readyz", "health", "metrics")]
        found = (ready[0], health[0], read(page[2])["userstats_nats_connected"])
        if found == wanted:
            return found
        await asyncio.sleep(0.1)
    return found


async def test_h01_readiness_and_metrics_follow_the_broker_as_it_goes_and_comes_back(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats={"port": -1}, http={"port": 0})
    async with Part(fresh_broker.folder, "userstats") as userstats:
        client = await fresh_broker.connect("client")
        assert (await ask(client, "leaderboard.messages"))["success"]
        url = address(userstats)
        assert await until(url, (200, 200, 1)) == (200, 200, 1)
        page = read((await get(f"{url}/metrics"))[2])
        labels = '{code="200",question="leaderboard.messages"}'
        assert page[f"userstats_question_duration_seconds_count{labels}"] == 1
        assert page["userstats_following"] == 1
        await fresh_broker.embedded.stop()
        assert await until(url, (503, 503, 0)) == (503, 503, 0)
        assert (await get(f"{url}/healthz"))[0] == 200
        await fresh_broker.embedded.start()
        assert await until(url, (200, 200, 1)) == (200, 200, 1)
