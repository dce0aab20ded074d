"""A world that can be asked to change things: requests become events of its own stream, as in the real service."""

from __future__ import annotations

from typing import Any, TypeVar

from tests.say import PSEUDONYMS, RECORD, World
from userstats.answer import Answers, Asker
from userstats.contract.events import NO_WATCH, Event
from userstats.contract.questions import Account, Failure, Reply
from userstats.link_codes import LinkCodes
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
        codes = world.__dict__.setdefault("codes", LinkCodes())  # as many requests as there are, one service
        self._services = {Recorder: WorldRecorder(world), LinkCodes: codes}


async def change(world: World, name: str, asker: Asker = "operator", me: Account | None = None, **request: Any) -> Any:
    """What a request came to."""
    found = await _Answers(world).answer(name, request, asker, me)
    assert isinstance(found, Reply), found
    return found.data


async def refused(
    world: World, name: str, asker: Asker = "operator", me: Account | None = None, **request: Any
) -> tuple[int, str]:
    """Code and words of a refused request."""
    found = await _Answers(world).answer(name, request, asker, me)
    assert isinstance(found, Failure), found
    return found.error.code, found.error.message
