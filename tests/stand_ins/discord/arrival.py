"""What a session is told when it begins: READY, and each guild as GUILD_CREATE shows it."""

from __future__ import annotations

from typing import Final

from . import payloads
from .intents import Intent, application_flags
from .permissions import Permission, in_channel
from .session import Session
from .settings import Json, Settings
from .snowflake import stamp
from .world import Channel, Guild, User

GATEWAY: Final = "wss://gateway-us-east1-b.discord.gg"
"""Where sessions resume, unless the client came without TLS."""


def ready(session: Session, me: User, application: int, guilds: list[Guild], url: str, settings: Settings) -> Json:
    """READY; guilds follow as GUILD_CREATE."""
    flags = application_flags(settings.granted, verified=settings.verified)
    return {
        "v": 10,
        "user": {**payloads.user(me), "mfa_enabled": False, "verified": True, "email": None},
        "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
        "session_id": session.id,
        "resume_gateway_url": url,
        "shard": [session.shard, session.shards],
        "application": {"id": str(application), "flags": flags, "flags_new": str(flags)},
    }


def guild_create(guild: Guild, session: Session, me: User, settings: Settings) -> Json:
    """A guild as a session's intents allow to see it."""
    shown = _shown_members(guild, session, me, settings)
    presences = [one.user for one in guild.members.values() if one.user.presence.status != "offline"]
    sees_presences = session.asked(Intent.GUILD_PRESENCES) and len(guild.members) <= settings.large_guild
    sees_voice = session.asked(Intent.GUILD_VOICE_STATES)
    return {
        **payloads.guild(guild),
        "joined_at": stamp(guild.members[me.id].joined_at),
        "large": len(guild.members) > session.large_threshold,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [payloads.voice_state(one, guild) for one in guild.voice.values()] if sees_voice else [],
        "members": [payloads.member(guild.members[who]) for who in shown],
        "channels": [payloads.channel(one, in_guild=True) for one in guild.channels.values()],
        "threads": active_threads(guild, me),
        "presences": [payloads.presence(one, guild) for one in presences] if sees_presences else [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def _shown_members(guild: Guild, session: Session, me: User, settings: Settings) -> list[int]:
    """All, or who is online, or (without presences, or in a huge guild) the bot and who is in voice."""
    if not session.asked(Intent.GUILD_PRESENCES) or len(guild.members) > settings.large_guild:
        return list(dict.fromkeys((me.id, *(who for who in guild.voice if who in guild.members))))
    if len(guild.members) <= session.large_threshold:
        return list(guild.members)
    return [who for who, one in guild.members.items() if who == me.id or one.user.presence.status != "offline"]


def active_threads(guild: Guild, me: User, parent: Channel | None = None) -> list[Json]:
    """Threads that are not archived and that the bot may see, with its own membership in them."""
    return [
        seen_thread(one, me)
        for one in guild.threads.values()
        if not one.archived and parent in (None, one.parent) and visible(one, me)
    ]


def seen_thread(thread: Channel, me: User) -> Json:
    """A thread with the bot's membership, if it is in it."""
    told = payloads.thread(thread)
    return told | {"member": payloads.thread_member(thread, me.id)} if me.id in thread.thread_members else told


def visible(channel: Channel, me: User) -> bool:
    """Whether the bot may see a channel; direct conversations are its own."""
    if channel.guild is None:
        return True
    member = channel.guild.members.get(me.id)
    return member is not None and bool(in_channel(channel, member) & Permission.VIEW_CHANNEL)
