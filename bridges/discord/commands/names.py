"""Names to suggest while one is typed: what userstats knows of a server's people, from memory wherever possible.

Discord waits three seconds for suggestions and then shows an error, so userstats gets half of that, and without its
answer what was learnt before is suggested.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from .line import Line, refused
from .query import ME, PLATFORM

QUESTION: Final = "user.search"
MOST: Final = 25
_NOBODY: Final = f"{PLATFORM}:0"
"""For whom names are looked up: what is remembered is suggested to everybody, so it is what everybody may know."""
_SECONDS: Final = 1.5
_FRESH: Final = 120.0
_AT_ONCE: Final = 4
_SEARCHES: Final = 2_000
_NAMES: Final = 500
"""Remembered of one server."""
_SERVERS: Final = 200


class Names:
    """What was found lately."""

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._found: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
        """By server and beginning."""
        self._known: dict[str, dict[str, None]] = {}
        """By server; the latest last."""
        self._asking = asyncio.Semaphore(_AT_ONCE)

    async def like(self, guild: str, text: str) -> list[str]:
        """Names that begin so, then known ones with it in them; `me` among them where it fits. Never raises."""
        begun = text.strip().casefold()
        found = await self._search(guild, begun) if begun else ()
        known = [name for name in reversed(self._known.get(guild, {})) if begun in name.casefold()]
        me = [ME] if ME.startswith(begun) else []
        return list(dict.fromkeys([*me, *found, *known]))[:MOST]

    async def _search(self, guild: str, begun: str) -> tuple[str, ...]:
        kept = self._found.get((guild, begun))
        if kept and self._clock() - kept[0] < _FRESH:
            return kept[1]
        found = kept[1] if kept else ()
        if not guild or self._asking.locked():
            return found
        async with self._asking:
            request = {"prefix": begun[:100], "platform": PLATFORM, "domain": guild, "limit": MOST}
            reply = await self._line.ask(QUESTION, request, _NOBODY, _SECONDS)
        if refused(reply):
            return found
        found = tuple(dict.fromkeys(_names(reply["data"])))
        self._keep(guild, begun, found)
        return found

    def _keep(self, guild: str, begun: str, found: tuple[str, ...]) -> None:
        if len(self._found) >= _SEARCHES:
            self._found.clear()
        self._found[guild, begun] = (self._clock(), found)
        if guild not in self._known and len(self._known) >= _SERVERS:
            self._known.clear()
        known = self._known.setdefault(guild, {})
        for name in found:
            known.pop(name, None)
            known[name] = None
        for name in list(known)[: max(0, len(known) - _NAMES)]:
            del known[name]


def _names(data: Any) -> Iterable[str]:
    for one in data if isinstance(data, list) else ():
        name = one.get("username") if isinstance(one, Mapping) else None
        if isinstance(name, str) and 0 < len(name) <= 100:
            yield name
