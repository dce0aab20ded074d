"""Which questions userstats answers, kept over restarts: commands are offered while it is away, too."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import msgspec

from userstats.contract.questions import Listed

from .line import SECONDS, Keeps, Line, refused
from .questions import Questions

log = logging.getLogger(__name__)

QUESTION: Final = "system.questions"
_KEPT: Final = "discord questions"
_FRESH: Final = 60.0
"""Seconds; userstats gets new questions with a new version only."""
_NOW_SECONDS: Final = 0.8
"""Discord waits three seconds for a first sign."""
_decoder: Final = msgspec.json.Decoder(tuple[Listed, ...])


class Catalogue:
    """The questions as of the last answer."""

    def __init__(self, line: Line, keeps: Keeps, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._keeps = keeps
        self._clock = clock
        self._looked = -_FRESH
        self._looking: asyncio.Task[None] | None = None
        self._listed: tuple[Listed, ...] = ()
        self.questions = Questions()

    def recall(self) -> None:
        """Begin with what an earlier run knew."""
        kept = self._keeps.recall(_KEPT)
        if kept is None:
            return
        try:
            self._use(_decoder.decode(kept))
        except msgspec.MsgspecError:
            log.warning("the questions that an earlier version knew are of no use; userstats is asked")

    async def wanted(self) -> None:
        """Somebody wants to ask: look in the background where the last look is long ago, and now where nothing is
        known, for as long as Discord lets us."""
        if not len(self.questions):
            await self.look(_NOW_SECONDS)
        elif self._clock() - self._looked > _FRESH and self._looking is None:
            self._looking = asyncio.create_task(self.look(), name="discord questions")
            self._looking.add_done_callback(self._looked_up)

    async def look(self, timeout: float = SECONDS) -> None:
        """Ask once, and use the answer if there is one."""
        self._looked = self._clock()
        reply = await self._line.ask(QUESTION, {}, timeout=timeout)
        if refused(reply):
            return
        try:
            listed = msgspec.convert(reply["data"], tuple[Listed, ...])
        except msgspec.ValidationError as error:
            log.warning("%s: an answer of another version: %s", QUESTION, error)
            return
        if listed != self._listed:
            self._use(listed)
            await self._keeps.remember(_KEPT, msgspec.json.encode(listed).decode())

    def _looked_up(self, task: asyncio.Task[None]) -> None:
        self._looking = None
        if not task.cancelled() and (error := task.exception()):
            log.warning("%s: the answer could not be kept (%s)", QUESTION, type(error).__name__)

    def _use(self, listed: tuple[Listed, ...]) -> None:
        log.info("%d questions can be asked from Discord", len(listed))
        self._listed = listed
        self.questions = Questions(listed)
