"""A stand-in Discord: discord.com and gateway.discord.gg on loopback ports."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import web

from .actor import Actor
from .building import Building
from .certificates import Certificates
from .commands import Commands
from .court import Court
from .dialling import HOST, Proxy, connector
from .faults import Faults
from .gateway import Gateway
from .interactions import Interactions
from .judge import Judge
from .limits import Limits
from .membership import Membership
from .permissions import BOT
from .record import Record
from .rest import Rest
from .settings import Json, Settings
from .talk import Talk
from .threads import Threads
from .voice import Voice
from .world import Channel, Guild, Member, Message, Overwrite, Role, User, World

_DAY: Final = 86_400_000


class StandIn:
    """`async with StandIn() as site`. Everything runs in the running event loop."""

    def __init__(self, settings: Settings | None = None, *, bot: str = "statsbot") -> None:
        self.settings = settings or Settings()
        self.port = 0
        """Of TLS; 0 until started: the system chooses, and a restart keeps it."""
        self.plain_port = 0
        """Of the same without TLS, as behind a REST proxy."""
        self.world = World(self.settings.clock)
        self.developer = self.world.user("developer")
        self.me = self.world.user(bot, bot=True)
        """The bot's account; its id is the application's too."""
        self.application = self.me.id
        self.token = _token(self.me.id)
        self.record = Record(self.settings.clock)
        self.court = Court(Judge.load() if self.settings.judged else None)
        self.gateway = Gateway(self)
        self.talk = Talk(self)
        self.voice = Voice(self)
        self.membership = Membership(self)
        self.threads = Threads(self)
        self.building = Building(self)
        self.commands = Commands(self)
        self.interactions = Interactions(self)
        self.limits = Limits(self.settings)
        self.faults = Faults(self)
        self.rest = Rest(self)
        self.proxy = Proxy()
        self.uploads: dict[int, bytes] = {}
        """Files the bot sent, by the id of the attachment."""
        self._actors: dict[int, Actor] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="stand-in-discord-")
        self._certificates: Certificates | None = None
        self._runner: web.AppRunner | None = None

    # -- the process --------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self._folder.cleanup()

    async def start(self) -> None:
        """Listen. OSError if a port is taken."""
        app = web.Application(client_max_size=32 << 20)
        app.router.add_get("/", self.gateway.serve)
        self.rest.add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        secure = web.TCPSite(self._runner, HOST, self.port, ssl_context=self.certificates.server)
        plain = web.TCPSite(self._runner, HOST, self.plain_port)
        await secure.start()
        self.port = self._runner.addresses[0][1]
        await plain.start()
        self.plain_port = self._runner.addresses[1][1]
        await self.proxy.start(self.port)

    async def stop(self) -> None:
        """Every connection is reset; sessions stay known, so that they can be resumed after a start."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        self.faults.heal()
        for connection in list(self.gateway.connections):
            connection.abort()
        await self.proxy.stop()
        await runner.cleanup()

    async def restart(self, *, down: float = 0.0) -> None:
        """Stop, stay down for so many seconds, start on the same ports."""
        await self.stop()
        await asyncio.sleep(down)
        await self.start()

    def now(self) -> int:
        """The site's clock in ms."""
        return self.settings.clock()

    # -- how to get here ----------------------------------------------------------------------------------------

    @property
    def certificates(self) -> Certificates:
        """Made when first needed."""
        if self._certificates is None:
            self._certificates = Certificates(Path(self._folder.name))
        return self._certificates

    def connector(self) -> aiohttp.TCPConnector:
        """For `discord.Client(connector=...)` in this process. Each client needs its own."""
        return connector(self.port, self.certificates.client)

    @property
    def environment(self) -> Mapping[str, str]:
        """What another process needs beside `proxy.url`, set before it starts."""
        return {"SSL_CERT_FILE": str(self.certificates.ca_file)}

    @property
    def api_base(self) -> str:
        """REST without TLS, for a configured API base."""
        return f"http://{HOST}:{self.plain_port}/api/v10"

    @property
    def gateway_base(self) -> str:
        """The gateway without TLS."""
        return f"ws://{HOST}:{self.plain_port}/"

    # -- what tests look at -------------------------------------------------------------------------------------

    @property
    def violations(self) -> list[str]:
        """Everything said on either side that Discord's documents do not allow."""
        return self.court.violations

    @property
    def unknown(self) -> list[str]:
        """Fields that Discord's documents do not know."""
        return self.court.unknown

    @property
    def owner(self) -> Actor:
        """The owner of guilds that were made without one."""
        return self.acting(self.developer)

    @property
    def bot(self) -> Actor:
        """The bot as somebody that others act on: give it a role, move it, add it to a thread."""
        return self.acting(self.me)

    async def connected(self, sessions: int = 1, *, within: float = 10.0) -> None:
        """Until so many gateway sessions have a connection. TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while sum(one.connection is not None for one in self.gateway.sessions.values()) < sessions:
                await self.gateway.changed.wait()

    @contextmanager
    def burst(self) -> Iterator[None]:
        """Everything that happens inside reaches each client in one write."""
        with self.gateway.burst():
            yield

    def limit(self, route: str, requests: int, seconds: float) -> None:
        """Limit a REST route from now on: "GET /channels/{channel_id}/messages"."""
        self.limits.rates[route] = (requests, seconds)

    # -- what there is ------------------------------------------------------------------------------------------

    def user(self, name: str, *, global_name: str | None = None, bot: bool = False) -> Actor:
        """The acting user of this name, known or new. A `bot` is somebody else's application."""
        actor = self.acting(self.world.user(name, bot=bot))
        actor.user.global_name = global_name or actor.user.global_name
        return actor

    def acting(self, user: User) -> Actor:
        """The actor behind an account: `site.acting(message.author)`."""
        return self._actors.setdefault(user.id, Actor(self, user))

    def guild(
        self, name: str, *, owner: Actor | None = None, bot: bool = True, permissions: int = BOT, number: int = 0
    ) -> Guild:
        """A new guild, with the bot in it or not. The n-th (from 0) belongs to shard n modulo the shard count."""
        boss = self.developer if owner is None else owner.user
        return self.building.guild(name, owner=boss, with_bot=bot, bot_permissions=permissions, number=number)

    def channel(
        self,
        guild: Guild,
        name: str,
        kind: str = "text",
        *,
        category: Channel | None = None,
        overwrites: Sequence[Overwrite] = (),
        **more: Json,
    ) -> Channel:
        """A new channel: text, voice, stage, forum, announcement, media or category."""
        return self.building.channel(guild, name, kind, category=category, overwrites=overwrites, **more)

    def role(self, guild: Guild, name: str, *, permissions: int = 0, position: int = 1) -> Role:
        """A new role, below the bot's own unless a high `position` is given."""
        return self.building.role(guild, name, permissions=permissions, position=position)

    def enrol(self, guild: Guild, *people: Actor) -> None:
        """Members since long ago; nobody is told."""
        for one in people:
            guild.members[one.id] = Member(one.user, self.now() - 100 * _DAY)

    def populate(self, guild: Guild, count: int, *, name: str = "member") -> list[Actor]:
        """So many enrolled members at once."""
        people = [self.user(f"{name}{number}") for number in range(count)]
        self.enrol(guild, *people)
        return people

    def history(self, channel: Channel, lines: Iterable[tuple[int, Actor, str]]) -> list[Message]:
        """Messages from before (ms, author, text; oldest first), which the gateway never told."""
        told = [self._past(channel, at, actor.user, text) for at, actor, text in lines]
        channel.messages = dict(sorted(channel.messages.items()))
        return told

    def _past(self, channel: Channel, at: int, author: User, text: str) -> Message:
        said = Message(self.world.ids.at(at), channel, author, text, at)
        channel.messages[said.id] = said
        channel.last_message = max(channel.last_message or 0, said.id)
        return said

    def webhook(self, channel: Channel, name: str, text: str) -> Message:
        """A message of an incoming webhook."""
        user = next((one for one in self.world.webhooks.values() if one.name == name), None)
        if user is None:
            user = User(self.world.ids.old(), name, bot=True)
            self.world.webhooks[user.id] = user
        return self.talk.post(channel, user, text, webhook=user.id)

    def automod_alert(self, channel: Channel, offender: Actor, text: str) -> Message:
        """AutoMod reports a blocked message; the offender is the author (type 24)."""
        embed = {"type": "auto_moderation_message", "description": text, "fields": []}
        return self.talk.post(channel, offender.user, "", kind=24, embeds=[embed])

    def unfurl(self, message: Message, title: str = "A page") -> None:
        """A link gets its preview: MESSAGE_UPDATE that is no edit."""
        embed = {"type": "link", "url": "https://example.org/", "title": title}
        self.talk.edit(message, by_author=False, embeds=[*message.embeds, embed])


def _token(number: int) -> str:
    """Shaped like a bot's token."""
    head = base64.b64encode(str(number).encode()).decode().rstrip("=")
    return f"{head}.StandI.secret-of-the-stand-in-0123456789ab"
