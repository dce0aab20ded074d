"""What holds for whom, and what of an event may therefore be told: the gate of every bridge, and of userstats.

Pure. Of who is `off` nothing passes. Who is `anonymous` becomes a number that lasts as long as the watch and is
nobody's. `counted` and `shown` pass. What that means for each kind of event is in `admission_rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .admission_rules import RULES
from .consents import CLOSED, TOPICS, Choice, GoesBy, Level, Topic
from .events import Event, Place
from .privacy import PrivacySettings

Anonymous = Callable[[int, str], int]
"""(person, watch) -> the number they have in that watch: `Pseudonyms.anonymous`."""


class Consents:
    """The installation's policy, and what people chose."""

    def __init__(
        self, privacy: PrivacySettings, anonymous: Anonymous, choices: Iterable[Choice] = (), revision: int = 0
    ) -> None:
        self.privacy = privacy
        self.revision = revision
        """Another one means that something changed."""
        self._anonymous = anonymous
        self._chosen: dict[Topic, dict[int, Level]] = {topic: {} for topic in TOPICS}
        self._closed: dict[Topic, int] = dict.fromkeys(TOPICS, 0)
        self._wary: dict[Topic, bool] = {topic: not privacy.lets_all(topic) for topic in TOPICS}
        """Whether the policy itself keeps anything of this topic back."""
        self._strict = dict(self._wary)
        """Whether anything of this topic may have to be kept back."""
        self._names: dict[int, tuple[GoesBy, ...]] = {}
        """By person."""
        self._mean: dict[int, dict[int, tuple[GoesBy, ...]]] = {}
        """By key of a name and person: where it means them."""
        for choice in choices:
            self.choose(choice)

    def choose(self, choice: Choice) -> None:
        """Somebody's choice is this from now on."""
        topic, chosen = choice.topic, self._chosen[choice.topic]
        before = chosen.pop(choice.person, None)
        if choice.level is not None:
            chosen[choice.person] = choice.level
        self._closed[topic] += (choice.level in CLOSED) - (before in CLOSED)
        self._strict[topic] = self._closed[topic] > 0 or self._wary[topic]
        if topic == "messages":
            self._call(choice.person, choice.names if choice.level is not None else ())

    def names_of(self, person: int) -> tuple[GoesBy, ...]:
        """By which names somebody who chose is known to be meant."""
        return self._names.get(person, ())

    def chosen(self, person: int, topic: Topic) -> Level | None:
        """What somebody chose; None: nothing."""
        return self._chosen[topic].get(person)

    def level(self, person: int, topic: Topic, space: str = "", *, bot: bool = False) -> Level:
        """What holds for somebody in this space. A bot is nobody's private matter, unless a choice was made for it."""
        return self._chosen[topic].get(person) or ("shown" if bot else self.privacy.policy(topic, space))

    def admitted(self, event: Event) -> Event | None:
        """The event as it may be kept, the very same where nothing is in its way; None if nothing of it may be kept."""
        rule = RULES.get(type(event))
        if rule is None or not self._strict[rule.topic]:
            return event
        return rule.judge(self, event)

    def kept(self, person: int, topic: Topic, event: Event, bot: bool = False) -> int | None:
        """The number under which somebody may be told of; None: not at all."""
        level = self.level(person, topic, event.place.space, bot=bot)
        if level == "off":
            return None
        return self._anonymous(person, event.watch) if level == "anonymous" else person

    def may_name(self, person: int, topic: Topic, event: Event) -> bool:
        """Whether an event of others may say that somebody had to do with it."""
        return self.level(person, topic, event.place.space) not in CLOSED

    def may_mean(self, name: int, place: Place) -> bool:
        """Whether it may be kept that the name with this key was thanked here."""
        for person, names in self._mean.get(name, {}).items():
            if any(one.platform in ("", place.platform) and one.space in ("", place.space) for one in names):
                return self.level(person, "messages", place.space) not in CLOSED
        return self.privacy.policy("messages", place.space) not in CLOSED

    def _call(self, person: int, names: tuple[GoesBy, ...]) -> None:
        for name in self._names.pop(person, ()):
            people = self._mean.get(name.key, {})
            people.pop(person, None)
            if not people:
                self._mean.pop(name.key, None)
        if names:
            self._names[person] = names
        for name in names:
            self._mean.setdefault(name.key, {})[person] = tuple(one for one in names if one.key == name.key)
