"""What somebody who used a command, button, menu or form gets to see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from .interactions import Interaction
from .settings import Json
from .talk import EPHEMERAL, LOADING
from .world import Message

T = TypeVar("T")


class Unanswered(Exception):
    """`The application did not respond.`"""


class Reply:
    """Waits for what the application answers. TimeoutError after `within` seconds."""

    def __init__(self, interaction: Interaction, ack_window: float) -> None:
        self.interaction = interaction
        self._ack_window = ack_window
        self._revision = 0 if interaction.source is None else interaction.source.revision

    @property
    def messages(self) -> list[Message]:
        """Replies so far: the first one, then follow-ups."""
        return self.interaction.messages

    @property
    def ephemeral(self) -> bool:
        """Whether only this user sees the first reply."""
        return bool(self.messages) and bool(self.messages[0].flags & EPHEMERAL)

    @property
    def deferred(self) -> bool:
        """The first reply is still being thought about."""
        return bool(self.messages) and bool(self.messages[0].flags & LOADING)

    async def acknowledged(self) -> int:
        """The type of the callback. Unanswered if none came in time."""
        try:
            return await self.until(lambda one: one.interaction.callback, within=self._ack_window)
        except TimeoutError:
            raise Unanswered("The application did not respond") from None

    async def message(self, number: int = 0, *, within: float = 10.0) -> Message:
        """A reply that has its content: 0 is the first, then follow-ups."""
        await self.acknowledged()

        def shown(one: Reply) -> Message | None:
            there = len(one.messages) > number and not one.messages[number].flags & LOADING
            return one.messages[number] if there else None

        return await self.until(shown, within=within)

    async def changed(self, *, within: float = 10.0) -> Message:
        """The message whose component was used, once it is different from what it was."""
        await self.acknowledged()
        source = self.interaction.source
        assert source is not None
        return await self.until(lambda _: source if source.revision > self._revision else None, within=within)

    async def edited(self, number: int = 0, *, within: float = 10.0) -> Message:
        """A reply once it was edited after it had its content."""
        message = await self.message(number, within=within)
        return await self.until(lambda _: message if message.edited_at is not None else None, within=within)

    async def modal(self) -> Json:
        """The form it was answered with: `custom_id`, `title`, `components`."""
        await self.acknowledged()
        if self.interaction.modal is None:
            raise Unanswered("there is no form")
        return self.interaction.modal

    async def choices(self) -> list[Json]:
        """What autocomplete offers."""
        await self.acknowledged()
        return self.interaction.choices

    async def until(self, found: Callable[[Reply], T | None], *, within: float = 10.0) -> T:
        """Until a look at the reply finds something."""
        async with asyncio.timeout(within):
            while True:
                result = found(self)
                if result is not None:
                    return result
                await self.interaction.changed.wait()
