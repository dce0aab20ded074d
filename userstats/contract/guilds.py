"""Facts of platforms with guilds, voice channels, members and threads (Discord). Use them from `events.py`.

The place of what happens in a text channel is the channel; of a voice move, a member or the guild's numbers it is the
guild (`channel` empty), since a move is one fact about two channels. Ids of channels, threads and roles are the
platform's, as text. Nothing here is what somebody wrote: no titles of threads, no custom statuses.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fact import ROSTER_PART, Count, EmoteName, Event, Millis, Person, Token

PlatformId = Annotated[str, Meta(max_length=32, pattern=r"^[A-Za-z0-9_-]*(?![\s\S])")]
"""The platform's id of a channel, a thread or a role; empty where there is none."""
Status = Literal["online", "idle", "dnd", "offline"]
"""`offline` is also said of people who are invisible: the two are never told apart (guarantee G27)."""


class MessageEdited(Event, frozen=True, kw_only=True, tag="MessageEdited"):
    """A message was changed by who had sent it."""

    author: Person | None = None
    by: Literal["person", "bot", "webhook", "system"] = "person"


class MessageDeleted(Event, frozen=True, kw_only=True, tag="MessageDeleted"):
    """A message is gone, whoever took it away.

    `author` and what the message counted for are known while the bridge remembers the message; without them only
    that one is gone, and of when (`sent`).
    """

    sent: Millis
    """When the message had been sent."""
    author: Person | None = None
    by: Literal["person", "bot", "webhook", "system"] = "person"
    characters: Count = 0
    words: Count = 0
    emotes: Annotated[tuple[EmoteName, ...], Meta(max_length=200)] = ()
    bulk: bool = False
    """One of many that a moderator took away at once."""


class ReactionAdded(Event, frozen=True, kw_only=True, tag="ReactionAdded"):
    """Somebody put an emote under a message."""

    person: Person
    emote: EmoteName
    author: Person | None = None
    """Who had sent the message; None: not known."""
    bot: bool = False


class ReactionRemoved(Event, frozen=True, kw_only=True, tag="ReactionRemoved"):
    """An emote under a message was taken back, by its person or by a moderator (`cleared`)."""

    person: Person | None = None
    """None: cleared, and it is not known whose it was."""
    emote: EmoteName
    author: Person | None = None
    cleared: bool = False
    bot: bool = False


class Voice(Struct, frozen=True, omit_defaults=True):
    """One person's state in a voice channel."""

    person: Person
    channel: PlatformId
    muted: bool = False
    """By themselves, by the server, or as a stage's audience."""
    deafened: bool = False
    streaming: bool = False
    video: bool = False
    afk: bool = False
    """The channel is the guild's AFK channel."""
    bot: bool = False


class VoiceMoved(Event, frozen=True, kw_only=True, tag="VoiceMoved"):
    """Somebody entered, left or changed a voice channel, or their state in it: one fact, so that nothing is counted
    twice or in between (guarantee G4). The place is the guild."""

    person: Person
    before: PlatformId = ""
    """The channel they were in, as far as the bridge knew; empty: none."""
    now: Voice | None = None
    """None: they are in none any more."""
    bot: bool = False


class VoiceSeen(Event, frozen=True, kw_only=True, tag="VoiceSeen"):
    """A part of everybody who is in the guild's voice channels. It applies when all its parts have arrived."""

    snapshot: Token
    part: Annotated[int, Meta(ge=1, le=4096)] = 1
    parts: Annotated[int, Meta(ge=1, le=4096)] = 1
    people: Annotated[tuple[Voice, ...], Meta(max_length=ROSTER_PART)] = ()


class InVoice(Struct, frozen=True, omit_defaults=True):
    """How many are in one voice channel; it names nobody, and so counts also those who want no time of theirs kept."""

    channel: PlatformId
    people: Count
    """Humans who are not deafened."""
    deafened: Count = 0
    bots: Count = 0


class VoiceCounted(Event, frozen=True, kw_only=True, tag="VoiceCounted"):
    """How many are in some voice channels of the guild, said whenever one of these numbers changes."""

    channels: Annotated[tuple[InVoice, ...], Meta(max_length=ROSTER_PART)] = ()


class Activity(Struct, frozen=True, omit_defaults=True):
    """What somebody is shown to be doing."""

    type: Literal["playing", "streaming", "listening", "watching", "competing", "custom"]
    name: Annotated[str, Meta(max_length=128)] = ""
    """Of the game or service as its application calls it; never the text of a custom status."""


class Presence(Struct, frozen=True, omit_defaults=True):
    """One person's status."""

    person: Person
    status: Status
    on: Annotated[tuple[Literal["desktop", "mobile", "web"], ...], Meta(max_length=3)] = ()
    activities: Annotated[tuple[Activity, ...], Meta(max_length=10)] = ()


class PresenceChanged(Event, frozen=True, kw_only=True, tag="PresenceChanged"):
    """Somebody's status or activities are these from now on.

    The place is the connection, not a guild: who is in many guilds has one status (guarantee G5).
    """

    presence: Presence


class PresencesSeen(Event, frozen=True, kw_only=True, tag="PresencesSeen"):
    """A part of the statuses of everybody who may be told about and is not offline. Applies when all have arrived."""

    snapshot: Token
    part: Annotated[int, Meta(ge=1, le=4096)] = 1
    parts: Annotated[int, Meta(ge=1, le=4096)] = 1
    people: Annotated[tuple[Presence, ...], Meta(max_length=ROSTER_PART)] = ()


class MemberJoined(Event, frozen=True, kw_only=True, tag="MemberJoined"):
    """Somebody became a member of the guild; `at` is when."""

    person: Person
    bot: bool = False


class MemberLeft(Event, frozen=True, kw_only=True, tag="MemberLeft"):
    """Somebody is no member of the guild any more."""

    person: Person
    reason: Literal["left", "banned"] = "left"
    """`left` also of who was kicked: the platform does not say which."""


class Member(Struct, frozen=True, omit_defaults=True):
    """One member."""

    person: Person
    joined: Millis | None = None
    bot: bool = False


class MembersSeen(Event, frozen=True, kw_only=True, tag="MembersSeen"):
    """A part of the list of all members. It applies when all its parts have arrived: who is not in it has left."""

    snapshot: Token
    part: Annotated[int, Meta(ge=1, le=4096)] = 1
    parts: Annotated[int, Meta(ge=1, le=4096)] = 1
    people: Annotated[tuple[Member, ...], Meta(max_length=ROSTER_PART)] = ()


class RolesSeen(Event, frozen=True, kw_only=True, tag="RolesSeen"):
    """The roles of a member are these from now on."""

    person: Person
    roles: Annotated[tuple[PlatformId, ...], Meta(max_length=250)] = ()


class ThreadCreated(Event, frozen=True, kw_only=True, tag="ThreadCreated"):
    """Somebody began a thread in a channel."""

    person: Person | None = None
    """None: it is not known, or they are not to be counted."""
    thread: PlatformId


class ThreadJoined(Event, frozen=True, kw_only=True, tag="ThreadJoined"):
    """Somebody became part of a thread."""

    person: Person
    thread: PlatformId


class ThreadArchived(Event, frozen=True, kw_only=True, tag="ThreadArchived"):
    """A thread is archived (`deleted`: gone), or open again."""

    thread: PlatformId
    open: bool = False
    deleted: bool = False


class ThreadsSeen(Event, frozen=True, kw_only=True, tag="ThreadsSeen"):
    """A part of the threads of a guild that are open now. It applies when all its parts have arrived."""

    snapshot: Token
    part: Annotated[int, Meta(ge=1, le=4096)] = 1
    parts: Annotated[int, Meta(ge=1, le=4096)] = 1
    threads: Annotated[tuple[PlatformId, ...], Meta(max_length=500)] = ()
    channels: Annotated[tuple[PlatformId, ...], Meta(max_length=500)] = ()
    """On which channel each of them hangs, in the same order."""


class GuildCounted(Event, frozen=True, kw_only=True, tag="GuildCounted"):
    """The numbers of a guild as the platform tells them; None where it does not tell (an intent is not granted)."""

    members: Count
    online: Count | None = None
    """Neither offline nor invisible."""
    idle: Count | None = None
    """Of these: idle."""
    voice: Count | None = None
    """Humans in voice channels."""
    threads: Count | None = None
    """Open now."""
    categories: Count = 0
    text: Count = 0
    voice_channels: Count = 0
    stages: Count = 0
    forums: Count = 0
    announcements: Count = 0


class PlaceClosed(Event, frozen=True, kw_only=True, tag="PlaceClosed"):
    """This channel does not exist any more, or is not to be observed any more. What was counted stays."""


class NotGranted(Event, frozen=True, kw_only=True, tag="NotGranted"):
    """What the platform does not tell this bridge: answers about it say `not tracked`, never 0 (guarantee G28)."""

    missing: Annotated[tuple[Literal["members", "presences", "message_content"], ...], Meta(max_length=3)] = ()


class BackfillReached(Event, frozen=True, kw_only=True, tag="BackfillReached"):
    """The history of a channel is counted back to here; said in one piece with the messages it is about."""

    oldest: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    """The platform's id of the oldest message that is counted; ids grow with time."""
    newest: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    """Of the newest message of history: what came later was observed."""
    reached: Millis
    """When the oldest one was sent."""
    state: Literal["running", "complete", "forbidden", "partial"] = "running"
    """`partial`: stopped by the operator's limit; `forbidden`: the channel may not be read."""
    thread: PlatformId = ""
