"""Looking at a nats-server from outside: is the port free, who answers there, is it well."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TROUBLES = (OSError, ValueError, TimeoutError, EOFError)
"""What the functions here raise when the server is not there, or not as it should be."""


def taken(port: int) -> bool:
    """Whether somebody answers on this port of `localhost`, in either version of IP: Kryten's clients go there."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def addresses(folder: Path) -> tuple[str, str] | None:
    """Where the server listens for clients and for monitoring; None until it has written its ports file."""
    for file in folder.glob("*.ports"):
        try:
            ports = json.loads(file.read_bytes())
        except ValueError:  # half written
            continue
        if ports.get("nats") and ports.get("monitoring"):
            return ports["nats"][0], ports["monitoring"][0]
    return None


async def server_name(url: str) -> str:
    """What the server at this address calls itself."""
    reader, writer = await _open(url)
    try:
        line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 2)
    finally:
        writer.close()
    info: dict[str, Any] = json.loads(line.removeprefix(b"INFO "))
    return str(info.get("server_name", ""))


async def health(monitor: str) -> str:
    """Empty if the server says that all is well, else what it says is wrong."""
    reader, writer = await _open(monitor)
    try:
        writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(100_000), 5)
    finally:
        writer.close()
    head, _, text = answer.partition(b"\r\n\r\n")
    if b" 200 " in head.split(b"\r\n")[0]:
        return ""
    said = json.loads(text)
    return str(said.get("error") or said.get("status") or "unwell")


async def _open(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    return await asyncio.wait_for(asyncio.open_connection(address.hostname, address.port), 2)
