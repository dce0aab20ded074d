"""Which dispatches an application asked to get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from typing import Final


class Intent(IntFlag):
    """Gateway intents."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


PRIVILEGED: Final = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
KNOWN: Final = int(sum(Intent))

_APPLICATION_FLAGS: Final = (
    (Intent.GUILD_PRESENCES, 12),
    (Intent.GUILD_MEMBERS, 14),
    (Intent.MESSAGE_CONTENT, 18),
)


def application_flags(granted: int, *, verified: bool) -> int:
    """The application's `flags`: per granted privileged intent the full bit, or the limited one beside it."""
    return sum(1 << bit + (not verified) for intent, bit in _APPLICATION_FLAGS if granted & intent)


_BY_EVENT: Final[Mapping[str, Intent]] = {
    **dict.fromkeys(
        (
            *("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"),
            *("GUILD_ROLE_DELETE", "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "CHANNEL_PINS_UPDATE"),
            *("THREAD_CREATE", "THREAD_UPDATE", "THREAD_DELETE", "THREAD_LIST_SYNC", "THREAD_MEMBER_UPDATE"),
        ),
        Intent.GUILDS,
    ),
    **dict.fromkeys(("GUILD_MEMBER_ADD", "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_REMOVE"), Intent.GUILD_MEMBERS),
    "THREAD_MEMBERS_UPDATE": Intent.GUILD_MEMBERS,
    **dict.fromkeys(("GUILD_BAN_ADD", "GUILD_BAN_REMOVE"), Intent.GUILD_MODERATION),
    "VOICE_STATE_UPDATE": Intent.GUILD_VOICE_STATES,
    "PRESENCE_UPDATE": Intent.GUILD_PRESENCES,
}

_MESSAGES: Final = frozenset(("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK"))


def needed(event: str, *, direct: bool = False) -> int:
    """The intent without which an event is not dispatched; 0 if it always is. `direct`: no guild is involved."""
    if event in _MESSAGES:
        return Intent.DIRECT_MESSAGES if direct else Intent.GUILD_MESSAGES
    if event.startswith("MESSAGE_REACTION_"):
        return Intent.DIRECT_MESSAGE_REACTIONS if direct else Intent.GUILD_MESSAGE_REACTIONS
    if event == "TYPING_START":
        return Intent.DIRECT_MESSAGE_TYPING if direct else Intent.GUILD_MESSAGE_TYPING
    if event.startswith("MESSAGE_POLL_VOTE_"):
        return Intent.DIRECT_MESSAGE_POLLS if direct else Intent.GUILD_MESSAGE_POLLS
    return _BY_EVENT.get(event, 0)
