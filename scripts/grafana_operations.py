"""The operations board: is everything counted, and how fast are questions answered?"""

from __future__ import annotations

from typing import Final

from scripts.grafana_panels import CHOSEN, GAPS, RATE, SILENT_SINCE, Board, Panel, Query, Row, about

_BUCKETS: Final = "userstats_question_duration_seconds_bucket"
_ASKED: Final = "userstats_question_duration_seconds_count"
_LACKS: Final = """\
- **Names.** No label holds a person, an alias, a room, an emote, a title or a phrase, so erasing somebody needs nothing
  to be done here. For one room or person ask userstats.
- **The broker.** What NATS itself does is its own monitoring's to say.
- **The bridges' outboxes.** What a bridge has observed and not published yet is seen only once it arrives, as events.
- **Backups**, and how much room is left on the disk.
- **Time that was not observed.** It is marked in orange; what happened in it is unknown and not 0."""


def board() -> Board:
    """Whether userstats counts everything, and how fast it answers."""
    rows = (_working(), _ingest(), _left_out(), _coverage(), _questions(), _database(), about(_LACKS))
    return Board(
        "userstats-operations", "userstats / Operations", "Whether everything is counted, and how fast it answers.",
        rows, (GAPS,), "userstats_events_total",
    )  # fmt: skip


def _state(title: str, metric: str, description: str) -> Panel:
    return Panel(title, description, (Query(metric, "{{instance}}"),), "bool_yes_no", "stat", 4, 4, good_from=1)


def _working() -> Row:
    uptime = Panel("Uptime", "Since the last start.", (Query("userstats_uptime_seconds"),), "s", "stat", 4, 4)
    build = Panel(
        "Build", "The running version.", (Query("userstats_build_info", "{{version}}"),), "", "stat", 4, 4,
        shows_name=True,
    )  # fmt: skip
    return Row(
        "Is it working?",
        (
            _state("Healthy", "userstats_service_status", "Both NATS and the database are there."),
            _state("NATS", "userstats_nats_connected", "The connection to the broker."),
            _state("Database", "userstats_database_connected", "The database answers."),
            _state("Following", "userstats_following", "The event stream is being read."),
            uptime,
            build,
        ),
    )


def _ingest() -> Row:
    return Row(
        "Counting",
        (
            Panel(
                "Events counted", "By platform. Every observed room gives at least four a minute: beats and counts.",
                (Query(f"sum by (platform) (rate(userstats_events_total{CHOSEN}[{RATE}]))", "{{platform}}"),),
                "eps", least=0,
            ),
            Panel(
                "Events counted, by kind", "What the events are.",
                (Query(f"sum by (kind) (rate(userstats_events_total{CHOSEN}[{RATE}]))", "{{kind}}"),), "eps", least=0,
            ),
            Panel(
                "Lag", "Messages of the stream that are not counted yet, and of these the ones that wait in memory.",
                (
                    Query("userstats_stream_lag_messages", "in the stream"),
                    Query("userstats_inbox_messages", "in memory"),
                ),
                least=0, bad_from=10_000,
            ),
            Panel(
                "Age of the last event counted", "With a room observed, never much more than half a minute.",
                (Query("time() - userstats_stream_position_timestamp_seconds", "{{instance}}"),), "s", least=0,
                bad_from=300,
            ),
            Panel(
                "Stream", "How full it is. A full stream takes nothing more: events then wait in the bridges.",
                (Query("userstats_stream_fill_ratio", "{{instance}}"),), "percentunit", least=0, most=1, bad_from=0.8,
            ),
            Panel(
                "Duplicates", "Events that came again and were not counted again. After a reconnection this is normal.",
                (
                    Query(
                        f"sum by (platform) (rate(userstats_events_duplicate_total{CHOSEN}[{RATE}]))", "{{platform}}"
                    ),
                ),
                "eps", least=0,
            ),
            Panel(
                "Stream position", "Up to here everything is counted. It falls only when the stream is read again.",
                (Query("userstats_stream_position", "{{instance}}"),), least=0,
            ),
        ),
    )  # fmt: skip


def _left_out() -> Row:
    return Row(
        "What was not counted",
        (
            Panel(
                "Dead letters", "Messages that are no events, by reason.",
                (Query(f"sum by (reason) (increase(userstats_dead_letters_total[{RATE}]))", "{{reason}}"),), least=0,
            ),
            Panel(
                "Parked events", "Events that one statistic failed on; the others counted them.",
                (Query(f"sum by (statistic) (increase(userstats_parked_events_total[{RATE}]))", "{{statistic}}"),),
                least=0,
            ),
            Panel(
                "Clocks ahead", "Events from a clock ahead of the broker's; the broker's was believed.",
                (Query(f"rate(userstats_events_ahead_total[{RATE}])", "{{instance}}"),), "eps", least=0,
            ),
            Panel(
                "Holes", "Rows of outboxes that never arrived.", (Query("userstats_missing_rows"),), "short", "stat",
                8, 4, bad_from=1,
            ),
            Panel(
                "Lost before", "The stream's oldest message when older ones were lost uncounted; 0: none were.",
                (Query("userstats_lost_before_seq"),), "short", "stat", 8, 4, bad_from=1,
            ),
            Panel(
                "Samples left out", "Of metrics with too many labels, in the last hour.",
                (Query("increase(userstats_metrics_series_dropped_total[1h])"),), "short", "stat", 8, 4, bad_from=1,
            ),
        ),
    )  # fmt: skip


def _coverage() -> Row:
    return Row(
        "What was observed",
        (
            Panel(
                "Coverage of the last 24 hours", "Observed share of the time. What was not observed is unknown, not 0.",
                (Query(f"userstats_coverage_ratio{CHOSEN}", "{{platform}}"),), "percentunit", least=0, most=1,
                good_from=0.95,
            ),
            Panel(
                "Rooms observed",
                "Now, and on average by the time that is credited to them. A distance between the two is silence.",
                (
                    Query(f"sum by (platform) (userstats_rooms_observed{CHOSEN})", "{{platform}}"),
                    Query(
                        f"sum by (platform) (rate(userstats_observed_seconds_total{CHOSEN}[{RATE}]))",
                        "{{platform}}, on average",
                    ),
                ),
                least=0,
            ),
            Panel(
                "Silence", "Since the last sign of life of the room that is silent the longest.",
                (Query(f"time() - min by (platform) ({SILENT_SINCE}{CHOSEN})", "{{platform}}"),), "s", least=0,
                bad_from=300,
            ),
            Panel(
                "Roster drift", "People by which the bridges' counts and the open presences differ.",
                (Query(f"userstats_roster_drift{CHOSEN}", "{{platform}}"),), least=0, bad_from=5,
            ),
        ),
    )  # fmt: skip


def _questions() -> Row:
    def quantile(q: float, by: str = "le") -> str:
        return f"histogram_quantile({q}, sum by ({by}) (rate({_BUCKETS}[{RATE}])))"

    return Row(
        "Questions",
        (
            Panel(
                "How long answers take", "Of all questions, whichever way they were asked.",
                (Query(f"sum by (le) (increase({_BUCKETS}[{RATE}]))", "{{le}}"),), "s", "heatmap",
            ),
            Panel(
                "Quantiles", "The promise is 99 % within 200 ms.",
                (Query(quantile(0.5), "50 %"), Query(quantile(0.9), "90 %"), Query(quantile(0.99), "99 %")), "s",
                least=0, bad_from=0.2,
            ),
            Panel(
                "99 % by question", "Which questions are slow.",
                (Query(quantile(0.99, "le, question"), "{{question}}"),), "s", least=0,
            ),
            Panel(
                "Questions by reply", "200: answered; 4xx: could not be answered as asked; 5xx: our failure.",
                (Query(f"sum by (code) (rate({_ASKED}[{RATE}]))", "{{code}}"),), "reqps", least=0,
            ),
            Panel(
                "Waiting", "Questions over NATS that are taken and not answered yet; at 72 further ones are refused.",
                (Query("userstats_questions_waiting", "{{instance}}"),), least=0, bad_from=64,
            ),
        ),
    )  # fmt: skip


def _database() -> Row:
    return Row(
        "Database",
        (
            Panel("Size", "Without its log of writes.", (Query("userstats_database_bytes"),), "bytes", least=0),
            Panel(
                "Reading the metrics",
                "How long each statistic's took when this page was made.",
                (Query("userstats_statistic_reading_seconds", "{{statistic}}"),),
                "s",
                least=0,
            ),
            Panel(
                "Metrics that could be read",
                "A statistic at 0 is missing from all boards; the log says why.",
                (Query("userstats_statistic_readable", "{{statistic}}"),),
                "bool_yes_no",
                least=0,
                most=1,
            ),
        ),
    )
