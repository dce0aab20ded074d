"""What userstats says of an evening on Discord: every question about everybody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tests.e2e.discord_stage import Stage
from tests.stand_ins.discord_evening import Oracle

PERSONAL: Final = (
    "user.messages", "user.reactions", "user.threads", "user.private_messages", "voice.user", "voice.sessions",
    "presence.user", "presence.activities", "presence.now", "membership.history",
)  # fmt: skip
TIMELESS: Final = ("membership.history", "presence.now", "voice.now", "guild.now")
LONG: Final = ("voice.sessions", "membership.history", "leaderboard.messages", "channel.reactions")
GENERAL: Final = (
    "channel.messages", "channel.reactions", "channel.threads", "voice.channels", "voice.now", "membership.overview",
    "system.coverage", "leaderboard.messages",
)  # fmt: skip
BOARDS: Final = {
    **{f"voice {kind}": ("voice.leaderboard", kind) for kind in ("raw", "active", "social")},
    **{f"reactions {kind}": ("leaderboard.reactions", kind) for kind in ("given", "received")},
}


class Spent(NamedTuple):
    """An evening, and what is said of it."""

    oracle: Oracle
    own: Mapping[str, Mapping[int, Any]]
    """Data by question and person."""
    all: Mapping[str, Any]
    """Data by question, or by board."""
    guilds: list[dict[str, Any]]


async def asked(there: Stage, oracle: Oracle) -> Spent:
    """Every question about everybody."""
    own: dict[str, dict[int, Any]] = {question: {} for question in PERSONAL}
    for question in PERSONAL:
        asking = [there.data(question, username=oracle.names[one.id], **_words(question)) for one in oracle.known]
        own[question] = dict(zip([one.id for one in oracle.known], await asyncio.gather(*asking), strict=True))
    general = {question: await there.data(question, **_words(question)) for question in GENERAL}
    for board, (question, kind) in BOARDS.items():
        general[board] = await there.data(question, kind=kind, limit=500, since="all")
    return Spent(oracle, own, general, await _guilds(there, numbers(oracle)))


def _words(question: str) -> dict[str, Any]:
    timed = {} if question in TIMELESS else {"since": "all"}
    return timed | ({"limit": 500} if question in LONG else {})


async def _guilds(there: Stage, expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The latest numbers of the guilds, once they are as expected or will not be so: they are told with a beat."""
    rows: list[dict[str, Any]] = []

    async def as_expected() -> bool:
        rows[:] = sorted(map(_timeless, await there.data("guild.now")), key=lambda row: str(row["domain"]))
        return rows == expected

    await there.patiently(as_expected, 4.0)
    return rows


def _timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "at"}


def numbers(oracle: Oracle) -> list[dict[str, Any]]:
    """The guilds as they are in the end."""
    found = []
    for home in oracle.town:
        guild = home.guild
        people = [one.user for one in guild.members.values() if not one.user.bot]
        kinds = Counter(channel.kind for channel in guild.channels.values())
        found.append(
            {
                "domain": str(guild.id), "members": len(guild.members),
                "online": sum(one.presence.status != "offline" for one in people),
                "idle": sum(one.presence.status == "idle" for one in people),
                "voice": sum(not state.user.bot for state in guild.voice.values()),
                "threads": sum(where[0] == guild.id for where in oracle.counted.open_threads.elements()),
                "categories": kinds[4], "text": kinds[0], "voice_channels": kinds[2], "stages": kinds[13],
                "forums": kinds[15], "announcements": kinds[5], "not_tracked": [],
            }
        )  # fmt: skip
    return sorted(found, key=lambda row: str(row["domain"]))
