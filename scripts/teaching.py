"""Aliases and phrases, taught to a running userstats: added, there already, or refused and why."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol


class Asks(Protocol):
    """Somebody who is asked questions of userstats."""

    async def ask(self, question: str, **values: Any) -> Any:
        """The data of the answer."""
        ...


class Taught(NamedTuple):
    """What it came to."""

    state: Literal["added", "there", "refused"]
    why: str = ""


async def alias(service: Asks, owner: str, name: str) -> Taught:
    """Say that a name is this person's. It cannot be two persons'."""
    whose = (await service.ask("alias.find", alias=name))["username"]
    if whose is not None and whose.casefold() == owner.casefold():
        return Taught("there")
    answer = await service.ask("alias.add", username=owner, alias=name)
    return Taught("added") if answer["changed"] else Taught("refused", answer["message"])


async def phrase(service: Asks, text: str) -> Taught:
    """Say that this is thanks when it stands next to a name."""
    answer = await service.ask("phrase.add", phrase=text)
    return Taught("added" if answer["changed"] else "there")
