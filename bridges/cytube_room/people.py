"""Who is in the room and who is away from the keyboard: userlist, addUser, userLeave, setUserMeta, setAFK, usercount.

`setUserRank` is not among them: it names people who are not here.
"""

from __future__ import annotations

from typing import Final

from userstats.contract.events import ROSTER_PART, AfkEnded, AfkStarted, Joined, Left, Present, RosterSeen

from . import payload
from .payload import Refused
from .reading import Reading, pseudo
from .room import Seen

MOST_PEOPLE: Final = 5_000
"""People remembered in one room; more are refused."""


def userlist(reading: Reading, content: object) -> None:
    """A full roster: it replaces what was known, whichever of the several of a join it is."""
    if not isinstance(content, list):
        raise Refused("type")
    people: dict[str, Seen] = {}
    first_fault: Refused | None = None
    for entry in content:
        try:
            seen = _seen(entry)
        except Refused as fault:
            first_fault = first_fault or fault
            continue
        if _counts(reading, seen.name):
            people[seen.name.casefold()] = seen
        if len(people) > MOST_PEOPLE:
            people.popitem()
            first_fault = Refused("overflow")
            break
    reading.change(people=people, joined=True)
    for seen in people.values():
        reading.meet(seen.name)
    _tell_roster(reading, people)
    if first_fault is not None:
        reading.refuse("userlist", first_fault.reason, content)


def _tell_roster(reading: Reading, people: dict[str, Seen]) -> None:
    present = [Present(reading.person(folded), seen.afk) for folded, seen in people.items()]
    chunks = [present[start : start + ROSTER_PART] for start in range(0, len(present), ROSTER_PART)] or [[]]
    snapshot = ""
    for part, chunk in enumerate(chunks, 1):
        heading = reading.heading("c:roster")
        snapshot = snapshot or f"{heading['id']:x}"
        reading.tell(RosterSeen(**heading, snapshot=snapshot, part=part, parts=len(chunks), people=tuple(chunk)))


def told_again(reading: Reading) -> None:
    """Names and roster once more: others may be told about than when they were told."""
    reading.change(named={})
    for seen in reading.room.people.values():
        reading.meet(seen.name)
    _tell_roster(reading, dict(reading.room.people))


def add_user(reading: Reading, content: object) -> None:
    """Somebody came in; or, said again of somebody who is here, how they are spelled and whether they are away."""
    seen = _seen(content)
    if not _counts(reading, seen.name):
        return
    folded = seen.name.casefold()
    people = reading.room.people
    if folded not in people and len(people) >= MOST_PEOPLE:
        raise Refused("overflow")
    reading.meet(seen.name)
    if folded in people:
        reading.change(people={**people, folded: seen._replace(afk=people[folded].afk)})
        _afk(reading, folded, seen.afk)
        return
    reading.change(people={**people, folded: seen})
    reading.tell(Joined(**reading.heading("c:join"), person=reading.person(folded), afk=seen.afk))


def user_leave(reading: Reading, content: object) -> None:
    """Somebody went out; why is not told."""
    leave(reading, payload.name(payload.record(content).get("name")).casefold())


def leave(reading: Reading, folded: str) -> None:
    """Somebody of this casefolded name is not here any more. Nothing, if they were not."""
    if folded not in reading.room.people:
        return
    reading.change(people={key: seen for key, seen in reading.room.people.items() if key != folded})
    reading.tell(Left(**reading.heading("c:leave"), person=reading.person(folded)))


def set_user_meta(reading: Reading, content: object) -> None:
    """Somebody's flags, of which AFK is one; the others, addresses among them, are not looked at."""
    entry = payload.record(content)
    _set(reading, entry.get("name"), payload.record(entry.get("meta")).get("afk"))


def set_afk(reading: Reading, content: object) -> None:
    """The older twin of setUserMeta, sent right after it."""
    entry = payload.record(content)
    _set(reading, entry.get("name"), entry.get("afk"))


def usercount(reading: Reading, content: object) -> None:
    """How many connections the room has."""
    reading.change(connected=payload.count(content))


def _set(reading: Reading, name: object, afk: object) -> None:
    away = payload.flag(afk)
    if name == "":  # an anonymous connection
        return
    folded = payload.name(name).casefold()
    if folded in reading.room.people:
        _afk(reading, folded, away)


def _afk(reading: Reading, folded: str, away: bool) -> None:
    seen = reading.room.people[folded]
    if seen.afk == away:
        return
    reading.change(people={**reading.room.people, folded: seen._replace(afk=away)})
    person = reading.person(folded)
    if away:
        reading.tell(AfkStarted(**reading.heading("c:afk"), person=person))
    else:
        reading.tell(AfkEnded(**reading.heading("c:afk"), person=person))


def _seen(content: object) -> Seen:
    """A user object. A kryten-robot's has sometimes lost its `meta`; then nobody says that they are away."""
    entry = payload.record(content)
    meta = payload.record(entry.get("meta", {}))
    rank = entry.get("rank")
    registered = isinstance(rank, (int, float)) and not isinstance(rank, bool) and rank >= 1
    return Seen(payload.name(entry.get("name")), payload.flag(meta.get("afk", False)), registered)


def _counts(reading: Reading, name: str) -> bool:
    """Whether this is one of the people: not the bot itself, and not the server speaking."""
    return name.casefold() != reading.room.own and not pseudo(name)
