"""A world that can be asked to change things: requests become events of its own stream, as in the real service."""

from __future__ import annotations

from typing import Any, TypeVar

from tests.say import PSEUDONYMS, RECORD, World
from userstats.answer import Answers
from userstats.contract.events import NO_WATCH, Event
from userstats.contract.questions import Failure, Reply
from userstats.recorder import Recorder

E = TypeVar("E", bound=Event)


class WorldRecorder(Recorder):
    """Tells the world instead of a broker."""

    def __init__(self, world: World) -> None:
        self._world = world

    def name_key(self, name: str) -> int:
        return PSEUDONYMS.name(name)

    async def record(self, kind: type[E], **fields: Any) -> int:
        return await self.append(kind, **fields)

    async def append(self, kind: type[E], **fields: Any) -> int:
        now = self._world.now
        number = PSEUDONYMS.event("recorded", self._world.service.position.seq)
        event = kind(id=number, at=now, seen=now, place=RECORD, watch=NO_WATCH, **fields)
        messages = self._world.messages(event, producer="recorder-1")
        await self._world.apply(messages)
        return messages[-1].seq


class _Answers(Answers):
    """Answers that lend the world's recorder wherever a question asks for a `Recorder`."""

    def __init__(self, world: World) -> None:
        super().__init__(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now)
        self._services = {Recorder: WorldRecorder(world)}


async def change(world: World, name: str, **request: Any) -> Any:
    """What a request came to."""
    found = await _Answers(world).answer(name, request)
    assert isinstance(found, Reply), found
    return found.data


async def refused(world: World, name: str, **request: Any) -> tuple[int, str]:
    """Code and words of a refused request."""
    found = await _Answers(world).answer(name, request)
    assert isinstance(found, Failure), found
    return found.error.code, found.error.message
