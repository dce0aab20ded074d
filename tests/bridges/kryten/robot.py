"""A Kryten-Robot for tests: it publishes, keeps and answers what the real one (1.12.6) was seen to, without keys."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import KeyValueConfig

from tests.brokers import Brokers
from userstats.contract import subjects

Payload = Any


class Robot:
    """One robot in one room. It answers questions from `start` to `stop`."""

    def __init__(
        self, client: Client, channel: str = "420Grindhouse", domain: str = "cytu.be", bot: str = "KrytenBot"
    ) -> None:
        self.client = client
        self.channel = channel
        self.domain = domain
        self.bot = bot
        self.asked = 0
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        """Answer, and say that we are in the room."""
        client = self.client
        level = subjects.kryten_user_level(self.domain, self.channel)
        self._subscriptions = [
            await client.subscribe(level, cb=self._level),
            await client.subscribe(subjects.KRYTEN_ROBOT_COMMAND, cb=self._command),
        ]
        await self.life("connected", target="CyTube", domain=self.domain, channel=self.channel)
        await self.life("startup", domain=self.domain, channel=self.channel, commands_enabled=True)

    async def mute(self) -> None:
        """Answer no more, and say nothing of it."""
        for subscription in self._subscriptions:
            await subscription.unsubscribe()
        self._subscriptions = []
        await self.client.flush()

    async def stop(self) -> None:
        """A graceful shutdown."""
        await self.mute()
        await self.life("disconnected", target="CyTube", reason="Graceful shutdown")
        await self.life("shutdown", reason="Normal shutdown")

    async def say(self, name: str, payload: Payload) -> None:
        """Hand a frame of CyTube on."""
        envelope = {
            "event_name": name, "payload": payload, "channel": self.channel, "domain": self.domain,
            "timestamp": datetime.now(UTC).isoformat(), "correlation_id": str(uuid.uuid4()),
        }  # fmt: skip
        await self.raw(name, json.dumps(envelope).encode())

    async def raw(self, name: str, data: bytes) -> None:
        """Publish this where a frame of this name belongs."""
        prefix = subjects.kryten_events_of(self.channel).removesuffix(">")
        await self.client.publish(f"{prefix}{subjects.kryten_token(name)}", data)
        await self.client.flush()

    async def life(self, moment: str, **more: Any) -> None:
        """Say what becomes of us."""
        message = {"service": "robot", "version": "1.12.6", "hostname": "vm", "uptime_seconds": 1.0, **more}
        await self.client.publish(subjects.kryten_lifecycle("robot", moment), json.dumps(message).encode())
        await self.client.flush()

    async def keep(self, **kept: Any) -> None:
        """Put these into our buckets: users, list (of emotes), items, current."""
        bucket_of = {"users": "userlist", "list": "emotes", "items": "playlist", "current": "playlist"}
        jetstream = self.client.jetstream()
        for key, value in kept.items():
            name = subjects.kryten_bucket(self.channel, bucket_of[key])
            bucket = await jetstream.create_key_value(KeyValueConfig(bucket=name, max_value_size=1024 * 1024))
            await bucket.put(key, json.dumps(value).encode())

    async def join(self, people: Iterable[Payload] = (), lines: Iterable[Payload] = ()) -> None:
        """What CyTube sends at each join, in its order."""
        await self.say("emoteList", [])
        for line in lines:
            await self.say("chatMsg", line)
        await self.say("playlist", [])
        await self.say("userlist", list(people))
        await self.say("usercount", 3)

    async def _level(self, message: Msg) -> None:
        self.asked += 1
        await self._answer(message, {"success": True, "rank": 3, "username": self.bot})

    async def _command(self, message: Msg) -> None:
        rooms = [{"domain": self.domain, "channel": self.channel, "connected": True}]
        answer = {"service": "robot", "command": "system.channels", "success": True, "data": {"channels": rooms}}
        await self._answer(message, answer)

    async def _answer(self, message: Msg, answer: Mapping[str, Any]) -> None:
        await self.client.publish(message.reply, json.dumps(answer).encode())


async def listening(brokers: Brokers, bridges: int = 1) -> None:
    """Wait until so many bridges hear the robots; what was published before is lost to them."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(10):
        while await _hearing(http, brokers) != bridges:  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(0.01)


async def _hearing(http: aiohttp.ClientSession, brokers: Brokers) -> int:
    async with http.get(f"{brokers.running.monitor}/connz?subs=1") as response:
        connections = (await response.json())["connections"]
    return sum(subjects.KRYTEN_ROBOT in one.get("subscriptions_list", ()) for one in connections)


def user(name: str, *, afk: bool = False) -> Payload:
    """Somebody, as `addUser` and `userlist` have them."""
    return {"name": name, "rank": 1, "profile": {"image": "", "text": ""}, "meta": {"afk": afk, "muted": False}}


def chat(name: str, text: str, time: int, **meta: Any) -> Payload:
    """A line, as `chatMsg` has it."""
    return {"username": name, "msg": text, "meta": meta, "time": time}
