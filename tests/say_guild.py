"""Facts of guilds, in few words: see `say.py`, whose world tells them.

    await world.tell(started(GUILD), "20:00", voice_moved("amy", "300"), "20:10", voice_moved("amy", before="300"))

People are of the platform of the place. Without a place a fact is about the guild of the tests, or, where it is about
somebody's status, about the connection of shard 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypedDict, Unpack

from tests.say import RECORD, Envelope, about, clock, person
from userstats.contract import events as e
from userstats.contract.events import Place

GUILD: Final = Place("discord", "100", "")
GENERAL: Final = Place("discord", "100", "200")
"""A text channel of the guild."""
VOICE: Final = Place("discord", "100", "300")
"""A voice channel of the guild."""
ELSEWHERE: Final = Place("discord", "101", "")
"""Another guild."""
CONNECTION: Final = Place("discord", "", "")
"""Of shard 0: direct messages, statuses."""

By = Literal["person", "bot", "webhook", "system"]
On = Literal["desktop", "mobile", "web"]


class State(TypedDict, total=False):
    """How somebody is in a voice channel."""

    muted: bool
    deafened: bool
    streaming: bool
    video: bool
    afk: bool


def account(name: str) -> int:
    """The pseudonym of the account with this name."""
    return person(name, GUILD.platform)


def shard(number: int, of: int) -> Place:
    """The connection of a shard; shard 0 is CONNECTION."""
    return Place("discord", "", f"shard.{number}.{of}") if number else CONNECTION


# --- messages and reactions ---


def message_edited(
    who: str | None, where: Place = GENERAL, *, by: By = "person", **envelope: Unpack[Envelope]
) -> e.MessageEdited:
    return e.MessageEdited(author=account(who) if who else None, by=by, **about(where, envelope))


def message_deleted(
    who: str | None,
    where: Place = GENERAL,
    *,
    sent: str = "00:00",
    by: By = "person",
    characters: int = 0,
    words: int = 0,
    emotes: Sequence[str] = (),
    bulk: bool = False,
    **envelope: Unpack[Envelope],
) -> e.MessageDeleted:
    """A message is gone that was `sent` at that moment of the clock; without `who` the bridge did not remember it."""
    return e.MessageDeleted(
        sent=clock(sent),
        author=account(who) if who else None,
        by=by,
        characters=characters,
        words=words,
        emotes=tuple(emotes),
        bulk=bulk,
        **about(where, envelope),
    )


def reaction_added(
    who: str, emote: str, where: Place = GENERAL, *, to: str = "", bot: bool = False, **envelope: Unpack[Envelope]
) -> e.ReactionAdded:
    """Somebody put an emote under a message of `to`."""
    author = account(to) if to else None
    return e.ReactionAdded(person=account(who), emote=emote, author=author, bot=bot, **about(where, envelope))


def reaction_removed(
    who: str | None,
    emote: str,
    where: Place = GENERAL,
    *,
    to: str = "",
    cleared: bool = False,
    bot: bool = False,
    **envelope: Unpack[Envelope],
) -> e.ReactionRemoved:
    return e.ReactionRemoved(
        person=account(who) if who else None,
        emote=emote,
        author=account(to) if to else None,
        cleared=cleared,
        bot=bot,
        **about(where, envelope),
    )


# --- voice ---


def in_voice(who: str, channel: str = VOICE.channel, *, bot: bool = False, **state: Unpack[State]) -> e.Voice:
    """How somebody is in a voice channel."""
    return e.Voice(person=account(who), channel=channel, bot=bot, **state)


def voice_moved(
    who: str,
    channel: str = "",
    where: Place = GUILD,
    *,
    before: str = "",
    bot: bool = False,
    state: State | None = None,
    **envelope: Unpack[Envelope],
) -> e.VoiceMoved:
    """Somebody is in this voice channel now, in this state; without one they have left."""
    now = in_voice(who, channel, bot=bot, **(state or {})) if channel else None
    return e.VoiceMoved(person=account(who), before=before, now=now, bot=bot, **about(where, envelope))


def voice_seen(
    *people: e.Voice,
    where: Place = GUILD,
    part: int = 1,
    parts: int = 1,
    snapshot: str = "",
    **envelope: Unpack[Envelope],
) -> e.VoiceSeen:
    """Everybody who is in voice channels (see `in_voice`). Without a `snapshot` each is one of its own."""
    return e.VoiceSeen(snapshot=snapshot, part=part, parts=parts, people=people, **about(where, envelope))


def voice_counted(
    *channels: tuple[str, int] | tuple[str, int, int] | tuple[str, int, int, int],
    where: Place = GUILD,
    **envelope: Unpack[Envelope],
) -> e.VoiceCounted:
    """How many are in voice channels: (channel, humans who hear), and then maybe deafened ones, and bots."""
    return e.VoiceCounted(channels=tuple(e.InVoice(*one) for one in channels), **about(where, envelope))


# --- statuses ---


def presence(
    who: str, status: Literal["online", "idle", "dnd", "offline"] = "online", *doing: str, on: Sequence[On] = ()
) -> e.Presence:
    """Somebody's status. `doing` are activities: `playing:Chess`, or `custom` for a custom status."""
    activities = tuple(e.Activity(*one.split(":", 1)) for one in doing)  # type: ignore[arg-type]
    return e.Presence(account(who), status, tuple(on), activities)


def presence_changed(
    who: str,
    status: Literal["online", "idle", "dnd", "offline"] = "online",
    *doing: str,
    on: Sequence[On] = (),
    where: Place = CONNECTION,
    **envelope: Unpack[Envelope],
) -> e.PresenceChanged:
    return e.PresenceChanged(presence=presence(who, status, *doing, on=on), **about(where, envelope))


def presences_seen(
    *people: e.Presence,
    where: Place = CONNECTION,
    part: int = 1,
    parts: int = 1,
    snapshot: str = "",
    **envelope: Unpack[Envelope],
) -> e.PresencesSeen:
    """The status of everybody who is not offline (see `presence`)."""
    return e.PresencesSeen(snapshot=snapshot, part=part, parts=parts, people=people, **about(where, envelope))


# --- members ---


def member_joined(who: str, where: Place = GUILD, *, bot: bool = False, **envelope: Unpack[Envelope]) -> e.MemberJoined:
    return e.MemberJoined(person=account(who), bot=bot, **about(where, envelope))


def member_left(
    who: str, where: Place = GUILD, *, reason: Literal["left", "banned"] = "left", **envelope: Unpack[Envelope]
) -> e.MemberLeft:
    return e.MemberLeft(person=account(who), reason=reason, **about(where, envelope))


def member(who: str, joined: str = "", *, bot: bool = False) -> e.Member:
    """A member who joined at this moment of the clock; without one nobody knows when."""
    return e.Member(account(who), clock(joined) if joined else None, bot)


def members_seen(
    *people: str | e.Member,
    where: Place = GUILD,
    part: int = 1,
    parts: int = 1,
    snapshot: str = "",
    **envelope: Unpack[Envelope],
) -> e.MembersSeen:
    """Everybody who is a member: names, or what `member` says."""
    members = tuple(member(one) if isinstance(one, str) else one for one in people)
    return e.MembersSeen(snapshot=snapshot, part=part, parts=parts, people=members, **about(where, envelope))


def roles_seen(who: str, *roles: str, where: Place = GUILD, **envelope: Unpack[Envelope]) -> e.RolesSeen:
    return e.RolesSeen(person=account(who), roles=roles, **about(where, envelope))


# --- threads ---


def thread_created(
    who: str | None, thread: str, where: Place = GENERAL, **envelope: Unpack[Envelope]
) -> e.ThreadCreated:
    return e.ThreadCreated(person=account(who) if who else None, thread=thread, **about(where, envelope))


def thread_joined(who: str, thread: str, where: Place = GENERAL, **envelope: Unpack[Envelope]) -> e.ThreadJoined:
    return e.ThreadJoined(person=account(who), thread=thread, **about(where, envelope))


def thread_archived(
    thread: str,
    where: Place = GENERAL,
    *,
    open: bool = False,  # noqa: A002
    deleted: bool = False,
    **envelope: Unpack[Envelope],
) -> e.ThreadArchived:
    """A thread is archived; `open`: open again."""
    return e.ThreadArchived(thread=thread, open=open, deleted=deleted, **about(where, envelope))


def threads_seen(
    *threads: str,
    where: Place = GUILD,
    part: int = 1,
    parts: int = 1,
    snapshot: str = "",
    channel: str = GENERAL.channel,
    **envelope: Unpack[Envelope],
) -> e.ThreadsSeen:
    """The threads of the guild that are open now; all of them hang on one channel."""
    return e.ThreadsSeen(
        snapshot=snapshot, part=part, parts=parts, threads=threads, channels=(channel,) * len(threads),
        **about(where, envelope),
    )  # fmt: skip


# --- the guild ---


class Channels(TypedDict, total=False):
    """How many channels of each kind a guild has."""

    categories: int
    text: int
    voice_channels: int
    stages: int
    forums: int
    announcements: int


def guild_counted(
    members: int,
    where: Place = GUILD,
    *,
    online: int | None = None,
    idle: int | None = None,
    voice: int | None = None,
    threads: int | None = None,
    channels: Channels | None = None,
    **envelope: Unpack[Envelope],
) -> e.GuildCounted:
    return e.GuildCounted(
        members=members,
        online=online,
        idle=idle,
        voice=voice,
        threads=threads,
        **(channels or {}),
        **about(where, envelope),
    )


def place_closed(where: Place = GENERAL, **envelope: Unpack[Envelope]) -> e.PlaceClosed:
    return e.PlaceClosed(**about(where, envelope))


def not_granted(
    *missing: Literal["members", "presences", "message_content"],
    where: Place = CONNECTION,
    **envelope: Unpack[Envelope],
) -> e.NotGranted:
    """What the platform does not tell; without anything all of it is told."""
    return e.NotGranted(missing=missing, **about(where, envelope))


def backfill_reached(
    oldest: int,
    reached: str,
    where: Place = GENERAL,
    *,
    newest: int = 0,
    state: Literal["running", "complete", "forbidden", "partial"] = "running",
    thread: str = "",
    **envelope: Unpack[Envelope],
) -> e.BackfillReached:
    return e.BackfillReached(
        oldest=oldest, newest=newest, reached=clock(reached), state=state, thread=thread, **about(where, envelope)
    )


# --- what people want counted ---


def consent_changed(
    who: str, topic: e.Topic, level: e.Level | None, *, platform: str = "discord", **envelope: Unpack[Envelope]
) -> e.ConsentChanged:
    """Somebody chose what may be counted of them; None takes the choice back."""
    return e.ConsentChanged(person=person(who, platform), topic=topic, level=level, **about(RECORD, envelope))


def accounts_linked(
    who: str, other: str, *, link: str = "link-1", platform: str = "cytube", **envelope: Unpack[Envelope]
) -> e.AccountsLinked:
    """The account `who` of Discord and the account `other` of that platform are one person's."""
    return e.AccountsLinked(person=account(who), other=person(other, platform), link=link, **about(RECORD, envelope))


def accounts_unlinked(link: str = "link-1", **envelope: Unpack[Envelope]) -> e.AccountsUnlinked:
    return e.AccountsUnlinked(link=link, **about(RECORD, envelope))
