"""What one shard has heard since it connected, and what there is to say about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, Protocol, TypedDict

from bridges.bridge import Desk, Reason
from userstats.contract.events import Event, EventRefused, Named, Place
from userstats.contract.process import told as told_of

from . import payload
from .guild import PLATFORM, Guild, Rules, Thread
from .memory import Recent, Said
from .payload import NOBODY, Record, Refused
from .presences import Presences
from .telling import Telling

log = logging.getLogger(__name__)

LONGEST_TOKEN: Final = 32
MOST_EMOTES: Final = 20_000
DELETED: Final = "deleted_user_"
"""With which Discord names an account that is no more: what it was called before says more."""
_PRIVILEGED: Final[tuple[Literal["members", "presences", "message_content"], ...]] = (
    "members", "presences", "message_content",
)  # fmt: skip


class Grants(NamedTuple):
    """The privileged intents that a connection has."""

    members: bool = True
    presences: bool = True
    message_content: bool = True

    @property
    def missing(self) -> tuple[Literal["members", "presences", "message_content"], ...]:
        """Those that it has not."""
        return tuple(name for name in _PRIVILEGED if not getattr(self, name))


class Tracked(NamedTuple):
    """What is to be observed, by the settings."""

    guilds: frozenset[str] = frozenset()
    """Empty: all."""
    rules: Rules = Rules()
    voice: bool = True
    games: bool = True
    status: bool = True
    remember_messages: int = 20_000
    remember_people: int = 100_000
    audit: int = 300_000
    """Milliseconds between two snapshots of a guild."""


EVERY_GRANT: Final = Grants()
EVERYTHING: Final = Tracked()


class Asking(Protocol):
    """Gets lists of members; see `rosters.py`."""

    def want(self, guild: str) -> None:
        """Somebody should ask for the members of this guild."""
        ...

    def came(self, guild: str) -> None:
        """All members of this guild have come."""
        ...

    def limited(self, guild: str, seconds: float) -> None:
        """Discord wants to be asked about this guild again later."""
        ...


class Heading(TypedDict):
    """What every event says, as keyword arguments."""

    id: int
    at: int
    seen: int
    place: Place
    watch: str


class Session:
    """One watch: from the connection of a client to its end, over as many of Discord's own sessions as it has.

    `home` is where what concerns no guild happens: presences, private messages.
    """

    def __init__(
        self,
        desk: Desk,
        watch: str,
        home: Place,
        asking: Asking,
        grants: Grants = EVERY_GRANT,
        tracked: Tracked = EVERYTHING,
    ) -> None:
        self.desk = desk
        self.home = home
        self.asking = asking
        self.grants = grants
        self.tracked = tracked
        self.telling = Telling()
        self.watch = ""
        """Of `home`; empty before Discord's first session has begun."""
        self.began = 0
        """When Discord's present session began."""
        self.own = ""
        """The bot's account."""
        self.guilds: dict[str, Guild] = {}
        """Those that are observed now."""
        self.pending: set[str] = set()
        """Those that Discord is still to tell of since the session began."""
        self.archived: dict[str, Recent[str, Thread]] = {}
        """Threads of guilds that are not observed just now: what happens in them later names no channel."""
        self.presences = Presences()
        self.presences_told = 0
        """When all presences were told last; 0: not in this session."""
        self.presences_asked = False
        """They are to be told soon, since guilds came or went."""
        self.consents = desk.consents
        self.messages: Recent[str, Said] = Recent(tracked.remember_messages)
        self.met: Recent[str, int] = Recent(tracked.remember_people)
        """Digests of the names that were told of people."""
        self.emotes: Recent[str, str] = Recent(MOST_EMOTES)
        """Names of a community's own emotes, by id: of one that is deleted no name is sent."""
        self.bots: Recent[str, bool] = Recent(tracked.remember_people)
        self._base = watch
        self._watches = self._n = 0
        self._faults: set[str] = set()

    def open(self, place: Place) -> str:
        """Begin to observe a place; gives the watch that its events name."""
        self._watches += 1
        watch = f"{self._base}.{self._watches}"
        self.telling.open(place, watch)
        return watch

    def close(self, guild: Guild, reason: Reason) -> None:
        """Cease to observe a guild."""
        del self.guilds[guild.id]
        guild.put_threads_away()
        self.archived[guild.id] = guild.archived
        self.telling.close(guild.place, reason)

    def person(self, account: str) -> int:
        """Their pseudonym."""
        return self.desk.pseudonyms.person(PLATFORM, account)

    def heading(self, kind: str, guild: Guild | None, now: int, at: int | None = None) -> Heading:
        """For a fact without natural identity on Discord: it is the next one of this watch."""
        self._n += 1
        place, watch = (self.home, self.watch) if guild is None else (guild.place, guild.watch)
        identity = self.desk.pseudonyms.event(PLATFORM, kind, self._base, self._n)
        return Heading(id=identity, at=now if at is None else at, seen=now, place=place, watch=watch)

    def tell(self, event: Event) -> None:
        self.telling.tell(event)

    def guild_of(self, data: Record) -> Guild | None:
        """The guild that a payload is about, where it is one that is observed now."""
        value = data.get("guild_id")
        return self.guilds.get(value) if type(value) is str else self.guilds.get(payload.perhaps(value))

    def is_bot(self, account: str, user: Record = NOBODY) -> bool:
        """Whether this is a bot, as far as it is known; what a payload says of it is remembered."""
        if user.get("bot") is True:
            self.bots.put(account, True)
            return True
        return self.bots.get(account) is not None

    def apart(self, guild: Guild, account: str, member: Record | None = None) -> bool:
        """Whether nothing is to be told of this person here, for a role they have."""
        excluded = guild.barred
        if not guild.rules.roles:
            return False
        roles = member.get("roles") if member is not None else None
        if type(roles) is list:
            if any(type(role) is str and role in excluded for role in roles):
                guild.apart.add(account)
            else:
                guild.apart.discard(account)
        return account in guild.apart

    def meet(self, guild: Guild | None, user: Record, member: Record | None, now: int) -> str:
        """Tell how this person is called, unless it was told. Gives their account."""
        account = payload.account(user.get("id"))
        bot = self.is_bot(account, user)
        username, display = user.get("username"), user.get("global_name")
        if type(username) is not str or username.startswith(DELETED):
            return account
        digest = hash((username, display if type(display) is str else None))
        fresh = self.met.get(account) != digest
        nick = ""
        if guild is not None and member is not None:
            nick = payload.name(member.get("nick"))
            before = guild.nicks.get(account)
            if before is None:
                for name in names_of(user, member):
                    guild.names.put(name, True)
            if before != nick:
                guild.nicks.put(account, nick)
                fresh = fresh or bool(before or nick)
        if fresh:
            self.met.put(account, digest)
            self._name(guild, account, (payload.name(username), payload.name(display), nick), bot=bot, now=now)
        return account

    def _name(self, guild: Guild | None, account: str, names: tuple[str, str, str], *, bot: bool, now: int) -> None:
        """The name that is told last is the one people see: the nickname, else the display name."""
        last: dict[str, tuple[str, bool]] = {}
        for name, everywhere in zip(names, (True, True, False), strict=True):
            folded = name.casefold()
            if name:
                said_before = last.pop(folded, None) is not None
                last[folded] = (name, everywhere or said_before)
        for later, (folded, (name, everywhere)) in enumerate(last.items()):
            heading = self.heading("named", guild, now, now + later)
            key, person = self.desk.pseudonyms.name(folded), self.person(account)
            self.tell(Named(**heading, key=key, name=name, person=person, account=account, bot=bot,
                            everywhere=everywhere))  # fmt: skip
            if guild is not None:
                guild.names.put(folded, True)

    def forget_names(self) -> None:
        """Tell of everybody's names again when they are met: of some it was not to be told until now."""
        self.consents = self.desk.consents
        self.met = Recent(self.tracked.remember_people)
        for guild in self.guilds.values():
            guild.nicks, guild.roles = Recent(self.tracked.remember_people), Recent(self.tracked.remember_people)

    def refuse(self, frame: str, reason: payload.Reason, content: object, now: int, count: int = 1) -> None:
        """Say that a payload, or a part of it, was of no use. Before a session has begun there is nowhere to say it."""
        if not self.watch:
            return
        heading = self.heading("refused", self._about(content), now)
        self.tell(EventRefused(**heading, refused=frame[:LONGEST_TOKEN], reason=reason, bytes=payload.weight(content),
                               count=count))  # fmt: skip

    def failed(self, frame: str, error: Exception, content: object, now: int) -> None:
        """A payload was not understood for a reason that nobody thought of; each kind is logged once."""
        what = f"{frame} {type(error).__name__}"
        if what not in self._faults:
            self._faults.add(what)
            log.error("%s is not understood: %s", frame[:LONGEST_TOKEN], told_of(error))
        self.refuse(frame, "malformed", content, now)

    def _about(self, content: object) -> Guild | None:
        if not isinstance(content, Mapping):
            return None
        try:
            return self.guild_of(content)
        except Refused:
            return None


def names_of(user: Record, member: Record | None) -> tuple[str, ...]:
    """Every name that this person wears, casefolded."""
    worn = [user.get("username"), user.get("global_name"), (member or NOBODY).get("nick")]
    return tuple(name.casefold() for name in worn if type(name) is str and name)
