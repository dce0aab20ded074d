"""Consent: what people want counted of them: off, anonymous, counted or shown, for messages, voice and presence.

Who has not chosen is treated by the policy of the installation (section `privacy`). Bridges ask here who chose what and
keep back the rest; what was on its way before they knew is left out by userstats itself, in the order of the stream.

Stored: nothing of its own; the engine keeps `consents` and `consent_names`, since it obeys them before any statistic
sees an event.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from ..asking import Account, Limit, Platform
from ..contract.consents import CLOSED, LEVELS, TOPICS, Choice, Choices, ConsentChanged, GoesBy, Level, Topic
from ..contract.questions import LARGEST_REPLY
from ..directory import Directory
from ..recorder import Changed, Recorder
from ..statistic import Metric, Statistic, query
from ..store.seam import Reader

Space = Annotated[str, msgspec.Meta(max_length=96, description="a Discord server's id, or a CyTube site")]
After = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, description="the revision of what is known already")]
Wanted = Literal["off", "anonymous", "counted", "shown", "default"]
"""A level, or `default`: what the policy says."""
MOST_NAMES: Final = 64
_MOST_BYTES: Final = LARGEST_REPLY * 3 // 4
_NAMES: Final = """
SELECT w.person, w.name_key, w.platform, w.space FROM wearers w WHERE w.person IN :people AND NOT EXISTS (
    SELECT 1 FROM wearers o WHERE o.name_key = w.name_key AND o.platform = w.platform AND o.space = w.space
    AND o.person <> w.person AND o.at > w.at
)
UNION SELECT w.person, a.alias, '', '' FROM aliases a JOIN wearers w ON w.name_key = a.owner WHERE w.person IN :people
ORDER BY 1, 2, 3, 4
"""
"""The names that mean these people: those nobody else has taken since, and what is said to be theirs."""


class Held(msgspec.Struct, frozen=True):
    """What somebody chose about a topic, and what holds for them."""

    topic: Topic
    chosen: Level | None
    """None: nothing."""
    holds: Level


class Sum(msgspec.Struct, frozen=True):
    """How many chose one level."""

    topic: Topic
    level: Level
    people: int


@query("consent.set", shape="card", audience="self", period="all", changes=True)
async def choose(
    reader: Reader, directory: Directory, recorder: Recorder, level: Wanted, topic: Topic | None = None,
    platform: Platform | None = None, account: Account | None = None,
) -> Changed:  # fmt: skip
    """Choose what may be counted of somebody from now on, about one topic or about all.

    Of oneself; a bridge or the operator names an account: `discord` and the user's id, `cytube` and `cytu.be/` with the
    name.
    """
    person = directory.subject(platform, account)
    wanted = next((one for one in LEVELS if one == level), None)
    before = await _chosen(reader, person)
    changed = [one for one in ((topic,) if topic else TOPICS) if before.get(one) != wanted]
    for one in changed:
        closed = one == "messages" and wanted in CLOSED
        names = (await _names(reader, (person,))).get(person, []) if closed else []
        await recorder.record(ConsentChanged, person=person, topic=one, level=wanted, names=tuple(names[:MOST_NAMES]))
    said = ", ".join(changed) if changed else topic or "all"
    return Changed(bool(changed), f"{said}: {level}" if changed else f"{said}: already {level}")


@query("consent.show", audience="self", period="all")
async def show(
    reader: Reader, directory: Directory, platform: Platform | None = None, account: Account | None = None,
    space: Space = "",
) -> list[Held]:  # fmt: skip
    """What somebody chose, and what holds for them: everywhere, or in a space (a Discord guild's id, a CyTube site).

    Of oneself; a bridge or the operator names an account.
    """
    chosen = await _chosen(reader, directory.subject(platform, account))
    privacy = directory.asking.privacy
    return [Held(topic, chosen.get(topic), chosen.get(topic) or privacy.policy(topic, space)) for topic in TOPICS]


@query("consent.list", shape="card", audience="bridge", period="all")
async def changes(reader: Reader, after: After = 0, limit: Limit = 500) -> Choices:
    """Who chose what, oldest change first, for bridges: `limit` changes at most, those after revision `after`."""
    rows = await reader.rows(
        "SELECT person, topic, level, revision FROM consents WHERE revision > :after ORDER BY revision LIMIT :most",
        {"after": after, "most": limit},
    )
    names = await _names(reader, tuple({person for person, topic, level, _ in rows if topic == "messages" and level}))
    ((latest,),) = await reader.rows("SELECT COALESCE(MAX(revision), 0) FROM consents")
    found: list[Choice] = []
    left, reached = _MOST_BYTES, after
    for person, topic, level, revision in rows:
        known = names.get(person, [])[:MOST_NAMES] if topic == "messages" else []
        one = msgspec.convert(
            {"person": person, "topic": topic, "level": level or None, "names": known}, Choice, from_attributes=True
        )
        left -= len(msgspec.json.encode(one)) + 1
        if left < 0 and found:
            break
        found.append(one)
        reached = revision
    return Choices(reached, latest, tuple(found))


@query("consent.summary", period="all")
async def summary(reader: Reader) -> list[Sum]:
    """How many people chose each level, by topic."""
    rows: list[tuple[Any, ...]] = await reader.rows(_SUMS)
    counts = {(topic, level): people for topic, level, people in rows}
    return [Sum(topic, level, counts.get((topic, level), 0)) for topic in TOPICS for level in LEVELS]


async def _chosen(reader: Reader, person: int) -> dict[Topic, Level]:
    rows = await reader.rows(
        "SELECT topic, level FROM consents WHERE person = :person AND level <> ''", {"person": person}
    )
    return dict(rows)


async def _names(reader: Reader, people: tuple[int, ...]) -> dict[int, list[GoesBy]]:
    found: dict[int, list[GoesBy]] = {}
    for person, key, platform, space in await reader.rows(_NAMES, {"people": people}):
        found.setdefault(person, []).append(GoesBy(key, platform, space))
    return found


_SUMS: Final = (
    "SELECT topic, level, COUNT(*) FROM consents WHERE level <> '' GROUP BY topic, level ORDER BY topic, level"
)

STATISTIC = Statistic(
    name="consent",
    questions=(choose, show, changes, summary),
    metrics=(
        Metric(
            "userstats_consents", "People who chose what may be counted of them, by topic and level.", _SUMS,
            ("topic", "level"),
        ),
    ),
    reads=("aliases", "people"),
)  # fmt: skip
