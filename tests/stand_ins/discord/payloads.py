"""The world as Discord writes it: users, members, roles, channels, voice, presences."""

from __future__ import annotations

from typing import Final

from .settings import Json
from .snowflake import stamp
from .world import Channel, Guild, Member, Overwrite, Presence, Role, User, VoiceState

MAX_MEMBER_COUNT: Final = 50
"""A thread's member_count stops here."""


def user(one: User) -> Json:
    """A user object."""
    return {
        "id": str(one.id),
        "username": one.name,
        "discriminator": "0000" if one.bot else "0",
        "global_name": one.global_name,
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": None,
        "collectibles": None,
        "primary_guild": None,
        "public_flags": 0,
        "flags": 0,
        **({"bot": True} if one.bot else {}),
    }


def bare_member(member: Member) -> Json:
    """A member object without its user."""
    return {
        "nick": member.nick,
        "avatar": None,
        "banner": None,
        "roles": [str(role) for role in member.roles],
        "joined_at": stamp(member.joined_at),
        "premium_since": None,
        "communication_disabled_until": None,
        "flags": 0,
        "pending": False,
        "mute": member.muted,
        "deaf": member.deafened,
    }


def member(one: Member) -> Json:
    """A member object."""
    return {**bare_member(one), "user": user(one.user)}


def role(one: Role) -> Json:
    """A role object."""
    return {
        "id": str(one.id),
        "name": one.name,
        "permissions": str(one.permissions),
        "position": one.position,
        "color": one.colour,
        "colors": {"primary_color": one.colour, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": one.managed,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def overwrite(one: Overwrite) -> Json:
    """A permission overwrite."""
    return {"id": str(one.target), "type": int(one.member), "allow": str(one.allow), "deny": str(one.deny)}


_TEXTUAL: Final = (0, 2, 5, 13, 15, 16)


def channel(one: Channel, *, in_guild: bool = False) -> Json:
    """A channel object, a thread's too; `in_guild` as GUILD_CREATE lists it (without the guild's id)."""
    if one.is_thread:
        return thread(one)
    if one.recipient is not None:
        return {
            "id": str(one.id),
            "type": one.kind,
            "flags": 0,
            "last_message_id": _id(one.last_message),
            "recipients": [user(one.recipient)],
        }
    assert one.guild is not None
    told = {
        "id": str(one.id),
        "type": one.kind,
        "name": one.name,
        "position": one.position,
        "flags": 0,
        "permission_overwrites": [overwrite(each) for each in one.overwrites],
        "parent_id": _ref(one.parent),
        **({} if in_guild else {"guild_id": str(one.guild.id)}),
    }
    return told | _specific(one)


def _specific(one: Channel) -> Json:
    """What only some kinds of channels have."""
    more: Json = {}
    if one.kind in _TEXTUAL:
        more |= {"nsfw": one.nsfw, "rate_limit_per_user": 0, "last_message_id": _id(one.last_message)}
    if one.is_voice:
        more |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    elif one.kind in _TEXTUAL:
        more |= {"topic": one.topic, "last_pin_timestamp": None}
    if one.kind in (15, 16):
        more |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
    if one.kind == 15:
        more |= {"default_forum_layout": 0}
    return more


def thread(one: Channel) -> Json:
    """A thread object."""
    assert one.guild is not None
    assert one.parent is not None
    return {
        "id": str(one.id),
        "type": one.kind,
        "guild_id": str(one.guild.id),
        "parent_id": str(one.parent.id),
        "owner_id": str(one.owner),
        "name": one.name,
        "flags": 0,
        "last_message_id": _id(one.last_message),
        "rate_limit_per_user": 0,
        "message_count": one.message_count,
        "total_message_sent": one.total_messages,
        "member_count": min(len(one.thread_members), MAX_MEMBER_COUNT),
        "thread_metadata": {
            "archived": one.archived,
            "auto_archive_duration": 1440,
            "archive_timestamp": stamp(one.archive_changed_at),
            "locked": one.locked,
            "create_timestamp": stamp(one.created_at),
            **({"invitable": True} if one.kind == 12 else {}),
        },
    }


def thread_member(one: Channel, who: int) -> Json:
    """Somebody's membership in a thread."""
    return {"id": str(one.id), "user_id": str(who), "join_timestamp": stamp(one.thread_members[who]), "flags": 0}


def voice_state(one: VoiceState, guild: Guild) -> Json:
    """A voice state as GUILD_CREATE lists it; the member's and the guild's id come with VOICE_STATE_UPDATE only."""
    who = guild.members.get(one.user.id)
    return {
        "user_id": str(one.user.id),
        "channel_id": str(one.channel.id),
        "session_id": one.session,
        "deaf": who is not None and who.deafened,
        "mute": who is not None and who.muted,
        "self_deaf": one.self_deaf,
        "self_mute": one.self_mute,
        "self_video": one.video,
        **({"self_stream": True} if one.stream else {}),
        "suppress": one.suppress,
        "request_to_speak_timestamp": None,
    }


def presence(one: User, guild: Guild, *, whole_user: bool = False) -> Json:
    """A presence in one guild; its user is an id alone unless the user itself changed."""
    return {
        "user": user(one) if whole_user else {"id": str(one.id)},
        "guild_id": str(guild.id),
        **status(one.presence),
    }


def status(one: Presence) -> Json:
    """What a presence says, without whose and where."""
    return {"status": one.status, "activities": list(one.activities), "client_status": dict(one.clients)}


def guild(one: Guild) -> Json:
    """A guild object as GUILD_UPDATE has it."""
    return {
        "id": str(one.id),
        "name": one.name,
        "icon": None,
        "description": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "features": [],
        "emojis": [],
        "stickers": [],
        "owner_id": str(one.owner_id),
        "application_id": None,
        "afk_channel_id": _ref(one.afk_channel),
        "afk_timeout": one.afk_timeout,
        "system_channel_id": _ref(one.system_channel),
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "default_message_notifications": 0,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 25_000_000,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "hub_type": None,
        "incidents_data": None,
        "region": "deprecated",
        "roles": [role(each) for each in one.roles.values()],
    }


def _id(one: int | None) -> str | None:
    return None if one is None else str(one)


def _ref(one: Channel | None) -> str | None:
    return None if one is None else str(one.id)
