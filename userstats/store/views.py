"""The tables of kryten-userstats as views, so that SQL written for them runs as it is, on both databases.

Names are the latest ones, `channel` is as the platform spells it in addresses (CyTube: lower case), timestamps are ISO
text in UTC, times are whole seconds and include what lasts now. Thanks are those that count: to somebody known, under
the owner's name, and not to oneself. Bots are no users. The numbers in `id` are of this moment only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .meant import counted, label

Iso = Callable[[str], str]
"""SQL for a column of milliseconds: ISO text in UTC, `2026-11-20T11:59:03.032+00:00`."""

_ISO: Final[dict[str, Iso]] = {
    "sqlite": lambda ms: f"STRFTIME('%Y-%m-%dT%H:%M:%f', {ms} / 1000.0, 'unixepoch') || '+00:00'",
    "postgres": lambda ms: (
        f"TO_CHAR(TO_TIMESTAMP({ms} / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') || '+00:00'"
    ),
}
_DAY_MS: Final = 86_400_000
_BOTS: Final = "(SELECT person FROM wearers WHERE bot = 1)"
_WHERE: Final = "p.channel, p.space AS domain"


def _users(iso: Iso) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY s.first_at, s.person) AS id, {label("s.person")} AS username,
    {iso("s.first_at")} AS first_seen_at, {iso("s.last_at")} AS last_seen_at
FROM (
    SELECT person, MIN(first_at) AS first_at, MAX(last_at) AS last_at FROM sightings
    WHERE person NOT IN {_BOTS} GROUP BY person
) AS s"""


_ALIASES: Final = """
SELECT ROW_NUMBER() OVER (ORDER BY a.at, a.alias) AS id, o.name AS username, n.name AS alias
FROM aliases a JOIN names o ON o.name_key = a.owner JOIN names n ON n.name_key = a.alias WHERE a.owner > 0"""


_MESSAGES: Final = f"""
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.person) AS id, {label("t.person")} AS username, {_WHERE},
    t.messages AS message_count
FROM person_totals t JOIN places p ON p.place = t.place WHERE t.messages > 0"""

_PRIVATE: Final = f"""
SELECT ROW_NUMBER() OVER (ORDER BY person) AS id, {label("t.person")} AS username, private_messages AS pm_count
FROM everyone_totals t WHERE private_messages > 0"""


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


_ACTIVITY: Final = f"""
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.person) AS id, {label("t.person")} AS username, {_WHERE},
    t.present / 1000 AS total_time_seconds, (t.present - t.afk) / 1000 AS not_afk_time_seconds
FROM (
    SELECT place, person, CAST(SUM(present) AS BIGINT) AS present, CAST(SUM(afk) AS BIGINT) AS afk FROM (
        SELECT place, person, present_ms AS present, afk_ms AS afk FROM person_totals
        UNION ALL
        SELECT s.place, s.person, CASE WHEN s.span = 'present' THEN w.seen_until - s.since ELSE 0 END,
            CASE WHEN s.span = 'afk' THEN w.seen_until - s.since ELSE 0 END
        FROM open_spans s JOIN watches w ON w.place = s.place WHERE s.since < w.seen_until
    ) AS parts GROUP BY place, person
) AS t JOIN places p ON p.place = t.place WHERE t.present > 0 AND t.person NOT IN {_BOTS}"""

_EMOTES: Final = f"""
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.person, t.emote) AS id, {label("t.person")} AS username, {_WHERE},
    t.emote, t.usage_count
FROM (
    SELECT place, person, LOWER(LTRIM(emote, '#')) AS emote, CAST(SUM(uses) AS BIGINT) AS usage_count
    FROM emotes_totals GROUP BY place, person, LOWER(LTRIM(emote, '#'))
) AS t JOIN places p ON p.place = t.place"""


_THANKS: Final = f"""
WITH {counted("SELECT place, giver, who, token, times, plusplus FROM kudos_totals WHERE times > 0")}
SELECT ROW_NUMBER() OVER (ORDER BY t.place, t.receiver{{order}}) AS id,
    CASE WHEN t.unworn = 1 THEN (SELECT name FROM names WHERE name_key = t.receiver) ELSE {label("t.receiver")} END
        AS username, {_WHERE},{{phrase}} t.kudos_count
FROM (
    SELECT receiver, unworn, place{{by}}, CAST(SUM(times) AS BIGINT) AS kudos_count
    FROM counted WHERE token {{test}} '++' GROUP BY receiver, unworn, place{{by}}
) AS t JOIN places p ON p.place = t.place"""
_PLUSPLUS: Final = _THANKS.format(order="", phrase="", by="", test="=")
_PHRASED: Final = _THANKS.format(order=", t.token", phrase=" t.token AS phrase,", by=", token", test="<>")

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


def _votes(iso: Iso) -> str:
    return f"""
SELECT ROW_NUMBER() OVER (ORDER BY v.at, v.place, v.person) AS id, {_WHERE}, v.title AS media_title,
    t.media_type, t.media_id, {label("v.person")} AS username, v.vote, {iso("v.at")} AS timestamp
FROM votes v JOIN places p ON p.place = v.place LEFT JOIN voted_titles t ON t.place = v.place AND t.title = v.title"""


def views(dialect: str) -> list[tuple[str, str]]:
    """Name and SELECT of each view, in the dialect of a store."""
    iso = _ISO[dialect]
    return [
        ("users", _users(iso)),
        ("user_aliases", _ALIASES),
        ("message_counts", _MESSAGES),
        ("pm_counts", _PRIVATE),
        ("population_snapshots", _snapshots(iso)),
        ("media_changes", _media(iso)),
        ("user_activity", _ACTIVITY),
        ("emote_usage", _EMOTES),
        ("kudos_plusplus", _PLUSPLUS),
        ("kudos_phrases", _PHRASED),
        ("kudos_trigger_phrases", _PHRASES),
        ("population_watermarks", _watermarks(iso)),
        ("movie_votes", _votes(iso)),
    ]
