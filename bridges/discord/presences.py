"""Who is online, as one connection has been told: one state for each person, however many guilds tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from userstats.contract.events import Activity
from userstats.contract.guilds import Status

from .memory import Recent

Device = Literal["desktop", "mobile", "web"]


class Shown(NamedTuple):
    """One person's status."""

    status: Status
    on: tuple[Device, ...] = ()
    activities: tuple[Activity, ...] = ()


OFFLINE: Final = Shown("offline")
MOST_GONE: Final = 20_000


class Online(NamedTuple):
    """How many of a guild are."""

    online: int
    """In whatever way: idle and not to be disturbed included."""
    idle: int


class Presences:
    """The people who are not offline.

    Discord says the same once for each guild it shares with a person, each guild at its own pace. The guild that told
    of a person first is believed about them while they are in it, so that the states of one evening do not come in two
    interleaved orders (guarantee G5). Where it is not told who leaves a guild (`sure` is false), each is believed.
    """

    def __init__(self) -> None:
        self._shown: dict[str, tuple[Shown, tuple[str, ...]]] = {}
        self._gone: Recent[str, tuple[str, ...]] = Recent(MOST_GONE)
        """The guilds of people who went offline, since their other guilds may yet tell what they did before."""

    def __len__(self) -> int:
        return len(self._shown)

    def __iter__(self) -> Iterator[tuple[str, Shown]]:
        return ((account, shown) for account, (shown, _) in self._shown.items())

    def saw(self, account: str, guild: str, shown: Shown, *, sure: bool) -> bool:
        """A guild says this of a person. Whether that is news."""
        before, guilds = self._known(account)
        believed = not guilds or not sure or guilds[0] == guild
        if guild not in guilds:
            guilds = (*guilds, guild)
        news = believed and shown != before
        self._keep(account, shown if news else before, guilds)
        return news

    def left(self, account: str, guild: str) -> bool:
        """Somebody is not in this guild any more. Whether they were online, and nothing is known of them now."""
        shown, guilds = self._known(account)
        if guild not in guilds:
            return False
        rest = tuple(one for one in guilds if one != guild)
        self._keep(account, shown if rest else OFFLINE, rest)
        return not rest and shown != OFFLINE

    def lost(self, guild: str) -> bool:
        """Nothing more is told by this guild. Whether somebody is not known of any more."""
        self._gone = Recent(MOST_GONE)
        here = [account for account, (_, guilds) in self._shown.items() if guild in guilds]
        unknown = [self.left(account, guild) for account in here]
        return any(unknown)

    def _known(self, account: str) -> tuple[Shown, tuple[str, ...]]:
        return self._shown.get(account) or (OFFLINE, self._gone.get(account) or ())

    def _keep(self, account: str, shown: Shown, guilds: tuple[str, ...]) -> None:
        if shown != OFFLINE:
            self._shown[account] = (shown, guilds)
            return
        if self._shown.pop(account, None) is not None or account in self._gone:
            self._gone.put(account, guilds)

    def counted(self) -> dict[str, Online]:
        """How many are online, by guild."""
        online: Counter[str] = Counter()
        idle: Counter[str] = Counter()
        for shown, guilds in self._shown.values():
            online.update(guilds)
            if shown.status == "idle":
                idle.update(guilds)
        return {guild: Online(online[guild], idle[guild]) for guild in online}
