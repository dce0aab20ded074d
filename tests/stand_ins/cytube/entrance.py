"""The way into a room: bans, password, anonymous people, then the join burst."""

from __future__ import annotations

import base64
import enum
import hashlib
from typing import TYPE_CHECKING

from . import moderation
from .member import MODERATOR, Member, plain
from .settings import PERMISSIONS

if TYPE_CHECKING:
    from .hall import Hall


class Answer(enum.Enum):
    """How far somebody got."""

    IN = "in"
    REFUSED = "refused"
    PASSWORD = "password"
    """At the door: waiting for `channelPassword`, or a login with rank."""
    NAME = "name"
    """Anonymous people are blocked: waiting for a login."""


def knock(room: Hall, member: Member, password: str | None) -> Answer:
    """What joinChannel comes to, once the server has loaded the room and the member's rank in it."""
    late = room.settings.slow_rank and member.registered
    if not late:
        refresh_rank(room, member)
    if moderation.refuse_banned(room, member):
        return Answer.REFUSED
    wanted = room.options["password"]
    if wanted and member.rank < MODERATOR and password != wanted:
        member.send("needPassword", password is not None)
        return Answer.PASSWORD
    if room.options["block_anonymous_users"] and not member.name:
        text = "This channel has blocked anonymous users. Please provide a user name to join."
        member.send("errorMsg", {"msg": text})
        return Answer.NAME
    walk_in(room, member)
    if late:
        room.set_rank(member, room.rank_here(member))
    if member.registered:
        member.send("listPlaylists", [])
    return Answer.IN


def refresh_rank(room: Hall, member: Member) -> None:
    """An account's rank in the room is looked up; everybody inside is told, whether or not it gets in."""
    if member.registered and room.registered:
        member.rank = room.rank_here(member)
        member.send("rank", plain(member.rank))
        room.tell("setUserRank", {"name": member.name, "rank": plain(member.rank)})


def walk_in(room: Hall, member: Member) -> None:
    """In: those inside hear of a name before the newcomer gets the burst, and the newcomer gets no own `addUser`."""
    if member.name:
        room.announce(member)
    room.take_in(member)
    burst(room, member)


def burst(room: Hall, member: Member) -> None:
    """Everything a newcomer is told, in the server's order."""
    member.send("setPermissions", dict(PERMISSIONS))
    member.send("setPlaylistLocked", room.playlist.locked)
    member.send("emoteList", room.emotes.everything())
    for line in room.history:
        member.deliver(line)
    member.send("drinkCount", room.drinks)
    member.send("channelCSSJS", {"css": "", "cssHash": _hash(""), "js": "", "jsHash": _hash("")})
    member.send("setMotd", room.motd)
    member.send("channelOpts", dict(room.options))
    room.playlist.send(member)
    room.playlist.send_current(member)
    if member.registered:
        room.playlist.send(member)
    if room.poll is not None:
        member.send("newPoll", room.poll)
    room.send_userlist(member)
    if room.leader:
        member.send("setLeader", room.leader)
    room.tell_count()
    if not room.registered:
        member.send("channelNotRegistered")


def name_appears(room: Hall, member: Member) -> None:
    """A login of somebody who is inside already."""
    room.announce(member)
    if not member.registered:
        moderation.refuse_banned(room, member)


def rank_appears(room: Hall, member: Member) -> None:
    """A moment after an account's login inside: its rank here, and what comes with it."""
    if member.inside and room.registered:
        room.set_rank(member, room.rank_here(member), playlist=True)
    moderation.refuse_banned(room, member)


def let_in_by_rank(room: Hall, member: Member) -> bool:
    """An account logged in while waiting for the password; ranks >= 2 need none."""
    rank = room.rank_here(member)
    if rank < MODERATOR or member.key in room.banned:
        refresh_rank(room, member)
        return False
    member.rank = rank
    member.send("rank", plain(rank))
    walk_in(room, member)
    member.send("cancelNeedPassword")
    room.tell("setUserRank", {"name": member.name, "rank": plain(rank)})
    member.send("listPlaylists", [])
    return True


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()
