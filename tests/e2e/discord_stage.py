"""Discord as the stand-in plays it, with bridge, broker and userstats as processes of their own, unmodified."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from nats.aio.client import Client

from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure
from tests.stand_ins.discord import Actor, Settings, StandIn
from tests.stand_ins.discord_evening import Clock
from tests.stand_ins.discord_evening.choosing import Choice

QUICK: Final = {"beat_seconds": 1.0, "settings_seconds": 0.3, "retry_seconds": 0.2, "slowest_retry_seconds": 1.0}
EAGER: Final = {"identify_seconds": 0.0, "ready_timeout": 20.0}
HEARTBEAT: Final = 0.005
"""Seconds. Each one says how far the bridge has read."""
HOUR: Final = 3_600_000
Condition = Callable[[], Awaitable[bool]]


def evening_clock(folder: Path) -> Clock:
    """One that begins with an hour, long enough ago for an evening."""
    return Clock(folder / "clock", int(time.time() * 1000) // HOUR * HOUR - 6 * HOUR)


def settings(clock: Any = None, **changes: Any) -> Settings:
    """Of a stand-in whose clients say all the time how far they have read."""
    more = {"heartbeat_interval": HEARTBEAT, "heartbeats_missed": 4000.0, "sends_per_minute": 0, **changes}
    return Settings(**more) if clock is None else Settings(clock=clock, **more)


class Stage(NamedTuple):
    """Everything that runs."""

    site: StandIn
    brokers: Brokers
    client: Client
    userstats: Part
    bridges: Sequence[Part]
    environment: Mapping[str, str]

    @property
    def bridge(self) -> Part:
        return self.bridges[0]

    @property
    def folder(self) -> Path:
        return self.brokers.folder

    async def data(self, question: str, **request: Any) -> Any:
        """What a question is answered with, or the error."""
        reply = await ask(self.client, question, **request)
        return reply.get("data", reply.get("error"))

    async def choose(self, choices: Sequence[Choice], signal: Actor) -> None:
        """See `evening.Desk`."""
        await asyncio.gather(*(self._choose(choice) for choice in choices[:-1]))
        await self._choose(choices[-1])

        async def is_in_voice() -> bool:
            there = await self.data("voice.now", limit=500)
            return any(row["username"] in _worn(signal) for row in there)

        await self.until(is_in_voice, "the bridge does not obey a choice")

    async def _choose(self, choice: Choice) -> None:
        who, topic, level = choice
        said = await self.data("consent.set", platform="discord", account=str(who.id), topic=topic, level=level)
        assert "changed" in said, said

    async def counted(self) -> None:
        """See `evening.Desk`: the last thing that the owner said to the bot was counted."""
        expected = sum(1 for deed in self.site.record.of("message", who=self.site.owner.id) if deed.guild is None)
        name = self.site.owner.user.name

        async def is_counted() -> bool:
            said = await self.data("user.private_messages", username=name, since="all")
            return bool(said.get("private_messages") == expected)

        await self.until(is_counted, "not everything was counted")

    async def online(self, people: Mapping[str, int]) -> None:
        """See `evening.Desk`."""

        async def are_online() -> bool:
            now = await self.data("presence.stats")
            return all((now.get(status) or 0) == number for status, number in people.items())  # None: not tracked yet

        await self.until(are_online, f"{people} are not told to be so")

    async def until(self, holds: Condition, otherwise: str, within: float = 20.0) -> None:
        """Ask until it is so. AssertionError, with the logs, if it does not become so."""
        if not await self.patiently(holds, within):
            raise AssertionError(f"{otherwise}\n{self.logs()}")

    @staticmethod
    async def patiently(holds: Condition, within: float) -> bool:
        """Whether it is so, or becomes so."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while not await holds():
            if loop.time() > until:
                return False
            await asyncio.sleep(0.02)
        return True

    def logs(self) -> str:
        """The ends of the parts' logs."""
        return "\n".join(
            f"--- {part.log.name}\n{part.log.read_text()[-3000:]}" for part in (self.userstats, *self.bridges)
        )


def _worn(who: Actor) -> set[str | None]:
    nicks = {guild.members[who.id].nick for guild in who.site.world.guilds_of(who.user)}
    return {who.user.name, who.user.global_name, *nicks}


@asynccontextmanager
async def stage(
    site: StandIn, brokers: Brokers, *, environment: Mapping[str, str] = {}, sessions: int = 1,
    others: Sequence[Mapping[str, Any]] = (), **sections: Any,
) -> AsyncIterator[Stage]:  # fmt: skip
    """Start userstats and the bridge (and further ones with other sections) and wait until all sessions are heard."""
    folder = brokers.folder
    sections = {"nats": {"port": -1}, "http": {"port": 0, "token": "let me in"}, **sections}
    sections["bridge"] = {**QUICK, **sections.get("bridge", {})}
    sections["discord"] = {**EAGER, "proxy": site.proxy.url, **sections.get("discord", {})}
    configure(folder, **sections)
    around = {**site.environment, "DISCORD_BOT_TOKEN": site.token, **environment}
    async with AsyncExitStack() as running:
        userstats = await running.enter_async_context(Part(folder, "userstats", environment=environment))
        bridges = [Part(folder, "bridges", "discord", environment=around)]
        for number, other in enumerate(others, 2):
            part = Part(folder, "bridges", "discord", "--config", str(other_config(folder, number, sections, other)),
                        environment=around)  # fmt: skip
            part.log = folder / f"bridges-discord-{number}.log"
            bridges.append(part)
        for part in bridges:
            await running.enter_async_context(part)
        client = await brokers.connect("client")
        there = Stage(site, brokers, client, userstats, bridges, around)
        try:
            await site.connected(sessions, within=30)
        except TimeoutError as error:
            raise AssertionError(f"no bridge came\n{there.logs()}") from error
        yield there


def other_config(folder: Path, number: int, sections: Mapping[str, Any], other: Mapping[str, Any]) -> Path:
    """A second configuration beside the first: another outbox, and what else differs."""
    changed = {name: {**section, **other.get(name, {})} for name, section in sections.items()}
    changed["bridge"] = {**changed["bridge"], "outbox_folder": f"data/outbox{number}"}
    path = folder / f"config{number}.json"
    path.write_text(json.dumps(changed))
    return path
