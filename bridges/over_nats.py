"""Over NATS: events straight into the stream, questions to userstats' endpoints, leases in their bucket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec

from userstats.contract import subjects
from userstats.contract.appending import Appender, Sealed
from userstats.contract.broker import Connection
from userstats.contract.events import Place
from userstats.contract.questions import HEADER_FOR

from .lease import Lease, NatsLease


class OverNats:
    """A `Way`. Whoever made the connection closes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._appender = Appender(connection)

    @property
    def is_connected(self) -> bool:
        return self._connection.is_connected

    @property
    def is_closed(self) -> bool:
        return self._connection.is_closed

    @property
    def ready(self) -> bool:
        return self._connection.is_connected

    async def broker(self) -> str:
        return self._connection.server_id

    def publish(self, events: Sequence[Sealed]) -> AsyncGenerator[int, None]:
        return self._appender.append(events)

    async def repeat(self, events: Sequence[Sealed]) -> None:
        await self._appender.repeat(events)

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        subject, payload = subjects.question(question), msgspec.json.encode(request)
        headers = {HEADER_FOR: account} if account else None
        return (await self._connection.request(subject, payload, timeout=timeout, headers=headers)).data

    def lease(self, place: Place, holder: str, seconds: int, renew_seconds: float) -> Lease:
        return NatsLease(self._connection, place, holder, seconds, renew_seconds)
