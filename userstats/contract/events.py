"""The facts that travel from bridges to userstats, one struct for each kind of fact.

Every event is past tense and closed: there is no field in which something that somebody wrote could travel, and no
event but `Named` carries a name. A person is a `Person`, a keyed hash (see `pseudonym.py`).

Times are integer milliseconds since the epoch, UTC. `at` is the platform's own time where it gives one, else the
bridge's; `seen` is always the bridge's clock.
"""

from __future__ import annotations

from typing import Annotated, Literal, Union

from msgspec import Meta, Struct

from .consents import AccountsLinked, AccountsUnlinked, ConsentChanged, GoesBy, Level, Topic
from .fact import (
    INT63,
    NO_WATCH,
    RECORDER,
    ROSTER_PART,
    Count,
    EmoteName,
    Event,
    Key,
    Millis,
    Name,
    Person,
    Phrase,
    Place,
    Title,
    Token,
)
from .guilds import (
    Activity,
    BackfillReached,
    GuildCounted,
    InVoice,
    Member,
    MemberJoined,
    MemberLeft,
    MembersSeen,
    MessageDeleted,
    MessageEdited,
    NotGranted,
    PlaceClosed,
    PlatformId,
    Presence,
    PresenceChanged,
    PresencesSeen,
    ReactionAdded,
    ReactionRemoved,
    RolesSeen,
    ThreadArchived,
    ThreadCreated,
    ThreadJoined,
    ThreadsSeen,
    Voice,
    VoiceCounted,
    VoiceMoved,
    VoiceSeen,
)
from .imported import (
    BalanceImported,
    Headcount,
    Imported,
    ImportFinished,
    ImportStarted,
    MediaImported,
    OldTable,
    PopulationImported,
    RowsRemarked,
    TableTaken,
    Times,
    VoteImported,
)

__all__ = [
    "INT63", "KINDS", "NO_WATCH", "RECORDER", "ROSTER_PART", "AccountsLinked", "AccountsUnlinked", "Activity",
    "AfkEnded", "AfkStarted", "AliasAdded", "AliasRemoved", "AnyEvent", "BackfillReached", "BalanceImported",
    "BridgeBeat", "BridgeStarted", "BridgeStopped", "ConsentChanged", "Count", "EmoteName", "Event", "EventRefused",
    "GoesBy", "GuildCounted", "Headcount", "ImportFinished", "ImportStarted", "Imported", "InVoice", "Joined", "Key",
    "Left", "Level", "MediaImported", "MediaStarted", "Member", "MemberJoined", "MemberLeft", "MembersSeen",
    "MessageDeleted", "MessageEdited", "MessageSent", "Millis", "Name", "Named", "NotGranted", "OldTable", "Person",
    "Phrase", "PhraseAdded", "PhraseRemoved", "Place", "PlaceClosed", "PlaceNamed", "PlatformId", "PopulationCounted",
    "PopulationImported", "Presence", "PresenceChanged", "PresencesSeen", "Present", "PrivateMessageSent",
    "ReactionAdded", "ReactionRemoved", "RolesSeen", "RosterSeen", "RowsRemarked", "TableTaken", "Thanks",
    "ThreadArchived", "ThreadCreated", "ThreadJoined", "ThreadsSeen", "Times", "Title", "Token", "Topic", "Voice",
    "VoiceCounted", "VoiceMoved", "VoiceSeen", "VoteImported",
]  # fmt: skip


class Thanks(Struct, frozen=True):
    """One word of thanks in a message."""

    who: Key
    """Keyed hash of the casefolded name as it was said; whose it is is decided when asked."""
    token: Phrase
    """`++`, or the configured phrase that stood near the name."""


class MessageSent(Event, frozen=True, kw_only=True, tag="MessageSent"):
    """Somebody said something in public. Only counts of it are kept."""

    author: Person
    by: Literal["person", "bot", "webhook", "system"] = "person"
    characters: Count = 0
    words: Count = 0
    emotes: Annotated[tuple[EmoteName, ...], Meta(max_length=200)] = ()
    """Each use of a known emote, in order, in the platform's spelling."""
    mentions: Annotated[tuple[Person, ...], Meta(max_length=100)] = ()
    thanks: Annotated[tuple[Thanks, ...], Meta(max_length=50)] = ()
    vote: Literal[-1, 0, 1] = 0
    """`movie++` or `movie--`, about what is playing."""
    links: Count = 0
    files: Count = 0
    embeds: Count = 0
    stickers: Count = 0
    reply_to: Person | None = None
    thread: PlatformId = ""
    """The thread it was said in; its channel is the place."""
    backfilled: Annotated[int, Meta(ge=0, le=INT63)] = 0
    """The platform's id of a message that was read from a channel's history, which nobody observed; ids grow with time.
    0: it was seen as it was said."""


class PrivateMessageSent(Event, frozen=True, kw_only=True, tag="PrivateMessageSent"):
    """Somebody wrote to the bot in private."""

    author: Person
    characters: Count = 0
    words: Count = 0


class Joined(Event, frozen=True, kw_only=True, tag="Joined"):
    """Somebody connected to a room."""

    person: Person
    afk: bool = False


class Left(Event, frozen=True, kw_only=True, tag="Left"):
    """Somebody disconnected from a room."""

    person: Person


class AfkStarted(Event, frozen=True, kw_only=True, tag="AfkStarted"):
    """Somebody in the room went away from the keyboard."""

    person: Person


class AfkEnded(Event, frozen=True, kw_only=True, tag="AfkEnded"):
    """Somebody in the room came back to the keyboard."""

    person: Person


class MediaStarted(Event, frozen=True, kw_only=True, tag="MediaStarted"):
    """A medium began to play, or was already playing when the watch began (`resumed`)."""

    title: Title
    media_type: Annotated[str, Meta(max_length=32)] = ""
    media_id: Annotated[str, Meta(max_length=256)] = ""
    seconds: Count | None = None
    """Length; None when the platform does not know it (live)."""
    queued_by: Person | None = None
    resumed: bool = False


class PopulationCounted(Event, frozen=True, kw_only=True, tag="PopulationCounted"):
    """How many were here. `connected` includes anonymous connections, None where it has not been told yet."""

    connected: Count | None = None
    named: Count
    not_afk: Count


class Present(Struct, frozen=True):
    """One person of a roster and the state they are in."""

    person: Person
    afk: bool = False


class RosterSeen(Event, frozen=True, kw_only=True, tag="RosterSeen"):
    """A part of a full snapshot of who is here. It applies when all its parts have arrived."""

    snapshot: Token
    part: Annotated[int, Meta(ge=1, le=4096)] = 1
    parts: Annotated[int, Meta(ge=1, le=4096)] = 1
    people: Annotated[tuple[Present, ...], Meta(max_length=ROSTER_PART)] = ()


class Named(Event, frozen=True, kw_only=True, tag="Named"):
    """The one event with a name in it: this person is called so from now on.

    Without a `person` it only says what text a name's key stands for (an alias nobody has worn yet).
    """

    key: Key
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    person: Person | None = None
    account: Name = ""
    """The platform's id of the account. CyTube: the casefolded name."""
    bot: bool = False
    everywhere: bool = False
    """They are called so on the whole platform, not just in this space."""
    room: Place | None = None
    """Where they are called so, where userstats itself says it (an import)."""

    @property
    def about(self) -> Place:
        return self.room if self.room is not None and self.place.platform == RECORDER else self.place


class PlaceNamed(Event, frozen=True, kw_only=True, tag="PlaceNamed"):
    """What the platform calls this place."""

    name: Name
    type: Annotated[str, Meta(max_length=32)] = "room"


class AliasAdded(Event, frozen=True, kw_only=True, tag="AliasAdded"):
    """The name `alias` belongs to the person who is called `owner`."""

    owner: Key
    alias: Key


class AliasRemoved(Event, frozen=True, kw_only=True, tag="AliasRemoved"):
    """The name `alias` is nobody else's any more."""

    alias: Key


class PhraseAdded(Event, frozen=True, kw_only=True, tag="PhraseAdded"):
    """This phrase near a name is thanks from now on."""

    phrase: Phrase


class PhraseRemoved(Event, frozen=True, kw_only=True, tag="PhraseRemoved"):
    """This phrase is no thanks any more."""

    phrase: Phrase


class BridgeStarted(Event, frozen=True, kw_only=True, tag="BridgeStarted"):
    """A watch began: this place is observed from here on."""

    bridge: Token


class BridgeBeat(Event, frozen=True, kw_only=True, tag="BridgeBeat"):
    """The watch is alive, by fresh proof of life from the platform."""


class BridgeStopped(Event, frozen=True, kw_only=True, tag="BridgeStopped"):
    """The watch ended; `reason` is from a closed set."""

    reason: Literal["stopped", "kicked", "banned", "lost", "moved", "replaced", "refused"]


class EventRefused(Event, frozen=True, kw_only=True, tag="EventRefused"):
    """The bridge was given something it could not turn into an event. What it said is not kept."""

    refused: Token
    """The platform's name of the frame."""
    reason: Literal["too_big", "malformed", "type", "control", "overflow"]
    bytes: Count = 0
    count: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 1
    """How many this stands for: what was dropped for lack of room (`overflow`) is told as a sum, once there is some."""


AnyEvent = Union[  # noqa: UP007  (msgspec and mypy read a plain Union the same way)
    MessageSent, PrivateMessageSent, Joined, Left, AfkStarted, AfkEnded, MediaStarted, PopulationCounted, RosterSeen,
    Named, PlaceNamed, AliasAdded, AliasRemoved, PhraseAdded, PhraseRemoved, BridgeStarted, BridgeBeat, BridgeStopped,
    EventRefused, ImportStarted, BalanceImported, MediaImported, PopulationImported, VoteImported, RowsRemarked,
    ImportFinished, MessageEdited, MessageDeleted, ReactionAdded, ReactionRemoved, VoiceMoved, VoiceSeen, VoiceCounted,
    PresenceChanged, PresencesSeen, MemberJoined, MemberLeft, MembersSeen, RolesSeen, ThreadCreated, ThreadJoined,
    ThreadArchived, ThreadsSeen, GuildCounted, PlaceClosed, NotGranted, BackfillReached, ConsentChanged,
    AccountsLinked, AccountsUnlinked,
]  # fmt: skip

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in AnyEvent.__args__}  # type: ignore[attr-defined]
"""Every kind of event by its name on the wire."""
