"""Discord's API for what was: messages and archived threads, page by page, through discord.py's own HTTP client, which
keeps to the limits that Discord sets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, Protocol

import aiohttp
import discord

from .histories import Listing
from .payload import Record

PAGE: Final = 100
LONGEST: Final = 300.0
"""Seconds that one request may take, with all that discord.py waits for Discord's limits in it."""
_REFUSED: Final = (400, 403, 404)


class Denied(Exception):
    """The bot may not read this, or it is not there any more; how Discord says so."""


class Unwell(Exception):
    """Discord does not answer as it should now; how."""


class Source(Protocol):
    """Where histories are read. Each method raises Denied or Unwell."""

    async def messages(self, channel: str, before: int) -> list[Any]:
        """The last messages of a channel or thread with ids smaller than this; an empty list is the end."""
        ...

    async def threads(self, channel: str, listing: Listing, before: str) -> Record:
        """Archived threads of a channel (`threads`), and whether there are more (`has_more`)."""
        ...

    def sees(self, guild: str, channel: str) -> bool | None:
        """Whether the bot may see the channel; None: it is not known."""
        ...

    def reads(self, guild: str, channel: str) -> bool | None:
        """Whether the bot may read its history. Where it may not, Discord can also say that there is none."""
        ...


class Archive:
    """A `Source`."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def messages(self, channel: str, before: int) -> list[Any]:
        page: object = await _answered(self._client.http.logs_from(int(channel), PAGE, before=before))
        if not isinstance(page, list):
            raise Unwell("an answer that makes no sense")
        return page

    async def threads(self, channel: str, listing: Listing, before: str) -> Record:
        http = self._client.http
        ask = http.get_public_archived_threads if listing == "public" else http.get_joined_private_archived_threads
        page: object = await _answered(ask(int(channel), before or None, PAGE))
        if not isinstance(page, dict):
            raise Unwell("an answer that makes no sense")
        return page

    def sees(self, guild: str, channel: str) -> bool | None:
        allowed = self._allowed(guild, channel)
        return None if allowed is None else allowed.view_channel

    def reads(self, guild: str, channel: str) -> bool | None:
        allowed = self._allowed(guild, channel)
        return None if allowed is None else allowed.view_channel and allowed.read_message_history

    def _allowed(self, guild: str, channel: str) -> discord.Permissions | None:
        """As discord.py knows it: of guilds, channels, roles and the bot itself it always keeps the state."""
        known = self._client.get_guild(int(guild))
        place = known.get_channel(int(channel)) if known is not None and channel else None
        if known is None or place is None or known.me is None:
            return None
        return place.permissions_for(known.me)


async def _answered(request: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(LONGEST):
            return await request
    except discord.HTTPException as error:
        said = f"HTTP {error.status}, code {error.code}"
        raise (Denied if error.status in _REFUSED else Unwell)(said) from error
    except (OSError, RuntimeError, aiohttp.ClientError, TimeoutError, discord.DiscordException) as error:
        raise Unwell(type(error).__name__) from error
