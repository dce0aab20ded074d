"""What a bridge remembers of one guild between two payloads."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypedDict

from userstats.contract.events import InVoice, Member, Place, Voice

from .memory import Recent

PLATFORM: Final = "discord"
MOST_CHANNELS: Final = 2_000
"""Discord allows 500 in a guild."""
MOST_THREADS: Final = 10_000
"""Open at once; Discord allows 1000. As many that were archived are remembered."""
MOST_IN_VOICE: Final = 20_000
MOST_NAMES: Final = 50_000
"""Names that can be thanked."""

ChannelType = Literal["text", "voice", "category", "announcement", "stage", "forum"]
TYPES: Final[dict[int, ChannelType]] = {
    0: "text", 2: "voice", 4: "category", 5: "announcement", 13: "stage", 14: "text", 15: "forum", 16: "forum",
}  # fmt: skip
"""By Discord's number; 14 is a hub's directory, 16 a forum of media."""


class Rules(NamedTuple):
    """What and who is not told about: ids or casefolded names of channels, categories and roles."""

    channels: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


NO_RULES: Final = Rules()


class Channel(NamedTuple):
    """One channel."""

    place: Place
    type: ChannelType
    name: str
    parent: str
    """Its category, or empty."""


class Thread(NamedTuple):
    """One thread."""

    parent: str
    owner: str = ""


class Seat(NamedTuple):
    """Somebody's state in voice."""

    channel: str
    muted: bool
    deafened: bool
    streaming: bool
    video: bool
    bot: bool
    apart: bool = False
    """They are counted, and not told about."""


class Numbers(TypedDict):
    """The numbers of a guild, as `GuildCounted` has them."""

    members: int
    online: int | None
    idle: int | None
    voice: int | None
    threads: int
    categories: int
    text: int
    voice_channels: int
    stages: int
    forums: int
    announcements: int


class Roster:
    """A list of members that is arriving in chunks."""

    __slots__ = ("chunks", "left", "members", "nonce", "torn")

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        self.chunks: set[int] = set()
        self.members: dict[str, Member] = {}
        self.left: set[str] = set()
        """Who left while it arrived."""
        self.torn = False
        """Something in it could not be read."""


class Guild:
    """One guild in one watch."""

    def __init__(self, account: str, rules: Rules, remember: int) -> None:
        """`remember` is of how many people it is remembered what was told of them."""
        self.id = account
        self.place = Place(PLATFORM, account, "")
        self.watch = ""
        """What its events name; it has one from the moment it is observed."""
        self.rules = rules
        self.name = ""
        self.afk = ""
        """The AFK channel."""
        self.members: int | None = None
        self.approximately: tuple[int, int] | None = None
        """Members and those online, as Discord's API counts them where an intent is missing."""
        self.barred: set[str] = set(rules.roles)
        """The ids of the excluded roles."""
        self.channels: dict[str, Channel] = {}
        self.threads: dict[str, Thread] = {}
        """Those that are open."""
        self.archived: Recent[str, Thread] = Recent(MOST_THREADS)
        self.seats: dict[str, Seat] = {}
        """Who is in a voice channel that is told about, by account."""
        self.devices: dict[str, str] = {}
        """Discord's id of the client with which they are there."""
        self.heads: dict[str, InVoice] = {}
        """How many are in each voice channel."""
        self.roster: Roster | None = None
        self.banned: Recent[str, bool] = Recent(1_000)
        """Who was banned lately: their leaving follows."""
        self.nicks: Recent[str, str] = Recent(remember)
        self.roles: Recent[str, int] = Recent(remember)
        """Digests of the roles that were told."""
        self.apart: set[str] = set()
        """People who have an excluded role, as far as roles have been seen."""
        self.names: Recent[str, bool] = Recent(MOST_NAMES)
        """Casefolded names of people seen here."""
        self.numbers: Numbers | None = None
        """What was told last; None: they are to be told again."""
        self.audited = 0
        """When everything was told last."""

    def hidden(self, channel: str) -> bool:
        """Whether this channel is excluded, itself or with its category."""
        if not self.rules.channels:
            return False
        known = self.channels.get(channel)
        return self._excluded(channel) or (known is not None and self._excluded(known.parent))

    def _excluded(self, channel: str) -> bool:
        known = self.channels.get(channel)
        names = self.rules.channels
        return channel in names or (known is not None and known.name.casefold() in names)

    def read_role(self, role: str, name: str) -> None:
        """A role is called so from now on."""
        if name.casefold() in self.rules.roles:
            self.barred.add(role)
        elif role not in self.rules.roles:
            self.barred.discard(role)

    def thread(self, account: str) -> Thread | None:
        """The thread with this id, open or archived lately."""
        return self.threads.get(account) or self.archived.get(account)

    def put_threads_away(self, *parents: str) -> None:
        """Which threads (of these channels) are open is told anew; of what channel each is, is still known."""
        for account, thread in list(self.threads.items()):
            if not parents or thread.parent in parents:
                del self.threads[account]
                self.archived.put(account, thread)

    def where(self, channel: str) -> tuple[Place, str] | None:
        """The place of what happens in this channel, and the thread if it is one. None: it is excluded.

        Of which channel a thread is, no message says; where it is not known, it happens in the guild.
        """
        known = self.channels.get(channel)
        if known is not None:
            return None if self.hidden(channel) else (known.place, "")
        if channel in self.rules.channels:
            return None
        thread = self.thread(channel)
        known = self.channels.get(thread.parent) if thread is not None else None
        if thread is None or known is None:  # most likely a thread of a channel that is not known
            return self.place, channel
        return None if self.hidden(thread.parent) else (known.place, channel)

    def voice(self, account: str, person: int) -> Voice | None:
        """Somebody's state in voice, as it is told; None: they are in none, or not told about."""
        seat = self.seats.get(account)
        if seat is None or seat.apart:
            return None
        return Voice(
            person, seat.channel, seat.muted, seat.deafened, seat.streaming, seat.video,
            afk=bool(self.afk) and seat.channel == self.afk, bot=seat.bot,
        )  # fmt: skip

    def head(self, channel: str) -> InVoice:
        """How many are in this voice channel."""
        return self.heads.get(channel) or InVoice(channel, 0)

    def sit(self, account: str, seat: Seat | None) -> None:
        """Somebody's state in voice is this from now on; None: they are in no channel."""
        before = self.seats.pop(account, None)
        if seat is None:
            self.devices.pop(account, None)
        if before is not None:
            self._heads(before, -1)
        if seat is not None:
            self.seats[account] = seat
            self._heads(seat, 1)

    def _heads(self, seat: Seat, more: int) -> None:
        head = self.head(seat.channel)
        counted = InVoice(
            seat.channel,
            head.people + more * (not seat.bot and not seat.deafened),
            head.deafened + more * (not seat.bot and seat.deafened),
            head.bots + more * seat.bot,
        )
        if counted.people or counted.deafened or counted.bots:
            self.heads[seat.channel] = counted
        else:
            self.heads.pop(seat.channel, None)
