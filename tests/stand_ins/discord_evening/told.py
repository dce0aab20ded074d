"""Which deeds the bridge heard of, and when; and when it observed what. The rule, spelled out:

- While the line is up, a deed is heard when it is done. What happens while the connection is away and resumed again is
  heard at its end: Discord gives no times of voice and presence, so those are counted from then.
- A lost session is never heard of again. What lasted is credited up to the last sign of life before (guarantee G2);
  what is found at the new session lasts from then on. The same holds for a guild in an outage, and for one that the bot
  was thrown out of.
- Silence of more than 90 s (three beats) is unobserved as well, although the session is resumed: what lasted is
  credited up to the last sign of life, and goes on from the next one.
- In a private thread that the bot is not in nothing is heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Final, NamedTuple

from tests.stand_ins.discord import Deed, Record

from .line import Line

GRACE: Final = 90_000


class Heard(NamedTuple):
    """A deed, and when the bridge heard of it."""

    at: int
    deed: Deed


class Stretch(NamedTuple):
    """Time in which something was observed: from `since` up to the last sign of life in it."""

    since: int
    until: int


class Told:
    """What the bridge could know."""

    def __init__(self, record: Record, line: Line, private: Set[int] = frozenset()) -> None:
        self.record = record
        self.line = line
        self.private = private
        self._times = [self._heard_at(number, deed) for number, deed in enumerate(record.deeds)]
        self._hidden = self._unseen()

    def __iter__(self) -> Iterator[Heard]:
        """What was heard since the evening began, in order."""
        for number, deed in enumerate(self.record.deeds):
            at = self._times[number]
            if number >= self.line.first and at is not None and not self._hidden[number]:
                yield Heard(at, deed)

    def all(self) -> Iterator[tuple[int, Deed, bool]]:
        """Every deed, with the time at which the bridge would have heard of it, and whether it did."""
        for number, deed in enumerate(self.record.deeds):
            at = self._times[number]
            heard = number >= self.line.first and at is not None and not self._hidden[number]
            yield (deed.at if at is None else at), deed, heard

    def stretches(self, guild: int | None) -> list[Stretch]:
        """When a guild was observed, or (None) the connection, which tells of presences and private messages."""
        signs = [at for at, deed in self if deed.what == "message" and deed.guild == guild]
        found: list[Stretch] = []
        for begin, end in self._watches(guild):
            since = last = begin
            for sign in [one for one in signs if begin <= one <= end]:
                if sign - last > GRACE:
                    found.append(Stretch(since, last))
                    since = sign
                last = sign
            found.append(Stretch(since, last))
        return found

    def _watches(self, guild: int | None) -> Iterator[tuple[int, int]]:
        """When watches of it began and ended; by the number of the deed, since the clock may stand still."""
        marks = [(self.line.first, "began", self.line.began)]
        for one in self.line.silences:
            if one.kind == "lost":
                marks += [(one.first, "ended", one.since), (one.after, "began", one.until)]
        kinds = {"outage": "ended", "bot_left": "ended", "outage_over": "began", "bot_joined": "began"}
        for number, deed in enumerate(self.record.deeds):
            if number >= self.line.first and guild is not None and deed.guild == guild and deed.what in kinds:
                marks.append((number, kinds[deed.what], deed.at))
        marks.append((len(self.record), "ended", self.line.asked))
        begin = None
        for _, what, at in sorted(marks, key=lambda mark: (mark[0], mark[1] == "began")):
            if what == "began":
                begin = at
            elif begin is not None:
                yield begin, at
                begin = None

    def _heard_at(self, number: int, deed: Deed) -> int | None:
        for silence in self.line.silences:
            if silence.first <= number < silence.after:
                return silence.until if silence.kind == "replayed" else None
        return deed.at

    def _unseen(self) -> list[bool]:
        """Whether a deed is of a guild that nobody sees just then, or in a thread that the bot may not see."""
        away: set[int] = set()
        found = []
        for deed in self.record.deeds:
            if deed.what in ("outage", "bot_left") and deed.guild is not None:
                away.add(deed.guild)
            private = deed.channel in self.private and deed.what != "voice"
            found.append(private or (deed.guild in away and deed.what not in ("outage", "bot_left")))
            if deed.what in ("outage_over", "bot_joined") and deed.guild is not None:
                away.discard(deed.guild)
        return found
