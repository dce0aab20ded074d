"""Who is online and what they do: one fact for each change of a person, however many guilds tell of it (G5)."""

from __future__ import annotations

from typing import Final, Literal, get_args

from bridges.discord import payload
from bridges.discord.guild import Guild
from bridges.discord.payload import Record, Refused
from bridges.discord.presences import OFFLINE, Device, Shown
from bridges.discord.session import Session
from bridges.discord.telling import parts
from userstats.contract.events import Activity, Presence, PresenceChanged, PresencesSeen
from userstats.contract.guilds import Status

MOST_ACTIVITIES: Final = 10
MOST_PEOPLE: Final = 1_000_000
_TYPES: Final[dict[int, Literal["playing", "streaming", "listening", "watching", "custom", "competing"]]] = {
    0: "playing", 1: "streaming", 2: "listening", 3: "watching", 4: "custom", 5: "competing", 6: "custom",
}  # fmt: skip
_DEVICES: Final[tuple[Device, ...]] = get_args(Device)
_STATUSES: Final[dict[object, Status]] = {status: status for status in get_args(Status)} | {"invisible": "offline"}


def update(session: Session, data: Record, now: int) -> None:
    """PRESENCE_UPDATE."""
    guild = session.guild_of(data)
    if guild is None:
        return
    user = payload.record(data.get("user"))
    account = payload.account(user.get("id"))
    if type(user.get("username")) is str and account in session.met:
        session.meet(guild, user, None, now)
    if data.get("status") is None or _apart(session, guild, account):
        return
    shown = _shown(session, data)
    if _saw(session, guild, account, shown):
        tell(session, account, shown, now)


def read_all(session: Session, guild: Guild, presences: object) -> Refused | None:
    """Who is online, as GUILD_CREATE has it. What is of no use is left out."""
    fault: Refused | None = None
    for entry in payload.items(presences) if session.grants.presences else ():
        try:
            data = payload.record(entry)
            account = payload.account(payload.record(data.get("user")).get("id"))
            shown = _shown(session, data)
        except Refused as refused:
            fault = fault or refused
            continue
        if not _apart(session, guild, account):
            _saw(session, guild, account, shown)
    return fault


def tell(session: Session, account: str, shown: Shown, now: int) -> None:
    """This is their state from now on."""
    session.tell(PresenceChanged(**session.heading("presence", None, now), presence=_presence(session, account, shown)))


def tell_all(session: Session, now: int) -> None:
    """Everybody who is not offline."""
    session.presences_told, session.presences_asked = now, False
    if not session.grants.presences:
        return
    cut = parts([_presence(session, account, shown) for account, shown in session.presences])
    snapshot = ""
    for part, people in enumerate(cut, 1):
        heading = session.heading("presence.all", None, now)
        snapshot = snapshot or f"{heading['id']:x}"
        session.tell(PresencesSeen(**heading, snapshot=snapshot, part=part, parts=len(cut), people=people))


def left(session: Session, guild: Guild, account: str, now: int) -> None:
    """Somebody is not in this guild any more; where no other tells of them, nothing is known of them."""
    if session.presences.left(account, guild.id):
        tell(session, account, OFFLINE, now)


def _presence(session: Session, account: str, shown: Shown) -> Presence:
    return Presence(session.person(account), shown.status, shown.on, shown.activities)


def _apart(session: Session, guild: Guild, account: str) -> bool:
    """Bots are always online; who is not to be told about is not."""
    return session.is_bot(account) or session.apart(guild, account)


def _saw(session: Session, guild: Guild, account: str, shown: Shown) -> bool:
    if len(session.presences) >= MOST_PEOPLE:
        raise Refused("overflow")
    return session.presences.saw(account, guild.id, shown, sure=session.grants.members)


def _shown(session: Session, data: Record) -> Shown:
    status = data.get("status")
    known = _STATUSES.get(status) if type(status) is str else None
    if known is None:
        raise Refused("malformed")
    if known == "offline":
        return OFFLINE
    devices = payload.part(data.get("client_status"))
    doing = [_activity(session, entry) for entry in payload.items(data.get("activities"))[: 2 * MOST_ACTIVITIES]]
    activities = tuple(dict.fromkeys(one for one in doing if one is not None))
    return Shown(known, tuple(one for one in _DEVICES if devices.get(one)), activities[:MOST_ACTIVITIES])


def _activity(session: Session, entry: object) -> Activity | None:
    """What it is called; of a custom status only that there is one. Details and states are not looked at."""
    data = payload.record(entry)
    kind = data.get("type")
    type_of = _TYPES.get(kind) if type(kind) is int else None
    if type_of is None:
        return None
    if type_of == "custom":
        return Activity("custom") if session.tracked.status else None
    return Activity(type_of, payload.name(data.get("name"))) if session.tracked.games else None
