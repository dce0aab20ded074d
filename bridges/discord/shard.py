"""One shard of the bot: logs in, connects, says what it must do without, and why a connection is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import aiohttp
import discord

from bridges.bridge import Desk, Ended, Observation
from userstats.contract.config import ConfigError
from userstats.contract.events import Event, Place
from userstats.contract.process import told

from .client import Connector, StatsClient, direct, granted, silence
from .guild import NO_RULES, PLATFORM, Rules
from .identify import Turns
from .inbox import MOST_WAITING, Inbox
from .session import Grants, Tracked
from .settings import Discord
from .visit import NO_SESSION, Visit

log = logging.getLogger(__name__)

Install = Callable[[StatsClient, Desk], Awaitable[None]]
"""Lets a client answer slash commands, before it connects."""

LATER: Final = 3600.0
_UNREACHABLE: Final = (OSError, aiohttp.ClientError, TimeoutError, discord.GatewayNotFound)
_INTENTS: Final = {
    "members": ("Server Members", "who joins, leaves and is renamed"),
    "presences": ("Presence", "who is online"),
    "message_content": ("Message Content", "words, emotes, links and thanks"),
}
_FINAL: Final = {
    4004: ("$.discord.token", "Discord does not accept this token (the variable DISCORD_BOT_TOKEN goes before it)"),
    4010: ("$.discord.shard_ids", "Discord knows no such shard"),
    4011: ("$.discord.shard_count", "the bot is in so many guilds that Discord demands more shards"),
}
"""By the code with which Discord closes a connection: what to change."""

_OF_NO_USE: Final = (4012, 4013)
"""This version of discord.py is of no use any more."""


class DiscordBridge:
    """A `bridges.bridge.Bridge`: each watch is one client, over as many of Discord's sessions as it lives."""

    def __init__(
        self, settings: Discord, token: str, shard: int, turns: Turns, rules: Rules = NO_RULES,
        *, connector: Connector | None = None, install: Install | None = None, most_waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        """`turns` is shared by the shards of a process; `connector` makes the one of a client's HTTP session."""
        self._settings = settings
        self._rules = rules
        self._token = token
        self._shard = shard
        self._turns = turns
        self._connector = connector
        self._install = install
        self._most_waiting = most_waiting
        self._visit: Visit | None = None
        self._denied = False
        """Discord refused the intents that it had said it grants."""
        self._said = ""
        self.trouble = ""
        """What the bridge has to do without; empty: nothing."""

    @property
    def name(self) -> str:
        return PLATFORM

    @property
    def place(self) -> Place:
        return Place(PLATFORM, "", f"shard.{self._shard}.{self._settings.shard_count}")

    @property
    def home(self) -> Place:
        """Where what concerns no guild happens. Private messages come over the first shard only."""
        return Place(PLATFORM, "", "") if self._shard == 0 else self.place

    async def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        """See `Bridge.watch`: the connection is observed from READY on, each guild from its GUILD_CREATE on, until an
        outage, its removal, or a session that Discord has lost.

        Raises ConfigError where trying again is of no use: another token or another number of shards is needed.
        """
        direct(self._settings)
        silence()
        try:
            grants = await self._granted()
            inbox = Inbox(desk.now, self._most_waiting)
            install = partial(_installed, self._install, desk) if self._install is not None else None
            client = StatsClient(
                self._settings, self._shard, grants, inbox, self._turns, connector=self._connector, install=install
            )
            visit = Visit(
                self._settings, client, inbox, desk, watch, self.home, grants, tracked(self._settings, self._rules)
            )
            async with visit.connected(self._token):
                self._visit = visit
                async for observation in visit.observations():
                    yield observation
        except (Ended, ConfigError, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:
            raise self._ended(error) from error
        finally:
            self._visit = None

    def beat(self, now: int) -> Sequence[Event]:
        """How many are in the guilds of which that has changed."""
        return () if self._visit is None else self._visit.counted(now)

    async def _granted(self) -> Grants:
        """The privileged intents that are wished for and granted; says which are not."""
        grants = Grants(members=False, presences=False, message_content=False)
        if not self._denied:
            grants = await granted(self._settings, self._token, self._connector)
        wished = [name for name in _INTENTS if getattr(self._settings, name)]
        missing = [name for name in wished if not getattr(grants, name)]
        self.trouble = f"without the intents {', '.join(_INTENTS[name][0] for name in missing)}" if missing else ""
        if self.trouble != self._said:
            self._said = self.trouble
            for title, about in (_INTENTS[name] for name in missing):
                log.warning(
                    "the %s Intent is not granted: %s cannot be told. It is switched on in Discord's Developer Portal, "
                    "under Bot", title, about,
                )  # fmt: skip
        return grants

    def _ended(self, error: Exception) -> Exception:
        """What becomes of a connection that ended so."""
        if isinstance(error, discord.PrivilegedIntentsRequired):
            self._denied = True
            return Ended("refused", "Discord refuses the privileged intents; it goes on without them")
        code = 4004 if isinstance(error, discord.LoginFailure) else getattr(error, "code", None)
        if isinstance(error, (discord.LoginFailure, discord.ConnectionClosed)) and code in _FINAL:
            return ConfigError(*_FINAL[code])
        if isinstance(error, discord.ConnectionClosed):
            wrong = code in _OF_NO_USE
            return Ended("refused" if wrong else "lost", f"Discord closed with {code}", LATER if wrong else 0.0)
        if isinstance(error, discord.HTTPException):
            return Ended("lost", f"Discord answers HTTP {error.status}")
        return _lost(error)


def _lost(error: Exception) -> Ended:
    """A connection that ended for no reason of Discord's."""
    if isinstance(error, AttributeError) and error.obj is None:  # what discord.py makes of a first one that failed
        return Ended("lost", NO_SESSION)
    if isinstance(error, _UNREACHABLE):
        return Ended("lost", f"Discord cannot be reached ({type(error).__name__})")
    log.error("discord.py failed: %s", told(error))
    return Ended("lost", f"discord.py failed ({type(error).__name__})")


def tracked(settings: Discord, rules: Rules) -> Tracked:
    """What is to be observed."""
    return Tracked(
        frozenset(settings.guilds),
        rules,
        settings.track_voice,
        settings.track_games,
        settings.track_status,
        settings.remember_messages,
        settings.remember_people,
        round(settings.audit_seconds * 1000),
    )


async def _installed(install: Install, desk: Desk, client: StatsClient) -> None:
    await install(client, desk)
