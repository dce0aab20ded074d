"""What userstats measures of itself: read from the engine's tables (`stored`), or from the running parts (`LIVE`).

What the rooms measure is declared in the rooms. No label holds a name, an id, an alias, a title or a phrase: every
label's values are a closed set of this code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, Histogram

from ..catalogue import Catalogue
from ..contract.wire import REASONS
from ..ingest import Ingest
from ..observed import alive
from ..service import Service
from ..statistic import DAY_MS, Metric

SERIES: Final = 500
"""The most samples one metric may have; the rest is left out and counted. Bridges choose what a platform is called."""

UNKNOWN: Final = "unknown"
"""The label of questions that do not exist: what was asked for may be anything."""


class Vitals(NamedTuple):
    """The running parts, at the moment of a scrape."""

    service: Service
    ingest: Ingest
    uptime: float
    """Seconds."""
    nats: bool
    """Whether NATS is connected."""
    database: bool
    """Whether the database answers."""
    waiting: int
    """Questions taken and not answered yet."""
    dropped: int
    """Samples left out since the start."""


class Live(NamedTuple):
    """A metric of the running process, without labels."""

    name: str
    help: str
    read: Callable[[Vitals], float]
    type: str = "gauge"
    labels: tuple[str, ...] = ()


def _missing(vitals: Vitals) -> int:
    ranges = (one for holes in vitals.service.producers.holes().values() for one in holes)
    return sum(last - first + 1 for first, last in ranges)


LIVE: Final = (
    Live("userstats_uptime_seconds", "Service uptime in seconds.", lambda v: v.uptime),
    Live(
        "userstats_service_status", "Service health status (1=healthy, 0=unhealthy).",
        lambda v: v.nats and v.database,
    ),
    Live("userstats_nats_connected", "NATS connection status (1=connected, 0=disconnected).", lambda v: v.nats),
    Live(
        "userstats_database_connected", "Database connection status (1=connected, 0=disconnected).",
        lambda v: v.database,
    ),
    Live(
        "userstats_following", "1 while the event stream is being followed.",
        lambda v: v.nats and v.ingest.state == "following",
    ),
    Live(
        "userstats_stream_position", "Stream position up to which everything is counted.",
        lambda v: v.service.position.seq,
    ),
    Live(
        "userstats_stream_position_timestamp_seconds",
        "When the broker stored the last event that is counted; 0: none is.",
        lambda v: v.service.position.stamp / 1e9,
    ),
    Live(
        "userstats_stream_lag_messages", "Messages in the stream that are not counted yet, as far as known.",
        lambda v: v.ingest.lag,
    ),
    Live(
        "userstats_stream_fill_ratio", "How full the stream is, of its largest size; 0 where it has none.",
        lambda v: v.ingest.inbox.fill,
    ),
    Live(
        "userstats_inbox_messages", "Messages that the broker has delivered and that are not counted yet.",
        lambda v: v.ingest.inbox.waiting,
    ),
    Live("userstats_missing_rows", "Rows of bridges' outboxes that never arrived (holes).", _missing),
    Live(
        "userstats_lost_before_seq",
        "The stream began at this message when older ones were not counted yet, and they are lost; 0: none are.",
        lambda v: v.ingest.inbox.lost_before,
    ),
    Live(
        "userstats_events_ahead_total",
        "Events whose clock ran ahead of the broker's and was not believed, since the start.",
        lambda v: v.service.applied["ahead"], "counter",
    ),
    Live("userstats_questions_waiting", "Questions over NATS taken and not answered yet.", lambda v: v.waiting),
    Live(
        "userstats_metrics_series_dropped_total",
        f"Samples left out because a metric had more than {SERIES}, since the start.",
        lambda v: v.dropped, "counter",
    ),
)  # fmt: skip

_BYTES: Final = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgres": "SELECT SUM(pg_total_relation_size(c.oid)) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r'",
}  # fmt: skip
_COVERAGE: Final = """
SELECT platform, CASE WHEN SUM(seen) > SUM(whole) THEN 1.0 ELSE SUM(seen) * 1.0 / SUM(whole) END FROM (
    SELECT p.platform, :now - CASE WHEN MIN(o.since) > :day_ago THEN MIN(o.since) ELSE :day_ago END AS whole,
        SUM(CASE WHEN o.until <= :day_ago THEN 0 WHEN o.since > :day_ago THEN o.until - o.since
            ELSE o.until - :day_ago END) AS seen
    FROM observed o JOIN places p ON p.place = o.place GROUP BY p.platform, o.place
    HAVING MAX(o.until) > :week_ago AND MIN(o.since) < :now
) AS rooms GROUP BY platform ORDER BY platform
"""
_DRIFT: Final = """
SELECT p.platform, SUM(ABS(n.named - (
    SELECT COUNT(*) FROM open_spans s WHERE s.place = n.place AND s.span = 'present'
))) FROM population_now n JOIN places p ON p.place = n.place JOIN watches w ON w.place = n.place
WHERE w.watch <> '' GROUP BY p.platform ORDER BY p.platform
"""


def moments(now: int) -> Mapping[str, int]:
    """The parameters that the SQL of a stored metric may name; milliseconds."""
    return {"now": now, "day_ago": now - DAY_MS, "week_ago": now - 7 * DAY_MS, **alive(now)}


def stored(catalogue: Catalogue, dialect: str) -> tuple[Metric, ...]:
    """The metrics over the engine's tables, as rooms declare theirs."""
    return (
        Metric(
            "userstats_events_total", "Events counted, by platform and kind.",
            "SELECT platform, kind, events FROM event_tallies ORDER BY platform, kind",
            ("platform", "kind"), "counter",
        ),
        Metric(
            "userstats_events_duplicate_total", "Events that came again and were not counted again, by platform.",
            "SELECT platform, SUM(duplicates) FROM event_tallies GROUP BY platform ORDER BY platform",
            ("platform",), "counter",
        ),
        Metric(
            "userstats_dead_letters_total", "Messages of the stream that are no events, by reason.",
            _counted("dead_letters", "reason", REASONS), ("reason",), "counter",
        ),
        Metric(
            "userstats_parked_events_total", "Events that a statistic failed on and left out, by statistic.",
            _counted("parked_events", "room", (room.name for room in catalogue.rooms)), ("statistic",), "counter",
        ),
        Metric(
            "userstats_coverage_ratio",
            "Observed share of the last 24 hours, by platform: of a new room since it was first observed; a room that "
            "was not observed for a week does not count.",
            _COVERAGE, ("platform",),
        ),
        Metric(
            "userstats_roster_drift",
            "People that the bridges' last counts and the open presences differ by, summed over observed rooms, by "
            "platform; what happened since the last count differs for a moment.",
            _DRIFT, ("platform",),
        ),
        Metric("userstats_database_bytes", "Size of the database, without its log of writes.", _BYTES[dialect]),
    )  # fmt: skip


def _counted(table: str, column: str, values: Iterable[str]) -> str:
    """SQL that counts the rows by a column, those that grew old and were deleted included; a value of the closed set
    that no row has is 0, so that rate() sees its first row."""
    zeros = ", ".join(f"('{value}', 0)" for value in sorted(values))
    return (
        f"SELECT label, SUM(number) FROM (SELECT {column} AS label, COUNT(*) AS number FROM {table} GROUP BY {column} "  # noqa: S608
        f"UNION ALL SELECT label, number FROM aged_rows WHERE kept_in = '{table}' "
        f"UNION ALL VALUES {zeros}) AS counts GROUP BY label ORDER BY label"
    )


class Timings:
    """How long questions took, whichever surface they came through: `Answers` calls `observe` for each."""

    name: Final = "userstats_question_duration_seconds"
    help: Final = "How long questions took to answer, by question and code of the reply (200: answered)."
    labels: Final = ("question", "code")

    def __init__(self, questions: Iterable[str]) -> None:
        self._known = frozenset(questions)
        self._histogram = Histogram(
            self.name, self.help, self.labels, registry=CollectorRegistry(),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10),
        )  # fmt: skip

    def observe(self, question: str, code: int, seconds: float) -> None:
        """One question was answered or refused. A name that is no question's is not repeated: it may be anything."""
        name = question if question in self._known else UNKNOWN
        self._histogram.labels(name, str(code)).observe(seconds)

    def family(self) -> Any:
        """What the client library exposes, without its times of creation."""
        (family,) = self._histogram.collect()
        family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
        return family
