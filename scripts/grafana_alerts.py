"""The alerts, each with the case in which it fires and one in which it must not; and both as Prometheus reads them.

Every alert is a symptom that somebody has to do something about; what to do is said under its name in
docs/how-to/alerts.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

RUNBOOK: Final = "docs/how-to/alerts.md"
_TARGET: Final = {"job": "userstats", "instance": "userstats:28282"}
"""What Prometheus adds to every series of one scraped userstats."""
_HEAD: Final = "# Written by scripts/docs.py from scripts/grafana_alerts.py; change it there.\n"

Labels = Mapping[str, str]
Series = Mapping[str, str]
"""Values of series in promtool's notation, a minute apart, by name and labels (without job and instance)."""


class Alert(NamedTuple):
    """One alert."""

    name: str
    expr: str
    wait: str
    """How long the expression must hold: at least two scrapes."""
    severity: Literal["critical", "warning"]
    summary: str
    description: str
    """May name labels as `{{ $labels.platform }}`."""
    fires: Series
    at: str
    """When it fires with these."""
    quiet: Series
    """With these it does not fire at that time, nor an hour later."""
    labels: Labels = MappingProxyType({})
    """Of the fired alert, beside its severity."""
    target: Labels = _TARGET
    """Labels of the target that the fired alert still has."""

    @property
    def runbook(self) -> str:
        """Where it is said what to do."""
        return f"{RUNBOOK}#{self.name.lower()}"


def _state(name: str, metric: str, wait: str, severity: Literal["critical", "warning"], *texts: str) -> Alert:
    """An alert on a metric that is 1 when all is well."""
    return Alert(
        name, f"{metric} == 0", wait, severity, texts[0], texts[1],
        fires={metric: "1 0x30"}, at="10m", quiet={metric: "1 0 1 0 1x100"},
    )  # fmt: skip


def _counted(name: str, expr: str, summary: str, description: str, series: str, labels: Labels) -> Alert:
    """A warning on a counter that grows."""
    return Alert(
        name, expr, "5m", "warning", summary, description,
        fires={series: "3x5 4x60"}, at="14m", quiet={series: "3x100"}, labels=labels,
    )  # fmt: skip


_SAME: Final = "on (job, instance)"
_DURATION: Final = "userstats_question_duration_seconds"

ALERTS: Final = (
    Alert(
        "UserstatsDown", "absent(userstats_build_info)", "2m", "critical",
        "userstats is not there",
        "Prometheus gets no metrics of userstats. Nothing is counted and no question is answered.",
        fires={'userstats_build_info{version="1"}': "1x5 stale"}, at="10m",
        quiet={'userstats_build_info{version="1"}': "1x100"}, target={},
    ),
    _state(
        "UserstatsNatsGone", "userstats_nats_connected", "2m", "critical", "userstats has lost NATS",
        "The connection to the broker is gone. Bridges keep what they see in their outboxes; nothing is counted.",
    ),
    _state(
        "UserstatsDatabaseGone", "userstats_database_connected", "2m", "critical", "the database does not answer",
        "Nothing is counted and no question is answered until the database is back.",
    ),
    Alert(
        "UserstatsNotFollowing", f"userstats_following == 0 and {_SAME} userstats_nats_connected == 1", "5m",
        "critical", "connected, but not reading the stream",
        "NATS is connected, but the event stream is not being read: it may be missing, or forbidden.",
        fires={"userstats_following": "0x30", "userstats_nats_connected": "1x30"}, at="10m",
        quiet={"userstats_following": "0x100", "userstats_nats_connected": "0x100"},
    ),
    Alert(
        "UserstatsNotIngesting",
        f"changes(userstats_stream_position[10m]) == 0 and {_SAME} userstats_nats_connected == 1 "
        f"and {_SAME} sum by (job, instance) (userstats_rooms_observed) > 0",
        "5m", "critical", "connected, but nothing is counted",
        "Rooms are observed, so beats should arrive every 30 seconds; for ten minutes nothing was counted.",
        fires={
            "userstats_stream_position": "1+1x10 11x60", "userstats_nats_connected": "1x70",
            'userstats_rooms_observed{platform="demo"}': "2x70",
        },
        at="30m",
        quiet={
            "userstats_stream_position": "1x100", "userstats_nats_connected": "1x100",
            'userstats_rooms_observed{platform="demo"}': "0x100",
        },
    ),
    Alert(
        "UserstatsLag", "userstats_stream_lag_messages > 10000", "5m", "warning", "counting lags behind",
        "More than 10,000 messages of the stream are not counted yet, so answers are old.",
        fires={"userstats_stream_lag_messages": "20000x30"}, at="10m",
        quiet={"userstats_stream_lag_messages": "20000 20000 9000x100"},
    ),
    Alert(
        "UserstatsStreamFilling", "userstats_stream_fill_ratio > 0.8", "10m", "warning", "the stream is filling up",
        "The event stream is more than 80 % full. Once it is full, events wait in the bridges and nothing is counted.",
        fires={"userstats_stream_fill_ratio": "0.85x60"}, at="15m",
        quiet={"userstats_stream_fill_ratio": "0.79x100"},
    ),
    Alert(
        "UserstatsCoverageLow", "userstats_coverage_ratio < 0.95", "30m", "warning",
        "less than 95 % of the last day was observed",
        "Rooms of {{ $labels.platform }} were not observed for more than 5 % of the last 24 hours.",
        fires={'userstats_coverage_ratio{platform="cytube"}': "0.9x60"}, at="40m",
        quiet={'userstats_coverage_ratio{platform="cytube"}': "0.9x20 0.96x100"}, labels={"platform": "cytube"},
    ),
    Alert(
        "UserstatsRoomSilent", "time() - userstats_oldest_sign_of_life_timestamp_seconds > 300", "5m", "warning",
        "a room gives no sign of life",
        "A room of {{ $labels.platform }} that is being observed has given no sign of life for five minutes.",
        fires={'userstats_oldest_sign_of_life_timestamp_seconds{platform="cytube"}': "0x60"}, at="15m",
        quiet={'userstats_oldest_sign_of_life_timestamp_seconds{platform="cytube"}': "0+60x100"},
        labels={"platform": "cytube"},
    ),
    Alert(
        "UserstatsRosterDrift", "userstats_roster_drift > 5", "30m", "warning",
        "open presences differ from the bridges' counts",
        "For half an hour the presences on {{ $labels.platform }} have differed from the bridges' counts by more than "
        "5 people.",
        fires={'userstats_roster_drift{platform="demo"}': "9x60"}, at="40m",
        quiet={'userstats_roster_drift{platform="demo"}': "9x20 1x100"}, labels={"platform": "demo"},
    ),
    _counted(
        "UserstatsDeadLetters", "increase(userstats_dead_letters_total[15m]) > 0", "messages arrive that are no events",
        "Messages were not counted because they are no events: {{ $labels.reason }}.",
        'userstats_dead_letters_total{reason="schema"}', {"reason": "schema"},
    ),
    _counted(
        "UserstatsEventsParked", "increase(userstats_parked_events_total[15m]) > 0", "a statistic fails on events",
        "The statistic {{ $labels.statistic }} failed on events and left them out; all others counted them.",
        'userstats_parked_events_total{statistic="kudos"}', {"statistic": "kudos"},
    ),
    Alert(
        "UserstatsHoles", "userstats_missing_rows > 0", "15m", "warning", "events never arrived",
        "Rows of a bridge's outbox never arrived, though later ones did.",
        fires={"userstats_missing_rows": "2x60"}, at="20m", quiet={"userstats_missing_rows": "2x10 0x100"},
    ),
    Alert(
        "UserstatsEventsLost", "userstats_lost_before_seq > 0", "2m", "critical",
        "events were removed before they were counted",
        "The stream removed events that were not counted yet. They are lost, and counts are too low by them.",
        fires={"userstats_lost_before_seq": "0x2 812x20"}, at="10m", quiet={"userstats_lost_before_seq": "0x100"},
    ),
    _counted(
        "UserstatsClockAhead", "increase(userstats_events_ahead_total[15m]) > 0", "a bridge's clock is ahead",
        "Events came with times more than a minute ahead of the broker's clock; the broker's was taken instead.",
        "userstats_events_ahead_total", {},
    ),
    Alert(
        "UserstatsQuestionsSlow",
        f"histogram_quantile(0.99, sum by (job, instance, le) (rate({_DURATION}_bucket[10m]))) > 0.2", "15m",
        "warning", "answers are slow", "One in a hundred questions takes longer than 200 ms.",
        fires={_DURATION + '_bucket{le="0.2"}': "0+90x60", _DURATION + '_bucket{le="0.5"}': "0+100x60",
               _DURATION + '_bucket{le="+Inf"}': "0+100x60"},
        at="40m",
        quiet={_DURATION + '_bucket{le="0.2"}': "0+100x100", _DURATION + '_bucket{le="+Inf"}': "0+100x100"},
    ),
    Alert(
        "UserstatsQuestionsFail",
        f'sum by (job, instance) (rate({_DURATION}_count{{code=~"5.."}}[10m])) '
        f"/ sum by (job, instance) (rate({_DURATION}_count[10m])) > 0.05",
        "10m", "warning", "questions fail",
        "More than 5 % of all questions fail through no fault of who asked.",
        fires={_DURATION + '_count{code="200"}': "0+90x60", _DURATION + '_count{code="504"}': "0+10x60"}, at="30m",
        quiet={_DURATION + '_count{code="200"}': "0+99x100", _DURATION + '_count{code="504"}': "0+1x100"},
    ),
    _state(
        "UserstatsMetricsUnreadable", 'userstats_statistic_readable{statistic="kudos"}', "15m", "warning",
        "metrics of a statistic cannot be read",
        "The metrics of {{ $labels.statistic }} cannot be read; they are missing from the boards.",
    )._replace(
        expr="userstats_statistic_readable == 0", at="20m", labels={"statistic": "kudos"},
    ),
)  # fmt: skip
"""Every alert, the worst first."""


def rules() -> str:
    """alerts.yml: the rules as Prometheus loads them."""
    found = [
        {
            "alert": alert.name,
            "expr": alert.expr,
            "for": alert.wait,
            "labels": {"severity": alert.severity},
            "annotations": _annotations(alert, {}),
        }
        for alert in ALERTS
    ]
    return _HEAD + _yaml({"groups": [{"name": "userstats", "rules": found}]})


def tests() -> str:
    """alerts_test.yml: every alert's two cases, for `promtool test rules`."""
    found = [case for alert in ALERTS for case in (_fires(alert), _quiet(alert))]
    return _HEAD + _yaml({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": found})


def _fires(alert: Alert) -> dict[str, Any]:
    labels = {**alert.target, **alert.labels}
    expected = {
        "exp_labels": {"severity": alert.severity, **labels},
        "exp_annotations": _annotations(alert, labels),
    }
    return {
        "interval": "1m",
        "input_series": _series(alert.fires),
        "alert_rule_test": [
            {"eval_time": "1m", "alertname": alert.name, "exp_alerts": []},
            {"eval_time": alert.at, "alertname": alert.name, "exp_alerts": [expected]},
        ],
    }


def _quiet(alert: Alert) -> dict[str, Any]:
    times = (alert.at, "90m")
    return {
        "interval": "1m",
        "input_series": _series(alert.quiet),
        "alert_rule_test": [{"eval_time": time, "alertname": alert.name, "exp_alerts": []} for time in times],
    }


def _series(series: Series) -> list[dict[str, str]]:
    target = [f'{name}="{value}"' for name, value in _TARGET.items()]
    found = []
    for written, values in series.items():
        name, _, labels = written.rstrip("}").partition("{")
        found.append({"series": f"{name}{{{', '.join(filter(None, (labels, *target)))}}}", "values": values})
    return found


def _annotations(alert: Alert, labels: Labels) -> dict[str, str]:
    """The annotations; with labels as Prometheus fills them in."""
    text = alert.description
    for name, value in labels.items():
        text = re.sub(r"\{\{ \$labels\." + name + r" \}\}", value, text)
    return {"summary": alert.summary, "description": text, "runbook_url": alert.runbook}


def _yaml(value: Any, indent: str = "") -> str:
    """A value of dicts, lists and texts as YAML; texts are quoted as in JSON, which YAML reads."""
    if isinstance(value, str):
        return f"{indent}{json.dumps(value)}\n"
    if isinstance(value, dict):
        return "".join(f"{indent}{key}:{_nested(one, indent)}" for key, one in value.items())
    return "".join(f"{indent}- {_yaml(one, indent + '  ').removeprefix(indent + '  ')}" for one in value)


def _nested(value: Any, indent: str) -> str:
    if isinstance(value, str) or not value:
        return f" {json.dumps(value)}\n"
    return f"\n{_yaml(value, indent + '  ')}"
