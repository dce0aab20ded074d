"""Who is a member of a guild since when: what events do to it. The questions are the room's (`stats/membership.py`).

A membership is a state that is not credited and goes on while nobody looks; `began` is the moment at which the platform
says they joined. A list of all members comes in parts, each remembered on its own, so that a large one is written once.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .contract.consents import CLOSED
from .contract.events import ConsentChanged, Member, MemberJoined, MemberLeft, MembersSeen, RolesSeen
from .statistic import KEY, PUT, PUT_TEXT, Span, Table
from .writes import Moment

MEMBER: Final = Span("member")
MEMBERSHIPS: Final = Table(
    "memberships",
    {"place": KEY, "person": KEY, "joined_at": KEY},
    {"found": PUT, "bot": PUT, "left_at": PUT, "why": PUT_TEXT},
    (("place", "joined_at"), ("place", "left_at"), ("person",)),
)
"""`found` 1: they were members already when the guild was first seen, or joined while nobody looked. `why`: `left`
(also kicked), `banned`, or `missed`: a list showed that they had left before `left_at`."""
ROLES: Final = Table("member_roles", {"place": KEY, "person": KEY}, {"roles": PUT_TEXT, "at": PUT}, newest="at")
"""The latest roles, ids with blanks between."""
_SAME_MS: Final = 2_000
"""Two moments of joining that are closer than this are one: the platform cuts them differently."""


class Part(msgspec.Struct, frozen=True):
    """One part of a list of members, or, under the place alone, which parts of which list have arrived."""

    snapshot: str
    arrived: tuple[int, ...] = ()
    people: tuple[Member, ...] = ()


def joined(event: MemberJoined, moment: Moment) -> None:
    began = moment.began(MEMBER, event.person)
    if began is not None and abs(began - moment.at) <= _SAME_MS:
        return
    if began is not None:
        _left(event.person, moment, "missed")
    _enter(event.person, moment.at, event.bot, False, moment)
    if moment.current and not event.bot:
        moment.count(event.person, {"member_joins": 1})


def left(event: MemberLeft, moment: Moment) -> None:
    if _left(event.person, moment, event.reason):
        moment.count(event.person, {"member_leaves": 1})


def roles(event: RolesSeen, moment: Moment) -> None:
    moment.put(ROLES, (moment.place, event.person), {"roles": " ".join(sorted(event.roles)), "at": moment.at})


def chose(event: ConsentChanged, moment: Moment) -> None:
    """Who wants nothing kept of them, or is to be nobody, is no member that is known of: lists come without them, and
    they have not left."""
    if event.level in CLOSED and event.topic == "messages":
        moment.forget_person(MEMBER, event.person)


def seen(event: MembersSeen, moment: Moment) -> None:
    if not moment.current:
        return
    key = str(moment.place)
    known = moment.recall(key, Part)
    if known is not None and known.snapshot != event.snapshot:
        _forget(known, moment)
        known = None
    arrived = tuple(sorted({*(known.arrived if known else ()), event.part}))
    if len(arrived) < event.parts:
        moment.remember(f"{key} {event.part}", Part(event.snapshot, (), event.people))
        moment.remember(key, Part(event.snapshot, arrived))
        return
    people = list(event.people)
    for part in arrived:
        stored = moment.recall(f"{key} {part}", Part)
        if part != event.part and stored is not None:
            people += stored.people
    if known is not None:
        _forget(known, moment)
    _apply(people, moment)


def _forget(known: Part, moment: Moment) -> None:
    for part in known.arrived:
        moment.remember(f"{moment.place} {part}", None)
    moment.remember(str(moment.place), None)


def _apply(people: list[Member], moment: Moment) -> None:
    """Who is not in the list has left, who was not known is found; who joined again meanwhile did both."""
    listed = {one.person: one for one in people}
    for person in moment.people(MEMBER):
        now = listed.get(person)
        began = moment.began(MEMBER, person)
        again = now is not None and now.joined is not None and began is not None and now.joined - began > _SAME_MS
        if (now is None or again) and _left(person, moment, "missed"):
            moment.count(person, {"member_leaves": 1})
            if again:
                moment.count(person, {"member_joins": 1})
    for person, one in listed.items():
        if not moment.is_open(MEMBER, person):
            _enter(person, one.joined or moment.seen, one.bot, True, moment)


def _enter(person: int, at: int, bot: bool, found: bool, moment: Moment) -> None:
    if moment.open(MEMBER, person, began=at):
        moment.put(MEMBERSHIPS, (moment.place, person, at), {"found": found, "bot": bot})


def _left(person: int, moment: Moment, why: str) -> bool:
    began = moment.began(MEMBER, person)
    if began is None or not moment.close(MEMBER, person):
        return False
    moment.put(MEMBERSHIPS, (moment.place, person, began), {"left_at": moment.at, "why": why})
    return True
