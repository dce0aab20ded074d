"""Reads the metrics page of a running userstats and prints what is on it.

Usage: python examples/metrics_example.py [http://localhost:28282/metrics]
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

URL = "http://localhost:28282/metrics"
SHOWN = {
    "Service": ("userstats_service_status", "userstats_nats_connected", "userstats_database_connected",
                "userstats_uptime_seconds", "userstats_stream_lag_messages"),
    "Counted": ("userstats_messages_total", "userstats_private_messages_total", "userstats_kudos_total",
                "userstats_emotes_total", "userstats_media_total"),
    "Now": ("userstats_present", "userstats_afk", "userstats_population_connected", "userstats_rooms_observed"),
    "As kryten-userstats calls them": ("userstats_total_users_tracked", "userstats_total_messages",
                                       "userstats_total_pms", "userstats_total_kudos", "userstats_active_sessions"),
}  # fmt: skip
"""Metrics by heading; the others are only counted."""

LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<number>\S+)")
"""A number as Prometheus' text format has it; no label of ours holds a brace or a quotation mark."""

Numbers = dict[str, dict[str, float]]
"""By metric and its labels."""


def read(url: str) -> Numbers:
    """Every number on the page. Raises OSError when there is none."""
    with urllib.request.urlopen(url, timeout=5) as page:  # noqa: S310  (the address is the user's own)
        lines = page.read().decode("utf-8").splitlines()
    found: Numbers = {}
    for match in filter(None, map(LINE.fullmatch, lines)):
        labels = (match["labels"] or "").replace('"', "").replace(",", ", ").replace("=", " ")
        found.setdefault(match["name"], {})[labels] = float(match["number"])
    return found


def summary(found: Numbers) -> Iterator[str]:
    """The page in a few lines."""
    for heading, names in SHOWN.items():
        yield f"\n{heading}"
        for name in names:
            for labels, value in found.get(name, {}).items():
                yield f"  {name + (f' ({labels})' if labels else ''):60} {value:>14,.10g}"
    yield f"\n{len(found)} metrics, {sum(map(len, found.values()))} numbers."


def main() -> int:
    """Exit code 1 when nobody answers."""
    url = sys.argv[1] if len(sys.argv) > 1 else URL
    try:
        found = read(url)
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        print(f"Nobody answers at {url}: {reason}", file=sys.stderr)
        return 1
    print(f"Metrics of {url}")
    print("\n".join(summary(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
