"""A stand-in CyTube: real HTTP and Socket.IO on a loopback port, the frames of the real 3.86.0, invented people.

    async with StandIn() as site:
        room = site.room("grindhouse")
        site.account("Bot", "secret")              # sockets log in with it; guests need no account
        room.grant("Bot", 3)
        amy = await room.enter("Amy", rank=1)      # rank 0: a guest, >= 2: a moderator, no name: anonymous
        await amy.say("hi")                        # commands too: /me, /afk, /clear, ...
        await amy.pm("Bot", "psst")
        await amy.afk(True)
        await amy.leave()
        await room.play("Title", 5400)
        await room.chatter(messages=1000, people=20, seed=1)
        room.kick("Bot", "reason")
        site.freeze(); site.thaw(); site.drop("Bot"); site.black_hole("Bot")
        await site.restart()
        room.report()                              # the oracle: what really happened, per person
        site.replay("grindhouse", file)            # or play a recorded file to whoever joins

Anything else is sent with `room.tell("event", payload)`. As a process: `python -m tests.stand_ins.cytube --help`,
controlled over HTTP (`control.py`). Limits that slow tests down are off, see `settings.Settings`.

What the real server does and this does not: clients of Engine.IO 3; per-channel flood limits and delays for new
users; playlists, polls and votes changed by sockets (the control does that); IP bans; channel filters of one's own.
Actors are never throttled. A client's address is 127.0.0.1, or what its X-Forwarded-For header says.
"""

from .actor import Actor
from .load import Load
from .replay import Recording
from .room import Room
from .settings import Settings
from .site import StandIn

__all__ = ["Actor", "Load", "Recording", "Room", "Settings", "StandIn"]
