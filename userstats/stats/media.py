"""Media: what played in a room, and how often.

Stored: `media_plays`, a row for each play; the ledger `media` with the plays of each title. A medium that is only said
again (`resumed`: the watch is new, or the platform repeats itself) is no new play; one that begins again is.
"""

from __future__ import annotations

import msgspec

from ..asking import Limit, Period, Scope, during
from ..contract.events import MediaImported, MediaStarted
from ..directory import Directory
from ..statistic import KEY, KEY_TEXT, PUT, PUT_TEXT, Ledger, Metric, Rollup, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

PLAYS = Table(
    "media_plays",
    {"place": KEY, "at": KEY, "seq": KEY},
    {
        "title": PUT_TEXT, "media_type": PUT_TEXT, "media_id": PUT_TEXT, "seconds": PUT, "queued_by": PUT,
        "imported": PUT,
    },
    (("at", "seq"),),
)  # fmt: skip
"""`imported` 1: another program saw it; `seq` is then negative, its number among what was imported."""
MEDIA = Ledger(
    "media",
    {"place": KEY, "title": KEY_TEXT},
    ("plays",),
    rollups=(Rollup("media_places", ("place",)),),
)


class Playing(msgspec.Struct, frozen=True):
    """The medium that played last in a place."""

    title: str
    media_type: str
    media_id: str


def started(event: MediaStarted, moment: Moment) -> None:
    key = str(moment.place)
    playing = Playing(event.title, event.media_type, event.media_id)
    last = moment.recall(key, Playing)
    if event.resumed and playing == last:
        return
    if moment.current and playing != last:
        moment.remember(key, playing)
    moment.put(
        PLAYS,
        (moment.place, moment.at, moment.seq),
        {
            "title": event.title, "media_type": event.media_type, "media_id": event.media_id, "seconds": event.seconds,
            "queued_by": event.queued_by,
        },
    )  # fmt: skip
    moment.tally(MEDIA, (moment.place, event.title), {"plays": 1})


def imported(event: MediaImported, moment: Moment) -> None:
    values = {"title": event.title, "media_type": event.media_type, "media_id": event.media_id, "imported": 1}
    moment.put(PLAYS, (moment.place, moment.at, -event.number), values)
    moment.tally(MEDIA, (moment.place, event.title), {"plays": 1})


class Play(msgspec.Struct, frozen=True):
    """One play."""

    at: str
    """ISO time of its beginning, or of the moment from which on it was observed."""
    domain: str
    channel: str
    title: str
    media_type: str
    media_id: str
    seconds: int | None
    """Length; None when the platform does not know it."""
    queued_by: str | None
    """None where it is not known, or not to be told."""
    imported: bool = False
    """Taken over from another program."""


class Played(msgspec.Struct, frozen=True):
    """One row of the board of titles."""

    title: str
    plays: int


@query("channel.media", period="all")
async def history(reader: Reader, directory: Directory, scope: Scope, period: Period, limit: Limit = 50) -> list[Play]:
    """What played, newest first."""
    rows = await reader.rows(
        "SELECT m.at, p.space, p.channel, m.title, m.media_type, m.media_id, m.seconds, m.queued_by, "
        "COALESCE(m.imported, 0) "
        "FROM media_plays m JOIN places p ON p.place = m.place "
        f"WHERE m.at >= :start AND m.at < :end{scope.where(column='m.place')} "
        "ORDER BY m.at DESC, m.seq DESC LIMIT :most",
        {"start": period.start or 0, "end": period.end, "most": limit, **scope.parameters},
    )
    faces = await directory.faces(row[7] for row in rows if row[7] is not None)
    return [
        Play(period.iso(at), domain, channel, title, media_type, media_id, seconds, faces.get(person), bool(old))
        for at, domain, channel, title, media_type, media_id, seconds, person, old in rows
    ]


@query("channel.top_media")
async def top(reader: Reader, scope: Scope, period: Period, limit: Limit = 10) -> list[Played]:
    """What was played most often."""
    facts, parameters = during(MEDIA, period, "title, plays", scope.where())
    rows = await reader.rows(
        f"SELECT title, SUM(plays) AS number FROM {facts} GROUP BY title ORDER BY number DESC, title LIMIT :most",
        {**parameters, **scope.parameters, "most": limit},
    )
    return [Played(*row) for row in rows]


STATISTIC = Statistic(
    name="media",
    on={MediaStarted: started, MediaImported: imported},
    ledgers=(MEDIA,),
    tables=(PLAYS,),
    memory=Playing,
    questions=(history, top),
    metrics=(
        Metric(
            "userstats_media_total", "Media that were played, by platform.",
            "SELECT p.platform, SUM(m.plays) FROM media_places m JOIN places p ON p.place = m.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
    ),
    reads=("people",),
)  # fmt: skip
