"""Say what happened, in few words: events for tests, and a world that tells them to a service.

    world = await World.open(store)                      # or the fixture `world`: every room, on both databases
    await world.tell("20:00", joined("amy"), message("amy", words=3), "20:10", left("amy"))
    assert await world.rows("SELECT person, messages FROM person_totals") == [(person("amy"), 1)]

A clock ("20:00") lets time pass with proof of life: every observed place beats each 30 seconds. `gap("20:30")` lets
it pass in silence. Builders are plain values; the world gives them id, time, watch and a row of the outbox.
A guild (`Place("discord", "100", "")`) that was started has one watch: what happens in its channels names that one, and
only the guild beats. Facts of guilds are in `say_guild.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypedDict, TypeVar, Unpack

from msgspec.structs import replace

from userstats import catalogue
from userstats.contract import events as e
from userstats.contract import subjects, wire
from userstats.contract.events import NO_WATCH, Event, Place
from userstats.contract.pseudonym import Pseudonyms
from userstats.service import Message, Service
from userstats.statistic import Metric, Statistic
from userstats.store.seam import Store
from userstats.surfaces.service_metrics import moments

PSEUDONYMS: Final = Pseudonyms(b"the key of the tests, all of them")
TODAY: Final = "2025-03-03"
"""A Monday; a world's clock starts at its midnight, UTC."""
BEAT_MS: Final = 30_000
ROOM: Final = Place("cytube", "cytu.be", "lounge")
RECORD: Final = Place("userstats", "", "")
"""Where userstats itself records changes of settings."""

Where = str | Place
T = TypeVar("T")


class Envelope(TypedDict, total=False):
    """What a builder may be told and the world would otherwise choose."""

    id: int
    at: int
    seen: int
    watch: str


class Gap(NamedTuple):
    """Time that passes without any sign of life."""

    until: str


def gap(until: str) -> Gap:
    """Silence until this moment of the clock."""
    return Gap(until)


def clock(text: str) -> int:
    """Milliseconds of `20:00`, `20:00:30.5` (today) or `2025-03-04 20:00`; always UTC."""
    day, _, time = text.rpartition(" ")
    return round(datetime.fromisoformat(f"{day or TODAY}T{time}").replace(tzinfo=UTC).timestamp() * 1000)


def person(name: str, platform: str = "cytube") -> int:
    """The pseudonym of the account with this name."""
    return PSEUDONYMS.person(platform, name.casefold())


def key(name: str) -> int:
    """The key of a name as it is said."""
    return PSEUDONYMS.name(name)


def place(where: Where) -> Place:
    """A room of cytu.be by its name; a Place is itself."""
    return where if isinstance(where, Place) else Place("cytube", "cytu.be", where)


def about(where: Where, envelope: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": 0, "at": 0, "seen": 0, "watch": "", "place": place(where), **envelope}


def who_is(who: str, where: Where) -> int:
    return person(who, place(where).platform)


def _within(where: Place, guild: Place) -> bool:
    return where != guild and (where.platform, where.space) == (guild.platform, guild.space)


def message(
    who: str,
    where: Where = ROOM,
    *,
    words: int = 1,
    characters: int = 5,
    by: Literal["person", "bot", "webhook", "system"] = "person",
    emotes: Sequence[str] = (),
    mentions: Sequence[str] = (),
    thanks: Sequence[str | tuple[str, str]] = (),
    vote: Literal[-1, 0, 1] = 0,
    links: int = 0,
    files: int = 0,
    embeds: int = 0,
    stickers: int = 0,
    reply_to: str = "",
    thread: str = "",
    backfilled: int = 0,
    **envelope: Unpack[Envelope],
) -> e.MessageSent:
    """Somebody said something. `thanks` are names (meaning `++`) or (name, phrase)."""
    said = [(one, "++") if isinstance(one, str) else one for one in thanks]
    return e.MessageSent(
        author=who_is(who, where),
        by=by,
        characters=characters,
        words=words,
        emotes=tuple(emotes),
        mentions=tuple(who_is(one, where) for one in mentions),
        thanks=tuple(e.Thanks(key(name), token) for name, token in said),
        vote=vote,
        links=links,
        files=files,
        embeds=embeds,
        stickers=stickers,
        reply_to=who_is(reply_to, where) if reply_to else None,
        thread=thread,
        backfilled=backfilled,
        **about(where, envelope),
    )


def private(
    who: str, where: Where = ROOM, *, words: int = 1, characters: int = 5, **envelope: Unpack[Envelope]
) -> e.PrivateMessageSent:
    """Somebody wrote to the bot."""
    return e.PrivateMessageSent(author=who_is(who, where), words=words, characters=characters, **about(where, envelope))


def joined(who: str, where: Where = ROOM, *, afk: bool = False, **envelope: Unpack[Envelope]) -> e.Joined:
    return e.Joined(person=who_is(who, where), afk=afk, **about(where, envelope))


def left(who: str, where: Where = ROOM, **envelope: Unpack[Envelope]) -> e.Left:
    return e.Left(person=who_is(who, where), **about(where, envelope))


def afk(who: str, where: Where = ROOM, **envelope: Unpack[Envelope]) -> e.AfkStarted:
    """Somebody went away from the keyboard."""
    return e.AfkStarted(person=who_is(who, where), **about(where, envelope))


def back(who: str, where: Where = ROOM, **envelope: Unpack[Envelope]) -> e.AfkEnded:
    """Somebody came back to the keyboard."""
    return e.AfkEnded(person=who_is(who, where), **about(where, envelope))


def roster(
    *here: str,
    away: Sequence[str] = (),
    where: Where = ROOM,
    part: int = 1,
    parts: int = 1,
    snapshot: str = "",
    **envelope: Unpack[Envelope],
) -> e.RosterSeen:
    """Who is here: `here` at the keyboard, `away` not. Without a `snapshot` each roster is one of its own."""
    people = [e.Present(who_is(one, where)) for one in here] + [e.Present(who_is(one, where), afk=True) for one in away]
    return e.RosterSeen(snapshot=snapshot, part=part, parts=parts, people=tuple(people), **about(where, envelope))


def named(
    name: str,
    where: Where = ROOM,
    *,
    account: str = "",
    bot: bool = False,
    worn: bool = True,
    everywhere: bool = False,
    **envelope: Unpack[Envelope],
) -> e.Named:
    """This account (the name itself, unless said otherwise) is called so. Not `worn`: a name nobody has yet.

    `everywhere`: in all spaces of the platform.
    """
    account = (account or name).casefold()
    wearer: dict[str, Any] = {"person": who_is(account, where), "account": account, "bot": bot} if worn else {}
    return e.Named(key=key(name), name=name, everywhere=everywhere, **wearer, **about(where, envelope))


def place_named(name: str, where: Where = ROOM, *, type: str = "room", **envelope: Unpack[Envelope]) -> e.PlaceNamed:  # noqa: A002
    return e.PlaceNamed(name=name, type=type, **about(where, envelope))


def media(
    title: str,
    where: Where = ROOM,
    *,
    media_type: str = "yt",
    media_id: str = "",
    seconds: int | None = None,
    queued_by: str = "",
    resumed: bool = False,
    **envelope: Unpack[Envelope],
) -> e.MediaStarted:
    return e.MediaStarted(
        title=title,
        media_type=media_type,
        media_id=media_id or title.casefold(),
        seconds=seconds,
        queued_by=who_is(queued_by, where) if queued_by else None,
        resumed=resumed,
        **about(where, envelope),
    )


def population(
    connected: int | None, named: int, not_afk: int, where: Where = ROOM, **envelope: Unpack[Envelope]
) -> e.PopulationCounted:
    return e.PopulationCounted(connected=connected, named=named, not_afk=not_afk, **about(where, envelope))


def alias_added(owner: str, alias: str, **envelope: Unpack[Envelope]) -> e.AliasAdded:
    return e.AliasAdded(owner=key(owner), alias=key(alias), **about(RECORD, envelope))


def alias_removed(alias: str, **envelope: Unpack[Envelope]) -> e.AliasRemoved:
    return e.AliasRemoved(alias=key(alias), **about(RECORD, envelope))


def phrase_added(phrase: str, **envelope: Unpack[Envelope]) -> e.PhraseAdded:
    return e.PhraseAdded(phrase=phrase, **about(RECORD, envelope))


def phrase_removed(phrase: str, **envelope: Unpack[Envelope]) -> e.PhraseRemoved:
    return e.PhraseRemoved(phrase=phrase, **about(RECORD, envelope))


def started(where: Where = ROOM, *, bridge: str = "cytube", **envelope: Unpack[Envelope]) -> e.BridgeStarted:
    """A new watch begins."""
    return e.BridgeStarted(bridge=bridge, **about(where, envelope))


def beat(where: Where = ROOM, **envelope: Unpack[Envelope]) -> e.BridgeBeat:
    return e.BridgeBeat(**about(where, envelope))


def stopped(
    where: Where = ROOM,
    *,
    reason: Literal["stopped", "kicked", "banned", "lost", "moved", "replaced", "refused"] = "stopped",
    **envelope: Unpack[Envelope],
) -> e.BridgeStopped:
    """The watch ends; what follows at this place belongs to a new one."""
    return e.BridgeStopped(reason=reason, **about(where, envelope))


def refused(
    frame: str,
    where: Where = ROOM,
    *,
    reason: Literal["too_big", "malformed", "type", "control", "overflow"] = "malformed",
    size: int = 0,
    **envelope: Unpack[Envelope],
) -> e.EventRefused:
    return e.EventRefused(refused=frame, reason=reason, bytes=size, **about(where, envelope))


class World:
    """A clock, an outbox and a stream, and the service they lead to."""

    def __init__(self, store: Store, known: catalogue.Catalogue) -> None:
        self.store = store
        self.service = Service(store, known)
        self.now = clock("00:00")
        self.seq = 0
        self._rows: dict[str, int] = {}
        self._watches: dict[Place, str] = {}
        self._begun = 0
        self._ids = 0

    @classmethod
    async def open(cls, store: Store, *rooms: Statistic) -> World:
        """A world with these rooms; with every room there is when none is named."""
        world = cls(store, catalogue.build(rooms) if rooms else catalogue.read())
        await world.service.start()
        return world

    async def restart(self) -> None:
        """The service dies and another one starts on the same store; the world goes on."""
        self.service = Service(self.store, self.service.catalogue)
        await self.service.start()

    async def tell(self, *said: str | Gap | Event, batch: int = 0) -> None:
        """Let all this happen and the service apply it, `batch` messages at a time (0: all at once)."""
        await self.apply(self.messages(*said), batch)

    def messages(self, *said: str | Gap | Event, producer: str = "outbox-1") -> list[Message]:
        """What the stream holds after all this happened; nothing is applied."""
        return [message for one in said for message in self._said(one, producer)]

    def again(self, messages: Iterable[Message]) -> list[Message]:
        """The same payloads once more, further down the stream."""
        return [self._appended(message.subject, message.data) for message in messages]

    async def apply(self, messages: Sequence[Message], batch: int = 0) -> None:
        """Let the service apply these, `batch` at a time."""
        size = batch or max(len(messages), 1)
        for first in range(0, len(messages), size):
            await self.service.apply(messages[first : first + size])

    async def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, as a question sees them."""
        async with self.store.reading() as reader:
            return await reader.rows(sql, parameters)

    async def samples(self, metric: Metric) -> list[tuple[Any, ...]]:
        """The samples of a metric, at the world's own time."""
        return await self.rows(metric.sql, **moments(self.now))

    async def ask(self, question: Callable[..., Awaitable[T]], *args: Any, **parameters: Any) -> T:
        """The answer of a question's function; it gets a reader before the rest."""
        async with self.store.reading() as reader:
            return await question(reader, *args, **parameters)

    async def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table in key order, empty ones left out."""
        found = {}
        for table in self.service.catalogue.tables():
            columns = ", ".join((*table.key, *table.columns))
            rows = await self.rows(f"SELECT {columns} FROM {table.name} ORDER BY {', '.join(table.key)}")
            found[table.name] = rows
        return {name: rows for name, rows in sorted(found.items()) if rows}

    def number(self, where: Where = ROOM) -> int:
        """The number the service gave this place."""
        return self.service.places._numbers[place(where)]

    def _said(self, one: str | Gap | Event, producer: str) -> list[Message]:
        if isinstance(one, str):
            return self._pass(self._until(one), producer)
        if isinstance(one, Gap):
            self.now = self._until(one.until)
            return []
        return [self._sealed(one, producer)]

    def _until(self, text: str) -> int:
        """A clock's milliseconds; `+90s`, `+5m`, `+2h` count from now."""
        if text.startswith("+"):
            return self.now + round(float(text[1:-1]) * {"s": 1_000, "m": 60_000, "h": 3_600_000}[text[-1]])
        then = clock(text)
        if then < self.now:
            raise ValueError(f"{text} is over; say the day of tomorrow's times")
        return then

    def _pass(self, until: int, producer: str) -> list[Message]:
        beats = []
        for now in range((self.now // BEAT_MS + 1) * BEAT_MS, until + 1, BEAT_MS):
            self.now = now
            beats += [self._sealed(beat(where), producer) for where in self._watches]
        self.now = until
        return beats

    def _sealed(self, event: Event, producer: str) -> Message:
        self._ids += 1
        event = replace(
            event,
            id=event.id or self._ids,
            at=event.at or self.now,
            seen=event.seen or self.now,
            watch=event.watch or self._watch(event),
        )
        if getattr(event, "snapshot", None) == "":
            event = replace(event, snapshot=f"snapshot-{event.id}")
        n = self._rows[producer] = self._rows.get(producer, 0) + 1
        return self._appended(
            subjects.event(event.place, wire.kind_of(event)), wire.seal(wire.body(event), producer, n)
        )

    def _watch(self, event: Event) -> str:
        if event.place == RECORD:
            return NO_WATCH
        guild = Place(event.place.platform, event.place.space, "")
        where = guild if event.place.space and guild in self._watches else event.place
        if where not in self._watches or isinstance(event, e.BridgeStarted):
            self._begun += 1
            self._watches[where] = f"watch-{self._begun}"
            if event.place.space and event.place == guild:  # one watch sees its channels from now on
                self._watches = {one: watch for one, watch in self._watches.items() if not _within(one, guild)}
        if isinstance(event, e.BridgeStopped):
            return self._watches.pop(where)
        return self._watches[where]

    def _appended(self, subject: str, data: bytes) -> Message:
        self.seq += 1
        return Message(self.seq, self.now * 1_000_000 + self.seq, subject, data)
