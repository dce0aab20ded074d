"""One socket: what it sends is understood here, and what it is told goes out in order."""

from __future__ import annotations

import asyncio
import enum
import re
from typing import TYPE_CHECKING, Any, Final

from . import entrance, requests
from .accounts import LoginError
from .entrance import Answer
from .frames import Frame, Json
from .member import Member, plain

if TYPE_CHECKING:
    from .hall import Hall
    from .site import StandIn

CHANNEL: Final = re.compile(r"[\w-]{1,30}", re.ASCII)


class _Last(enum.Enum):
    DISCONNECT = "disconnect"
    """Socket.IO's disconnect packet: the client sees "server disconnect"."""
    CLOSE = "close"
    """Only the transport ends: the client sees "transport error"."""


class Connection:
    """A Socket.IO session of the default namespace. `server` is the python-socketio AsyncServer."""

    def __init__(self, site: StandIn, server: Any, sid: str, eio_sid: str, ip: str) -> None:
        self._site = site
        self._server = server
        self.sid = sid
        self.eio_sid = eio_sid
        self.ports: set[int] = set()
        """Local ports of the TCP connections that carried it, as the cable knows them."""
        self._out: asyncio.Queue[str | _Last] = asyncio.Queue()
        self.member = Member(deliver=self.deliver, hang_up=self.hang_up, ip=ip, is_socket=True)
        self.member.aliases = list(site.aliases.get(ip, ()))
        self.room: Hall | None = None
        """The one it asked to join."""
        self._answer: Answer | None = None
        self._asked = False
        self._logging_in = False
        self._ended = False
        self._tokens = requests.Bucket(site.settings.chat_burst)
        self._pump = asyncio.create_task(self._send_all(), name=f"stand-in socket {sid}")

    @property
    def room_joined(self) -> Hall | None:
        """The room it is inside of, if it is."""
        return self.room if self.member.inside else None

    # -- outwards -----------------------------------------------------------------------------------------------

    def deliver(self, frame: Frame) -> None:
        """Behind everything delivered before."""
        if not self._ended:
            self._out.put_nowait(frame.text)

    def hang_up(self) -> None:
        """Disconnect as the server does, once everything before is out."""
        self._end(_Last.DISCONNECT)

    def close(self) -> None:
        """End only the transport, once everything before is out."""
        self._end(_Last.CLOSE)

    def _end(self, how: _Last) -> None:
        if not self._ended:
            self._ended = True
            self._out.put_nowait(how)

    async def flushed(self) -> None:
        """Everything delivered so far was handed to the transport."""
        await self._out.join()

    def gone(self) -> None:
        """The socket is lost: out of the room, nothing is sent any more."""
        self._ended = True
        self._pump.cancel()
        while not self._out.empty():
            self._out.get_nowait()
            self._out.task_done()
        if self.room is not None:
            self.room.part(self.member)

    async def _send_all(self) -> None:
        while True:
            text = await self._out.get()
            try:
                await self._send_one(text)
            finally:
                self._out.task_done()

    async def _send_one(self, text: str | _Last) -> None:
        if isinstance(text, str):
            await self._server.eio.send(self.eio_sid, text)
        elif text is _Last.DISCONNECT:
            await self._server.disconnect(self.sid)
        else:
            await self._site.close_transport(self)

    # -- inwards ------------------------------------------------------------------------------------------------

    def greet(self, cookie_name: str | None) -> None:
        """What a new socket is told unasked."""
        if cookie_name is None:
            self.member.send("rank", -1)
            return
        account = self._site.accounts.known[cookie_name.lower()]
        self._become(account.name, account.global_rank, registered=True)
        self.member.send("login", {"success": True, "name": account.name, "guest": False})
        self.member.send("rank", plain(account.global_rank))

    def hear(self, event: str, *args: Json) -> None:
        """One frame from the client. Unknown ones are ignored, as the server does."""
        if self._ended:
            return
        data = args[0] if args else None
        if event == "joinChannel":
            self._ask_to_join(data)
        elif event == "login":
            self._ask_to_login(data)
        elif event == "channelPassword":
            self._try_password(data)
        elif self.room is not None and self.member.inside:
            requests.handle(self.room, self.member, self._tokens, event, data)

    def _ask_to_join(self, data: Json) -> None:
        if self._asked:
            return
        self._asked = True
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            return
        name = data["name"].lower()
        if not CHANNEL.fullmatch(name):
            text = (
                "Invalid channel name.  Channel names may consist of 1-30 characters in the set a-z, A-Z, 0-9, -, and _"
            )
            self.member.send("errorMsg", {"msg": text})
            self.member.kick("Invalid channel name")
            return
        if name in self._site.moved:
            text = (
                f"Channel '{name}' is hosted on another server.  Try refreshing the page to update the connection URL."
            )
            self.member.send("errorMsg", {"msg": text})
            return
        self.room = self._site.visited(name)
        password = data.get("pw") if isinstance(data.get("pw"), str) else None
        asyncio.get_running_loop().call_later(self._site.settings.join_takes, self._knock, password)

    def _knock(self, password: str | None) -> None:
        if self._ended or self.room is None:
            return
        if self.room.recording is not None:
            self._answer = Answer.IN
            self.room.recording.play_to(self.room, self)
            return
        self._answer = entrance.knock(self.room, self.member, password)

    def _try_password(self, data: Json) -> None:
        if self._answer is not Answer.PASSWORD or self.room is None or not isinstance(data, str):
            return
        if data != self.room.options["password"]:
            self.member.send("needPassword", True)
            return
        self.member.send("cancelNeedPassword")
        self._answer = Answer.IN
        entrance.walk_in(self.room, self.member)
        if self.member.registered:
            self.member.send("listPlaylists", [])

    # -- logging in ---------------------------------------------------------------------------------------------

    def _ask_to_login(self, data: Json) -> None:
        if not isinstance(data, dict):
            self.member.send("errorMsg", {"msg": "Invalid login frame"})
            return
        name, password = data.get("name"), data.get("pw")
        if not isinstance(name, str) or self._logging_in or self.member.name:
            return
        self._logging_in = True
        settings = self._site.settings
        loop = asyncio.get_running_loop()
        if isinstance(password, str) and password:
            loop.call_later(settings.account_login_takes, self._login_account, name, password)
        else:
            loop.call_later(settings.guest_login_takes, self._login_guest, name)

    def _login_guest(self, name: str) -> None:
        self._logging_in = False
        if self._ended:
            return
        try:
            self._site.accounts.guest(name, self.member.ip, self.room_joined)
        except LoginError as refused:
            self.member.send("login", {"success": False, "error": str(refused)})
            return
        self._become(name, 0, registered=False)
        self.member.send("rank", 0)
        self.member.send("login", {"success": True, "name": name, "guest": True})
        self._after_login()

    def _login_account(self, name: str, password: str) -> None:
        self._logging_in = False
        if self._ended:
            return
        try:
            account = self._site.accounts.verified(name, password)
        except LoginError as refused:
            self.member.send("login", {"success": False, "error": str(refused)})
            return
        self._become(account.name, account.global_rank, registered=True)
        self.member.send("rank", plain(account.global_rank))
        self.member.send("login", {"success": True, "name": account.name})
        self._after_login()

    def _become(self, name: str, rank: float, *, registered: bool) -> None:
        self.member.name = name
        self._site.aliases.setdefault(self.member.ip, {})[name] = None
        self.member.registered = registered
        self.member.global_rank = self.member.rank = rank

    def _after_login(self) -> None:
        room, member = self.room, self.member
        if room is None:
            return
        if member.inside:
            entrance.name_appears(room, member)
        elif self._answer is Answer.NAME:
            self._answer = entrance.knock(room, member, None)
        if member.registered and (member.inside or self._answer is Answer.PASSWORD):
            asyncio.get_running_loop().call_later(self._site.settings.rank_takes, self._rank_known)

    def _rank_known(self) -> None:
        room, member = self.room, self.member
        if self._ended or room is None:
            return
        if member.inside:
            entrance.rank_appears(room, member)
        elif self._answer is Answer.PASSWORD and entrance.let_in_by_rank(room, member):
            self._answer = Answer.IN
