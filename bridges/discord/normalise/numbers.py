"""How many members, channels and threads a guild has."""

from __future__ import annotations

from typing import Final

from bridges.discord.guild import Guild, Numbers
from bridges.discord.presences import Online
from bridges.discord.session import Session
from userstats.contract.events import GuildCounted

LARGE: Final = 75_000
"""Members from which on Discord does not tell who is online in a guild when it tells of the guild."""


def wanted(session: Session) -> list[str]:
    """The guilds whose numbers are not known without asking for them."""
    missing = not (session.grants.members and session.grants.presences)
    return [one for one, guild in session.guilds.items() if missing or (guild.members or 0) > LARGE]


def counted(session: Session, now: int) -> list[GuildCounted]:
    """The numbers of each guild that has others than were told last."""
    known = session.grants.presences and session.presences_told > 0
    online = session.presences.counted() if known else {}
    found: list[GuildCounted] = []
    for guild in session.guilds.values():
        numbers = _numbers(session, guild, online.get(guild.id, Online(0, 0)) if known else None)
        if numbers is not None and numbers != guild.numbers:
            guild.numbers = numbers
            found.append(GuildCounted(**session.heading("counted", guild, now), **numbers))
    return found


def _numbers(session: Session, guild: Guild, online: Online | None) -> Numbers | None:
    """Without the intents they are those that Discord's API gives; it does not say how many are idle."""
    members, shown = guild.members, None
    if (members or 0) > LARGE:
        online = None
    if guild.approximately is not None:
        shown = guild.approximately[1]
        members = members if session.grants.members else guild.approximately[0]
    if members is None:
        return None
    types = [channel.type for account, channel in guild.channels.items() if not guild.hidden(account)]
    voice = sum(head.people + head.deafened for head in guild.heads.values()) if session.tracked.voice else None
    return Numbers(
        members=members, online=shown if online is None else online.online,
        idle=None if online is None else online.idle,
        voice=voice, threads=sum(not guild.hidden(thread.parent) for thread in guild.threads.values()),
        categories=types.count("category"), text=types.count("text"), voice_channels=types.count("voice"),
        stages=types.count("stage"), forums=types.count("forum"), announcements=types.count("announcement"),
    )  # fmt: skip
