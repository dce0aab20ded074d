"""What is there to act on: who is where, and what was said lately. Everything random comes from one seed."""

from __future__ import annotations

import random
from collections import deque
from typing import Final, TypeVar

from tests.stand_ins.discord import Actor, Channel, Message

from .town import Home, Town

T = TypeVar("T")

_VOCABULARY: Final = (
    "the a film scene again cut that music was quiet louder who did this monster chase never mind reel tape night "
    "popcorn seat curtain matinee credits sequel plot twist hero villain score light camera action dub frame"
)
WORDS: Final = _VOCABULARY.split()
EMOTES: Final = ("<:kappa:300000000000000001>", "<:popcorn:300000000000000002>", "😂", "🎬")
REACTIONS: Final = ("👍", "❤️", "😂", "kappa:300000000000000001")
_LATELY: Final = 250


class Scene:
    """Shared by everybody who acts."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town = town
        self.site = town.site
        self.chance = random.Random(f"evening {seed}")
        self.lately: deque[Message] = deque(maxlen=_LATELY)
        """What was said, the newest last; some of it may be gone."""
        self.settled: set[int] = set()
        """People who neither join nor leave anything any more."""
        self.reserved: set[int] = set()
        """People whom only the script puts into voice channels."""
        self.touched: dict[object, int] = {}
        """When something happened that is not to happen twice at the same moment."""
        self.private: set[int] = set()
        """Threads that the bot may not see."""
        self.number = 0

    def one(self, of: list[T]) -> T | None:
        """One of them, if there is any."""
        return self.chance.choice(of) if of else None

    def maybe(self, probability: float) -> bool:
        return self.chance.random() < probability

    @property
    def homes(self) -> list[Home]:
        """Guilds that can be reached: there is no outage, and the bot has not been thrown out."""
        return [home for home in self.town if not home.guild.unavailable]

    def home(self) -> Home:
        """One of them."""
        return self.chance.choice(self.homes)

    def member(self, home: Home) -> Actor | None:
        """Somebody of this guild, no bot."""
        return self.one([actor for actor in self.town.people if actor.id in home.guild.members])

    def moderator(self, home: Home) -> Actor:
        return self.chance.choice(home.moderators)

    def threads(self, home: Home) -> list[Channel]:
        """Those that everybody may see."""
        return [one for one in home.guild.threads.values() if not one.is_private_thread and not one.locked]

    def message(self, home: Home) -> Message | None:
        """Something that was said lately and is still there, as is whoever said it."""
        there = [
            one
            for one in self.lately
            if one.channel.guild is home.guild
            and one.id in one.channel.messages
            and one.channel.id in self.site.world.channels
            and not one.channel.is_private_thread
            and (one.webhook or one.author.id in home.guild.members)
        ]
        return self.one(there[-60:])

    def text(self, home: Home) -> str:
        """A line of chat: words, now and then an emote, a link, somebody's name."""
        words = self.chance.choices(WORDS, k=self.chance.randint(1, 12))
        if self.maybe(0.2):
            words.append(self.chance.choice(EMOTES))
        if self.maybe(0.07):
            words.insert(0, "https://example.org/some/page")
        if self.maybe(0.1) and (other := self.member(home)):
            words.append(other.mention)
        return " ".join(words)

    def once(self, what: object) -> bool:
        """Whether this did not happen a moment ago; now it does."""
        now = self.site.now()
        before = self.touched.get(what)
        if before is not None and now - before < 6_000:
            return False
        self.touched[what] = now
        return True

    def new_name(self, kind: str) -> str:
        """One that nobody and nothing else has."""
        self.number += 1
        return f"{kind}{self.number}"
