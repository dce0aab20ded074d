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
from .contract.fact import INT63
from .inbox import nanoseconds
from .service import Service

log = logging.getLogger(__name__)

_EVERY: Final = 1.0
_ROWS: Final = """
SELECT seq, reason, path, detail, subject, sha256, bytes, at FROM dead_letters
WHERE (seq, at) > (:seq, :at) AND seq <= :until AND at >= :since ORDER BY seq, at LIMIT 100
"""
_LATELY: Final = """
SELECT MIN(seq) FROM dead_letters
WHERE at >= :since AND at >= (SELECT MAX(at) FROM dead_letters WHERE at >= :since) - 3600000
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
        """`after`: all up to this message are published."""
        self._service = service
        self._client = client
        self._after = after, INT63
        self._rewound = service.rewound
        self._complaint = ""

    @classmethod
    async def from_start(cls, service: Service, client: Client) -> DeadLetters:
        """Those of the last hour are published again; the stream drops the ones it has."""
        ((first,),) = await service.store.load(_LATELY, {"since": _created(service)})
        last = service.position.seq
        return cls(service, client, last if first is None else min(first - 1, last))

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
        if self._rewound != self._service.rewound:  # the stream has its numbers once more
            self._rewound, self._after = self._service.rewound, (0, 0)
        seq, at = self._after
        bounds = {"seq": seq, "at": at, "until": self._service.position.seq, "since": _created(self._service)}
        async with self._service.store.reading() as reader:
            rows = await reader.rows(_ROWS, bounds)
        for row in rows:
            await self._publish(DeadLetter(*row))
        if rows:
            reasons = Counter(row[1] for row in rows)
            said = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
            log.warning("messages that are no events, up to message %d: %s; see dead_letters", self._after[0], said)
        return len(rows) > 0

    async def _publish(self, letter: DeadLetter) -> None:
        headers = {"Nats-Msg-Id": f"{self._service.position.stream}:{letter.seq}:{letter.at}"}
        reply = await self._client.request(
            subjects.dead(letter.reason), msgspec.json.encode(letter), timeout=5, headers=headers
        )
        if error := json.loads(reply.data).get("error"):
            raise _NotTaken(error.get("description", "no reason given"))
        self._after = letter.seq, letter.at

    def _complain(self, complaint: str) -> None:
        if complaint and complaint != self._complaint:
            log.error("dead letters are not taken: %s; they wait in the database", complaint)
        self._complaint = complaint


def _created(service: Service) -> int:
    """When the stream was made that is being counted; letters from before are of another one."""
    created = service.position.stream
    return nanoseconds(created) // 1_000_000 if created else 0
