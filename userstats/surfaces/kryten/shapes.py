"""What questions answer, in the shapes in which Kryten's world expects it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]


def seconds(milliseconds: int) -> int:
    """Whole seconds."""
    return milliseconds // 1000


def emote_name(emote: str) -> str:
    """An emote as Kryten writes it: in lower case, without `#`."""
    return emote.lower().removeprefix("#")


def emotes(used: Iterable[Any], limit: int | None = None) -> list[Row]:
    """Uses of emotes, most first; those that Kryten writes alike are one."""
    sums: dict[str, int] = {}
    for one in used:
        name = emote_name(one.emote)
        sums[name] = sums.get(name, 0) + one.count
    ordered = sorted(sums.items(), key=lambda row: (-row[1], row[0]))
    return [{"emote": name, "count": count} for name, count in ordered[:limit]]


def board(rows: Iterable[Any]) -> list[Row]:
    """A board of people."""
    return [{"username": row.username, "count": row.count} for row in rows]


def phrases(said: Iterable[Any]) -> list[Row]:
    """Phrases of thanks."""
    return [{"phrase": one.phrase, "count": one.count} for one in said]


def activity(stay: Any) -> Row:
    """The time somebody spent in one channel."""
    return {"total_time_seconds": seconds(stay.total_ms), "not_afk_time_seconds": seconds(stay.not_afk_ms)}


def snapshot(population: Any) -> Row:
    """How many were in a channel. Where it was not told how many are connected, those with a name are."""
    connected = population.named if population.connected is None else population.connected
    return {"timestamp": population.at, "connected_count": connected, "chat_count": population.not_afk}


def mark(found: Any) -> Row | None:
    """A highest or lowest population."""
    if found is None:
        return None
    return {"timestamp": found.at, "total_users": found.total_users, "chat_users": found.chat_users}


def play(one: Any) -> Row:
    """A medium that played."""
    return {
        "timestamp": one.at, "media_title": one.title, "media_type": one.media_type, "media_id": one.media_id,
    }  # fmt: skip


def votes(one: Any) -> Row:
    """The votes on a title."""
    return {
        "media_title": one.title, "media_type": one.media_type, "media_id": one.media_id, "upvotes": one.up,
        "downvotes": one.down, "total_votes": one.total, "score": one.score,
    }  # fmt: skip


def vote_row(one: Any) -> Row:
    """The same, in a list."""
    return {**votes(one), "last_vote": one.last_vote}


def hourly(populations: Iterable[Any]) -> list[Row]:
    """The mean number of people who are not AFK, by hour (UTC), oldest first."""
    hours: dict[str, list[int]] = {}
    for one in populations:
        hours.setdefault(hour(datetime.fromisoformat(one.at)), []).append(one.not_afk)
    return [
        {"hour": at, "avg_active_users": round(sum(numbers) / len(numbers), 2)} for at, numbers in sorted(hours.items())
    ]


def hour(moment: datetime) -> str:
    """The hour in which a moment lies, as Kryten writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:00:00")


def aliases(listed: Iterable[Any]) -> Row:
    """Everybody's aliases; in lower case, as Kryten keeps them."""
    owners = {one.username: lowered(one.aliases) for one in listed}
    return {"aliases": owners, "total_users": len(owners), "total_aliases": sum(map(len, owners.values()))}


def lowered(names: Iterable[str]) -> list[str]:
    """Names in lower case, in their order."""
    return sorted({name.lower() for name in names})


def health(state: Any) -> Row:
    """How the service is. Kryten knows no `degraded`: a service that is catching up is healthy there."""
    return {
        "service": state.service, "status": "unhealthy" if state.status == "unhealthy" else "healthy",
        "uptime_seconds": state.uptime_seconds, "database_connected": state.database_connected,
        "nats_connected": state.nats_connected,
    }  # fmt: skip


_TOTALS = (
    "total_users", "total_messages", "total_pms", "total_kudos", "total_emotes", "total_media_changes",
    "events_processed", "commands_processed", "active_sessions",
)  # fmt: skip


def totals(stats: Any) -> Row:
    """What was counted; `total_kudos` are all of them."""
    return {name: getattr(stats, name) for name in _TOTALS}


def by_channel(stays: Iterable[Any], names: Mapping[str, str]) -> list[Row]:
    """Messages by channel, most first, channels as their rooms are named."""
    return [
        {"channel": names.get(stay.channel, stay.channel), "count": stay.messages} for stay in stays if stay.messages
    ]


def activity_by_channel(stays: Iterable[Any], names: Mapping[str, str]) -> list[Row]:
    """Time by channel, channels as their rooms are named."""
    return [{"channel": names.get(stay.channel, stay.channel), **activity(stay)} for stay in stays if stay.total_ms]
