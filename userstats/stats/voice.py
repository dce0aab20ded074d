"""Voice: how long people are in voice channels, how long of that active and in company, and how often.

Stored: measures of the ledger of people, by channel, in milliseconds by quarter hour: raw time (`voice_ms`), active
time (not in the AFK channel, not deafened), social time (active, and somebody there who hears), and time muted,
deafened, streaming and with video; a row for each stay; headcounts. The rules are settings (see `voiced.py`). Bots have
no time. What lasts now is credited up to the last hour border; questions add the rest up to the last sign of life.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ..asking import Limit, Now, Period, Scope, Username, during
from ..contract.events import BridgeBeat, ConsentChanged, PlaceClosed, VoiceCounted, VoiceMoved, VoiceSeen
from ..directory import Directory, Who
from ..lasting import OPEN, Lasting, lasting
from ..observed import ALIVE, alive
from ..ranking import ranked
from ..statistic import PEOPLE, Metric, Section, Statistic, query
from ..store.seam import Reader
from ..voiced import (
    DRIFT,
    KINDS,
    NOW,
    PEAKS,
    RECORDS,
    SESSIONS,
    SHORTEST_MS,
    SPANS,
    VOICE,
    Kind,
    Memo,
    VoiceSettings,
    beat,
    chose,
    closed,
    counted,
    moved,
    seen,
)

_ORDER: Final = tuple(span.name for span in SPANS)


class VoiceTime(msgspec.Struct, frozen=True):
    """One row of the leaderboard."""

    username: str
    time_ms: int


class VoiceStay(msgspec.Struct, frozen=True):
    """One person in one voice channel; what lasts now is included."""

    domain: str
    channel: str
    raw_ms: int
    active_ms: int
    """Not in the AFK channel, not deafened (see the section `voice` of the configuration)."""
    social_ms: int
    """Active, with somebody there who hears."""
    muted_ms: int
    deafened_ms: int
    streaming_ms: int
    video_ms: int
    sessions: int
    """Stays of a second or longer."""
    longest_ms: int
    """The longest stay; of a period: of those that single rows are kept of (90 days, unless configured otherwise)."""
    last: str | None
    """ISO time at which they were last seen there."""


class Session(msgspec.Struct, frozen=True):
    """One stay of one person in one voice channel."""

    domain: str
    channel: str
    since: str
    """ISO time."""
    until: str | None
    """None: it lasts."""
    time_ms: int
    ended: str
    """`left`, `moved`, `closed`: the channel is gone, `missed`: a snapshot showed that they had left, `unobserved`:
    nobody looked any more; empty while it lasts."""


class InVoice(msgspec.Struct, frozen=True):
    """Somebody who is in a voice channel."""

    username: str
    domain: str
    channel: str
    since: str
    """ISO time from which on they were seen here without a break."""
    time_ms: int
    """How long that is."""
    active: bool
    social: bool
    muted: bool
    deafened: bool
    streaming: bool
    video: bool


@query("voice.leaderboard", topic="voice")
async def leaderboard(
    reader: Reader, directory: Directory, scope: Scope, period: Period, kind: Kind = "active", limit: Limit = 10
) -> list[VoiceTime]:
    """Who is in voice channels the longest: raw, active (not AFK, not deafened) or social (in company) time.

    Includes what lasts now.
    """
    still: dict[int, int] = {}
    for one in await lasting(reader, scope, period, (KINDS[kind].name,), shown=await directory.shown(scope)):
        still[one.person] = still.get(one.person, 0) + one.milliseconds
    return [
        VoiceTime(*row) for row in await ranked(reader, directory, scope, period, KINDS[kind].measure, limit, still)
    ]


_ENDED = """
SELECT place, MAX(until - since), MAX(until) FROM voice_sessions
WHERE person IN :people AND until > :start AND since < :end{where} GROUP BY place
"""
_ALL_ENDED = (
    "SELECT place, MAX(longest_ms), MAX(last_at) FROM voice_records WHERE person IN :people{where} GROUP BY place"
)


@query("voice.user", period="all", topic="voice")
async def user(
    reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username
) -> list[VoiceStay]:
    """How long one person was in each voice channel, how often, and the longest stay.

    Includes what lasts now.
    """
    who = await directory.find(username, scope)
    sums = await _sums(reader, scope, period, who)
    now = await lasting(reader, scope, period, _ORDER, who.people)
    for one in now:
        sums.setdefault(one.place, [0] * (len(SPANS) + 1))[_ORDER.index(one.span)] += one.milliseconds
    ends = await _ends(reader, scope, period, who, [one for one in now if one.span == VOICE.name])
    places = await reader.rows("SELECT place, space, channel FROM places WHERE place IN :some", {"some": tuple(sums)})
    stays = []
    for place, space, channel in places:
        longest, last, lasts = ends.get(place, (0, 0, 0))
        raw, active, social, muted, deafened, streaming, video, ended = sums[place]
        if raw:
            stays.append(
                VoiceStay(
                    space, channel, raw, active, social, muted, deafened, streaming, video, ended + lasts, longest,
                    period.iso(last) if last else None,
                )
            )  # fmt: skip
    return sorted(stays, key=lambda one: (-one.raw_ms, one.domain, one.channel))


async def _sums(reader: Reader, scope: Scope, period: Period, who: Who) -> dict[int, list[int]]:
    """What is credited to one person, in the order of the spans, and how many of their stays ended, by channel."""
    columns = [*(span.measure for span in SPANS), "voice_sessions"]
    facts, parameters = during(PEOPLE, period, ", ".join(("place", *columns)), f" AND person IN :people{scope.where()}")
    rows = await reader.rows(
        f"SELECT place, {', '.join(f'SUM({name})' for name in columns)} FROM {facts} GROUP BY place",
        {**parameters, **scope.parameters, "people": who.people},
    )
    return {place: list(amounts) for place, *amounts in rows}


async def _ends(
    reader: Reader, scope: Scope, period: Period, who: Who, now: Sequence[Lasting]
) -> dict[int, tuple[int, int, int]]:
    """By channel: the longest stay, when the person was last seen, and how many stays last (of several accounts)."""
    sql = _ALL_ENDED if period.all_time else _ENDED
    rows = await reader.rows(
        sql.format(where=scope.where()),
        {"people": who.people, "start": period.start or 0, "end": period.end, **scope.parameters},
    )
    found = {place: (longest, last, 0) for place, longest, last in rows}
    for one in now:
        if one.until - one.began < SHORTEST_MS or one.began >= period.end or one.until <= (period.start or 0):
            continue
        longest, last, lasts = found.get(one.place, (0, 0, 0))
        found[one.place] = (max(longest, one.until - one.began), max(last, one.until), lasts + 1)
    return found


_SESSIONS = f"""
SELECT p.space, p.channel, s.since, s.until, s.until - s.since, s.ended FROM voice_sessions s
JOIN places p ON p.place = s.place
WHERE s.person IN :people AND s.until > :start AND s.since < :end{{where}}
UNION ALL
SELECT p.space, p.channel, s.began, NULL, w.seen_until - s.began, '' FROM {OPEN}
WHERE s.span = 'voice' AND s.person IN :people AND w.seen_until > :start AND s.began < :end
    AND w.seen_until - s.began >= :least{{where}}
ORDER BY 3 DESC, 1, 2 LIMIT :most
"""


@query("voice.sessions", audience="self", topic="voice")
async def sessions(
    reader: Reader, directory: Directory, scope: Scope, period: Period, username: Username, limit: Limit = 25
) -> list[Session]:
    """Every stay of one person in voice channels, the newest first; as long as single stays are kept."""
    who = await directory.find(username, scope)
    rows = await reader.rows(
        _SESSIONS.format(where=scope.where(column="s.place")),
        {
            "people": who.people, "start": period.start or 0, "end": period.end, "least": SHORTEST_MS, "most": limit,
            **scope.parameters,
        },
    )  # fmt: skip
    return [
        Session(space, channel, period.iso(since), None if until is None else period.iso(until), lasted, ended)
        for space, channel, since, until, lasted, ended in rows
    ]


_HERE = f"""
SELECT s.person, p.space, p.channel, s.began, w.seen_until - s.began, s.place FROM {OPEN}
WHERE s.span = 'voice' AND {ALIVE}{{where}} ORDER BY p.platform, p.space, p.channel, s.began, s.person LIMIT :most
"""
_STATES = "SELECT place, person, span FROM open_spans WHERE span IN :spans AND place IN :some AND person IN :people"


@query("voice.now", period="all", topic="voice")
async def here(reader: Reader, directory: Directory, scope: Scope, now: Now, limit: Limit = 200) -> list[InVoice]:
    """Who is in voice channels now, of those who let everybody see it, and in which state."""
    shown = await directory.shown(scope)
    where = scope.where(column="s.place") + shown.rows("s.person", "s.place")
    rows = await reader.rows(
        _HERE.format(where=where), {**scope.parameters, **shown.parameters, **alive(now.at), "most": limit}
    )
    lasting_too: dict[tuple[int, int], set[str]] = {}
    further = {
        "spans": _ORDER[1:],
        "some": tuple({row[-1] for row in rows}), "people": tuple({row[0] for row in rows}),
    }  # fmt: skip
    for place, person, span in await reader.rows(_STATES, further):
        lasting_too.setdefault((place, person), set()).add(span)
    labels = await directory.labels(row[0] for row in rows)
    found = []
    for person, space, channel, began, lasted, place in rows:
        states = (name in lasting_too.get((place, person), ()) for name in _ORDER[1:])
        found.append(InVoice(labels[person], space, channel, now.iso(began), lasted, *states))
    return found


def _seconds(kind: Kind) -> str:
    return (
        f"SELECT p.platform, '{kind}', SUM(t.{KINDS[kind].measure}) / 1000.0 FROM place_totals t "
        "JOIN places p ON p.place = t.place WHERE t.voice_ms > 0 GROUP BY p.platform"
    )


_WATCHED = f"LEFT JOIN watches w ON w.place = COALESCE(p.observer, p.place) AND {ALIVE}"

STATISTIC = Statistic(
    name="voice",
    on={
        VoiceMoved: moved, VoiceSeen: seen, VoiceCounted: counted, BridgeBeat: beat, PlaceClosed: closed,
        ConsentChanged: chose,
    },
    measures=(*(span.measure for span in SPANS), "voice_sessions"),
    indexes={
        "person_totals": (("place", "voice_active_ms DESC", "person"),),
        "everyone_totals": (("voice_active_ms DESC", "person"),),
    },
    tables=(SESSIONS, RECORDS, NOW, PEAKS, DRIFT),
    spans=SPANS,
    memory=Memo,
    settings=Section("voice", VoiceSettings),
    questions=(leaderboard, user, sessions, here),
    metrics=(
        Metric(
            "userstats_voice_people", "Humans in voice channels by the latest headcounts, by platform.",
            "SELECT p.platform, SUM(CASE WHEN w.place IS NULL THEN 0 ELSE n.people + n.deafened END) FROM voice_now n "
            f"JOIN places p ON p.place = n.place {_WATCHED} GROUP BY p.platform ORDER BY p.platform",
            ("platform",),
        ),
        Metric(
            "userstats_voice_counted", "People in voice channels whose time is counted, by platform.",
            f"SELECT p.platform, COUNT(s.person) FROM places p {_WATCHED} "
            "LEFT JOIN open_spans s ON s.place = p.place AND s.span = 'voice' AND w.place IS NOT NULL "
            "WHERE p.platform IN (SELECT platform FROM event_tallies WHERE kind IN ('VoiceMoved', 'VoiceSeen')) "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",),
        ),
        Metric(
            "userstats_voice_seconds_total",
            "Time that people were in voice channels, credited at hour borders, by platform and kind.",
            " UNION ALL ".join(map(_seconds, KINDS)) + " ORDER BY 1, 2", ("platform", "kind"), "counter",
        ),
        Metric(
            "userstats_voice_sessions_total", "Stays in voice channels that ended, by platform.",
            "SELECT p.platform, SUM(t.voice_sessions) FROM place_totals t JOIN places p ON p.place = t.place "
            "WHERE t.voice_ms > 0 GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
        Metric(
            "userstats_voice_drift_total",
            "People whom a snapshot found in another voice state than they were thought to be in, by platform.",
            "SELECT p.platform, SUM(d.corrections) FROM voice_drift d JOIN places p ON p.place = d.place "
            "GROUP BY p.platform ORDER BY p.platform",
            ("platform",), "counter",
        ),
    ),
    reads=("people", "aliases"),
)  # fmt: skip
