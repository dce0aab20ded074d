"""Threads: begun, joined, archived, deleted. What is said in them counts at their channel; titles are not told."""

from __future__ import annotations

from bridges.discord import payload
from bridges.discord.guild import MOST_THREADS, PLATFORM, Guild, Thread
from bridges.discord.payload import Record, Refused
from bridges.discord.session import Session
from bridges.discord.telling import parts
from userstats.contract.events import Place, ThreadArchived, ThreadCreated, ThreadJoined, ThreadsSeen

MOST_IN_PART = 500


def create(session: Session, data: Record, now: int) -> None:
    """THREAD_CREATE: a new thread (`newly_created`), or an old one that the bot may see from now on."""
    guild = session.guild_of(data)
    if guild is None:
        return
    account, thread = _thread(data)
    known = guild.thread(account) is not None
    _keep(guild, account, thread, archived=_archived(data))
    place = _place(guild, account, thread)
    if place is None or known or data.get("newly_created") is not True:
        return
    made = payload.stamp_or(payload.part(data.get("thread_metadata")).get("create_timestamp"), now)
    owner = thread.owner if thread.owner and not session.apart(guild, thread.owner) else ""
    session.tell(
        ThreadCreated(
            id=session.desk.pseudonyms.event(PLATFORM, "thread", account), at=made, seen=now, place=place,
            watch=guild.watch, person=session.person(owner) if owner else None, thread=account,
        )
    )  # fmt: skip


def update(session: Session, data: Record, now: int) -> None:
    """THREAD_UPDATE: of what may have changed only that it is archived, or open again, is told."""
    guild = session.guild_of(data)
    if guild is None:
        return
    account, thread = _thread(data)
    archived = _archived(data)
    was_open = account in guild.threads
    _keep(guild, account, thread, archived=archived)
    place = _place(guild, account, thread)
    if place is not None and was_open == archived:
        _tell(session, guild, place, account, now, opened=not archived)


def delete(session: Session, data: Record, now: int) -> None:
    """THREAD_DELETE."""
    guild = session.guild_of(data)
    if guild is None:
        return
    account, thread = _thread(data)
    guild.threads.pop(account, None)
    guild.archived.pop(account)
    place = _place(guild, account, thread)
    if place is not None:
        _tell(session, guild, place, account, now, deleted=True)


def members_update(session: Session, data: Record, now: int) -> None:
    """THREAD_MEMBERS_UPDATE: who is part of a thread. That its owner is goes without saying; leaving is not told."""
    guild = session.guild_of(data)
    if guild is None:
        return
    account = payload.account(data.get("id"))
    thread = guild.thread(account)
    where = guild.where(account)
    if where is None:
        return
    for entry in payload.items(data.get("added_members")):
        added = payload.record(entry)
        who = payload.account(added.get("user_id"))
        member = payload.part(added.get("member"))
        user = payload.part(member.get("user"))
        if who in (session.own, thread.owner if thread is not None else "") or session.apart(guild, who, member):
            continue
        if user.get("id") == who:
            session.meet(guild, user, member, now)
        if session.is_bot(who, user):
            continue
        heading = session.heading("thread.joined", guild, now)
        heading["place"] = where[0]
        session.tell(ThreadJoined(**heading, person=session.person(who), thread=account))


def list_sync(session: Session, data: Record, now: int) -> None:
    """THREAD_LIST_SYNC: the open threads of channels that the bot may see from now on; without channels, of all."""
    guild = session.guild_of(data)
    if guild is None:
        return
    channels = data.get("channel_ids")
    about = {payload.account(one) for one in payload.items(channels)}
    if channels is None or about:
        guild.put_threads_away(*about)
    fault = read_all(guild, data.get("threads"))
    tell_all(session, guild, now)
    if fault is not None:
        raise fault


def read_all(guild: Guild, threads: object) -> Refused | None:
    """The open threads, as GUILD_CREATE has them. What is of no use is left out."""
    fault: Refused | None = None
    for entry in payload.items(threads):
        try:
            account, thread = _thread(payload.record(entry))
            _keep(guild, account, thread, archived=_archived(entry))
        except Refused as refused:
            fault = fault or refused
    return fault


def tell_all(session: Session, guild: Guild, now: int) -> None:
    """The threads that are open."""
    known = [(one, thread.parent) for one, thread in guild.threads.items() if not guild.hidden(thread.parent)]
    cut = parts(known, MOST_IN_PART)
    snapshot = ""
    for part, some in enumerate(cut, 1):
        heading = session.heading("threads", guild, now)
        snapshot = snapshot or f"{heading['id']:x}"
        threads, channels = tuple(one for one, _ in some), tuple(channel for _, channel in some)
        session.tell(
            ThreadsSeen(
                **heading, snapshot=snapshot, part=part, parts=len(cut), threads=threads, channels=channels
            )
        )  # fmt: skip


def _thread(data: Record) -> tuple[str, Thread]:
    """Its id, and it."""
    account = payload.account(data.get("id"))
    return account, Thread(payload.account(data.get("parent_id")), payload.perhaps(data.get("owner_id")))


def _archived(data: Record) -> bool:
    return payload.part(data.get("thread_metadata")).get("archived") is True


def _keep(guild: Guild, account: str, thread: Thread, *, archived: bool) -> None:
    if archived:
        guild.threads.pop(account, None)
        guild.archived.put(account, thread)
    elif account in guild.threads or len(guild.threads) < MOST_THREADS:
        guild.threads[account] = thread
        guild.archived.pop(account)
    else:
        raise Refused("overflow")


def _place(guild: Guild, account: str, thread: Thread) -> Place | None:
    """The channel it is a thread of; None where that is not told about."""
    where = guild.where(thread.parent)
    return None if where is None or account in guild.rules.channels else where[0]


def _tell(
    session: Session, guild: Guild, place: Place, account: str, now: int, *, opened: bool = False, deleted: bool = False
) -> None:  # fmt: skip
    heading = session.heading("thread.archived", guild, now)
    heading["place"] = place
    session.tell(ThreadArchived(**heading, thread=account, open=opened, deleted=deleted))
