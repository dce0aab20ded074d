"""What people choose to be counted of them, in the course of an evening."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tests.stand_ins.discord import Actor

from .scene import Scene

Level = Literal["off", "anonymous", "counted", "shown"]
Topic = Literal["messages", "voice", "presence"]
Choice = tuple[Actor, Topic, Level]


class Choosing:
    """Remembers who chose what."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._chance = scene.chance
        self._held: dict[tuple[int, Topic], Level] = {}
        self.silent: set[int] = set()
        """Who says nothing that may be told."""

    def told_of(self, topic: Topic) -> set[int]:
        """About whom something is told."""
        return {who for (who, about), level in self._held.items() if about == topic and level != "off"}

    def chosen(self, choices: Sequence[Choice]) -> None:
        """This holds from now on."""
        for who, topic, level in choices:
            self._scene.site.record.note("consent", who.id, None, topic=topic, level=level)
            self._held[who.id, topic] = level
            if topic == "messages":
                self._scene.settled.add(who.id)
                self.silent |= {who.id} if level == "off" else set()

    def at_first(self) -> list[Choice]:
        """Most let themselves be counted in voice and presence, two as nobody."""
        free = self._free()
        levels: tuple[Level, ...] = ("shown", "shown", "shown", "counted")
        voice: list[Choice] = [(who, "voice", self._chance.choice(levels)) for who in self._chance.sample(free, 30)]
        presence: list[Choice] = [
            (who, "presence", self._chance.choice(levels)) for who in self._chance.sample(free, 30)
        ]
        others = [who for who in free if who not in [one[0] for one in voice]]
        nobody: list[Choice] = [(who, "voice", "anonymous") for who in others[:2]]
        return [*voice, *presence, *nobody]

    def leaver(self) -> Actor | None:
        """Somebody who is told of in everything, and in no voice channel."""
        both = self._in("voice") & self._in("presence")
        homes = self._scene.homes
        return self._scene.one(
            [
                one for one in self._free()
                if one.id in both and self._scene.site.voice.state(one.user) is None
                and any(one.id in home.guild.members for home in homes)
            ]
        )  # fmt: skip

    def later(self, leavers: Sequence[Actor]) -> list[Choice]:
        """More people are told about, and some no more. Of who takes back a choice, what is not credited yet is not
        kept: but for the `leavers`, of whom it is known since when, they are in no voice channel, and offline."""
        free = self._free()
        choices: list[Choice] = []
        for who in leavers:
            choices += [(who, "voice", "off"), (who, "presence", "off")]
        out = [one for one in free if one.id in self._in("voice") and self._scene.site.voice.state(one.user) is None]
        away = [one for one in free if one.id in self._in("presence") and one.user.presence.status == "offline"]
        choices += [(one, "voice", "off") for one in out[:2]]
        choices += [(one, "presence", "off") for one in away[:2]]
        choices += [(one, "voice", "shown") for one in free if (one.id, "voice") not in self._held][:3]
        choices += [(one, "presence", "shown") for one in free if (one.id, "presence") not in self._held][:3]
        moderators = self._scene.town.moderators
        quiet = [one for one in free if (one.id, "messages") not in self._held and one.id not in moderators]
        off, anonymous = self._chance.sample(quiet, 2)
        return [*choices, (off, "messages", "off"), (anonymous, "messages", "anonymous")]

    def _free(self) -> list[Actor]:
        """Whom the script needs for nothing else."""
        return [one for one in self._scene.town.people if one.id not in self._scene.reserved]

    def _in(self, topic: Topic) -> set[int]:
        return {who for (who, about), level in self._held.items() if about == topic and level in ("shown", "counted")}
