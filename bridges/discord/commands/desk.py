"""Whatever somebody does with our commands, answered: nothing that goes wrong with one reaches the bridge."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import discord

from bridges.discord.settings import CommandSettings
from userstats.contract.process import told as told_of

from . import incoming, outgoing
from .catalogue import Catalogue
from .command_set import STATS
from .incoming import Told
from .line import Asks, Keeps, Line
from .manners import Busy, Manners
from .names import Names
from .personal import Personal
from .plain import Unclear
from .stats import Stats
from .suggesting import Suggestions
from .syncing import synced

log = logging.getLogger(__name__)

_FAILED: Final = "something went wrong here; the bridge's log says more"
_GONE: Final = (10062, 10008, 10015, 40060, 50027)
"""Discord's codes for an interaction or a reply that is not there any more."""


class Commands:
    """Answers interactions. `asks` reaches userstats, `keeps` keeps over restarts, `changed` is awaited after somebody
    chose something about themselves."""

    def __init__(
        self, asks: Asks, keeps: Keeps, settings: CommandSettings, changed: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`clock`: seconds, by which it is counted how fast somebody asks."""
        line = Line(asks)
        manners = Manners(clock)
        self.catalogue = Catalogue(line, keeps)
        self.catalogue.recall()
        self._stats = Stats(line, self.catalogue, manners, settings)
        self._personal = Personal(line, manners, settings, changed)
        self._suggestions = Suggestions(self.catalogue, Names(line), settings)
        self._keeps = keeps
        self._faults: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    def tell_of(self, client: discord.Client) -> None:
        """Let Discord know the commands, in the background."""
        self._telling = asyncio.create_task(synced(client, self._keeps), name="discord commands")

    async def on_interaction(self, told: Told) -> None:
        """Discord says that somebody typed, pressed or filled in something."""
        try:
            await self._answer(told)
        except discord.HTTPException as error:
            self._refused(error)
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            self._note("Discord could not be told an answer", type(error).__name__)
        except Exception as error:
            log.error("a command failed: %s", told_of(error))
            await self._apologise(told)

    async def _answer(self, told: Told) -> None:
        kind = told.type
        if kind is discord.InteractionType.autocomplete:
            await outgoing.suggest(told, await self._suggestions.of(told, incoming.typed(told)))
            return
        try:
            if kind is discord.InteractionType.application_command:
                typed = incoming.typed(told)
                await (self._stats if typed.words[0] == STATS else self._personal).command(told, typed)
            elif kind is discord.InteractionType.component:
                await self._stats.pressed(told, str(incoming.data(told).get("custom_id", "")))
            elif kind is discord.InteractionType.modal_submit:
                await self._stats.submitted(told, str(incoming.data(told).get("custom_id", "")))
        except Unclear as unclear:
            await outgoing.tell(told, str(unclear))
        except Busy as busy:
            await outgoing.tell(told, _wait(busy.seconds))

    async def _apologise(self, told: Told) -> None:
        """Say that something is wrong with us."""
        try:
            if told.type is discord.InteractionType.autocomplete:
                await outgoing.suggest(told, ())
            else:
                await outgoing.tell(told, _FAILED)
        except (discord.HTTPException, OSError, aiohttp.ClientError, TimeoutError) as error:
            self._note("Discord could not be told an answer", type(error).__name__)

    def _refused(self, error: discord.HTTPException) -> None:
        if error.code in _GONE:
            self._note("an answer came too late for Discord", str(error.code))
        else:
            log.warning("Discord refuses an answer (HTTP %s, code %s)", error.status, error.code)

    def _note(self, what: str, why: str) -> None:
        """Each kind is said once; it happens with every hiccup of the connection."""
        if (fault := f"{what} ({why})") not in self._faults:
            self._faults.add(fault)
            log.warning("%s", fault)


def _wait(seconds: float) -> str:
    if seconds:
        return f"you ask very fast; again in {math.ceil(seconds)} s"
    return "many questions are being answered just now; ask again in a moment"
