"""Rules for gateway dispatches that the generated schema does not have, from the documentation's prose.

`MINIMAL` are our own small schemas for the dispatches that schema leaves out (only what a client relies on: ids and
what is always there). `dispatch` holds what the schema calls optional although the documentation, or discord.py which
reads it without a default, says when it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .bodies import dicts, whole

_EPHEMERAL: Final = 1 << 6
_VOICE_TYPES: Final = (2, 13)
_THREAD: Final = ("guild_id", "parent_id", "owner_id", "member_count", "message_count", "thread_metadata")

_ALWAYS: Final[dict[str, tuple[str, ...]]] = {
    "CHANNEL_CREATE": ("guild_id",),
    "CHANNEL_DELETE": ("guild_id",),
    "CHANNEL_UPDATE": ("guild_id",),
    "GUILD_MEMBER_UPDATE": ("user",),
    "INTERACTION_CREATE": ("attachment_size_limit", "version"),
    "PRESENCE_UPDATE": ("status", "activities", "client_status"),
    "THREAD_CREATE": _THREAD,
    "THREAD_UPDATE": _THREAD,
    "VOICE_STATE_UPDATE": ("guild_id", "member"),
}


def _schema(required: str, optional: str = "", **more: object) -> dict[str, Any]:
    """An object of snowflakes, except for the fields given."""
    snowflake = {"$ref": "#/definitions/Snowflake"}
    names = required.split()
    fields = {name: more.get(name, snowflake) for name in [*names, *optional.split()]}
    return {"type": "object", "properties": fields, "required": names}


def _is(name: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}"}


def _all(item: object) -> dict[str, Any]:
    return {"type": "array", "items": item}


_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_WITH_GUILD: Final = {"type": "object", "properties": {"guild_id": _is("Snowflake")}, "required": ["guild_id"]}
_CLEARED: Final = "channel_id message_id"
_STAGE: Final = _is("APIStageInstance")
_PLANNED: Final = _is("APIGuildScheduledEvent")
_ATTENDING: Final = _schema("guild_scheduled_event_id user_id guild_id")
_SOUND: Final = _is("APISoundboardSound")

MINIMAL: Final[dict[str, Any]] = {
    "RESUMED": {"type": "object"},
    "RATE_LIMITED": _schema(
        "opcode retry_after meta", opcode=_NUMBER, retry_after=_NUMBER, meta=_schema("guild_id", "nonce", nonce=_TEXT)
    ),
    "USER_UPDATE": _is("APIUser"),
    "MESSAGE_REACTION_REMOVE_ALL": _schema(_CLEARED, "guild_id"),
    "MESSAGE_REACTION_REMOVE_EMOJI": _schema(f"{_CLEARED} emoji", "guild_id", emoji=_is("APIPartialEmoji")),
    "MESSAGE_POLL_VOTE_ADD": _schema(f"user_id {_CLEARED} answer_id", "guild_id", answer_id=_NUMBER),
    "MESSAGE_POLL_VOTE_REMOVE": _schema(f"user_id {_CLEARED} answer_id", "guild_id", answer_id=_NUMBER),
    "CHANNEL_PINS_UPDATE": _schema(
        "channel_id",
        "guild_id last_pin_timestamp",
        last_pin_timestamp={"type": ["string", "null"], "format": "date-time"},
    ),
    "THREAD_LIST_SYNC": _schema(
        "guild_id threads members",
        "channel_ids",
        threads=_all(_is("APIThreadChannel")),
        members=_all(_is("APIThreadMember")),
        channel_ids=_all(_is("Snowflake")),
    ),
    "THREAD_MEMBER_UPDATE": {"allOf": [_is("APIThreadMember"), _WITH_GUILD]},
    "GUILD_BAN_REMOVE": _is("GatewayGuildBanModifyDispatchData"),
    "GUILD_EMOJIS_UPDATE": _schema("guild_id emojis", emojis=_all(_is("APIEmoji"))),
    "GUILD_STICKERS_UPDATE": _schema("guild_id stickers", stickers=_all(_is("APISticker"))),
    "GUILD_INTEGRATIONS_UPDATE": _schema("guild_id"),
    "GUILD_AUDIT_LOG_ENTRY_CREATE": _WITH_GUILD,
    "GUILD_SCHEDULED_EVENT_CREATE": _PLANNED,
    "GUILD_SCHEDULED_EVENT_UPDATE": _PLANNED,
    "GUILD_SCHEDULED_EVENT_DELETE": _PLANNED,
    "GUILD_SCHEDULED_EVENT_USER_ADD": _ATTENDING,
    "GUILD_SCHEDULED_EVENT_USER_REMOVE": _ATTENDING,
    "GUILD_SOUNDBOARD_SOUND_CREATE": _SOUND,
    "GUILD_SOUNDBOARD_SOUND_UPDATE": _SOUND,
    "GUILD_SOUNDBOARD_SOUND_DELETE": _schema("sound_id guild_id"),
    "GUILD_SOUNDBOARD_SOUNDS_UPDATE": _schema("guild_id soundboard_sounds", soundboard_sounds=_all(_SOUND)),
    "STAGE_INSTANCE_CREATE": _STAGE,
    "STAGE_INSTANCE_UPDATE": _STAGE,
    "STAGE_INSTANCE_DELETE": _STAGE,
    "INVITE_CREATE": _schema("channel_id code created_at", "guild_id", code=_TEXT, created_at=_TEXT),
    "INVITE_DELETE": _schema("channel_id code", "guild_id", code=_TEXT),
    "VOICE_SERVER_UPDATE": _schema("token guild_id endpoint", token=_TEXT, endpoint={"type": ["string", "null"]}),
    "VOICE_CHANNEL_EFFECT_SEND": _schema("channel_id guild_id user_id"),
    "VOICE_CHANNEL_STATUS_UPDATE": _schema("id guild_id"),
    "WEBHOOKS_UPDATE": _schema("guild_id channel_id"),
    "AUTO_MODERATION_ACTION_EXECUTION": _schema(
        "guild_id action rule_id rule_trigger_type user_id",
        "channel_id message_id alert_system_message_id",
        action={"type": "object"},
        rule_trigger_type=_NUMBER,
    ),
}
"""By event; references go into the gateway's schema."""


def dispatch(event: str, data: object) -> list[str]:
    """What the documentation says of a dispatch and its schema does not."""
    if not isinstance(data, dict):
        return []
    missing = [f"{name!r} is missing: discord.py, or the documentation, counts on it" for name in _missing(event, data)]
    return [*missing, *_prose(event, data)]


def _missing(event: str, data: dict[str, Any]) -> Iterator[str]:
    yield from (name for name in _ALWAYS.get(event, ()) if name not in data)
    if event in ("CHANNEL_CREATE", "CHANNEL_UPDATE") and data.get("type") in _VOICE_TYPES:
        yield from (name for name in ("bitrate", "user_limit") if name not in data)
    if event == "MESSAGE_REACTION_ADD" and "guild_id" in data and "member" not in data:
        yield "member"


def _prose(event: str, data: dict[str, Any]) -> Iterator[str]:
    match event:
        case "MESSAGE_CREATE" | "MESSAGE_UPDATE":
            yield from _message(data)
        case "VOICE_STATE_UPDATE" | "MESSAGE_REACTION_ADD":
            yield from _same_person(data)
        case "GUILD_CREATE":
            yield from _guild(data)
        case "GUILD_MEMBERS_CHUNK":
            if len(dicts(data.get("members"))) > 1000:
                yield "more than 1000 members in one chunk"
            if not whole(data.get("chunk_index")) < whole(data.get("chunk_count")):
                yield "chunk_index is not below chunk_count"
        case "READY":
            if any(not guild.get("unavailable") for guild in dicts(data.get("guilds"))):
                yield "guilds start out unavailable, GUILD_CREATE brings them"
        case "MESSAGE_DELETE_BULK":
            ids = data.get("ids")
            if isinstance(ids, list) and len(set(map(str, ids))) < len(ids):
                yield "a message is deleted twice"


def _message(data: dict[str, Any]) -> Iterator[str]:
    ephemeral = bool(whole(data.get("flags")) & _EPHEMERAL)
    if ephemeral and ("guild_id" in data or "member" in data):
        yield "an ephemeral message names neither guild nor member"
    if "webhook_id" in data and "application_id" not in data and "member" in data:
        yield "a webhook's message has no member"
    if "guild_id" in data and "webhook_id" not in data and "member" not in data:
        yield "a message in a guild that no webhook wrote has its author's member"
    if data.get("type") == 19 and "message_reference" not in data:
        yield "a reply refers to a message"


def _same_person(data: dict[str, Any]) -> Iterator[str]:
    member = data.get("member")
    user = member.get("user") if isinstance(member, dict) else None
    if not isinstance(user, dict):
        if isinstance(member, dict):
            yield "member has no user"
    elif user.get("id") != data.get("user_id"):
        yield "member is another person than user_id"


def _guild(data: dict[str, Any]) -> Iterator[str]:
    for state in dicts(data.get("voice_states")):
        if state.get("channel_id") is None:
            yield "voice_states are of people who are in a channel"
        if "guild_id" in state:
            yield "voice_states of a guild lack the guild_id"
    for channel in dicts(data.get("channels")):
        if channel.get("type") in _VOICE_TYPES and not {"bitrate", "user_limit"} <= channel.keys():
            yield "voice channels have bitrate and user_limit: discord.py counts on them"
    for thread in dicts(data.get("threads")):
        lacking = [name for name in _THREAD if name != "guild_id" and name not in thread]
        if lacking:
            yield f"a thread lacks {', '.join(lacking)}: discord.py counts on them"
