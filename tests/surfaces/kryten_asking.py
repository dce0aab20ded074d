"""A client of Kryten's that asks our surface over a real broker, and an evening to ask about."""

from __future__ import annotations

import json
from typing import Any

from nats.aio.client import Client

from tests.say import (
    PSEUDONYMS,
    World,
    afk,
    alias_added,
    joined,
    left,
    media,
    message,
    named,
    place_named,
    population,
    private,
    roster,
    started,
)
from tests.stats.changing import WorldRecorder
from userstats.answer import Answers
from userstats.contract import subjects
from userstats.contract.events import Place
from userstats.recorder import Recorder
from userstats.surfaces.kryten import KrytenSurface
from userstats.vitals import ServiceState

ELSEWHERE = Place("cytube", "other.tube", "lounge")
HALL = Place("cytube", "other.tube", "hall")
DISCORD = Place("discord", "4711", "42")


class Asking:
    """Asks without a key. `surface` is what answers, about `world`."""

    def __init__(self, client: Client, surface: KrytenSurface, world: World) -> None:
        self.client = client
        self.surface = surface
        self.world = world

    async def raw(self, data: bytes, subject: str = subjects.KRYTEN_COMMAND) -> Any:
        """The reply to these bytes."""
        reply = await self.client.request(subject, data, timeout=5)
        return json.loads(reply.data)

    async def reply(self, command: str, **request: Any) -> Any:
        """The whole reply to a command."""
        return await self.raw(json.dumps({"service": "userstats", "command": command, **request}).encode())

    async def ask(self, command: str, **request: Any) -> Any:
        """The data of a reply; its envelope is as it must be."""
        reply = await self.reply(command, **request)
        data = reply.pop("data")
        assert reply == {"service": "userstats", "command": command, "success": True}
        return data

    async def refused(self, command: str, **request: Any) -> str:
        """Why a command was refused; the envelope is as it must be."""
        reply = await self.reply(command, **request)
        error = reply.pop("error")
        assert reply == {"service": "userstats", "command": command, "success": False}
        return str(error)

    async def query(self, name: str, domain: str = "cytu.be", **request: Any) -> Any:
        """What the older dialect answers."""
        return await self.raw(json.dumps(request).encode(), f"{subjects.SEED_QUERY}.{domain}.{name}")


class WorldAnswers(Answers):
    """Answers that lend what a running process would."""

    def __init__(self, world: World) -> None:
        super().__init__(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)
        state = ServiceState("1.2.3", lambda: True, lambda: 0, lambda: "following", clock=lambda: 42.0)
        self._services = {Recorder: WorldRecorder(world), ServiceState: state}


async def evening(world: World) -> None:
    """Two rooms of cytu.be, two of another site, a server of Discord; from 20:00 to 20:30."""
    await world.tell(
        "20:00",
        *(started(where) for where in ("lounge", "attic", ELSEWHERE, HALL, DISCORD)),
        place_named("Lounge"),
        place_named("Hall", HALL),
        *(named(name) for name in ("Alice", "Bob", "Carol-Ann", "Stats")),
        named("Al", worn=False),
        named("Bob", ELSEWHERE, account="bob-elsewhere"),
        named("Bob", DISCORD, account="1"),
        roster("alice", "bob", "stats"),
        media("First In List", media_id="first01", resumed=True),
        population(7, 3, 2),
        alias_added("Alice", "Al"),
        message("alice", words=3, emotes=("#PogChamp", "#pogchamp", ":Kappa:"), thanks=["bob", "al"], vote=1),
        message("bob", thanks=[("alice", "lol"), "carol-ann"], vote=-1),
        message("bob"),
        message("bob", "attic", emotes=("#PogChamp",)),
        message("bob-elsewhere", ELSEWHERE),
        message("bob-elsewhere", HALL),
        message("1", DISCORD),
        private("bob"),
        "20:10",
        population(None, 4, 3),
        joined("carol-ann", afk=True),
        afk("bob"),
        "20:15",
        media("Another Movie 2001", media_type="fi", media_id="m2"),
        population(4, 2, 0),
        "20:20",
        left("bob"),
        "20:30",
    )
