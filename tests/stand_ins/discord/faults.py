"""Everything that goes wrong at Discord's end."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

from aiohttp import web

from . import wire
from .connection import INVALID_SESSION, RECONNECT, Connection
from .settings import Json

if TYPE_CHECKING:
    from .site import StandIn


@dataclasses.dataclass(slots=True)
class Failure:
    """What happens to the next requests of a route."""

    route: str
    times: int
    status: int
    retry_after: float | None = None
    html: bool = False
    """An answer of what stands before Discord: a page, without Via."""
    delay: float = 0.0
    hangs: bool = False
    """Never answered."""
    drops: bool = False
    """The connection is reset."""
    passes: bool = False
    """Only late: the request is served after the delay."""


class Faults:
    """Of the gateway at once, of REST for the requests that come."""

    def __init__(self, site: StandIn) -> None:
        self._site = site
        self._failures: list[Failure] = []
        self._over = asyncio.Event()

    # -- REST ---------------------------------------------------------------------------------------------------

    def fail(self, route: str, status: int = 500, *, times: int = 1, **how: Json) -> None:
        """The next `times` requests of a route (as `call.Routes` spells it, "*" for any). See `Failure` for `how`."""
        self._failures.append(Failure(route, times, status, **how))

    def late(self, route: str, seconds: float, *, times: int = 1) -> None:
        """The next requests of a route are served after a while."""
        self._failures.append(Failure(route, times, 200, delay=seconds, passes=True))

    def heal(self) -> None:
        """Whatever was to fail does not; what hangs is reset."""
        self._failures.clear()
        self._over.set()
        self._over = asyncio.Event()

    async def strike(self, route: str, request: web.Request) -> web.Response | None:
        """The failure of this request, if it is to fail."""
        failure = next((one for one in self._failures if one.route in ("*", route)), None)
        if failure is None:
            return None
        failure.times -= 1
        if failure.times <= 0:
            self._failures.remove(failure)
        if failure.hangs:
            await self._over.wait()
        await asyncio.sleep(failure.delay)
        if failure.passes:
            return None
        if (failure.drops or failure.hangs) and request.transport is not None:
            request.transport.abort()
        return _failed(failure)

    # -- gateway ------------------------------------------------------------------------------------------------

    def reconnect(self, shard: int | None = None) -> None:
        """Op 7: asked to connect again."""
        for connection in self._connections(shard):
            connection.send(RECONNECT)

    def invalidate(self, shard: int | None = None, *, resumable: bool = False) -> None:
        """Op 9. Unless resumable, the session is lost."""
        for connection in self._connections(shard):
            connection.send(INVALID_SESSION, data=resumable)
            if not resumable and connection.session is not None:
                self._site.gateway.forget(connection.session)

    def close(self, code: int, shard: int | None = None) -> None:
        """Close with a code; 4007 and 4009 end the session too."""
        for connection in self._connections(shard):
            session = connection.session
            connection.close(code)
            if code in (4007, 4009) and session is not None:
                self._site.gateway.forget(session)

    def abort(self, shard: int | None = None) -> None:
        """Reset the TCP connections."""
        for connection in self._connections(shard):
            connection.abort()

    def silence(self, shard: int | None = None) -> None:
        """The line is dead from now on, without a reset: nothing reaches the client."""
        for connection in self._connections(shard):
            connection.hold()

    def speak(self, shard: int | None = None) -> None:
        """The line works again: everything since goes out in one write."""
        for connection in self._connections(shard):
            connection.release()

    def withhold_acks(self, *, on: bool = True) -> None:
        """Heartbeats are not acknowledged."""
        self._site.gateway.withholds_acks = on

    def refuse_connections(self, *, on: bool = True) -> None:
        """New gateway connections are answered with 503."""
        self._site.gateway.refuses = on

    def lose_sessions(self) -> None:
        """No session can be resumed any more; their connections are reset."""
        connections = self._connections(None)
        for session in list(self._site.gateway.sessions.values()):
            self._site.gateway.forget(session)
        for connection in connections:
            connection.abort()

    def dispatch(self, event: str, data: Json, shard: int | None = None) -> None:
        """Any dispatch, malformed or of an unknown kind, to every session; it is not judged."""
        for session in self._site.gateway.sessions.values():
            if shard in (None, session.shard):
                session.dispatch(event, wire.encode(data))

    def raw(self, text: bytes, shard: int | None = None) -> None:
        """Anything at all as a gateway message, outside the sequence."""
        for connection in self._connections(shard):
            connection.write(text)

    def _connections(self, shard: int | None) -> list[Connection]:
        sessions = self._site.gateway.sessions.values()
        return [one.connection for one in sessions if one.connection is not None and shard in (None, one.shard)]


def _failed(failure: Failure) -> web.Response:
    if failure.html:
        return web.Response(status=failure.status, text="<html>Attention Required!</html>", content_type="text/html")
    headers = {"Content-Type": "application/json"}
    body: Json = {"message": f"{failure.status}: injected", "code": 0}
    if failure.status == 429:
        wait = 0.1 if failure.retry_after is None else failure.retry_after
        headers |= {"Via": "1.1 google", "Retry-After": str(max(1, round(wait))), "X-RateLimit-Scope": "shared"}
        body = {"message": "The resource is being rate limited.", "retry_after": wait, "global": False}
    return web.Response(status=failure.status, headers=headers, body=wire.encode(body))
