"""Which channels and threads a dispatch tells of for the first time, and which are gone: see `histories.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from . import payload
from .guild import Guild
from .histories import SPOKEN_IN, THREADED, Histories
from .payload import Record, Refused
from .session import Session


def sight(session: Session, histories: Histories, name: str, data: object) -> None:
    """After `frame` has read this dispatch. What is of no use in it was refused there."""
    handler = _HANDLERS.get(name)
    if handler is None:
        return
    try:
        record = payload.record(data)
        guild = session.guilds.get(payload.perhaps(record.get("id"))) if name == "GUILD_CREATE" else None
        guild = guild or session.guild_of(record)
        if guild is not None:
            handler(histories, guild, record)
    except Refused:
        return


def heard(histories: Histories, data: object) -> bool:
    """Before `frame` reads a message; see `Histories.heard`."""
    try:
        return histories.heard(payload.record(data))
    except Refused:
        return True


def _guild(histories: Histories, guild: Guild, data: Record) -> None:
    for entry in payload.items(data.get("channels")):
        _one(histories, guild, entry)
    _threads(histories, guild, data)


def _threads(histories: Histories, guild: Guild, data: Record) -> None:
    for entry in payload.items(data.get("threads")):
        _one(histories, guild, entry, thread=True)


def _one(histories: Histories, guild: Guild, entry: object, *, thread: bool = False, new: bool = False) -> None:
    try:
        data = payload.record(entry)
        account, last = payload.account(data.get("id")), data.get("last_message_id")
        if thread or (account in guild.channels and guild.channels[account].type in SPOKEN_IN | THREADED):
            histories.sight(guild, account, last, thread=thread, new=new)
    except Refused:
        return


def _channel(histories: Histories, guild: Guild, data: Record) -> None:
    _one(histories, guild, data)
    _loosen(histories, guild, payload.account(data.get("id")))


def _thread(histories: Histories, guild: Guild, data: Record) -> None:
    _one(histories, guild, data, thread=True, new=data.get("newly_created") is True)


def _gone(histories: Histories, guild: Guild, data: Record) -> None:
    """What is deleted cannot be read any more."""
    account = payload.account(data.get("id"))
    for history in [one for one in histories if account in (one.channel, one.thread) and one.guild == guild.id]:
        if history.state == "running":
            history.state = "forbidden"
            histories.changed(history)
        histories.forget(history)


def _permissions(histories: Histories, guild: Guild, _data: Record) -> None:
    _loosen(histories, guild, "")


def _member(histories: Histories, guild: Guild, data: Record) -> None:
    if payload.part(data.get("user")).get("id") == histories.own:
        _loosen(histories, guild, "")


def _loosen(histories: Histories, guild: Guild, channel: str) -> None:
    """What was refused may be granted now."""
    for history in histories:
        if history.again and history.guild == guild.id and channel in ("", history.channel):
            history.again = 0
            histories.changed(history, tell=False)


_HANDLERS: Final[Mapping[str, Callable[[Histories, Guild, Record], None]]] = {
    "GUILD_CREATE": _guild,
    "CHANNEL_CREATE": _channel,
    "CHANNEL_UPDATE": _channel,
    "CHANNEL_DELETE": _gone,
    "THREAD_CREATE": _thread,
    "THREAD_UPDATE": _thread,
    "THREAD_LIST_SYNC": _threads,
    "THREAD_DELETE": _gone,
    "GUILD_ROLE_CREATE": _permissions,
    "GUILD_ROLE_UPDATE": _permissions,
    "GUILD_MEMBER_UPDATE": _member,
}
