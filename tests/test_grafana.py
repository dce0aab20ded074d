"""Dashboards and alerts: of declared metrics only, without names, and with something to show."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from nats.aio.client import Client

from scripts import docs, grafana, grafana_community
from scripts.grafana import FOLDER, boards, check, metrics_in
from scripts.grafana_alerts import ALERTS, RUNBOOK, Alert
from scripts.grafana_panels import Annotation, Board, Panel, Query, Row, expressions, rendered
from scripts.parts import dies_with_parent
from tests.brokers import Brokers
from tests.e2e.evening import address
from tests.e2e.processes import Part, ask, configure
from tests.say import (
    World,
    afk,
    beat,
    joined,
    media,
    message,
    named,
    population,
    private,
    roster,
    started,
)
from tests.say_guild import (
    backfill_reached,
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
from userstats.contract.events import Event, Place
from userstats.presences import Known
from userstats.statistic import Metric
from userstats.surfaces.metrics import declared
from userstats.surfaces.peer_metrics import PEER

ROOT: Final = Path(__file__).parents[1]
KNOWN: Final = catalogue.read()
DECLARED: Final = {one.name: one for one in declared(KNOWN)}
BOARDS: Final = boards(KNOWN)
VARIABLES: Final = {"$__rate_interval": "5s", "$__range": "1m", "$platform": ".*"}
"""What Grafana puts in the place of its variables."""
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="no promtool here; Debian: apt-get install prometheus"
)
every_board = pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])
every_alert = pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])


def filled(expression: str) -> str:
    """The expression as Grafana sends it."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def promtool(*command: str) -> tuple[int, str]:
    """Its exit code and what it says."""
    done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_is_committed_is_what_the_generator_writes() -> None:
    generated = grafana.generated()
    assert generated.items() <= docs.generated().items()
    assert {path: path.read_text("utf-8") for path in generated} == generated
    assert set(FOLDER.rglob("*.json")) | {FOLDER / "alerts.yml", FOLDER / "alerts_test.yml"} == set(generated)


def a_board(*exprs: str) -> Board:
    panels = tuple(Panel(expr, "", (Query(expr),)) for expr in exprs)
    return Board("b", "b", "", (Row("r", panels),), (), "userstats_messages_total")


def test_a_panel_of_an_undeclared_metric_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^on a panel, but declared nowhere: userstats_mesages_total$"):
        check([a_board("rate(userstats_mesages_total[5m])", "userstats_people")], ["userstats_people"])


def test_a_declared_metric_on_no_panel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^declared, but on no panel: userstats_afk$"):
        check([a_board("userstats_people")], ["userstats_people", "userstats_afk"])


def test_every_declared_metric_is_on_a_panel_and_the_peers_repetitions_are_on_none() -> None:
    check(BOARDS, DECLARED)
    assert grafana.metrics_on(BOARDS) == set(DECLARED)
    assert set(DECLARED) & set(PEER) == set()


def test_a_new_metric_of_a_room_gets_its_panel() -> None:
    new = (
        Metric("userstats_dances_total", "Dances danced, by platform.", "SELECT 1", ("platform",), "counter"),
        Metric("userstats_last_dance_timestamp_seconds", "When last, by platform.", "SELECT 1", ("platform",)),
        Metric("userstats_messages_total", "Has one already.", "SELECT 1", ("platform",), "counter"),
    )
    row = grafana_community.board(new, {"userstats_messages_total"}).rows[-2]
    assert [(panel.title, panel.unit, panel.queries) for panel in row.panels] == [
        (
            "Dances danced", "cpm",
            (Query('60 * sum by (platform) (rate(userstats_dances_total{platform=~"$platform"}[$__rate_interval]))',
                   "{{platform}}"),),
        ),
        (
            "When last", "dateTimeFromNow",
            (Query('1000 * sum by (platform) (userstats_last_dance_timestamp_seconds{platform=~"$platform"})',
                   "{{platform}}"),),
        ),
    ]  # fmt: skip


def test_counters_are_only_shown_as_rates_and_gauges_never_are() -> None:
    rated = {name for board in BOARDS for expr in expressions(board) for name in _rated(expr)}
    plain = {name for board in BOARDS for expr in expressions(board) for name in metrics_in(expr) - _rated(expr)}
    types = {"counter", "histogram"}
    assert rated == {name for name, one in DECLARED.items() if one.type in types}
    assert plain == {name for name, one in DECLARED.items() if one.type not in types}


def _rated(expression: str) -> set[str]:
    inside = re.findall(r"\b(?:rate|increase)\(([^()\[]+)\[", expression)
    return {name for one in inside for name in metrics_in(one)}


@every_board
def test_every_panel_has_its_place_and_its_unit_and_no_data_source_of_its_own(board: Board) -> None:
    found = rendered(board)
    cells = [
        (x, y)
        for panel in found["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    numbers = [panel["id"] for panel in found["panels"]]
    graphs = [panel for panel in found["panels"] if panel["type"] not in {"row", "text"}]
    sources = [target["datasource"]["uid"] for panel in graphs for target in panel["targets"]]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    assert len(set(numbers)) == len(numbers)
    assert set(sources) | {panel["datasource"]["uid"] for panel in graphs} == {"${datasource}"}
    assert [panel["title"] for panel in graphs if "unit" not in panel["fieldConfig"]["defaults"]] == []
    assert [panel["title"] for panel in graphs if not panel["description"]] == []


@every_board
def test_a_board_cannot_be_changed_in_place_and_says_what_it_lacks(board: Board) -> None:
    found = rendered(board)
    texts = [panel["options"]["content"] for panel in found["panels"] if panel["type"] == "text"]
    assert found["editable"] is False
    assert [variable["type"] for variable in found["templating"]["list"]] == ["datasource", "query"]
    assert ["No label holds a person" in text.replace("**", "") for text in texts] == [True]
    assert [annotation["name"] for annotation in found["annotations"]["list"]] == ["Not observed"]
    assert _metrics_of(board.annotations) <= set(DECLARED)


def _metrics_of(annotations: tuple[Annotation, ...]) -> set[str]:
    return {name for one in annotations for name in metrics_in(one.expr)}


def test_the_addresses_of_the_boards_stay() -> None:
    assert [board.uid for board in BOARDS] == ["userstats-operations", "userstats-community"]


@needs_promtool
def test_promtool_understands_every_expression(tmp_path: Path) -> None:
    exprs = [expr for board in BOARDS for expr in (*expressions(board), *(one.expr for one in board.annotations))]
    rules = [{"record": f"panel:{number}", "expr": filled(expr)} for number, expr in enumerate(exprs)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))  # JSON is YAML
    code, said = promtool("check", "rules", str(file))
    assert code == 0, said


@needs_promtool
def test_promtool_accepts_the_alerts_and_their_cases_hold() -> None:
    for command in (
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
        ("check", "config", "prometheus.yml"),
    ):
        code, said = promtool(*command[:2], str(FOLDER / command[2]))
        assert code == 0, said


@every_alert
def test_an_alert_is_about_declared_metrics_and_waits_for_at_least_two_scrapes(alert: Alert) -> None:
    assert metrics_in(alert.expr) <= set(DECLARED)
    assert metrics_in(alert.expr) != set()
    assert int(alert.wait.removesuffix("m")) >= 2
    assert not re.search(r"\$value|\$labels\.(?!platform|reason|statistic)", alert.description)


def test_every_alert_has_its_section_in_the_runbook_and_nothing_else_has() -> None:
    text = (ROOT / RUNBOOK).read_text("utf-8")
    sections = re.findall(r"^## (\w+)\n\n(Critical|Warning)\.", text, re.MULTILINE)
    assert sections == [(alert.name, alert.severity.title()) for alert in ALERTS]
    assert [alert.runbook for alert in ALERTS] == [f"docs/how-to/alerts.md#{alert.name.lower()}" for alert in ALERTS]


@pytest.mark.parametrize("page", ["monitoring.md", "alerts.md"])
def test_what_the_pages_name_is_there(page: str) -> None:
    text = (ROOT / "docs" / "how-to" / page).read_text("utf-8")
    asked = re.findall(r"`query_cli.py (\w+) (\w+)`", text)
    files = re.findall(r"`(scripts/[\w./]+)", text)
    metrics = set(re.findall(r"\buserstats_[a-z_]+\b", text))
    anchors = re.findall(r"\]\(#(\w+)\)", text)
    assert [".".join(one) for one in asked if ".".join(one) not in KNOWN.questions] == []
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert metrics <= {*DECLARED, *PEER}
    assert set(anchors) <= {alert.name.lower() for alert in ALERTS}


def test_grafana_is_provisioned_read_only_and_from_its_environment() -> None:
    sources = (FOLDER / "provisioning" / "datasources.yml").read_text()
    providers = (FOLDER / "provisioning" / "dashboards.yml").read_text()
    assert "url: ${PROMETHEUS_URL}\n" in sources
    assert "editable: false\n" in sources
    assert "allowUiUpdates: false\n" in providers
    assert "foldersFromFilesStructure: true\n" in providers


HALL: Final = Place("demo", "demo.local", "hall")
_STATUSES: Final[tuple[dict[str, Known], ...]] = (
    {"amy": "online", "bob": "idle", "cid": "dnd"}, {"amy": "idle", "bob": "dnd", "cid": "online"},
)  # fmt: skip
CAMP: Final = Place("demo", "demo.camp", "")
"""A guild."""
TENT: Final = Place("demo", "demo.camp", "tent")
LINE: Final = Place("demo", "", "")
"""The connection to the platform."""


class Crowd:
    """A room and a guild in which everything happens that there is a metric about, again and again, now."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._world = World(None, KNOWN)  # type: ignore[arg-type]  # it only writes events; nothing here is applied
        self._world.now = int(time.time() * 1000) - 60_000

    async def meet(self) -> None:
        """Publish until cancelled."""
        bridge = await self._brokers.connect("bridge_demo")
        await self._publish(bridge, named("Amy", HALL), named("Bob", HALL), roster("amy", away=["bob"], where=HALL))
        await self._publish(bridge, started(CAMP), started(LINE), backfill_reached(1, "00:00", TENT))
        for turn in count():
            self._world.now = int(time.time() * 1000)
            await self._publish(
                bridge, beat(HALL), joined("cid", HALL), afk("amy", HALL), population(4, 3, 1, HALL),
                private("amy", HALL), media("Alien", HALL), message("amy", HALL, emotes=["#a"], thanks=["bob"], vote=1),
            )  # fmt: skip
            await self._publish(bridge, beat(CAMP), beat(LINE), *self._in_the_guild(turn))
            await asyncio.sleep(0.3)

    @staticmethod
    def _in_the_guild(turn: int) -> list[Event]:
        """Stays of a second and more, a snapshot that finds bob otherwise each time, statuses that change."""
        even = bool(turn % 2)
        stays = [voice_moved("amy", where=CAMP), voice_moved("amy", "fire", CAMP)] if turn % 8 == 0 else []
        return [
            guild_counted(9, CAMP, online=5), members_seen("amy", "bob", where=CAMP), member_joined("cid", CAMP),
            member_left("cid", CAMP), reaction_added("amy", "x", TENT), reaction_removed("amy", "x", TENT),
            thread_created("amy", f"{turn}", TENT), *stays, voice_counted(("fire", 3), where=CAMP),
            voice_seen(in_voice("amy", "fire"), in_voice("bob", "fire", muted=even), where=CAMP),
            *(presence_changed(name, status, where=LINE) for name, status in _STATUSES[even].items()),
        ]  # fmt: skip

    async def _publish(self, bridge: Any, *said: Event) -> None:
        for one in self._world.messages(*said):
            await bridge.request(one.subject, one.data, timeout=5)


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[str]:
    """A Prometheus that scrapes this target, with our alerts; its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{found.getsockname()[1]}"
    scrape = [{"job_name": "userstats", "static_configs": [{"targets": [target.removeprefix("http://")]}]}]
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": [str(FOLDER / "alerts.yml")],
        "scrape_configs": scrape,
    }
    (folder / "prometheus.json").write_text(json.dumps(config))
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus", f"--config.file={folder}/prometheus.json", f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address={at}", stdout=log, stderr=log, preexec_fn=dies_with_parent(),
        )  # fmt: skip
    try:
        yield f"http://{at}"
    finally:
        process.terminate()
        await process.wait()


async def api(session: aiohttp.ClientSession, url: str, **query: str) -> Any:
    """What Prometheus answers; None while it does not."""
    try:
        async with session.get(url, params=query) as response:
            return (await response.json())["data"]
    except (aiohttp.ClientError, KeyError):
        return None


async def empty(session: aiohttp.ClientSession, at: str) -> set[str]:
    """The expressions of panels that show no number."""
    found = set()
    for expr in {expr for board in BOARDS for expr in expressions(board)}:
        answer = await api(session, f"{at}/api/v1/query", query=filled(expr))
        numbers = [one["value"][1] for one in (answer or {}).get("result", ())]
        found |= {expr} - {expr for number in numbers if number not in {"NaN", "+Inf"}}
    return found


@asynccontextmanager
async def crowd(brokers: Brokers) -> AsyncIterator[None]:
    """A crowd that meets as long as this lasts."""
    meeting = asyncio.create_task(Crowd(brokers).meet())
    yield
    assert not meeting.done(), meeting.exception()
    meeting.cancel()
    await asyncio.wait([meeting])


async def shown(session: aiohttp.ClientSession, at: str, asking: Client) -> set[str]:
    """Ask userstats until every panel shows a number; the expressions that never did."""
    missing = {"nothing was asked yet"}
    deadline = time.monotonic() + 60
    while missing and time.monotonic() < deadline:
        await ask(asking, "leaderboard.messages", since="all")
        await asyncio.sleep(0.5)
        missing = await empty(session, at)
    return missing


@pytest.mark.skipif(not shutil.which("prometheus"), reason="no prometheus here; Debian: apt-get install prometheus")
async def test_a_real_prometheus_has_something_to_show_on_every_panel(fresh_broker: Brokers) -> None:
    folder = fresh_broker.folder
    configure(folder, nats={"port": -1}, http={"port": 0})
    client = await fresh_broker.connect("client")
    async with crowd(fresh_broker), Part(folder, "userstats") as userstats, aiohttp.ClientSession() as session:
        await ask(client, "consent.set", platform="discord", account="1", topic="voice", level="shown")
        async with prometheus(folder, address(userstats)) as at:
            assert await shown(session, at, client) == set()
            rules = await api(session, f"{at}/api/v1/rules")
            targets = await api(session, f"{at}/api/v1/targets")
            firing = await api(session, f"{at}/api/v1/query", query='ALERTS{alertstate="firing"}')
    assert [target["lastError"] for target in targets["activeTargets"]] == [""]
    assert [(rule["name"], rule["health"]) for rule in rules["groups"][0]["rules"]] == [
        (alert.name, "ok") for alert in ALERTS
    ]
    assert firing["result"] == []
