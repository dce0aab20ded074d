"""What moderators do to others, with the frames that everybody sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frames import Json, server_line
from .member import Member, plain

if TYPE_CHECKING:
    from .hall import Hall

BANNED = "You are banned from this channel."


def inside(room: Hall, name: str) -> Member:
    """The member of this name. LookupError if there is none."""
    member = room.find(name)
    if member is None:
        raise LookupError(f"nobody called {name} is in {room.name}")
    return member


def kick(room: Hall, name: str, reason: str, *, by: str) -> None:
    """`kick` to the victim alone, `userLeave` to the others, a line to the moderators."""
    victim = inside(room, name)
    victim.kick(reason)
    room.part(victim)
    room.tell_moderators(f"{by} kicked {victim.name}")


def kick_anons(room: Hall, *, by: str) -> None:
    """Everybody without a name goes."""
    for member in [member for member in room.members if not member.name]:
        member.kick("anonymous user")
        room.part(member)
    room.tell_moderators(f"{by} kicked anonymous users")


def ban(room: Hall, name: str, reason: str, *, by: str) -> None:
    """The name may not be here any more."""
    room.bans += 1
    row = {"id": room.bans, "ip": "*", "name": name.lower(), "reason": reason, "bannedby": by}
    room.banned[name.lower()] = row
    room.tell_moderators(f"{by} namebanned {name.lower()}")
    victim = room.find(name)
    if victim is not None:
        victim.kick("You're banned!")
        room.part(victim)


def unban(room: Hall, name: str, *, by: str) -> None:
    """The name may be here again; moderators get `banlistRemove`."""
    row = room.banned.pop(name.lower(), None)
    if row is None:
        return
    for member in room.members:
        if member.moderates:
            member.send("banlistRemove", {"id": row["id"], "name": row["name"]})
    room.tell_moderators(f"{by} unbanned {name.lower()}")


def refuse_banned(room: Hall, member: Member) -> bool:
    """Whether the member's name is banned; then it is kicked, and a member inside leaves as everybody sees."""
    if not member.name or member.key not in room.banned:
        return False
    was_inside = member.inside
    member.kick(BANNED)
    room.part(member)
    if was_inside:
        room.tell_moderators(f"{member.name} was kicked (name is banned)")
    return True


def mute(room: Hall, name: str, *, shadow: bool, by: str) -> None:
    """Everybody sees a mute, only moderators a shadow mute. It is kept by name."""
    victim = inside(room, name)
    victim.muted, victim.smuted = True, shadow
    (room.smuted if shadow else room.muted).add(victim.key)
    room.tell_meta(victim, moderators=shadow)
    room.tell_moderators(f"{by} {'shadowmuted' if shadow else 'muted'} {victim.name}")


def unmute(room: Hall, name: str, *, by: str) -> None:
    """Both kinds of mute end."""
    room.muted.discard(name.lower())
    room.smuted.discard(name.lower())
    room.tell_moderators(f"{by} unmuted {name.lower()}")
    victim = room.find(name)
    if victim is not None:
        victim.muted = victim.smuted = False
        room.tell_meta(victim)


def grant(room: Hall, name: str, rank: float, *, by: str, by_rank: float = 5) -> None:
    """A name's rank in the room, spelled as the moderator typed it; names that are not here are told of as well."""
    room.ranks[name.lower()] = rank
    member = room.find(name)
    if member is not None:
        room.change_rank(member, name)
        return
    room.tell("setUserRank", {"name": name, "rank": plain(rank), "userrank": plain(by_rank)})
    room.tell_moderators(f"{by} set {name}'s rank to {plain(rank)}")


def grant_by(room: Hall, boss: Member, name: str, rank: float) -> None:
    """A member's `setChannelRank` or `/rank`, with the server's refusals."""
    known = room.find(name)
    if name.lower() == boss.key:
        why = "You can't promote or demote yourself."
    elif rank >= boss.rank or rank < 1:
        why = "You can't promote someone to a rank equal or higher than yourself, or demote them to below rank 1."
    elif (known.rank if known else room.ranks.get(name.lower(), 0)) >= boss.rank:
        why = "You can't promote or demote someone who has equal or higher rank than yourself"
    else:
        grant(room, name, rank, by=boss.name, by_rank=boss.rank)
        return
    boss.send("channelRankFail", {"msg": f"Updating user rank failed: {why}"})


def lead(room: Hall, name: str) -> None:
    """`setLeader`: rank 1.5 for as long as it lasts, for members below it; "" ends it."""
    former, leader = room.find(room.leader), room.find(name) if name else None
    room.leader = leader.name if leader else ""
    if former is not None and former is not leader:
        room.set_rank(former, room.rank_here(former))
    if leader is not None and leader.rank < 1.5:
        leader.rank = 1.5
        leader.send("rank", 1.5)
        room.tell("setLeader", leader.name)
        room.tell("setUserRank", {"name": leader.name, "rank": 1.5})
    else:
        room.tell("setLeader", room.leader)


def clear(room: Hall, *, by: str) -> None:
    """`clearchat`, then a line that everybody gets; nothing of before is replayed any more."""
    room.history.clear()
    room.oracle.cleared += 1
    room.tell("clearchat", {"clearedBy": by})
    line = server_line(f"{by} cleared chat.", room.now())
    for member in room.members:
        member.deliver(line)


def shut_down(room: Hall, reason: str) -> None:
    """Only kicks: no `userLeave` for anybody."""
    for member in room.members:
        member.kick(reason)
    room.empty(keep_history=True)


def move(room: Hall, servers: list[Json]) -> None:
    """`partitionChange` and a disconnect; from now on joining here is refused."""
    room.site.servers[room.name] = servers
    room.site.moved.add(room.name)
    for member in room.members:
        member.send("partitionChange", {"servers": servers})
        member.hang_up()
    room.empty(keep_history=True)
