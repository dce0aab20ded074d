"""What a bridge must know before it may tell: phrases of thanks, known names, who chose what may be counted of them.

userstats is asked every few seconds (`settings.for_bridge`, which also says whether anybody chose: see `consent.py`);
the last answer is kept in the outbox file, so that a bridge which starts while userstats is away still knows. Without
either nothing is published.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import msgspec
import nats.errors

from userstats.contract import wire
from userstats.contract.admission import Consents
from userstats.contract.events import AnyEvent, Event, Place
from userstats.contract.privacy import PrivacySettings
from userstats.contract.pseudonym import Pseudonyms

from .consent import Consent, NotSaid
from .outbox import Outbox, place_key
from .outbox_file import Row
from .text import Lexicon
from .way import Way

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
    consents: int = 0
    """How often anybody chose what may be counted of them."""
    generations: dict[str, int] = {}
    """By key of an account: how often it was erased."""


class _Answer(msgspec.Struct, frozen=True):
    success: bool
    data: ForBridge | None = None


class Knowledge:
    """What is known now. `key` is the installation's pseudonym key; `phrases` stand in until userstats has answered."""

    def __init__(
        self,
        way: Way,
        outbox: Outbox,
        places: Iterable[Place],
        key: bytes,
        phrases: Iterable[str] = (),
        privacy: PrivacySettings = PrivacySettings(),  # noqa: B008  (frozen)
    ) -> None:
        self.way = way
        self._outbox = outbox
        self._places = tuple(places)
        self._key = key
        self._silent = False
        self._asking = asyncio.Lock()
        self.revision = 0
        self.known = False
        """Whether it is known who chose what."""
        self.consents = 0
        """Another number means that others may be told about than before, or under other pseudonyms."""
        self._consent = Consent(way, outbox, privacy, Pseudonyms(key).anonymous)
        self._consents_revision = self._consent.current.revision
        self._generations: dict[str, int] = {}
        self._lexicons: dict[Place, Lexicon] = {}
        self.pseudonyms = Pseudonyms(key)
        self._use(ForBridge(0, tuple(phrases)))

    def lexicon(self, place: Place) -> Lexicon:
        """Phrases of thanks, and the names known in this place."""
        return self._lexicons[place]

    @property
    def consent(self) -> Consents:
        """What holds for whom, as of now."""
        return self._consent.current

    def admitted(self, event: Event) -> Event | None:
        """The event as it may be told, by what the people in it chose; None if nothing of it may be told."""
        return self._consent.current.admitted(event)

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
            self.known = self._consent.recall()

    async def run(self, every: float) -> None:
        """Ask again every so many seconds, until cancelled."""
        while True:
            if self.way.ready:
                await self.ask()
            await asyncio.sleep(every if self.known else min(every, 1.0))

    async def ask(self) -> None:
        """Ask once, and use the answer if there is one."""
        async with self._asking:
            await self._ask()

    async def _ask(self) -> None:
        since = self.revision if self.known else 0
        question = {"since": since, "places": [place_key(place) for place in self._places]}
        try:
            reply = await self.way.ask(_QUESTION, question, _ANSWER_SECONDS)
            answer = msgspec.json.decode(reply, type=_Answer)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            self._note(f"no answer ({type(error).__name__})")
            return
        except msgspec.MsgspecError:
            self._note("an answer that makes no sense")
            return
        if not answer.success or answer.data is None:
            self._note("a refusal")
            return
        try:
            stricter = await self._consent.learn(answer.data.consents)
        except (nats.errors.Error, TimeoutError, OSError, NotSaid) as error:
            self._note(f"not who chose what ({error if isinstance(error, NotSaid) else type(error).__name__})")
            return
        self._note("")
        await self._learn(answer.data, stricter)

    async def _learn(self, data: ForBridge, stricter: bool) -> None:
        if self._consent.current.revision != self._consents_revision:
            self._consents_revision = self._consent.current.revision
            self.consents += 1
        if stricter or not self.known:
            gone = await self._outbox.revise(self._judge)
            if gone or not self.known:
                said = "" if self.known else "it is known now who chose what; "
                log.info("%s%d waiting events were about people who opted out", said, gone)
        if data.revision != self.revision or not self.known:
            self._use(data)
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
        self.consents += self._generations != data.generations
        self._generations = data.generations
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
