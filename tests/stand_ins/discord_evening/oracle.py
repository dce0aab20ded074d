"""All of the oracle together, and who was called what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.stand_ins.discord import Actor

from .counted import Counted
from .evening import Evening
from .members import Members
from .times import Times
from .told import Told


class Oracle:
    """What must be counted of an evening that is over."""

    def __init__(self, evening: Evening) -> None:
        self.town = evening.town
        self.line = evening.line
        self.told = Told(evening.site.record, evening.line, evening.scene.private)
        self.counted = Counted(evening.town, self.told)
        self.times = Times(evening.town, self.told)
        self.members = Members(evening.town, self.told)
        self.everybody = [*evening.town.people, evening.site.owner]
        self.names = {**evening.town.names, evening.site.owner.id: evening.site.owner.user.name}
        """How everybody was called at first; no two alike."""
        self.worn = dict(self._worn())
        """Who was called so at any time, by the name in lower case."""

    @property
    def known(self) -> list[Actor]:
        """Those whom the bridge ever met."""
        met = {who for members in self.line.members.values() for who in members}
        met |= {stay.who for stays in self.members.stays.values() for stay in stays}
        met |= {deed.who or 0 for _, deed in self.told if deed.what in ("message", "react")}
        return [one for one in self.everybody if one.id in met]

    def level(self, who: int, topic: str) -> str | None:
        """What a person chose about a topic, in the end."""
        chosen = self.times.level(who, topic)
        return chosen[-1][1] if chosen else None

    def is_shown(self, who: int, topic: str) -> bool:
        """Whether everybody may see their numbers; without a choice messages are shown and nothing else is told."""
        level = self.level(who, topic)
        return level == "shown" or (level is None and topic == "messages")

    def _worn(self) -> Iterator[tuple[str, int]]:
        for who, name in self.names.items():
            yield name, who
            yield name.title().casefold(), who
        for deed in self.told.record.of("renamed", "nick"):
            for fact in ("name", "global_name", "nick"):
                if deed.facts.get(fact):
                    yield deed[fact].casefold(), deed.who or 0


def iso(milliseconds: int) -> str:
    """As answers spell a moment."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()
