"""What members inside send over their sockets, other than joining and logging in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from . import chat, moderation
from .frames import Json
from .member import Member, plain

if TYPE_CHECKING:
    from .hall import Hall

_PER_SECOND = 10.0
_FORGIVEN_AFTER = 2.0


class Bucket:
    """CyTube's limit of chat and PMs: a burst, then 10/s; the count starts anew after 2 s of silence."""

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._count = 0
        self._last = float("-inf")

    def throttles(self) -> bool:
        """Whether one more is too many; it is dropped then. A burst of 0 lets everything through."""
        if not self._burst:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._last > _FORGIVEN_AFTER:
            self._count = 0
        if self._count < self._burst:
            self._count += 1
            self._last = now
            return False
        if now - self._last < 1 / _PER_SECOND:
            return True
        self._last = now
        return False


def handle(room: Hall, member: Member, bucket: Bucket, event: str, data: Json) -> None:
    """One frame of somebody inside. Frames this stand-in does not know are ignored."""
    if event == "chatMsg":
        if _well_formed(member, event, data, ("msg",)) and not _throttled(member, bucket):
            flair = data.get("meta", {}).get("modflair") if isinstance(data.get("meta"), dict) else None
            chat.speak(room, member, data["msg"], flair)
    elif event == "pm":
        if _well_formed(member, event, data, ("msg", "to")) and not _throttled(member, bucket):
            chat.whisper(room, member, data["to"], data["msg"])
    elif event in _REQUESTS:
        _REQUESTS[event](room, member, data)


def _throttled(member: Member, bucket: Bucket) -> bool:
    if bucket.throttles():
        member.send("cooldown", int(1000 / _PER_SECOND))
        return True
    return False


def _well_formed(member: Member, event: str, data: Json, keys: tuple[str, ...]) -> bool:
    trouble = _trouble(data, keys)
    if trouble:
        member.send("errorMsg", {"msg": f"Unexpected error for message {event}: {trouble}"})
    return not trouble


def _trouble(data: Json, keys: tuple[str, ...]) -> str:
    if not isinstance(data, dict):
        return f"Expected type object, got {_js_type(data)}"
    for key in keys:
        if key not in data:
            return f"Missing key: string:{key}"
        if not isinstance(data[key], str):
            return f"Expected key {key} to be of type string, instead got {_js_type(data[key])}"
    return ""


def _js_type(value: Json) -> str:
    names: Mapping[type, str] = {
        str: "string",
        bool: "boolean",
        int: "number",
        float: "number",
        type(None): "undefined",
    }
    return names.get(type(value), "object")


def _set_rank(room: Hall, member: Member, data: Json) -> None:
    if member.rank >= 3 and isinstance(data, dict):
        moderation.grant_by(room, member, str(data.get("name")), float(data.get("rank", 0)))


def _set_motd(room: Hall, member: Member, data: Json) -> None:
    if member.rank < 3:
        member.kick("Attempted setMotd with insufficient permission")
        room.part(member)
    elif isinstance(data, dict):
        room.motd = str(data.get("motd", ""))
        room.tell("setMotd", room.motd)


def _set_options(room: Hall, member: Member, data: Json) -> None:
    if member.rank < 3:
        member.kick("Attempted setOptions with insufficient permission")
        room.part(member)
    elif isinstance(data, dict):
        room.set_options(**{name: value for name, value in data.items() if name in room.options})


def _update_emote(room: Hall, member: Member, data: Json) -> None:
    if member.rank < 3 or not isinstance(data, dict):
        return
    if not data.get("name") or not data.get("image"):
        member.send("errorMsg", {"msg": "Emote names and images must not be blank.", "alert": True})
    else:
        room.emotes.add(data["name"], data["image"])


def _remove_emote(room: Hall, member: Member, data: Json) -> None:
    if member.rank >= 3 and isinstance(data, dict):
        room.emotes.remove(data)


def _assign_leader(room: Hall, member: Member, data: Json) -> None:
    if not member.moderates:
        member.kick("Attempted assignLeader without sufficient permission")
        room.part(member)
    elif isinstance(data, dict):
        moderation.lead(room, str(data.get("name", "")))


def _channel_ranks(room: Hall, member: Member, _data: Json) -> None:
    if member.rank >= 3:
        known = sorted((room.spelling(key), rank) for key, rank in room.ranks.items() if rank >= 2)
        member.send("channelRanks", [{"name": name, "rank": plain(rank), "channel": room.name} for name, rank in known])


def _ban_list(room: Hall, member: Member, _data: Json) -> None:
    if member.moderates:
        member.send("banlist", list(room.banned.values()))


def _unban(room: Hall, member: Member, data: Json) -> None:
    if member.moderates and isinstance(data, dict):
        moderation.unban(room, str(data.get("name")), by=member.name)


def _rename_emote(room: Hall, member: Member, data: Json) -> None:
    if member.rank >= 3 and isinstance(data, dict):
        room.emotes.rename(data["old"], data["name"], data["image"])


def _import_emotes(room: Hall, member: Member, data: Json) -> None:
    if member.rank >= 3 and isinstance(data, list):
        room.emotes.replace([(one["name"], one["image"]) for one in data if "name" in one and "image" in one])


def _player_ready(room: Hall, member: Member, _data: Json) -> None:
    room.playlist.send_current(member)


def _request_playlist(room: Hall, member: Member, _data: Json) -> None:
    if member.moderates:
        room.playlist.send(member)


_REQUESTS: Final[Mapping[str, Callable[[Hall, Member, Json], None]]] = {
    "setChannelRank": _set_rank,
    "setMotd": _set_motd,
    "setOptions": _set_options,
    "updateEmote": _update_emote,
    "removeEmote": _remove_emote,
    "renameEmote": _rename_emote,
    "importEmotes": _import_emotes,
    "assignLeader": _assign_leader,
    "requestChannelRanks": _channel_ranks,
    "requestBanlist": _ban_list,
    "unban": _unban,
    "playerReady": _player_ready,
    "requestPlaylist": _request_playlist,
}
