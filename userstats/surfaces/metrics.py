"""Prometheus metrics: what the rooms declare, what the service knows of itself, and the peer's names beside them.

Room metrics are one SQL statement each, read in one snapshot when scraped and cached by stream position. No label
holds a name, an id, an alias, a title or a phrase.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from ..ingest import Ingest
from ..service import Service
from ..statistic import Metric

log = logging.getLogger(__name__)

_FRESH_SECONDS: Final = 2.0

Samples = list[tuple[tuple[str, ...], float]]


class Peer(NamedTuple):
    """A metric as kryten-userstats names it: the sum of one of ours."""

    type: str
    help: str
    of: str
    label: str = ""
    """Only samples with this label value."""


PEER: Final[Mapping[str, Peer]] = {
    "userstats_total_users_tracked": Peer("gauge", "Total number of unique users tracked", "userstats_people"),
    "userstats_total_messages": Peer("counter", "Total messages across all channels", "userstats_messages_total"),
    "userstats_total_pms": Peer("counter", "Total private messages sent", "userstats_private_messages_total"),
    "userstats_total_kudos": Peer("counter", "Total kudos given (all types)", "userstats_kudos_total"),
    "userstats_total_kudos_plusplus": Peer("counter", "Total ++ kudos given", "userstats_kudos_total", "plusplus"),
    "userstats_total_kudos_phrases": Peer(
        "counter", "Total phrase-based kudos given", "userstats_kudos_total", "phrase"
    ),
    "userstats_total_emote_usage": Peer("counter", "Total emote uses", "userstats_emotes_total"),
    "userstats_total_media_changes": Peer("counter", "Total media changes logged", "userstats_media_total"),
    "userstats_active_sessions": Peer("gauge", "Currently active user sessions", "userstats_present"),
}  # fmt: skip


class Metrics:
    """Everything /metrics says."""

    def __init__(
        self, service: Service, ingest: Ingest, version: str, nats_connected: Callable[[], bool], channels: int = 0
    ) -> None:
        self.channels = channels
        """How many rooms are configured."""
        self._service = service
        self._ingest = ingest
        self._version = version
        self._nats_connected = nats_connected
        self._started = time.monotonic()
        self._own = CollectorRegistry()
        self.questions = Histogram(
            "userstats_question_duration_seconds", "How long questions took to answer, by question and outcome.",
            ("question", "code"), registry=self._own,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
        )  # fmt: skip
        self._cache: tuple[int, float, dict[str, Samples]] | None = None

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def nats_connected(self) -> bool:
        return self._nats_connected()

    async def samples(self) -> dict[str, Samples]:
        """The rooms' metrics by name: label values and number. Raises what the database raises."""
        position = self._service.position.seq
        now = time.monotonic()
        if self._cache and self._cache[0] == position and now - self._cache[1] < _FRESH_SECONDS:
            return self._cache[2]
        found: dict[str, Samples] = {}
        async with self._service.store.reading() as reader:
            for metric in self._service.catalogue.metrics:
                rows = await reader.rows(metric.sql)
                found[metric.name] = [(tuple(map(str, row[:-1])), float(row[-1] or 0)) for row in rows]
        self._cache = (position, now, found)
        return found

    async def checks(self) -> dict[str, Any]:
        """What must hold for answers to be right and new, each by name."""
        checks: dict[str, Any] = {"nats": self.nats_connected, "database": await self._database()}
        checks |= {"stream": self._ingest.state, "lag": self._ingest.lag, "position": self._service.position.seq}
        following = self._ingest.state == "following" and self._ingest.lag < 10_000
        return {"ready": bool(checks["nats"] and checks["database"] and following), **checks}

    async def health(self) -> dict[str, Any]:
        """The peer's health page: status is healthy or unhealthy."""
        database = await self._database()
        samples = await self.samples() if database else {}
        return {
            "service": "userstats",
            "status": "healthy" if database and self.nats_connected else "unhealthy",
            "uptime_seconds": round(self.uptime, 2),
            "nats_connected": self.nats_connected,
            "database": "connected" if database else "disconnected",
            "total_users_tracked": _sum(samples.get("userstats_people", [])),
            "active_sessions": _sum(samples.get("userstats_present", [])),
            "channels_configured": self.channels,
        }

    async def _database(self) -> bool:
        try:
            await self.samples()
        except Exception:
            log.warning("the database does not answer", exc_info=True)
            return False
        return True

    async def text(self) -> bytes:
        """The page in Prometheus' text format."""
        database = int(await self._database())  # a scrape must say that the database is gone, not fail with it
        samples = await self.samples() if database else {}
        registry = CollectorRegistry()
        registry.register(_Families(self._families(samples, database)))
        return generate_latest(registry) + generate_latest(self._own) + self._peer(samples, database).encode()

    def _families(self, samples: Mapping[str, Samples], database: int) -> Iterator[Any]:
        for metric in self._service.catalogue.metrics:
            if metric.name in samples:
                yield _family(metric.type, metric.name, metric.help, metric.labels, samples[metric.name])
        service, ingest = self._service, self._ingest
        applied: Samples = [
            ((kind,), float(number)) for kind, number in sorted(service.applied.items()) if kind[0].isupper()
        ]
        yield _family("counter", "userstats_events_total", "Events counted since start, by kind.", ("kind",), applied)
        for name, help_text in (
            ("duplicate", "Events that came again and were not counted again, since start."),
            ("dead", "Messages that are no events, since start; see dead_letters."),
            ("ahead", "Events whose clock ran ahead of the broker's and was not believed, since start."),
        ):
            number = float(service.applied[name])
            yield _family("counter", f"userstats_events_{name}_total", help_text, (), [((), number)])
        for name, help_text, value in (
            ("userstats_stream_position", "Stream position up to which everything is counted.", service.position.seq),
            ("userstats_stream_lag_messages", "Messages in the stream that are not counted yet.", ingest.lag),
            ("userstats_following", "1 while the stream is being followed.", int(ingest.state == "following")),
            ("userstats_missing_rows", "Rows of outboxes that never arrived.", self._missing()),
            ("userstats_lost_before_seq", "The stream began here when older messages were not counted yet; 0: none.",
             ingest.inbox.lost_before),
            ("userstats_uptime_seconds", "Service uptime in seconds.", self.uptime),
            ("userstats_service_status", "Service health status (1=healthy, 0=unhealthy).",
             int(self.nats_connected and bool(database))),
            ("userstats_nats_connected", "NATS connection status (1=connected, 0=disconnected).",
             int(self.nats_connected)),
            ("userstats_database_connected", "Database connection status (1=connected, 0=disconnected).", database),
        ):  # fmt: skip
            yield _family("gauge", name, help_text, (), [((), float(value))])
        yield InfoMetricFamily("userstats_build", "The running version.", {"version": self._version})

    def _missing(self) -> int:
        return sum(last - first + 1 for holes in self._service.producers.holes().values() for first, last in holes)

    @staticmethod
    def _peer(samples: Mapping[str, Samples], database: int) -> str:
        """By hand: the client library would append `_total` to the peer's counters."""
        lines = []
        for name, peer in PEER.items():
            if not database or peer.of not in samples:
                continue
            number = sum(value for labels, value in samples[peer.of] if not peer.label or peer.label in labels)
            lines += [f"# HELP {name} {peer.help}", f"# TYPE {name} {peer.type}", f"{name} {number:g}"]
        return "\n".join(lines) + "\n" if lines else ""


def _sum(samples: Samples) -> int:
    return int(sum(value for _, value in samples))


class _Families(Collector):
    def __init__(self, families: Iterable[Any]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Any]:
        return self._families


def _family(kind: str, name: str, help_text: str, labels: tuple[str, ...], samples: Samples) -> Any:
    family = (
        CounterMetricFamily(name.removesuffix("_total"), help_text, labels=labels)
        if kind == "counter"
        else GaugeMetricFamily(name, help_text, labels=labels)
    )
    for values, number in samples:
        family.add_metric(values, number)
    return family


def declared(metrics: Iterable[Metric]) -> list[tuple[str, str, str]]:
    """Name, type and help of every metric of the rooms and of the peer, for documents and dashboards."""
    own = [(metric.name, metric.type, metric.help) for metric in metrics]
    return own + [(name, peer.type, peer.help) for name, peer in PEER.items()]
