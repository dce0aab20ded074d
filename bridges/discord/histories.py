"""What is known of the history of each channel and thread: where it begins, and how far it is counted.

The history of a channel is what was said before the bridge knew of it for the first time ever, up to the last message
that Discord named then; what comes later is observed. So that no message is both, where it begins is on disk before
anything that was observed there, whether histories are read or not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterator
from typing import Final, Literal, TypeVar

import msgspec

from userstats.contract.events import BackfillReached, Place

from . import payload
from .guild import PLATFORM, Guild
from .payload import Record
from .session import Session

log = logging.getLogger(__name__)

T = TypeVar("T", "History", "Last")
State = Literal["running", "complete", "forbidden", "partial"]
Listing = Literal["public", "private", "done"]
KEY: Final = "history."
"""With which the cursor of a channel begins; its id follows."""
GUILD: Final = "of."
"""What comes between, in that of a guild."""
SPOKEN_IN: Final = frozenset(("text", "announcement", "voice", "stage"))
THREADED: Final = frozenset(("text", "announcement", "forum"))

Sees = Callable[[str, str], bool | None]
"""(guild, channel) -> whether the bot may see the channel; None: it is not known."""


class History(msgspec.Struct, omit_defaults=True):
    """The history of a channel, or of one thread in it; as a cursor of the bridge keeps it."""

    guild: str
    channel: str
    """Of a thread the channel it is in; empty where that was not known."""
    thread: str
    newest: int
    """0: there is none."""
    oldest: int
    """What is older than this id is still to be counted."""
    reached: int
    """When that was said, in milliseconds."""
    state: State = "running"
    told: bool = False
    """Userstats was told where it begins."""
    news: bool = False
    """Something of it has changed since then that is to be told."""
    listing: Listing = "done"
    """Which of the channel's archived threads are to be listed next."""
    before: str = ""
    """Where their list goes on."""
    open: tuple[str, ...] = ()
    """Archived threads that were listed and are still to be read."""
    again: int = 0
    """It was refused, and is not asked for again before this time."""
    round: int = 0
    """As `Last.round` was."""

    @property
    def id(self) -> str:
        return self.thread or self.channel

    @property
    def place(self) -> Place:
        return Place(PLATFORM, self.guild, self.channel)


class Last(msgspec.Struct, omit_defaults=True):
    """What was told last of the histories of a guild. If userstats counted that, it counted all that was told."""

    round: int = 0
    """Grows when something that was told came to nothing."""
    id: str = ""
    oldest: int = 0
    state: State = "running"


class Histories:
    """Those of all channels that a shard observes."""

    def __init__(self, session: Session, sees: Sees) -> None:
        self._session = session
        self._sees = sees
        self.reckoned: set[str] = set()
        """Guilds of which it is known how far userstats is."""
        self._known: dict[str, History] = {}
        self._unkept: dict[str, History] = {}
        self._lasts: dict[str, Last] = {}
        self._unkept_lasts: dict[str, Last] = {}
        self._begun: list[tuple[History, int]] = []
        """Of which it was told where they begin, and where that is."""
        self._fresh: set[str] = set()
        """Of which this watch was the first to tell."""
        self._waiting: dict[str, History] = {}
        """Of which something is to be told."""

    def __iter__(self) -> Iterator[History]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    @property
    def own(self) -> str:
        """The bot's account."""
        return self._session.own

    def find(self, account: str) -> History | None:
        """That of this channel or thread, if it was ever known."""
        known = self._known.get(account) or self._unkept.get(account)
        if known is None and (known := self._kept(account, History)) is not None:
            self._known[account] = known
            if known.round != self.last(known.guild).round:
                self.begin_again(known)
            if known.news or not known.told:
                self._waiting[account] = known
        return known

    def last(self, guild: str) -> Last:
        """What was told last of this guild before this watch."""
        known = self._lasts.get(guild)
        if known is None:
            known = self._lasts[guild] = self._kept(f"{GUILD}{guild}", Last) or Last()
        return known

    def doubt(self, guild: str) -> None:
        """Something that was told of this guild came to nothing: all its histories are read again from where they
        begin, but for what userstats has."""
        self._lasts[guild] = self._unkept_lasts[guild] = Last(self.last(guild).round + 1)
        for history in self._known.values():
            if history.guild == guild:
                self.begin_again(history)

    def begin_again(self, history: History) -> None:
        """It is to be read from where it begins."""
        if history.newest:
            history.oldest, history.reached = history.newest + 1, payload.made(str(history.newest))
            history.state, history.before, history.open, history.again = "running", "", (), 0
            history.listing = "done" if history.thread else "public"
        history.told, history.round = False, self.last(history.guild).round
        self.changed(history)

    def _kept(self, key: str, kind: type[T]) -> T | None:
        kept = self._session.desk.cursor(f"{KEY}{key}")
        if kept is None:
            return None
        try:
            return msgspec.json.decode(kept, type=kind)
        except msgspec.MsgspecError:
            log.warning("what another version kept of a history is of no use; userstats is asked")
            return None

    def put(self, history: History) -> None:
        """It is known from now on."""
        history.round = self.last(history.guild).round
        self._known[history.id] = history
        self._unkept[history.id] = history
        self._waiting.pop(history.id, None)

    def changed(self, history: History, *, tell: bool = True) -> None:
        """It is to be kept, and userstats is to be told how it is now."""
        self._unkept[history.id] = history
        if tell:
            self.tell(history)

    def tell_missing(self, guild: str, counted: Container[str]) -> None:
        """Those of which userstats knows nothing, though an earlier watch told of them, are to be told again."""
        for history in self._known.values():
            if history.guild == guild and history.id not in counted and history.id not in self._fresh:
                self.tell(history)

    def tell(self, history: History) -> None:
        """Userstats is to be told how it is."""
        history.news = True
        self._waiting[history.id] = history

    def forget(self, history: History) -> None:
        """It need not be remembered here: the cursor does."""
        self._known.pop(history.id, None)

    def cursor(self) -> dict[str, str]:
        """What has changed since this was asked for last."""
        found = {f"{KEY}{account}": msgspec.json.encode(one).decode() for account, one in self._unkept.items()}
        found |= {
            f"{KEY}{GUILD}{guild}": msgspec.json.encode(one).decode() for guild, one in self._unkept_lasts.items()
        }
        self._unkept.clear()
        self._unkept_lasts.clear()
        return found

    def waiting(self) -> list[History]:
        """Those of which something is to be told, for this once."""
        found, self._waiting = list(self._waiting.values()), {}
        return found

    def reached(self, history: History, guild: Guild, now: int) -> BackfillReached:
        """How it is now, as it is told."""
        last = Last(self.last(guild.id).round, history.id, history.oldest, history.state)
        if guild.id in self.reckoned:  # else it would hide that something before it came to nothing
            self._unkept_lasts[guild.id] = last
        heading = self._session.heading("backfill", guild, now)
        heading["place"] = history.place
        return BackfillReached(**heading, oldest=history.oldest, newest=history.newest, reached=history.reached,
                               state=history.state, thread=history.thread)  # fmt: skip

    def sight(self, guild: Guild, account: str, last: object, *, thread: bool, new: bool = False) -> History | None:
        """A channel or thread that may be new to us, and the last message that Discord named in it. Where the bot may
        not see it, nothing is observed, and so its history has not ended yet."""
        known = self.find(account)
        where = guild.where(account)
        if known is not None or where is None:
            return known
        channel = where[0].channel if thread else account
        if self._sees(guild.id, channel) is False:
            return None
        newest = 0 if new else int(payload.perhaps(last) or 0)
        return self._begin(guild, channel, account if thread else "", newest)

    def listed(self, guild: Guild, channel: str, thread: str, last: object) -> History:
        """An archived thread, and the last message that Discord named in it."""
        return self.find(thread) or self._begin(guild, channel, thread, int(payload.perhaps(last) or 0))

    def heard(self, data: Record) -> bool:
        """A message that was just said: what is older, in a channel not known yet, is its history. False: it was read
        from the history already, and must not count again."""
        channel, message = payload.account(data.get("channel_id")), int(payload.account(data.get("id")))
        known = self._known.get(channel)
        if known is not None and message > known.newest:
            return True
        guild = self._session.guild_of(data)
        if guild is None or (where := guild.where(channel)) is None:
            return True
        known = known or self.find(channel)
        if known is None:
            self._begin(guild, where[0].channel, where[1], message - 1)
        elif known.newest >= message:
            if known.oldest <= message:
                return False
            known.oldest, known.reached = message, payload.made(str(message))
            self.changed(known)
        return True

    def _begin(self, guild: Guild, channel: str, thread: str, newest: int) -> History:
        account = thread or channel
        newest = newest if newest >= int(account) else 0
        history = History(
            guild.id, channel, thread, newest, newest + 1 if newest else int(account),
            payload.made(str(newest or account)), "running" if newest else "complete",
            listing="public" if newest and not thread else "done",
        )  # fmt: skip
        self.put(history)
        self._begun.append((history, history.oldest))
        self._fresh.add(account)
        self._session.tell(self.reached(history, guild, self._session.desk.now()))
        return history

    def begun(self) -> None:
        """Where histories begin is told by now."""
        for history, oldest in self._begun:
            if history.oldest == oldest and self._known.get(history.id) is history:
                history.told = True
                self.changed(history, tell=False)
        self._begun.clear()
