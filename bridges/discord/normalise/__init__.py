"""What Discord's gateway said, as events. Pure: payload and what is remembered in, events and what is remembered out.

Whatever a payload holds, nothing is raised: what cannot be used becomes one `EventRefused`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from bridges.discord.payload import Record, Refused, record
from bridges.discord.session import Session

from . import members, messages, places, presence, reactions, threads, voice

log = logging.getLogger(__name__)

_HANDLERS: Final[Mapping[str, Callable[[Session, Record, int], None]]] = {
    "READY": places.ready,
    "GUILD_CREATE": places.guild_create,
    "GUILD_UPDATE": places.guild_update,
    "GUILD_DELETE": places.guild_delete,
    "GUILD_ROLE_CREATE": places.role_update,
    "GUILD_ROLE_UPDATE": places.role_update,
    "CHANNEL_CREATE": places.channel_create,
    "CHANNEL_UPDATE": places.channel_create,
    "CHANNEL_DELETE": places.channel_delete,
    "THREAD_CREATE": threads.create,
    "THREAD_UPDATE": threads.update,
    "THREAD_DELETE": threads.delete,
    "THREAD_LIST_SYNC": threads.list_sync,
    "THREAD_MEMBERS_UPDATE": threads.members_update,
    "MESSAGE_CREATE": messages.create,
    "MESSAGE_UPDATE": messages.update,
    "MESSAGE_DELETE": messages.delete,
    "MESSAGE_DELETE_BULK": messages.delete_bulk,
    "MESSAGE_REACTION_ADD": reactions.add,
    "MESSAGE_REACTION_REMOVE": reactions.remove,
    "MESSAGE_REACTION_REMOVE_ALL": reactions.remove_all,
    "MESSAGE_REACTION_REMOVE_EMOJI": reactions.remove_emoji,
    "VOICE_STATE_UPDATE": voice.state_update,
    "PRESENCE_UPDATE": presence.update,
    "GUILD_MEMBER_ADD": members.add,
    "GUILD_MEMBER_REMOVE": members.remove,
    "GUILD_MEMBER_UPDATE": members.update,
    "GUILD_BAN_ADD": members.ban,
    "GUILD_MEMBERS_CHUNK": members.chunk,
    "RATE_LIMITED": members.limited,
}

HEARD: Final = frozenset(_HANDLERS)
"""The dispatches that mean something here."""
SLOWEST_START: Final = 15_000
"""Milliseconds after READY within which Discord tells of its guilds; those that are missing then have an outage."""


def frame(session: Session, name: str, data: object, now: int) -> bool:
    """What this dispatch meant, told to the session. `now`: the bridge's clock when it arrived, in milliseconds.

    False, if it was of no use.
    """
    handler = _HANDLERS.get(name)
    if handler is None:
        return True
    try:
        handler(session, record(data), now)
        return True
    except Refused as fault:
        session.refuse(name, fault.reason, data, now)
    except Exception as error:  # nothing that Discord sends may end the watch
        session.failed(name, error, data, now)
    return False


def audit(session: Session, now: int) -> None:
    """Everybody again, where that is due: now and then, and when somebody's consent may have changed."""
    if not session.watch:
        return
    consents = session.consents != session.desk.consents
    if consents:
        session.forget_names()
    for guild in session.guilds.values():
        due = now - guild.audited >= session.tracked.audit
        if due:
            guild.audited, guild.numbers = now, None
            threads.tell_all(session, guild, now)
        if due or consents:
            voice.tell_all(session, guild, now)
    asked = session.presences_told and (consents or session.presences_asked)
    if asked or _presences_due(session, now):
        presence.tell_all(session, now)


def _presences_due(session: Session, now: int) -> bool:
    if not session.presences_told:
        return not session.pending or now - session.began >= SLOWEST_START
    return now - session.presences_told >= session.tracked.audit
