"""A runner's desk for tests of bridges: a fixed key, a fixed lexicon, a cursor in a dict, a clock that is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bridges.bridge import Observation
from bridges.text import Lexicon
from userstats.contract import wire
from userstats.contract.admission import Consents
from userstats.contract.events import Event
from userstats.contract.privacy import PrivacySettings
from userstats.contract.pseudonym import Pseudonyms

ALL_THE_SAME = ("id", "seen", "place", "watch", "snapshot")
"""What is left out when an event is spelled: the hashed, and what no two events of a test differ in."""


class OpenPseudonyms(Pseudonyms):
    """Pseudonyms that remember whose they are, so that a test can read them."""

    def __init__(self) -> None:
        super().__init__(b"a key for tests, thirty-two bytes")
        self.labels: dict[int, str] = {}

    def person(self, platform: str, account: str) -> int:
        number = super().person(platform, account)
        self.labels[number] = account.rpartition("/")[2]
        return number

    def name(self, name: str) -> int:
        number = super().name(name)
        self.labels[number] = f"the name {name.casefold()}"
        return number


class FakeDesk:
    """What the runner lends to a bridge; `keep` does what the outbox does with an observation."""

    def __init__(self, lexicon: Lexicon = Lexicon(), now: int = 1_700_000_000_000) -> None:  # noqa: B008  (frozen)
        self.pseudonyms = OpenPseudonyms()
        self.lexicon = lexicon
        self.cursors: dict[str, str] = {}
        self.kept: dict[str, str] = {}
        self.learnt = 0
        self.time = now
        self.crowded = False
        self.consents = 0
        self.consent = Consents(PrivacySettings(), self.pseudonyms.anonymous)

    def cursor(self, key: str) -> str | None:
        return self.cursors.get(key)

    def now(self) -> int:
        return self.time

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        raise TimeoutError("nobody answers here")

    async def learn(self) -> None:
        self.learnt += 1

    def recall(self, key: str) -> str | None:
        return self.kept.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.kept[key] = value

    def keep(self, observation: Observation) -> None:
        self.cursors.update(observation.cursor)

    def spelled(self, events: Sequence[Event]) -> list[dict[str, Any]]:
        """The events as JSON would have them, with names instead of pseudonyms, without what a test cannot know."""
        return [self._spelled(msgspec.to_builtins(event)) for event in events]

    def _spelled(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._named(value) for key, value in event.items() if key not in ALL_THE_SAME}

    def _named(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._named(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._named(item) for item in value]
        return self.labels_of(value)

    def labels_of(self, value: Any) -> Any:
        return self.pseudonyms.labels.get(value, value) if isinstance(value, int) else value


def received(events: Sequence[Event]) -> list[Event | wire.Bad]:
    """The events as userstats would decode them: whatever breaks the contract comes back as `Bad`."""
    bare = {"v": 0, "producer": "", "n": 0, "crc": 0}
    decoded = [wire.decode(wire.seal(wire.body(event), "test", n)) for n, event in enumerate(events, 1)]
    return [msgspec.structs.replace(event, **bare) if isinstance(event, Event) else event for event in decoded]
