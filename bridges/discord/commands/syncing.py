"""Telling Discord which commands there are: once, and again only when the set is another one."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Final

import aiohttp
import discord

from .command_set import commands, digest
from .line import Keeps

log = logging.getLogger(__name__)

_KEPT: Final = "discord commands"
_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 600.0


async def synced(client: discord.Client, keeps: Keeps, wait: float = _FIRST_WAIT) -> None:
    """Try until Discord has the set, or refuses it, or the client is closed."""
    application = str(client.application_id)
    wanted = digest(application)
    if keeps.recall(_KEPT) == wanted:
        return
    while True:
        try:
            told = await client.http.bulk_upsert_global_commands(int(application), payload=commands())
        except discord.HTTPException as error:
            if error.status < 500 and error.status != 429:
                log.error("Discord refuses the slash commands (HTTP %s, code %s)", error.status, error.code)
                return
            why = f"HTTP {error.status}"
        except (OSError, aiohttp.ClientError, TimeoutError, RuntimeError) as error:
            why = type(error).__name__
        else:
            log.info("Discord knows our %d slash commands", len(told))
            await keeps.remember(_KEPT, wanted)
            return
        log.warning("the slash commands could not be told (%s); again in %d s", why, wait)
        for _ in range(math.ceil(wait)):
            await asyncio.sleep(min(wait, 1.0))
            if client.is_closed():
                return
        wait = min(wait * 2, _LONGEST_WAIT)
