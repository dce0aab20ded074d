"""Who may be named, as SQL: the one text behind questions (`shown.py`) and views."""

from __future__ import annotations

from ..contract.consents import Topic
from ..contract.pseudonym import FIRST_PERSON


def is_shown(person: str, topic: Topic = "messages", *, by_default: bool = True) -> str:
    """A condition on a column of people: they chose to be shown, or have not chosen where that is enough.

    Numbers that stand for anonymous people are never shown.
    """
    if not by_default:
        return f"{person} IN {_chose(topic, 'shown')}"
    # the plus keeps the key on people out: boards are read in the order of another index
    return f"+{person} >= {FIRST_PERSON} AND {person} NOT IN {_chose(topic, 'off', 'anonymous', 'counted')}"


def _chose(topic: Topic, *levels: str) -> str:
    listed = ", ".join(f"'{level}'" for level in levels)
    return f"(SELECT person FROM consents WHERE topic = '{topic}' AND level IN ({listed}))"
