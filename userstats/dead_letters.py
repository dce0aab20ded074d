"""Dead letters on the bus: what could not be counted is published to `chat.v1.dlq.<reason>`, once, with its reason."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections import Counter
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from .contract import subjects
from .service import Service

log = logging.getLogger(__name__)

_EVERY: Final = 1.0
_ROWS: Final = """
SELECT seq, reason, path, detail, subject, sha256, bytes, at FROM dead_letters
WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT 100
"""


class DeadLetter(msgspec.Struct, frozen=True):
    """Why message `seq` was not counted. It holds no value of what was refused, only where in it the fault lies."""

    seq: int
    reason: str
    path: str
    detail: str
    subject: str
    sha256: str
    bytes: int
    at: int


class _NotTaken(Exception):
    """The stream of dead letters refused one."""


class DeadLetters:
    """Publishes the dead letters in order. The message id makes a repetition after a crash harmless."""

    def __init__(self, service: Service, client: Client, after: int) -> None:
        self._service = service
        self._client = client
        self._after = after
        self._complaint = ""

    @classmethod
    async def from_start(cls, service: Service, client: Client) -> DeadLetters:
        """Those of the last hour are published again; the stream drops the ones it has."""
        rows = await service.store.load(
            "SELECT COALESCE(MAX(seq), 0) FROM dead_letters WHERE at < (SELECT COALESCE(MAX(at), 0) FROM dead_letters)"
            " - 3600000"
        )
        return cls(service, client, rows[0][0])

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                while await self._some():
                    pass
            except _NotTaken as refused:
                self._complain(str(refused))
            except (NatsError, OSError, sqlite3.Error):
                continue  # who is gone - the broker, the database - is said, and said to be back, by those who need it
            else:
                self._complain("")

    async def _some(self) -> bool:
        until = self._service.position.seq
        self._after = min(self._after, until)  # a stream that was made anew has its numbers once more
        async with self._service.store.reading() as reader:
            rows = await reader.rows(_ROWS, {"after": self._after, "until": until})
        for row in rows:
            await self._publish(DeadLetter(*row))
        if rows:
            reasons = Counter(row[1] for row in rows)
            said = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
            log.warning("messages that are no events, up to message %d: %s; see dead_letters", self._after, said)
        return len(rows) > 0

    async def _publish(self, letter: DeadLetter) -> None:
        headers = {"Nats-Msg-Id": f"{self._service.position.stream}:{letter.seq}"}
        reply = await self._client.request(
            subjects.dead(letter.reason), msgspec.json.encode(letter), timeout=5, headers=headers
        )
        if error := json.loads(reply.data).get("error"):
            raise _NotTaken(error.get("description", "no reason given"))
        self._after = letter.seq

    def _complain(self, complaint: str) -> None:
        if complaint and complaint != self._complaint:
            log.error("dead letters are not taken: %s; they wait in the database", complaint)
        self._complaint = complaint
