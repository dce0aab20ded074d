"""What only the running process knows: since when it runs, whether it hears the broker, how far behind it is."""

from __future__ import annotations

import time
from collections.abc import Callable

SERVICE = "userstats"


class ServiceState:
    """Lent to questions about the service itself."""

    userstats_service = True

    def __init__(
        self,
        version: str,
        nats_connected: Callable[[], bool],
        lag: Callable[[], int],
        state: Callable[[], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lag`: messages in the stream that are not counted yet; `state`: what the ingest says it is doing."""
        self.version = version
        self.commands = 0
        """Questions that were asked since the start, answered or refused."""
        self._nats_connected = nats_connected
        self._lag = lag
        self._state = state
        self._clock = clock
        self._started = clock()

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    @property
    def nats_connected(self) -> bool:
        return self._nats_connected()

    @property
    def lag(self) -> int:
        return self._lag()

    @property
    def state(self) -> str:
        return self._state()

    def observe(self, _question: str, _code: int, _seconds: float) -> None:
        """One question was asked (see `Answers`)."""
        self.commands += 1
