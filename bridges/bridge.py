"""What a bridge is.

A bridge connects to one room (or shard) of a platform and says what happens until the connection ends. Everything
else - outbox, publishing, reconnecting, beats, consent - is `runner.py`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

from userstats.contract.admission import Consents
from userstats.contract.events import Event, Place
from userstats.contract.pseudonym import Pseudonyms

from .text import Lexicon

NOTHING: Final[Mapping[str, str]] = {}
Reason = Literal["stopped", "kicked", "banned", "lost", "moved", "replaced", "refused"]
"""Why a watch ended (`BridgeStopped.reason`)."""
NOWHERE: Final[Mapping[Place, Reason]] = {}


class Observation(NamedTuple):
    """What one frame of the platform meant. An empty one is proof of life and nothing more."""

    events: Sequence[Event] = ()
    cursor: Mapping[str, str] = NOTHING
    """What the bridge must still know after a crash (how far it read a replayed history), kept in the outbox in the
    same transaction as the events."""
    opened: Mapping[Place, str] | None = None
    """Places that are observed from here on, each with the watch that its events name. None: the bridge observes its
    own place and no other, under the watch that `watch` was given."""
    closed: Mapping[Place, Reason] = NOWHERE
    """Places that are not observed any more; said after the events."""


class Desk(Protocol):
    """What the runner lends to a bridge."""

    @property
    def pseudonyms(self) -> Pseudonyms: ...

    @property
    def lexicon(self) -> Lexicon:
        """Phrases of thanks and the names known in the bridge's place, as of now."""
        ...

    @property
    def consents(self) -> int:
        """Another number means that somebody may be told about, or has another pseudonym, who was not or had not: a
        bridge that tells of changes only then tells everything again."""
        ...

    @property
    def consent(self) -> Consents:
        """What holds for whom, as of now: a value that is never changed, only replaced."""
        ...

    def cursor(self, key: str) -> str | None:
        """What an earlier observation of this bridge's place left under this key."""
        ...

    @property
    def crowded(self) -> bool:
        """Whether more than half of the room for events that wait is taken: what is not urgent should not be told."""
        ...

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        """What userstats answers; see `Way.ask`."""
        ...

    async def learn(self) -> None:
        """Ask userstats at once what is new of phrases, names and consent: somebody has just changed something."""
        ...

    def recall(self, key: str) -> str | None:
        """A text that `remember` kept, in this run or an earlier one."""
        ...

    async def remember(self, key: str, value: str) -> None:
        """Keep a text over a restart."""
        ...


class Ended(Exception):
    """The watch is over; raised by `watch`. The runner says why (BridgeStopped) and tries again after `retry_in`."""

    def __init__(
        self,
        reason: Reason,
        explanation: str,
        retry_in: float = 0.0,
    ) -> None:
        super().__init__(explanation)
        self.reason = reason
        self.explanation = explanation
        self.retry_in = retry_in
        """Seconds to wait at least; 0 leaves it to the runner's back-off."""


@runtime_checkable
class Lacking(Protocol):
    """What a bridge may be beside: one that works, but must do without something."""

    @property
    def trouble(self) -> str:
        """What that is, for whoever looks after it; empty: nothing."""
        ...


class Bridge(Protocol):
    """One room of one platform."""

    @property
    def name(self) -> str:
        """The bridge's folder name: cytube, kryten, demo."""
        ...

    @property
    def place(self) -> Place:
        """The room, or the connection that is observed; the runner holds one lease for it, so that two bridges never
        tell of the same."""
        ...

    def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        """Connect, then say what happens until the connection ends (`Ended`, or any other error: lost).

        ConfigError ends the process: it says which setting must be changed before trying again is of any use.

        Every event names `watch`, or the watch under which its place was `opened`. The first observation means:
        connected, and the room is being observed from now on; it holds, or is soon followed by, a RosterSeen.
        """
        ...

    def beat(self, now: int) -> Sequence[Event]:
        """What to say with each beat of the running watch (PopulationCounted), about every 30 seconds.

        `now` is the last sign of life: what is said with a beat must not make the watch look more alive than it is.
        """
        ...
