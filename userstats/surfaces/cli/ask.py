"""Questions over NATS: one connection in the role `client`, replies as JSON, and every failure as an exit code."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import nats.errors
from nats.micro.service import ServiceVerb, control_subject

from ...contract import subjects
from ...contract.broker import BrokerRefused, BrokerUnreachable, Connection, connect
from ...contract.questions import LARGEST_REQUEST
from .exits import Exit, Trouble
from .way import Way

log = logging.getLogger(__name__)

NAME: Final = "query-cli"
_PING_SECONDS: Final = 1.0
_ATTEMPTS: Final = 10
_HUNG_UP: Final = (ConnectionResetError, BrokenPipeError, nats.errors.UnexpectedEOF)
"""A server that refuses us says why and hangs up; what it said may be lost on the way, so it is asked again."""


class Line:
    """A connection on which questions are asked."""

    def __init__(self, client: Connection, denied: asyncio.Future[None]) -> None:
        self._client = client
        self._denied = denied

    async def ask(self, question: str, values: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The reply. Raises Trouble for every other outcome."""
        body = json.dumps(values).encode()
        if len(body) > LARGEST_REQUEST:
            raise Trouble(Exit.USAGE, f"the question has {len(body)} bytes; the most is {LARGEST_REQUEST}")
        subject = subjects.question(question)
        log.info("asking %s with %s", subject, ", ".join(values) or "nothing")
        request = asyncio.ensure_future(self._client.request(subject, body, timeout=timeout))
        either: tuple[asyncio.Future[Any], ...] = (request, self._denied)
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not request.done():
            request.cancel()
            raise Trouble(Exit.REFUSED, f"the broker does not let us ask {question}")
        try:
            reply: dict[str, Any] = json.loads((await request).data)
        except nats.errors.NoRespondersError:
            raise await self._nobody(question) from None
        except TimeoutError as error:
            raise Trouble(Exit.TIMEOUT, f"no answer to {question} within {timeout:g} s") from error
        except (nats.errors.Error, OSError) as error:
            raise Trouble(Exit.UNREACHABLE, f"the broker went away: {error or type(error).__name__}") from error
        except ValueError as error:
            raise Trouble(Exit.FAILURE, f"the answer to {question} is not JSON") from error
        return reply

    async def _nobody(self, question: str) -> Trouble:
        """Nobody answers this: because userstats is not there, or because it does not know the question."""
        try:
            await self._client.request(control_subject(ServiceVerb.PING, subjects.SERVICE), b"", timeout=_PING_SECONDS)
        except (nats.errors.Error, TimeoutError):
            return Trouble(
                Exit.UNREACHABLE, "userstats does not run: the broker is there, but nobody answers questions"
            )
        return Trouble(Exit.NOT_FOUND, f"the userstats that runs does not know the question {question}")


@asynccontextmanager
async def line(way: Way, timeout: float) -> AsyncIterator[Line]:
    """A connection that ends with the block. Raises Trouble (unreachable, refused)."""
    denied: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def heard(error: Exception) -> None:
        if "permissions violation" in str(error).lower() and not denied.done():
            denied.set_result(None)  # what the broker denies is never answered

    client = await _connected(way, timeout, heard)
    try:
        yield Line(client, denied)
    finally:
        await client.close()


async def _connected(
    way: Way, timeout: float, heard: Callable[[Exception], None], attempts: int = _ATTEMPTS
) -> Connection:
    settings = msgspec.structs.replace(way.settings, connect_timeout=min(timeout, way.settings.connect_timeout))
    try:
        return await connect(settings, "client", name=NAME, folder=way.folder, within=0.0, on_error=heard)
    except BrokerUnreachable as error:
        cause = error.__cause__ or error
        if attempts > 1 and isinstance(cause, _HUNG_UP):
            await asyncio.sleep(0.05)
            return await _connected(way, timeout, heard, attempts - 1)
        raise Trouble(Exit.UNREACHABLE, f"no broker: {cause} ({way.said}); is everything started?") from error
    except BrokerRefused as error:
        denied = isinstance(error.__cause__, nats.errors.Error)  # anything else is wrong on our side
        raise Trouble(Exit.REFUSED if denied else Exit.FAILURE, f"{error} ({way.said})") from error
