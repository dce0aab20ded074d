"""What is to run, decided before anything starts: which broker, which bridges, which rooms."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from bridges.cytube_room import Channel, parse_channel
from bridges.discord import TOKEN, Discord
from userstats.contract.broker import NatsSettings
from userstats.contract.config import Config, ConfigError
from userstats.contract.stream import StreamSettings

_ANSWER_SECONDS = 1.5


class Plan(msgspec.Struct, frozen=True):
    """The decisions."""

    nats: NatsSettings
    """With an empty `servers` where the embedded broker is used."""
    stream: StreamSettings
    broker: Literal["embedded", "external", "none"]
    unanswered: tuple[str, ...]
    """Configured servers at which nobody answers: host and port, without what else an address may hold."""
    userstats: bool
    bridges: tuple[str, ...]
    auto: Literal["cytube", "kryten"]
    """Through what rooms are observed whose configuration does not say."""
    rooms: tuple[str, ...]
    """Rooms given on the command line."""


def plan(config: Config, options: argparse.Namespace) -> Plan:
    """Decide. Raises ConfigError."""
    _check(options.channel)
    nats = config.section("nats", NatsSettings)
    unanswered: tuple[str, ...] = ()
    if nats.servers and not asyncio.run(_any_answers(nats.servers)):
        unanswered = tuple(map(_host, nats.servers))
        nats = msgspec.structs.replace(nats, servers=(), user="", password="", token="", creds="", nkey_seed_file="")
    external = bool(nats.servers)
    auto: Literal["cytube", "kryten"] = "kryten" if external else "cytube"
    if options.bridge in ("cytube", "kryten"):
        auto = options.bridge
    channels = config.section("channels", list[Channel])
    bridges = (options.bridge,) if options.only == "bridge" else _bridges(config, channels, options, auto)
    broker: Literal["embedded", "external", "none"] = "external" if external else "embedded"
    return Plan(
        nats,
        config.section("stream", StreamSettings),
        "none" if options.only == "bridge" else broker,
        unanswered,
        options.only != "bridge",
        () if options.only == "userstats" else bridges,
        auto,
        tuple(options.channel),
    )


def _check(rooms: list[str]) -> None:
    for room in rooms:
        try:
            parse_channel(room)
        except ValueError as error:
            raise ConfigError("--channel", str(error)) from error


def _bridges(config: Config, channels: list[Channel], options: argparse.Namespace, auto: str) -> tuple[str, ...]:
    through = {auto if channel.via == "auto" else channel.via for channel in channels}
    if os.environ.get(TOKEN, "").strip() or config.section("discord", Discord).token.strip():
        through.add("discord")
    if options.channel:
        through.add("cytube")
    if options.demo:
        through.add("demo")
    return tuple(sorted(through))


async def _any_answers(servers: tuple[str, ...]) -> bool:
    answers = await asyncio.gather(*(_answers(server) for server in servers))
    return any(answers)


def _host(server: str) -> str:
    return urlsplit(server if "://" in server else f"nats://{server}").netloc.rpartition("@")[2]


async def _answers(server: str) -> bool:
    """Whether something listens there and greets as NATS servers do."""
    address = urlsplit(server if "://" in server else f"nats://{server}")
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(address.hostname, address.port or 4222)
            greeting = await reader.read(5) if address.scheme in {"nats", "tls"} else b"INFO "
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return False
    return greeting.startswith(b"INFO")
