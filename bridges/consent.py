"""Who does not want to be counted is not in what leaves a bridge.

Events about such a person go; in events about others every trace of the person is taken out. Pseudonyms and keys of
names are both 63-bit hashes, so one set holds the persons and the names under which they could be thanked.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from msgspec.structs import replace

from userstats.contract.events import (
    AfkEnded,
    AfkStarted,
    AliasAdded,
    AliasRemoved,
    BalanceImported,
    Event,
    Joined,
    Left,
    MediaStarted,
    MessageSent,
    Named,
    PrivateMessageSent,
    RosterSeen,
    VoteImported,
)

ABOUT: Final[dict[type[Event], tuple[str, ...]]] = {
    MessageSent: ("author",),
    PrivateMessageSent: ("author",),
    Joined: ("person",),
    Left: ("person",),
    AfkStarted: ("person",),
    AfkEnded: ("person",),
    Named: ("person", "key"),
    AliasAdded: ("owner", "alias"),
    AliasRemoved: ("alias",),
    BalanceImported: ("person", "name"),
    VoteImported: ("person",),
}
"""The fields that say whom an event is about. A test holds every kind of event with a person in it to be known here
or in `without`."""


def without(event: Event, opted_out: AbstractSet[int]) -> Event | None:
    """The event as it may be kept, or None if it is about somebody who opted out."""
    if not opted_out:
        return event
    if any(getattr(event, field) in opted_out for field in ABOUT.get(type(event), ())):
        return None
    match event:
        case MessageSent():
            return _message(event, opted_out)
        case RosterSeen():
            return replace(event, people=tuple(one for one in event.people if one.person not in opted_out))
        case MediaStarted() if event.queued_by in opted_out:
            return replace(event, queued_by=None)
        case _:
            return event


def _message(event: MessageSent, opted_out: AbstractSet[int]) -> MessageSent:
    if event.reply_to in opted_out:
        event = replace(event, reply_to=None)
    if not opted_out.isdisjoint(event.mentions):
        event = replace(event, mentions=tuple(person for person in event.mentions if person not in opted_out))
    if any(one.who in opted_out for one in event.thanks):
        event = replace(event, thanks=tuple(one for one in event.thanks if one.who not in opted_out))
    return event
