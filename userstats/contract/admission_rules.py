"""For each kind of event: whom it is about, and what is left of it by what they and others in it chose.

Events about who is off go; in events about others every trace of them is taken out: mentions, replies, thanks to one
of their names, places in a list. Who is anonymous is a number of the watch instead; mentions of them, replies and
thanks to them go all the same, and so do facts that must know somebody again later: names, membership, roles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from .consents import ConsentChanged, Topic
from .events import (
    AccountsLinked,
    AfkEnded,
    AfkStarted,
    AliasAdded,
    AliasRemoved,
    BalanceImported,
    Event,
    Joined,
    Left,
    MediaStarted,
    MemberJoined,
    MemberLeft,
    MembersSeen,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    Named,
    PresenceChanged,
    PresencesSeen,
    PrivateMessageSent,
    ReactionAdded,
    ReactionRemoved,
    RolesSeen,
    RosterSeen,
    ThreadCreated,
    ThreadJoined,
    VoiceMoved,
    VoiceSeen,
    VoteImported,
)

if TYPE_CHECKING:
    from .admission import Consents

Judge = Callable[["Consents", Any], Event | None]
"""The event as it may be kept, the very same where nothing is in its way; None: nothing of it may be kept."""


class Rule(NamedTuple):
    """How a kind of event is judged, and by what people chose about what."""

    judge: Judge
    topic: Topic = "messages"


def _message(consents: Consents, event: MessageSent) -> MessageSent | None:
    author = consents.kept(event.author, "messages", event, event.by != "person")
    if author is None:
        return None
    changes: dict[str, Any] = {} if author == event.author else {"author": author}
    if event.reply_to is not None and not consents.may_name(event.reply_to, "messages", event):
        changes["reply_to"] = None
    if event.mentions:
        mentions = tuple(person for person in event.mentions if consents.may_name(person, "messages", event))
        if len(mentions) < len(event.mentions):
            changes["mentions"] = mentions
    if event.thanks:
        thanks = tuple(one for one in event.thanks if consents.may_mean(one.who, event.place))
        if len(thanks) < len(event.thanks):
            changes["thanks"] = thanks
    return replace(event, **changes) if changes else event


def _about(field: str = "person") -> Judge:
    """One person, without whom there is nothing to tell; whoever else sent the message is a trace (`author`)."""

    def judge(consents: Consents, event: Any) -> Event | None:
        person = getattr(event, field)
        kept = person if person is None else consents.kept(person, "messages", event, _is_bot(event))
        if kept is None and person is not None:
            return None
        changes = {} if kept == person else {field: kept}
        author = None if field == "author" else getattr(event, "author", None)
        if author is not None and not consents.may_name(author, "messages", event):
            changes["author"] = None
        admitted: Event = replace(event, **changes) if changes else event
        return admitted

    return judge


def _is_bot(event: Any) -> bool:
    return bool(getattr(event, "bot", False)) or getattr(event, "by", "person") != "person"


def _recognisable(field: str = "person") -> Judge:
    """A fact that is of no use without knowing who it is about."""

    def judge(consents: Consents, event: Any) -> Event | None:
        person = getattr(event, field)
        whole: Event = event
        return whole if consents.kept(person, "messages", whole, _is_bot(event)) == person else None

    return judge


def _named(consents: Consents, event: Named) -> Event | None:
    if event.person is None:
        return event if consents.may_mean(event.key, event.about) else None
    return event if consents.kept(event.person, "messages", event, event.bot) == event.person else None


def _alias(consents: Consents, event: AliasAdded | AliasRemoved) -> Event | None:
    keys = (event.alias, event.owner) if isinstance(event, AliasAdded) else (event.alias,)
    return event if all(consents.may_mean(key, event.place) for key in keys) else None


def _link(consents: Consents, event: AccountsLinked) -> Event | None:
    known = all(consents.may_name(person, "messages", event) for person in (event.person, event.other))
    return event if known else None


def _balance(consents: Consents, event: BalanceImported) -> Event | None:
    kept = consents.kept(event.person, "messages", event)
    if kept is None:
        return None
    return event if kept == event.person else replace(event, person=kept, name=kept, thanks=())


def _queued(consents: Consents, event: MediaStarted) -> Event:
    known = event.queued_by is None or consents.may_name(event.queued_by, "messages", event)
    return event if known else replace(event, queued_by=None)


def _thread(consents: Consents, event: ThreadCreated) -> Event:
    kept = None if event.person is None else consents.kept(event.person, "messages", event)
    return event if kept == event.person else replace(event, person=kept)


def _voice(consents: Consents, event: VoiceMoved) -> Event | None:
    kept = consents.kept(event.person, "voice", event, event.bot or (event.now is not None and event.now.bot))
    if kept is None:
        return None
    now = None if event.now is None else replace(event.now, person=kept)
    return event if kept == event.person else replace(event, person=kept, now=now)


def _presence(consents: Consents, event: PresenceChanged) -> Event | None:
    person = event.presence.person
    kept = consents.kept(person, "presence", event)
    if kept is None:
        return None
    return event if kept == person else replace(event, presence=replace(event.presence, person=kept))


def _people(topic: Topic, *, recognisable: bool = False) -> Judge:
    """A part of a list: it stays a part, of whoever is left."""

    def judge(consents: Consents, event: Any) -> Event:
        people = []
        same = True
        for one in event.people:
            kept = consents.kept(one.person, topic, event, getattr(one, "bot", False))
            if kept == one.person:
                people.append(one)
                continue
            same = False
            if kept is not None and not recognisable:
                people.append(replace(one, person=kept))
        left: Event = event if same else replace(event, people=tuple(people))
        return left

    return judge


RULES: Final[Mapping[type[Event], Rule]] = {
    MessageSent: Rule(_message),
    MessageEdited: Rule(_about("author")),
    MessageDeleted: Rule(_about("author")),
    PrivateMessageSent: Rule(_about("author")),
    Joined: Rule(_about()),
    Left: Rule(_about()),
    AfkStarted: Rule(_about()),
    AfkEnded: Rule(_about()),
    RosterSeen: Rule(_people("messages")),
    MediaStarted: Rule(_queued),
    Named: Rule(_named),
    ReactionAdded: Rule(_about()),
    ReactionRemoved: Rule(_about()),
    ThreadCreated: Rule(_thread),
    ThreadJoined: Rule(_about()),
    MemberJoined: Rule(_recognisable()),
    MemberLeft: Rule(_recognisable()),
    MembersSeen: Rule(_people("messages", recognisable=True)),
    RolesSeen: Rule(_recognisable()),
    VoiceMoved: Rule(_voice, "voice"),
    VoiceSeen: Rule(_people("voice"), "voice"),
    PresenceChanged: Rule(_presence, "presence"),
    PresencesSeen: Rule(_people("presence"), "presence"),
    AliasAdded: Rule(_alias),
    AliasRemoved: Rule(_alias),
    BalanceImported: Rule(_balance),
    VoteImported: Rule(_about()),
    ConsentChanged: Rule(_recognisable()),
    AccountsLinked: Rule(_link),
}
"""The other kinds are about nobody. A test holds every kind with a person in it to be here."""
