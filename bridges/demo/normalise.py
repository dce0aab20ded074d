"""Pure: what happens in a demo room -> events. Texts go into `bridges/text` and end there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypedDict

from bridges.text import Lexicon, of_plain
from userstats.contract.events import (
    ROSTER_PART,
    AfkEnded,
    AfkStarted,
    BridgeBeat,
    Event,
    EventRefused,
    Joined,
    Left,
    MediaStarted,
    MessageSent,
    Named,
    Place,
    PlaceNamed,
    PopulationCounted,
    Present,
    PrivateMessageSent,
    RosterSeen,
    Thanks,
)
from userstats.contract.pseudonym import Pseudonyms

from .actions import Action, Came, Dozed, Garbled, Played, Said, Scene, Went, Whispered, Woke
from .cast import BOT
from .lines import EMOTES
from .programme import Film

_EMOTES = frozenset(EMOTES)


class Seat(NamedTuple):
    """From where one watch looks: what is the same for all its events."""

    pseudonyms: Pseudonyms
    place: Place
    watch: str
    seed: int


class Room(NamedTuple):
    """What the bridge remembers between two actions."""

    present: Mapping[str, bool] = {}
    """Who is here, and whether they are away from the keyboard."""
    roster: frozenset[str] = frozenset()
    """Who is here, casefolded."""
    named: frozenset[str] = frozenset()
    """Whose name this watch has told already, casefolded."""


class Envelope(TypedDict):
    """What every event says."""

    id: int
    at: int
    seen: int
    place: Place
    watch: str


Told = tuple[Room, list[Event]]


def enter(seat: Seat, name: str, scene: Scene, at: int) -> Told:
    """What one finds: the place's name, who is here, and what plays."""
    room = _present(Room(), dict(scene.present))
    events: list[Event] = [PlaceNamed(name=name, **_envelope(seat, at, "PlaceNamed"))]
    for person in room.present:
        room, named = _name(seat, room, person, at)
        events += named
    events += _roster(seat, room, at)
    room, begun = _begin(seat, room, scene.film, at, resumed=True)
    return room, events + begun


def translate(seat: Seat, room: Room, lexicon: Lexicon, at: int, action: Action) -> Told:
    """What this action changes and tells. No two actions of a watch have the same `at`."""
    events: list[Event] = []
    match action:
        case Said():
            events = [_said(seat, room, lexicon, at, action)]
        case Whispered():
            events = [_whispered(seat, lexicon, at, action)]
        case Came(name):
            room, events = _come(seat, room, at, name)
        case Went(name):
            room = _present(room, {other: away for other, away in room.present.items() if other != name})
            events = [Left(person=_person(seat, name), **_envelope(seat, at, "Left"))]
        case Dozed(name):
            room = _present(room, {**room.present, name: True})
            events = [AfkStarted(person=_person(seat, name), **_envelope(seat, at, "AfkStarted"))]
        case Woke(name):
            room = _present(room, {**room.present, name: False})
            events = [AfkEnded(person=_person(seat, name), **_envelope(seat, at, "AfkEnded"))]
        case Played(film):
            room, events = _begin(seat, room, film, at, resumed=False)
        case Garbled(frame, reason, size):
            events = [EventRefused(refused=frame, reason=reason, bytes=size, **_envelope(seat, at, "EventRefused"))]
    return room, events


def counted(seat: Seat, room: Room, anonymous: int, at: int) -> PopulationCounted:
    """How many are here, with those whom the platform only counts."""
    named = len(room.present)
    return PopulationCounted(
        connected=named + anonymous,
        named=named,
        not_afk=named - sum(room.present.values()),
        **_envelope(seat, at, "PopulationCounted"),
    )


def alive(seat: Seat, at: int) -> BridgeBeat:
    """The sign of life of a moment that is played in fast motion."""
    return BridgeBeat(**_envelope(seat, at, "BridgeBeat"))


def _envelope(seat: Seat, at: int, *natural: str | int) -> Envelope:
    place = seat.place
    identity = seat.pseudonyms.event("demo", seat.seed, place.space, place.channel, at, *natural)
    return {"id": identity, "at": at, "seen": at, "place": place, "watch": seat.watch}


def _person(seat: Seat, name: str) -> int:
    """Names are the accounts of a space."""
    return seat.pseudonyms.person(seat.place.platform, f"{seat.place.space}/{name.casefold()}")


def _present(room: Room, present: Mapping[str, bool]) -> Room:
    return room._replace(present=present, roster=frozenset(name.casefold() for name in present))


def _name(seat: Seat, room: Room, name: str, at: int) -> Told:
    """Tell a person's name at first sight, once a watch."""
    account = name.casefold()
    if account in room.named:
        return room, []
    named = Named(
        key=seat.pseudonyms.name(name),
        name=name,
        person=_person(seat, name),
        account=account,
        bot=name == BOT,
        **_envelope(seat, at, "Named", account),
    )
    return room._replace(named=room.named | {account}), [named]


def _roster(seat: Seat, room: Room, at: int) -> Iterator[RosterSeen]:
    people = [Present(_person(seat, name), away) for name, away in room.present.items()]
    parts = max(1, -(-len(people) // ROSTER_PART))
    for part in range(parts):
        yield RosterSeen(
            snapshot=str(at),
            part=part + 1,
            parts=parts,
            people=tuple(people[part * ROSTER_PART : (part + 1) * ROSTER_PART]),
            **_envelope(seat, at, "RosterSeen", part),
        )


def _come(seat: Seat, room: Room, at: int, name: str) -> Told:
    room, events = _name(seat, room, name, at)
    joined = Joined(person=_person(seat, name), **_envelope(seat, at, "Joined"))
    return _present(room, {**room.present, name: False}), [*events, joined]


def _begin(seat: Seat, room: Room, film: Film, at: int, *, resumed: bool) -> Told:
    room, events = _name(seat, room, film.queued_by, at)
    started = MediaStarted(
        title=film.title,
        media_type=film.media_type,
        media_id=film.media_id,
        seconds=film.seconds,
        queued_by=_person(seat, film.queued_by),
        resumed=resumed,
        **_envelope(seat, at, "MediaStarted"),
    )
    return room, [*events, started]


def _said(seat: Seat, room: Room, lexicon: Lexicon, at: int, said: Said) -> MessageSent:
    facts = of_plain(said.text, lexicon=lexicon, emotes=_EMOTES, roster=room.roster, speaker=said.name)
    return MessageSent(
        author=_person(seat, said.name),
        by="bot" if said.name == BOT else "person",
        characters=facts.characters,
        words=facts.words,
        emotes=facts.emotes,
        mentions=tuple(_person(seat, mentioned) for mentioned in facts.mentions if mentioned in room.named),
        thanks=tuple(Thanks(seat.pseudonyms.name(thanked), token) for thanked, token in facts.thanks),
        vote=1 if facts.vote > 0 else -1 if facts.vote < 0 else 0,
        links=facts.links,
        **_envelope(seat, at, "MessageSent"),
    )


def _whispered(seat: Seat, lexicon: Lexicon, at: int, whispered: Whispered) -> PrivateMessageSent:
    facts = of_plain(whispered.text, lexicon=lexicon)
    return PrivateMessageSent(
        author=_person(seat, whispered.name),
        characters=facts.characters,
        words=facts.words,
        **_envelope(seat, at, "PrivateMessageSent"),
    )
