"""The section `bridge` of config.json, which all bridges share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]


class BridgeSettings(Struct, frozen=True, kw_only=True):
    """Section `bridge`: how a bridge keeps and publishes what it observed. Times are seconds."""

    outbox_folder: str = "data/outbox"
    """Holds one file for each running bridge process: `<name>.db`."""
    outbox_max_bytes: Annotated[int, Meta(ge=65_536)] = 1024**3
    """Of events that wait for the broker. Beyond nine tenths of it beats are dropped; at the limit the bridge stops
    reading from its platform. Nothing else is ever dropped."""
    outbox_max_rows: Annotated[int, Meta(ge=100)] = 5_000_000
    grace_seconds: Seconds = 900.0
    """How long acknowledged events are kept, to publish them again to a broker that was restarted."""
    beat_seconds: Seconds = 30.0
    silence_seconds: Seconds = 180.0
    """A connection that gave no sign of life for so long is given up and made anew."""
    lease_seconds: Annotated[int, Meta(ge=1)] = 10
    """A bridge that does not renew its lease of a room for so long has lost it. Whole seconds, as NATS counts them."""
    renew_seconds: Seconds = 2.0
    settings_seconds: Seconds = 10.0
    """How often userstats is asked for phrases, names and consent."""
    retry_seconds: Seconds = 1.0
    """Before the first new attempt to connect to a platform; it doubles with each further one."""
    slowest_retry_seconds: Seconds = 60.0
    stop_seconds: Seconds = 5.0
    """How long a stopping bridge tries to publish what still waits. What remains is published after the next start."""
    service_url: str = ""
    """Address of a userstats (`http://sqlite-service:8080`), for a bridge that cannot reach NATS: events and questions
    go there over HTTP, and no lease is taken. The environment variable SQLITE_SERVICE_URL goes before it."""
    service_token: str = ""
    """That userstats' `http.events_token`. The environment variable USERSTATS_SERVICE_TOKEN goes before it."""

    def __post_init__(self) -> None:
        if self.renew_seconds * 3 > self.lease_seconds:
            raise ValueError("`renew_seconds` must be at most a third of `lease_seconds`")

    def __repr__(self) -> str:
        """Without address and token: settings end up in logs."""
        return f"BridgeSettings({'over HTTP' if self.service_url else 'over NATS'})"
