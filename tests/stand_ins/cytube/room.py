"""A room as tests use it."""

from __future__ import annotations

import asyncio

from . import load, moderation
from .actor import Actor
from .frames import Json
from .hall import Hall
from .text import escape


class Room(Hall):
    """One channel of a stand-in: people come in (`enter`), and moderators and the channel do things."""

    async def enter(self, name: str = "", rank: float = 1) -> Actor:
        """Somebody comes in: rank 0 a guest, >= 1 an account with that rank here, no name: anonymous."""
        actor = Actor(self, name, rank)
        await actor.enter()
        return actor

    async def play(self, title: str, seconds: int = 0, *, kind: str = "cu", by: str = "", temp: bool = True) -> int:
        """Queue an item and make it the current one; its uid. `seconds` 0 is live."""
        uid = self.playlist.queue(title, seconds, kind=kind, by=by, temp=temp)
        self.playlist.jump(uid)
        await asyncio.sleep(0)
        return uid

    async def chatter(self, messages: int, people: int, seed: int, **how: Json) -> None:
        """So many chat lines by so many people, the same for the same seed; `how`: the fields of `load.Load`."""
        await load.run(self, load.Load(messages=messages, people=people, seed=seed, **how))

    def kick(self, name: str, reason: str = "", *, by: str = "ModMona") -> None:
        """A moderator kicks somebody. LookupError if nobody of that name is inside."""
        moderation.kick(self, name, reason, by=by)

    def ban(self, name: str, reason: str = "", *, by: str = "ModMona") -> None:
        """A moderator bans a name; it is kicked if it is inside."""
        moderation.ban(self, name, reason, by=by)

    def mute(self, name: str, *, shadow: bool = False, by: str = "ModMona") -> None:
        """A moderator (shadow-)mutes somebody inside."""
        moderation.mute(self, name, shadow=shadow, by=by)

    def unmute(self, name: str, *, by: str = "ModMona") -> None:
        """Both kinds of mute end."""
        moderation.unmute(self, name, by=by)

    def grant(self, name: str, rank: float, *, by: str = "ChanBoss") -> None:
        """A registered name's rank in this room, whether or not it is inside."""
        moderation.grant(self, name, rank, by=by)

    def clear_chat(self, *, by: str = "ModMona") -> None:
        """The history is emptied."""
        moderation.clear(self, by=by)

    def shut_down(self, reason: str = "Channel shutting down") -> None:
        """The channel is unloaded: only kicks, no `userLeave`."""
        moderation.shut_down(self, reason)

    def move(self, servers: list[Json]) -> None:
        """The channel moves to another partition: `partitionChange` and a server disconnect for everybody."""
        moderation.move(self, servers)

    def lead(self, name: str) -> None:
        """Somebody leads the playback; "" ends it."""
        moderation.lead(self, name)

    def open_poll(self, title: str, options: list[str], *, by: str = "ChanBoss") -> None:
        """`newPoll`; newcomers get it too."""
        escaped = [escape(option) for option in options]
        counts = [0] * len(options)
        self.poll = {
            "title": escape(title),
            "options": escaped,
            "counts": counts,
            "initiator": by,
            "timestamp": self.now(),
        }
        self.tell("newPoll", self.poll)

    def close_poll(self) -> None:
        """`closePoll null`."""
        self.poll = None
        self.tell("closePoll", None)

    def skip_by_vote(self) -> None:
        """Enough votes: a line of the pseudo user `[voteskip]`, then the next item."""
        meta = {"addClass": "server-whisper", "addClassToNameAndTimestamp": True}
        text = "Voteskip passed: 2/4 skipped; eligible voters: 4 = total (4) - AFK (0) - no permission (0); ratio = 0.5"
        self.tell("chatMsg", {"username": "[voteskip]", "msg": text, "meta": meta, "time": self.now()})
        self.playlist.next()

    def edit_profile(self, name: str, image: str, text: str) -> None:
        """Somebody inside changes their profile on the website. LookupError if nobody of that name is inside."""
        member = moderation.inside(self, name)
        member.image, member.about = image, text
        self.tell("setUserProfile", {"name": member.name, "profile": member.profile()})
