"""The control of a stand-in from another process: JSON over HTTP, on a port of its own.

`POST /control/<verb>` with an object; the answer is `{"ok": true, ...}`, or `{"ok": false, "error": ...}` with 400.
Where an object holds no `room`, the first room of the site is meant. `GET /oracle` says what really happened,
`GET /state` who is inside now.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from . import load
from .actor import Actor
from .frames import Json
from .room import Room
from .site import HOST, StandIn


class Control:
    """Serves one site's control; it stays reachable while the site is frozen or down."""

    def __init__(self, site: StandIn) -> None:
        self.site = site
        self.actors: dict[tuple[str, str], Actor] = {}
        """By room and lower-case name: those that this control let in."""
        self._loads: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> str:
        """Listen; the URL. OSError if the port is taken."""
        app = web.Application()
        app.router.add_post("/control/{verb}", self._control)
        app.router.add_get("/oracle", self._oracle)
        app.router.add_get("/state", self._state)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Loads end where they are."""
        for task in self._loads:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    def oracle(self) -> Json:
        """Every room's count, and how many loads are still at work."""
        rooms = {name: room.report() for name, room in self.site.rooms.items()}
        return {"rooms": rooms, "loads_running": len(self._loads)}

    def room(self, body: Json) -> Room:
        """The one that is meant."""
        name = body.get("room") or next(iter(self.site.rooms), "lobby")
        return self.site.room(name)

    def actor(self, body: Json) -> Actor:
        """The acting person that is meant; not inside yet if it is a new one."""
        room = self.room(body)
        name = str(body["name"])
        return self.actors.setdefault((room.name, name.lower()), Actor(room, name, body.get("rank", 1)))

    def launch(self, room: Room, script: load.Load) -> asyncio.Task[None]:
        """Run a load in the background."""
        task = asyncio.create_task(load.run(room, script), name=f"load of {room.name}")
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)
        return task

    async def _control(self, request: web.Request) -> web.Response:
        verb = _VERBS.get(request.match_info["verb"])
        if verb is None:
            return _refused(f"there is no {request.match_info['verb']}; there are {', '.join(_VERBS)}", status=404)
        try:
            body = await request.json() if request.can_read_body else {}
            return web.json_response({"ok": True, "result": await verb(self, body)})
        except (KeyError, LookupError, RuntimeError, TypeError, json.JSONDecodeError) as error:
            return _refused(f"{type(error).__name__}: {error}")

    async def _oracle(self, _request: web.Request) -> web.Response:
        return web.json_response(self.oracle())

    async def _state(self, _request: web.Request) -> web.Response:
        rooms = {name: [_inside(member) for member in room.members] for name, room in self.site.rooms.items()}
        return web.json_response({"running": self.site.running, "rooms": rooms})


def _inside(member: Json) -> Json:
    return {"name": member.name, "rank": member.rank, "afk": member.afk, "socket": member.is_socket}


def _refused(error: str, status: int = 400) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)


def _rest(body: Json, *without: str) -> Json:
    return {key: value for key, value in body.items() if key not in ("room", *without)}


async def _enter(control: Control, body: Json) -> None:
    await control.actor(body).enter()


async def _leave(control: Control, body: Json) -> None:
    await control.actor(body).leave()


async def _say(control: Control, body: Json) -> int | None:
    return await control.actor(body).say(body["text"])


async def _pm(control: Control, body: Json) -> int | None:
    return await control.actor(body).pm(body["to"], body["text"])


async def _afk(control: Control, body: Json) -> None:
    await control.actor(body).afk(bool(body.get("on", True)))


async def _play(control: Control, body: Json) -> int:
    return await control.room(body).play(**_rest(body))


async def _load(control: Control, body: Json) -> None:
    script = load.SCRIPTS[body.get("script", "chatter")]
    control.launch(control.room(body), script(**_rest(body, "script")))


async def _restart(control: Control, body: Json) -> None:
    await control.site.restart(down=float(body.get("down", 0)), crash=bool(body.get("crash", False)))


def _of_room(method: str) -> Callable[[Control, Json], Awaitable[None]]:
    async def act(control: Control, body: Json) -> None:
        getattr(control.room(body), method)(**_rest(body))

    return act


def _of_site(method: str) -> Callable[[Control, Json], Awaitable[None]]:
    async def act(control: Control, body: Json) -> None:
        getattr(control.site, method)(**_rest(body))

    return act


async def _emote(control: Control, body: Json) -> None:
    control.room(body).emotes.add(**_rest(body))


_VERBS: Final[Mapping[str, Callable[[Control, Json], Awaitable[Json]]]] = {
    "enter": _enter,
    "leave": _leave,
    "say": _say,
    "pm": _pm,
    "afk": _afk,
    "play": _play,
    "emote": _emote,
    "load": _load,
    "restart": _restart,
    **{name: _of_room(name) for name in ("kick", "ban", "mute", "unmute", "grant", "set_options", "move")},
    **{name: _of_room(name) for name in ("clear_chat", "shut_down")},
    **{name: _of_site(name) for name in ("freeze", "thaw", "drop", "black_hole", "announce", "account")},
}
