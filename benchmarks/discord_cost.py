"""What one dispatch of Discord costs the bridge: CPU from the text of the gateway to the bytes for the outbox."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from discord.gateway import DiscordWebSocket

from bridges.discord.client import StatsClient, silence
from bridges.discord.identify import Turns
from bridges.discord.inbox import Inbox
from bridges.discord.normalise import frame
from bridges.discord.session import Grants, Session
from bridges.discord.settings import Discord
from bridges.text import Lexicon
from userstats.contract import wire
from userstats.contract.events import Place
from userstats.contract.pseudonym import Pseudonyms

GUILD: Final = "1100000000000000000"
CHANNELS: Final = [str(1_100_000_000_000_000_001 + n) for n in range(20)]
PEOPLE: Final = [str(200_000_000_000_000_000 + 7919 * n) for n in range(2_000)]
SAID: Final = (
    "has anybody seen the new trailer? it looks great",
    "yes 😂 <:kappa:345678901234567890>",
    "thanks <@200000000000007919>++ that was kind",
    "I do not think that this is going to work, to be honest, but let us try it anyway and see what comes of it",
    "lol",
    "see https://example.org/watch?v=1 for that",
    "no",
    "who is here tomorrow evening?",
    "wir könnten auch später anfangen",
    "ok then, half past eight",
)
"""About as people write: two of ten with an emote or laughter, one with a link, one with thanks."""


class _Desk:
    """Lends what a runner lends, as far as reading needs it."""

    consents = 0

    def __init__(self) -> None:
        self.pseudonyms = Pseudonyms(b"a key for measuring, thirty-two b")
        self.lexicon = Lexicon(("lol", "rofl", "lmao", "haha", "😂", "🤣", "😆"), frozenset({"kev"}))

    def now(self) -> int:
        return time.time_ns() // 1_000_000


class _Nobody:
    def want(self, guild: str) -> None: ...
    def came(self, guild: str) -> None: ...
    def limited(self, guild: str, seconds: float) -> None: ...


def run(events: int) -> dict[str, Any]:
    """Read this many dispatches of each kind.

    Returns per kind microseconds of CPU for one (`message`, `reaction`, `voice`, `presence`), of which discord.py's
    reading of the JSON is a part, and `grown_mb`: by how much the process grew from the first half to the second.
    """
    return asyncio.run(_measured(events))


async def _measured(events: int) -> dict[str, Any]:
    silence()
    desk = _Desk()
    inbox = Inbox(desk.now, 1_000_000)
    client = StatsClient(Discord(), 0, Grants(), inbox, Turns(0.0))
    session = Session(desk, "bench", Place("discord", "", ""), _Nobody())  # type: ignore[arg-type]
    async with client:
        socket = DiscordWebSocket(_silent(), loop=asyncio.get_running_loop())
        socket._discord_parsers, socket._dispatch = client._connection.parsers, client.dispatch  # noqa: SLF001
        socket.shard_id = 0
        frame(session, "READY", {"user": {"id": "1", "username": "bot"}, "guilds": [{"id": GUILD}]}, desk.now())
        frame(session, "GUILD_CREATE", _guild(), desk.now())
        session.telling.take()
        found: dict[str, Any] = {"events": events}
        for kind, made in (("message", _message), ("reaction", _reaction), ("voice", _voice), ("presence", _presence)):
            halves = [await _read(socket, inbox, session, made, start, events // 2) for start in (0, events // 2)]
            found[kind] = round(min(cost for cost, _ in halves), 1)
            found["grown_mb"] = round(found.get("grown_mb", 0) + halves[1][1] - halves[0][1], 1)
    return found


async def _read(
    socket: DiscordWebSocket, inbox: Inbox, session: Session, made: Callable[[int], Any], start: int, events: int
) -> tuple[float, float]:
    """Microseconds of CPU for each, and the largest size of the process so far in MB."""
    spent = 0.0
    for first in range(start, start + events, 1_000):
        texts = [json.dumps(made(n)) for n in range(first, min(first + 1_000, start + events))]
        began = time.process_time()
        for text in texts:
            await socket.received_message(text)
        for arrived in inbox.read(len(inbox)):
            frame(session, *arrived)
        for observation in session.telling.take():
            for event in observation.events:
                wire.body(event)
        spent += time.process_time() - began
    return spent / events * 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _silent() -> aiohttp.ClientWebSocketResponse:
    """Nothing is sent while reading."""
    return None  # type: ignore[return-value]


def _dispatch(kind: str, n: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"op": 0, "t": kind, "s": n, "d": data}


def _id(n: int) -> str:
    return str(1_300_000_000_000_000_000 + (n << 22))


def _user(n: int) -> dict[str, Any]:
    return {
        "id": PEOPLE[n % len(PEOPLE)], "username": f"person{n % len(PEOPLE)}", "global_name": f"P. {n % len(PEOPLE)}",
        "discriminator": "0", "avatar": "a_0123456789abcdef0123456789abcdef", "public_flags": 64, "flags": 64,
        "avatar_decoration_data": None, "clan": None, "primary_guild": None, "banner": None,
    }  # fmt: skip


def _member() -> dict[str, Any]:
    return {
        "roles": ["1100000000000000101", "1100000000000000102"], "nick": None, "joined_at": "2022-01-01T00:00:00+00:00",
        "premium_since": None, "deaf": False, "mute": False, "flags": 0, "pending": False, "avatar": None,
        "communication_disabled_until": None,
    }  # fmt: skip


def _guild() -> dict[str, Any]:
    channels = [{"id": one, "type": 0, "name": f"channel-{n}", "parent_id": None} for n, one in enumerate(CHANNELS)]
    voice = [{"id": f"{one}0"[:19], "type": 2, "name": f"voice-{n}"} for n, one in enumerate(CHANNELS)]
    members = [{**_member(), "user": _user(n)} for n in range(len(PEOPLE))]
    return {"id": GUILD, "name": "bench", "member_count": len(PEOPLE), "channels": channels + voice, "members": members}


def _message(n: int) -> dict[str, Any]:
    mentions = [{**_user(1), "member": _member()}] if n % len(SAID) == 2 else []
    return _dispatch("MESSAGE_CREATE", n, {
        "id": _id(n), "channel_id": CHANNELS[n % len(CHANNELS)], "guild_id": GUILD, "type": 0, "flags": 0, "tts": False,
        "content": SAID[n % len(SAID)], "timestamp": "2026-11-20T18:00:00.000000+00:00", "edited_timestamp": None,
        "author": _user(n), "member": _member(), "mentions": mentions, "mention_roles": [], "mention_everyone": False,
        "attachments": [], "embeds": [], "components": [], "pinned": False, "nonce": _id(n), "channel_type": 0,
    })  # fmt: skip


def _reaction(n: int) -> dict[str, Any]:
    return _dispatch("MESSAGE_REACTION_ADD", n, {
        "user_id": PEOPLE[n % len(PEOPLE)], "channel_id": CHANNELS[n % len(CHANNELS)], "message_id": _id(n),
        "guild_id": GUILD, "member": {**_member(), "user": _user(n)}, "emoji": {"id": None, "name": "👍"},
        "message_author_id": PEOPLE[0], "burst": False, "type": 0,
    })  # fmt: skip


def _voice(n: int) -> dict[str, Any]:
    return _dispatch("VOICE_STATE_UPDATE", n, {
        "guild_id": GUILD, "channel_id": f"{CHANNELS[n // len(PEOPLE) % len(CHANNELS)]}0"[:19],
        "user_id": PEOPLE[n % len(PEOPLE)], "member": {**_member(), "user": _user(n)}, "session_id": f"{n:032x}",
        "deaf": False, "mute": False, "self_deaf": False, "self_mute": n % 3 == 0, "self_video": False,
        "suppress": False, "request_to_speak_timestamp": None,
    })  # fmt: skip


def _presence(n: int) -> dict[str, Any]:
    return _dispatch("PRESENCE_UPDATE", n, {
        "user": {"id": PEOPLE[n % len(PEOPLE)]}, "guild_id": GUILD, "status": ("online", "idle", "dnd")[n % 3],
        "client_status": {"desktop": "online"},
        "activities": [{"id": "x", "name": "Chess", "type": 0, "created_at": 1700000000000}],
    })  # fmt: skip
