"""docs/reference/metrics.md: every metric of /metrics, from their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from scripts.reference_words import code, page, table
from userstats import catalogue
from userstats.surfaces.metrics import declared
from userstats.surfaces.peer_metrics import PEER
from userstats.surfaces.service_metrics import SERIES

_OPENING: Final = f"""
What `GET /metrics` says. Labels have values of closed sets only: no name, no room, no title. At most {SERIES} samples
of one metric are shown; what is left out is counted in `userstats_metrics_series_dropped_total`.
[Monitoring](../how-to/monitoring.md) says how to scrape them, [alerts](../how-to/alerts.md) what to watch.
"""
_PEER: Final = """
## The names of kryten-userstats

The same numbers under the names that its scrapers know, without labels.
"""


def text() -> str:
    """The page."""
    ours = table(
        ("Metric", "Type", "Labels", "Meaning"),
        ((code(one.name), one.type, _codes(one.labels), one.help) for one in declared(catalogue.read())),
    )
    theirs = table(
        ("Metric", "Type", "Repeats"),
        ((code(name), peer.type, _repeated(peer.of, peer.label)) for name, peer in PEER.items()),
    )
    return page("Metrics", _OPENING, ours, f"{_PEER.strip()}\n\n{theirs}")


def _repeated(name: str, label: str) -> str:
    return f"{code(name)}, {code(label)} only" if label else code(name)


def _codes(names: Iterable[str] | Sequence[str]) -> str:
    return ", ".join(map(code, names))
