"""Where Kryten's world is: the section `kryten` of config.json, which the bridge to the robot and userstats share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from .broker_settings import NatsSettings, TlsSettings, chosen

HeartbeatSeconds = Annotated[float, msgspec.Meta(gt=0, le=300)]


class KrytenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Section `kryten`. Kryten's robot, services and clients speak to one NATS: without `servers` it is ours."""

    servers: tuple[str, ...] = ()
    """Addresses of Kryten's NATS where it is another one than that of the section `nats`."""
    user: str = ""
    password: str = ""
    token: str = ""
    creds: str = ""
    """A .creds file."""
    tls: TlsSettings | None = None
    bot: Annotated[str, msgspec.Meta(max_length=20)] = ""
    """The robot's name in its rooms; it is not one of the people. Without it the robot is asked."""
    answer: bool = True
    """Whether userstats answers `kryten.userstats.command`; not where kryten-userstats itself runs, too."""
    domain: str = ""
    """The site that a request means which names none; default: that of the first of `channels`."""
    heartbeat_seconds: HeartbeatSeconds = 30.0
    """How often userstats says in Kryten's world that it is alive."""

    def __repr__(self) -> str:
        """Without addresses and credentials: settings end up in logs."""
        return f"KrytenSettings(bot={self.bot!r})"


def kryten_broker(settings: KrytenSettings, nats: NatsSettings, folder: Path) -> NatsSettings:
    """How to reach Kryten's NATS, with the role `kryten`: its own servers, else those that all parts use now."""
    if not settings.servers:
        return chosen(nats, folder)
    return NatsSettings(
        servers=settings.servers,
        user=settings.user,
        password=settings.password,
        token=settings.token,
        creds=settings.creds,
        tls=settings.tls,
        connect_timeout=nats.connect_timeout,
    )
