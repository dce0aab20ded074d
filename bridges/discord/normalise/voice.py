"""Who is in voice: each change as one fact (guarantee G4), how many are in each channel, and everybody at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bridges.discord import payload
from bridges.discord.guild import MOST_IN_VOICE, Guild, Seat
from bridges.discord.payload import Record, Refused
from bridges.discord.session import Session
from bridges.discord.telling import parts
from userstats.contract.events import InVoice, VoiceCounted, VoiceMoved, VoiceSeen

_NOBODY: Final = Seat("", muted=False, deafened=False, streaming=False, video=False, bot=False)


def state_update(session: Session, data: Record, now: int) -> None:
    """VOICE_STATE_UPDATE: somebody's whole state in voice, whatever of it changed."""
    guild = session.guild_of(data)
    if guild is None or not session.tracked.voice:
        return
    account, seat = _seat(session, guild, data)
    if not _is_current(guild, account, data.get("session_id"), seat):
        return
    user = payload.part(payload.part(data.get("member")).get("user"))
    if user.get("id") == account and seat is not None and not seat.apart:
        session.meet(guild, user, payload.part(data.get("member")), now)
    move(session, guild, account, seat, now)


def move(session: Session, guild: Guild, account: str, seat: Seat | None, now: int) -> None:
    """Somebody's state is this from now on. Nothing, if it was the same."""
    before = guild.seats.get(account)
    if seat == before:
        return
    if before is None and len(guild.seats) >= MOST_IN_VOICE:
        raise Refused("overflow")
    channels = {one.channel: guild.head(one.channel) for one in (before, seat) if one is not None}
    guild.sit(account, seat)
    came_from = before.channel if before is not None and not before.apart else ""
    person = session.person(account)
    state = guild.voice(account, person)
    if came_from or state is not None:
        heading, bot = session.heading("voice", guild, now), (seat or before or _NOBODY).bot
        session.tell(VoiceMoved(**heading, person=person, before=came_from, now=state, bot=bot))
    changed = [guild.head(channel) for channel, head in channels.items() if guild.head(channel) != head]
    if changed:
        tell_counts(session, guild, changed, now)


def set_apart(session: Session, guild: Guild, account: str, now: int) -> None:
    """Somebody is not told about any more; they still count."""
    seat = guild.seats.get(account)
    if seat is not None:
        move(session, guild, account, seat._replace(apart=True), now)


def empty(session: Session, guild: Guild, channel: str, now: int) -> None:
    """Nobody is in this channel any more: it is gone, or not told about."""
    for account in [account for account, seat in guild.seats.items() if seat.channel == channel]:
        move(session, guild, account, None, now)


def read_states(session: Session, guild: Guild, states: object) -> Refused | None:
    """Everybody's state, as GUILD_CREATE has it, instead of what was known. What is of no use is left out."""
    guild.seats.clear()
    guild.heads.clear()
    guild.devices.clear()
    fault: Refused | None = None
    for state in payload.items(states) if session.tracked.voice else ():
        try:
            account, seat = _seat(session, guild, payload.record(state))
            _is_current(guild, account, state.get("session_id"), seat)
        except Refused as refused:
            fault = fault or refused
            continue
        if len(guild.seats) < MOST_IN_VOICE:
            guild.sit(account, seat)
    return fault


def tell_all(session: Session, guild: Guild, now: int) -> None:
    """Everybody who is in voice, and how many are in each channel: those with nobody in them too."""
    if not session.tracked.voice:
        return
    seen = [voice for account in guild.seats if (voice := guild.voice(account, session.person(account))) is not None]
    cut, snapshot = parts(seen), ""
    for part, people in enumerate(cut, 1):
        heading = session.heading("voice.all", guild, now)
        snapshot = snapshot or f"{heading['id']:x}"
        session.tell(VoiceSeen(**heading, snapshot=snapshot, part=part, parts=len(cut), people=people))
    channels = [one for one, channel in guild.channels.items() if channel.type in ("voice", "stage")]
    shown = dict.fromkeys(channel for channel in (*channels, *guild.heads) if not guild.hidden(channel))
    tell_counts(session, guild, [guild.head(channel) for channel in shown], now)


def tell_counts(session: Session, guild: Guild, heads: Iterable[InVoice], now: int) -> None:
    """How many are in these channels."""
    for channels in parts(list(heads)):
        if channels:
            session.tell(VoiceCounted(**session.heading("voice.count", guild, now), channels=channels))


def _is_current(guild: Guild, account: str, device: object, seat: Seat | None) -> bool:
    """Whether this is about the client that is known to be there: one that left before another came may say so late."""
    if type(device) is not str:
        return True
    if seat is not None:
        guild.devices[account] = device
        return True
    return guild.devices.get(account, device) == device


def _seat(session: Session, guild: Guild, state: Record) -> tuple[str, Seat | None]:
    """Whose state this is, and it; None where they are in no channel, or in one that is not told about."""
    account = payload.account(state.get("user_id"))
    member = payload.part(state.get("member"))
    bot = session.is_bot(account, payload.part(member.get("user")))
    apart = session.apart(guild, account, member)
    channel = payload.perhaps(state.get("channel_id"))
    if not channel or guild.hidden(channel):
        return account, None

    def on(*flags: str) -> bool:
        return any(state.get(flag) is True for flag in flags)

    return account, Seat(
        channel,
        muted=on("mute", "self_mute", "suppress"),
        deafened=on("deaf", "self_deaf"),
        streaming=on("self_stream"),
        video=on("self_video"),
        bot=bot,
        apart=apart,
    )
