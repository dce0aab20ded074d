"""discord.com/api/v10: what every request goes through before and after its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from . import drafts, rest_channels, rest_commands, rest_guilds, rest_messages, rest_site, rest_webhooks, wire
from .call import Answer, Call, File, Handler, Refused, Routes, invalid
from .settings import Json

if TYPE_CHECKING:
    from .site import StandIn

API: Final = "/api/v10"
_JSON: Final = "application/json"
_UNSIGNED: Final = ("POST /interactions/", "/webhooks/{webhook_id}/{webhook_token}")
_POSTS: Final = ("POST /channels/{channel_id}/messages", "POST /webhooks/{webhook_id}/{webhook_token}")
ROUTES: Final[Routes] = {
    **rest_site.ROUTES,
    **rest_guilds.ROUTES,
    **rest_channels.ROUTES,
    **rest_messages.ROUTES,
    **rest_commands.ROUTES,
    **rest_webhooks.ROUTES,
}


class Asked(NamedTuple):
    """One request and its answer."""

    at: int
    """The site's clock."""
    route: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    reason: str | None
    status: int


class Rest:
    """All routes."""

    def __init__(self, site: StandIn) -> None:
        self._site = site
        self.asked: list[Asked] = []
        """Every request that got an answer, in order."""

    def add_to(self, app: web.Application) -> None:
        """Serve the API."""
        for route, handler in ROUTES.items():
            method, _, template = route.partition(" ")
            app.router.add_route(method, API + template, self._served(route, handler))
        app.router.add_route("*", "/{anything:.*}", self._unknown)

    def of(self, route: str) -> list[Asked]:
        """Requests of one route, so far."""
        return [one for one in self.asked if one.route == route]

    def _served(self, route: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, route, handler)

        return serve

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        """No such route: of Discord's, or of the stand-in's, which a test must not overlook."""
        self._site.court.violations.append(f"{request.method} {request.path}: the stand-in serves no such route")
        return _response(Answer(404, {"message": "404: Not Found", "code": 0}))

    async def _serve(self, request: web.Request, route: str, handler: Handler) -> web.StreamResponse:
        call = await self._read(request)
        failed = await self._site.faults.strike(route, request)
        if failed is not None:
            self._note(route, call, failed.status)
            return failed
        verdict = self._site.limits.ask(route, call.params)
        if verdict.retry_after is not None:
            self._note(route, call, 429)
            told = {"message": "You are being rate limited.", "retry_after": verdict.retry_after}
            return _response(Answer(429, told | {"global": verdict.everywhere}), verdict.headers)
        try:
            self._admit(request, route, call)
            answer = handler(call)
        except Refused as refusal:
            answer = Answer(refusal.status, refusal.body)
        except Exception as error:
            self._site.court.violations.append(f"{route}: the stand-in broke: {error!r}")
            raise
        method, _, template = route.partition(" ")
        self._site.court.response(method, template, answer.status, answer.body)
        self._note(route, call, answer.status)
        await self._site.gateway.drained()
        return _response(answer, verdict.headers)

    def _admit(self, request: web.Request, route: str, call: Call) -> None:
        signed = request.headers.get("Authorization") == f"Bot {self._site.token}"
        if not signed and not any(part in route for part in _UNSIGNED):
            raise Refused(401, 0, "401: Unauthorized")
        method, _, template = route.partition(" ")
        wrong = self._site.court.request(method, template, call.body, request.content_type or _JSON, call.query)
        if wrong and route in _POSTS and drafts.is_empty(call.body, call.files):
            raise Refused(400, 50006, "Cannot send an empty message")
        if wrong:
            raise invalid(wrong[0])

    async def _read(self, request: web.Request) -> Call:
        body: Json = None
        files: list[File] = []
        if request.content_type == "multipart/form-data":
            body, files = await _multipart(request)
        elif request.content_type == _JSON and request.can_read_body:
            body = wire.decode(await request.read())
        reason = request.headers.get("X-Audit-Log-Reason")
        return Call(
            self._site,
            dict(request.match_info),
            dict(request.query),
            body,
            tuple(files),
            None if reason is None else unquote(reason),
        )

    def _note(self, route: str, call: Call, status: int) -> None:
        asked = Asked(self._site.now(), route, call.params, call.query, call.body, call.reason, status)
        self.asked.append(asked)


async def _multipart(request: web.Request) -> tuple[Json, list[File]]:
    body: Json = {}
    files = []
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytes(await part.read(decode=True))
        if part.name == "payload_json":
            body = wire.decode(data)
        else:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            files.append(File(part.name or "", part.filename or "", kind, data))
    return body, files


def _response(answer: Answer, headers: Mapping[str, str] | None = None) -> web.Response:
    """discord.py wants the content type without a charset."""
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    told = {"Content-Type": _JSON, **(headers or {})}
    return web.Response(status=answer.status, headers=told, body=wire.encode(answer.body))
