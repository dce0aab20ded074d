"""A bridge whose platform loses nothing: `python -m tests.faults.scripted` plays a script, from where its cursor is.

What it says follows from a seed alone, so a test knows what must be counted, however often the process was killed.
It is run by the real runner, over a real outbox, as the bridge `demo`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from bridges.__main__ import World, run
from bridges.bridge import Desk, Observation
from bridges.settings import BridgeSettings
from userstats.contract import events as e
from userstats.contract.broker_settings import NatsSettings
from userstats.contract.config import load
from userstats.contract.privacy import PrivacySettings
from userstats.contract.process import LogSettings, configure_log
from userstats.contract.pseudonym import Pseudonyms, load_key

PLATFORM: Final = "demo"
SPACE: Final = "stage"
ROOMS: Final = ("lounge", "attic")
PEOPLE: Final = tuple(f"P{number}" for number in range(24))
EMOTES: Final = (":wave:", "Kappa", "PogChamp")
_CURSOR: Final = "script"
_KINDS: Final = ("say", "whisper", "move", "afk", "play")
_ODDS: Final = (70, 6, 12, 10, 2)


class Step(NamedTuple):
    """One thing that happens."""

    kind: str
    """say, whisper, join, leave, away, back or play."""
    who: str
    words: int = 0
    links: int = 0
    emotes: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()
    """Names, thanked with `++`."""


class Scene(NamedTuple):
    """Who is in the room, and who of them is away."""

    here: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()

    def after(self, step: Step) -> Scene:
        """The scene once the step was taken."""
        match step.kind:
            case "join":
                return Scene(self.here | {step.who}, self.away)
            case "leave":
                return Scene(self.here - {step.who}, self.away - {step.who})
            case "away":
                return Scene(self.here, self.away | {step.who})
            case "back":
                return Scene(self.here, self.away - {step.who})
        return self


def script(seed: int, room: str, length: int) -> list[Step]:
    """What happens in a room."""
    chance = random.Random(f"{seed} {room}")
    scene = Scene()
    steps: list[Step] = []
    while len(steps) < length:
        kind, who = chance.choices(_KINDS, _ODDS)[0], chance.choice(PEOPLE)
        step = Step(kind, who)
        if kind == "say":
            emotes = tuple(chance.choices(EMOTES, k=chance.choice((0, 0, 1, 3))))
            thanks = tuple(chance.sample([name for name in PEOPLE if name != who], k=chance.choice((0, 0, 0, 1, 2))))
            step = Step(kind, who, chance.randint(1, 20), chance.choice((0, 0, 1)), emotes, thanks)
        elif kind == "move":
            step = Step("leave" if who in scene.here else "join", who)
        elif kind == "afk" and who in scene.here:
            step = Step("back" if who in scene.away else "away", who)
        if step.kind != "afk":
            steps.append(step)
            scene = scene.after(step)
    return steps


def counted(seed: int, length: int, pseudonyms: Pseudonyms) -> Counter[tuple[object, ...]]:
    """What must be counted of the scripts of all rooms: (room, whose, measure, ...) -> number."""
    cells: Counter[tuple[object, ...]] = Counter()
    for room in ROOMS:
        for step in script(seed, room, length):
            where = f"{PLATFORM}/{SPACE}/{room}"
            who = pseudonyms.person(PLATFORM, step.who)
            if step.kind == "say":
                cells[where, who, "messages"] += 1
                cells[where, who, "words"] += step.words
                cells[where, who, "links"] += step.links
                for emote in step.emotes:
                    cells[where, who, "emote", emote] += 1
                for name in step.thanks:
                    cells[where, who, "kudos", pseudonyms.name(name)] += 1
            elif step.kind == "whisper":
                cells[where, who, "private_messages"] += 1
            elif step.kind == "join":
                cells[where, who, "joins"] += 1
            elif step.kind == "play":
                cells[where, "media", step.who] += 1
    return +cells


class Scripted:
    """A `bridges.bridge.Bridge`."""

    name = PLATFORM

    def __init__(self, seed: int, room: str, length: int, rate: float) -> None:
        """`rate`: steps per second."""
        self.place = e.Place(PLATFORM, SPACE, room)
        self._steps = script(seed, room, length)
        self._rate = rate

    async def watch(self, desk: Desk, watch: str) -> AsyncIterator[Observation]:
        done = int(desk.cursor(_CURSOR) or 0)
        scene = Scene()
        for step in self._steps[:done]:
            scene = scene.after(step)
        yield Observation([*self._names(desk, watch, PEOPLE), self._roster(desk, watch, scene)])
        chance = random.Random(watch)
        while done < len(self._steps):
            some = self._steps[done : done + chance.randint(1, 4)]
            events = [self._event(desk, watch, number, step) for number, step in enumerate(some, done)]
            done += len(some)
            yield Observation(events, {_CURSOR: str(done)})
            await asyncio.sleep(len(some) / self._rate)
        while True:
            await asyncio.sleep(0.2)
            yield Observation()

    def beat(self, now: int) -> Sequence[e.Event]:
        return ()

    def _about(self, desk: Desk, watch: str, *natural: str | int) -> dict[str, Any]:
        identity = desk.pseudonyms.event(self.place.channel, *natural)
        return {"id": identity, "at": desk.now(), "seen": desk.now(), "place": self.place, "watch": watch}

    def _names(self, desk: Desk, watch: str, people: Iterable[str]) -> list[e.Event]:
        return [
            e.Named(
                **self._about(desk, watch, "named", watch, name), name=name, account=name,
                key=desk.pseudonyms.name(name), person=desk.pseudonyms.person(PLATFORM, name),
            )
            for name in people
        ]  # fmt: skip

    def _roster(self, desk: Desk, watch: str, scene: Scene) -> e.Event:
        people = [e.Present(desk.pseudonyms.person(PLATFORM, name), name in scene.away) for name in sorted(scene.here)]
        return e.RosterSeen(**self._about(desk, watch, "roster", watch), snapshot=watch, people=tuple(people))

    def _event(self, desk: Desk, watch: str, number: int, step: Step) -> e.Event:
        about = self._about(desk, watch, "step", number)
        who = desk.pseudonyms.person(PLATFORM, step.who)
        match step.kind:
            case "say":
                thanks = tuple(e.Thanks(desk.pseudonyms.name(name), "++") for name in step.thanks)
                return e.MessageSent(
                    **about, author=who, words=step.words, links=step.links, emotes=step.emotes, thanks=thanks
                )
            case "whisper":
                return e.PrivateMessageSent(**about, author=who)
            case "play":
                return e.MediaStarted(**about, title=step.who)
        kinds: dict[str, type[e.Joined | e.Left | e.AfkStarted | e.AfkEnded]] = {
            "join": e.Joined, "leave": e.Left, "away": e.AfkStarted, "back": e.AfkEnded,
        }  # fmt: skip
        return kinds[step.kind](**about, person=who)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--length", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    options = parser.parse_args()
    folder = Path.cwd()
    config = load(folder / "config.json")
    configure_log(config.section("log", LogSettings))
    bridges = [Scripted(options.seed, room, options.length, options.rate) for room in ROOMS]
    world = World(
        name=PLATFORM, role="bridge_demo", bridges=bridges, nats=config.section("nats", NatsSettings),
        settings=config.section("bridge", BridgeSettings), key=load_key(folder / "data" / "pseudonym.key"), phrases=(),
        privacy=config.section("privacy", PrivacySettings), folder=folder,
    )  # fmt: skip
    import uvloop  # noqa: PLC0415

    return int(uvloop.run(run(world)))


if __name__ == "__main__":
    sys.exit(main())
