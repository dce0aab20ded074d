"""Which history is read next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .archive import Source
from .guild import Guild
from .histories import SPOKEN_IN, THREADED, Histories, History
from .session import Session
from .settings import Discord

DAY: Final = 86_400_000


class Due:
    """Gives all histories of a shard their turns, as the settings want them and Discord allows it."""

    def __init__(
        self, session: Session, source: Source, settings: Discord, histories: Histories, ready: Callable[[str], bool]
    ) -> None:
        """`ready`: whether the histories of this guild may be read yet."""
        self._session = session
        self._source = source
        self._settings = settings
        self._histories = histories
        self._ready = ready
        self._turn = 0

    def next(self, now: int) -> History | None:
        """Whose turn it is: the next one after the last, of those of which there is something to read."""
        known = [one for one in self._histories if self._is_due(one, now)]
        if not known:
            return None
        found = min((one for one in known if int(one.id) > self._turn), key=_age, default=None) or min(known, key=_age)
        self._turn = _age(found)
        return found

    def _is_due(self, history: History, now: int) -> bool:
        guild = self._session.guilds.get(history.guild)
        if guild is None or history.state == "complete" or not history.told or history.again > now:
            return False
        if not self._ready(history.guild) or not is_observed(guild, history):
            return False
        if history.state == "forbidden":
            return self._source.reads(history.guild, history.channel) is not False
        return self._wants(history, now) and not self._open(history, now)

    def _wants(self, history: History, now: int) -> bool:
        """Whether it is to be read further than it is; a limit that is passed is still to be told of."""
        return history.state == "running" or history.reached > self.since(now)

    def _open(self, history: History, now: int) -> bool:
        """Whether archived threads of it are to be read first."""
        if not history.open:
            return False
        threads = [self._histories.find(one) for one in history.open]
        left = tuple(one.id for one in threads if one is not None and one.state == "running" and self._wants(one, now))
        if left != history.open:
            history.open = left
            self._histories.changed(history, tell=False)
        return bool(left)

    def since(self, now: int) -> int:
        days = self._settings.backfill_days
        return max(0, now - days * DAY) if days else 0

    def is_forum(self, history: History) -> bool:
        """Whether only threads of this channel have messages."""
        type_ = self._type(history)
        return type_ != "" and type_ not in SPOKEN_IN

    def has_threads(self, history: History) -> bool:
        """Whether it can have threads."""
        return self._type(history) in THREADED

    def _type(self, history: History) -> str:
        """Of a channel; empty for a thread."""
        guild = self._session.guilds.get(history.guild)
        channel = guild.channels.get(history.channel) if guild is not None and not history.thread else None
        return "" if channel is None else channel.type


def is_observed(guild: Guild, history: History) -> bool:
    """Whether there is anything to be told of this channel or thread."""
    if history.thread in guild.rules.channels:
        return False
    return not history.channel or (history.channel in guild.channels and not guild.hidden(history.channel))


def _age(history: History) -> int:
    return int(history.id)
