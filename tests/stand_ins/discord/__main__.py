"""A small lively guild to point a bridge at by hand: `python -m tests.stand_ins.discord`.

Prints one JSON line with everything a bridge needs (proxy, SSL_CERT_FILE, token, plain bases), then people chat, react,
talk in voice and change their presence until SIGINT or SIGTERM; then one line with what happened, by kind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
from collections import Counter

from . import activities
from .actor import Actor
from .settings import Json
from .site import StandIn
from .world import Channel

_WORDS = (
    *("the", "a", "film", "scene", "again", "cut", "that", "music", "was", "quiet", "louder", "who", "did", "this"),
    *("monster", "chase", "never", "mind", "++amy", "lol"),
)
_STATES = ("online", "idle", "dnd", "invisible")


def _say(**facts: Json) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def _something(chance: random.Random, people: list[Actor], texts: list[Channel], voices: list[Channel]) -> None:
    """One thing that one of them does."""
    who, where = chance.choice(people), chance.choice(texts)
    match chance.choices(("say", "react", "voice", "presence", "thread"), (60, 15, 10, 10, 1))[0]:
        case "react" if where.messages:
            await who.react(chance.choice(list(where.messages.values())[-20:]), chance.choice("👍❤😂"))
        case "voice" if who.site.voice.state(who.user) is None:
            await who.join_voice(chance.choice(voices), self_mute=chance.random() < 0.3)
        case "voice":
            await who.leave_voice()
        case "presence":
            await who.presence(chance.choice(_STATES), activities.playing("Chess"))
        case "thread":
            await who.thread(where, " ".join(chance.choices(_WORDS, k=2)))
        case _:
            await who.say(where, " ".join(chance.choices(_WORDS, k=chance.randint(1, 12))))


async def _main(options: argparse.Namespace) -> None:
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    chance = random.Random(options.seed)
    async with StandIn() as site:
        cinema = site.guild("cinema")
        texts = [site.channel(cinema, name) for name in ("general", "films", "off-topic")]
        voices = [site.channel(cinema, name, "voice") for name in ("lounge", "balcony")]
        people = [site.user(name) for name in ("amy", "bob", "cat", "dan", "eve", "fay")]
        site.enrol(cinema, *people)
        _say(
            token=site.token,
            proxy=site.proxy.url,
            **site.environment,
            api_base=site.api_base,
            gateway_base=site.gateway_base,
            guild=str(cinema.id),
        )
        while not over.is_set():
            await _something(chance, people, texts, voices)
            try:
                await asyncio.wait_for(over.wait(), chance.expovariate(options.rate))
            except TimeoutError:
                continue
        _say(deeds=Counter(deed.what for deed in site.record.deeds), violations=site.violations, unknown=site.unknown)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A stand-in Discord with a small lively guild.")
    parser.add_argument("--rate", type=float, default=2.0, help="things that happen per second, on average")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(_main(parser.parse_args()))
