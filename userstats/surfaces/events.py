"""`POST /api/events`: the same events as over NATS, for a bridge that cannot reach that. See `contract/http.py`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web
from nats.errors import ConnectionClosedError

from ..contract import http
from ..contract.appending import NotTaken
from ..contract.questions import Failure, Problem
from ..gateway import Gateway, Line, NotAccepted, read
from .bearer import bears

log = logging.getLogger(__name__)

_READ_SECONDS: Final = 30.0
"""How long the body of a request may take to arrive."""
_AT_ONCE: Final = 8
"""Requests whose bodies are in memory; more are refused."""
_AGAIN_SECONDS: Final = 1
_encode: Final = msgspec.json.Encoder().encode


class _Refusal(Exception):
    def __init__(
        self, code: int, message: str, details: Mapping[str, Any] = {}, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = dict(details)
        self.headers = dict(headers)


class EventsRoute:
    """The two verbs of `/api/events`. Without a token in the settings both are refused in words."""

    def __init__(self, gateway: Gateway | None, token: str) -> None:
        self._gateway = gateway
        self._token = token
        self._taking = 0
        self._complaint = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.get(http.EVENTS, self._get), web.post(http.EVENTS, self._post)]

    async def _get(self, request: web.Request) -> web.Response:
        """What is taken, and by which broker process."""
        try:
            return _answer(http.Takes(broker=_there(self._admitted(request))))
        except _Refusal as refusal:
            return _refused(refusal)

    async def _post(self, request: web.Request) -> web.Response:
        """Append events. They are acknowledged when the stream has acknowledged them."""
        try:
            gateway = self._admitted(request)
            if self._taking >= _AT_ONCE:
                raise _again(429, "too many at once")
            self._taking += 1
            try:
                return await self._taken(request, gateway)
            finally:
                self._taking -= 1
        except _Refusal as refusal:
            return _refused(refusal)

    async def _taken(self, request: web.Request, gateway: Gateway) -> web.Response:
        if request.content_type != http.NDJSON:
            raise _Refusal(415, f"the body must be {http.NDJSON}: one sealed event a line")
        broker = _there(gateway)
        expected = request.headers.get("If-Match", "").strip('"')
        if expected and expected != broker:
            raise _Refusal(
                412, "another broker process takes the events now", {"broker": broker}, {"ETag": f'"{broker}"'}
            )
        lines = list(_lines(await _body(request)))
        await self._append(gateway, lines)
        dead = [http.Dead(index, one.bad.reason, one.bad.path) for index, one in enumerate(lines) if one.bad]
        return _answer(http.Taken(stored=len(lines), dead=dead, broker=broker))

    async def _append(self, gateway: Gateway, lines: list[Line]) -> None:
        try:
            await gateway.append([line.event for line in lines])
        except (NotTaken, ConnectionClosedError) as error:
            complaint = str(error)
            if complaint != self._complaint:
                log.error("events over HTTP are not taken: %s", complaint)
            self._complaint = complaint
            raise _again(503, complaint) from error
        if self._complaint:
            self._complaint = ""
            log.info("events over HTTP are taken again")

    def _admitted(self, request: web.Request) -> Gateway:
        """Raises _Refusal: 403 where nobody may, 401 where this one may not."""
        if self._gateway is None or not self._token:
            raise _Refusal(403, "no events are taken over HTTP: http.events_token is not set")
        if not bears(request, self._token):
            raise _Refusal(401, "the token of http.events_token is needed", {}, {"WWW-Authenticate": "Bearer"})
        return self._gateway


def _there(gateway: Gateway) -> str:
    if not gateway.broker:
        raise _again(503, "the broker cannot be reached")
    return gateway.broker


async def _body(request: web.Request) -> bytes:
    """The body, of which nothing more is read once it is too large. Compressed or not, its own size counts."""
    if (request.content_length or 0) > http.MOST_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > http.MOST_BYTES:
                    raise _too_large()
    except (TimeoutError, ConnectionError, web.RequestPayloadError) as error:
        raise _Refusal(400, "the request did not arrive, or not in time") from error
    return bytes(body)


def _lines(body: bytes) -> Iterator[Line]:
    """What the lines are. Raises _Refusal, naming the line, where one may not be appended; then none is."""
    raws = [raw for raw in body.split(b"\n") if raw.strip()]
    if not raws:
        raise _Refusal(400, "there is no event in it")
    if len(raws) > http.MOST_EVENTS:
        raise _Refusal(413, f"there are {len(raws)} events in it, the most is {http.MOST_EVENTS}")
    for index, raw in enumerate(raws):
        try:
            yield read(raw.rstrip(b"\r"))
        except NotAccepted as error:
            raise _Refusal(error.code, f"line {index}: {error}", {"index": index}) from error


def _too_large() -> _Refusal:
    return _Refusal(413, f"the body is too large, the most is {http.MOST_BYTES} bytes")


def _again(code: int, message: str) -> _Refusal:
    return _Refusal(code, f"{message}; try again", {}, {"Retry-After": str(_AGAIN_SECONDS)})


def _answer(said: msgspec.Struct) -> web.Response:
    return web.Response(body=_encode(said), content_type="application/json")


def _refused(refusal: _Refusal) -> web.Response:
    problem = Problem(code=refusal.code, message=str(refusal), details=refusal.details)
    body = _encode(Failure(question=http.EVENTS, error=problem))
    return web.Response(body=body, status=refusal.code, headers=refusal.headers, content_type="application/json")
