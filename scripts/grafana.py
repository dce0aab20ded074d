"""Writes what Grafana and Prometheus read: the dashboards, the alerts and the alerts' tests.

`generated()` is what `scripts/docs.py` writes and checks. Every expression names declared metrics only, and every
declared metric is on a panel: what breaks that cannot be written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from scripts import grafana_alerts, grafana_community, grafana_operations
from scripts.grafana_panels import Board, expressions, rendered
from userstats import catalogue
from userstats.surfaces.metrics import declared
from userstats.surfaces.service_metrics import Timings

FOLDER: Final = Path(__file__).parent / "grafana"
_METRIC: Final = re.compile(r"\buserstats_[a-z0-9_]+\b")
_HISTOGRAM: Final = {f"{Timings.name}_{part}": Timings.name for part in ("bucket", "count", "sum")}


def metrics_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression is about; a histogram by its own name."""
    return {_HISTOGRAM.get(name, name) for name in _METRIC.findall(expression)}


def metrics_on(some: Iterable[Board]) -> set[str]:
    """The metrics on the panels of these boards."""
    return {name for board in some for expression in expressions(board) for name in metrics_in(expression)}


def boards(known: catalogue.Catalogue) -> tuple[Board, ...]:
    """Every dashboard, for the metrics of these rooms and of the service."""
    operations = grafana_operations.board()
    placed = metrics_on((operations, grafana_community.board((), ())))
    return operations, grafana_community.board(known.metrics, placed)


def check(some: Iterable[Board], names: Collection[str]) -> None:
    """Raises ValueError where a panel names a metric that is not among these, or one of these is on no panel."""
    placed = metrics_on(some)
    if wrong := placed - set(names):
        raise ValueError(f"on a panel, but declared nowhere: {', '.join(sorted(wrong))}")
    if missing := set(names) - placed:
        raise ValueError(f"declared, but on no panel: {', '.join(sorted(missing))}")


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    known = catalogue.read()
    some = boards(known)
    check(some, [one.name for one in declared(known)])
    found = {
        FOLDER / "dashboards" / f"{board.uid.removeprefix('userstats-')}.json": json.dumps(rendered(board), indent=2)
        + "\n"
        for board in some
    }
    return {
        **found,
        FOLDER / "alerts.yml": grafana_alerts.rules(),
        FOLDER / "alerts_test.yml": grafana_alerts.tests(),
    }
