"""Who is here when: visits, connections that break, and times away from the keyboard.

All of it is a function of the seed, the room, the person and the day, so that whoever starts to watch at any moment
finds the same people here as one who has watched all along.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import Final, Literal, NamedTuple

from .cast import Person
from .dice import DAY, HOUR, MINUTE, SECOND, dice, weekday

LONGEST: Final = 10 * HOUR
_BREAK: Final = 30 * SECOND

Move = Literal["came", "dozed", "woke", "went"]


class Visit(NamedTuple):
    """One connection to the room: from `came` until `went` (exclusive), away during `away`."""

    came: int
    went: int
    away: tuple[tuple[int, int], ...] = ()
    """Times away, in order, apart from each other; the last may end with the visit itself."""


class Attendance:
    """The visits of a company to one room."""

    def __init__(self, seed: int, room: str, company: tuple[Person, ...]) -> None:
        self._seed = seed
        self._room = room
        self._company = company
        self._days: dict[int, list[tuple[Person, Visit]]] = {}

    def moves(self, since: int, until: int) -> list[tuple[int, Move, Person]]:
        """Who comes, goes, leaves the keyboard and returns to it from `since` until `until` (exclusive), in order."""
        found = [
            (at, move, person)
            for person, visit in self._around(since, until)
            for at, move in _moves(visit)
            if since <= at < until
        ]
        return sorted(found, key=lambda one: one[0])

    def before(self, moment: int) -> list[tuple[Person, bool]]:
        """Who is here just before this moment, and whether they are away from the keyboard."""
        return [
            (person, any(start < moment <= end for start, end in visit.away))
            for person, visit in self._around(moment, moment + 1)
            if visit.came < moment <= visit.went
        ]

    def _around(self, since: int, until: int) -> Iterator[tuple[Person, Visit]]:
        for day in range((since - LONGEST) // DAY - 1, (until - 1) // DAY + 1):
            yield from self._visits(day)

    def _visits(self, day: int) -> list[tuple[Person, Visit]]:
        known = self._days.get(day)
        if known is None:
            known = [(person, visit) for person in self._company for visit in self._visits_of(person, day)]
            self._days[day] = known
            for old in [other for other in self._days if other < day - 3]:
                del self._days[old]
        return known

    def _visits_of(self, person: Person, day: int) -> Iterator[Visit]:
        """The connections of a day, none of which lasts into the next day's."""
        tomorrow = self._times(person, day + 1)
        last = tomorrow[0][0] - _BREAK if tomorrow else (day + 2) * DAY
        for came, went in self._times(person, day):
            ends = min(went, last)
            if ends - came >= MINUTE:
                yield Visit(came, ends, self._away(person, came, ends))

    def _times(self, person: Person, day: int) -> list[tuple[int, int]]:
        """The connections of a day as if there were no other days."""
        chance = dice(self._seed, self._room, person.name, "day", day)
        manner = person.manner
        if chance.random() >= (manner.weekend if weekday(day) >= 4 else manner.weekday):
            return []
        came = int((chance.gauss(person.hour, 1.4) % 24) * HOUR)
        stay = min(int(chance.lognormvariate(log(manner.hours), 0.45) * HOUR), LONGEST)
        times = [(came, came + stay)]
        while chance.random() < 0.35 and times[-1][1] - times[-1][0] > 20 * MINUTE:  # the connection breaks
            began, ends = times.pop()
            cut = chance.randint(began + 5 * MINUTE, ends - 10 * MINUTE)
            times += [(began, cut), (cut + chance.randint(4 * SECOND, 90 * SECOND), ends)]
        earlier = came - chance.randint(4 * HOUR, 9 * HOUR)
        if earlier > 0 and chance.random() < 0.25:  # a look in at lunch
            times.insert(0, (earlier, earlier + chance.randint(10 * MINUTE, 50 * MINUTE)))
        return [(day * DAY + began, day * DAY + ends) for began, ends in times]

    def _away(self, person: Person, came: int, went: int) -> tuple[tuple[int, int], ...]:
        chance = dice(self._seed, self._room, person.name, "away", came)
        manner = person.manner
        times: list[tuple[int, int]] = []
        start = came
        while True:
            start += int((4 + chance.expovariate(1 / manner.awake)) * MINUTE)
            if start >= went - MINUTE:
                return tuple(times)
            end = start + int((2 + chance.expovariate(1 / manner.away)) * MINUTE)
            times.append((start, min(end, went)))
            start = end


def _moves(visit: Visit) -> Iterator[tuple[int, Move]]:
    yield visit.came, "came"
    for start, end in visit.away:
        yield start, "dozed"
        if end < visit.went:
            yield end, "woke"
    yield visit.went, "went"
