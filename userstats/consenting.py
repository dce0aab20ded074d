"""Who does not want to be counted, in the order of the stream: what was already on its way obeys a choice as well.

Bridges keep back what they may not tell, from when they have heard of a choice. What they told before that is behind
the choice in the stream, and goes through the same gate here, before any room sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .contract.admission import Anonymous, Consents
from .contract.consents import CLOSED, TOPICS, Choice, ConsentChanged, GoesBy
from .contract.events import RECORDER, AccountsLinked, AccountsUnlinked, AliasAdded, AliasRemoved, Event
from .contract.privacy import PrivacySettings
from .contract.pseudonym import Pseudonyms
from .tables import CONSENT_NAMES, CONSENTS
from .writes import Moment

NO_POLICY: Final = PrivacySettings(messages="shown", voice="shown", presence="shown")
"""A policy is the bridges' to obey: it is no fact of the stream, and a replay must come to the same counts."""
BY_REQUEST: Final = frozenset((ConsentChanged, AccountsLinked, AccountsUnlinked, AliasAdded, AliasRemoved))
"""What userstats itself says, on request, of people whoever they are; its questions decided whether it may be said."""
NAMES: Final = "SELECT person, name_key, platform, space FROM consent_names ORDER BY person, name_key, platform, space"
CLOSED_NOW: Final = (
    "SELECT person, topic, level FROM consents WHERE level IN ('off', 'anonymous') ORDER BY person, topic"
)


class Consenting:
    """Everybody who is off or anonymous about something."""

    def __init__(
        self,
        closed: Iterable[tuple[int, str, str]] = (),
        names: Iterable[tuple[int, int, str, str]] = (),
        revision: int = 0,
        anonymous: Anonymous | None = None,
    ) -> None:
        """`anonymous`: without it people are hashed with a key that everybody knows (tests)."""
        self.revision = revision
        """How often anybody chose."""
        self._consents = Consents(NO_POLICY, anonymous or Pseudonyms(bytes(16)).anonymous)
        called: dict[int, list[GoesBy]] = {}
        for person, key, platform, space in names:
            called.setdefault(person, []).append(GoesBy(key, platform, space))
        for person, topic, level in closed:
            self._consents.choose(_choice(person, topic, level, called))

    def admitted(self, event: Event) -> Event | None:
        """The event as it may be counted, the very same where nothing is in its way; None: it may not."""
        return self._consents.admitted(event)

    def decide(self, event: Event, moment: Moment) -> None:
        """Learn from the event, if it is about this."""
        if not isinstance(event, ConsentChanged) or event.place.platform != RECORDER:
            return
        self.revision += 1
        values = {"level": event.level or "", "at": moment.at, "revision": self.revision}
        moment.put(CONSENTS, (event.person, event.topic), values)
        level = event.level if event.level in CLOSED else None
        names = event.names if level and event.topic == "messages" else ()
        if event.topic == "messages":
            for name in self._consents.names_of(event.person):
                moment.forget(CONSENT_NAMES, (event.person, name.key, name.platform, name.space))
        for name in names:
            moment.put(CONSENT_NAMES, (event.person, name.key, name.platform, name.space), {"at": moment.at})
        self._consents.choose(Choice(event.person, event.topic, level, names))
        if level is not None:  # nothing more is told of them by this number: nothing would end what lasts
            for span in moment.spans.values():
                if span.topic == event.topic:
                    moment.forget_person(span, event.person)


def _choice(person: int, topic: str, level: str, names: Mapping[int, list[GoesBy]]) -> Choice:
    known = next(one for one in TOPICS if one == topic)
    chosen = next(one for one in CLOSED if one == level)
    return Choice(person, known, chosen, tuple(names.get(person, ())) if known == "messages" else ())
