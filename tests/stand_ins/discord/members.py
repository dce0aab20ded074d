"""Op 8: members of a guild in chunks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from . import payloads
from .intents import Intent
from .settings import Json
from .world import Guild, Member

if TYPE_CHECKING:
    from .gateway import Gateway
    from .session import Session

_MOST: Final = 100
"""Of a search, or of named ids."""


class Requests:
    """Answers requests for members; for all of them only once in a while per guild."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._complete: dict[int, float] = {}
        """When all members were last asked for, by guild."""

    def asked(self, session: Session, body: Json) -> None:
        """Chunks; RATE_LIMITED and silence for a second whole list; silence for what the intents do not allow."""
        guild = self._gateway.site.world.guilds.get(int(body["guild_id"]))
        if guild is None or guild not in self._guilds(session):
            return
        ids = body.get("user_ids")
        query = body.get("query")
        complete = ids is None and query == "" and not body.get("limit")
        if complete and (not session.asked(Intent.GUILD_MEMBERS) or self._too_soon(session, guild, body)):
            return
        found, missing = _found(guild, ids, query, body.get("limit") or 0)
        self._answer(session, guild, body, found, missing)

    def _guilds(self, session: Session) -> list[Guild]:
        site = self._gateway.site
        return [one for one in site.world.guilds_of(site.me) if session.covers(one.id) and not one.unavailable]

    def _too_soon(self, session: Session, guild: Guild, body: Json) -> bool:
        now = asyncio.get_running_loop().time()
        wait = self._complete.get(guild.id, float("-inf")) + self._gateway.settings.members_request_every - now
        if wait <= 0:
            self._complete[guild.id] = now
            return False
        meta = {"guild_id": str(guild.id), **({"nonce": body["nonce"]} if "nonce" in body else {})}
        self._gateway.to(session, "RATE_LIMITED", {"opcode": 8, "retry_after": round(wait, 3), "meta": meta})
        return True

    def _answer(self, session: Session, guild: Guild, body: Json, found: list[Member], missing: list[str]) -> None:
        size = self._gateway.settings.chunk_size
        parts = [found[start : start + size] for start in range(0, len(found), size)] or [[]]
        with_presences = body.get("presences") and session.asked(Intent.GUILD_PRESENCES)
        for index, part in enumerate(parts):
            chunk: Json = {
                "guild_id": str(guild.id),
                "members": [payloads.member(one) for one in part],
                "chunk_index": index,
                "chunk_count": len(parts),
            }
            if missing:
                chunk["not_found"] = missing
            if with_presences:
                chunk["presences"] = [
                    {"user": {"id": str(one.user.id)}, **payloads.status(one.user.presence)}
                    for one in part
                    if one.user.presence.status != "offline"
                ]
            if "nonce" in body:
                chunk["nonce"] = body["nonce"]
            self._gateway.to(session, "GUILD_MEMBERS_CHUNK", chunk)


def _found(guild: Guild, ids: Json, query: str | None, limit: int) -> tuple[list[Member], list[str]]:
    if ids is not None:
        wanted = [int(each) for each in (ids if isinstance(ids, list) else [ids])][:_MOST]
        found = [guild.members[who] for who in wanted if who in guild.members]
        return found, [str(who) for who in wanted if who not in guild.members]
    everybody = list(guild.members.values())
    if not query:
        return everybody[:limit] if limit else everybody, []
    start = query.lower()
    names = [one for one in everybody if (one.nick or one.user.name).lower().startswith(start)]
    return names[: min(limit or _MOST, _MOST)], []
