"""The oracle of membership: who was a member of each guild, from when to when, as far as the bridge could see.

Joining and leaving is heard when it is done. At each new session, and when a guild is back, the list of all members
shows who went unseen (`missed`, with the time of that moment) and who came (`found`); when they joined the platform
says itself. Who chose `off` or `anonymous` about messages is not followed any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from statistics import median_high
from typing import NamedTuple

from tests.stand_ins.discord import Deed

from .told import Told
from .town import Town


@dataclasses.dataclass
class Stay:
    """One membership. Times in ms."""

    who: int
    joined: int
    found: bool
    left: int | None = None
    why: str = ""


class Sums(NamedTuple):
    """Of one guild."""

    members: int
    bots: int
    came: int
    went: int
    returned: int
    median_stay_ms: int | None


class Members:
    """Of all guilds."""

    def __init__(self, town: Town, told: Told) -> None:
        self._bots = {one.id for one in (*town.bots, town.site.acting(town.site.me))}
        self._real = {guild: dict(since) for guild, since in told.line.joined.items()}
        """Who is a member, and since when."""
        self.stays: dict[int, list[Stay]] = {guild: [] for guild in self._real}
        self._unknown: set[int] = set()
        lost = {one.after: one.until for one in told.line.silences if one.kind == "lost"}
        for guild in self._real:
            self._look(guild, told.line.began)
        for number, (at, deed, heard) in enumerate(told.all()):
            for guild in self._real if number in lost else ():
                self._look(guild, lost[number])
            if number >= told.line.first:
                self._happened(at, deed, heard)

    def _happened(self, at: int, deed: Deed, heard: bool) -> None:
        who, guild = deed.who or 0, deed.guild or 0
        if deed.what == "joined":
            self._real[guild][who] = deed.at
            if heard and who not in self._unknown:
                self.stays[guild].append(Stay(who, deed.at, found=False))
        elif deed.what in ("left", "kicked", "banned"):
            del self._real[guild][who]
            if heard and (stay := self._open(guild).get(who)) is not None and who not in self._unknown:
                stay.left, stay.why = at, "banned" if deed.what == "banned" else "left"
        elif deed.what in ("outage_over", "bot_joined"):
            self._look(guild, at)
        elif deed.what == "consent" and deed["topic"] == "messages":
            self._unknown.add(who)

    def _look(self, guild: int, at: int) -> None:
        """The bridge sees the list of all members."""
        known = self._open(guild)
        for who, stay in known.items():
            if self._real[guild].get(who) != stay.joined and who not in self._unknown:
                stay.left, stay.why = at, "missed"
        for who, joined in self._real[guild].items():
            if (who not in known or known[who].joined != joined) and who not in self._unknown:
                self.stays[guild].append(Stay(who, joined, found=True))

    def _open(self, guild: int) -> dict[int, Stay]:
        return {stay.who: stay for stay in self.stays[guild] if stay.left is None}

    def sums(self, guild: int) -> Sums:
        """As the overview of the guild tells them, over all time."""
        here = [stay for stay in self.stays[guild] if stay.left is None]
        humans = sorted((one for one in self.stays[guild] if one.who not in self._bots), key=lambda one: one.joined)
        lasted = [stay.left - stay.joined for stay in humans if stay.left is not None]
        came = [one for one in humans if not one.found]
        again = [one for one in came if any(other.who == one.who and other.joined < one.joined for other in humans)]
        bots = sum(one.who in self._bots for one in here)
        median = median_high(lasted) if lasted else None
        return Sums(len(here) - bots, bots, len(came), len(lasted), len(again), median)

    def of(self, who: int) -> Iterator[tuple[int, Stay]]:
        """The memberships of a person, by guild."""
        for guild, stays in self.stays.items():
            for stay in stays:
                if stay.who == who:
                    yield guild, stay
