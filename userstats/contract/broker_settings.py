"""Where the broker is and who may speak to it: the settings, the roles, and the files of the embedded broker."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

import msgspec

from . import subjects

Role = Literal[
    "userstats", "recorder", "gateway", "provision",
    "bridge_cytube", "bridge_kryten", "bridge_demo", "bridge_discord",
    "client", "kryten",
]  # fmt: skip
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Who may connect. What each may do is written in the embedded broker's configuration."""
PLATFORMS: Final = ("cytube", "demo", "discord")
"""What bridges tell of."""


class TlsSettings(msgspec.Struct, frozen=True):
    """Files in PEM; `ca` verifies the broker (default: the system's), `cert` and `key` are ours, if it asks for one."""

    ca: str = ""
    cert: str = ""
    key: str = ""


class NatsSettings(msgspec.Struct, frozen=True):
    """Section `nats`. An empty `servers` means the embedded broker; `port` and `store` are about that one only.

    In `user`, `creds`, `nkey_seed_file` and `inbox_prefix`, `{role}` stands for the role's name: an external broker
    may have one credential for all roles, or one for each.
    """

    servers: tuple[str, ...] = ()
    user: str = ""
    password: str = ""
    token: str = ""
    creds: str = ""
    """A .creds file."""
    nkey_seed_file: str = ""
    tls: TlsSettings | None = None
    """Present (or a `tls://` address): a broker that does not offer TLS is refused before anything is said to it."""
    inbox_prefix: str = "_INBOX"
    bridge_api: str = ""
    """The JetStream API's prefix for bridges, where an external broker keeps them in an account of their own."""
    port: int = 4222
    """If it is taken the embedded broker chooses another and says so; -1: any."""
    store: str = "data/broker"
    connect_timeout: float = 2.0
    """Seconds for one attempt."""

    def __repr__(self) -> str:
        """Without addresses and credentials: settings end up in logs."""
        return f"NatsSettings({'embedded' if self.embedded else 'external'})"

    @property
    def embedded(self) -> bool:
        return not self.servers

    @property
    def secure(self) -> bool:
        """Whether only TLS will do."""
        return self.tls is not None or any(urlsplit(server).scheme == "tls" for server in self.servers)

    def api(self, role: Role) -> str:
        """The prefix under which this role reaches the JetStream API."""
        if not role.startswith("bridge_"):
            return subjects.JS_API
        return subjects.BRIDGE_API if self.embedded else self.bridge_api or subjects.JS_API


class Running(msgspec.Struct, frozen=True):
    """broker.json: the embedded broker that runs now."""

    url: str
    server_name: str
    """New at every start, so that no other server can be taken for it."""
    pid: int
    started: int
    """Milliseconds since the epoch."""
    monitor: str
    """Address of its monitoring, on loopback."""


def store_folder(settings: NatsSettings, folder: Path) -> Path:
    """Where the embedded broker keeps everything; a relative `store` is below `folder`."""
    return folder / settings.store


def running_file(settings: NatsSettings, folder: Path) -> Path:
    return store_folder(settings, folder) / "broker.json"


def key_file(settings: NatsSettings, folder: Path, role: Role) -> Path:
    return store_folder(settings, folder) / "keys" / f"{role}.nk"


def running(settings: NatsSettings, folder: Path) -> Running | None:
    """The embedded broker that says it runs; None where none does."""
    try:
        return msgspec.json.decode(running_file(settings, folder).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def chosen(settings: NatsSettings, folder: Path) -> NatsSettings:
    """The settings, or those of the embedded broker where one runs in this folder although servers are configured:
    it was started because nobody answered there."""
    ours = running(settings, folder) if settings.servers else None
    if ours is None or not _alive(ours.pid):
        return settings
    return msgspec.structs.replace(settings, servers=(), user="", password="", token="", creds="", nkey_seed_file="")


def _alive(pid: int) -> bool:
    """Whether a process with this pid runs."""
    if sys.platform == "win32":  # os.kill with 0 would send it a Ctrl-C there
        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # to ask only
        return bool(handle and ctypes.windll.kernel32.CloseHandle(handle))
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
