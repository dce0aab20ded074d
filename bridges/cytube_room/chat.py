"""What is said: chatMsg and pm. Here text becomes facts, and goes no further.

CyTube gives messages no id and replays the last 15 lines to everyone who joins, as if they were new. A line is known
again by its time, its author and a keyed digest: the last `LINES` of these are kept, in the room and in the cursor.
"""

from __future__ import annotations

from typing import Final

from bridges import text
from userstats.contract import wire
from userstats.contract.events import MessageSent, PrivateMessageSent, Thanks

from . import payload
from .payload import Refused
from .reading import Reading, pseudo
from .room import LINES, MOST_CODES, Code, Line, slot, slot_value

LONGEST_MESSAGE: Final = 16_384
"""Characters of HTML. CyTube cuts what is typed at 1000 at most; filters may add to it."""
LARGEST_EVENT: Final = wire.LARGEST - 512
"""Bytes of an event before it is sealed."""
MOST_EMOTES: Final = 200
MOST_MENTIONS: Final = 100
MOST_THANKS: Final = 50


def chat_msg(reading: Reading, content: object) -> None:
    """A line of chat, live or replayed."""
    entry = payload.record(content)
    name = payload.name(entry.get("username"))
    if pseudo(name) or name.casefold() == reading.room.own or _shadowed(entry.get("meta")):
        return
    time = payload.moment(entry.get("time"))
    html = payload.text(entry.get("msg"), LONGEST_MESSAGE)
    line = _line(reading, time, name, html)
    if not reading.room.joined and _replayed(reading, line):
        return
    event = _message(reading, name, html, line)
    if len(wire.body(event)) > LARGEST_EVENT:
        raise Refused("too_big")
    reading.meet(name, time)
    reading.tell(event)
    _remember(reading, line)


def _replayed(reading: Reading, line: Line) -> bool:
    """Whether a line of the replay was handled before: it is remembered, or not newer than all that is remembered.

    Equal lines are counted, so that the second of two is not taken for the first. Until the memory is full it holds
    everything that was handled; after a crash CyTube may replay lines from before it, which are told by their time.
    """
    lines, replay = reading.room.lines, reading.room.replay
    reading.change(replay=(*replay[1 - LINES :], line))
    if replay.count(line) < lines.count(line):
        return True
    return len(lines) >= LINES and line.time <= min(kept.time for kept in lines)


def private_message(reading: Reading, content: object) -> None:
    """A private message to the bot. The same frame comes for those that the bot sends; they are not counted."""
    entry = payload.record(content)
    own = reading.room.own
    name = payload.name(entry.get("username"))
    to = payload.name(entry.get("to"))
    if not own or to.casefold() != own or name.casefold() == own or pseudo(name):
        return
    time = payload.moment(entry.get("time"))
    html = payload.text(entry.get("msg"), LONGEST_MESSAGE)
    if code := text.link_code(html):
        _typed(reading, name.casefold(), code)
        return
    facts = text.of_html(html, lexicon=reading.desk.lexicon)
    folded = reading.meet(name, time)
    line = Line(time, reading.desk.pseudonyms.name(folded))
    heading = reading.heading_of(time, "c:pm", time, folded, _ordinal(reading.room.private, line))
    author = reading.person(folded)
    reading.tell(PrivateMessageSent(**heading, author=author, characters=facts.characters, words=facts.words))
    reading.change(private=(*reading.room.private[1 - LINES :], line))


def _typed(reading: Reading, folded: str, code: str) -> None:
    """A command to the bot counts as nothing. Who has no account of the site cannot prove that one is theirs."""
    seen = reading.room.people.get(folded)
    if seen is not None and seen.registered:
        reading.change(codes=(*reading.room.codes[1 - MOST_CODES :], Code(folded, code)))


def _message(reading: Reading, name: str, html: str, line: Line) -> MessageSent:
    room, desk, folded = reading.room, reading.desk, name.casefold()
    facts = text.of_html(html, lexicon=desk.lexicon, emotes=room.emotes, roster=room.people.keys(), speaker=name)
    return MessageSent(
        **reading.heading_of(line.time, "c:m", line.time, folded, _ordinal(room.lines, line)),
        author=reading.person(folded),
        by="bot" if folded in room.bots else "person",
        characters=facts.characters,
        words=facts.words,
        emotes=facts.emotes[:MOST_EMOTES],
        mentions=tuple(map(reading.person, facts.mentions[:MOST_MENTIONS])),
        thanks=tuple(Thanks(desk.pseudonyms.name(who), token) for who, token in facts.thanks[:MOST_THANKS]),
        vote=1 if facts.vote > 0 else -1 if facts.vote < 0 else 0,
        links=facts.links,
    )


def _line(reading: Reading, time: int, name: str, html: str) -> Line:
    place, pseudonyms = reading.room.place, reading.desk.pseudonyms
    folded = name.casefold()
    return Line(
        time, pseudonyms.name(folded), pseudonyms.event("c:line", place.space, place.channel, time, folded, html)
    )


def _ordinal(lines: tuple[Line, ...], line: Line) -> int:
    """Which of the messages of one author in one millisecond this is."""
    return sum(1 for kept in lines if kept.time == line.time and kept.who == line.who)


def _remember(reading: Reading, line: Line) -> None:
    n = reading.room.said
    reading.cursor[slot(n)] = slot_value(n, line)
    reading.change(said=n + 1, lines=(*reading.room.lines[1 - LINES :], line))


def _shadowed(meta: object) -> bool:
    """Shown to moderators only: its author is muted without knowing it."""
    return isinstance(meta, dict) and bool(meta.get("shadow"))
