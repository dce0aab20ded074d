"""A community's events, made up but shaped like a real one: seeded, valid, in order.

2,000 people, each at home in one of 8 rooms of three sites. Each room is watched without a break: a beat and a
population count every 30 seconds, which are half of all events; the other half is what people do, busiest in the
evening: messages (one in eight with emotes, one in thirty with thanks) of those who are there, joins, leaves, AFK,
media and private messages. A million events are about eleven days.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any, Final, Literal

from userstats.contract import events as e
from userstats.contract import subjects, wire
from userstats.contract.pseudonym import Pseudonyms

PEOPLE: Final = 2_000
ROOMS: Final = 8
STEP_MS: Final = 30_000
MS_AN_EVENT: Final = 990
"""A million events are eleven days."""
KEY: Final = b"the benchmark's own key"
_EMOTES: Final = tuple(f"#emote{number}" for number in range(60))
_TOKENS: Final = ("++", "++", "++", "lol", "haha")


class Load:
    """So many events, in order."""

    def __init__(self, events: int, seed: int = 1, producer: str = "bench", end: int = 1_790_000_000_000) -> None:
        """`end`: about when the last event happens, in milliseconds."""
        self.events = events
        self._start = (end - max(0, events - PEOPLE) * MS_AN_EVENT) // STEP_MS * STEP_MS
        self.producer = producer
        self._random = random.Random(seed)
        self._pseudonyms = Pseudonyms(KEY)
        self.places = [e.Place("cytube", f"site{number % 3}.example", f"room{number}") for number in range(ROOMS)]
        self.names = [f"person_{number}" for number in range(PEOPLE)]
        self.home = [self._random.randrange(ROOMS) for _ in range(PEOPLE)]
        self._at_home = [[p for p in range(PEOPLE) if self.home[p] == room] for room in range(ROOMS)]
        self._present: list[list[int]] = [[] for _ in range(ROOMS)]
        self._away: list[set[int]] = [set() for _ in range(ROOMS)]

    def messages(self) -> Iterator[tuple[str, bytes, int]]:
        """(subject, payload, milliseconds) of each event, sealed."""
        for n, event in enumerate(self._all(), 1):
            kind = wire.kind_of(event)
            yield subjects.event(event.place, kind), wire.seal(wire.body(event), self.producer, n), event.at

    def _all(self) -> Iterator[e.Event]:
        made = 0
        for event in self._beginning():
            if made == self.events:
                return
            made += 1
            yield event
        for event in self._life():
            if made == self.events:
                return
            made += 1
            yield event

    def _life(self) -> Iterator[e.Event]:
        number = 10**6
        for step in itertools.count(1):
            now = self._start + step * STEP_MS
            for room, place in enumerate(self.places):
                for moment in sorted(self._random.randrange(STEP_MS) for _ in range(self._doings(now, room))):
                    number += 1
                    yield self._event(self._common(now - STEP_MS + moment, number, place), room)
                number += 2
                present, away = len(self._present[room]), len(self._away[room])
                yield e.BridgeBeat(**self._common(now, number - 1, place))
                counts: dict[str, Any] = {"connected": present + 5, "named": present, "not_afk": present - away}
                yield e.PopulationCounted(**self._common(now, number, place), **counts)

    def _doings(self, now: int, room: int) -> int:
        """How much happens in half a minute: two on average, more in the evening and in the first rooms."""
        hour = now / 3_600_000 % 24
        busy = (1 + 0.8 * math.cos((hour - 21) / 24 * 2 * math.pi)) * (2 - 2 * room / (ROOMS - 1) + 1)
        return min(12, int(self._random.expovariate(1 / busy) + 0.5))

    def _beginning(self) -> Iterator[e.Event]:
        for person, name in enumerate(self.names):
            place = self.places[self.home[person]]
            yield e.Named(
                **self._common(self._start, 10**9 + person, place), key=self._pseudonyms.name(name),
                name=name, person=self._person(person), account=name,
            )  # fmt: skip

    def _event(self, common: dict[str, Any], room: int) -> e.Event:
        choice = self._random.random()
        if choice < 0.86 and self._present[room]:
            return self._message(common, room)
        if choice < 0.975:
            return self._coming_and_going(common, room)
        if choice < 0.985 and self._present[room]:
            return e.PrivateMessageSent(**common, author=self._someone(room), characters=20, words=4)
        number = self._random.randrange(400)
        title, media_id = f"Film {number} ({1920 + number % 90})", f"film{number}"
        return e.MediaStarted(**common, title=title, media_type="yt", media_id=media_id, seconds=5400)

    def _message(self, common: dict[str, Any], room: int) -> e.Event:
        words = 1 + int(self._random.expovariate(0.15))
        emotes = (self._random.choice(_EMOTES),) if self._random.random() < 0.125 else ()
        thanks: tuple[e.Thanks, ...] = ()
        if self._random.random() < 0.033:
            named = self._random.choice(self._at_home[room] or [0])
            thanks = (e.Thanks(self._pseudonyms.name(self.names[named]), self._random.choice(_TOKENS)),)
        vote: Literal[-1, 0, 1] = self._random.choice((-1, 1)) if self._random.random() < 0.002 else 0
        return e.MessageSent(
            **common, author=self._someone(room), characters=words * 5, words=words, emotes=emotes,
            thanks=thanks, vote=vote,
        )  # fmt: skip

    def _coming_and_going(self, common: dict[str, Any], room: int) -> e.Event:
        present, away = self._present[room], self._away[room]
        choice = self._random.random()
        if choice < 0.35 or not present:
            who = self._random.choice(self._at_home[room])
            if who not in present:
                present.append(who)
                return e.Joined(**common, person=self._person(who))
        who = self._random.choice(present)
        person = self._person(who)
        if who in away:
            away.discard(who)
            return e.AfkEnded(**common, person=person)
        if choice < 0.6:
            away.add(who)
            return e.AfkStarted(**common, person=person)
        present.remove(who)
        return e.Left(**common, person=person)

    def _someone(self, room: int) -> int:
        """Somebody who is there; of these a few do most of the talking."""
        here = self._present[room]
        return self._person(here[min(int(self._random.expovariate(6 / len(here))), len(here) - 1)])

    def _person(self, number: int) -> int:
        place = self.places[self.home[number]]
        return self._pseudonyms.person("cytube", f"{place.space}/{self.names[number]}")

    def _common(self, now: int, number: int, place: e.Place) -> dict[str, Any]:
        return {
            "id": self._pseudonyms.event("bench", number), "at": now, "seen": now, "place": place,
            "watch": "bench0watch",
        }  # fmt: skip
