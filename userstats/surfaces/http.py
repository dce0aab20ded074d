"""HTTP: metrics, health, and every question as JSON at `/api/<noun>/<verb>`.

Who can reach the address may ask; the token is for what only operators may, that of `/api/events` for what bridges
may. A page in somebody's browser can reach it
too, wherever that page is from, so a POST must be JSON (which another site's page may not send), and on loopback a
question must be addressed to loopback (a name that another site points there is not answered).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import re
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, Final

import msgspec
from aiohttp import web

from ..answer import Answers, Asked, Asker
from ..asking import Refused
from ..contract.config import ConfigError
from ..contract.http import OPENAPI
from ..contract.process import told
from ..contract.questions import HEADER_FOR, LARGEST_REQUEST, Account, Failure, Problem, Reply
from ..gateway import Gateway
from .bearer import bears
from .events import EventsRoute
from .metrics import Metrics
from .nats import account_of, parameters
from .openapi import description

log = logging.getLogger(__name__)

_AT_ONCE: Final = 64
"""Questions under way; more are refused."""
_READ_SECONDS: Final = 5.0
"""How long the body of a request may take to arrive."""
_CLOSE_SECONDS: Final = 2.0
_TAKEN_SECONDS: Final = 10.0
"""How long a taken port is waited for: a userstats that is about to end still has it."""
_HOST: Final = re.compile(r":[0-9]*$")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_encode: Final = msgspec.json.Encoder().encode
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpSurface:
    """One listening address."""

    def __init__(
        self,
        answers: Answers,
        metrics: Metrics,
        *,
        host: str,
        port: int,
        token: str,
        events_token: str = "",
        gateway: Gateway | None = None,
    ) -> None:
        self._answers = answers
        self._metrics = metrics
        self._host = host
        self._port = port
        self._token = token
        self._events_token = events_token
        self._events = EventsRoute(gateway, events_token)
        self._asked = 0
        self._runner: web.AppRunner | None = None
        self.port = port
        """The port listened on, once started."""

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[_guard])
        application.add_routes(
            [
                web.get("/metrics", self._get_metrics),
                web.get("/health", self._get_health),
                web.get("/healthz", self._get_alive),
                web.get("/readyz", self._get_ready),
                web.get("/api", self._get_questions),
                web.get(OPENAPI, self._get_openapi),
                *self._events.routes(),
                web.get("/api/{noun}/{verb}", self._ask),
                web.post("/api/{noun}/{verb}", self._ask),
            ]
        )
        return application

    async def start(self) -> None:
        """Listen. Raises ConfigError when the port is taken and stays so, OSError where listening is not possible."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=_CLOSE_SECONDS)
        await self._runner.setup()
        patience = time.monotonic() + _TAKEN_SECONDS
        if taken := not await self._listens(self._runner):
            log.warning("port %d is taken; waiting for it", self._port)
        while taken:
            if time.monotonic() > patience:
                raise ConfigError(
                    "$.http.port",
                    f"{self._port} is taken, another program listens on {self.address}; end that one, or write another "
                    "port (0: any free one)",
                )
            await asyncio.sleep(0.2)
            taken = not await self._listens(self._runner)
        self.port = self._runner.addresses[0][1]
        log.info("listening on %s", self.address)

    async def _listens(self, runner: web.AppRunner) -> bool:
        """Whether the port could be had."""
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await site.stop()
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        return True

    @property
    def address(self) -> str:
        """What the pages begin with; once started, with the port that is listened on."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _get_metrics(self, _: web.Request) -> web.Response:
        body = await self._metrics.text()
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _get_alive(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "uptime_seconds": round(self._metrics.uptime, 2)})

    async def _get_ready(self, _: web.Request) -> web.Response:
        """Ready: connected, the database answers, the stream is followed and nearly caught up."""
        checks = await self._metrics.checks()
        return web.json_response(checks, status=200 if checks["ready"] else 503)

    async def _get_health(self, _: web.Request) -> web.Response:
        """The peer's health page."""
        body = await self._metrics.health()
        return web.json_response(body, status=200 if body["status"] == "healthy" else 503)

    async def _get_questions(self, _: web.Request) -> web.Response:
        listed = [
            {"question": name, "help": asked.question.help, "shape": asked.question.shape, "request": asked.schema}
            for name, asked in self._answers.asked.items()
        ]
        return web.json_response({"questions": listed})

    async def _get_openapi(self, _: web.Request) -> web.Response:
        return web.Response(body=self._description, content_type="application/json")

    @cached_property
    def _description(self) -> bytes:
        return _encode(description(self._answers.asked))

    async def _ask(self, request: web.Request) -> web.Response:
        name = f"{request.match_info['noun']}.{request.match_info['verb']}"
        started = time.perf_counter()
        try:
            reply = await self._reply(name, request)
        except Refused as refused:
            problem = Problem(code=refused.code, message=refused.message, details=refused.details)
            reply = Failure(question=name, error=problem)
        code = reply.error.code if isinstance(reply, Failure) else 200
        log.debug("%s: %d in %.1f ms", name, code, (time.perf_counter() - started) * 1000)
        return web.Response(body=_encode(reply), status=code, content_type="application/json")

    async def _reply(self, name: str, request: web.Request) -> Reply | Failure:
        asker = self._asker(request)
        if asker == "everyone" and _is_loopback(self._host) and _is_name(request.headers.get("Host", "")):
            raise Refused(403, "ask this address as localhost, or with the token")
        me = _for_whom(request, asker)
        values = await self._values(name, request, asker)
        if self._asked >= _AT_ONCE:
            raise Refused(429, "too many questions at once; ask again")
        self._asked += 1
        try:
            return await self._answers.answer(name, values, asker, me)
        finally:
            self._asked -= 1

    async def _values(self, name: str, request: web.Request, asker: Asker) -> dict[str, Any]:
        asked = self._answers.asked.get(name)
        if request.method == "POST":
            if asker == "everyone" and request.content_type != "application/json":
                raise Refused(400, "a POST needs the header Content-Type: application/json")
            try:
                async with asyncio.timeout(_READ_SECONDS):
                    return parameters(await request.read())
            except (TimeoutError, ConnectionError) as error:
                raise Refused(400, "the request did not arrive in time") from error
        if asked and asked.question.changes:
            raise Refused(400, f"{name} changes something: use POST")
        return typed(dict(request.query), asked) if asked else dict(request.query)

    def _asker(self, request: web.Request) -> Asker:
        if bears(request, self._token):
            return "operator"
        return "bridge" if bears(request, self._events_token) else "everyone"


def _for_whom(request: web.Request, asker: Asker) -> Account | None:
    """The account a bridge asks for. Refused (403) where somebody else asks for another."""
    given = request.headers.get(HEADER_FOR)
    if given is None:
        return None
    if asker != "bridge":
        raise Refused(403, f"only a bridge may ask for somebody ({HEADER_FOR})")
    return account_of(given)


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_name(host: str) -> bool:
    """Whether a Host header has a name that somebody else could have pointed here: not figures, and not localhost."""
    name = _HOST.sub("", host).strip("[]").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name not in {"", "localhost"} and not name.endswith(".localhost")
    return False


def typed(values: dict[str, str], asked: Asked) -> dict[str, Any]:
    """Words of a query string as the question's schema wants them; what does not fit is left for it to refuse."""
    properties = asked.definition.get("properties", {})
    return {key: _typed(text, properties.get(key, {})) for key, text in values.items()}


def _typed(text: str, schema: dict[str, Any]) -> Any:
    kinds = {schema.get("type")} | {one.get("type") for one in schema.get("anyOf", [])}
    if "integer" in kinds and _WHOLE.fullmatch(text):
        return int(text)
    if "boolean" in kinds and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if "array" in kinds:
        return text.split(",")
    return text


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refusals of the framework in the same envelope, and headers that keep browsers from guessing."""
    try:
        response = await handler(request)
    except web.HTTPException as refused:
        problem = Problem(code=refused.status, message=refused.reason)
        body = _encode(Failure(question=request.path, error=problem))
        response = web.Response(body=body, status=refused.status, content_type="application/json")
    except Exception as error:
        log.error("a request failed: %s", told(error))
        body = _encode(Failure(question=request.path, error=Problem(code=500, message="internal error")))
        response = web.Response(body=body, status=500, content_type="application/json")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
