"""Rules against hunting for thanks: a pause between two, none in return, so many a day. All off unless configured.

What a rule refuses is recorded with the reason; a rebuild runs other rules over the same thanks. (That nobody thanks
themselves is no rule of these: it depends on aliases, and is therefore decided when asked.)
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .contract.events import AliasAdded, AliasRemoved, MessageSent, Named
from .statistic import DAY_MS
from .writes import Moment

_MOST_GIFTS: Final = 64
"""Of one giver, the latest; older ones are no longer compared with."""

Verdict = Literal["times", "bot", "cooldown", "back_thank", "daily_cap"]
"""The measure that thanks are added to: `times` where they count, else why they do not."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=31 * 86_400)]


class KudosSettings(msgspec.Struct, frozen=True):
    """Section `kudos`."""

    default_phrases: tuple[str, ...] = ("lol", "rofl", "lmao", "haha", "😂", "🤣", "😆")
    """Phrases of thanks a new installation starts with; later ones are added by request."""
    cooldown_seconds: Seconds = 0
    """One person's thanks to another count once in this time; 0: always."""
    back_thank_seconds: Seconds = 0
    """Thanks do not count within this time after the one who is thanked thanked the giver; 0: always."""
    daily_cap: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The most thanks of one person that count on a UTC day; 0: no limit."""

    @property
    def ruled(self) -> bool:
        """Whether any rule is on."""
        return bool(self.cooldown_seconds or self.back_thank_seconds or self.daily_cap)


class Memo(msgspec.Struct, frozen=True):
    """What the rules remember under a key: of a name or a person whose it is, of a giver what they gave."""

    who: int = 0
    """Of an alias: the owner's name. Of a name: who wears it. Of a person: the name they wear."""
    given: tuple[tuple[int, int], ...] = ()
    """Whom a giver thanked, and when."""
    day: int = 0
    today: int = 0
    """How many thanks of a giver counted on `day`."""


def named(event: Named, moment: Moment) -> None:
    """Remember who wears a name, where a rule needs it."""
    if event.person is not None and moment.settings(KudosSettings).ruled:
        moment.remember(f"name {event.about.platform} {event.key}", Memo(event.person))
        moment.remember(f"person {event.person}", Memo(event.key))


def alias_added(event: AliasAdded, moment: Moment) -> None:
    if moment.settings(KudosSettings).ruled:
        moment.remember(f"alias {event.alias}", Memo(event.owner))


def alias_removed(event: AliasRemoved, moment: Moment) -> None:
    if moment.settings(KudosSettings).ruled:
        moment.remember(f"alias {event.alias}", None)


def judge(event: MessageSent, who: int, moment: Moment) -> Verdict:
    """Whether the author's thanks to this name count, and remember them if they do."""
    if event.by != "person":
        return "bot"
    settings = moment.settings(KudosSettings)
    if not settings.ruled:
        return "times"
    platform = event.place.platform
    giver, receiver = _giver(event.author, platform, moment), _wearer(who, platform, moment)
    memo = moment.recall(f"giver {giver}", Memo) or Memo()
    today = memo.today if memo.day == moment.at // DAY_MS else 0
    if _lately(memo, receiver, settings.cooldown_seconds, moment):
        return "cooldown"
    if _lately(moment.recall(f"giver {receiver}", Memo), giver, settings.back_thank_seconds, moment):
        return "back_thank"
    if settings.daily_cap and today >= settings.daily_cap:
        return "daily_cap"
    longest = 1000 * max(settings.cooldown_seconds, settings.back_thank_seconds)
    given = [one for one in memo.given if one[0] != receiver and moment.at - one[1] < longest]
    given = [*given, (receiver, moment.at)][-_MOST_GIFTS:] if longest else []
    moment.remember(f"giver {giver}", Memo(given=tuple(given), day=moment.at // DAY_MS, today=today + 1))
    return "times"


def _lately(memo: Memo | None, whom: int, seconds: int, moment: Moment) -> bool:
    return memo is not None and any(who == whom and abs(moment.at - at) < 1000 * seconds for who, at in memo.given)


def _wearer(name: int, platform: str, moment: Moment) -> int:
    """Whom a name means: its wearer; or the name itself, an alias by its owner's."""
    alias = moment.recall(f"alias {name}", Memo)
    owner = alias.who if alias else name
    worn = moment.recall(f"name {platform} {owner}", Memo)
    return worn.who if worn else owner


def _giver(person: int, platform: str, moment: Moment) -> int:
    """The person, or whoever the alias means that they wear as a name."""
    wears = moment.recall(f"person {person}", Memo)
    alias = moment.recall(f"alias {wears.who}", Memo) if wears else None
    return _wearer(alias.who, platform, moment) if alias else person
