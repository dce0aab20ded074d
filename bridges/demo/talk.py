"""What is said while people come and go: one quarter hour of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import Final, Literal

from . import lines
from .actions import Action, Came, Change, Dozed, Garbled, Played, Said, Scene, Went, Whispered, Woke
from .cast import BOT, Person
from .dice import MINUTE, SECOND

_EXCITED: Final = 3 * MINUTE
"""How long after the beginning of a film people talk more."""

_Planned = Literal["greeting", "returning", "announcement"]
_WORDS: Final[dict[_Planned, Callable[[Random, lines.Stage], str]]] = {
    "greeting": lines.greeting,
    "returning": lines.returning,
    "announcement": lambda _, stage: lines.announcement(stage),
}


class Talk:
    """Plays what is said between the changes that it is told of, and collects both in order."""

    def __init__(self, chance: Random, start: int, scene: Scene, people: Mapping[str, Person]) -> None:
        self.played: list[tuple[int, Action]] = []
        self._chance = chance
        self._now = start
        self._people = people
        self._film = scene.film
        self._excited_until = start
        self._mood = chance.uniform(0.65, 1.35) / MINUTE
        self._present = [name for name, _ in scene.present]
        self._awake = [people[name] for name, away in scene.present if not away and name in people]
        self._planned: list[tuple[int, str, _Planned]] = []
        self._last = chance.choice(self._present)
        self._weigh()

    def until(self, moment: int) -> None:
        """Play what is said before this moment."""
        while (at := min(self._next(), self._planned[0][0] if self._planned else moment)) < moment:
            self._now = at
            if self._planned and self._planned[0][0] <= at:
                self._keep_to_plan()
            else:
                self._chat()
        self._now = moment

    def happen(self, change: Change) -> None:
        """Take in what changes at the moment that was reached."""
        match change:
            case Came(name):
                self._present.append(name)
                self._awake.append(self._people[name])
                self._plan("greeting", name, 0.4)
            case Woke(name):
                self._awake.append(self._people[name])
                self._plan("returning", name, 0.3)
            case Dozed(name):
                if self._chance.random() < 0.2:
                    self._say(name, lines.leaving(self._chance, self._stage(name)))
                self._awake.remove(self._people[name])
            case Went(name):
                self._present.remove(name)
                self._awake = [person for person in self._awake if person.name != name]
            case Played(film):
                self._film = film
                self._excited_until = self._now + _EXCITED
                self._plan("announcement", BOT, 1)
        self._weigh()
        self.played.append((self._now, change))

    def _weigh(self) -> None:
        self._weights = list(accumulate(person.manner.talk for person in self._awake))

    def _next(self) -> int:
        """When the next line falls, if nothing changes: lines come at random, the faster the more people are awake."""
        if not self._awake:
            return self._now + MINUTE * 60
        rate = self._weights[-1] * self._mood * (1.5 if self._now < self._excited_until else 1)
        return self._now + int(self._chance.expovariate(rate))

    def _chat(self) -> None:
        speaker = self._chance.choices(self._awake, cum_weights=self._weights)[0]
        stage = self._stage(speaker.name)
        roll = self._chance.random()
        if roll < 0.00015:
            self.played.append((self._now, _garbled(self._chance)))
        elif roll < 0.006:
            self.played.append((self._now, Whispered(speaker.name, lines.whisper(self._chance, stage))))
        else:
            self._say(speaker.name, lines.line(self._chance, speaker, stage))

    def _plan(self, what: _Planned, name: str, likely: float) -> None:
        if self._chance.random() < likely:
            at = self._now + self._chance.randint(SECOND, 2 * SECOND if name == BOT else 40 * SECOND)
            heappush(self._planned, (at, name, what))

    def _keep_to_plan(self) -> None:
        _, name, what = heappop(self._planned)
        if name == BOT or any(person.name == name for person in self._awake):
            self._say(name, _WORDS[what](self._chance, self._stage(name)))

    def _say(self, name: str, text: str) -> None:
        self.played.append((self._now, Said(name, text)))
        if name != BOT:
            self._last = name

    def _stage(self, speaker: str) -> lines.Stage:
        others = self._present
        some = others[int(self._chance.random() * len(others))]
        last = self._last if self._last != speaker else some
        return lines.Stage(last, some, self._film.title, self._film.quality, self._film.queued_by)


def _garbled(chance: Random) -> Garbled:
    if chance.random() < 0.5:
        return Garbled("chatMsg", "too_big", chance.randint(17_000, 90_000))
    return Garbled("changeMedia", "malformed", chance.randint(40, 400))
