"""When the bridge heard what happened: the script's notes on its line to Discord."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Silence:
    """A time in which nothing reached the bridge. Deeds are numbered as in the site's record."""

    kind: Literal["replayed", "lost"]
    """`replayed`: it heard all of it at the end; `lost`: it never did, and saw at the end how things were."""
    first: int
    """The first deed it did not hear as it happened."""
    after: int
    """The first one that it did hear again."""
    since: int
    until: int
    """Milliseconds."""
    by_another: bool = False
    """After it another process listened, which remembers nothing of what was said before."""


class Line:
    """Notes of when the line was cut. `site.record` has the outages of guilds."""

    def __init__(self) -> None:
        self.silences: list[Silence] = []
        self.began = 0
        """When the bridge had heard of everything there was."""
        self.first = 0
        """The first deed after that."""
        self.asked = 0
        """Until when everything was heard in the end."""
        self.joined: Mapping[int, Mapping[int, int]] = {}
        """When the evening began: of each guild its members, and when they had joined."""

    @property
    def members(self) -> Mapping[int, frozenset[int]]:
        """The same, without times."""
        return {guild: frozenset(joined) for guild, joined in self.joined.items()}
