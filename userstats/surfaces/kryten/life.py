"""What userstats says of itself in Kryten's world: startup, heartbeat, shutdown."""

from __future__ import annotations

import json
import logging
import socket
import time
from datetime import UTC, datetime
from typing import Any, Final

import nats.errors
from nats.aio.client import Client

from ...contract.subjects import SERVICE, kryten_lifecycle

log = logging.getLogger(__name__)

_TROUBLES: Final = (nats.errors.Error, TimeoutError, OSError)


class Life:
    """Messages of one process. `port` is where health and metrics are served."""

    def __init__(self, version: str, port: int, channels: int) -> None:
        self._version = version
        self._port = port
        self._channels = channels
        self._hostname = socket.gethostname()
        self._began = time.monotonic()

    async def startup(self, client: Client, *, again: bool = False) -> None:
        """We are here; `again`: a robot has started and does not know us."""
        more = {"channels_configured": self._channels, "metrics_port": self._port, "re_announcement": True}
        await self._say(client, "startup", more if again else {})

    async def heartbeat(self, client: Client) -> None:
        await self._say(client, "heartbeat", {})

    async def shutdown(self, client: Client, reason: str) -> None:
        """The last message before the connection is closed."""
        await self._say(client, "shutdown", {"reason": reason})
        try:
            await client.flush(timeout=1)
        except _TROUBLES as error:
            log.debug("the goodbye may not have arrived (%s)", type(error).__name__)

    async def _say(self, client: Client, moment: str, more: dict[str, Any]) -> None:
        """A message is of no use later: what cannot be said now is not said."""
        message = {
            "service": SERVICE,
            "version": self._version,
            "hostname": self._hostname,
            "timestamp": datetime.now(UTC).isoformat(),
            "uptime_seconds": round(time.monotonic() - self._began, 6),
            "metadata": {
                "endpoints": {
                    "health": {"port": self._port, "path": "/health"},
                    "metrics": {"port": self._port, "path": "/metrics"},
                }
            },
            **more,
        }
        try:
            await client.publish(kryten_lifecycle(SERVICE, moment), json.dumps(message).encode())
        except _TROUBLES as error:
            log.debug("%s was not said (%s)", moment, type(error).__name__)
