"""Small rooms that tests of the service and of spans are about, so that they do not change with the real ones."""

from __future__ import annotations

from typing import Final

import msgspec

from userstats.contract.events import (
    AfkEnded,
    AfkStarted,
    ConsentChanged,
    Joined,
    Left,
    MemberJoined,
    MemberLeft,
    MessageSent,
    Place,
    PresenceChanged,
    RosterSeen,
    VoiceMoved,
    VoiceSeen,
)
from userstats.statistic import ADD, HIGH, KEY, KEY_TEXT, LOW, PUT, PUT_TEXT, Ledger, Span, Statistic, Stays, Table
from userstats.writes import Moment

HERE: Final = Span("here", "here_ms")
AWAY: Final = Span("away", "away_ms")


def _came(event: Joined, moment: Moment) -> None:
    moment.open(HERE, event.person)
    if event.afk:
        moment.open(AWAY, event.person)


def _went(event: Left, moment: Moment) -> None:
    moment.close(HERE, event.person)
    moment.close(AWAY, event.person)


def _idle(event: AfkStarted, moment: Moment) -> None:
    moment.open(AWAY, event.person)


def _busy(event: AfkEnded, moment: Moment) -> None:
    moment.close(AWAY, event.person)


def _roster(event: RosterSeen, moment: Moment) -> None:
    away = [one.person for one in event.people if one.afk]
    moment.close_except(HERE, (one.person for one in event.people))
    moment.close_except(AWAY, away)
    for one in event.people:
        moment.open(HERE, one.person)
    for person in away:
        moment.open(AWAY, person)


PRESENCE: Final = Statistic(
    name="presence",
    on={Joined: _came, Left: _went, AfkStarted: _idle, AfkEnded: _busy, RosterSeen: _roster},
    measures=("here_ms", "away_ms"),
    spans=(HERE, AWAY),
)


class Streak(msgspec.Struct):
    """Who spoke last at a place, and how often in a row."""

    person: int
    length: int


TALKS: Final = Table("talks", {"place": KEY, "since": KEY, "person": KEY}, {"until": PUT, "ended": PUT_TEXT})
RECORDS: Final = Table("talk_records", {"place": KEY, "person": KEY}, {"longest_ms": HIGH, "last_at": HIGH})
TALK: Final = Span("talk", "talk_ms", stays=Stays(TALKS, RECORDS, "talks", 1000))
PLAYED: Final = Ledger("played", {"place": KEY, "person": KEY, "game": KEY_TEXT}, ("play_ms",))
PLAY: Final = Span("play", "play_ms", PLAYED)
UP: Final = Span("up", "up_ms")
MEMBER: Final = Span("member")


def _move(person: int, channel: Place | None, moment: Moment) -> None:
    now = moment.number_of(channel) if channel else 0
    for place in moment.places_of(TALK, person):
        if place != now:
            moment.close(TALK, person, place=place, why="moved" if now else "left")
    if now:
        moment.open(TALK, person, place=now)


def _moved(event: VoiceMoved, moment: Moment) -> None:
    guild = event.place
    _move(event.person, Place(guild.platform, guild.space, event.now.channel) if event.now else None, moment)


def _heard(event: VoiceSeen, moment: Moment) -> None:
    guild = event.place
    here = {one.person: Place(guild.platform, guild.space, one.channel) for one in event.people}
    for place in list(moment.around):
        moment.close_except(TALK, here, place, why="missed")
    for person, channel in here.items():
        _move(person, channel, moment)


def _played(event: PresenceChanged, moment: Moment) -> None:
    person = event.presence.person
    for place in moment.everywhere(UP, person):
        if place != moment.place and moment.lives(place):
            return
        for game in moment.details(PLAY, person, place):
            moment.close(PLAY, person, game, place)
        if place != moment.place or event.presence.status == "offline":
            moment.close(UP, person, place=place)
    if event.presence.status != "offline":
        moment.open(UP, person)
    for doing in event.presence.activities:
        moment.open(PLAY, person, doing.name)


def _entered(event: MemberJoined, moment: Moment) -> None:
    moment.open(MEMBER, event.person)


def _gone(event: MemberLeft, moment: Moment) -> None:
    moment.close(MEMBER, event.person)


def _refused(event: ConsentChanged, moment: Moment) -> None:
    for span in (TALK, UP, PLAY):
        moment.forget_person(span, event.person)


GUILDS: Final = Statistic(
    name="guilds",
    on={
        VoiceMoved: _moved,
        VoiceSeen: _heard,
        PresenceChanged: _played,
        MemberJoined: _entered,
        MemberLeft: _gone,
        ConsentChanged: _refused,
    },
    measures=("talk_ms", "talks", "up_ms"),
    ledgers=(PLAYED,),
    tables=(TALKS, RECORDS),
    spans=(TALK, PLAY, UP, MEMBER),
)
"""States at the channels of a guild, about something, and such as nobody needs to observe."""

WORDS: Final = Ledger("word", {"place": KEY, "length": KEY}, ("times",))
STREAKS: Final = Table("streaks", {"place": KEY, "person": KEY}, {"longest": HIGH, "shortest": LOW, "ended": ADD})
LAST: Final = Table("last_words", {"place": KEY}, {"at": PUT, "words": PUT}, newest="at")


def _spoke(event: MessageSent, moment: Moment) -> None:
    moment.tally(WORDS, (moment.place, event.words), {"times": 1})
    moment.put(LAST, (moment.place,), {"at": moment.at, "words": event.words})
    streak = moment.recall(str(moment.place), Streak)
    if streak and streak.person != event.author:
        moment.high(STREAKS, (moment.place, streak.person), {"longest": streak.length})
        moment.low(STREAKS, (moment.place, streak.person), {"shortest": streak.length})
        moment.add(STREAKS, (moment.place, streak.person), {"ended": 1})
        streak = None
    moment.remember(str(moment.place), Streak(event.author, streak.length + 1 if streak else 1))


def _left(event: Left, moment: Moment) -> None:
    moment.remember(str(moment.place), None)
    moment.forget(STREAKS, (moment.place, event.person))


SPEECH: Final = Statistic(
    name="speech",
    on={MessageSent: _spoke, Left: _left},
    ledgers=(WORDS,),
    tables=(STREAKS, LAST),
    memory=Streak,
)
"""Uses every verb there is, and memory."""

TRACES: Final = Table("traces", {"seq": KEY, "part": KEY_TEXT}, {"person": PUT, "note": PUT_TEXT})
UNLUCKY: Final = 13


class Unlucky(Exception):
    """What the fragile room raises."""


def _stumble(event: MessageSent, moment: Moment) -> None:
    moment.put(TRACES, (moment.seq, "before"), {"person": event.author, "note": "x"})
    moment.remember("last", Streak(event.author, event.words))
    moment.open(HERE, event.author)
    if event.words == UNLUCKY:
        raise Unlucky
    moment.put(TRACES, (moment.seq, "after"), {"person": event.author, "note": "y"})


FRAGILE: Final = Statistic(name="fragile", on={MessageSent: _stumble}, tables=(TRACES,), memory=Streak)
"""Raises, half way, on a message of 13 words."""
