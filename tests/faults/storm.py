"""Everything under load, and what kills it: bridges, userstats and nats-server, at random moments."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

from tests.brokers import Brokers
from tests.e2e.processes import Part, configure
from tests.e2e.site import ROOM, Site
from tests.faults import cells, scripted
from userstats.contract.config import decode
from userstats.contract.pseudonym import Pseudonyms, load_key
from userstats.store.open import DatabaseSettings

BOT: Final = "StatBot"
QUICK: Final = {"beat_seconds": 0.5, "settings_seconds": 1.0, "retry_seconds": 0.2, "slowest_retry_seconds": 1.0}


class Load(NamedTuple):
    """How much happens."""

    lines: int
    """Of chat, in the CyTube room."""
    steps: int
    """In each room of the scripted bridge."""
    seed: int


class Stage(NamedTuple):
    """Everything that runs."""

    brokers: Brokers
    site: Site
    load: Load
    userstats: Part
    cytube: Part
    demo: Part
    database: DatabaseSettings

    async def expected(self) -> cells.Cells:
        """What must be counted in the end."""
        pseudonyms = self.pseudonyms
        chat = cells.of_site(await self.site.oracle(), self.site.domain, ROOM, BOT, pseudonyms)
        return chat + scripted.counted(self.load.seed, self.load.steps, pseudonyms)

    @property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(load_key(self.brokers.folder / "data" / "pseudonym.key"))

    async def difference(self, within: float = 40.0) -> dict[Any, tuple[int, int]]:
        """Once the site's script is over: what is counted wrong still after so many seconds (expected, found)."""
        async with asyncio.timeout(120):
            await self.site.done.wait()
        expected = await self.expected()
        wrong: dict[Any, tuple[int, int]] = {}
        for _ in range(int(within / 0.25)):
            wrong = cells.difference(expected, await cells.stored(self.database, self.brokers.folder))
            if not wrong:
                break
            await asyncio.sleep(0.25)
        return wrong

    async def presence(self) -> dict[str, tuple[int, int]]:
        """How long people of the CyTube room are said to have been there, and how long they were (milliseconds)."""
        told = await cells.presence(self.database, self.brokers.folder)
        people = (await self.site.oracle())["people"]
        known = {name: self.pseudonyms.person("cytube", f"{self.site.domain}/{name.lower()}") for name in people}
        return {name: (told.get(known[name], 0), row["present_ms"]) for name, row in people.items() if name != BOT}

    async def storm(self, kills: int, chance: random.Random) -> list[str]:
        """Kill something every 0.3 to 1.2 seconds and start it again a moment later; what was killed, in order."""
        killed = []
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.3, 1.2))
            victim = chance.choice(("userstats", "cytube", "demo", "broker"))
            killed.append(victim)
            if victim == "broker":
                await self.kill_broker(chance.uniform(0.0, 0.4))
            else:
                part: Part = getattr(self, victim)
                await part.kill()
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                await part.start()
        return killed

    async def kill_broker(self, away: float) -> None:
        """SIGKILL for nats-server, which comes back after so many seconds."""
        os.kill(self.brokers.running.pid, signal.SIGKILL)
        await self.brokers.embedded.stop()
        await asyncio.sleep(away)
        await self.brokers.embedded.start()


@asynccontextmanager
async def stage(brokers: Brokers, load: Load, database: dict[str, Any], *site_words: str) -> AsyncIterator[Stage]:
    """Start everything; the CyTube room talks as soon as the bridge is in it."""
    folder = brokers.folder
    words = ("--script", "chatter", "--messages", str(load.lines), "--people", "7", "--seed", str(load.seed),
             "--account", f"{BOT}:pw", "--wait-for", BOT, *site_words)  # fmt: skip
    async with Site(folder, *words) as site, AsyncExitStack() as running:
        configure(
            folder, nats={"port": -1}, http={"port": 0}, database=database, bridge=QUICK,
            cytube={"name": BOT, "password": "pw"}, channels=[{"domain": site.url, "channel": ROOM}],
        )  # fmt: skip
        script = ("--seed", str(load.seed), "--length", str(load.steps), "--rate", "250")
        userstats = await running.enter_async_context(Part(folder, "userstats"))
        demo = await running.enter_async_context(Part(folder, "tests.faults.scripted", *script))
        cytube = await running.enter_async_context(Part(folder, "bridges", "cytube"))
        yield Stage(brokers, site, load, userstats, cytube, demo, decode(database, DatabaseSettings, "$.database"))
