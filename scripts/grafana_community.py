"""The community board: what goes on in the rooms.

A metric that a room declares and that no panel names gets a panel of its own here, so that a new statistic is still
one file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from scripts.grafana_panels import CHOSEN, GAPS, RATE, Board, Panel, Query, Row, Unit, about
from userstats.statistic import Metric

_LACKS: Final = """\
- **Names.** No label holds a person, an alias, a room, an emote, a title or a phrase. Leaderboards and the numbers of
  one person or room are userstats' answers.
- **What was before Prometheus** began to scrape, or is older than it keeps: userstats still has it.
- **Time that was not observed.** It is marked in orange; what happened in it is unknown and not 0.
- **Bots.** What they say is not in these numbers.
- **Exact sums.** Prometheus extrapolates between scrapes: `increase` of 100 messages may read 100.3. Ask userstats."""


def board(rooms: Iterable[Metric], shown: Collection[str]) -> Board:
    """What goes on in the rooms; `shown` are the metrics that need no panel of their own."""
    rows = [_totals(), _talk(), _presence()]
    further = tuple(_own_panel(metric) for metric in rooms if metric.name not in shown)
    if further:
        rows.append(Row("More", further))
    return Board(
        "userstats-community", "userstats / Community", "What goes on in the rooms, without names.",
        (*rows, about(_LACKS)), (GAPS,), "userstats_events_total",
    )  # fmt: skip


def _totals() -> Row:
    def total(title: str, expr: str, description: str) -> Panel:
        return Panel(title, description, (Query(expr),), "short", "stat", 4, 4)

    def during(metric: str, chosen: str = CHOSEN) -> str:
        return f"sum(increase({metric}{chosen}[$__range]))"

    return Row(
        "In the period shown",
        (
            total("Messages", during("userstats_messages_total"), "Public messages of persons."),
            total("Kudos", during("userstats_kudos_total", ""), "Thanks that count, on all platforms."),
            total("Emotes", during("userstats_emotes_total"), "Uses of emotes."),
            total("Media", during("userstats_media_total"), "What was played."),
            total("Private messages", during("userstats_private_messages_total"), "To the bot. Only their number."),
            total("Here now", f"sum(userstats_present{CHOSEN})", "People who are in a room."),
        ),
    )


def _by_platform(metric: str, every: str = RATE) -> tuple[Query, ...]:
    """A counter by the minute."""
    return (Query(f"60 * sum by (platform) (rate({metric}{CHOSEN}[{every}]))", "{{platform}}"),)


def _talk() -> Row:
    return Row(
        "What is said and played",
        (
            Panel("Messages", "A minute.", _by_platform("userstats_messages_total"), "cpm", least=0),
            Panel(
                "Kudos", "A minute, by kind, of all platforms. An alias that is taught corrects the past.",
                (Query(f"60 * sum by (kind) (rate(userstats_kudos_total[{RATE}]))", "{{kind}}"),), "cpm", least=0,
            ),
            Panel("Emotes", "A minute.", _by_platform("userstats_emotes_total"), "cpm", least=0),
            Panel("Media", "A minute.", _by_platform("userstats_media_total"), "cpm", least=0),
            Panel("Private messages", "A minute.", _by_platform("userstats_private_messages_total"), "cpm", least=0),
            Panel("Joins", "Connections to a room, a minute.", _by_platform("userstats_joins_total"), "cpm", least=0),
        ),
    )  # fmt: skip


def _presence() -> Row:
    def now(*metrics: tuple[str, str]) -> tuple[Query, ...]:
        return tuple(
            Query(f"sum by (platform) ({metric}{CHOSEN})", f"{{{{platform}}}}, {called}") for metric, called in metrics
        )

    def average(*metrics: tuple[str, str]) -> tuple[Query, ...]:
        return tuple(
            Query(f"sum by (platform) (rate({metric}{CHOSEN}[2h]))", f"{{{{platform}}}}, {called}")
            for metric, called in metrics
        )

    return Row(
        "Who is there (numbers only)",
        (
            Panel(
                "Population", "As the platforms count it.",
                now(
                    ("userstats_population_connected", "connected"), ("userstats_population_named", "named"),
                    ("userstats_population_not_afk", "not AFK"),
                ),
                least=0,
            ),
            Panel(
                "Present", "Open presences.", now(("userstats_present", "here"), ("userstats_afk", "AFK")), least=0,
            ),
            Panel(
                "Present on average", "Credited time of the two hours before: it is credited at hour borders.",
                average(("userstats_present_seconds_total", "here"), ("userstats_afk_seconds_total", "AFK")), least=0,
            ),
        ),
    )  # fmt: skip


_UNITS: Final[tuple[tuple[str, Unit], ...]] = (
    ("_timestamp_seconds", "dateTimeFromNow"), ("_seconds", "s"), ("_bytes", "bytes"), ("_ratio", "percentunit"),
)  # fmt: skip


def _own_panel(metric: Metric) -> Panel:
    """A panel made of the declaration alone."""
    chosen = CHOSEN if "platform" in metric.labels else ""
    by = f"sum by ({', '.join(metric.labels)}) " if metric.labels else "sum"
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels)
    title = metric.help.partition(",")[0].partition("(")[0].strip(" .")
    if metric.type == "counter":
        expr = f"60 * {by}(rate({metric.name}{chosen}[{RATE}]))"
        return Panel(title, f"{metric.help} A minute.", (Query(expr, legend),), "cpm", least=0)
    unit: Unit = next((unit for suffix, unit in _UNITS if metric.name.endswith(suffix)), "short")
    scale = "1000 * " if unit == "dateTimeFromNow" else ""
    return Panel(title, metric.help, (Query(f"{scale}{by}({metric.name}{chosen})", legend),), unit)
