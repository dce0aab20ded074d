"""What happens in voice channels: who is in which one, in which state, and in what company.

A state lasts at its channel (raw time, active, social, muted, deafened, streaming, video) and is credited by the watch
of the guild. Active and social follow from the rest by the rules of the section `voice`; other rules hold from the
next change on. Bots are nobody's company and have no time.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .contract.events import (
    BridgeBeat,
    ConsentChanged,
    Event,
    Place,
    PlaceClosed,
    Voice,
    VoiceCounted,
    VoiceMoved,
    VoiceSeen,
)
from .snapshots import Parts, taken
from .statistic import ADD, HIGH, KEY, PUT, PUT_TEXT, QUARTER_MS, Aging, Span, Stays, Table
from .writes import Moment

SESSIONS: Final = Table(
    "voice_sessions",
    {"place": KEY, "since": KEY, "person": KEY},
    {"until": PUT, "ended": PUT_TEXT},
    (("person", "until DESC"),),
    aging=Aging("until", "ended", "session_days"),
)
"""A row for each stay in a channel that ended, a second or longer; it `ended` by `left`, `moved`, `closed` (the channel
is gone), `missed` (nobody saw the end, a snapshot showed it) or `unobserved` (nobody looked any more)."""
RECORDS: Final = Table("voice_records", {"place": KEY, "person": KEY}, {"longest_ms": HIGH, "last_at": HIGH})
"""The longest stay of each person in each channel, and when the last one ended."""
NOW: Final = Table("voice_now", {"place": KEY}, {"at": PUT, "people": PUT, "deafened": PUT, "bots": PUT}, newest="at")
"""The latest headcount of a channel. `people` are humans who hear; those who want no time kept are among them."""
PEAKS: Final = Table("voice_peaks", {"place": KEY, "quarter": KEY}, {"people": HIGH, "named": HIGH})
"""The most humans at once in a channel, or in all channels of a guild, in a quarter hour; `named`: whose time is
counted, in a channel."""
DRIFT: Final = Table("voice_drift", {"place": KEY}, {"snapshots": ADD, "corrections": ADD})
"""How many people a snapshot of a guild found elsewhere, or otherwise, than they were thought to be."""

SHORTEST_MS: Final = 1000
"""A stay that is shorter is a ghost of moving about: its time counts, and no more is kept of it."""
VOICE: Final = Span("voice", "voice_ms", stays=Stays(SESSIONS, RECORDS, "voice_sessions", SHORTEST_MS), topic="voice")
ACTIVE: Final = Span("voice_active", "voice_active_ms", topic="voice")
SOCIAL: Final = Span("voice_social", "voice_social_ms", topic="voice")
MUTED: Final = Span("muted", "muted_ms", topic="voice")
DEAFENED: Final = Span("deafened", "deafened_ms", topic="voice")
STREAMING: Final = Span("streaming", "streaming_ms", topic="voice")
VIDEO: Final = Span("video", "video_ms", topic="voice")
SPANS: Final = (VOICE, ACTIVE, SOCIAL, MUTED, DEAFENED, STREAMING, VIDEO)

Kind = Literal["raw", "active", "social"]
KINDS: Final[dict[Kind, Span]] = {"raw": VOICE, "active": ACTIVE, "social": SOCIAL}
"""The kinds of time in voice channels; each one lies within the one before."""


class VoiceSettings(msgspec.Struct, frozen=True):
    """Section `voice`: what counts as active and social time in voice channels, and how long stays are kept."""

    active_without: tuple[Literal["afk", "deafened", "muted"], ...] = ("afk", "deafened")
    """Time is active while none of these holds. afk: the channel is the guild's AFK channel; muted: by themselves, by
    the server, or as a stage's audience."""
    social_people: Annotated[int, msgspec.Meta(ge=1)] = 2
    """Active time is social while so many humans, oneself included, are in the channel and not deafened."""
    session_days: Annotated[int, msgspec.Meta(ge=0)] = 90
    """How long single stays are kept; 0: for ever. Sums and the longest stay remain."""


class Memo(msgspec.Struct, omit_defaults=True):
    """What is remembered under a key: of a guild its headcounts, of a snapshot its parts."""

    watch: str = ""
    """Of a guild: who said the headcounts."""
    heads: dict[int, tuple[int, int]] = {}
    """Humans who hear, and humans who do not, by channel; nothing of empty ones."""
    quarter: int = 0
    """Up to which quarter hour peaks were carried on."""
    audited: bool = False
    """Whether this watch has said a whole snapshot."""
    parts: Parts[Voice] | None = None


def moved(event: VoiceMoved, moment: Moment) -> None:
    now = event.now if event.now and event.now.channel else None
    if not moment.current or event.bot or (now and now.bot):
        return
    memo = _guild(event, moment)
    place = _channel(event, now.channel, moment) if now else 0
    for before in moment.places_of(VOICE, event.person):
        if before != place:
            _reach(before, moment)
            _leave(event.person, before, "moved" if now else "left", moment)
            _settle(before, memo, moment)
    if now:
        _enter(event.person, now, place, moment)
        _settle(place, memo, moment, event.person)
        _reach(place, moment)


def seen(event: VoiceSeen, moment: Moment) -> None:
    if not moment.current or (people := _whole(event, moment)) is None:
        return
    memo = _guild(event, moment)
    here = {one.person: (_channel(event, one.channel, moment), one) for one in people if one.channel and not one.bot}
    corrected = set()
    for place in moment.places(VOICE):
        for person in moment.people(VOICE, place):
            if person not in here or here[person][0] != place:
                _leave(person, place, "missed", moment)
                corrected.add(person)
        _settle(place, memo, moment)
    for person, (place, voice) in here.items():
        if _enter(person, voice, place, moment):
            corrected.add(person)
    for place in sorted({place for place, _ in here.values()}):
        _settle(place, memo, moment)
        _reach(place, moment)
    if memo.audited:
        moment.add(DRIFT, (moment.place,), {"snapshots": 1, "corrections": len(corrected)})
        return
    memo.audited = True
    moment.remember(str(moment.place), memo)


def counted(event: VoiceCounted, moment: Moment) -> None:
    if not moment.current:
        return
    memo = _guild(event, moment)
    _reach_all(memo, moment)
    for one in event.channels:
        place = _channel(event, one.channel, moment)
        if place == moment.place:
            continue
        values = {"people": one.people, "deafened": one.deafened, "bots": one.bots}
        moment.put(NOW, (place,), {"at": moment.seen, **values})
        head = (one.people, one.deafened)
        most = max(sum(head), sum(memo.heads.pop(place, ())))
        if most:
            moment.high(PEAKS, (place, moment.seen // QUARTER_MS), {"people": most})
        if any(head):
            memo.heads[place] = head
        _settle(place, memo, moment)
    _reach_all(memo, moment)
    moment.remember(str(moment.place), memo)


def beat(event: BridgeBeat, moment: Moment) -> None:
    """Carry the peaks on into a new quarter hour: who stays says nothing."""
    memo = moment.recall(str(moment.place), Memo)
    quarter = moment.seen // QUARTER_MS
    if not moment.current or memo is None or memo.watch != event.watch or memo.quarter >= quarter:
        return
    for place, head in memo.heads.items():
        moment.high(PEAKS, (place, quarter), {"people": sum(head)})
    for place in moment.places(VOICE):
        _reach(place, moment)
    _reach_all(memo, moment)
    memo.quarter = quarter
    moment.remember(str(moment.place), memo)


def closed(event: PlaceClosed, moment: Moment) -> None:
    for person in moment.people(VOICE):
        _leave(person, moment.place, "closed", moment)
    memo = moment.recall(str(moment.observer), Memo)
    if moment.current and memo and memo.watch == event.watch and memo.heads.pop(moment.place, None):
        _empty(moment.place, moment)
        moment.remember(str(moment.observer), memo)


def chose(event: ConsentChanged, moment: Moment) -> None:
    """Whoever is to be nobody from now on, or may be, is not told of by this number again: nothing would end it."""
    if event.topic == "voice" and event.level not in ("counted", "shown"):
        for span in SPANS:
            moment.forget_person(span, event.person)


def _channel(event: Event, channel: str, moment: Moment) -> int:
    return moment.number_of(Place(event.place.platform, event.place.space, channel))


def _guild(event: Event, moment: Moment) -> Memo:
    """What is remembered of the guild; headcounts of an earlier watch are not true any more."""
    key = str(moment.place)
    memo = moment.recall(key, Memo)
    if memo is None or memo.watch != event.watch:
        for place in memo.heads if memo else ():
            _empty(place, moment)
        memo = Memo(event.watch, quarter=moment.seen // QUARTER_MS)
        moment.remember(key, memo)
    return memo


def _empty(place: int, moment: Moment) -> None:
    moment.put(NOW, (place,), {"at": moment.seen, "people": 0, "deafened": 0, "bots": 0})


def _whole(event: VoiceSeen, moment: Moment) -> list[Voice] | None:
    """Everybody in the snapshot; None while parts of it are missing."""
    key = f"parts {moment.place}"
    known = moment.recall(key, Memo)
    rest, people = taken(known.parts if known else None, event)
    if rest or known:
        moment.remember(key, Memo(parts=rest) if rest else None)
    return people


def _enter(person: int, voice: Voice, place: int, moment: Moment) -> bool:
    """This person is in this channel in this state. Says whether any of it is new."""
    told = {
        VOICE: True, MUTED: voice.muted, DEAFENED: voice.deafened, STREAMING: voice.streaming, VIDEO: voice.video,
        ACTIVE: not any(getattr(voice, one) for one in moment.settings(VoiceSettings).active_without),
    }  # fmt: skip
    changes = [moment.let(span, person, lasts, place) for span, lasts in told.items()]
    if not told[ACTIVE]:
        moment.close(SOCIAL, person, place=place)
    return any(changes)


def _leave(person: int, place: int, why: str, moment: Moment) -> None:
    for span in SPANS:
        moment.close(span, person, place=place, why=why)


def _settle(place: int, memo: Memo, moment: Moment, mover: int = 0) -> None:
    """Social time follows the company: all who are active in a channel have it, or nobody has."""
    head = memo.heads.get(place)
    company = head[0] if head else moment.how_many(VOICE, place) - moment.how_many(DEAFENED, place)
    if company < moment.settings(VoiceSettings).social_people:
        for person in moment.people(SOCIAL, place):
            moment.close(SOCIAL, person, place=place)
        return
    if mover and moment.is_open(ACTIVE, mover, place=place):
        moment.open(SOCIAL, mover, place=place)
    if moment.how_many(SOCIAL, place) < moment.how_many(ACTIVE, place):
        for person in moment.people(ACTIVE, place):
            moment.open(SOCIAL, person, place=place)


def _reach(place: int, moment: Moment) -> None:
    if named := moment.how_many(VOICE, place):
        moment.high(PEAKS, (place, moment.seen // QUARTER_MS), {"named": named})


def _reach_all(memo: Memo, moment: Moment) -> None:
    if people := sum(map(sum, memo.heads.values())):
        moment.high(PEAKS, (moment.place, moment.seen // QUARTER_MS), {"people": people})
