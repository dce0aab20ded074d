"""How an unmodified client gets here: a connector within the process, a CONNECT proxy from another one."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .certificates import is_discord

HOST: Final = "127.0.0.1"


class _Resolver(AbstractResolver):
    """Every host of Discord is here, no other host exists."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The stand-in's port, whichever was asked for."""
        if not is_discord(host):
            raise OSError(f"{host}:{port} is not Discord")
        return [
            ResolveResult(
                hostname=host, host=HOST, port=self._port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def connector(port: int, trust: ssl.SSLContext) -> aiohttp.TCPConnector:
    """For `discord.Client(connector=...)`; for one client, which closes it."""
    return aiohttp.TCPConnector(limit=0, resolver=_Resolver(port), ssl=trust, use_dns_cache=False)


class Proxy:
    """An HTTP proxy that only knows CONNECT to Discord's hosts."""

    def __init__(self) -> None:
        self.port = 0
        """Kept over a restart."""
        self.refused: list[str] = []
        """What else was asked for."""
        self._server: asyncio.Server | None = None
        self._target = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """For `discord.Client(proxy=...)`, beside `SSL_CERT_FILE`."""
        return f"http://{HOST}:{self.port}"

    async def start(self, target: int) -> None:
        """Tunnels lead to a local port."""
        self._target = target
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Every tunnel is cut."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, where, *_ = head.decode("latin-1").split(" ", 2)
            if method != "CONNECT" or not is_discord(where.rpartition(":")[0]):
                self.refused.append(f"{method} {where}")
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            there_reader, there_writer = await asyncio.open_connection(HOST, self._target)
            self._open.add(there_writer)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            async with asyncio.TaskGroup() as both:
                both.create_task(_relay(reader, there_writer))
                both.create_task(_relay(there_reader, writer))
            self._open.discard(there_writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self._open.discard(writer)
            writer.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends or is reset; the other side ends as well."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    finally:
        writer.close()
