"""Questions over NATS: one `nats.micro` endpoint for each, with its schemas in the metadata.

`nats.micro` alone answers one request of an endpoint at a time and sends unhandled exceptions to the caller; so each
request gets a task here, a bounded number at once, and every reply is an envelope of `contract/questions.py`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointConfig, GroupConfig, Service, ServiceConfig

from ..answer import Answers, Asker
from ..asking import Refused
from ..contract import questions as wire
from ..contract.broker import asked_from
from ..contract.process import told
from ..contract.questions import Account, Failure, Problem, Reply
from ..contract.subjects import HTTP, QUERY_ROOT, SERVICE

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_WAITING: Final = 64
_BRIDGES: Final = "BRIDGES"
_ASKERS: Final[Mapping[str, Asker]] = {_BRIDGES: "bridge", "CLIENTS": "operator", "KRYTEN": "staff"}
"""Who asks, by the broker's account; with a broker of the user's own, whoever has its credential is the operator."""

_REPLIES: Final = ("_INBOX", "_R_")
"""How subjects begin on which somebody waits for an answer: an inbox, or what a server made of one."""

_encode = msgspec.json.Encoder().encode


class NatsSurface:
    """The service `userstats` on one connection."""

    def __init__(
        self, client: Client, answers: Answers, version: str, *, embedded: bool, inboxes: str = "_INBOX"
    ) -> None:
        """`inboxes`: how the subjects begin on which our own parts wait for answers.

        Nothing is answered elsewhere: with a broker that all share, an asker could lead the answer into the stream, or
        have JetStream take it for an order.
        """
        self._replies = (*_REPLIES, inboxes)
        self._client = client
        self._answers = answers
        self._version = version
        self._embedded = embedded
        self._service: Service | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._odd = False

    async def start(self, http: str = "") -> None:
        """Register every question of the catalogue. `http`: the address at which they are answered too."""
        self._service = await add_service(
            self._client,
            ServiceConfig(
                name=SERVICE, version=self._version, description="Chat statistics: ask and be answered.",
                metadata={HTTP: http},
            ),
        )  # fmt: skip
        group = self._service.add_group(GroupConfig(name=QUERY_ROOT))
        for name, asked in self._answers.asked.items():
            metadata = {
                "question": name,
                "help": asked.question.help,
                "shape": asked.question.shape,
                "audience": asked.question.audience,
                "request_schema": json.dumps(asked.schema, separators=(",", ":")),
                "response_schema": json.dumps(asked.result_schema(), separators=(",", ":")),
            }
            endpoint = EndpointConfig(
                name=name.replace(".", "-"), subject=name, handler=self._handler(name), metadata=metadata
            )
            await group.add_endpoint(endpoint)
        await self._client.flush()

    async def stop(self) -> None:
        """Take no more requests, finish those under way."""
        if self._service:
            await self._service.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """How many questions are taken and not answered yet."""
        return len(self._tasks)

    def _handler(self, name: str) -> Callable[[Request], Awaitable[None]]:
        async def handle(request: Request) -> None:
            if not request._msg.reply.startswith(self._replies):  # noqa: SLF001  (nats.micro does not tell it)
                self._unanswered()
                return
            if len(self._tasks) >= _AT_ONCE + _WAITING:
                await _respond(request, _refusal(name, 429, "too many questions at once; ask again"), 0)
                return
            task = asyncio.create_task(self._reply(name, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return handle

    async def _reply(self, name: str, request: Request) -> None:
        async with self._slots:
            try:
                values = parameters(request.data)
                asker, me = self._asker(request)
            except Refused as refused:
                reply: Reply | Failure = _refusal(name, refused.code, refused.message)
            else:
                reply = await self._answers.answer(name, values, asker, me)
            try:
                await _respond(request, reply, getattr(reply, "as_of", 0))
            except Exception as error:
                log.error("the answer to %s could not be sent: %s", name, told(error))

    def _unanswered(self) -> None:
        if not self._odd:
            log.warning("questions that ask for no answer, or for one outside of an inbox, are not answered")
        self._odd = True

    def _asker(self, request: Request) -> tuple[Asker, Account | None]:
        """Who asks, and for whom. Refused (403) where somebody else than a bridge asks for another."""
        from_account = asked_from(request.headers)
        asker = _ASKERS.get(from_account, "everyone") if self._embedded else "operator"
        given = (request.headers or {}).get(wire.HEADER_FOR)
        if given is None:
            return asker, None
        if self._embedded and from_account != _BRIDGES:
            raise Refused(403, f"only a bridge may ask for somebody ({wire.HEADER_FOR})")
        return asker, account_of(given)


def account_of(text: str) -> Account:
    """The account that the header `Userstats-For` names. Refused (400)."""
    account = Account.of(text)
    if account is None:
        raise Refused(400, f"{wire.HEADER_FOR} must be like discord:1234")
    return account


def parameters(data: bytes) -> dict[str, Any]:
    """A request's parameters. Refused (400, 413 as 400) when it is no JSON object or too large."""
    if len(data) > wire.LARGEST_REQUEST:
        raise Refused(400, f"the request has {len(data)} bytes, the most is {wire.LARGEST_REQUEST}")
    try:
        values = msgspec.json.decode(data) if data.strip() else {}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused(400, "the request is not JSON") from error
    if not isinstance(values, dict):
        raise Refused(400, "the request must be a JSON object")
    return values


def _refusal(name: str, code: int, message: str) -> Failure:
    return Failure(question=name, error=Problem(code=code, message=message))


async def _respond(request: Request, reply: Reply | Failure, as_of: int) -> None:
    body = _encode(reply)
    if len(body) > wire.LARGEST_REPLY:
        reply = _refusal(reply.question, 400, f"the answer has {len(body)} bytes; ask for less with limit or period")
        body = _encode(reply)
    if isinstance(reply, Failure):
        await request.respond_error(str(reply.error.code), _header(reply.error.message), body)
    else:
        await request.respond(body, {wire.HEADER_AS_OF: str(as_of)})


def _header(text: str) -> str:
    """A header holds one line of plain characters."""
    return text.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")
