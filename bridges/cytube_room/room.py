"""What a bridge remembers of a CyTube room between two frames: one frozen value.

Mappings in it are never changed, only replaced, so that a room of an earlier moment stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from bridges.bridge import Desk
from userstats.contract.events import Event, Place, PopulationCounted

LINES: Final = 32
"""Chat lines remembered against replay; CyTube replays at most 15."""


class Seen(NamedTuple):
    """Somebody in the room."""

    name: str
    """As the room spells it."""
    afk: bool
    registered: bool = False
    """An account of the site; a guest's name is whose it is only while they are here."""


class Line(NamedTuple):
    """A line that was handled. It holds keyed hashes, nothing that was said."""

    time: int
    """Milliseconds, the server's clock."""
    who: int
    digest: int = 0


class Code(NamedTuple):
    """A code that somebody with an account typed to the bot, to prove another account theirs."""

    folded: str
    """Their casefolded name."""
    code: str


class Medium(NamedTuple):
    """What `changeMedia` told last."""

    uid: int | None
    type: str
    id: str


class Verdict(NamedTuple):
    """Why the connection is over or of no use, in words of a closed set: a moderator's own words are not kept."""

    reason: Literal["kicked", "banned", "lost", "moved", "replaced", "refused"]
    explanation: str
    retry_in: float
    """Seconds to stay away at least."""


MOST_CODES: Final = 4
Login = Literal["", "in", "later", "refused"]
"""Unanswered; logged in; the name is not free yet; the name or its password will never do."""


class Room(Struct, frozen=True, kw_only=True):
    """One room in one watch."""

    place: Place
    watch: str
    n: int = 0
    """Facts told in this watch that CyTube gives no natural identity."""

    own: str = ""
    """The bot's own name, casefolded; the bot is not one of the people. Empty while it has none."""
    bots: frozenset[str] = frozenset()
    """Casefolded names of other bots."""
    own_rank: float = -1.0
    login: Login = ""
    at_door: Literal["", "no password", "wrong password"] = ""
    unregistered: bool = False
    verdict: Verdict | None = None

    joined: bool = False
    """A roster has come. Chat before it is the server's replay of its last lines."""
    people: Mapping[str, Seen] = {}
    """Who is here, by casefolded name."""
    named: Mapping[str, str] = {}
    """Spellings that were told in this watch, by casefolded name."""
    connected: int | None = None
    """CyTube's usercount: every connection, anonymous ones and our own included."""

    said: int = 0
    """Chat lines handled since the cursor began; `said % LINES` is the next slot of the cursor."""
    lines: tuple[Line, ...] = ()
    """The last handled chat lines, oldest first."""
    replay: tuple[Line, ...] = ()
    """The lines that were replayed in this watch, known or not."""
    private: tuple[Line, ...] = ()
    """The last handled private messages, oldest first."""

    codes: tuple[Code, ...] = ()
    """Codes typed to the bot that nobody has taken from here yet; the last few."""

    emotes: frozenset[str] = frozenset()
    queued_by: Mapping[int, str] = {}
    """Who put each playlist item there, by its uid."""
    current: int | None = None
    """The uid that `setCurrent` named last."""
    playing: Medium | None = None


def enter(place: Place, watch: str, desk: Desk, *, own: str = "", bots: Iterable[str] = ()) -> Room:
    """The room at the beginning of a watch: empty, but for the chat lines that earlier watches handled.

    `own` is the name the bot has or is about to ask for.
    """
    kept = sorted(filter(None, map(_line_in, (desk.cursor(slot(n)) for n in range(LINES)))))
    return Room(
        place=place,
        watch=watch,
        own=own.casefold(),
        bots=frozenset(name.casefold() for name in bots),
        said=kept[-1][0] + 1 if kept else 0,
        lines=tuple(line for _, line in kept),
    )


def slot(n: int) -> str:
    """Under which key of the cursor the n-th chat line is kept: a ring, so that each line writes one short value."""
    return f"chat.{n % LINES:02}"


def slot_value(n: int, line: Line) -> str:
    """What is kept there."""
    return f"{n} {line.time} {line.who:x} {line.digest:x}"


def _line_in(value: str | None) -> tuple[int, Line] | None:
    """The line in a slot, with its number; None where there is none, or not one of ours."""
    try:
        n, time, who, digest = (value or "").split(" ")
        return int(n), Line(int(time), int(who, 16), int(digest, 16))
    except ValueError:
        return None


def beat_events(room: Room, now: int, desk: Desk) -> tuple[Event, ...]:
    """How many are here, for each beat; nothing before the first roster.

    `connected` is CyTube's own usercount and includes the bot's connection; `named` and `not_afk` leave the bot out.
    """
    if not room.joined:
        return ()
    place = room.place
    return (
        PopulationCounted(
            id=desk.pseudonyms.event("c:pop", place.space, place.channel, room.watch, now),
            at=now,
            seen=now,
            place=place,
            watch=room.watch,
            connected=room.connected,
            named=len(room.people),
            not_afk=sum(not seen.afk for seen in room.people.values()),
        ),
    )
