"""A stand-in Discord with a bot that answers commands, and a userstats of this process behind it.

async with asking(world) as stage:
    reply = await stage.amy.slash(stage.general, "stats", question="leaderboard.messages")
    message = await reply.message()
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import discord
import msgspec

from bridges.discord.commands import Commands
from bridges.discord.settings import CommandSettings
from tests.old_kryten import recorder_of
from tests.say import PSEUDONYMS, World
from tests.stand_ins.discord import Actor, Message, Permission, Settings, StandIn
from tests.stand_ins.discord_client import standing
from userstats.answer import Answers
from userstats.contract.events import Place
from userstats.contract.privacy import PrivacySettings
from userstats.contract.questions import Account
from userstats.link_codes import LinkCodes
from userstats.shown import NO_POLICY
from userstats.vitals import ServiceState

CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"
ORIGINAL = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original"
SYNC = "PUT /applications/{application_id}/commands"


class Userstats:
    """What reaches a userstats, which may be away or slow."""

    def __init__(self, world: World, privacy: PrivacySettings) -> None:
        self.codes = LinkCodes()
        state = ServiceState("1.0", lambda: True, lambda: 0, lambda: "following", clock=lambda: 0.0)
        self._answers = Answers(
            world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now, privacy=privacy,
            services=(state, recorder_of(world), self.codes),
        )  # fmt: skip
        self.away = False
        self.seconds = 0.0
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        """Every question with its request, and for whom."""

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        self.asked.append((question, dict(request), account))
        async with asyncio.timeout(timeout):
            await asyncio.sleep(self.seconds)
        if self.away:
            raise ConnectionError("nobody is there")
        me = Account.of(account) if account else None
        return msgspec.json.encode(await self._answers.answer(question, request, "bridge", me))

    def requests(self, question: str) -> list[dict[str, Any]]:
        """What this question was asked with."""
        return [request for name, request, _ in self.asked if name == question]


class Kept:
    """What is kept over a restart of the bridge."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._more = asyncio.Event()

    def recall(self, key: str) -> str | None:
        return self.texts.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.texts[key] = value
        self._more.set()

    async def until(self, found: Callable[[Mapping[str, str]], bool]) -> None:
        """Until what is kept is as wanted."""
        async with asyncio.timeout(5):
            while not found(self.texts):
                self._more.clear()
                await self._more.wait()


class Bot(discord.Client):
    """The bridge's client, as far as commands are concerned."""

    def __init__(self, site: StandIn) -> None:
        super().__init__(
            intents=discord.Intents.none(), connector=site.connector(), max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(), chunk_guilds_at_startup=False, guild_ready_timeout=0.01,
        )  # fmt: skip
        self.commands: Commands | None = None

    async def setup_hook(self) -> None:
        assert self.commands is not None
        self.event(self.commands.on_interaction)
        self.commands.tell_of(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Not even five seconds."""


class Stage:
    """Everything a test of commands needs."""

    def __init__(self, site: StandIn, userstats: Userstats) -> None:
        self.site = site
        self.userstats = userstats
        self.kept = Kept()
        self.cinema, self.theatre = site.guild("cinema"), site.guild("theatre")
        self.general = site.channel(self.cinema, "general")
        self.lobby = site.channel(self.theatre, "lobby")
        self.lounge = site.channel(self.cinema, "lounge", "voice")
        self.amy, self.bob = site.user("amy"), site.user("bob")
        self.mod, self.boss = site.user("mod"), site.user("boss")
        site.enrol(self.cinema, self.amy, self.bob, self.mod, self.boss)
        site.enrol(self.theatre, self.amy)
        self.mods = site.role(self.cinema, "mods", permissions=Permission.MANAGE_GUILD)
        self.learnt = asyncio.Event()
        """The bridge was told that somebody has chosen."""
        self._clock = itertools.count(0, 1000)
        self._bot: Bot | None = None

    @property
    def commands(self) -> Commands:
        assert self._bot is not None
        assert self._bot.commands is not None
        return self._bot.commands

    def place(self, channel: Any = None) -> Place:
        """As events name it: a channel, or the guild."""
        if channel is None:
            return Place("discord", str(self.cinema.id), "")
        return Place("discord", str(channel.guild_id), str(channel.id))

    @asynccontextmanager
    async def bot(self, *, polite: bool = False, **settings: Any) -> AsyncIterator[Bot]:
        """A bot that answers, until the end; one after the other it is a bot that was restarted."""

        async def changed() -> None:
            self.learnt.set()

        own = CommandSettings(operators=(str(self.boss.id),), **settings)
        bot = Bot(self.site)
        more = {} if polite else {"clock": lambda: float(next(self._clock))}
        bot.commands = Commands(self.userstats, self.kept, own, changed, **more)
        running = asyncio.create_task(bot.start(self.site.token))
        self._bot = bot
        try:
            await self.site.connected()
            await self.kept.until(lambda texts: "discord commands" in texts)
            await self.site.owner.give_role(self.cinema, self.mod, self.mods)
            yield bot
        finally:
            await bot.close()
            await asyncio.gather(running, return_exceptions=True)

    @asynccontextmanager
    async def restarted(self, **settings: Any) -> AsyncIterator[Bot]:
        """The bot ends, and another one begins with what was kept."""
        before = self._bot
        if before is not None:
            await before.close()
        async with self.bot(**settings) as bot:
            yield bot

    async def stats(self, who: Actor, question: str, at: Any = None, /, **options: Any) -> Message:
        """What `/stats` is answered with."""
        reply = await who.slash(at or self.general, "stats", question=question, **options)
        return await reply.message()


@asynccontextmanager
async def asking(
    world: World, privacy: PrivacySettings = NO_POLICY, stand_in: Settings | None = None, **settings: Any
) -> AsyncIterator[Stage]:
    """A stage with a bot; at the end nothing may have been said that Discord's documents do not allow."""
    async with standing(stand_in) as site:
        stage = Stage(site, Userstats(world, privacy))
        async with stage.bot(**settings):
            yield stage


def embed(message: Message) -> dict[str, Any]:
    """The one embed of a message."""
    (found,) = message.embeds
    return dict(found)


def labels(message: Message) -> list[tuple[str, bool]]:
    """The buttons of a message, and which can be pressed."""
    return [(one["label"], not one.get("disabled")) for row in message.components for one in row["components"]]


def table(message: Message) -> list[str]:
    """The lines in the block of code."""
    return str(embed(message)["description"]).split("```")[1].strip("\n").splitlines()
