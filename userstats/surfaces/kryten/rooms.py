"""The commands about rooms: who talks there, how many are there, what plays, and the boards and series of a site."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from . import shapes
from .inquiry import MOST, Inquiry, NotAnswered

UTC_TIMES: Final = {"tz": "UTC"}
ALL_TIME: Final = {"since": "all"}
MOST_HOURS: Final = 24 * 366
_MOST_PAGES: Final = 9
"""Of snapshots: what fits a message."""
_MOST_KUDOS_HOURS: Final = 24 * 7


async def top_users(ask: Inquiry) -> dict[str, Any]:
    return {"channel": ask.in_channel().name, "top_users": await talkers(ask, ask.whole("limit", 10))}


async def population(ask: Inquiry) -> dict[str, Any]:
    hours = ask.in_channel().whole("hours", 24, MOST_HOURS)
    return {"channel": ask.name, **await people(ask, hours, "history")}


async def media_history(ask: Inquiry) -> dict[str, Any]:
    return {"channel": ask.in_channel().name, "history": await media(ask, ask.whole("limit", 50))}


async def watermarks(ask: Inquiry) -> dict[str, Any]:
    ask.in_channel()
    days = ask.whole("days", 0, 3660)
    return await marks(ask, {"days": days} if days else ALL_TIME)


async def movie_votes(ask: Inquiry) -> Any:
    ask.in_channel()
    title = ask.optional("media_title")
    if title is None:
        return await votes(ask)
    found = await ask.known("channel.votes", [], title=title, **ask.where)
    return shapes.votes(found[0]) if found else None


async def message_board(ask: Inquiry) -> dict[str, Any]:
    return {"channel": ask.name or None, "leaderboard": await talkers(ask, ask.whole("limit", 10))}


async def kudos_board(ask: Inquiry) -> dict[str, Any]:
    return {"leaderboard": await thanked(ask, ask.whole("limit", 10))}


async def emote_board(ask: Inquiry) -> dict[str, Any]:
    return {"leaderboard": await emotes(ask, ask.whole("limit", 10))}


async def message_series(ask: Inquiry) -> dict[str, Any]:
    """As in Kryten it is not of messages: how many people were not AFK, by hour (UTC), oldest first."""
    start, end = _between(ask.in_channel())
    snapshots = await _snapshots(ask, {"from": start.isoformat(), "to": end.isoformat()}) if start < end else []
    return {"channel": ask.name, "data": shapes.hourly(snapshots)}


async def kudos_series(ask: Inquiry) -> dict[str, Any]:
    """Thanks by hour (UTC), oldest first; hours without any are left out. At most a week."""
    start, end = _between(ask)
    end = min(end, ask.now)
    start = max(start, end - timedelta(hours=_MOST_KUDOS_HOURS))
    rows = []
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        until = min(hour + timedelta(hours=1), end)
        within = {"from": max(hour, start).isoformat(), "to": until.isoformat(), **ask.where}
        verdicts = await ask.known("kudos.verdicts", [], **within)
        counted = sum(one.count for one in verdicts if one.verdict == "counted")
        if counted:
            rows.append({"hour": shapes.hour(hour), "kudos_count": counted})
        hour += timedelta(hours=1)
    return {"data": rows}


async def talkers(ask: Inquiry, limit: int, *, everywhere: bool = False) -> list[Any]:
    where = ask.everywhere if everywhere else ask.where
    return shapes.board(await ask.known("leaderboard.messages", [], limit=limit, **ALL_TIME, **where))


async def thanked(ask: Inquiry, limit: int) -> list[Any]:
    return shapes.board(await ask.known("leaderboard.kudos", [], limit=limit, **ALL_TIME, **ask.everywhere))


async def emotes(ask: Inquiry, limit: int) -> list[Any]:
    more = min(MOST, limit * 2 + 20)  # emotes that differ in capitals are one here
    used = await ask.known("leaderboard.emotes", [], limit=more, **ALL_TIME, **ask.everywhere)
    return shapes.emotes(used, limit)


async def media(ask: Inquiry, limit: int) -> list[Any]:
    played = await ask.known("channel.media", [], limit=limit, **UTC_TIMES, **ask.where)
    return [shapes.play(one) for one in played]


async def votes(ask: Inquiry) -> list[Any]:
    found = await ask.known("channel.votes", [], limit=MOST, **UTC_TIMES, **ask.where)
    return [shapes.vote_row(one) for one in found]


async def marks(ask: Inquiry, period: Mapping[str, Any]) -> dict[str, Any]:
    found = await ask.known("channel.watermarks", [], **UTC_TIMES, **period, **ask.where)
    high, low = (found[0].high, found[0].low) if found else (None, None)
    return {"high": shapes.mark(high), "low": shapes.mark(low)}


async def people(ask: Inquiry, hours: int, history: str) -> dict[str, Any]:
    """The latest count, and the snapshots of so many hours, newest first."""
    now, snapshots = await asyncio.gather(
        ask.known("channel.now", [], **UTC_TIMES, **ask.where), _snapshots(ask, ask.since(hours))
    )
    newest = now[0] if now else snapshots[0] if snapshots else None
    current = None if newest is None else shapes.snapshot(newest)
    return {"current": current, history: [shapes.snapshot(one) for one in snapshots]}


async def _snapshots(ask: Inquiry, period: Mapping[str, str]) -> list[Any]:
    """Every snapshot of a period, newest first."""
    found: list[Any] = []
    asked = dict(period)
    for _ in range(_MOST_PAGES):
        page = await ask.known("channel.population", [], limit=MOST, **UTC_TIMES, **asked, **ask.where)
        found += reversed(page)
        if len(page) < MOST or page[0].at == asked.get("from"):
            break
        asked["to"] = page[0].at
    return found


def _between(ask: Inquiry) -> tuple[datetime, datetime]:
    """The period of a series: from start_time (default: a day before the end) to end_time (default: now)."""
    start, end = ask.optional("start_time"), ask.optional("end_time")
    until = _moment(end, "end_time") if end else ask.now
    return (_moment(start, "start_time") if start else until - timedelta(days=1)), until


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotAnswered(f"{name} must be a time like 2026-11-20T18:00:00+00:00") from error
