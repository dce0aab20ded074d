"""Reads the histories of channels, one page at a time, in turns, while nothing else is urgent.

A page is told in one piece with how far the history is counted by it: a bridge that is killed anywhere has counted the
page and will not read it again, or has not and will. What could not be read is said (`forbidden`), what the operator
does not want too (`partial`); a history is complete when Discord, asked for more, had nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from bridges.bridge import Observation
from userstats.contract.events import Event
from userstats.contract.process import told as told_of

from . import payload, reckoning
from .archive import Denied, Source, Unwell
from .due import DAY, Due, is_observed
from .guild import Guild
from .histories import Histories, History
from .normalise import history as normalise
from .payload import Record, Refused
from .session import Session
from .settings import Discord

log = logging.getLogger(__name__)

LOOK: Final = 1.0
"""Seconds after which it is looked whether there is something to do."""
FIRST_PAUSE: Final = 5.0
"""Seconds before Discord is asked again after it failed; they double."""
LONGEST_PAUSE: Final = 600.0
TOLD_AT_ONCE: Final = 200


class Answer(NamedTuple):
    """What came of asking Discord about a history."""

    history: History
    messages: list[Any] | None = None
    threads: Record | None = None
    denied: bool = False


class Said(NamedTuple):
    """What userstats has counted of a guild's histories."""

    guild: str
    rows: list[reckoning.Row]


class Backfill:
    """Of one watch. `run` asks; `told` says, when it suits, what was answered."""

    def __init__(
        self, session: Session, source: Source, settings: Discord,
        *, busy: Callable[[], bool], unlisted: Callable[[str], bool], wake: Callable[[], None],
    ) -> None:  # fmt: skip
        """`busy`: there is something more urgent. `unlisted`: the members of this guild are still to come. `wake`: let
        somebody call `told`."""
        self.histories = Histories(session, source.sees)
        self._session = session
        self._source = source
        self._settings = settings
        self._busy = busy
        self._wake = wake
        self._due = Due(session, source, settings, self.histories, lambda guild: (
            guild in self.histories.reckoned and not unlisted(guild)
        ))  # fmt: skip
        self._tries: dict[str, int] = {}
        self._answer: Answer | Said | None = None
        self._taken = asyncio.Event()
        self._pause = FIRST_PAUSE
        self._silent = ""

    # -- asking -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask userstats, and Discord, until cancelled."""
        while True:
            try:
                await asyncio.sleep(await self._step())
            except Exception as error:  # nothing that is wrong with histories may end the watch
                log.error("backfill failed, and goes on in a while: %s", told_of(error))
                await asyncio.sleep(LONGEST_PAUSE)

    async def _step(self) -> float:
        """Ask once. Seconds after which to ask again."""
        if await self._reckon():
            return 0.0
        if self._settings.backfill and not self._busy() and await self._read():
            return 60 / self._settings.backfill_per_minute
        return LOOK

    async def _reckon(self) -> bool:
        """Ask userstats about a guild, if there is one it was not asked about."""
        guild = next((one for one in self._session.guilds if one not in self.histories.reckoned), None)
        if guild is None:
            return False
        try:
            rows = await reckoning.counted(self._session.desk, guild)
        except reckoning.NotSaid as error:
            self._note(f"userstats does not say what is counted ({error}); it waits for that")
            return False
        await self._hand(Said(guild, rows))
        return guild in self.histories.reckoned

    async def _read(self) -> bool:
        """Ask Discord about the history whose turn it is, if there is one."""
        history = self._due.next(self._session.desk.now())
        if history is None:
            return False
        try:
            answer = await self._ask(history)
        except Unwell as error:
            self._note(f"Discord does not tell what was said ({error}); it is asked again later")
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return True
        self._pause = FIRST_PAUSE
        self._note("")
        await self._hand(answer)
        return True

    async def _ask(self, history: History) -> Answer:
        if self._source.reads(history.guild, history.channel) is False:
            return Answer(history, denied=True)
        try:
            if history.listing != "done" and self._due.has_threads(history):
                threads = await self._source.threads(history.channel, history.listing, history.before)
                return Answer(history, threads=threads)
            if self._due.is_forum(history):
                return Answer(history, messages=[])
            return Answer(history, await self._source.messages(history.id, history.oldest))
        except Denied as denied:
            log.info("the history of %s is refused (%s)", history.id, denied)
            return Answer(history, denied=True)

    async def _hand(self, answer: Answer | Said) -> None:
        """Until somebody has taken it."""
        self._answer = answer
        self._taken.clear()
        self._wake()
        await self._taken.wait()

    def _note(self, trouble: str) -> None:
        """Each change is said once."""
        if trouble != self._silent:
            if trouble:
                log.warning("backfill: %s", trouble)
            else:
                log.info("backfill: it goes on")
        self._silent = trouble

    # -- telling ------------------------------------------------------------------------------------------------

    def sighted(self) -> list[Observation]:
        """Where histories begin that were not known. It must be on disk before anything that was observed there."""
        cursor = self.histories.cursor()
        return [Observation((), cursor, {})] if cursor else []

    def told(self, now: int) -> Iterator[Observation]:
        """What there is to say of histories, once everything else is said."""
        self.histories.begun()
        answer, self._answer = self._answer, None
        if isinstance(answer, Said):
            self._adopt(answer)
        elif answer is not None:
            yield from self._use(answer, now)
        yield from self._standing(now)
        if answer is not None:
            self._taken.set()

    def _adopt(self, said: Said) -> None:
        guild = self._session.guilds.get(said.guild)
        if guild is None:
            return
        tries = self._tries[said.guild] = self._tries.get(said.guild, 0) + 1
        try:
            if reckoning.adopt(self.histories, guild, said.rows, patient=tries < reckoning.PATIENCE):
                self.histories.reckoned.add(said.guild)
                self._note("")
        except Refused:
            self._note("userstats says what makes no sense of what is counted; it waits")

    def _standing(self, now: int) -> Iterator[Observation]:
        """How histories are of which that has changed, as far as userstats was asked about them."""
        events: list[Event] = []
        for history in self.histories.waiting():
            guild = self._session.guilds.get(history.guild)
            if guild is None or history.guild not in self.histories.reckoned:
                self.histories.tell(history)
                continue
            history.told, history.news = True, False
            self.histories.changed(history, tell=False)
            events.append(self.histories.reached(history, guild, now))
        cursor = self.histories.cursor()
        for start in range(0, len(events), TOLD_AT_ONCE):
            last = start + TOLD_AT_ONCE >= len(events)
            yield Observation(events[start : start + TOLD_AT_ONCE], cursor if last else {}, {})
        if cursor and not events:
            yield Observation((), cursor, {})

    def _use(self, answer: Answer, now: int) -> Iterator[Observation]:
        history, guild = answer.history, self._session.guilds.get(answer.history.guild)
        if guild is None or self.histories.find(history.id) is not history or not is_observed(guild, history):
            return
        history.again = 0
        if answer.denied:
            self._refuse(history, now)
        elif answer.threads is not None:
            self._list(history, guild, answer.threads, now)
        elif answer.messages:
            yield from self._count(history, guild, answer.messages, now)
        else:
            self._end(history, now)

    def _refuse(self, history: History, now: int) -> None:
        """Where the bot may not read, it may when that changes; else Discord knows better, and is asked in a day."""
        if self._source.reads(history.guild, history.channel) is not False:
            history.again = now + DAY
        self.histories.changed(history, tell=history.state != "forbidden")
        history.state = "forbidden"

    def _end(self, history: History, now: int) -> None:
        """Discord had nothing more; which it also says of a channel that the bot may not read."""
        if self._source.reads(history.guild, history.channel) is not True:
            self._refuse(history, now)
            return
        history.state = "complete"
        self.histories.changed(history)

    def _count(self, history: History, guild: Guild, messages: list[Any], now: int) -> Iterator[Observation]:
        where, since = (history.place, history.thread), self._due.since(now)
        try:
            page = normalise.read(self._session, guild, where, messages, history.oldest, since, now)
        except Refused as refused:
            self._session.refuse(normalise.LISTED, refused.reason, messages, now)
            self._refuse(history, now)
            return
        if page.oldest < history.oldest:
            history.oldest, history.reached = page.oldest, payload.made(str(page.oldest))
        history.state = "running"
        if page.ended:
            history.state, history.reached = "partial", min(history.reached, since)
        self.histories.changed(history, tell=False)
        yield from self._session.telling.take()  # names, before those who wear them
        reached = self.histories.reached(history, guild, now)
        yield Observation((*page.events, reached), self.histories.cursor(), {})

    def _list(self, history: History, guild: Guild, listed: Record, now: int) -> None:
        """Archived threads: each has a history of its own."""
        entries = [entry for entry in listed.get("threads") or () if isinstance(entry, dict)]
        open_: list[str] = []
        for entry in entries:
            try:
                account = payload.account(entry.get("id"))
                if account in guild.rules.channels:
                    continue
                found = self.histories.listed(guild, history.channel, account, entry.get("last_message_id"))
            except Refused as refused:
                self._session.refuse(normalise.LISTED, refused.reason, entry, now)
                continue
            if found.state == "running":
                open_.append(account)
        was, history.open, history.state = history.state, tuple(open_), "running"
        before = _further(history, entries) if listed.get("has_more") is True else ""
        if before and before != history.before:
            history.before = before
        else:
            history.listing = "private" if history.listing == "public" else "done"
            history.before = ""
        self.histories.changed(history, tell=was != "running")


def _further(history: History, entries: list[dict[str, Any]]) -> str:
    """Where the list of archived threads goes on: public ones go by when they were archived, others by their ids."""
    last = entries[-1] if entries else {}
    if history.listing == "public":
        said = payload.part(last.get("thread_metadata")).get("archive_timestamp")
        return said if type(said) is str else ""
    return str(last.get("id") or "")
