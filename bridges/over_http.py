"""Over HTTP: for a bridge that cannot reach NATS. Events go to userstats' `POST /api/events`, questions to its API.

The same outbox, the same order, the same exactness: a batch whose outcome is in doubt is sent again, and what the
stream has already is recognised by its row. What there is not, is a lease: nobody but the operator sees to it that no
other bridge tells of the same room.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec

from userstats.contract import http
from userstats.contract.appending import NotTaken, Sealed
from userstats.contract.events import Place
from userstats.contract.questions import HEADER_FOR, Failure

from .lease import Lease, Unshared

log = logging.getLogger(__name__)

_TAKEN_SECONDS: Final = 30.0
"""To take a batch: as long as a slow broker needs to store a thousand events one by one."""
_HELLO_SECONDS: Final = 5.0
_FORBIDDEN_SECONDS: Final = 5.0
"""Before the next attempt after a refusal that only people can do something about."""
_MOVED: Final = 412


class _Answer(NamedTuple):
    status: int
    body: bytes
    wait: float
    """Seconds, from `Retry-After`."""


class OverHttp:
    """A `Way`; `opened` makes one."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._broker = ""
        self._gone = False
        self.is_closed = False

    @property
    def is_connected(self) -> bool:
        return not self._gone

    @property
    def ready(self) -> bool:
        """Always: whoever tries waits longer and longer by themselves."""
        return True

    async def broker(self) -> str:
        if not self._broker:
            answer = await self._taken("GET", None, {}, _HELLO_SECONDS)
            self._broker = _read(answer, http.Takes).broker
        return self._broker

    async def publish(self, events: Sequence[Sealed]) -> AsyncGenerator[int, None]:
        answer = await self._post(events, {"If-Match": f'"{self._broker}"'} if self._broker else {})
        if answer.status == _MOVED:
            self._broker = ""
            return
        _tell(_read(answer, http.Taken).dead)
        yield len(events)

    async def repeat(self, events: Sequence[Sealed]) -> None:
        _read(await self._post(events, {}), http.Taken)

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        headers = {"Content-Type": "application/json"} | ({HEADER_FOR: account} if account else {})
        path = http.question_path(question)
        return (await self._exchange("POST", path, msgspec.json.encode(request), headers, timeout)).body

    def lease(self, place: Place, holder: str, seconds: int, renew_seconds: float) -> Lease:  # noqa: ARG002
        return Unshared()

    async def _post(self, events: Sequence[Sealed], headers: dict[str, str]) -> _Answer:
        body = b"\n".join(event.payload for event in events)
        return await self._taken("POST", body, headers | {"Content-Type": http.NDJSON}, _TAKEN_SECONDS)

    async def _taken(self, verb: str, body: bytes | None, headers: dict[str, str], timeout: float) -> _Answer:
        """The answer about events. Raises NotTaken where it is a refusal, or none comes."""
        try:
            answer = await self._exchange(verb, http.EVENTS, body, headers, timeout)
        except (OSError, TimeoutError) as error:
            raise NotTaken("userstats does not answer") from error
        if answer.status in {200, _MOVED}:
            return answer
        wait = answer.wait if answer.status in {429, 503} else _FORBIDDEN_SECONDS
        raise NotTaken(f"userstats refuses them ({answer.status}): {_said(answer.body)}", wait=wait)

    async def _exchange(
        self, verb: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> _Answer:
        """Raises OSError or TimeoutError when there is no answer."""
        try:
            limit = aiohttp.ClientTimeout(total=timeout)
            async with self._session.request(
                verb, self._url + path, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                answer = _Answer(response.status, await response.read(), _seconds(response))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._lost(error)
            raise ConnectionError(type(error).__name__) from error
        if self._gone:
            self._gone = False
            log.info("userstats is back")
        return answer

    def _lost(self, error: Exception) -> None:
        self._broker = ""  # who comes back may have another broker behind them
        if not self._gone:
            self._gone = True
            log.warning("userstats is gone (%s)", type(error).__name__)


def check(url: str, token: str) -> str:
    """What is wrong with these settings, in words that repeat nothing of them; empty: nothing."""
    try:
        address = urlsplit(url)
        usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        return "is not an address like http://sqlite-service:8080"
    if address.username is not None:
        return "holds a name or password; the token belongs into `service_token`"
    return "" if token else "is set, and `service_token` is not"


@asynccontextmanager
async def opened(url: str, token: str) -> AsyncGenerator[OverHttp, None]:
    """The way to the userstats at this address."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        log.info("events go to userstats over HTTP; no lease is taken")
        yield OverHttp(session, url)


def _read(answer: _Answer, kind: type[msgspec.Struct]) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        raise NotTaken("what answers is no userstats", wait=_FORBIDDEN_SECONDS) from error


def _said(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=Failure).error.message
    except msgspec.MsgspecError:
        return "it does not say why"


def _seconds(response: aiohttp.ClientResponse) -> float:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() and len(given) < 4 else 0.0


def _tell(dead: Sequence[http.Dead]) -> None:
    if dead:
        said = ", ".join(sorted({f"{one.reason} at {one.path}" for one in dead}))
        log.warning("%d events are none to this userstats, and became dead letters: %s", len(dead), said)
