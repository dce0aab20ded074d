"""Which server is chosen from what a site answers."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridges.bridge import Ended
from bridges.cytube.site import Server, server_of
from bridges.cytube_room import site


async def _asked(status: int, answer: Any) -> tuple[Server, str]:
    paths: list[str] = []

    async def socketconfig(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", socketconfig)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        chosen = await server_of(http, site(f"http://127.0.0.1:{server.port}"), "Lounge", 2.0)
    return chosen, paths[0]


PLAIN = {"url": "http://a.example:8880", "secure": False}
SECURE = {"url": "https://a.example:8443", "secure": True}
SECURE_6 = {"url": "https://a6.example:8443", "secure": True, "ipv6": True}


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([PLAIN], Server("http://a.example:8880", False)),
        ([PLAIN, SECURE_6, SECURE], Server("https://a.example:8443", True)),
        ([PLAIN, SECURE_6], Server("https://a6.example:8443", True)),
        ([None, {"url": 5}, {"url": "file:///etc/passwd"}, PLAIN], Server("http://a.example:8880", False)),
    ],
)
async def test_a_secure_server_is_preferred_and_nonsense_is_passed_over(servers: list[Any], expected: Server) -> None:
    assert await _asked(200, {"servers": servers}) == (expected, "/socketconfig/Lounge.json")


@pytest.mark.parametrize(
    ("status", "answer", "reason", "retry_in"),
    [
        (404, {"error": "Channel does not exist."}, "refused", 3600.0),
        (500, {"error": "x"}, "lost", 0.0),
        (200, {"servers": []}, "refused", 60.0),
        (200, {"servers": "none"}, "refused", 60.0),
        (200, ["servers"], "refused", 60.0),
        (200, None, "refused", 60.0),
    ],
)
async def test_a_site_that_names_no_server_ends_the_watch(
    status: int, answer: Any, reason: str, retry_in: float
) -> None:
    with pytest.raises(Ended) as ended:
        await _asked(status, answer)

    assert (ended.value.reason, ended.value.retry_in) == (reason, retry_in)
