"""Ask a world a question as every surface does: with a request, through `Answers`."""

from __future__ import annotations

from typing import Any

from tests.say import PSEUDONYMS, World
from userstats.answer import Answers, Asker
from userstats.contract.privacy import PrivacySettings
from userstats.contract.questions import Account, Failure, Reply
from userstats.shown import NO_POLICY


async def reply(
    world: World,
    name: str,
    asker: Asker = "operator",
    me: Account | None = None,
    privacy: PrivacySettings = NO_POLICY,
    **request: Any,
) -> Reply | Failure:
    """The whole reply. `from_` stands for `from`."""
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now, privacy=privacy)
    return await answers.answer(name, {key.rstrip("_"): value for key, value in request.items()}, asker, me)


async def ask(world: World, name: str, asker: Asker = "operator", me: Account | None = None, **request: Any) -> Any:
    """What is answered."""
    found = await reply(world, name, asker, me, **request)
    assert isinstance(found, Reply), found
    return found.data


async def refusal(
    world: World, name: str, asker: Asker = "operator", me: Account | None = None, **request: Any
) -> tuple[int, str]:
    """Code and words of a refusal."""
    found = await reply(world, name, asker, me, **request)
    assert isinstance(found, Failure), found
    return found.error.code, found.error.message
