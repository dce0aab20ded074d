"""nats-server.conf for a broker of its own, in a cluster: the accounts of the embedded one, with passwords.

The passwords are not in it: nats-server puts in what its environment says (`$NATS_...`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from scripts.broker_conf import accounts, jetstream
from userstats.contract.broker import Role

PASSWORDS: Final[Mapping[str, tuple[Role, ...]]] = {
    "NATS_PASSWORD_USERSTATS": ("userstats", "recorder", "gateway", "provision"),
    "NATS_PASSWORD_BRIDGE_CYTUBE": ("bridge_cytube",),
    "NATS_PASSWORD_BRIDGE_DISCORD": ("bridge_discord",),
    "NATS_PASSWORD_CLIENT": ("client",),
}
"""Who shows which: one for each kind of process."""
CLIENT_PORT: Final = 4222
MONITOR_PORT: Final = 8222
_MB: Final = 1024**2
_VARIABLE: Final = re.compile(r'"(\$NATS_\w+)"')


def text() -> str:
    """The file."""
    return conf(CLIENT_PORT, MONITOR_PORT, "/data")


def conf(client_port: int, monitor_port: int, folder: str) -> str:
    """The same with other ports, and another folder for the streams."""
    users: dict[str, dict[str, str]] = {
        role: {"user": role, "password": f"${variable}"} for variable, roles in PASSWORDS.items() for role in roles
    }
    document: dict[str, Any] = {
        "server_name": "userstats-broker",
        "listen": f"0.0.0.0:{client_port}",
        "http": f"0.0.0.0:{monitor_port}",
        "max_payload": _MB,
        "max_connections": 256,
        "max_control_line": 4096,
        "max_pending": 16 * _MB,
        "write_deadline": "10s",
        "ping_interval": "20s",
        "ping_max": 3,
        "trace": False,  # it would print payloads
        "jetstream": jetstream(folder),
        "accounts": accounts(users),
        "system_account": "SYS",
    }
    return _VARIABLE.sub(r"\1", json.dumps(document, indent=1)) + "\n"
