"""What Kryten's robot said, as events: its envelopes around CyTube's frames, and its signs of life. Pure.

What the frames mean is known in `bridges.cytube_room`. Here is what a robot does differently: it tells of every
channel of one name, whatever the site; whenever it connects to CyTube it repeats the last 15 lines and says so
nowhere; and frames about its own connection come as if they were about ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from msgspec.structs import replace

from bridges.bridge import Desk, Observation
from bridges.cytube_room import HEARD, Room, frame, site
from bridges.cytube_room.reading import Reading
from userstats.contract.events import Place

_ABOUT_THE_ROBOT: Final = frozenset({"rank", "needPassword", "cancelNeedPassword", "errorMsg", "channelNotRegistered"})
"""What CyTube says to the robot alone and what does not tell whether it still hears the room."""
_NAMES: Final = {name.lower(): name for name in HEARD - _ABOUT_THE_ROBOT}

_REMEMBERED: Final = 4096
_LONGEST_ID: Final = 64


class Told(NamedTuple):
    """An envelope of the robot."""

    name: str
    """CyTube's name of the frame; empty: one that means nothing here."""
    payload: object
    id: str = ""
    """The robot's own, new for each publication."""


class Elsewhere(NamedTuple):
    """The robot speaks of a channel of the same name on another site."""


class Garbled(NamedTuple):
    """What came is no envelope."""


Sign = Literal["", "came", "alive", "went", "went?"]
"""Of a robot: it is in our room now; it lives; it left our room; some robot left some room."""


def told(raw: bytes, place: Place) -> Told | Elsewhere | Garbled:
    """What is in an envelope. Never raises."""
    envelope = _record(raw)
    name, domain, channel = (envelope.get(key) for key in ("event_name", "domain", "channel"))
    if not isinstance(name, str) or not isinstance(domain, str) or not isinstance(channel, str):
        return Garbled()
    if not same_room(domain, channel, place):
        return Elsewhere()
    own_id = envelope.get("correlation_id")
    return Told(_NAMES.get(name.lower(), ""), envelope.get("payload"), own_id if isinstance(own_id, str) else "")


class Recent:
    """Ids of the last envelopes: the robot publishes again what it is not sure to have published."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def again(self, envelope: Told) -> bool:
        """Whether this one was here before. One without an id never was."""
        if not envelope.id or len(envelope.id) > _LONGEST_ID:
            return False
        if envelope.id in self._ids:
            return True
        self._ids[envelope.id] = None
        if len(self._ids) > _REMEMBERED:
            del self._ids[next(iter(self._ids))]
        return False


def sign(moment: str, raw: bytes, place: Place) -> Sign:
    """What a lifecycle message of a robot (`startup`, `connected`, ...) tells of our room.

    `disconnected` and `shutdown` name no room: where there are several robots it may have been another one.
    """
    message = _record(raw)
    domain, channel = message.get("domain"), message.get("channel")
    named = isinstance(domain, str) and isinstance(channel, str)
    if named and not same_room(str(domain), str(channel), place):
        return ""
    if moment in ("startup", "connected"):
        return "came" if named and message.get("target", "CyTube") == "CyTube" else ""
    if moment == "heartbeat":
        return "alive"
    if moment == "shutdown" or (moment == "disconnected" and message.get("target") == "CyTube"):
        return "went" if named else "went?"
    return ""


def begun(kept: Mapping[str, object]) -> list[tuple[str, object]]:
    """The frames that a robot's key-value buckets stand for, in the order in which CyTube sends them at a join."""
    frames = [("emoteList", kept.get("list")), ("playlist", kept.get("items")), ("userlist", kept.get("users"))]
    current = kept.get("current")
    if isinstance(current, dict) and current:
        frames.insert(2, ("changeMedia", current))
    return [(name, content) for name, content in frames if content is not None]


def read(room: Room, name: str, payload: object, now: int, desk: Desk) -> tuple[Room, Observation]:
    """The room after a frame of CyTube that the robot handed on, and what it meant."""
    if name == "chatMsg":  # any line may be a repeated one; the room looks for those only before there is a roster
        after, observation = frame(replace(room, joined=False), name, (payload,), now, desk)
        return replace(after, joined=room.joined), observation
    if name == "emoteList":  # of each join it is the first; the last lines follow
        room = repeats(room)
    return frame(room, name, (payload,), now, desk)


def repeats(room: Room) -> Room:
    """The room, of which the robot is about to repeat the last lines."""
    return replace(room, replay=())


def refuse(room: Room, raw: bytes, now: int, desk: Desk) -> tuple[Room, Observation]:
    """The room after something on the robot's subjects that is no envelope."""
    reading = Reading(room, now, desk)
    reading.refuse("envelope", "malformed", raw.decode("utf-8", "replace"))
    return reading.room, Observation(reading.events)


def parsed(raw: bytes) -> object:
    """JSON, or None. Halves of surrogate pairs pass, as Python's json module writes them."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def rooms_of(answers: Sequence[bytes]) -> list[tuple[str, str]]:
    """Site and channel, as the robots spell them, of each that answered `system.channels`."""
    found = []
    for answer in answers:
        data = _record(answer).get("data")
        channels = data.get("channels") if isinstance(data, dict) else None
        for entry in channels if isinstance(channels, list) else ():
            domain, channel = (entry.get(key) if isinstance(entry, dict) else None for key in ("domain", "channel"))
            if isinstance(domain, str) and isinstance(channel, str):
                found.append((domain, channel))
    return found


def bot_of(answer: bytes) -> str:
    """The robot's own name, from its answer to a question about its level. One without an account is `guest`."""
    name = _record(answer).get("username")
    return name if isinstance(name, str) and name != "guest" else ""


def same_room(domain: str, channel: str, place: Place) -> bool:
    """Whether a robot's spelling of site and channel means this room."""
    return channel.lower() == place.channel and _space(domain) == place.space


@lru_cache(256)
def _space(domain: str) -> str:
    try:
        return site(domain).space
    except ValueError:
        return ""


def _record(raw: bytes) -> Mapping[str, Any]:
    content = parsed(raw)
    return content if isinstance(content, dict) else {}
