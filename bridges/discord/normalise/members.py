"""Who is a member: joins, leaves, bans, names, roles, and the whole list."""

from __future__ import annotations

from bridges.discord import payload
from bridges.discord.guild import Guild
from bridges.discord.payload import Record, Refused
from bridges.discord.session import Session
from bridges.discord.telling import parts
from userstats.contract.events import Member, MemberJoined, MemberLeft, MembersSeen, RolesSeen

from . import presence, voice

MOST_ROLES = 250
LONGEST_WAIT = 3600


def add(session: Session, data: Record, now: int) -> None:
    """GUILD_MEMBER_ADD."""
    guild = session.guild_of(data)
    if guild is None:
        return
    user = payload.record(data.get("user"))
    account = payload.account(user.get("id"))
    if data.get("joined_at") is None:  # a guest, who came by an invitation to voice only
        return
    member = _member(session, account, user, data)
    if guild.members is not None:
        guild.members += 1
    if guild.roster is not None:
        guild.roster.members[account] = member
        guild.roster.left.discard(account)
    if session.apart(guild, account, data):
        return
    session.meet(guild, user, data, now)
    at = member.joined or now
    heading = session.heading("member", guild, now, at)
    heading["id"] = session.desk.pseudonyms.event("discord", "joined", guild.id, account, at)
    session.tell(MemberJoined(**heading, person=member.person, bot=member.bot))
    _roles(session, guild, account, data, now)


def remove(session: Session, data: Record, now: int) -> None:
    """GUILD_MEMBER_REMOVE: they left, were kicked or banned."""
    guild = session.guild_of(data)
    if guild is None:
        return
    user = payload.record(data.get("user"))
    account = payload.account(user.get("id"))
    if guild.members is not None:
        guild.members = max(0, guild.members - 1)
    if guild.roster is not None:
        guild.roster.members.pop(account, None)
        guild.roster.left.add(account)
    banned = guild.banned.pop(account) is not None
    guild.roles.pop(account)
    voice.move(session, guild, account, None, now)
    presence.left(session, guild, account, now)
    if session.apart(guild, account):
        guild.apart.discard(account)
        return
    heading = session.heading("member", guild, now)
    session.tell(MemberLeft(**heading, person=session.person(account), reason="banned" if banned else "left"))


def update(session: Session, data: Record, now: int) -> None:
    """GUILD_MEMBER_UPDATE: a new name, other roles, or something that is not looked at."""
    guild = session.guild_of(data)
    if guild is None:
        return
    user = payload.record(data.get("user"))
    account = payload.account(user.get("id"))
    if session.apart(guild, account, data):
        voice.set_apart(session, guild, account, now)
        presence.left(session, guild, account, now)
        return
    session.meet(guild, user, data, now)
    _roles(session, guild, account, data, now)


def ban(session: Session, data: Record, _now: int) -> None:
    """GUILD_BAN_ADD: it comes before their GUILD_MEMBER_REMOVE, if they were a member."""
    guild = session.guild_of(data)
    if guild is not None:
        guild.banned.put(payload.account(payload.record(data.get("user")).get("id")), True)


def chunk(session: Session, data: Record, now: int) -> None:
    """GUILD_MEMBERS_CHUNK: a part of the list that was asked for."""
    guild = session.guild_of(data)
    roster = guild.roster if guild is not None else None
    if guild is None or roster is None or data.get("nonce") != roster.nonce:
        return
    index, count = payload.count(data.get("chunk_index")), payload.count(data.get("chunk_count"))
    if not index < count <= 100_000:
        raise Refused("malformed")
    fault = _read(session, guild, data.get("members"), roster.members, roster.left, now)
    roster.chunks.add(index)
    roster.torn = roster.torn or fault is not None
    if len(roster.chunks) >= count:
        guild.roster = None
        if not roster.torn:  # who is missing in a list would count as having left
            tell_all(session, guild, list(roster.members.values()), now)
        session.asking.came(guild.id)
    if fault is not None:
        raise fault


def limited(session: Session, data: Record, _now: int) -> None:
    """RATE_LIMITED: Discord was asked for the same list too often."""
    if data.get("opcode") == 8:
        wait = data.get("retry_after")
        seconds = wait if isinstance(wait, (int, float)) and 0 <= wait <= LONGEST_WAIT else 30.0
        session.asking.limited(payload.perhaps(payload.part(data.get("meta")).get("guild_id")), seconds)


def read_all(session: Session, guild: Guild, given: object, now: int) -> Refused | None:
    """The members in GUILD_CREATE: all, where the guild is small and the intents are granted; else some."""
    members: dict[str, Member] = {}
    fault = _read(session, guild, given, members, set(), now)
    if session.grants.members:
        if fault is None and members and len(members) == guild.members:
            tell_all(session, guild, list(members.values()), now)
        else:
            session.asking.want(guild.id)
    return fault


def tell_all(session: Session, guild: Guild, members: list[Member], now: int) -> None:
    """Everybody who is a member."""
    guild.members = len(members)
    kept = members
    if guild.apart:
        apart = {session.person(account) for account in guild.apart}
        kept = [member for member in members if member.person not in apart]
    cut, snapshot = parts(kept), ""
    for part, people in enumerate(cut, 1):
        heading = session.heading("members", guild, now)
        snapshot = snapshot or f"{heading['id']:x}"
        session.tell(MembersSeen(**heading, snapshot=snapshot, part=part, parts=len(cut), people=people))


def _read(
    session: Session, guild: Guild, given: object, into: dict[str, Member], without: set[str], now: int
) -> Refused | None:
    """Members, by account; their names and roles are told. What is of no use is left out."""
    fault: Refused | None = None
    for entry in payload.items(given):
        try:
            data = payload.record(entry)
            user = payload.record(data.get("user"))
            account = payload.account(user.get("id"))
        except Refused as refused:
            fault = fault or refused
            continue
        if account in without:
            continue
        into[account] = _member(session, account, user, data)
        if not session.apart(guild, account, data):
            session.meet(guild, user, data, now)
            _roles(session, guild, account, data, now)
    return fault


def _member(session: Session, account: str, user: Record, data: Record) -> Member:
    joined = payload.stamp_or(data.get("joined_at"), 0)
    return Member(session.person(account), joined or None, session.is_bot(account, user))


def _roles(session: Session, guild: Guild, account: str, data: Record, now: int) -> None:
    """Tell the roles of a member, unless they were told. Who never had any is not told of."""
    given = data.get("roles")
    if type(given) is not list:
        return
    roles = tuple(payload.account(role) for role in given[:MOST_ROLES])
    before, digest = guild.roles.get(account), hash(roles)
    if before == digest or (before is None and not roles):
        return
    guild.roles.put(account, digest)
    session.tell(RolesSeen(**session.heading("roles", guild, now), person=session.person(account), roles=roles))
