"""discord.py's client, as it is, with a tap on what arrives.

discord.py hands live objects to its handlers, which run later as tasks: in a burst they do not see the state that
their event carried. And a payload that it cannot read ends the client. So each of its parsers is wrapped: the payload
goes into our queue, synchronously and in order, and an error of the parser is counted instead of raised. Nothing is
kept by discord.py itself (no members, no messages).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from .identify import Turns
from .inbox import Inbox
from .rosters import NONCE
from .session import Grants
from .settings import Discord

log = logging.getLogger(__name__)

FAILED: Final = "@failed"
"""Name of the frame that stands for a dispatch which discord.py could not read."""
COUNTED: Final = "@counted"
"""Name of the frame with the numbers of a guild that Discord's API gave."""
OURS: Final = frozenset(
    (
        "MESSAGE_CREATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE",
        "MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI", "PRESENCE_UPDATE", "VOICE_STATE_UPDATE",
        "TYPING_START", "RATE_LIMITED",
    )
)  # fmt: skip
"""What discord.py itself need not read: it would make objects of it that nobody looks at. Its events about these
(`on_message`, `on_raw_reaction_add`, ...) do not come."""

Install = Callable[["StatsClient"], Awaitable[None]]
Connector = Callable[[], aiohttp.BaseConnector]


class StatsClient(discord.Client):
    """One shard's connection."""

    def __init__(
        self, settings: Discord, shard: int, grants: Grants, inbox: Inbox, turns: Turns,
        *, connector: Connector | None = None, install: Install | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            intents=intents(grants, voice=settings.track_voice),
            shard_id=shard,
            shard_count=settings.shard_count,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            enable_raw_presences=False,
            allowed_mentions=discord.AllowedMentions.none(),
            heartbeat_timeout=settings.heartbeat_timeout,
            proxy=settings.proxy or None,
            connector=connector() if connector is not None else None,
        )
        self.waiting = False
        """For its turn to begin a session."""
        self._turns = turns
        self._has_turn = False
        self._install = install
        self._inbox = inbox
        parsers = self._connection.parsers
        for name, parse in [*parsers.items(), *((name, None) for name in OURS if name not in parsers)]:
            parsers[name] = self._tapped(name, None if name in OURS else parse)

    async def setup_hook(self) -> None:
        if self._install is not None:
            await self._install(self)

    async def run_until_closed(self, token: str) -> None:
        """Log in, connect, and stay connected. Raises what `discord.Client.start` does."""
        await self.login(token)
        await self._take_turn()  # before connecting, for which discord.py has 60 seconds
        await self.connect()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002
        if not self._has_turn:
            await self._take_turn()
        self._has_turn = False

    async def on_resumed(self) -> None:
        log.info("shard %s: the connection was interrupted, nothing was missed", self.shard_id)

    async def _take_turn(self) -> None:
        self.waiting = True
        try:
            await self._turns.mine()
        finally:
            self.waiting = False
        self._has_turn = True

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event != "socket_event_type":  # said of each dispatch, to nobody
            super().dispatch(event, *args, **kwargs)

    def _tapped(self, name: str, parse: Callable[[Any], None] | None) -> Callable[[Any], None]:
        put = self._inbox.put

        def ours(data: Any) -> None:
            put(name, data)

        def both(data: Any) -> None:
            put(name, data)
            if name == "GUILD_MEMBERS_CHUNK" and self.asked_by_us(data):
                return
            try:
                parse(data)  # type: ignore[misc]
            except Exception as error:  # whatever it could not read
                put(FAILED, (name, error, data))

        return ours if parse is None else both

    def asked_by_us(self, data: Any) -> bool:
        """Whether this chunk of members answers the bridge, and not a request of discord.py's own."""
        nonce = data.get("nonce") if isinstance(data, dict) else None
        return isinstance(nonce, str) and nonce.startswith(NONCE)

    async def ask_members(self, guild: str, nonce: str) -> None:
        """Ask for all members of a guild; they come as GUILD_MEMBERS_CHUNK with this nonce."""
        await self.ws.request_chunks(int(guild), query="", limit=0, nonce=nonce)


def intents(grants: Grants, *, voice: bool) -> discord.Intents:
    """What is asked for: all that is told of guilds and private messages, and of the privileged what is granted."""
    return discord.Intents(
        guilds=True, members=grants.members, moderation=True, voice_states=voice, presences=grants.presences,
        guild_messages=True, dm_messages=True, message_content=grants.message_content, guild_reactions=True,
    )  # fmt: skip


def direct(settings: Discord) -> None:
    """Send discord.py to other addresses, where the settings name some: for the whole process."""
    if settings.api_base:
        Route.BASE = settings.api_base.rstrip("/")
    if settings.gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway)


def silence() -> None:
    """discord.py logs what goes over the wire, messages and tokens among it; what matters of it, the bridge says."""
    logging.getLogger("discord").setLevel(logging.CRITICAL + 1)


async def granted(settings: Discord, token: str, connector: Connector | None) -> Grants:
    """The privileged intents that are wished for and granted. Raises what `discord.Client.login` does."""
    probe = discord.Client(
        intents=discord.Intents.none(), proxy=settings.proxy or None, connector=connector() if connector else None
    )
    try:
        await probe.login(token)
        flags = probe.application.flags if probe.application is not None else discord.ApplicationFlags()
    finally:
        await probe.close()
    return Grants(
        settings.members and (flags.gateway_guild_members or flags.gateway_guild_members_limited),
        settings.presences and (flags.gateway_presence or flags.gateway_presence_limited),
        settings.message_content and (flags.gateway_message_content or flags.gateway_message_content_limited),
    )


async def closed(client: discord.Client, seconds: float = 5.0) -> None:
    """Say goodbye to Discord, for a bounded time."""
    try:
        async with asyncio.timeout(seconds):
            await client.close()
    except (TimeoutError, aiohttp.ClientError, OSError):
        log.debug("Discord did not say goodbye")
