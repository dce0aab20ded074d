"""Many events at once, as bridges publish them, but for the message ids: what comes twice is stored twice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from tests.bridges.desk import FakeDesk
from tests.faults.scripted import ROOMS, Scripted
from userstats.contract import subjects, wire
from userstats.contract.broker import Connection
from userstats.contract.pseudonym import Pseudonyms

Payload = tuple[str, bytes]
_BATCH = 1000


class _Desk(FakeDesk):
    def __init__(self, pseudonyms: Pseudonyms, now: int) -> None:
        super().__init__(now=now)
        self.pseudonyms = pseudonyms  # type: ignore[assignment]


async def played(seed: int, length: int, pseudonyms: Pseudonyms, now: int) -> list[Payload]:
    """The scripted rooms from beginning to end, sealed as one outbox would have."""
    payloads: list[Payload] = []
    for room in ROOMS:
        desk = _Desk(pseudonyms, now)
        play = Scripted(seed, room, length, float("inf")).watch(desk, "watch1")
        told = 0
        while told < length:
            observation = await anext(play)
            told = int(observation.cursor.get("script", 0))
            for event in observation.events:
                body = wire.seal(wire.body(event), "outbox-1", len(payloads) + 1)
                payloads.append((subjects.event(event.place, wire.kind_of(event)), body))
        await play.aclose()  # type: ignore[attr-defined]
    return payloads


async def publish(bridge: Connection, payloads: Sequence[Payload]) -> None:
    """All of them into the stream, in atomic batches."""
    for start in range(0, len(payloads), _BATCH):
        batch, name = payloads[start : start + _BATCH], uuid.uuid4().hex
        for position, (subject, payload) in enumerate(batch, 1):
            headers = {"Nats-Batch-Id": name, "Nats-Batch-Sequence": str(position)}
            if position < len(batch):
                await bridge.publish(subject, payload, headers=headers)
                continue
            reply = await bridge.request(subject, payload, headers={**headers, "Nats-Batch-Commit": "1"}, timeout=10)
            assert "error" not in json.loads(reply.data), reply.data
