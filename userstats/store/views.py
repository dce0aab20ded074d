"""The tables of kryten-userstats as views, so that SQL written for them runs as it is, on both databases.

Names are the latest ones, `channel` is as the platform spells it in addresses (CyTube: lower case), timestamps are ISO
text in UTC, times are whole seconds and include what lasts now. Thanks are those that count: to somebody known, under
the owner's name, and not to oneself. Bots are no users, and who is not shown is not named: rows about people are of
those who are shown, by what they chose or by the policy about messages. The numbers in `id` are of this moment only.
`activity_log` is the table of a bot that watched statuses; `user_id` is the platform's, and rows grow old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .chosen import is_shown
from .meant import counted, label

Iso = Callable[[str], str]
"""SQL for a column of milliseconds: ISO text in UTC, `2026-11-20T11:59:03.032+00:00`."""

Shown = Callable[[str], str]
"""SQL for a column of people: whether they may be named."""

_ISO: Final[dict[str, Iso]] = {
    "sqlite": lambda ms: f"STRFTIME('%Y-%m-%dT%H:%M:%f', {ms} / 1000.0, 'unixepoch') || '+00:00'",
    "postgres": lambda ms: (
        f"TO_CHAR(TO_TIMESTAMP({ms} / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') || '+00:00'"
    ),
}
_DAY_MS: Final = 86_400_000
_BOTS: Final = "(SELECT person FROM wearers WHERE bot = 1)"
_WHERE: Final = "p.channel, p.space AS domain"


def _users(iso: Iso, shown: Shown) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY s.first_at, s.person) AS id, {label("s.person")} AS username,
    {iso("s.first_at")} AS first_seen_at, {iso("s.last_at")} AS last_seen_at
FROM (
    SELECT person, MIN(first_at) AS first_at, MAX(last_at) AS last_at FROM sightings
    WHERE person NOT IN {_BOTS} AND {shown("person")} GROUP BY person
) AS s"""


def _aliases(shown: Shown) -> str:
    """An owner that nobody has worn is nobody who could mind."""
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY a.at, a.alias) AS id, o.name AS username, n.name AS alias
FROM aliases a JOIN names o ON o.name_key = a.owner JOIN names n ON n.name_key = a.alias WHERE a.owner > 0 AND (
    NOT EXISTS (SELECT 1 FROM wearers w WHERE w.name_key IN (a.owner, a.alias))
    OR EXISTS (SELECT 1 FROM wearers w WHERE w.name_key IN (a.owner, a.alias) AND {shown("w.person")})
)"""


def _messages(shown: Shown) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.person) AS id, {label("t.person")} AS username, {_WHERE},
    t.messages AS message_count
FROM person_totals t JOIN places p ON p.place = t.place WHERE t.messages > 0 AND {shown("t.person")}"""


def _private(shown: Shown) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY person) AS id, {label("t.person")} AS username, private_messages AS pm_count
FROM everyone_totals t WHERE private_messages > 0 AND {shown("t.person")}"""


def _snapshots(iso: Iso) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY s.at, s.place) AS id, {_WHERE}, {iso("s.at")} AS timestamp,
    COALESCE(s.connected, s.named) AS connected_count, s.not_afk AS chat_count
FROM population s JOIN places p ON p.place = s.place"""


def _media(iso: Iso) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY m.at, m.seq) AS id, {_WHERE}, {iso("m.at")} AS timestamp,
    m.title AS media_title, m.media_type, m.media_id
FROM media_plays m JOIN places p ON p.place = m.place"""


def _activity(shown: Shown) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.person) AS id, {label("t.person")} AS username, {_WHERE},
    t.present / 1000 AS total_time_seconds, (t.present - t.afk) / 1000 AS not_afk_time_seconds
FROM (
    SELECT place, person, CAST(SUM(present) AS BIGINT) AS present, CAST(SUM(afk) AS BIGINT) AS afk FROM (
        SELECT place, person, present_ms AS present, afk_ms AS afk FROM person_totals
        UNION ALL
        SELECT s.place, s.person, CASE WHEN s.span = 'present' THEN w.seen_until - s.since ELSE 0 END,
            CASE WHEN s.span = 'afk' THEN w.seen_until - s.since ELSE 0 END
        FROM open_spans s JOIN places o ON o.place = s.place
        JOIN watches w ON w.place = COALESCE(o.observer, o.place) WHERE s.since < w.seen_until
    ) AS parts GROUP BY place, person
) AS t JOIN places p ON p.place = t.place WHERE t.present > 0 AND t.person NOT IN {_BOTS} AND {shown("t.person")}"""


def _emotes(shown: Shown) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.person, t.emote) AS id, {label("t.person")} AS username, {_WHERE},
    t.emote, t.usage_count
FROM (
    SELECT place, person, LOWER(LTRIM(emote, '#')) AS emote, CAST(SUM(uses) AS BIGINT) AS usage_count
    FROM emotes_totals WHERE {shown("person")} GROUP BY place, person, LOWER(LTRIM(emote, '#'))
) AS t JOIN places p ON p.place = t.place"""


def _thanks(shown: Shown, *, phrased: bool) -> str:
    by, test = (", token", "<>") if phrased else ("", "=")
    order, phrase = (", t.token", " t.token AS phrase,") if phrased else ("", "")
    return f"""
WITH {counted("SELECT place, giver, who, token, times, plusplus FROM kudos_totals WHERE times > 0")}
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.receiver{order}) AS id,
    CASE WHEN t.unworn = 1 THEN (SELECT name FROM names WHERE name_key = t.receiver) ELSE {label("t.face")} END
        AS username, {_WHERE},{phrase} t.kudos_count
FROM (
    SELECT receiver, unworn, CASE WHEN {shown("receiver")} THEN receiver ELSE MIN(wearer) END AS face, place{by},
        CAST(SUM(times) AS BIGINT) AS kudos_count
    FROM counted WHERE token {test} '++' AND (unworn = 1 OR ({shown("wearer")})) GROUP BY receiver, unworn, place{by}
) AS t JOIN places p ON p.place = t.place"""


_PHRASES: Final = """
SELECT ROW_NUMBER() OVER (ORDER BY at, phrase) AS id, phrase FROM phrases WHERE active = 1"""


def _watermarks(iso: Iso) -> str:
    """The most and the fewest of each UTC day, when first."""
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY m.at, m.place, m.is_high_mark) AS id, {_WHERE}, {iso("m.at")} AS timestamp,
    m.connected AS total_users, m.not_afk AS chat_users, m.is_high_mark
FROM (
    SELECT place, at, connected, not_afk, 1 AS is_high_mark,
        ROW_NUMBER() OVER (PARTITION BY place, at / {_DAY_MS} ORDER BY connected DESC, at) AS turn
    FROM population WHERE connected IS NOT NULL
    UNION ALL
    SELECT place, at, connected, not_afk, 0,
        ROW_NUMBER() OVER (PARTITION BY place, at / {_DAY_MS} ORDER BY connected, at)
    FROM population WHERE connected IS NOT NULL
) AS m JOIN places p ON p.place = m.place WHERE m.turn = 1"""


def _votes(iso: Iso, shown: Shown) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY v.at, v.place, v.person) AS id, {_WHERE}, v.title AS media_title,
    t.media_type, t.media_id, {label("v.person")} AS username, v.vote, {iso("v.at")} AS timestamp
FROM votes v JOIN places p ON p.place = v.place LEFT JOIN voted_titles t ON t.place = v.place AND t.title = v.title
WHERE {shown("v.person")}"""


def _statuses(iso: Iso, shown: str) -> str:
    """Changes of status of people whose account is known."""
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY l.at, l.seq, l.person) AS id, l.account AS user_id, l.status, l.activity_type,
    l.activity_name, {iso("l.at")} AS timestamp
FROM (
    SELECT at, seq, person, status, activity_type, activity_name,
        (SELECT w.account FROM wearers w WHERE w.person = g.person ORDER BY w.at DESC, w.account LIMIT 1) AS account
    FROM presence_log g WHERE {shown}
) AS l WHERE l.account IS NOT NULL"""


def views(dialect: str, *, by_default: bool = True, presence_by_default: bool = False) -> list[tuple[str, str]]:
    """Name and SELECT of each view, in the dialect of a store. `by_default`: who has not chosen is shown;
    `presence_by_default`: so is their status."""
    iso = _ISO[dialect]

    def shown(person: str) -> str:
        return is_shown(person, by_default=by_default)

    return [
        ("users", _users(iso, shown)),
        ("user_aliases", _aliases(shown)),
        ("message_counts", _messages(shown)),
        ("pm_counts", _private(shown)),
        ("population_snapshots", _snapshots(iso)),
        ("media_changes", _media(iso)),
        ("user_activity", _activity(shown)),
        ("emote_usage", _emotes(shown)),
        ("kudos_plusplus", _thanks(shown, phrased=False)),
        ("kudos_phrases", _thanks(shown, phrased=True)),
        ("kudos_trigger_phrases", _PHRASES),
        ("population_watermarks", _watermarks(iso)),
        ("movie_votes", _votes(iso, shown)),
        ("activity_log", _statuses(iso, is_shown("g.person", "presence", by_default=presence_by_default))),
    ]
