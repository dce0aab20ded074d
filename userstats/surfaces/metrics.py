"""Prometheus metrics: what the rooms declare, what the service knows of itself, and the peer's names beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from ..catalogue import Catalogue
from ..ingest import Ingest
from ..service import Service
from ..statistic import Metric
from . import peer_metrics
from .peer_metrics import Samples
from .sampling import Rooms, Sampled, Sampler
from .service_metrics import LIVE, SERIES, Live, Timings, Vitals, stored

_SERVICE: Final = "service"
"""Beside the rooms: the metrics over the engine's tables."""
_LARGEST_LAG: Final = 10_000
"""Messages; with more that are not counted yet, answers are not new enough to be called ready."""


class Declared(NamedTuple):
    """A metric as the page has it, whoever says it."""

    name: str
    type: str
    help: str
    labels: tuple[str, ...] = ()


BUILD: Final = Declared("userstats_build_info", "gauge", "The running version.", ("version",))
READABLE: Final = Declared(
    "userstats_statistic_readable", "gauge", "1 when the metrics of a statistic could be read, by statistic.",
    ("statistic",),
)  # fmt: skip
READING: Final = Declared(
    "userstats_statistic_reading_seconds", "gauge",
    "How long the metrics of a statistic took to read when they were last read, by statistic.", ("statistic",),
)  # fmt: skip


class Metrics:
    """Everything /metrics says, and the health pages."""

    def __init__(
        self,
        service: Service,
        ingest: Ingest,
        version: str,
        nats_connected: Callable[[], bool],
        timings: Timings,
        *,
        waiting: Callable[[], int] = lambda: 0,
        now: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        """`waiting` says how many questions wait for their answers; `now` is milliseconds since the epoch."""
        self._service = service
        self._ingest = ingest
        self._version = version
        self._nats_connected = nats_connected
        self._timings = timings
        self._waiting = waiting
        self._started = time.monotonic()
        self._sampler = Sampler(service.store, rooms(service.catalogue, service.store.dialect), now)
        self._dropped = 0

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def nats_connected(self) -> bool:
        return self._nats_connected()

    async def checks(self) -> dict[str, Any]:
        """What must hold for answers to be right and new, each by name."""
        checks: dict[str, Any] = {"nats": self.nats_connected, "database": await self._sampler.answers()}
        checks |= {"stream": self._ingest.state, "lag": self._ingest.lag, "position": self._service.position.seq}
        following = self._ingest.state == "following" and self._ingest.lag < _LARGEST_LAG
        return {"ready": bool(checks["nats"] and checks["database"] and following), **checks}

    async def health(self) -> dict[str, Any]:
        """The peer's health page: status is healthy or unhealthy. `channels_configured` are the rooms observed now."""
        sampled = await self._sampler.sample()
        samples = sampled.samples if sampled else {}
        return {
            "service": "userstats",
            "status": "healthy" if sampled and self.nats_connected else "unhealthy",
            "uptime_seconds": round(self.uptime, 1),
            "nats_connected": self.nats_connected,
            "database": "connected" if sampled else "disconnected",
            "total_users_tracked": _sum(samples, "userstats_people"),
            "active_sessions": _sum(samples, "userstats_present"),
            "channels_configured": _sum(samples, "userstats_rooms_observed"),
        }

    async def text(self) -> bytes:
        """The page in Prometheus' text format. It says that the database is gone, and does not fail with it."""
        sampled = await self._sampler.sample()
        page = CollectorRegistry()
        page.register(_Families([*self._stored(sampled), *self._own(sampled is not None)]))
        return generate_latest(page) + peer_metrics.lines(sampled.samples if sampled else {}).encode()

    def _stored(self, sampled: Sampled | None) -> Iterator[Any]:
        """What is in the database; nothing of it while that does not answer: a 0 would look like a fresh start."""
        if sampled is None:
            return
        for metrics in self._sampler.rooms.values():
            for metric in metrics:
                if metric.name in sampled.samples:
                    yield self._family(_declared(metric), sampled.samples[metric.name])
        readable: Samples = [((room,), float(room in sampled.seconds)) for room in self._sampler.rooms]
        yield self._family(READABLE, readable)
        yield self._family(READING, [((room,), seconds) for room, seconds in sampled.seconds.items()])

    def _own(self, database: bool) -> Iterator[Any]:
        vitals = Vitals(
            self._service, self._ingest, self.uptime, self.nats_connected, database, self._waiting(), self._dropped
        )
        for live in LIVE:
            yield self._family(_declared(live), [((), float(live.read(vitals)))])
        yield self._timings.family()
        yield InfoMetricFamily(BUILD.name.removesuffix("_info"), BUILD.help, {"version": self._version})

    def _family(self, declared: Declared, samples: Samples) -> Any:
        self._dropped += max(0, len(samples) - SERIES)
        family = (
            CounterMetricFamily(declared.name, declared.help, labels=declared.labels)
            if declared.type == "counter"
            else GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
        )
        for values, number in samples[:SERIES]:
            family.add_metric(values, number)
        return family


def declared(catalogue: Catalogue) -> list[Declared]:
    """Every metric but the peer's, which repeat these: for documents and dashboards."""
    return [
        *(_declared(one) for metrics in rooms(catalogue, "sqlite").values() for one in metrics),
        *(_declared(one) for one in LIVE),
        Declared(Timings.name, "histogram", Timings.help, Timings.labels),
        BUILD, READABLE, READING,
    ]  # fmt: skip


def _declared(one: Metric | Live) -> Declared:
    return Declared(one.name, one.type, one.help, one.labels)


def rooms(catalogue: Catalogue, dialect: str) -> Rooms:
    """The metrics to read from the database, by room."""
    found = {room.name: room.metrics for room in catalogue.rooms if room.metrics}
    return {**found, _SERVICE: stored(catalogue, dialect)}


def _sum(samples: Mapping[str, Samples], name: str) -> int:
    return int(sum(number for _, number in samples.get(name, ())))


class _Families(Collector):
    def __init__(self, families: Iterable[Any]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Any]:
        return self._families
