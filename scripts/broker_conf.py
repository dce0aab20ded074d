"""The embedded broker's configuration: who there is and what each may do. It holds public keys and no secret.

`accounts` is also what a broker of its own, in a cluster, is given (`scripts/deploy/broker.py`).

Five accounts, joined only by service imports. A bridge's account has no JetStream of its own: JetStream would send an
answer (of a lease's bucket, say) to any reply subject its client names, and so past that client's permissions into the
event stream. Through an import every reply is re-written by the server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from userstats.contract import subjects
from userstats.contract.broker import PLATFORMS, Role

QUESTIONS: Final = f"{subjects.QUERY_ROOT}.>"
SETTINGS: Final = (f"{subjects.QUERY_ROOT}.settings.>", subjects.question("consent.list"))
"""What a bridge must know before it may tell anything."""
LINKING: Final = subjects.question("link.confirm")
"""Said by a bridge that hears itself who typed a code to its bot; Kryten's world could make others believe it."""
KEYLESS: Final = "keyless"
"""Whoever connects without a key: Kryten's robot, services and clients."""

PLATFORM_OF: Final[Mapping[Role, str]] = {
    "bridge_cytube": "cytube",
    "bridge_kryten": "cytube",
    "bridge_demo": "demo",
    "bridge_discord": "discord",
}

Credentials = Mapping[str, Mapping[str, str]]
"""By role how the server knows it: `nkey`, or `user` and `password`."""

_MB: Final = 1024**2
_CHAT_FILES: Final = 8 * 1024**4
"""No wall: the streams in CHAT have their own `max_bytes`, and only `provision` makes any. A limit below what a stream
once reserved would keep the server from recovering that stream."""
_KRYTEN_FILES: Final = 512 * _MB
_MEMORY: Final = 64 * _MB


class Paths(NamedTuple):
    """Everything the broker keeps, below one folder."""

    store: Path
    streams: Path
    keys: Path
    ports: Path
    conf: Path
    log: Path
    errors: Path
    """What the server says before it has opened its log."""

    @classmethod
    def below(cls, store: Path) -> Paths:
        return cls(
            store,
            store / "jetstream",
            store / "keys",
            store / "ports",
            store / "nats-server.conf",
            store / "nats-server.log",
            store / "nats-server.err",
        )


def configuration(server_name: str, port: int, paths: Paths, keys: Mapping[str, str]) -> str:
    """The text of nats-server.conf (JSON, which the server reads). Port -1: any free one. `keys`: public, by role."""
    document = {
        "server_name": server_name,
        "listen": f"127.0.0.1:{port}",
        "http": "127.0.0.1:-1",
        "ports_file_dir": str(paths.ports),
        "log_file": str(paths.log),
        "logfile_size_limit": 8 * _MB,
        "logfile_max_num": 3,
        "max_payload": _MB,  # Kryten's robot keeps whole playlists in one value
        "max_connections": 512,
        "max_control_line": 4096,
        "max_pending": 16 * _MB,
        "max_subscriptions": 2000,
        "write_deadline": "10s",
        "ping_interval": "20s",
        "ping_max": 3,
        "trace": False,  # it would print payloads
        "jetstream": jetstream(str(paths.streams)),
        "accounts": accounts({role: {"nkey": key} for role, key in keys.items()}),
        "system_account": "SYS",
        "no_auth_user": keys[KEYLESS],
    }
    return json.dumps(document, indent=1)


def jetstream(folder: str) -> dict[str, Any]:
    """What is stored, where, and that nothing is acknowledged before it is on the disk."""
    return {
        "store_dir": folder,
        "sync_interval": "always",
        "max_mem": 2 * _MEMORY,
        "max_file": _CHAT_FILES + _KRYTEN_FILES,
        "limits": {"max_request_batch": 5000},
    }


def accounts(keys: Credentials) -> dict[str, Any]:
    """The accounts with the users that have a credential; Kryten's world only where it has one."""
    kryten = {"KRYTEN": _kryten(keys)} if KEYLESS in keys else {}
    return {
        "SYS": {},
        "CHAT": _chat(keys, ["BRIDGES", "CLIENTS", *kryten]),
        "BRIDGES": _bridges(keys),
        "CLIENTS": _clients(keys),
        **kryten,
    }


def _user(
    keys: Credentials,
    role: str,
    publish: tuple[str, ...],
    subscribe: tuple[str, ...] = (),
    answers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    permissions: dict[str, Any] = {"publish": list(publish), "subscribe": [*subscribe, f"{inbox(role)}.>"]}
    if answers:
        permissions["allow_responses"] = answers
    return {**keys[role], "permissions": permissions}


def inbox(role: str) -> str:
    return "_INBOX" if role == KEYLESS else f"_INBOX_{role}"


_ANSWERS: Final = {"max": 1, "expires": "1m"}


def _chat(keys: Credentials, askers: list[str]) -> dict[str, Any]:
    """The streams, and userstats, which answers these accounts."""
    stream = subjects.STREAM
    reading = (
        f"{subjects.JS_API}.STREAM.INFO.{stream}",
        f"{subjects.JS_API}.STREAM.INFO.{subjects.DEAD_STREAM}",
        f"{subjects.JS_API}.STREAM.MSG.GET.{stream}",
        f"{subjects.JS_API}.DIRECT.GET.{stream}",
        f"{subjects.JS_API}.DIRECT.GET.{stream}.>",
        f"{subjects.JS_API}.CONSUMER.CREATE.{stream}",
        *(
            f"{subjects.JS_API}.CONSUMER.{verb}.{stream}.>"
            for verb in ("CREATE", "MSG.NEXT", "INFO", "DELETE", "RESET")
        ),
        f"$JS.ACK.{stream}.>",
        f"$JS.ACK.*.*.{stream}.>",
    )
    erasing = (f"{subjects.JS_API}.STREAM.MSG.DELETE.{stream}",)
    exports = [
        {"service": QUESTIONS, "accounts": askers},
        {"service": subjects.DISCOVERY, "accounts": ["CLIENTS"], "response_type": "Stream"},
        *({"service": subject, "accounts": ["BRIDGES"]} for subject in _append()),
        *({"service": f"{subjects.JS_API}.{verb}", "accounts": ["BRIDGES"]} for verb in _all_api()),
    ]
    return {
        "jetstream": {"max_file": _CHAT_FILES, "max_mem": _MEMORY, "max_streams": 16, "max_consumers": 1024},
        "limits": {"max_connections": 64},
        "exports": exports,
        "users": [
            _user(
                keys,
                "userstats",
                (*reading, *erasing, subjects.DEAD),
                (QUESTIONS, subjects.DISCOVERY),
                _ANSWERS,
            ),
            _user(keys, "recorder", (subjects.events_of(subjects.SERVICE),)),
            _user(keys, "gateway", (*map(subjects.events_of, PLATFORMS), subjects.events_of(subjects.UNREADABLE))),
            _user(keys, "provision", (f"{subjects.JS_API}.INFO", f"{subjects.JS_API}.STREAM.>")),
        ],
    }


def _append() -> list[str]:
    """What bridges write in CHAT: their events, and the leases."""
    return [subject(platform) for platform in PLATFORMS for subject in (subjects.events_of, subjects.leases_of)]


def _api(verbs_of: str) -> list[str]:
    """What bridges ask of the JetStream API, below its prefix, about the leases of this platform."""
    lease = subjects.LEASE_STREAM
    direct = f"DIRECT.GET.{lease}.{subjects.leases_of(verbs_of)}"
    return [f"STREAM.INFO.{subjects.STREAM}", f"STREAM.INFO.{lease}", direct]


def _all_api() -> list[str]:
    return sorted({verb for platform in PLATFORMS for verb in _api(platform)})


def _bridges(keys: Credentials) -> dict[str, Any]:
    renamed = [
        {"service": {"account": "CHAT", "subject": f"{subjects.JS_API}.{verb}"}, "to": f"{subjects.BRIDGE_API}.{verb}"}
        for verb in _all_api()
    ]
    return {
        "limits": {"max_connections": 64},
        "imports": [
            _questions(),
            *({"service": {"account": "CHAT", "subject": subject}} for subject in _append()),
            *renamed,
        ],
        "users": [_bridge(keys, role, platform) for role, platform in PLATFORM_OF.items() if role in keys],
    }


def _bridge(keys: Credentials, role: Role, platform: str) -> dict[str, Any]:
    api = (f"{subjects.BRIDGE_API}.{verb}" for verb in _api(platform))
    # Discord's slash commands ask whatever there is to ask; other bridges only what they must know.
    asks = (QUESTIONS,) if platform == "discord" else (*SETTINGS, *([LINKING] if role == "bridge_cytube" else ()))
    return _user(keys, role, (subjects.events_of(platform), subjects.leases_of(platform), *api, *asks))


def _questions() -> dict[str, Any]:
    """An import of the questions. The server puts the asking account's name on each, see `asked_from`."""
    return {"service": {"account": "CHAT", "subject": QUESTIONS}}


def _clients(keys: Credentials) -> dict[str, Any]:
    return {
        "limits": {"max_connections": 128},
        "imports": [_questions(), {"service": {"account": "CHAT", "subject": subjects.DISCOVERY}}],
        "users": [_user(keys, "client", (QUESTIONS, subjects.DISCOVERY))],
    }


def _kryten(keys: Credentials) -> dict[str, Any]:
    """Kryten's own world. A NATS permission cannot say `kryten_*` inside a token, so its buckets are all of this
    account's; the account's limits bound them."""
    old = f"{subjects.SEED_QUERY}.>"
    buckets = (f"{subjects.JS_API}.>", "$JS.ACK.>", "$JS.FC.>")
    answers = (f"{inbox(KEYLESS)}.>", f"{inbox('kryten')}.>")
    return {
        "jetstream": {"max_file": _KRYTEN_FILES, "max_mem": _MEMORY, "max_streams": 512, "max_consumers": 1024},
        "limits": {"max_connections": 128},
        "imports": [_questions()],
        "users": [
            _user(keys, "kryten", (subjects.KRYTEN, *buckets), (subjects.KRYTEN, old), _ANSWERS),
            _user(keys, KEYLESS, (subjects.KRYTEN, old, QUESTIONS, "$KV.>", *buckets, *answers), (subjects.KRYTEN,)),
        ],
    }
