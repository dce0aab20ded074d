"""What people chose that may be counted of them, as a bridge learns it from userstats.

Choices may be many thousands, so they are asked for page by page (`consent.list`), and after that only what changed.
All of it is asked for again now and then: names that others take, or aliases, change without a choice. What was learned
is kept in the outbox, for a start while userstats is away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from userstats.contract.admission import Anonymous, Consents
from userstats.contract.consents import CLOSED, Choice, Choices, Topic
from userstats.contract.privacy import PrivacySettings

from .outbox import Outbox
from .way import Way

log = logging.getLogger(__name__)

QUESTION: Final = "consent.list"
_ANSWER_SECONDS: Final = 2.0
_KEPT: Final = "consents"
_ANEW_SECONDS: Final = 3600.0
UNKNOWN: Final = -1
"""The revision while nothing is known."""
_WAITING: Final = PrivacySettings(messages="shown", voice="off", presence="off")
"""While it is not known who chose what, messages wait on disk for that, and nothing else is kept."""


class NotSaid(Exception):
    """Userstats does not say who chose what; the words say how."""


class _Answer(msgspec.Struct, frozen=True):
    success: bool
    data: Choices | None = None


class Consent:
    """Who chose what, as far as this bridge knows."""

    def __init__(
        self,
        way: Way,
        outbox: Outbox,
        privacy: PrivacySettings,
        anonymous: Anonymous,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._way = way
        self._outbox = outbox
        self._privacy = privacy
        self._anonymous = anonymous
        self._clock = clock
        self._whole_at = float("-inf")
        self._choices: dict[tuple[int, Topic], Choice] = {}
        self.current = Consents(_WAITING, anonymous, revision=UNKNOWN)
        """What holds for whom: a value that is never changed, but replaced."""

    @property
    def known(self) -> bool:
        """Whether it is known who chose what."""
        return self.current.revision != UNKNOWN

    def recall(self) -> bool:
        """Begin with what an earlier run knew; says whether it knew anything."""
        kept = self._outbox.recall(_KEPT)
        if kept is None:
            return False
        try:
            found = msgspec.json.decode(kept, type=Choices)
        except msgspec.MsgspecError:
            return False
        self._choices = {(one.person, one.topic): one for one in found.choices}
        self._use(found.revision)
        return True

    async def learn(self, latest: int) -> bool:
        """Ask for what is not known yet, given how often anybody chose so far. Says whether somebody may be told less
        of than before. Raises NotSaid, or what asking raises."""
        now = self._clock()
        whole = latest < self.current.revision or now - self._whole_at >= _ANEW_SECONDS or not self.known
        if not whole and latest == self.current.revision:
            return False
        changes, revision = await self._pages(0 if whole else self.current.revision, latest)
        choices = {} if whole else dict(self._choices)
        for one in changes:
            choices.pop((one.person, one.topic), None)
            if one.level is not None:
                choices[one.person, one.topic] = one
        if whole:
            self._whole_at = now
        if choices == self._choices and revision == self.current.revision:
            return False
        self._choices = choices
        self._use(revision)
        kept = Choices(revision, revision, tuple(choices.values()))
        await self._outbox.remember(_KEPT, msgspec.json.encode(kept).decode())
        return any(one.level in CLOSED for one in changes)

    async def _pages(self, after: int, latest: int) -> tuple[list[Choice], int]:
        """Every change after this revision, and the revision they lead to."""
        changes: list[Choice] = []
        while after < latest:
            page = await self._page(after)
            if not page.choices:
                break
            changes += page.choices
            after, latest = page.revision, page.latest
        return changes, after

    async def _page(self, after: int) -> Choices:
        reply = await self._way.ask(QUESTION, {"after": after}, _ANSWER_SECONDS)
        try:
            answer = msgspec.json.decode(reply, type=_Answer)
        except msgspec.MsgspecError as error:
            raise NotSaid("an answer that makes no sense") from error
        if not answer.success or answer.data is None:
            raise NotSaid("a refusal")
        return answer.data

    def _use(self, revision: int) -> None:
        self.current = Consents(self._privacy, self._anonymous, self._choices.values(), revision)


def changed_among(
    before: Consents, after: Consents, people: Iterable[int], topic: Topic = "messages", space: str = ""
) -> bool:
    """Whether any of these people is to be told of otherwise than before: as themselves, as nobody, or not at all."""

    def told(consents: Consents, person: int) -> str:
        level = consents.level(person, topic, space)
        return level if level in CLOSED else "told"

    return before is not after and any(told(before, person) != told(after, person) for person in people)
