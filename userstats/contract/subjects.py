"""Every NATS subject this system uses. No other file spells one."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from .events import Place

STREAM: Final = "CHAT"
EVENTS: Final = "chat.v1.event.*.*.*.*"
"""What the stream stores: platform, space, channel, kind."""
EVENT_ROOT: Final = "chat.v1.event"
DEAD_STREAM: Final = "DLQ"
DEAD: Final = "chat.v1.dlq.>"
QUERY_ROOT: Final = "userstats.v1.query"
SERVICE: Final = "userstats"
UNREADABLE: Final = "unreadable"
"""In the platform's token: what reached us over HTTP and says neither where it happened nor what it is."""
LEASES: Final = "chat_leases"
"""Key-value bucket with one entry for each room that a bridge holds."""

LEASE_STREAM: Final = f"KV_{LEASES}"
"""The stream under that bucket."""
LEASE_KEYS: Final = f"$KV.{LEASES}"
JS_API: Final = "$JS.API"
"""The JetStream API where it is at home."""
BRIDGE_API: Final = "chat.v1.api"
"""The few verbs of that API that bridges reach through the embedded broker. `Connection.api` says which of the two a
connection has: `nc.jetstream(prefix=nc.api)`."""
DISCOVERY: Final = "$SRV.>"
"""What `nats micro` asks services."""
PING: Final = f"$SRV.PING.{SERVICE}"
"""Whether userstats is there."""
HTTP: Final = "http"
"""What its reply to that, in the metadata, calls the address of its HTTP surface."""

KRYTEN: Final = "kryten.>"
"""Everything that Kryten's robot, services and clients say to each other."""
KRYTEN_COMMAND: Final = "kryten.userstats.command"
KRYTEN_EVENTS: Final = "kryten.events.cytube"
KRYTEN_LIFECYCLE: Final = "kryten.lifecycle"
KRYTEN_DISCOVERY: Final = "kryten.service.discovery.poll"
SEED_QUERY: Final = "cytube.query.userstats"
"""The seed's dialect: `cytube.query.userstats.<domain>.<noun>.<verb>`, where the domain may hold dots."""

KRYTEN_ROBOT: Final = "kryten.lifecycle.robot.*"
"""What the robot says of itself: startup, connected, heartbeat, disconnected, shutdown."""
KRYTEN_ROBOT_COMMAND: Final = "kryten.robot.command"

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST = 96
_KRYTEN_DROPS = str.maketrans(" ", "-", ".!@#$%^&*()+=[]{}|\\:;\"'<>,?/")


def token(text: str) -> str:
    """One subject token for any text, reversibly: other bytes become `=XX`, an empty text `=`.

    What would be longer than 96 characters becomes `==` and a hash (the real name travels in the payload).
    """
    raw = text.encode("utf-8", "surrogatepass")
    if not raw:
        return "="
    encoded = "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in raw)
    if len(encoded) > _LONGEST:
        digest = hashlib.sha256(raw).digest()
        return "==" + base64.b32encode(digest).decode()[:32]
    return encoded


def untoken(encoded: str) -> str | None:
    """The text of a token, or None where the token is a hash of a longer one."""
    if encoded == "=":
        return ""
    if encoded.startswith("=="):
        return None
    head, *escaped = encoded.split("=")
    raw = head.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in escaped)
    return raw.decode("utf-8", "surrogatepass")


def event(place: Place, kind: str) -> str:
    """Where an event of this kind at this place is published."""
    return f"{EVENT_ROOT}.{token(place.platform)}.{token(place.space)}.{token(place.channel)}.{kind}"


def events_of(platform: str) -> str:
    """What a bridge of this platform may publish."""
    return f"{EVENT_ROOT}.{token(platform)}.>"


def dead(reason: str) -> str:
    """Where an event that could not be counted for this reason goes."""
    return f"chat.v1.dlq.{token(reason)}"


def lease(place: Place) -> str:
    """The key, in the bucket `LEASES`, of the lease for this place. It begins with the platform: see `leases_of`."""
    return f"{token(place.platform)}.{token(place.space)}.{token(place.channel)}"


def leases_of(platform: str) -> str:
    """The subjects of the leases that a bridge of this platform may take."""
    return f"{LEASE_KEYS}.{token(platform)}.>"


def broker_info(api: str) -> str:
    """Where a bridge asks how full the event stream is; `api` is its connection's."""
    return f"{api}.STREAM.INFO.{STREAM}"


def question(name: str) -> str:
    """Where the question `noun.verb` is asked."""
    return f"{QUERY_ROOT}.{name}"


def message_id(producer: str, n: int) -> str:
    """The `Nats-Msg-Id` of row n of an outbox."""
    return f"{producer}:{n}"


def kryten_token(text: str) -> str:
    """A channel as Kryten's robot spells it in subjects; not reversible, and the domain is not in them at all."""
    return text.lower().translate(_KRYTEN_DROPS)[:100]


def kryten_events_of(channel: str) -> str:
    """Where the robot publishes what happens in a channel of this name, on whatever site it is."""
    return f"{KRYTEN_EVENTS}.{kryten_token(channel)}.>"


def kryten_user_level(domain: str, channel: str) -> str:
    """Where the robot that is in this room (spelled as its configuration spells it) says who it is."""
    return f"kryten.user_level.{domain}.{channel}"


def kryten_bucket(channel: str, what: str) -> str:
    """The robot's key-value bucket `userlist`, `emotes` or `playlist`. It keeps capitals, and names no domain."""
    return f"kryten_{channel}_{what}"


def stream_names(api: str) -> str:
    """Where the names of all streams are asked; `api` is the connection's. The stream of a bucket is `KV_` and its
    name."""
    return f"{api}.STREAM.NAMES"


def kryten_lifecycle(service: str, moment: str) -> str:
    """Where a service of Kryten's world says what becomes of it: startup, heartbeat, shutdown."""
    return f"{KRYTEN_LIFECYCLE}.{service}.{moment}"
