"""System: what userstats knows of itself: totals, health, and what never arrived or could not be counted.

Stored: nothing; it reads the engine's tables and the totals of other rooms.
"""

from __future__ import annotations

import json

import msgspec

from ..asking import Limit, Now
from ..contract.questions import Listed
from ..directory import SEEN
from ..listing import Listing
from ..observed import ALIVE, alive
from ..statistic import Statistic, query
from ..store.meant import TOTALS
from ..store.seam import Reader
from ..vitals import SERVICE, ServiceState


class SystemStats(msgspec.Struct, frozen=True):
    """Totals of everything, of all time."""

    total_users: int
    """People who were ever seen."""
    total_messages: int
    total_pms: int
    total_kudos: int
    """With `++` and with phrases."""
    total_kudos_plusplus: int
    total_kudos_phrases: int
    total_emotes: int
    total_media_changes: int
    events_processed: int
    commands_processed: int
    """Questions since the start."""
    active_sessions: int
    """People who are here now."""


class Health(msgspec.Struct, frozen=True):
    """Whether answers are right and new."""

    service: str
    status: str
    """`healthy`; `degraded` while events are waiting to be counted or are not followed; `unhealthy` without NATS."""
    uptime_seconds: float
    database_connected: bool
    nats_connected: bool
    state: str
    """What the reader of the stream does: starting, following, waiting, fenced."""
    lag: int
    """Messages in the stream that are not counted yet."""
    position: int


class Pong(msgspec.Struct, frozen=True):
    """The service is there."""

    pong: bool
    service: str
    version: str
    uptime_seconds: float
    timestamp: str
    """ISO time."""


class Holes(msgspec.Struct, frozen=True):
    """Rows of one outbox that never arrived."""

    producer: str
    high: int
    """The highest row that arrived."""
    missing: int
    ranges: list[tuple[int, int]]
    """First and last, the newest ones."""


class Letter(msgspec.Struct, frozen=True):
    """A message of the stream that could not be counted."""

    seq: int
    at: str
    """ISO time."""
    path: str
    """JSON path of the fault."""
    detail: str
    bytes: int


class DeadLetters(msgspec.Struct, frozen=True):
    """Messages that could not be counted for one reason."""

    reason: str
    count: int
    """Of those that are kept (`database.refused_days`)."""
    latest: Letter


_LAG = 10_000
"""From so many messages behind on the numbers are called old."""
_MOST_RANGES = 20
_SUMS = """
SELECT (SELECT COALESCE(SUM(messages), 0) FROM place_totals),
    (SELECT COALESCE(SUM(private_messages), 0) FROM place_totals),
    (SELECT COALESCE(SUM(uses), 0) FROM emotes_place_totals),
    (SELECT COALESCE(SUM(plays), 0) FROM media_places),
    (SELECT COALESCE(SUM(events), 0) FROM event_tallies),
    (SELECT COUNT(*) FROM open_spans s JOIN places p ON p.place = s.place
        JOIN watches w ON w.place = COALESCE(p.observer, p.place) WHERE s.span = 'present' AND {alive})
"""
_LETTERS = """
SELECT reason, letters, seq, at, path, detail, bytes FROM (
    SELECT d.*, COUNT(*) OVER (PARTITION BY reason) AS letters,
        ROW_NUMBER() OVER (PARTITION BY reason ORDER BY at DESC, seq DESC) AS turn
    FROM dead_letters d
) AS latest WHERE turn = 1 ORDER BY letters DESC, reason
"""


@query("system.stats", shape="card", period="all")
async def stats(reader: Reader, now: Now, state: ServiceState) -> SystemStats:
    """Totals of everything that was counted."""
    people = await reader.rows(SEEN)
    kudos: dict[str, int] = dict(await reader.rows(TOTALS))
    ((messages, private, emotes, media, events, present),) = await reader.rows(_SUMS.format(alive=ALIVE), alive(now.at))
    return SystemStats(
        total_users=sum(number for _, number in people),
        total_messages=messages,
        total_pms=private,
        total_kudos=sum(kudos.values()),
        total_kudos_plusplus=kudos["plusplus"],
        total_kudos_phrases=kudos["phrase"],
        total_emotes=emotes,
        total_media_changes=media,
        events_processed=events,
        commands_processed=state.commands,
        active_sessions=present,
    )


@query("system.health", shape="card", period="all")
async def health(reader: Reader, state: ServiceState) -> Health:
    """Whether the service follows the stream and its database answers."""
    ((position,),) = await reader.rows("SELECT seq FROM stream_position WHERE shard = 0")
    status = "healthy" if state.state == "following" and state.lag < _LAG else "degraded"
    return Health(
        service=SERVICE,
        status=status if state.nats_connected else "unhealthy",
        uptime_seconds=round(state.uptime, 3),
        database_connected=True,  # it has just answered
        nats_connected=state.nats_connected,
        state=state.state,
        lag=state.lag,
        position=position,
    )


@query("system.ping", shape="card", period="all")
async def ping(now: Now, state: ServiceState) -> Pong:
    """Whether the service is there."""
    return Pong(True, SERVICE, state.version, round(state.uptime, 3), now.iso(now.at))


@query("system.questions", period="all")
async def questions(listing: Listing) -> list[Listed]:
    """Every question there is, who may ask it, and with what."""
    return list(listing.questions)


@query("system.holes", audience="staff", period="all")
async def holes(reader: Reader) -> list[Holes]:
    """Rows of bridges' outboxes that never arrived: what is missing in the numbers."""
    found = []
    for producer, high, text in await reader.rows("SELECT producer, high, holes FROM producers ORDER BY producer"):
        ranges = [(first, last) for first, last in json.loads(text)]
        if ranges:
            missing = sum(last - first + 1 for first, last in ranges)
            found.append(Holes(producer, high, missing, ranges[-_MOST_RANGES:]))
    return found


@query("system.dead_letters", audience="staff", period="all")
async def dead_letters(reader: Reader, now: Now, limit: Limit = 20) -> list[DeadLetters]:
    """Messages that could not be counted: how many for each reason, and the latest of them."""
    rows = await reader.rows(_LETTERS)
    return [
        DeadLetters(reason, count, Letter(seq, now.iso(at), path, detail, size))
        for reason, count, seq, at, path, detail, size in rows[:limit]
    ]


STATISTIC = Statistic(
    name="system",
    questions=(stats, health, ping, questions, holes, dead_letters),
    reads=("activity", "aliases", "emotes", "kudos", "media", "messages", "people", "private"),
)
