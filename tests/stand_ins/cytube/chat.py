"""Chat lines and private messages: what a typed text does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import moderation
from .frames import Frame, Json
from .member import Member
from .text import cut, to_html, without_control

if TYPE_CHECKING:
    from .hall import Hall

_DRINKS: Final = re.compile(r"/d(\d*)")
NAME: Final = re.compile(r"[\w-]{1,20}", re.ASCII)


def speak(room: Hall, member: Member, text: str, flair: Json = None) -> Frame | None:
    """What a `chatMsg` of a member does; the line that went out, if one did."""
    text = cut(text, room.settings.max_message_units)
    if not room.options["allow_ascii_control"]:
        text = without_control(text)
    if not text.strip() or not member.name:
        return None
    if "/afk" not in text:
        room.watch_idleness(member)
        room.set_afk(member, False)
    meta: dict[str, Json] = {}
    if member.moderates and flair == member.rank:
        meta["modflair"] = flair
    command, _, rest = text.partition(" ")
    if command in _STYLES:
        return _styled(room, member, command, rest, meta)
    drinks = _DRINKS.fullmatch(command)
    if drinks and member.rank >= 1.5:
        return _drink(room, member, rest, int(drinks[1] or 1))
    if command in _COMMANDS:
        _COMMANDS[command](room, member, rest)
        return None
    return _send(room, member, text, meta)


def _styled(room: Hall, member: Member, command: str, rest: str, meta: dict[str, Json]) -> Frame | None:
    if (command == "/say" and member.rank < 1.5) or (command == "/a" and member.global_rank < 255):
        return None
    return _send(room, member, rest, meta | _STYLES[command])


def _drink(room: Hall, member: Member, rest: str, count: int) -> Frame | None:
    room.drinks += count
    room.tell("drinkCount", room.drinks)
    times = f" (x{count})" if count > 1 else ""
    return _send(room, member, f"{rest} drink!{times}", {"addClass": "drink", "forceShowName": True})


def _send(room: Hall, member: Member, text: str, meta: dict[str, Json]) -> Frame | None:
    if member.muted and not member.smuted:
        member.send("noflood", {"action": "chat", "msg": "You have been muted on this channel."})
        return None
    if text.startswith(">") and "addClass" not in meta:
        meta["addClass"] = "greentext"
    line = {"username": member.name, "msg": to_html(text), "meta": meta, "time": room.now()}
    frame = Frame("chatMsg", line)
    room.oracle.said(member.name, text, room.emotes.names, shadow=member.smuted)
    if member.smuted:
        _send_shadow(room, frame, {**line, "meta": {**meta, "shadow": True}})
        return frame
    room.history.append(frame)
    room.unheard += 1
    for hearer in room.members:
        hearer.deliver(frame)
        if hearer.is_socket:
            room.unheard = 0
    return frame


def _send_shadow(room: Hall, frame: Frame, marked: Json) -> None:
    shown = Frame("chatMsg", marked)
    for hearer in room.members:
        if hearer.moderates:
            hearer.deliver(shown)
        elif hearer.smuted or not hearer.name:
            hearer.deliver(frame)


def whisper(room: Hall, member: Member, to: str, text: str) -> Frame | None:
    """What a `pm` of a member does: the same frame for both ends, or an error for the sender."""
    hearer, trouble = _hearer(room, member, to)
    if hearer is None:
        _refuse(member, trouble)
        return None
    text = without_control(cut(text, room.settings.max_message_units))
    meta = {"addClass": "greentext"} if text.startswith(">") else {}
    frame = Frame(
        "pm", {"username": member.name, "msg": to_html(text), "meta": meta, "time": room.now(), "to": hearer.name}
    )
    room.oracle.whispered(member.name, hearer.name)
    hearer.deliver(frame)
    member.deliver(frame)
    return frame


def _hearer(room: Hall, member: Member, to: str) -> tuple[Member | None, str]:
    if not member.name:
        return None, "You must be signed in to send PMs"
    if to.lower() == member.key:
        return None, "You can't PM yourself!"
    if not NAME.fullmatch(to):
        return None, f"PM failed: {to.lower()} isn't a valid username."
    return room.find(to), f"PM failed: {to.lower()} isn't connected to this channel."


def _refuse(member: Member, message: str) -> None:
    member.send("errorMsg", {"msg": message})


def _toggle_afk(room: Hall, member: Member, _rest: str) -> None:
    room.set_afk(member, not member.afk)


def _clear(room: Hall, member: Member, _rest: str) -> None:
    if member.moderates:
        moderation.clear(room, by=member.name)


def _mute(room: Hall, member: Member, rest: str) -> None:
    if _may(room, member, rest, "mute"):
        moderation.mute(room, rest.split(maxsplit=1)[0], shadow=False, by=member.name)


def _smute(room: Hall, member: Member, rest: str) -> None:
    if _may(room, member, rest, "mute"):
        moderation.mute(room, rest.split(maxsplit=1)[0], shadow=True, by=member.name)


def _unmute(room: Hall, member: Member, rest: str) -> None:
    if _may(room, member, rest, "mute"):
        moderation.unmute(room, rest.split(maxsplit=1)[0], by=member.name)


def _kick(room: Hall, member: Member, rest: str) -> None:
    if _may(room, member, rest, "kick"):
        name, _, reason = rest.partition(" ")
        moderation.kick(room, name, reason, by=member.name)


def _kick_anons(room: Hall, member: Member, _rest: str) -> None:
    if member.moderates:
        moderation.kick_anons(room, by=member.name)


def _ban(room: Hall, member: Member, rest: str) -> None:
    name, _, reason = rest.partition(" ")
    if member.moderates and NAME.fullmatch(name):
        moderation.ban(room, name, reason, by=member.name)


def _rank(room: Hall, member: Member, rest: str) -> None:
    name, _, rank = rest.partition(" ")
    if member.rank >= 3 and NAME.fullmatch(name) and rank.isdigit():
        moderation.grant_by(room, member, name, float(rank))


def _may(room: Hall, member: Member, rest: str, what: str) -> bool:
    """Whether a moderator's command may go on: silence for members, an error about one's betters."""
    if member.rank < 1.5 or not rest.strip():
        return False
    victim = room.find(rest.split(maxsplit=1)[0])
    if victim is None:
        return False
    if victim.rank >= member.rank:
        _refuse(member, f"You do not have permission to {what} {victim.name}")
        return False
    return True


_STYLES: Final[dict[str, dict[str, Json]]] = {
    "/me": {"addClass": "action", "action": True},
    "/sp": {"addClass": "spoiler"},
    "/a": {"superadminflair": {"labelclass": "label-danger", "icon": "glyphicon-globe"}, "forceShowName": True},
    "/say": {"addClass": "shout", "addClassToNameAndTimestamp": True, "forceShowName": True},
}
_COMMANDS: Final = {
    "/afk": _toggle_afk,
    "/clear": _clear,
    "/mute": _mute,
    "/smute": _smute,
    "/unmute": _unmute,
    "/unsmute": _unmute,
    "/kick": _kick,
    "/kickanons": _kick_anons,
    "/ban": _ban,
    "/rank": _rank,
}
