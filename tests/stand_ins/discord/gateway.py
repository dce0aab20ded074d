"""gateway.discord.gg: sessions, and who of them is told what."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from . import arrival, wire
from .connection import INVALID_SESSION, MEMBERS, PRESENCE, Connection
from .intents import KNOWN, PRIVILEGED, needed
from .members import Requests
from .message_payloads import without_content
from .session import Session
from .settings import Json, Settings
from .world import Guild, Message

if TYPE_CHECKING:
    from .site import StandIn


class Gateway:
    """All shards of the one application."""

    def __init__(self, site: StandIn) -> None:
        self.site = site
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.heard: deque[tuple[int, Json]] = deque(maxlen=1000)
        """What clients sent: opcode and data, the newest thousand."""
        self.dispatched: Counter[str] = Counter()
        """How many dispatches of each kind went to sessions."""
        self.identifies = 0
        self.resumes = 0
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, whenever a session begins, resumes or ends."""
        self.withholds_acks = False
        self.refuses = False
        """New connections are answered with 503."""
        self._identified_at = float("-inf")
        self._requests = Requests(self)

    @property
    def settings(self) -> Settings:
        """The site's."""
        return self.site.settings

    # -- telling ------------------------------------------------------------------------------------------------

    def tell(self, event: str, data: Json, guild: Guild | None = None, *, intent: int | None = None) -> None:
        """One dispatch for every session that asked for it. `intent`: needed instead of the usual one."""
        bit = needed(event, direct=guild is None) if intent is None else intent
        encoded: bytes | None = None
        for session in self.listeners(guild, bit):
            if encoded is None:
                encoded = self.encoded(event, data)
            self._dispatch(session, event, encoded)

    def tell_message(self, event: str, data: Json, message: Message) -> None:
        """A message: without its content for sessions that may not read it."""
        guild, me = message.channel.guild, self.site.me
        variants: dict[bool, bytes] = {}
        for session in self.listeners(guild, needed(event, direct=guild is None)):
            if session.reads not in variants:
                told = data if session.reads else without_content(data, message, me.id)
                variants[session.reads] = self.encoded(event, told)
            self._dispatch(session, event, variants[session.reads])

    def tell_each(self, event: str, data: Callable[[Session], Json], guild: Guild | None, intent: int = 0) -> None:
        """A dispatch that depends on what the session asked for."""
        for session in self.listeners(guild, intent):
            self._dispatch(session, event, self.encoded(event, data(session)))

    def to(self, session: Session, event: str, data: Json) -> None:
        """A dispatch for one session."""
        self._dispatch(session, event, self.encoded(event, data))

    def listeners(self, guild: Guild | None, intent: int) -> list[Session]:
        """Sessions that get a guild's (None: direct) events, if they asked for the intent."""
        if guild is not None and (guild.unavailable or self.site.me.id not in guild.members):
            return []
        number = None if guild is None else guild.id
        return [one for one in self.sessions.values() if one.covers(number) and one.asked(intent)]

    def encoded(self, event: str, data: Json) -> bytes:
        """The payload as JSON, judged."""
        self.site.court.dispatch(event, data)
        return wire.encode(data)

    def _dispatch(self, session: Session, event: str, data: bytes) -> None:
        self.dispatched[event] += 1
        session.dispatch(event, data)

    @contextmanager
    def burst(self) -> Iterator[None]:
        """Everything told inside goes out in one write per connection."""
        holding = [connection for connection in self.connections if connection.hold()]
        try:
            yield
        finally:
            for connection in holding:
                connection.release()

    async def drained(self) -> None:
        """Until the sockets took nearly all that was written. A client that reads nothing is not waited for long."""
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        patience = loop.time() + 0.5
        while slow := [one for one in self.connections if one.backlog > one.tolerated]:
            if loop.time() > patience:
                for connection in slow:
                    connection.tolerated = 2 * connection.backlog
            await asyncio.sleep(0.001)

    # -- sessions -----------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint."""
        if self.refuses:
            raise web.HTTPServiceUnavailable
        connection = Connection(self, request)
        self.connections.add(connection)
        try:
            return await connection.serve(request)
        finally:
            self.connections.discard(connection)
            self.wake()

    def identify(self, connection: Connection, body: Json) -> None:
        """Op 2."""
        problem = self._objection(connection, body)
        if problem is not None:
            connection.close(*problem)
            return
        now = asyncio.get_running_loop().time()
        if now < self._identified_at + self.settings.identify_every:
            connection.send(INVALID_SESSION, data=False)
            return
        self._identified_at = now
        self.identifies += 1
        shard, shards = body.get("shard", (0, 1))
        session = Session(shard, shards, body["intents"], body.get("large_threshold", 50))
        self.sessions[session.id] = session
        connection.session, session.connection = session, connection
        self._greet(session, connection)
        self.wake()

    def _objection(self, connection: Connection, body: Json) -> tuple[int, str] | None:
        intents, shard = body.get("intents"), body.get("shard")
        checks = (
            (connection.version != "10", 4012, "Invalid API version."),
            (body.get("token") != self.site.token, 4004, "Authentication failed."),
            (shard is not None and not 0 <= shard[0] < shard[1], 4010, "Invalid shard."),
            (shard is None and self.settings.shards_required, 4011, "Sharding required."),
            (not isinstance(intents, int) or intents & ~KNOWN, 4013, "Invalid intent(s)."),
            (isinstance(intents, int) and intents & PRIVILEGED & ~self.settings.granted, 4014, "Disallowed intent(s)."),
        )
        return next(((code, reason) for wrong, code, reason in checks if wrong), None)

    def _greet(self, session: Session, connection: Connection) -> None:
        me = self.site.me
        guilds = [guild for guild in self.site.world.guilds_of(me) if session.covers(guild.id)]
        url = arrival.GATEWAY if connection.base.scheme == "wss" else str(connection.base)
        self.to(session, "READY", arrival.ready(session, me, self.site.application, guilds, url, self.settings))
        for guild in guilds:
            if not guild.unavailable and session.asked(needed("GUILD_CREATE")):
                self.to(session, "GUILD_CREATE", arrival.guild_create(guild, session, me, self.settings))

    def resume(self, connection: Connection, body: Json) -> None:
        """Op 6: replay, then RESUMED; op 9 false for a session that is not known (any more)."""
        session = self.sessions.get(body.get("session_id", ""))
        if body.get("token") != self.site.token:
            connection.close(4004, "Authentication failed.")
        elif session is None or self._expired(session) or not session.can_resume_at(body["seq"]):
            connection.send(INVALID_SESSION, data=False)
        elif body["seq"] > session.seq:
            connection.close(4007, "Invalid seq.")
        else:
            if session.connection is not None:
                session.connection.abort()
            self.resumes += 1
            connection.session = session
            session.attach(connection, body["seq"])
            self.to(session, "RESUMED", {"_trace": []})
            self.wake()

    def _expired(self, session: Session) -> bool:
        waited = asyncio.get_running_loop().time() - session.detached_at
        if session.connection is None and waited > self.settings.resume_window:
            self.forget(session)
            return True
        return False

    def forget(self, session: Session) -> None:
        """The session is over: what is dispatched from now on is not kept for it."""
        self.sessions.pop(session.id, None)
        self.wake()

    def wake(self) -> None:
        """Those who wait for `changed` look again."""
        self.changed.set()
        self.changed = asyncio.Event()

    def commanded(self, session: Session, op: int, body: Json) -> None:
        """Ops 3, 4 and 8."""
        if op == MEMBERS:
            self._requests.asked(session, body)
        elif op == PRESENCE:
            self.site.membership.bot_presents(body)
        else:
            self.site.voice.bot_moves(body)
