"""The commands of `kryten.userstats.command`, each answered by questions and told in the shape Kryten knows.

Where kryten-userstats is wrong the numbers are right here, in its shape: names and channels in any case, aliases,
all kudos in `total_kudos`, a board of messages without a channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from . import people, rooms, shapes
from .inquiry import Handler, Inquiry


async def system_ping(ask: Inquiry) -> dict[str, Any]:
    pong = await ask.ask("system.ping")
    return {
        "pong": True, "service": pong.service, "version": pong.version, "uptime_seconds": pong.uptime_seconds,
        "timestamp": ask.now.astimezone().replace(tzinfo=None).isoformat(),
        "metrics_endpoint": ask.world.metrics_endpoint,
    }  # fmt: skip


async def system_health(ask: Inquiry) -> dict[str, Any]:
    return shapes.health(await ask.ask("system.health"))


async def system_stats(ask: Inquiry) -> dict[str, Any]:
    return shapes.totals(await ask.ask("system.stats"))


async def global_stats(ask: Inquiry) -> dict[str, Any]:
    ask.in_default_channel()
    limit = ask.whole("limit", 10)
    top, marks, here = await asyncio.gather(
        rooms.talkers(ask, limit), rooms.marks(ask, rooms.ALL_TIME), rooms.people(ask, 24, "history")
    )
    return {"channel": ask.name, "domain": ask.domain, "top_users": top, "watermarks": marks, "population": here}


async def all_stats(ask: Inquiry) -> dict[str, Any]:
    ask.in_default_channel()
    boards, top, media = ask.limits("leaderboards", 10), ask.limits("top_users", 20), ask.limits("media_history", 15)
    parts = {
        "health": system_health(ask),
        "stats": system_stats(ask),
        "messages": rooms.talkers(ask, boards, everywhere=True),
        "kudos": rooms.thanked(ask, boards),
        "emotes": rooms.emotes(ask, boards),
        "top_users": rooms.talkers(ask, top),
        "population": rooms.people(ask, 24, "history_24h"),
        "watermarks": rooms.marks(ask, rooms.ALL_TIME),
        "media_history": rooms.media(ask, media),
        "movie_votes": rooms.votes(ask),
    }
    told = dict(zip(parts, await asyncio.gather(*parts.values()), strict=True))

    def these(*names: str) -> dict[str, Any]:
        return {name: told[name] for name in names}

    return {
        "domain": ask.domain,
        "system": these("health", "stats"),
        "leaderboards": these("messages", "kudos", "emotes"),
        "channel": these("top_users", "population", "watermarks", "media_history", "movie_votes"),
    }


COMMANDS: Final[Mapping[str, Handler]] = {
    "user.stats": people.user_stats,
    "user.profile": people.user_profile,
    "user.messages": people.user_messages,
    "user.activity": people.user_activity,
    "user.kudos": people.user_kudos,
    "stats.global": global_stats,
    "channel.top_users": rooms.top_users,
    "channel.population": rooms.population,
    "channel.media_history": rooms.media_history,
    "channel.watermarks": rooms.watermarks,
    "channel.movie_votes": rooms.movie_votes,
    "channel.all_stats": all_stats,
    "leaderboard.messages": rooms.message_board,
    "leaderboard.kudos": rooms.kudos_board,
    "leaderboard.emotes": rooms.emote_board,
    "timeseries.messages": rooms.message_series,
    "timeseries.kudos": rooms.kudos_series,
    "system.ping": system_ping,
    "system.health": system_health,
    "system.stats": system_stats,
    "alias.list": people.alias_list,
    "alias.get": people.alias_get,
    "alias.find": people.alias_find,
    "alias.add": people.alias_add,
    "alias.update": people.alias_update,
    "alias.delete": people.alias_delete,
    "alias.resolve": people.alias_resolve,
}
"""Every command of kryten-userstats 0.7.1, and `alias.resolve`."""
