"""Dispatches played to the normaliser as a shard would, and payloads to play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridges.bridge import Observation
from bridges.discord.guild import Roster, Rules
from bridges.discord.normalise import audit, frame
from bridges.discord.normalise.numbers import counted
from bridges.discord.session import EVERY_GRANT, EVERYTHING, Grants, Session, Tracked
from bridges.text import Lexicon
from tests.bridges.desk import FakeDesk, received
from userstats.contract.events import (
    Event,
    MemberJoined,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    Place,
    PrivateMessageSent,
    ThreadCreated,
)

NOW = 1_700_000_000_000
HOME = Place("discord", "", "")
GUILD = "100"
GENERAL, VOICE, ATTIC, AFK, FORUM, MODS = "200", "201", "202", "203", "204", "205"
OWN = "1"
WHEN = "2020-01-01T00:00:00+00:00"
LEXICON = Lexicon(phrases=("lol", "😂"), names=frozenset({"kev"}))
AUDIT, BEAT, CONSENTS, ROSTER = "@audit", "@beat", "@consents", "@roster"
"""What is no dispatch: it is looked whether something is due; a beat; somebody's consent changed; a guild's members
are asked for, under the nonce `userstats-1`."""

NATURAL = (MessageSent, MessageEdited, MessageDeleted, PrivateMessageSent, MemberJoined, ThreadCreated)
"""Facts that Discord identifies: said twice they are the same fact. All others are facts of their own."""

Frame = Sequence[Any]
"""name, payload, milliseconds of arrival"""


class Asked:
    """Remembers which lists of members were wanted."""

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self.complete: list[str] = []
        self.later: list[tuple[str, float]] = []

    def want(self, guild: str) -> None:
        self.wanted.append(guild)

    def came(self, guild: str) -> None:
        self.complete.append(guild)

    def limited(self, guild: str, seconds: float) -> None:
        self.later.append((guild, seconds))


class Player:
    """A session, and all that was said of it."""

    def __init__(
        self, desk: FakeDesk | None = None, grants: Grants = EVERY_GRANT, tracked: Tracked = EVERYTHING
    ) -> None:
        self.desk = desk or FakeDesk(LEXICON, NOW)
        self.asked = Asked()
        self.session = Session(self.desk, "w1", HOME, self.asked, grants, tracked)
        self.observations: list[Observation] = []

    @property
    def events(self) -> list[Event]:
        return [event for observation in self.observations for event in observation.events]

    def play(self, *frames: Frame) -> list[dict[str, Any]]:
        """What these frames meant, spelled; it keeps the promises that hold for any frames."""
        first = len(self.observations)
        for name, data, now in frames:
            self._play(name, data, now)
            self.observations.extend(self.session.telling.take())
        assert self.session._faults == set()
        told = [event for observation in self.observations[first:] for event in observation.events]
        assert received(told) == told
        counted = [event.id for event in self.events if not isinstance(event, NATURAL)]
        assert len(set(counted)) == len(counted)
        assert all(observation.opened is not None for observation in self.observations)
        return self.spelled(self.observations[first:])

    def spelled(self, observations: Iterable[Observation]) -> list[dict[str, Any]]:
        """What was told, with names; where it is, unless that is the standard guild."""
        found: list[dict[str, Any]] = []
        for observation in observations:
            found.extend(
                {"opened": label(place), "watch": watch} for place, watch in (observation.opened or {}).items()
            )
            for event, spelling in zip(observation.events, self.desk.spelled(observation.events), strict=True):
                where = {"where": label(event.place)} if event.place != Place("discord", GUILD, "") else {}
                found.append({**spelling, **where})
            found.extend({"closed": label(place), "reason": reason} for place, reason in observation.closed.items())
        return found

    def _play(self, name: str, data: Any, now: int) -> None:
        special = {AUDIT: self._audit, BEAT: self._beat, CONSENTS: self._consents, ROSTER: self._roster}
        if name in special:
            special[name](data, now)
        else:
            frame(self.session, name, data, now)

    def _audit(self, _data: Any, now: int) -> None:
        audit(self.session, now)

    def _beat(self, _data: Any, now: int) -> None:
        for event in counted(self.session, now):
            self.session.tell(event)

    def _consents(self, _data: Any, _now: int) -> None:
        self.desk.consents += 1

    def _roster(self, guild: Any, _now: int) -> None:
        self.session.guilds[guild].roster = Roster("userstats-1")


def label(place: Place) -> str:
    """`guild/channel`; `/` is the connection."""
    return f"{place.space}/{place.channel}"


def started(player: Player | None = None, **guild: Any) -> Player:
    """A session with the standard guild in it, of which everything was told; `guild` are other fields of it."""
    player = player or Player()
    player.play(ready(), create(**guild), [AUDIT, None, NOW])
    return player


def tracking(**changes: Any) -> Tracked:
    """What is observed; `channels` and `roles` are excluded."""
    channels, roles = frozenset(changes.pop("channels", ())), frozenset(changes.pop("roles", ()))
    guilds = frozenset(changes.pop("guilds", ()))
    return EVERYTHING._replace(rules=Rules(channels, roles), guilds=guilds, **changes)


# --- payloads, as short as they can be; ids below 2**22 are all of the first moment of Discord's time ---


def ready(*guilds: str, now: int = NOW) -> Frame:
    """READY, with these guilds still to come."""
    unavailable = [{"id": guild, "unavailable": True} for guild in guilds or (GUILD,)]
    return ["READY", {"user": {"id": OWN, "username": "statsbot", "bot": True}, "guilds": unavailable}, now]


def create(now: int = NOW, **changes: Any) -> Frame:
    """GUILD_CREATE of the standard guild."""
    return ["GUILD_CREATE", {**standard(), **changes}, now]


def standard() -> dict[str, Any]:
    """The guild that tests play in."""
    return {
        "id": GUILD, "name": "cinema", "member_count": 3, "afk_channel_id": AFK,
        "channels": [
            {"id": GENERAL, "type": 0, "name": "general"}, {"id": VOICE, "type": 2, "name": "lounge"},
            {"id": ATTIC, "type": 2, "name": "attic"}, {"id": AFK, "type": 2, "name": "away"},
            {"id": FORUM, "type": 15, "name": "ideas"}, {"id": MODS, "type": 0, "name": "mods"},
        ],
        "threads": [], "voice_states": [], "presences": [],
        "members": [member("11", "amy"), member("12", "bob"), member(OWN, "statsbot", bot=True)],
    }  # fmt: skip


def user(account: str, name: str = "", **more: Any) -> dict[str, Any]:
    """A user object."""
    return {"id": account, "username": name or f"user{account}", **more}


def member(account: str, name: str = "", *, nick: str | None = None, roles: Sequence[str] = (), **more: Any) -> Any:
    """A member object, with its user."""
    return {"user": user(account, name, **more), "nick": nick, "roles": list(roles), "joined_at": WHEN}


def message(identity: str, content: str = "", author: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A message of amy's in #general."""
    return {
        "id": identity, "channel_id": GENERAL, "guild_id": GUILD, "type": 0, "content": content,
        "author": author or user("11", "amy"), "member": {"roles": [], "nick": None}, "mentions": [],
        "attachments": [], "embeds": [], **more,
    }  # fmt: skip


def voice(account: str, channel: str | None, *, guild: str = GUILD, bot: bool = False, **flags: Any) -> dict[str, Any]:
    """A voice state."""
    off = {"mute": False, "deaf": False, "self_mute": False, "self_deaf": False, "self_video": False, "suppress": False}
    who: dict[str, Any] = {"roles": [], "nick": None, "user": user(account, bot=bot), "joined_at": WHEN}
    return {"guild_id": guild, "channel_id": channel, "user_id": account, "member": who, **off, **flags}


def presence(account: str, status: str, *activities: Mapping[str, Any], guild: str = GUILD) -> dict[str, Any]:
    """A presence, on the desktop."""
    devices = {} if status == "offline" else {"desktop": status}
    return {
        "user": {"id": account}, "guild_id": guild, "status": status, "client_status": devices,
        "activities": list(activities),
    }  # fmt: skip
