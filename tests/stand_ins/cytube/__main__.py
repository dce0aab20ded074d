"""A stand-in CyTube as a process: `python -m tests.stand_ins.cytube --port 8080 --script evening`.

Prints one JSON object per line on stdout: `listening` (url, control, room, pid) when it listens, `done` with the
oracle's count when the script is over, `stopped` with the count at SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path

from . import load
from .control import Control
from .frames import Json
from .room import Room
from .settings import Settings
from .site import StandIn


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stand_ins.cytube", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--control-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--room", default="grindhouse")
    parser.add_argument("--account", action="append", default=[], metavar="NAME:PASSWORD[:RANK]")
    parser.add_argument("--script", choices=sorted(load.SCRIPTS))
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="chat lines per second; 0: as fast as it goes")
    parser.add_argument("--hold-after", type=int, help="wait while nobody listens and so many lines went unheard")
    parser.add_argument(
        "--wait-for", metavar="NAME", help="start the script when this name is inside (* for any socket)"
    )
    parser.add_argument("--exit", action="store_true", help="end when the script is over")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play a recorded frame file to who joins")
    parser.add_argument("--pace", type=float, default=0.0, help="of the replay: 1 is as recorded, 0 without gaps")
    parser.add_argument("--usercount-every", type=float, default=10.0, metavar="S")
    parser.add_argument("--guest-delay", type=float, default=0.0, metavar="S")
    parser.add_argument("--ping-interval", type=float, default=25.0, metavar="S")
    parser.add_argument("--ping-timeout", type=float, default=120.0, metavar="S")
    return parser.parse_args()


def _site(options: argparse.Namespace) -> tuple[StandIn, Room]:
    settings = Settings(
        usercount_every=options.usercount_every,
        guest_login_delay=options.guest_delay,
        ping_interval=options.ping_interval,
        ping_timeout=options.ping_timeout,
    )
    site = StandIn(settings, port=options.port)
    room = site.room(options.room)
    if options.replay:
        site.replay(options.room, options.replay, pace=options.pace)
    for spec in options.account:
        name, password, *rank = spec.split(":")
        site.account(name, password)
        room.ranks[name.lower()] = float(rank[0]) if rank else 1
    return site, room


def _say(event: str, **facts: Json) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


async def _script(options: argparse.Namespace, control: Control, room: Room) -> None:
    if options.wait_for is not None:
        await control.site.joined(options.wait_for.replace("*", ""), room.name, within=86_400)
    script = load.SCRIPTS[options.script]
    await control.launch(room, script(options.messages, options.people, options.seed, options.rate, options.hold_after))
    await control.site.flushed()
    _say("done", oracle=control.oracle())


async def _main(options: argparse.Namespace) -> None:
    site, room = _site(options)
    control = Control(site)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    async with site:
        _say(
            "listening",
            url=site.url,
            control=await control.start(options.control_port),
            room=room.name,
            pid=os.getpid(),
        )
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(over.wait())
            script = tasks.create_task(_script(options, control, room)) if options.script else ending
            if options.exit:
                script.add_done_callback(lambda _: over.set())
            await ending
            script.cancel()
        _say("stopped", oracle=control.oracle())
        await control.stop()


if __name__ == "__main__":
    asyncio.run(_main(_arguments()))
