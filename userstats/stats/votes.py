"""Votes about what plays (`movie++`, `movie--`): one vote for each person and title, the newest one.

Stored: `votes`, a row for each place, title and person; `voted_titles`, what was last voted on under a title. A vote
counts only while it is known what plays: a watch knows it from the first medium it was told.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec

from ..asking import Limit, Period, Scope
from ..contract.events import MediaStarted, MessageSent, VoteImported
from ..directory import Directory
from ..statistic import KEY, KEY_TEXT, PUT, PUT_TEXT, Metric, Statistic, Table, query
from ..store.seam import Reader
from ..writes import Moment

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]

VOTES = Table(
    "votes", {"place": KEY, "title": KEY_TEXT, "person": KEY}, {"vote": PUT, "at": PUT}, (("at",),), newest="at"
)
TITLES = Table(
    "voted_titles", {"place": KEY, "title": KEY_TEXT}, {"media_type": PUT_TEXT, "media_id": PUT_TEXT, "at": PUT},
    newest="at",
)  # fmt: skip


class Playing(msgspec.Struct, frozen=True):
    """What plays in a place, as the watch that observes it was told."""

    watch: str
    title: str
    media_type: str
    media_id: str


def started(event: MediaStarted, moment: Moment) -> None:
    key = str(moment.place)
    playing = Playing(event.watch, event.title, event.media_type, event.media_id)
    if moment.current and playing != moment.recall(key, Playing):
        moment.remember(key, playing)


def voted(event: MessageSent, moment: Moment) -> None:
    if not event.vote or event.by != "person":
        return
    playing = moment.recall(str(moment.place), Playing)
    if playing is None or playing.watch != event.watch or not moment.current:
        return
    medium = {"media_type": playing.media_type, "media_id": playing.media_id, "at": moment.at}
    moment.put(VOTES, (moment.place, playing.title, event.author), {"vote": event.vote, "at": moment.at})
    moment.put(TITLES, (moment.place, playing.title), medium)


def imported(event: VoteImported, moment: Moment) -> None:
    medium = {"media_type": event.media_type, "media_id": event.media_id, "at": moment.at}
    moment.put(VOTES, (moment.place, event.title, event.person), {"vote": event.vote, "at": moment.at})
    moment.put(TITLES, (moment.place, event.title), medium)


class Verdict(msgspec.Struct, frozen=True):
    """The votes on one title in one room."""

    domain: str
    channel: str
    title: str
    media_type: str
    media_id: str
    up: int
    down: int
    total: int
    score: int
    """Up minus down."""
    last_vote: str
    """ISO time."""


class _Tally(NamedTuple):
    up: int
    down: int
    last: int


_SUMS = """
SELECT v.place, v.title, SUM(CASE WHEN v.vote > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN v.vote < 0 THEN 1 ELSE 0 END),
    MAX(v.at)
FROM votes v WHERE v.person NOT IN :grouped AND {where} GROUP BY v.place, v.title
"""
_SHARED = """
SELECT v.place, v.title, v.person, v.vote, v.at
FROM votes v WHERE v.person IN :grouped AND {where} ORDER BY v.at, v.person
"""
_MEDIA = """
SELECT t.place, t.title, p.space, p.channel, t.media_type, t.media_id
FROM voted_titles t JOIN places p ON p.place = t.place WHERE t.title IN :titles
"""


@query("channel.votes", period="all")
async def verdicts(
    reader: Reader, directory: Directory, scope: Scope, period: Period, title: Title | None = None, limit: Limit = 50
) -> list[Verdict]:
    """How people voted on what played, best score first; accounts that share an alias have one vote."""
    tallies = await _tallies(reader, directory, scope, period, title)
    best = sorted(tallies.items(), key=lambda one: (one[1].down - one[1].up, -one[1].up, one[0]))[:limit]
    rows = await reader.rows(_MEDIA, {"titles": tuple({name for (_, name), _ in best})})
    media = {(place, name): medium for place, name, *medium in rows}
    found = []
    for (place, name), (up, down, last) in best:
        domain, channel, media_type, media_id = media[place, name]
        found.append(
            Verdict(domain, channel, name, media_type, media_id, up, down, up + down, up - down, period.iso(last))
        )
    return found


async def _tallies(
    reader: Reader, directory: Directory, scope: Scope, period: Period, title: str | None
) -> dict[tuple[int, str], _Tally]:
    mains = await directory.main()
    where = "v.at >= :start AND v.at < :end" + scope.where(column="v.place")
    where += "" if title is None else " AND v.title = :title"
    parameters = {
        "start": period.start or 0, "end": period.end, "grouped": tuple(mains), "title": title, **scope.parameters,
    }  # fmt: skip
    tallies = {
        (place, name): _Tally(*tally)
        for place, name, *tally in await reader.rows(_SUMS.format(where=where), parameters)
    }
    newest: dict[tuple[int, str, int], tuple[int, int]] = {}
    for place, name, person, vote, at in await reader.rows(_SHARED.format(where=where), parameters):
        newest[place, name, mains[person]] = (vote, at)
    for (place, name, _), (vote, at) in newest.items():
        up, down, last = tallies.get((place, name), _Tally(0, 0, 0))
        tallies[place, name] = _Tally(up + (vote > 0), down + (vote < 0), max(last, at))
    return tallies


STATISTIC = Statistic(
    name="votes",
    on={MediaStarted: started, MessageSent: voted, VoteImported: imported},
    tables=(VOTES, TITLES),
    memory=Playing,
    questions=(verdicts,),
    metrics=(
        Metric(
            "userstats_votes", "Votes that count (one for each person, place and title), by platform and direction.",
            "SELECT p.platform, CASE WHEN v.vote > 0 THEN 'up' ELSE 'down' END, COUNT(*) FROM votes v "
            "JOIN places p ON p.place = v.place GROUP BY 1, 2 ORDER BY 1, 2",
            ("platform", "direction"),
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
