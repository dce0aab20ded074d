"""What plays, and who put it there: changeMedia, setCurrent, playlist, queue, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from userstats.contract.events import MediaStarted

from . import payload
from .payload import Refused
from .reading import Reading, pseudo
from .room import Medium

MOST_ITEMS: Final = 10_000
"""Playlist items remembered in one room."""
LONGEST_TITLE: Final = 512
LONGEST_TYPE: Final = 32
LONGEST_ID: Final = 256
_ANY_LENGTH: Final = 65_536


def change_media(reading: Reading, content: object) -> None:
    """A medium began, or is said again.

    It is only resumed when it comes before the first roster (it was playing when we came), or when the very same
    playlist item is said again from the middle. The same item from its beginning is a playlist of one that repeats.
    """
    entry = payload.record(content)
    media_type = payload.title(entry.get("type", ""), LONGEST_TYPE)
    media_id = payload.text(entry.get("id", ""), _ANY_LENGTH)
    uid = payload.whole(entry["uid"]) if "uid" in entry else reading.room.current
    medium = Medium(uid, media_type, media_id)
    seconds = _seconds(entry.get("seconds"))
    title = payload.title(entry.get("title"), LONGEST_TITLE)
    again = medium == reading.room.playing and not (seconds and _at_beginning(entry.get("currentTime")))
    resumed = again or not reading.room.joined
    queued_by = _queuer(reading, uid)
    reading.change(playing=medium)
    reading.tell(
        MediaStarted(
            **reading.heading("c:media"),
            title=title,
            media_type=media_type,
            media_id=payload.title(media_id, LONGEST_ID),
            seconds=seconds,
            queued_by=queued_by,
            resumed=resumed,
        )
    )


def set_current(reading: Reading, content: object) -> None:
    """Which playlist item is current; the medium itself follows."""
    reading.change(current=payload.whole(content))


def playlist(reading: Reading, content: object) -> None:
    """The whole playlist. An empty one means that nothing plays: nothing else says so."""
    if not isinstance(content, list):
        raise Refused("type")
    items = [item for item in map(_item, content[:MOST_ITEMS]) if item]
    reading.change(queued_by=dict(items))
    if not content:
        reading.change(current=None, playing=None)


def queue(reading: Reading, content: object) -> None:
    """One more item."""
    item = _item(payload.record(content).get("item"))
    if item is None:
        raise Refused("type")
    if len(reading.room.queued_by) < MOST_ITEMS:
        reading.change(queued_by={**reading.room.queued_by, item[0]: item[1]})


def delete(reading: Reading, content: object) -> None:
    """One item less. Uid 0 is an item like any other."""
    gone = payload.whole(payload.record(content).get("uid"))
    if gone in reading.room.queued_by:
        reading.change(queued_by={uid: name for uid, name in reading.room.queued_by.items() if uid != gone})


def _item(content: object) -> tuple[int, str] | None:
    """Uid and queuer of a playlist item ("" where nobody can be named), or None where it is none."""
    if not isinstance(content, Mapping):
        return None
    try:
        uid = payload.whole(content.get("uid"))
    except Refused:
        return None
    try:
        return uid, payload.name(content.get("queueby"))
    except Refused:
        return uid, ""


def _queuer(reading: Reading, uid: int | None) -> int | None:
    name = reading.room.queued_by.get(uid, "") if uid is not None else ""
    if not name or pseudo(name) or name.casefold() == reading.room.own:
        return None
    return reading.person(reading.meet(name))


def _seconds(value: object) -> int | None:
    """The length in whole seconds; None for live media (0) and for what is no length."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= payload.LARGEST_COUNT:
        return None
    return int(value)


def _at_beginning(position: object) -> bool:
    return isinstance(position, (int, float)) and not isinstance(position, bool) and position <= 0
