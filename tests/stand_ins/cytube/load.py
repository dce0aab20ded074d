"""Loads: many people who talk, go, come back and fall asleep, the same for the same seed."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from typing import TYPE_CHECKING, Final

from .actor import Actor

if TYPE_CHECKING:
    from .room import Room

EMOTES: Final = (":wave:", ":popcorn:", "Kappa", ":cat:")
_FIRST: Final = ("Ada", "Bea", "Cyd", "Dov", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon", "Kit", "Lou", "Mia", "Ned")
_WORDS: Final = (
    *("the", "a", "film", "scene", "again", "cut", "that", "music", "was", "quiet", "louder", "who", "did", "this"),
    *("monster", "car", "chase", "never", "mind", "late", "early", "night", "friday", "watch", "next", "one", "best"),
    *("really", "über", "café", "日本", "😀", "ok", "hm", "yes", "no", "maybe", "<b>", "&", '"so"', "it's"),
)
_PIECES: Final = ("*bold*", "`code`", "~~gone~~", "[sp]twist[/sp]", "https://example.org/a_b_c?x=1&y=2", "snake_case")


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What a crowd does. Chances are per chat line."""

    messages: int
    people: int
    seed: int = 1
    rate: float = 0.0
    """Chat lines per second, at most; 0 is as fast as it goes."""
    pm: float = 0.0
    afk: float = 0.0
    turnover: float = 0.0
    """Somebody leaves; whoever is gone comes back when it is their turn to talk."""
    media_every: int = 0
    """A new item after so many chat lines; 0 never."""
    hold_after: int | None = None
    """With a number: wait as long as no socket is in the room and so many chat lines were said unheard. At most 15
    keeps everything within what the history replays at the next join."""


def chatter(messages: int, people: int, seed: int = 1, rate: float = 0.0, hold_after: int | None = None) -> Load:
    """Chat lines and nothing else."""
    return Load(messages=messages, people=people, seed=seed, rate=rate, hold_after=hold_after)


def evening(messages: int, people: int, seed: int = 1, rate: float = 0.0, hold_after: int | None = None) -> Load:
    """Chat, private messages, people who come, go and are away, films."""
    return Load(messages, people, seed, rate, pm=0.05, afk=0.06, turnover=0.05, media_every=40, hold_after=hold_after)


SCRIPTS: Final = {"chatter": chatter, "evening": evening}


async def run(room: Room, load: Load) -> None:
    """Everybody enters, then the talk; returns when the last line is said. The people stay."""
    chance = random.Random(load.seed)
    for emote in EMOTES:
        if emote not in room.emotes.names:
            room.emotes.add(emote)
    crowd = [Actor(room, _name(number), chance.choice((0, 0, 1, 1, 1, 2))) for number in range(load.people)]
    weights = [1 / (rank + 1) for rank in range(load.people)]
    for actor in crowd:
        await _ready(room, load)
        await actor.enter()
    loop = asyncio.get_running_loop()
    due = loop.time()
    for number in range(load.messages):
        if load.media_every and number % load.media_every == 0:
            await room.play(f"Film {number // load.media_every}", chance.choice((0, 600, 5400)), by=crowd[0].name)
        await _incidents(room, crowd, load, chance)
        speaker = chance.choices(crowd, weights)[0]
        text = _text(chance, crowd)
        await _ready(room, load)
        await speaker.enter()
        await speaker.say(text)
        if load.rate:
            due = max(due, loop.time() - 1 / load.rate) + 1 / load.rate  # what a wait held up is not made up for
            await asyncio.sleep(max(0.0, due - loop.time()))


async def _incidents(room: Room, crowd: list[Actor], load: Load, chance: random.Random) -> None:
    """What else happens before a line is said. Chances are drawn whatever the state, so that the seed decides."""
    sleeper, leaver, sender, receiver = (chance.choice(crowd) for _ in range(4))
    falls_asleep, leaves, whispers = (chance.random() < odds for odds in (load.afk, load.turnover, load.pm))
    await _ready(room, load)
    if falls_asleep and sleeper.inside:
        await sleeper.afk(not sleeper.is_afk)
    if whispers and sender is not receiver:
        await sender.enter()
        await receiver.enter()
        await sender.pm(receiver.name, _text(chance, crowd))
    if leaves and leaver.inside:
        await leaver.leave()


async def _ready(room: Room, load: Load) -> None:
    """Wait for the server to be up and, if the load holds, for somebody who hears it."""
    while not room.site.running or _unheard(room, load):
        await room.changed.wait()


def _unheard(room: Room, load: Load) -> bool:
    if load.hold_after is None or any(member.is_socket for member in room.members):
        return False
    return room.unheard >= load.hold_after


def _name(number: int) -> str:
    first = _FIRST[number % len(_FIRST)]
    return first if number < len(_FIRST) else f"{first}-{number // len(_FIRST)}"


def _text(chance: random.Random, crowd: list[Actor]) -> str:
    """Some words; perhaps an emote, a ++name and one piece that the default filters change."""
    words = chance.choices(_WORDS, k=chance.randint(2, 12))
    extras = (
        (0.25, chance.choice(EMOTES)),
        (0.08, f"++{chance.choice(crowd).name}"),
        (0.08, chance.choice(_PIECES)),
    )
    for odds, extra in extras:
        if chance.random() < odds:
            words.insert(chance.randint(1, len(words)), extra)
    style = chance.choices(("", "/me ", ">"), (94, 4, 2))[0]
    return style + " ".join(words)
