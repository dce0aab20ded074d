"""Guilds and channels: where there is something to observe, what it is called, and when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from bridges.discord import payload
from bridges.discord.guild import MOST_CHANNELS, PLATFORM, TYPES, Channel, Guild
from bridges.discord.payload import Record, Refused
from bridges.discord.session import Session
from userstats.contract.events import NotGranted, Place, PlaceClosed, PlaceNamed

from . import members, presence, threads, voice

P = ParamSpec("P")
log = logging.getLogger(__name__)


def ready(session: Session, data: Record, now: int) -> None:
    """READY: a new session. What the one before it saw has an end that nobody saw."""
    own = payload.account(payload.record(data.get("user")).get("id"))
    pending = {payload.account(payload.record(one).get("id")) for one in payload.items(data.get("guilds"))}
    if session.watch:
        log.warning("%s: Discord has lost the session; all is observed anew", session.home.channel or "shard.0")
        for guild in list(session.guilds.values()):
            session.close(guild, "lost")
        session.telling.close(session.home, "lost")
        session.presences = type(session.presences)()
    session.own = own
    session.pending = {one for one in pending if not session.tracked.guilds or one in session.tracked.guilds}
    session.watch = session.open(session.home)
    session.began, session.presences_told = now, 0
    session.bots.put(own, True)


def guild_create(session: Session, data: Record, now: int) -> None:
    """GUILD_CREATE: the whole guild, after READY, after an outage, or when the bot has been invited."""
    account = payload.account(data.get("id"))
    if data.get("unavailable") is True or (session.tracked.guilds and account not in session.tracked.guilds):
        return
    if not session.watch:
        raise Refused("malformed")
    session.pending.discard(account)
    guild = session.guilds.get(account)
    if guild is None:
        guild = Guild(account, session.tracked.rules, session.tracked.remember_people)
        guild.archived = session.archived.pop(account, guild.archived)
        guild.watch = session.open(guild.place)
        session.guilds[account] = guild
        missing = session.grants.missing
        session.tell(NotGranted(**session.heading("granted", guild, now), missing=missing))
    fault = _read(session, guild, data, now)
    guild.audited = now
    session.presences_asked = True
    if fault is not None:
        raise fault


def guild_update(session: Session, data: Record, now: int) -> None:
    """GUILD_UPDATE: another name, or another AFK channel."""
    guild = session.guilds.get(payload.account(data.get("id")))
    if guild is None:
        return
    afk = payload.perhaps(data.get("afk_channel_id"))
    _name_guild(session, guild, data, now)
    if guild.afk != afk:
        guild.afk = afk
        voice.tell_all(session, guild, now)


def role_update(session: Session, data: Record, _now: int) -> None:
    """GUILD_ROLE_CREATE and GUILD_ROLE_UPDATE: which roles are excluded may follow from their names."""
    guild = session.guild_of(data)
    if guild is not None:
        _read_roles(guild, [data.get("role")])


def guild_delete(session: Session, data: Record, _now: int) -> None:
    """GUILD_DELETE: Discord cannot serve the guild for now (`unavailable`), or the bot is not in it any more."""
    account = payload.account(data.get("id"))
    guild = session.guilds.get(account)
    if data.get("unavailable") is not True:
        session.pending.discard(account)
    if guild is None:
        return
    session.close(guild, "lost" if data.get("unavailable") is True else "kicked")
    if session.presences.lost(account):
        session.presences_asked = True


def channel_create(session: Session, data: Record, now: int) -> None:
    """CHANNEL_CREATE and CHANNEL_UPDATE."""
    guild = session.guild_of(data)
    if guild is None:
        return
    account, channel = _channel(guild, data)
    before = guild.channels.get(account)
    if before is None and len(guild.channels) >= MOST_CHANNELS:
        raise Refused("overflow")
    within = [one for one, other in guild.channels.items() if other.parent == account and one != account]
    hidden = {one: guild.hidden(one) for one in (account, *within)}
    guild.channels[account] = channel
    if not guild.hidden(account) and (before is None or (before.name, before.type) != (channel.name, channel.type)):
        hidden[account] = True
    for one, was_hidden in hidden.items():
        _set_hidden(session, guild, one, now, before=was_hidden)


def channel_delete(session: Session, data: Record, now: int) -> None:
    """CHANNEL_DELETE: its threads go with it."""
    guild = session.guild_of(data)
    if guild is None:
        return
    account = payload.account(data.get("id"))
    hidden, channel = guild.hidden(account), guild.channels.pop(account, None)
    guild.threads = {one: thread for one, thread in guild.threads.items() if thread.parent != account}
    voice.empty(session, guild, account, now)
    if channel is not None and not hidden:
        _close(session, guild, channel.place, now)


def _read(session: Session, guild: Guild, data: Record, now: int) -> Refused | None:
    """Everything in the payload of a guild; each of its lists without what is of no use. The first fault."""
    guild.members = payload.number(data.get("member_count")) or None
    guild.afk = payload.perhaps(data.get("afk_channel_id"))
    _name_guild(session, guild, data, now)
    guild.put_threads_away()
    faults = [
        _fault(_read_roles, guild, data.get("roles")),
        _fault(_read_channels, session, guild, data.get("channels"), now),
        _fault(threads.read_all, guild, data.get("threads")),
        _fault(members.read_all, session, guild, data.get("members"), now),
        _fault(voice.read_states, session, guild, data.get("voice_states")),
        _fault(presence.read_all, session, guild, data.get("presences")),
    ]
    voice.tell_all(session, guild, now)
    threads.tell_all(session, guild, now)
    return next((fault for fault in faults if fault is not None), None)


def _fault(read: Callable[P, Refused | None], *args: P.args, **kwargs: P.kwargs) -> Refused | None:
    """What is wrong with a list, whole or in part."""
    try:
        return read(*args, **kwargs)
    except Refused as refused:
        return refused


def _read_roles(guild: Guild, roles: object) -> Refused | None:
    for entry in payload.items(roles) if guild.rules.roles else ():
        role = payload.record(entry)
        guild.read_role(payload.account(role.get("id")), payload.name(role.get("name")))
    return None


def _read_channels(session: Session, guild: Guild, given: object, now: int) -> Refused | None:
    fault: Refused | None = None
    before = guild.channels
    guild.channels = {}
    for entry in payload.items(given)[:MOST_CHANNELS]:
        try:
            account, channel = _channel(guild, payload.record(entry))
        except Refused as refused:
            fault = fault or refused
            continue
        guild.channels[account] = channel
    for account, channel in guild.channels.items():
        if guild.hidden(account):
            _close(session, guild, channel.place, now)
        elif before.get(account) != channel:
            _name(session, guild, channel, now)
    for account, channel in before.items():
        if account not in guild.channels and not guild.hidden(account):
            _close(session, guild, channel.place, now)
    return fault


def _channel(guild: Guild, data: Record) -> tuple[str, Channel]:
    """Its id, and it."""
    account = payload.account(data.get("id"))
    kind = TYPES.get(payload.count(data.get("type")), "text")
    parent = payload.perhaps(data.get("parent_id"))
    return account, Channel(Place(PLATFORM, guild.id, account), kind, payload.name(data.get("name")), parent)


def _set_hidden(session: Session, guild: Guild, account: str, now: int, *, before: bool) -> None:
    """Tell of a channel that is excluded now, and was not, or the other way round."""
    channel = guild.channels[account]
    hidden = guild.hidden(account)
    if hidden and not before:
        voice.empty(session, guild, account, now)
        _close(session, guild, channel.place, now)
    elif before and not hidden:
        _name(session, guild, channel, now)


def _name_guild(session: Session, guild: Guild, data: Record, now: int) -> None:
    name = payload.name(data.get("name"))
    if name and name != guild.name:
        guild.name = name
        session.tell(PlaceNamed(**session.heading("place", guild, now), name=name, type="guild"))


def _name(session: Session, guild: Guild, channel: Channel, now: int) -> None:
    if channel.name:
        heading = session.heading("place", guild, now)
        heading["place"] = channel.place
        session.tell(PlaceNamed(**heading, name=channel.name, type=channel.type))


def _close(session: Session, guild: Guild, place: Place, now: int) -> None:
    heading = session.heading("closed", guild, now)
    heading["place"] = place
    session.tell(PlaceClosed(**heading))
