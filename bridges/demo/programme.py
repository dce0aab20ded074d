"""What plays: invented films and clips, one after the other, each day filled to its last second."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from random import Random
from string import ascii_letters, digits
from typing import Final, NamedTuple

from .cast import Person
from .dice import DAY, HOUR, MINUTE, SECOND, dice, weekday

_GAP: Final = 3 * SECOND
"""The room's pause between two items."""

_ADJECTIVES: Final = (
    "Velvet", "Crimson", "Atomic", "Hollow", "Howling", "Midnight", "Phantom", "Rubber", "Silent", "Screaming",
    "Chrome", "Forgotten", "Invisible", "Drowsy", "Thirsty", "Moonlit", "Wicked", "Wooden", "Electric", "Frozen",
)  # fmt: skip
_CREATURES: Final = (
    "Astronaut", "Barber", "Cannibal", "Dentist", "Gargoyle", "Librarian", "Lobster", "Mannequin", "Mechanic",
    "Mermaid", "Moth", "Organist", "Postman", "Puppet", "Sheriff", "Spider", "Surgeon", "Taxidermist", "Undertaker",
    "Weasel",
)  # fmt: skip
_PLACES: Final = (
    "Beneath Lake Ottavia", "from Sector Nine", "of Dunmore Street", "in the Salt Mines", "at the Motel Aurora",
    "of Castle Vrana", "on the Night Train", "in Aisle Four", "behind the Waterfall", "of the Ninth Moon",
)  # fmt: skip
_SHAPES: Final = (
    "The {a} {c}",
    "The {a} {c} {p}",
    "Curse of the {a} {c}",
    "Night of the {c}s",
    "{a} {c}s {p}",
    "I Married a {a} {c}",
    "Return of the {a} {c}",
    "Don't Wake the {c}",
)
_CLIPS: Final = (
    "Trailer: {f}",
    "Concession stand intermission reel no. {n}",
    "Cartoon: {c} in Trouble ({y})",
    "Commercial break, {y}",
    "{a} {c}s - live on television ({y})",
)
_LIVE: Final = ("Test card and organ music (live)", "Harbour camera (live)")


class Film(NamedTuple):
    """Something that plays."""

    title: str
    media_type: str
    media_id: str
    seconds: int | None
    """None: nobody knows how long it is (live)."""
    lasts: int
    """Milliseconds until the next item begins."""
    quality: float
    """How well it is liked, 0 to 1."""
    queued_by: str = ""


class Programme:
    """What plays in one room: a function of seed, room and day."""

    def __init__(self, seed: int, room: str, company: tuple[Person, ...]) -> None:
        self._seed = seed
        self._room = room
        self._names = [person.name for person in company]
        chance = dice(seed, "films")
        self._films = [_film(chance) for _ in range(180)]
        self._clips = [_clip(chance, self._films) for _ in range(140)]
        self._days: dict[int, list[tuple[int, Film]]] = {}

    def starts(self, since: int, until: int) -> list[tuple[int, Film]]:
        """What begins from `since` until `until` (exclusive)."""
        days = range(since // DAY, (until - 1) // DAY + 1)
        return [(at, film) for day in days for at, film in self._of(day) if since <= at < until]

    def before(self, moment: int) -> Film:
        """What plays just before this moment."""
        items = self._of((moment - 1) // DAY)
        return items[bisect_right(items, moment - 1, key=lambda item: item[0]) - 1][1]

    def _of(self, day: int) -> list[tuple[int, Film]]:
        known = self._days.get(day)
        if known is None:
            known = list(self._arranged(day))
            self._days = {other: items for other, items in self._days.items() if other >= day - 2}
            self._days[day] = known
        return known

    def _arranged(self, day: int) -> Iterator[tuple[int, Film]]:
        """A clip or two, then a film, and so on; something live in the morning; a clip cut to fit before midnight."""
        chance = dice(self._seed, self._room, "programme", day)
        films = iter(chance.sample(self._films, 40))
        clips = iter(chance.sample(self._clips, 100))
        live = weekday(day) < 5
        now, planned = 0, ["clip", "film"]
        while (left := DAY - now) > 15 * MINUTE:
            if live and now > 6 * HOUR:
                live, item = False, _broadcast(chance)
            else:
                item = next(films) if planned.pop(0) == "film" else next(clips)
            if item.lasts > left - MINUTE:
                item = next(clips)
            planned = planned or ["clip"] * chance.randint(1, 3) + ["film"]
            yield day * DAY + now, item._replace(queued_by=chance.choice(self._names))
            now += item.lasts
        last = next(clips)._replace(seconds=(left - _GAP) // SECOND, lasts=left)
        yield day * DAY + now, last._replace(queued_by=chance.choice(self._names))


def _film(chance: Random) -> Film:
    title = chance.choice(_SHAPES).format(
        a=chance.choice(_ADJECTIVES), c=chance.choice(_CREATURES), p=chance.choice(_PLACES)
    )
    kind = chance.choices(("yt", "gd", "fi", "vi", "dm"), (4, 3, 2, 1, 1))[0]
    return _item(chance, f"{title} ({chance.randint(1956, 1994)})", kind, chance.randint(68 * 60, 118 * 60))


def _clip(chance: Random, films: list[Film]) -> Film:
    title = chance.choice(_CLIPS).format(
        f=chance.choice(films).title,
        n=chance.randint(2, 60),
        a=chance.choice(_ADJECTIVES),
        c=chance.choice(_CREATURES),
        y=chance.randint(1949, 1991),
    )
    return _item(chance, title, "yt", chance.randint(70, 9 * 60))


def _item(chance: Random, title: str, kind: str, seconds: int) -> Film:
    media_id = "".join(chance.choices(ascii_letters + digits, k=28 if kind == "gd" else 11))
    if kind == "fi":
        media_id = f"https://reels.example/{media_id.lower()}.mp4"
    return Film(title, kind, media_id, seconds, seconds * SECOND + _GAP, chance.betavariate(3, 2))


def _broadcast(chance: Random) -> Film:
    title = chance.choice(_LIVE)
    return Film(title, "tw", title.split()[0].lower() + "_demo", None, chance.randint(60, 120) * MINUTE, 0.5)
