"""Says to userstats which code somebody typed to the bot: whose other account that proves this one to be."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import msgspec
import nats.errors

from bridges.bridge import Desk
from userstats.contract.events import Place

from .room import Code

log = logging.getLogger(__name__)

_QUESTION: Final = "link.confirm"
_ANSWER_SECONDS: Final = 5.0


class _Answer(msgspec.Struct, frozen=True):
    success: bool


class Linking:
    """One code at a time; what is typed meanwhile is not said, so that nobody keeps the bridge busy."""

    def __init__(self, desk: Desk, place: Place) -> None:
        self._desk = desk
        self._place = place
        self._asking: asyncio.Task[None] | None = None

    def offer(self, code: Code) -> None:
        """Somebody typed this."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(code), name="link")

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _ask(self, code: Code) -> None:
        platform, space = self._place.platform, self._place.space
        request = {"code": code.code, "platform": platform, "account": f"{space}/{code.folded}"}
        try:
            reply = await self._desk.ask(_QUESTION, request, _ANSWER_SECONDS)
            answered = msgspec.json.decode(reply, type=_Answer).success
        except (nats.errors.Error, TimeoutError, OSError, msgspec.MsgspecError) as error:
            log.warning("a typed link code could not be confirmed: no answer (%s)", type(error).__name__)
            return
        log.info("a link code was typed, and %s", "confirmed" if answered else "refused")
