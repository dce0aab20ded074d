"""What a bridge is.

A bridge connects to one room (or shard) of a platform and says what happens until the connection ends. Everything
else - outbox, publishing, reconnecting, beats, consent - is `runner.py`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from userstats.contract.events import Event, Place
from userstats.contract.pseudonym import Pseudonyms

from .text import Lexicon

NOTHING: Final[Mapping[str, str]] = {}


class Observation(NamedTuple):
    """What one frame of the platform meant. An empty one is proof of life and nothing more."""

    events: Sequence[Event] = ()
    cursor: Mapping[str, str] = NOTHING
    """What the bridge must still know after a crash (how far it read a replayed history), kept in the outbox in the
    same transaction as the events."""


class Desk(Protocol):
    """What the runner lends to a bridge."""

    @property
    def pseudonyms(self) -> Pseudonyms: ...

    @property
    def lexicon(self) -> Lexicon:
        """Phrases of thanks and the names known in the bridge's place, as of now."""
        ...

    def cursor(self, key: str) -> str | None:
        """What an earlier observation of this bridge's place left under this key."""
        ...

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class Ended(Exception):
    """The watch is over; raised by `watch`. The runner says why (BridgeStopped) and tries again after `retry_in`."""

    def __init__(
        self,
        reason: Literal["kicked", "banned", "lost", "moved", "replaced", "refused"],
        explanation: str,
        retry_in: float = 0.0,
    ) -> None:
        super().__init__(explanation)
        self.reason = reason
        self.explanation = explanation
        self.retry_in = retry_in
        """Seconds to wait at least; 0 leaves it to the runner's back-off."""


class Bridge(Protocol):
    """One room of one platform."""

    @property
    def name(self) -> str:
        """The bridge's folder name: cytube, kryten, demo."""
        ...

    @property
    def place(self) -> Place:
        """The room; the runner holds one lease for it, so that two bridges never tell of the same room."""
        ...

    def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        """Connect, then say what happens until the connection ends (`Ended`, or any other error: lost).

        Every event names `watch`. The first observation means: connected, and the room is being observed from now on;
        it holds, or is soon followed by, a RosterSeen.
        """
        ...

    def beat(self, now: int) -> Sequence[Event]:
        """What to say with each beat of the running watch (PopulationCounted), about every 30 seconds."""
        ...
