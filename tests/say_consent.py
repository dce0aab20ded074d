"""Say what people chose, and which accounts were proven to be one person's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from tests.say import RECORD, Envelope, about, key, person
from userstats.contract import events as e
from userstats.contract.consents import GoesBy, Level, Topic


def chose(
    who: str,
    level: Level | None,
    topic: Topic = "messages",
    *,
    platform: str = "cytube",
    names: Sequence[str | GoesBy] = (),
    **envelope: Unpack[Envelope],
) -> e.ConsentChanged:
    """This account chose so; `names` are those that mean them, on cytu.be where only a text is given."""
    called = tuple(GoesBy(key(one), "cytube", "cytu.be") if isinstance(one, str) else one for one in names)
    return e.ConsentChanged(
        person=person(who, platform), topic=topic, level=level, names=called, **about(RECORD, envelope)
    )


def linked(one: int, other: int, link: str = "link-1", **envelope: Unpack[Envelope]) -> e.AccountsLinked:
    """These accounts are one person's."""
    return e.AccountsLinked(person=one, other=other, link=link, **about(RECORD, envelope))


def unlinked(link: str = "link-1", **envelope: Unpack[Envelope]) -> e.AccountsUnlinked:
    return e.AccountsUnlinked(link=link, **about(RECORD, envelope))
