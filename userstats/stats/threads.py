"""Threads: how many are begun, joined, archived and open, and how much is said in them.

Stored: `threads`, a row for each thread of a guild (its id, never its title: somebody wrote that); measures of the
ledger of people. Which threads are open is learned anew from each list of them; what is said in a thread counts at the
channel that it hangs on.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ..asking import Period, Scope, Username, during
from ..contract.events import MessageSent, Place, ThreadArchived, ThreadCreated, ThreadJoined, ThreadsSeen
from ..directory import Directory
from ..statistic import ADD, KEY, KEY_TEXT, LOW, PEOPLE, PUT, Metric, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

THREADS: Final = Table(
    "threads",
    {"guild": KEY, "thread": KEY_TEXT},
    {"place": PUT, "created_at": LOW, "archived_at": PUT, "messages": ADD},
    (("place",),),
)
"""`place` is the channel; `archived_at` is NULL or 0 while a thread is open."""
NOBODY: Final = 0
"""It is not known who began a thread."""


class Open(msgspec.Struct, frozen=True):
    """The threads of a guild that are open, or the parts of such a list that have arrived."""

    threads: tuple[str, ...]
    snapshot: str = ""
    arrived: tuple[int, ...] = ()


def created(event: ThreadCreated, moment: Moment) -> None:
    moment.count(NOBODY if event.person is None else event.person, {"threads_created": 1})
    moment.low(THREADS, (moment.observer, event.thread), {"created_at": moment.at})
    _set(event.thread, True, moment)


def joined(event: ThreadJoined, moment: Moment) -> None:
    moment.count(event.person, {"threads_joined": 1})


def archived(event: ThreadArchived, moment: Moment) -> None:
    if not event.open and event.thread in _open(moment).threads:
        moment.count(NOBODY, {"threads_archived": 1})
    _set(event.thread, event.open, moment)


def said(event: MessageSent, moment: Moment) -> None:
    if event.thread and event.by == "person":
        moment.put(THREADS, (moment.observer, event.thread), {"place": moment.place})
        moment.add(THREADS, (moment.observer, event.thread), {"messages": 1})


def seen(event: ThreadsSeen, moment: Moment) -> None:
    """Which threads are open: those that were and are not in the list were archived while nobody looked."""
    if not moment.current:
        return
    for thread, channel in zip(event.threads, event.channels, strict=False):
        place = moment.number_of(Place(event.place.platform, event.place.space, channel))
        moment.put(THREADS, (moment.observer, thread), {"place": place})
    key = f"{moment.observer} parts"
    known = moment.recall(key, Open)
    same = known if known is not None and known.snapshot == event.snapshot else Open((), event.snapshot)
    threads = tuple(sorted({*same.threads, *event.threads}))
    arrived = tuple(sorted({*same.arrived, event.part}))
    if len(arrived) < event.parts:
        moment.remember(key, Open(threads, event.snapshot, arrived))
        return
    if known is not None:
        moment.remember(key, None)
    for thread in sorted({*_open(moment).threads} - {*threads}):
        moment.put(THREADS, (moment.observer, thread), {"archived_at": moment.at})
    for thread in threads:
        moment.put(THREADS, (moment.observer, thread), {"archived_at": 0})
    moment.remember(str(moment.observer), Open(threads))


def _open(moment: Moment) -> Open:
    return moment.recall(str(moment.observer), Open) or Open(())


def _set(thread: str, is_open: bool, moment: Moment) -> None:
    values = {"place": moment.place, "archived_at": 0 if is_open else moment.at}
    moment.put(THREADS, (moment.observer, thread), values)
    before = _open(moment).threads
    after = tuple(sorted({*before, thread} if is_open else {*before} - {thread}))
    if after != before:
        moment.remember(str(moment.observer), Open(after))


class ChannelThreads(msgspec.Struct, frozen=True):
    """The threads of one channel."""

    domain: str
    channel: str
    created: int
    joined: int
    """Times that somebody joined one."""
    archived: int
    """While somebody looked."""
    messages: int
    """Of persons, in the channel's threads."""
    open: int
    """Now."""


class UserThreads(msgspec.Struct, frozen=True):
    """One person's part in the threads of one channel."""

    domain: str
    channel: str
    created: int
    joined: int
    messages: int


_MEASURES: Final = "threads_created, threads_joined, threads_archived, thread_messages"


@query("channel.threads")
async def channel(reader: Reader, scope: Scope, period: Period) -> list[ChannelThreads]:
    """How many threads each channel has, and how much is said in them."""
    facts, parameters = during(PEOPLE, period, f"place, {_MEASURES}", scope.where(), "place_totals")
    rows = await reader.rows(
        "SELECT p.space, p.channel, SUM(threads_created), SUM(threads_joined), SUM(threads_archived), "
        "SUM(thread_messages), MAX((SELECT COUNT(*) FROM threads t WHERE t.place = p.place "
        f"AND COALESCE(t.archived_at, 0) = 0)) FROM {facts} JOIN places p ON p.place = facts.place "
        "GROUP BY p.platform, p.space, p.channel "
        "HAVING SUM(threads_created) + SUM(threads_joined) + SUM(threads_archived) + SUM(thread_messages) > 0 "
        "ORDER BY SUM(thread_messages) DESC, p.space, p.channel",
        {**parameters, **scope.parameters},
    )
    return [ChannelThreads(*row) for row in rows]


@query("user.threads", period="all")
async def user(
    reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username
) -> list[UserThreads]:
    """Threads that one person began or joined, and what they said in threads, channel by channel."""
    who = await directory.find(username, scope)
    facts, parameters = during(PEOPLE, period, f"place, {_MEASURES}", f" AND person IN :people{scope.where()}")
    rows = await reader.rows(
        "SELECT p.space, p.channel, SUM(threads_created), SUM(threads_joined), SUM(thread_messages) "
        f"FROM {facts} JOIN places p ON p.place = facts.place GROUP BY p.platform, p.space, p.channel "
        "HAVING SUM(threads_created) + SUM(threads_joined) + SUM(thread_messages) > 0 "
        "ORDER BY SUM(thread_messages) DESC, p.space, p.channel",
        {**parameters, **scope.parameters, "people": who.people},
    )
    return [UserThreads(*row) for row in rows]


STATISTIC = Statistic(
    name="threads",
    on={
        ThreadCreated: created, ThreadJoined: joined, ThreadArchived: archived, ThreadsSeen: seen, MessageSent: said,
    },
    measures=("threads_created", "threads_joined", "threads_archived"),
    tables=(THREADS,),
    memory=Open,
    questions=(channel, user),
    metrics=(
        Metric(
            "userstats_threads_open", "Threads that are open, by platform.",
            "SELECT p.platform, COUNT(*) FROM threads t JOIN places p ON p.place = t.guild "
            "WHERE COALESCE(t.archived_at, 0) = 0 GROUP BY p.platform ORDER BY p.platform",
            ("platform",),
        ),
        Metric(
            "userstats_threads_created_total", "Threads that were begun, by platform.",
            "SELECT p.platform, SUM(t.threads_created) FROM place_totals t JOIN places p ON p.place = t.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases", "messages"),
)  # fmt: skip
