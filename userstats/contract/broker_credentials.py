"""Servers and credentials, checked before they are used: what is wrong with them is said plainly and at once."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nats.errors
import nkeys

from .broker_settings import NatsSettings, Role, TlsSettings, key_file, running


class BrokerUnreachable(nats.errors.Error):
    """There is no broker, it does not answer, or another server answers in its place. Trying again may help."""


class BrokerRefused(nats.errors.Error):
    """The broker does not want us, or our settings cannot be used. Trying again does not help."""


def options(settings: NatsSettings, role: Role, folder: Path) -> dict[str, Any]:
    """Servers and credentials as nats-py's `connect` wants them.

    Raises BrokerUnreachable if no embedded broker runs, BrokerRefused if a setting or file cannot be used.
    """
    if settings.embedded:
        ours = running(settings, folder)
        if ours is None:
            raise BrokerUnreachable(f"no embedded broker runs in {settings.store}")
        seed = _seed(key_file(settings, folder, role))
        return {"servers": [ours.url], "nkeys_seed": seed, "inbox_prefix": f"_INBOX_{role}"}

    def for_role(text: str) -> str:
        return text.replace("{role}", role)

    wanted: dict[str, Any] = {"servers": _addresses(settings), "inbox_prefix": for_role(settings.inbox_prefix)}
    if settings.nkey_seed_file:
        wanted["nkeys_seed"] = _seed(folder / for_role(settings.nkey_seed_file))
    if settings.creds:
        wanted["user_credentials"] = str(_readable(folder / for_role(settings.creds)))
    if settings.user:
        wanted |= {"user": for_role(settings.user), "password": settings.password}
    if settings.token:
        wanted["token"] = settings.token
    if settings.tls:
        wanted["tls"] = _tls(settings.tls, folder)
    return wanted


def _addresses(settings: NatsSettings) -> list[str]:
    """The servers; what is no address is refused in words that do not repeat it, for it may hold a password."""
    for n, server in enumerate(settings.servers):
        try:
            usable = bool(urlsplit(server).hostname) and urlsplit(server).port != 0
        except ValueError:
            usable = False
        if not usable:
            raise BrokerRefused(f"$.nats.servers[{n}] is not an address like nats://host:4222")
    return list(settings.servers)


def _readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise BrokerRefused(f"{path.name} cannot be read: {error.strerror}") from error
    return path


def _seed(path: Path) -> str:
    """The path, if there is a usable seed in it: nats-py would only notice while reconnecting, and then stay away."""
    try:
        nkeys.from_seed(bytearray(_readable(path).read_bytes().strip())).wipe()
    except (nkeys.NkeysError, ValueError) as error:
        raise BrokerRefused(f"{path.name} holds no nkey seed") from error
    return str(path)


def _tls(settings: TlsSettings, folder: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(folder / settings.ca) if settings.ca else None)
        if settings.cert:
            context.load_cert_chain(folder / settings.cert, folder / settings.key if settings.key else None)
    except OSError as error:
        raise BrokerRefused(f"$.nats.tls cannot be used: {error.strerror or error}") from error
    return context
