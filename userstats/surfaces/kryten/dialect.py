"""The older dialect: `cytube.query.userstats.<domain>.<noun>.<verb>`, where the domain may hold dots.

The twelve queries that were once documented are answered flat, in the shapes of their documentation; any other of our
questions in our own envelope; and the remaining commands of today's Kryten flat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...contract.subjects import SEED_QUERY
from . import commands, rooms, shapes
from .inquiry import Handler, Inquiry


class Query(NamedTuple):
    """What a subject of the old dialect asks."""

    domain: str
    """Empty: it names none."""
    name: str
    """`noun.verb`"""


def query_of(subject: str) -> Query:
    """The last two tokens are noun and verb, what stands before them is the domain."""
    *domain, noun, verb = ["", "", *subject.removeprefix(SEED_QUERY + ".").split(".")]
    return Query(".".join(filter(None, domain)), f"{noun}.{verb}")


async def _user_stats(ask: Inquiry) -> dict[str, Any]:
    username = ask.text("username")
    told, aliases, card = await asyncio.gather(
        commands.COMMANDS["user.stats"](ask),
        commands.COMMANDS["alias.get"](ask),
        ask.known("user.stats", None, username=username, **ask.everywhere),
    )
    stays = [one for one in card.channels if ask.channel.casefold() in (one.channel, "")] if card else []
    return {
        "username": username,
        "aliases": aliases["aliases"],
        "messages": {ask.spelled(one.channel): one.messages for one in stays if one.messages},
        "pms": told["pms"],
        "activity": {ask.spelled(one.channel): _time(one) for one in stays if one.total_ms},
        "kudos_plusplus": told["kudos_plusplus"],
        "kudos_phrases": told["kudos_phrases"],
        "emotes": told["emotes"],
    }


async def _user_messages(ask: Inquiry) -> dict[str, Any]:
    told = await commands.COMMANDS["user.messages"](ask)
    if ask.channel:
        return {"username": told["username"], "channel": told["channel"], "count": told["message_count"]}
    return {"username": told["username"], "channels": {row["channel"]: row["count"] for row in told["channels"]}}


async def _user_activity(ask: Inquiry) -> dict[str, Any]:
    """In one channel, or in all together."""
    username = ask.text("username")
    stays = await ask.known("user.activity", [], username=username, **ask.everywhere)
    asked = [one for one in stays if ask.channel.casefold() in (one.channel, "")]
    total, active = sum(one.total_ms for one in asked), sum(one.not_afk_ms for one in asked)
    about = {"username": username, **({"channel": ask.name} if ask.channel else {})}
    return {**about, "total_seconds": shapes.seconds(total), "active_seconds": shapes.seconds(active)}


async def _population(ask: Inquiry) -> dict[str, Any]:
    hours = ask.in_channel().whole("hours", 24, rooms.MOST_HOURS)
    told = await rooms.people(ask, hours, "history")
    snapshots = [
        {"timestamp": _zulu(row["timestamp"]), "connected": row["connected_count"], "chatting": row["chat_count"]}
        for row in told["history"]
    ]
    return {"channel": ask.name, "hours": hours, "snapshots": snapshots}


async def _media_history(ask: Inquiry) -> dict[str, Any]:
    played = await rooms.media(ask.in_channel(), ask.whole("limit", 20))
    told = [
        {
            "timestamp": _zulu(row["timestamp"]), "title": row["media_title"], "type": row["media_type"],
            "id": row["media_id"],
        }
        for row in played
    ]  # fmt: skip
    return {"channel": ask.name, "media_history": told}


async def _message_board(ask: Inquiry) -> dict[str, Any]:
    return {"leaderboard": await rooms.talkers(ask, ask.whole("limit", 10))}


async def _system_stats(ask: Inquiry) -> dict[str, Any]:
    totals = await commands.system_stats(ask)
    return {name: totals[name] for name in totals if name not in ("events_processed", "commands_processed")}


def _time(stay: Any) -> dict[str, int]:
    return {"total_seconds": shapes.seconds(stay.total_ms), "active_seconds": shapes.seconds(stay.not_afk_ms)}


def _zulu(iso: str) -> str:
    return iso.replace("+00:00", "Z")


DOCUMENTED: Final[Mapping[str, Handler]] = {
    "user.stats": _user_stats,
    "user.messages": _user_messages,
    "user.activity": _user_activity,
    "user.kudos": commands.COMMANDS["user.kudos"],
    "channel.top_users": commands.COMMANDS["channel.top_users"],
    "channel.population": _population,
    "channel.media_history": _media_history,
    "leaderboard.messages": _message_board,
    "leaderboard.kudos": commands.COMMANDS["leaderboard.kudos"],
    "leaderboard.emotes": commands.COMMANDS["leaderboard.emotes"],
    "system.health": commands.COMMANDS["system.health"],
    "system.stats": _system_stats,
}
"""The queries that were documented."""
