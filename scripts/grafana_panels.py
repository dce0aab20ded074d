"""The words a dashboard is written in, and what Grafana reads instead of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

Kind = Literal["timeseries", "stat", "heatmap", "text"]
Unit = Literal["", "short", "s", "bytes", "percentunit", "eps", "cpm", "reqps", "bool_yes_no", "dateTimeFromNow"]
"""Of Grafana's units those we use; `eps` is events and `reqps` questions a second, `cpm` counts a minute."""

RATE: Final = "$__rate_interval"
"""A range that Grafana makes at least four scrapes wide."""
CHOSEN: Final = '{platform=~"$platform"}'
SILENT_SINCE: Final = "userstats_oldest_sign_of_life_timestamp_seconds"
_COLUMNS: Final = 24
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_SCHEMA: Final = 39


class Query(NamedTuple):
    """One expression, and what its lines are called."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """One panel. Widths are columns of 24, heights are Grafana's rows."""

    title: str
    description: str
    queries: tuple[Query, ...] = ()
    unit: Unit = "short"
    kind: Kind = "timeseries"
    width: int = 8
    height: int = 7
    least: float | None = None
    """Where the axis begins."""
    most: float | None = None
    good_from: float | None = None
    """Red below this and green from it on."""
    bad_from: float | None = None
    """Green below this and red from it on."""
    text: str = ""
    """Of a text panel: Markdown."""
    shows_name: bool = False
    """A stat that shows what its line is called rather than its number."""


class Row(NamedTuple):
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


class Annotation(NamedTuple):
    """Marks the time in which an expression gives anything."""

    name: str
    expr: str
    title: str


class Board(NamedTuple):
    """One dashboard."""

    uid: str
    """Stable: links and bookmarks hold it."""
    title: str
    description: str
    rows: tuple[Row, ...]
    annotations: tuple[Annotation, ...]
    platforms_of: str
    """The metric whose platforms one can choose from."""


GAPS: Final = Annotation(
    "Not observed",
    f"sum by (platform) (userstats_rooms_observed{CHOSEN}) == 0 "
    f"or time() - min by (platform) ({SILENT_SINCE}{CHOSEN}) > 90",
    "Not every room was observed: {{platform}}",
)
"""Marks the time for which numbers are missing rather than low."""


def about(text: str) -> Row:
    """What a board does not show."""
    return Row("What this board does not show", (Panel("Not here", "", kind="text", width=24, height=6, text=text),))


def expressions(board: Board) -> list[str]:
    """Every expression of a board's panels."""
    return [query.expr for row in board.rows for panel in row.panels for query in panel.queries]


def rendered(board: Board) -> dict[str, Any]:
    """The board as Grafana's JSON."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["userstats"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "",
        "templating": {"list": [_source_variable(), _platform_variable(board.platforms_of)]},
        "annotations": {"list": [_annotation(one) for one in board.annotations]},
        "panels": list(_placed(board.rows)),
    }


def _source_variable() -> dict[str, Any]:
    return {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
        "hide": 0, "includeAll": False, "multi": False, "options": [],
    }  # fmt: skip


def _platform_variable(metric: str) -> dict[str, Any]:
    query = f"label_values({metric}, platform)"
    return {
        "name": "platform", "label": "Platform", "type": "query", "datasource": _SOURCE, "definition": query,
        "query": {"query": query, "refId": "platform"}, "refresh": 2, "sort": 1, "hide": 0, "includeAll": True,
        "allValue": ".*", "multi": True, "options": [],
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "name": annotation.name, "datasource": _SOURCE, "enable": True, "hide": False, "iconColor": "orange",
        "expr": annotation.expr, "step": "60s", "titleFormat": annotation.title, "tagKeys": "platform",
        "useValueForTime": False,
    }  # fmt: skip


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Every heading and panel, from left to right and from top to bottom."""
    number = y = 0
    for row in rows:
        number += 1
        heading = {"x": 0, "y": y, "w": _COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": heading, "panels": []}
        y += 1
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > _COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, number: int, position: dict[str, int]) -> dict[str, Any]:
    common = {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.description, "gridPos": position,
    }  # fmt: skip
    if panel.kind == "text":
        return {**common, "options": {"mode": "markdown", "content": panel.text}}
    return {
        **common,
        "datasource": _SOURCE,
        "targets": [_target(panel, query, index) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
    }


def _target(panel: Panel, query: Query, index: int) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend,
        "format": "heatmap" if panel.kind == "heatmap" else "time_series", "range": panel.kind != "stat",
        "instant": panel.kind == "stat", "editorMode": "code",
    }  # fmt: skip


def _field(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.good_from is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.good_from}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    field: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    limits = {"min": panel.least, "max": panel.most}
    field |= {key: value for key, value in limits.items() if value is not None}
    if panel.kind == "timeseries":
        marked = len(steps) > 1
        field["color"] = {"mode": "palette-classic"}
        field["custom"] = {
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 10,
            "showPoints": "never", "spanNulls": False, "thresholdsStyle": {"mode": "line" if marked else "off"},
        }  # fmt: skip
    return field


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value",
            "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
            "textMode": "name" if panel.shows_name else "auto",
        }  # fmt: skip
    if panel.kind == "heatmap":
        return {
            "calculate": False, "yAxis": {"unit": panel.unit}, "cellGap": 1, "filterValues": {"le": 1e-9},
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64}, "tooltip": {"mode": "single"},
            "legend": {"show": True}, "rowsFrame": {"layout": "auto"},
        }  # fmt: skip
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
