"""What statuses do: online, idle or dnd, on which devices, and doing what, each as long as it lasts.

The platform tells a person's status to every connection through which it tells of a guild of theirs. It is kept once:
at the connection that told it first, as long as that one lives. Offline and invisible are one (nothing lasts); a custom
status is only known to be there.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .contract.events import ConsentChanged, Presence, PresenceChanged, PresencesSeen
from .snapshots import Parts, taken
from .statistic import KEY, KEY_TEXT, PUT_TEXT, Aging, Ledger, Span, Table
from .writes import Moment

ACTIVITIES: Final = Ledger(
    "activities",
    {"place": KEY, "person": KEY, "activity": KEY_TEXT},
    ("time_ms", "times"),
    totals_indexes=(("person",),),
)
"""What people were shown to be doing: `playing:` and the name of a game, `listening:` and that of a service, and so on;
`times` they were seen to begin."""
LOG: Final = Table(
    "presence_log",
    {"at": KEY, "seq": KEY, "person": KEY},
    {"status": PUT_TEXT, "activity_type": PUT_TEXT, "activity_name": PUT_TEXT},
    (("person", "at DESC"),),
    aging=Aging("at", "status", "store_days"),
)
"""What somebody's status and foremost activity were from a moment on; after a break of observation told anew."""

ONLINE: Final = Span("online", "online_ms", topic="presence")
IDLE: Final = Span("idle", "idle_ms", topic="presence")
DND: Final = Span("dnd", "dnd_ms", topic="presence")
CUSTOM: Final = Span("custom_status", "custom_status_ms", topic="presence")
Known = Literal["online", "idle", "dnd"]
Kind = Literal["playing", "streaming", "listening", "watching", "competing"]
STATUSES: Final[dict[Known, Span]] = {"online": ONLINE, "idle": IDLE, "dnd": DND}
DEVICES: Final = {
    "desktop": Span("on_desktop", "desktop_ms", topic="presence"),
    "mobile": Span("on_mobile", "mobile_ms", topic="presence"),
    "web": Span("on_web", "web_ms", topic="presence"),
}
DOING: Final = Span("doing", "time_ms", ACTIVITIES, topic="presence")
"""About the type and the name of an activity: `playing:Chess`."""
PLAIN: Final = (*STATUSES.values(), *DEVICES.values(), CUSTOM)
SPANS: Final = (*PLAIN, DOING)


class PresenceSettings(msgspec.Struct, frozen=True):
    """Section `presence`."""

    store_days: Annotated[int, msgspec.Meta(ge=0)] = 30
    """How long single changes of status are kept; 0: for ever. Sums remain."""


def changed(event: PresenceChanged, moment: Moment) -> None:
    if moment.current:
        _is(event.presence, moment, begun=1)


def seen(event: PresencesSeen, moment: Moment) -> None:
    if not moment.current:
        return
    key = str(moment.place)
    known: Parts[Presence] | None = moment.recall(key, Parts)
    rest, everybody = taken(known, event)
    if rest is not known:
        moment.remember(key, rest)
    if everybody is None:
        return
    people = {one.person: one for one in everybody}
    gone = {person for span in STATUSES.values() for person in moment.people(span)} - people.keys()
    for person in sorted(gone):
        _is(Presence(person, "offline"), moment, begun=0)
    for one in people.values():
        _is(one, moment, begun=0)


def chose(event: ConsentChanged, moment: Moment) -> None:
    """Whoever is to be nobody from now on, or may be, is not told of by this number again: nothing would end it."""
    if event.topic == "presence" and event.level not in ("counted", "shown"):
        for span in SPANS:
            moment.forget_person(span, event.person)


def _is(presence: Presence, moment: Moment, begun: int) -> None:
    """This is somebody's status from now on, unless another connection tells of it."""
    person = presence.person
    for span in STATUSES.values():
        for place in moment.everywhere(span, person):
            if place != moment.place:
                if moment.lives(place):
                    return
                _end(person, place, moment)
    new = [moment.let(span, person, presence.status == status) for status, span in STATUSES.items()]
    if presence.status == "offline":
        _end(person, moment.place, moment)
    else:
        for device, span in DEVICES.items():
            moment.let(span, person, device in presence.on)
        new.append(moment.let(CUSTOM, person, any(one.type == "custom" for one in presence.activities)))
        new.append(_does(presence, moment, begun))
    if any(new):
        foremost = next((one for one in presence.activities if one.type != "custom" and one.name), None)
        values = {"activity_type": foremost and foremost.type, "activity_name": foremost and foremost.name}
        moment.put(LOG, (moment.at, moment.seq, person), {"status": presence.status, **values})


def _does(presence: Presence, moment: Moment, begun: int) -> bool:
    """These are somebody's activities from now on. Says whether any of that is new."""
    person = presence.person
    doing = {f"{one.type}:{one.name}" for one in presence.activities if one.type != "custom" and one.name}
    new = False
    for one in moment.details(DOING, person):
        if one not in doing:
            new |= moment.close(DOING, person, one)
    for one in sorted(doing):
        if moment.open(DOING, person, one):
            new = True
            moment.tally(ACTIVITIES, (moment.place, person, one), {"times": begun})
    return new


def _end(person: int, place: int, moment: Moment) -> None:
    for span in PLAIN:
        moment.close(span, person, place=place)
    for one in moment.details(DOING, person, place):
        moment.close(DOING, person, one, place)
