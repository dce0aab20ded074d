"""What a bridge must know before it may tell: phrases of thanks, known names, who opted out.

userstats is asked every few seconds (`settings.for_bridge`); the last answer is kept in the outbox file, so that a
bridge which starts while userstats is away still knows. Without either nothing is published.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import msgspec
import nats.errors

from userstats.contract import subjects, wire
from userstats.contract.broker import Connection
from userstats.contract.events import AnyEvent, Event, Place
from userstats.contract.pseudonym import Pseudonyms

from .consent import without
from .outbox import Outbox, place_key
from .outbox_file import Row
from .text import Lexicon

log = logging.getLogger(__name__)

_QUESTION: Final = "settings.for_bridge"
_ANSWER_SECONDS: Final = 2.0
_KEPT: Final = "settings"
_decoder: Final = msgspec.json.Decoder(AnyEvent)


class ForBridge(msgspec.Struct, frozen=True):
    """What `settings.for_bridge` answers. Names are as people write them; upper and lower case are one."""

    revision: int
    """Another one means that something changed. An answer with the revision that was asked about holds nothing else."""
    phrases: tuple[str, ...] = ()
    names: dict[str, tuple[str, ...]] = {}
    """People known in each place (`platform/space/channel`)."""
    aliases: tuple[str, ...] = ()
    opted_out: frozenset[int] = frozenset()
    """Persons who opted out, and the keys of their names."""
    generations: dict[str, int] = {}
    """By key of an account: how often it was erased."""


class _Answer(msgspec.Struct, frozen=True):
    success: bool
    data: ForBridge | None = None


class Knowledge:
    """What is known now. `key` is the installation's pseudonym key; `phrases` stand in until userstats has answered."""

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        places: Iterable[Place],
        key: bytes,
        phrases: Iterable[str] = (),
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._places = tuple(places)
        self._key = key
        self._silent = False
        self.revision = 0
        self.known = False
        """Whether it is known who opted out."""
        self._opted_out: frozenset[int] = frozenset()
        self._lexicons: dict[Place, Lexicon] = {}
        self.pseudonyms = Pseudonyms(key)
        self._use(ForBridge(0, tuple(phrases)))

    def lexicon(self, place: Place) -> Lexicon:
        """Phrases of thanks, and the names known in this place."""
        return self._lexicons[place]

    def admitted(self, event: Event) -> Event | None:
        """The event without whoever opted out; None if nothing is left of it."""
        return without(event, self._opted_out)

    def recall(self) -> None:
        """Begin with what an earlier run knew, if there was one."""
        kept = self._outbox.recall(_KEPT)
        if kept is None:
            return
        try:
            self._use(msgspec.json.decode(kept, type=ForBridge))
        except msgspec.MsgspecError:
            log.warning("what an earlier version knew is of no use; userstats is asked")
        else:
            self.known = True

    async def run(self, every: float) -> None:
        """Ask again every so many seconds, until cancelled."""
        while True:
            if self._connection.is_connected:
                await self.ask()
            await asyncio.sleep(every if self.known else min(every, 1.0))

    async def ask(self) -> None:
        """Ask once, and use the answer if there is one."""
        question = {"since": self.revision, "places": [place_key(place) for place in self._places]}
        try:
            reply = await self._connection.request(
                subjects.question(_QUESTION), msgspec.json.encode(question), timeout=_ANSWER_SECONDS
            )
            answer = msgspec.json.decode(reply.data, type=_Answer)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            self._note(f"no answer ({type(error).__name__})")
            return
        except msgspec.MsgspecError:
            self._note("an answer that makes no sense")
            return
        if not answer.success or answer.data is None:
            self._note("a refusal")
            return
        self._note("")
        if answer.data.revision != self.revision or not self.known:
            await self._learn(answer.data)

    async def _learn(self, data: ForBridge) -> None:
        self._use(data)
        if not self.known:
            gone = await self._outbox.revise(self._judge)
            log.info("it is known now who opted out; %d waiting events were about them", gone)
        await self._outbox.remember(_KEPT, msgspec.json.encode(data).decode())
        self.known = True

    def _judge(self, row: Row) -> bytes | None:
        event: Event = _decoder.decode(row.body)
        admitted = self.admitted(event)
        if admitted is event:
            return row.body
        return None if admitted is None else wire.body(admitted)

    def _use(self, data: ForBridge) -> None:
        self.revision = data.revision
        self._opted_out = data.opted_out
        self.pseudonyms = Pseudonyms(self._key, data.generations)
        phrases = tuple(phrase.casefold() for phrase in data.phrases)
        aliases = frozenset(name.casefold() for name in data.aliases)
        self._lexicons = {
            place: Lexicon(phrases, aliases | {name.casefold() for name in data.names.get(place_key(place), ())})
            for place in self._places
        }

    def _note(self, trouble: str) -> None:
        if trouble and not self._silent:
            log.warning("settings.for_bridge: %s", trouble)
        elif self._silent and not trouble:
            log.info("settings.for_bridge: answered again")
        self._silent = bool(trouble)
