"""An unmodified process reaches the stand-in through the proxy, in each compression it may have."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from .discord import StandIn
from .discord_client import listening, standing

_CLIENT = "import sys, runpy\n{before}\nrunpy.run_module('tests.stand_ins.discord_client', run_name='__main__')"
_WITHOUT_ZSTD = "sys.modules['zstandard'] = None"
ROOT = Path(__file__).parents[2]
ZSTD = importlib.util.find_spec("zstandard") is not None


@asynccontextmanager
async def another_process(site: StandIn, before: str = "") -> AsyncIterator[Process]:
    """The client of `discord_client`, with nothing of this process but the environment."""
    environment = {**os.environ, **site.environment, "HTTPS_PROXY": site.proxy.url, "DISCORD_BOT_TOKEN": site.token}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CLIENT.format(before=before), cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("before", "compression"),
    [
        pytest.param(_WITHOUT_ZSTD, "zlib-stream"),
        pytest.param("", "zstd-stream", marks=pytest.mark.skipif(not ZSTD, reason="zstandard is not installed")),
    ],
)
async def test_another_process_listens_through_the_proxy(before: str, compression: str) -> None:
    async with standing() as site:
        general = site.channel(site.guild("cinema"), "general")
        async with another_process(site, before) as process:
            assert process.stdout is not None
            ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
            assert ready == {"ready": "statsbot#0000"}
            assert [one.compression for one in site.gateway.connections] == [compression]
            await site.owner.say(general, "hi")
            site.faults.abort()
            await site.owner.say(general, "still there? " + "ü" * 1900)
            await site.owner.say(general, "bye")
            told, errors = await asyncio.wait_for(process.communicate(), 20)
            assert errors == b""
            contents = [json.loads(line)["content"] for line in told.splitlines()]
            assert contents == ["hi", "still there? " + "ü" * 1900, "bye"]
            assert process.returncode == 0
        assert (site.gateway.identifies, site.gateway.resumes, site.proxy.refused) == (1, 1, [])


async def test_a_lively_guild_can_be_served_by_hand() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.stand_ins.discord", "--rate", "200"), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    served = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bot {served['token']}"}) as session,
        session.get(f"{served['api_base']}/guilds/{served['guild']}") as answer,
    ):
        assert (await answer.json())["name"] == "cinema"
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGINT)
    told, errors = await asyncio.wait_for(process.communicate(), 20)
    happened = json.loads(told)
    assert (happened["violations"], happened["unknown"], errors) == ([], [], b"")
    assert happened["deeds"]["message"] > 1


async def test_the_proxy_and_the_connector_lead_to_discord_alone() -> None:
    async with standing() as site:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientHttpProxyError):
                await session.get("https://example.org/", proxy=site.proxy.url)
        assert site.proxy.refused == ["CONNECT example.org:443"]
        async with aiohttp.ClientSession(connector=site.connector()) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get("https://example.org/")


async def test_rest_and_gateway_are_there_without_tls() -> None:
    async with standing() as site, aiohttp.ClientSession(headers={"Authorization": f"Bot {site.token}"}) as session:
        async with session.get(f"{site.api_base}/users/@me") as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
            assert (await answer.json())["id"] == str(site.me.id)
        async with session.ws_connect(site.gateway_base, params={"v": "10", "encoding": "json"}) as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json({"op": 2, "d": {"token": site.token, "intents": 1, "properties": {}}})
            ready = await socket.receive_json()
            assert ready["d"]["resume_gateway_url"] == site.gateway_base.rstrip("/")


@pytest.mark.skipif(not ZSTD, reason="zstandard is not installed")
async def test_zstd_is_what_discord_py_asks_for_where_it_is_installed() -> None:
    async with standing() as site, listening(site):
        assert [one.compression for one in site.gateway.connections] == ["zstd-stream"]
