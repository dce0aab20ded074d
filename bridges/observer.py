"""One room: hold its lease, watch it, beat while it is alive, and begin again when the watch has ended."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, NamedTuple, TypedDict

import msgspec

from userstats.contract.admission import Consents
from userstats.contract.config import ConfigError
from userstats.contract.events import BridgeBeat, BridgeStarted, BridgeStopped, Event, Place
from userstats.contract.pseudonym import Pseudonyms

from .bridge import NOTHING, Bridge, Ended, Lacking, Observation, Reason
from .knowledge import Knowledge
from .lease import Fenced, Lease
from .outbox import Outbox, place_key
from .outbox_file import Row
from .settings import BridgeSettings
from .tasks import end
from .text import Lexicon

log = logging.getLogger(__name__)

State = Literal["waiting", "connecting", "watching", "gone", "stopped"]
_LAST_WORDS_SECONDS: Final = 2.0


class Envelope(TypedDict):
    """What every event says."""

    id: int
    at: int
    seen: int
    place: Place
    watch: str


class RoomHealth(NamedTuple):
    """How one room is doing."""

    state: State
    """`waiting`: for the lease; `gone`: the last watch ended, and no new one has begun yet."""
    watch: str
    """The running watch, or an empty string."""
    last_frame: int
    """When the platform last gave a sign of life: milliseconds since the epoch, 0: never."""
    trouble: str
    """Why the last watch ended, or could not begin, or what the running one must do without; empty: nothing."""


class Silent(Exception):
    """The platform gave no sign of life for too long."""


class Observer:
    """Observes one room until cancelled. It is also the desk (bridge.py) that its bridge works at."""

    def __init__(
        self,
        bridge: Bridge,
        lease: Lease,
        outbox: Outbox,
        knowledge: Knowledge,
        settings: BridgeSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.bridge = bridge
        self.lease = lease
        self.place: Place = bridge.place
        self.name = place_key(bridge.place)
        self._outbox = outbox
        self._knowledge = knowledge
        self._settings = settings
        self._clock = clock
        self._state: State = "waiting"
        self._watch = ""
        self._open: dict[Place, str] = {}
        """What is observed now, and the watch that its events name."""
        self._places: set[Place] = {bridge.place}
        """Whatever was observed so far."""
        self._trouble = ""
        self._last_frame = 0
        self._frames = self._beaten = 0
        self._heard = 0.0
        self._since = 0
        self._busy = False
        self._failures = 0
        self._gone = False
        self._holding = False

    @property
    def pseudonyms(self) -> Pseudonyms:
        return self._knowledge.pseudonyms

    @property
    def lexicon(self) -> Lexicon:
        return self._knowledge.lexicon(self.place)

    @property
    def consents(self) -> int:
        return self._knowledge.consents

    @property
    def consent(self) -> Consents:
        return self._knowledge.consent

    def cursor(self, key: str) -> str | None:
        return self._outbox.cursor(self.place, key)

    @property
    def crowded(self) -> bool:
        return self._outbox.crowded

    def now(self) -> int:
        return int(self._clock() * 1000)

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes:
        return await self._knowledge.way.ask(question, request, timeout, account)

    async def learn(self) -> None:
        await self._knowledge.ask()

    def recall(self, key: str) -> str | None:
        return self._outbox.recall(key)

    async def remember(self, key: str, value: str) -> None:
        await self._outbox.remember(key, value)

    @property
    def health(self) -> RoomHealth:
        lacking = self.bridge.trouble if isinstance(self.bridge, Lacking) else ""
        return RoomHealth(self._state, self._watch, self._last_frame, self._trouble or lacking)

    @property
    def unsure(self) -> bool:
        """Whether what is observed here may be another bridge's to tell: it must not be published yet."""
        return self._holding and not self.lease.sure

    async def run(self) -> None:
        """Observe the room whenever its lease is ours; when cancelled say that the watch has stopped."""
        while True:
            self._state = "waiting"
            await self.lease.acquire()
            self._holding = True
            try:
                await self._while_held()
            except Fenced as fenced:
                await self._yield_room(fenced.sure_until)
            finally:
                self._holding = False

    async def _while_held(self) -> None:
        """Watch again and again until the lease is lost (Fenced)."""
        keeper = asyncio.create_task(self.lease.keep(), name=f"lease {self.name}")
        attempts = asyncio.create_task(self._attempts(), name=f"watch {self.name}")
        try:
            await asyncio.wait({keeper, attempts}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await end([attempts])
            await self._say_stopped("stopped", self._last_frame)
            raise
        finally:
            await end([attempts, keeper])
        for task in (keeper, attempts):
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _yield_room(self, sure_until: float) -> None:
        """Take back what was observed when the room was perhaps not ours any more; the watch ended before that."""
        since = int(sure_until * 1000)

        def judge(row: Row) -> bytes | None:
            return None if row.at >= since and self._is_ours(row) else row.body

        gone = await self._outbox.revise(judge)
        log.warning("%s: the lease is lost, %d events taken back", self.name, gone)
        self._gone, self._trouble = True, "the lease is lost"
        if self._since >= since:
            self._watch = ""
            self._open.clear()
        await self._say_stopped("replaced", min(since, self._last_frame))

    def _is_ours(self, row: Row) -> bool:
        place = msgspec.json.decode(row.body, type=_Placed).place
        whole = Place(place.platform, place.space, "")
        return place in self._places or (bool(place.space) and whole in self._places)

    async def _attempts(self) -> None:
        while True:
            began = time.monotonic()
            self._state = "gone" if self._gone else "connecting"
            wait = await self._attempt()
            if time.monotonic() - began > self._settings.slowest_retry_seconds:
                self._failures = 0
            longest = min(self._settings.slowest_retry_seconds, self._settings.retry_seconds * 2**self._failures)
            self._failures = min(self._failures + 1, 20)
            self._state = "gone"
            await asyncio.sleep(max(wait, longest * random.uniform(0.5, 1.0)))

    async def _attempt(self) -> float:
        """One watch from beginning to end; returns how long to wait at least before the next."""
        watch = secrets.token_hex(8)
        reader = asyncio.create_task(self._read(watch), name=f"read {self.name}")
        beater = asyncio.create_task(self._beat(), name=f"beat {self.name}")
        try:
            await asyncio.wait({reader, beater}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end([reader, beater])
        error = (reader if reader.done() and not reader.cancelled() else beater).exception()
        reason: Reason = error.reason if isinstance(error, Ended) else "lost"
        await self._say_stopped(reason, self._last_frame if reason == "lost" else self.now())
        self._trouble = _explain(error)
        if isinstance(error, ConfigError):
            raise error
        if not self._gone:
            self._gone = True
            log.warning("%s: gone (%s)", self.name, self._trouble)
        return error.retry_in if isinstance(error, Ended) else 0.0

    async def _read(self, watch: str) -> None:
        self._busy = False
        async with _closing(self.bridge.watch(self, watch)) as observations:
            async for observation in observations:
                self._last_frame, self._heard = _seen_last(observation.events, self.now()), time.monotonic()
                self._frames += 1
                events = self._whole(watch, observation)
                if events or observation.cursor:
                    self._busy = True
                    await self._put(events, observation.cursor)
                    self._busy, self._heard = False, time.monotonic()

    def _whole(self, watch: str, observation: Observation) -> Sequence[Event]:
        """The events of an observation between the beginnings and the ends of what it opens and closes."""
        opened = observation.opened
        if not self._watch:
            self._watching(watch)
            opened = {self.place: watch} if opened is None else opened
        if not opened and not observation.closed:
            return observation.events
        at = _seen_first(observation.events, self._last_frame)
        ended = [(place, reason) for place, reason in observation.closed.items() if place in self._open]
        return [
            *(self._started(place, name, at) for place, name in (opened or {}).items()),
            *observation.events,
            *(self._stopped(place, reason, self._last_frame) for place, reason in ended),
        ]

    def _watching(self, watch: str) -> None:
        self._watch = watch
        self._state = "watching"
        log.info("%s: %s", self.name, "back" if self._gone else "watching")
        self._gone, self._trouble = False, ""
        self._since, self._beaten = self._last_frame, 0

    def _started(self, place: Place, watch: str, at: int) -> BridgeStarted:
        self._open[place] = watch
        self._places.add(place)
        return BridgeStarted(**self._envelope("started", place, at), bridge=self.bridge.name)

    def _stopped(self, place: Place, reason: Reason, at: int) -> BridgeStopped:
        stopped = BridgeStopped(**self._envelope("stopped", place, at), reason=reason)
        del self._open[place]
        return stopped

    async def _beat(self) -> None:
        """Beat for as long as there is fresh proof of life; raises Silent when there was none for too long."""
        while True:
            await asyncio.sleep(self._settings.beat_seconds)
            if not self._watch:
                continue
            if self._frames > self._beaten:
                self._beaten = self._frames
                beats = [BridgeBeat(**self._envelope("beat", place, self._last_frame)) for place in self._open]
                await self._put([*beats, *self.bridge.beat(self._last_frame)], NOTHING)
            elif not self._busy and time.monotonic() - self._heard > self._settings.silence_seconds:
                raise Silent

    async def _say_stopped(self, reason: Reason, at: int) -> None:
        """The watch is over. A full outbox has no room for this; then its silence must say it."""
        self._watch = ""
        self._state = "stopped" if reason == "stopped" else "gone"
        ends = [self._stopped(place, reason, at) for place in list(self._open)]
        if not ends:
            return
        try:
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._put(ends, NOTHING)
        except TimeoutError:
            log.warning("%s: no room in the outbox to say that the watch has ended", self.name)

    async def _put(self, events: Sequence[Event], cursor: Mapping[str, str]) -> None:
        admitted = [kept for event in events if (kept := self._knowledge.admitted(event)) is not None]
        await self._outbox.put(admitted, self.place, cursor)

    def _envelope(self, what: str, place: Place, at: int) -> Envelope:
        watch = self._open[place]
        identity = self.pseudonyms.event(what, watch, at)
        return {"id": identity, "at": at, "seen": at, "place": place, "watch": watch}


@asynccontextmanager
async def _closing(observations: AsyncIterator[Observation]) -> AsyncIterator[AsyncIterator[Observation]]:
    """Close the bridge's generator however the reading ends, so that it can say goodbye to its platform."""
    try:
        yield observations
    finally:
        close = getattr(observations, "aclose", None)
        if close is not None:
            await close()


class _Placed(msgspec.Struct):
    """Of an event in the outbox: where it happened."""

    place: Place


def _seen_first(events: Sequence[Event], now: int) -> int:
    """When a watch began: now, or in the past that its first observation tells (the demo's)."""
    return min((event.seen for event in events), default=now)


def _seen_last(events: Sequence[Event], now: int) -> int:
    """The last sign of life: what was seen last, which a bridge that tells the past saw then."""
    return max((event.seen for event in events), default=now)


def _explain(error: BaseException | None) -> str:
    """What may be logged of an error: never its text, which may quote what somebody wrote."""
    if isinstance(error, Ended):
        return f"{error.reason}: {error.explanation}"
    if isinstance(error, Silent):
        return "no sign of life"
    if error is None:
        return "the bridge has nothing more to say"
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return f"{type(error).__name__}{''.join(f' at {frame.name}:{frame.lineno}' for frame in last)}"
