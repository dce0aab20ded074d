"""People: who was seen where, first and last, and what they are called.

Stored: `sightings` (first and last moment by place and person), `names` (every name's text by its key),
`wearers` (which person wore which name, and when last). Names at rest are only here and in the aliases.
"""

from __future__ import annotations

from ..contract.events import (
    AfkEnded,
    AfkStarted,
    BalanceImported,
    Joined,
    Left,
    MessageSent,
    Named,
    PlaceNamed,
    PrivateMessageSent,
    RosterSeen,
)
from ..statistic import HIGH, KEY, LOW, PUT, PUT_TEXT, Statistic, Table
from ..tables import PLACES
from ..writes import Moment

SIGHTINGS = Table("sightings", {"place": KEY, "person": KEY}, {"first_at": LOW, "last_at": HIGH}, (("person",),))
NAMES = Table(
    "names",
    {"name_key": KEY},
    {"name": PUT_TEXT, "folded": PUT_TEXT, "at": PUT},
    (("folded",),),
    newest="at",
    kept=True,
)
"""`folded`: as names are compared and searched."""
WEARERS = Table(
    "wearers",
    {"person": KEY, "name_key": KEY},
    {"at": PUT, "platform": PUT_TEXT, "space": PUT_TEXT, "account": PUT_TEXT, "bot": PUT},
    (("name_key", "platform", "space", "at DESC", "person"), ("bot", "person")),
    newest="at",
    kept=True,
)


def _see(moment: Moment, person: int) -> None:
    moment.low(SIGHTINGS, (moment.place, person), {"first_at": moment.at})
    moment.high(SIGHTINGS, (moment.place, person), {"last_at": moment.at})


def author(event: MessageSent | PrivateMessageSent, moment: Moment) -> None:
    _see(moment, event.author)


def person(event: Joined | Left | AfkStarted | AfkEnded, moment: Moment) -> None:
    _see(moment, event.person)


def roster(event: RosterSeen, moment: Moment) -> None:
    for one in event.people:
        _see(moment, one.person)


def imported(event: BalanceImported, moment: Moment) -> None:
    if event.first_seen is not None:
        moment.low(SIGHTINGS, (moment.place, event.person), {"first_at": event.first_seen})
    if event.last_seen is not None:
        moment.high(SIGHTINGS, (moment.place, event.person), {"last_at": event.last_seen})


def named(event: Named, moment: Moment) -> None:
    moment.put(NAMES, (event.key,), {"name": event.name, "folded": event.name.casefold(), "at": moment.at})
    if event.person is not None:
        values = {
            "at": moment.at,
            "platform": event.about.platform,
            "space": "" if event.everywhere else event.about.space,
            "account": event.account,
            "bot": event.bot,
        }
        moment.put(WEARERS, (event.person, event.key), values)


def place_named(event: PlaceNamed, moment: Moment) -> None:
    moment.put(PLACES, (moment.place,), {"name": event.name, "type": event.type, "folded": event.name.casefold()})


STATISTIC = Statistic(
    name="people",
    on={
        MessageSent: author,
        PrivateMessageSent: author,
        Joined: person,
        Left: person,
        AfkStarted: person,
        AfkEnded: person,
        RosterSeen: roster,
        Named: named,
        PlaceNamed: place_named,
        BalanceImported: imported,
    },
    tables=(SIGHTINGS, NAMES, WEARERS),
)
