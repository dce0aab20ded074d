"""What is in the streams of a test's broker, byte by byte."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from tests.brokers import Brokers
from userstats.contract import subjects, wire
from userstats.contract.events import Event
from userstats.inbox import Inbox
from userstats.service import Message
from userstats.store.seam import Position


async def messages(brokers: Brokers) -> list[Message]:
    """Everything in the stream of events, in order, whatever it is."""
    inbox = Inbox(await brokers.connect("userstats"))
    found: list[Message] = []
    if not (await _state(brokers, subjects.STREAM))["messages"]:
        return found
    async for batch in inbox.batches(Position()):
        found += batch
        if found[-1].seq >= inbox.last_seq:
            break
    return found


async def events(brokers: Brokers) -> list[Event]:
    """Every event of the stream of events, in order."""
    decoded = [wire.decode(one.data, one.subject) for one in await messages(brokers)]
    return [event for event in decoded if isinstance(event, Event)]


async def letters(brokers: Brokers, at_least: int = 0, within: float = 60.0) -> list[tuple[str, dict[str, Any]]]:
    """Every message of the stream of dead letters, in order, once there are so many: its subject and what it says."""
    provision = await brokers.connect("provision")
    found = []
    async with asyncio.timeout(within):
        while (last := (await _state(brokers, subjects.DEAD_STREAM))["last_seq"]) < at_least:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    for seq in range(1, last + 1):
        request = json.dumps({"seq": seq}).encode()
        reply = await provision.request(f"$JS.API.STREAM.MSG.GET.{subjects.DEAD_STREAM}", request)
        message = json.loads(reply.data)["message"]
        found.append((message["subject"], json.loads(base64.b64decode(message["data"]))))
    return found


async def _state(brokers: Brokers, stream: str) -> dict[str, Any]:
    provision = await brokers.connect("provision")
    reply = await provision.request(f"$JS.API.STREAM.INFO.{stream}", b"")
    state: dict[str, Any] = json.loads(reply.data)["state"]
    return state
