"""Questions asked from inside Discord: `/stats` for all that userstats answers, and what one says of oneself.

    await install(CommandSettings(), client, desk)      # before the client connects

Which questions there are is not known here: userstats lists them, `/stats` suggests them, and how an answer looks
follows from its shape. Nothing is kept of an answer: the whole query is in the ids of its buttons.
"""

from __future__ import annotations

import discord

from bridges.bridge import Desk
from bridges.discord.settings import CommandSettings

from .desk import Commands

__all__ = ["CommandSettings", "Commands", "install"]


async def install(settings: CommandSettings, client: discord.Client, desk: Desk) -> None:
    """Answer what is asked through this client, and let Discord know the commands (where it is the first shard)."""
    if not settings.enabled:
        return
    commands = Commands(desk, desk, settings, desk.learn)
    client.event(commands.on_interaction)
    if not client.shard_id:
        commands.tell_of(client)
