"""Which Socket.IO server holds a room: the answer of `/socketconfig/<room>.json`. It is asked for each watch anew."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, NamedTuple

import aiohttp

from bridges.bridge import Ended
from bridges.cytube_room import Site

_LARGEST: Final = 65_536


class Server(NamedTuple):
    """A Socket.IO server of the site."""

    url: str
    secure: bool


async def server_of(http: aiohttp.ClientSession, site: Site, channel: str, timeout: float) -> Server:
    """The server that holds this room; a secure one where there is one.

    Raises Ended: `refused` where the site knows no such room or names no server, `lost` where it does not answer.
    """
    url = f"{site.origin}/socketconfig/{channel}.json"
    try:
        async with asyncio.timeout(timeout), http.get(url) as response:
            body = await response.content.read(_LARGEST)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Ended("lost", f"{site.space} does not answer ({type(error).__name__})") from error
    if status == 404:
        raise Ended("refused", f"{site.space} knows no such name of a room", 3600.0)
    if status != 200:
        raise Ended("lost", f"{site.space} answers HTTP {status}")
    servers = _servers(body)
    if not servers:
        raise Ended("refused", f"{site.space} names no server for the room", 60.0)
    return servers[0]


def _servers(body: bytes) -> list[Server]:
    """The servers in an answer, best first: secure before insecure, IPv4 (which every host has) before IPv6."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return []
    listed = answer.get("servers") if isinstance(answer, dict) else None
    entries = [entry for entry in listed if _usable(entry)] if isinstance(listed, list) else []
    entries.sort(key=lambda entry: (not _secure(entry["url"]), entry.get("ipv6") is True))
    return [Server(entry["url"], _secure(entry["url"])) for entry in entries]


def _secure(url: str) -> bool:
    return url.startswith("https://")


def _usable(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("url"), str)
        and entry["url"].startswith(("http://", "https://"))
    )
