"""What CyTube said, as events: `(room, frame) -> (room, observation)`. Pure.

The same for our own connection and for a robot's. Whatever a frame holds, nothing is raised: what cannot be used
becomes one `EventRefused`, and the room stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bridges.bridge import Desk, Observation
from bridges.consent import changed_among
from userstats.contract.admission import Consents

from . import chat, door, emotes, media, people
from .channels import PLATFORM
from .payload import Refused
from .reading import Reading
from .room import Room

_HANDLERS: Final[Mapping[str, Callable[[Reading, object], None]]] = {
    "userlist": people.userlist,
    "addUser": people.add_user,
    "userLeave": people.user_leave,
    "setUserMeta": people.set_user_meta,
    "setAFK": people.set_afk,
    "usercount": people.usercount,
    "chatMsg": chat.chat_msg,
    "pm": chat.private_message,
    "changeMedia": media.change_media,
    "setCurrent": media.set_current,
    "playlist": media.playlist,
    "queue": media.queue,
    "delete": media.delete,
    "emoteList": emotes.emote_list,
    "updateEmote": emotes.update_emote,
    "renameEmote": emotes.rename_emote,
    "removeEmote": emotes.remove_emote,
    "login": door.login,
    "rank": door.rank,
    "needPassword": door.need_password,
    "cancelNeedPassword": door.cancel_need_password,
    "kick": door.kick,
    "errorMsg": door.error_msg,
    "partitionChange": door.partition_change,
    "channelNotRegistered": door.channel_not_registered,
}

HEARD: Final = frozenset(_HANDLERS)
"""The frames that mean something here. The others need not even be queued; one of them holds the room's password."""

_NOTHING: Final = Observation()


def frame(room: Room, name: str, args: Sequence[object], now: int, desk: Desk) -> tuple[Room, Observation]:
    """The room after this frame, and what it meant. `now`: the bridge's clock when it arrived, in milliseconds."""
    handler = _HANDLERS.get(name)
    if handler is None:
        return room, _NOTHING
    reading = Reading(room, now, desk)
    content = args[0] if args else None
    try:
        handler(reading, content)
    except Refused as fault:
        reading = Reading(room, now, desk)
        reading.refuse(name, fault.reason, content)
    return reading.room, Observation(reading.events, reading.cursor)


def told_again(room: Room, before: Consents, now: int, desk: Desk) -> tuple[Room, Observation | None]:
    """The room, all of whose people are told of once more if of somebody here other things may be told than `before`;
    None: they are not."""
    place = room.place
    people_here = (desk.pseudonyms.person(PLATFORM, f"{place.space}/{folded}") for folded in room.people)
    if not room.joined or not changed_among(before, desk.consent, people_here, space=place.space):
        return room, None
    reading = Reading(room, now, desk)
    people.told_again(reading)
    return reading.room, Observation(reading.events)


def overflowed(room: Room, name: str, now: int, desk: Desk) -> tuple[Room, Observation]:
    """The room after a frame that there was no place for, from which on nothing was heard."""
    reading = Reading(room, now, desk)
    reading.refuse(name, "overflow", None)
    return reading.room, Observation(reading.events)
