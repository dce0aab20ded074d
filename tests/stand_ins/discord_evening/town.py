"""The place: three guilds with their channels, fifty people, some of them moderators, and two other bots."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from typing import Final

from tests.stand_ins.discord import Actor, Channel, Guild, Permission, Role, StandIn

PEOPLE: Final = 50
STRANGERS: Final = 6
"""Of these: members of nothing yet."""
MODERATES: Final = int(
    Permission.KICK_MEMBERS | Permission.BAN_MEMBERS | Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS
    | Permission.MUTE_MEMBERS | Permission.DEAFEN_MEMBERS | Permission.MOVE_MEMBERS | Permission.MANAGE_ROLES
)  # fmt: skip
_CALLED: Final = (
    "ada bea cas dov eli fay gil hue ivo jud kai lea mia nat oli pia qin ros sol tom uma val wim xia yan zoe "
    "abe bob cyd dan eve flo gus hal ida jon kim leo max ned ora pam quy rex sam ted una vic wes zed"
)
_NAMES: Final = _CALLED.split()


@dataclasses.dataclass
class Home:
    """One guild, and who is special in it."""

    guild: Guild
    texts: list[Channel]
    voices: list[Channel]
    cellar: Channel
    """A voice channel into which only the script lets somebody."""
    forum: Channel
    moderators: list[Actor]
    regulars: Role
    """A role that people are given and that is taken from them."""

    @property
    def afk(self) -> Channel:
        """Where people end up who say nothing."""
        assert self.guild.afk_channel is not None
        return self.guild.afk_channel


class Town:
    """Made before the bridge connects. The same seed makes the same town."""

    def __init__(self, site: StandIn, seed: int) -> None:
        chance = random.Random(f"town {seed}")
        self.site = site
        self.people = [site.user(name, global_name=name.title()) for name in _NAMES]
        self.bots = [site.user("jukebox", bot=True), site.user("dicebot", bot=True)]
        self.homes = [self._home(name, number) for number, name in enumerate(("cinema", "arcade", "library"))]
        self.home_of = {home.guild.id: home for home in self.homes}
        self.names = {actor.id: actor.user.name for actor in (*self.people, *self.bots)}
        """How everybody was called when the evening began; no two alike."""
        for actor in self.people[: PEOPLE - STRANGERS]:
            for home in chance.sample(self.homes, chance.choice((1, 1, 2, 2, 3))):
                site.enrol(home.guild, actor)
        for home in self.homes:
            site.enrol(home.guild, *self.bots)
            home.moderators = self._moderators(home, chance)

    def _home(self, name: str, number: int) -> Home:
        site = self.site
        guild = site.guild(name)
        category = site.channel(guild, "rooms", "category")
        texts = [site.channel(guild, f"{name}-{one}", category=category) for one in ("general", "films", "random")]
        texts.append(site.channel(guild, f"{name}-news", "announcement"))
        voices = [site.channel(guild, f"{name}-{one}", "voice", category=category) for one in ("lounge", "balcony")]
        voices.append(site.channel(guild, f"{name}-stage", "stage"))
        afk = site.channel(guild, f"{name}-afk", "voice")
        guild.afk_channel = afk
        guild.system_channel = texts[0] if number else None
        cellar, forum = site.channel(guild, f"{name}-cellar", "voice"), site.channel(guild, f"{name}-ideas", "forum")
        return Home(guild, texts, [*voices, afk], cellar, forum, [], site.role(guild, "regulars"))

    def _moderators(self, home: Home, chance: random.Random) -> list[Actor]:
        role = self.site.role(home.guild, "mods", permissions=MODERATES, position=5)
        chosen = chance.sample([one for one in self.people if one.id in home.guild.members], 3)
        for one in chosen:
            home.guild.members[one.id].roles.append(role.id)
        return chosen

    def __iter__(self) -> Iterator[Home]:
        return iter(self.homes)

    @property
    def moderators(self) -> set[int]:
        """Of any guild: nobody removes them, and they stay."""
        return {one.id for home in self.homes for one in home.moderators}
