"""The play: what happens in a demo room, and when. Pure and seeded; it reads no clock.

Time is cut into quarter hours, each played with its own dice. So the play can be entered at any moment, and from there
on it is the same as for whoever has watched from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from math import cos, pi
from typing import Final

from .actions import Action, Came, Change, Dozed, Played, Scene, Went, Woke
from .attendance import Attendance, Move
from .cast import BOT, cast, company
from .dice import DAY, HOUR, MINUTE, dice
from .programme import Programme
from .talk import Talk

BLOCK: Final = 15 * MINUTE
_PEAK: Final = 21
"""The hour of the evening, UTC, when most people are here."""

_MOVES: Final[dict[Move, type[Came | Went | Dozed | Woke]]] = {"came": Came, "went": Went, "dozed": Dozed, "woke": Woke}


class Script:
    """What happens in one room. Times are milliseconds since the epoch, UTC."""

    def __init__(self, seed: int, room: str, people: int, share: float = 1.0) -> None:
        """`people` is the size of the cast, `share` the part of it that comes to this room."""
        self._seed = seed
        self._room = room
        self._people = {person.name: person for person in company(cast(people), room, share)}
        everyone = tuple(self._people.values())
        self._attendance = Attendance(seed, room, everyone)
        self._programme = Programme(seed, room, everyone)

    def play(self, since: int) -> Iterator[tuple[int, Action]]:
        """What happens after this moment, in order and without end."""
        for number in count(since // BLOCK):
            for at, action in self._block(number * BLOCK):
                if at > since:
                    yield at, action

    def scene(self, moment: int) -> Scene:
        """The room at this moment, after what happens in it."""
        start = moment // BLOCK * BLOCK
        before = self._before(start)
        present, film = dict(before.present), before.film
        for _, change in self._changes(start, moment + 1):
            match change:
                case Played(begun):
                    film = begun
                case Went(name):
                    del present[name]
                case Came(name) | Dozed(name) | Woke(name):
                    present[name] = isinstance(change, Dozed)
        return Scene(tuple(present.items()), film)

    def anonymous(self, moment: int) -> int:
        """How many watch without a name; the platform only counts them."""
        evening = 0.5 + 0.5 * cos(2 * pi * (moment % DAY / HOUR - _PEAK) / 24)
        chance = dice(self._seed, self._room, "anonymous", moment // (5 * MINUTE))
        return round(len(self._people) * (0.05 + 0.35 * evening**2) * chance.uniform(0.8, 1.2))

    def _block(self, start: int) -> list[tuple[int, Action]]:
        talk = Talk(dice(self._seed, self._room, "talk", start), start, self._before(start), self._people)
        for at, change in self._changes(start, start + BLOCK):
            talk.until(at)
            talk.happen(change)
        talk.until(start + BLOCK)
        return talk.played

    def _before(self, moment: int) -> Scene:
        here = ((person.name, away) for person, away in self._attendance.before(moment))
        return Scene(((BOT, False), *here), self._programme.before(moment))

    def _changes(self, since: int, until: int) -> list[tuple[int, Change]]:
        moves = [(at, _MOVES[move](person.name)) for at, move, person in self._attendance.moves(since, until)]
        items = [(at, Played(film)) for at, film in self._programme.starts(since, until)]
        return sorted([*moves, *items], key=lambda change: change[0])
