"""Who may be named in an answer: by what people chose, and by the policy for who has not chosen.

Boards and lists leave out everybody who is not `shown` where the question's topic is concerned, and the numbers that
stand for anonymous people. Sums over everybody hold them all the same. Who asks about themselves, and the operator who
asks about somebody by name, are told.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from .asking import Scope
from .contract.consents import Topic
from .contract.privacy import PrivacySettings
from .contract.pseudonym import FIRST_PERSON
from .store.chosen import is_shown
from .store.seam import Reader

NO_POLICY: Final = PrivacySettings()


class Asking(NamedTuple):
    """Who asks, and about what."""

    privacy: PrivacySettings = NO_POLICY
    topic: Topic = "messages"
    me: int | None = None
    """The person who asks; None: it is not known."""
    platform: str = ""
    """With an account of which platform they ask, where that is known."""
    about_all: bool = True
    """They may ask about everybody by name (the operator)."""
    only_me: bool = False
    """The question is answered about the person who asks, and about nobody else."""
    for_others: bool = True
    """They may say which account it is about (a bridge, which knows who spoke to it; the operator)."""


class Shown(NamedTuple):
    """Conditions on the people of a scope, as SQL with the parameters that `parameters` has."""

    topic: Topic
    by_default: bool
    """Whether people who have not chosen are shown."""
    but_at: tuple[int, ...] = ()
    """Places at which it is the other way round."""

    def people(self, column: str = "person") -> str:
        """A condition on people wherever they are, beginning with ` AND `: shown in one of the places at least."""
        return f" AND {is_shown(column, self.topic, by_default=self.by_default or self.mixed)}"

    def rows(self, person: str = "person", place: str = "place") -> str:
        """A condition on rows with a person and a place, beginning with ` AND `."""
        return f" AND ({self.condition(person, place)})"

    def condition(self, person: str, place: str) -> str:
        """The same without the ` AND `, to be put in parentheses."""
        if not self.but_at:
            return is_shown(person, self.topic, by_default=self.by_default)
        chosen = is_shown(person, self.topic, by_default=False)
        where = f"{place} {'NOT IN' if self.by_default else 'IN'} :but_at"
        return f"{chosen} OR ({where} AND {is_shown(person, self.topic)})"

    @property
    def mixed(self) -> bool:
        """Whether it depends on the place who is shown."""
        return bool(self.but_at)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of `rows`."""
        return {"but_at": self.but_at} if self.but_at else {}


async def shown_at(reader: Reader, privacy: PrivacySettings, topic: Topic, scope: Scope) -> Shown:
    """Who is shown at these places."""
    policy = privacy.policy(topic) == "shown"
    others = tuple(space for space in privacy.spaces if (privacy.policy(topic, space) == "shown") is not policy)
    if not others:
        return Shown(topic, policy)
    rows = await reader.rows(
        f"SELECT place, CASE WHEN space IN :others THEN 1 ELSE 0 END FROM places WHERE 1 = 1{scope.where()}",  # noqa: S608
        {"others": others, **scope.parameters},
    )
    but_at = tuple(place for place, other in rows if other)
    if len(but_at) == len(rows) and rows:
        return Shown(topic, not policy)
    return Shown(topic, policy, but_at)


async def shown_among(reader: Reader, shown: Shown, people: Collection[int]) -> set[int]:
    """Those of these people who are shown in one of the places at least."""
    chosen: dict[int, str] = {}
    wanted = sorted({person for person in people if person >= FIRST_PERSON})
    for start in range(0, len(wanted), 500):
        rows = await reader.rows(
            "SELECT person, level FROM consents WHERE topic = :topic AND person IN :people",
            {"topic": shown.topic, "people": wanted[start : start + 500]},
        )
        chosen.update(rows)
    default = "shown" if shown.by_default or shown.mixed else ""
    return {person for person in wanted if (chosen.get(person) or default) == "shown"}
