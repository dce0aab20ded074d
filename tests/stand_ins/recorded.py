"""Recorded scenarios acted again: what the recorded clients sent is sent to a stand-in, and what they heard compared.

A recording's frames in order: `@connect` opens a socket, `out` frames are sent, a client's own `@disconnect` closes
it. Before each step everybody waits for as many frames as the recording has up to there. What a recording leaves out
(a file keeps only some events of some clients) is left out of what was heard as well.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import socketio

from .cytube import Settings, StandIn
from .cytube.frames import Json

FRAMES = Path(__file__).parents[2].parent / "shared" / "reference" / "cytube_frames"
Heard = tuple[str, list[Json]]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A part of a recorded file."""

    file: str
    channel: str = "bridgetest"
    present: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Clients that are inside before the recording starts, in order, with their names ("" anonymous)."""
    until: str = ""
    """The mark (its beginning) where the part ends."""
    silent: Collection[str] = ()
    """Events that are not compared."""
    same_address: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Clients that came from another client's address; everybody else has an own one."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What is unlike `Settings` at the stand-in."""
    password: str = ""
    """Of the channel."""
    other_passwords: Collection[str] = ()
    """Accounts whose password the recording got wrong."""


class Cast:
    """The clients of a scenario."""

    def __init__(self, site: StandIn, scenario: Scenario, lines: list[Json]) -> None:
        self._site = site
        self._scenario = scenario
        self._sockets: dict[str, Any] = {}
        self.heard: dict[str, list[Heard]] = {}
        recorded: dict[str, set[str]] = {}
        for line in lines:
            if line["dir"] == "in":
                recorded.setdefault(line["client"], set()).add(line["event"])
        self._recorded = recorded
        self._came = asyncio.Event()

    async def come_in(self, client: str, name: str) -> None:
        """Somebody who is inside before the recording starts: joins, logs in, and nothing of it counts."""
        await self.connect(client)
        joined = {"name": self._scenario.channel}
        password = self._site.room(self._scenario.channel).options["password"]
        room = self._site.room(self._scenario.channel)
        inside = len(room.members)
        await self.send(client, "joinChannel", {**joined, "pw": password} if password else joined)
        credentials = {"name": name, "pw": "***"} if name.lower() in self._site.accounts.known else {"name": name}
        while len(room.members) == inside:
            await room.changed.wait()
        if name:
            await self.send(client, "login", credentials)
            await self._site.joined(name, self._scenario.channel)
        await asyncio.sleep(0.03)

    async def connect(self, client: str, cookie: str | None = None) -> None:
        """A new socket of the client."""
        socket = socketio.AsyncClient(reconnection=False)
        heard = self.heard.setdefault(client, [])
        socket.on("*", lambda event, *args: self._note(client, heard, event, list(args)))
        headers = {"X-Forwarded-For": self._scenario.same_address.get(client, client)}
        if cookie:
            headers["Cookie"] = cookie
        await socket.connect(self._site.url, transports=["websocket"], headers=headers)
        self._sockets[client] = socket

    async def send(self, client: str, event: str, *args: Json) -> None:
        """One frame of the client, if it is still connected."""
        if self._sockets[client].connected:
            await self._sockets[client].emit(event, args)

    async def leave(self, client: str) -> None:
        """The client closes its socket."""
        await self._sockets[client].disconnect()

    async def everybody_leaves(self) -> None:
        """The scenario is over."""
        for socket in self._sockets.values():
            await socket.disconnect()

    async def until_heard(self, counts: Mapping[str, int]) -> None:
        """Until each client heard so many frames, but not for ever: the comparison says what is missing."""
        try:
            async with asyncio.timeout(1):
                while any(len(self.heard.get(client, ())) < count for client, count in counts.items()):
                    await self._came.wait()
                    self._came.clear()
        except TimeoutError:
            return

    def _note(self, client: str, heard: list[Heard], event: str, args: list[Json]) -> None:
        if event in self._recorded.get(client, ()) and event not in self._scenario.silent:
            heard.append((event, steady(args)))
            self._came.set()


def stage(scenario: Scenario) -> StandIn:
    """A site as the recorded one was: the same accounts and ranks. Every recorded password is written ***."""
    site = StandIn(Settings(**{"usercount_every": 1000, "chat_burst": 20, **scenario.settings}))
    room = site.room(scenario.channel)
    ranks = {"BridgeBot": 3, "ChanBoss": 5, "ModMona": 2, "Viewer_Vic": 1, "xX-oddCASE_Xx": 1}
    for name, rank in ranks.items():
        site.account(name, "***")
        room.ranks[name.lower()] = rank
    site.account("SiteRoot", "***", global_rank=255)
    room.set_options(pagetitle=scenario.channel, password=scenario.password)
    return site


async def act(site: StandIn, scenario: Scenario) -> dict[str, list[Heard]]:
    """Act the scenario; what each client heard."""
    lines = read(scenario)
    cast = Cast(site, scenario, lines)
    for client, name in scenario.present.items():
        await cast.come_in(client, name)
    for heard in cast.heard.values():
        heard.clear()
    for name in scenario.other_passwords:
        site.account(name, "another")
    counts: dict[str, int] = {}
    for number, line in enumerate(lines):
        client = line["client"]
        if line["dir"] == "in":
            counts[client] = counts.get(client, 0) + compared(scenario, line)
        elif line["dir"] in ("out", "meta"):
            if not _at_once(lines, number):
                await cast.until_heard(counts)
                await asyncio.sleep(0.005)
            await _step(site, cast, line, _cookie(lines, number))
    await cast.until_heard(counts)
    await asyncio.sleep(0.02)
    everything = {client: list(heard) for client, heard in cast.heard.items() if heard}
    await cast.everybody_leaves()
    return everything


async def _step(site: StandIn, cast: Cast, line: Json, cookie: str | None) -> None:
    client = line["client"]
    if line["dir"] == "out":
        await cast.send(client, line["event"], *line["args"])
    elif line["event"] == "@connect":
        await cast.connect(client, site.cookie(cookie) if cookie else None)
    elif line["event"] == "@disconnect" and line["args"] == ["client disconnect"]:
        await cast.leave(client)


def read(scenario: Scenario) -> list[Json]:
    """The lines of the scenario's part."""
    lines: list[Json] = []
    for text in (FRAMES / scenario.file).read_text("utf-8").splitlines():
        line = json.loads(text)
        if scenario.until and line["dir"] == "mark" and line["args"][0].startswith(scenario.until):
            break
        lines.append(line)
    return lines


def recorded(scenario: Scenario) -> dict[str, list[Heard]]:
    """What each client heard in the recording."""
    heard: dict[str, list[Heard]] = {}
    for line in read(scenario):
        if line["dir"] == "in" and compared(scenario, line):
            heard.setdefault(line["client"], []).append((line["event"], steady(line["args"])))
    return heard


def compared(scenario: Scenario, line: Json) -> bool:
    """Whether an `in` line counts."""
    return line["event"] not in scenario.silent


def steady(value: Json) -> Json:
    """The value without what differs from run to run: times, addresses, the rest of cloaked ones."""
    if isinstance(value, dict):
        return {key: 0 if key in ("time", "timestamp", "ip") else steady(one) for key, one in value.items()}
    if isinstance(value, list):
        return [steady(one) for one in value]
    return value


def _at_once(lines: list[Json], number: int) -> bool:
    """Whether the frame was sent in one go with the one before it."""
    before = lines[number - 1] if number else lines[number]
    return bool(before["dir"] == lines[number]["dir"] == "out" and lines[number]["ts"] - before["ts"] < 0.002)


def _cookie(lines: Iterable[Json], number: int) -> str | None:
    """The name that a connection was logged in as by its cookie, if it was: it hears `login` before it sends one."""
    rest = list(lines)[number:]
    client = rest[0]["client"]
    if rest[0]["event"] != "@connect":
        return None
    for line in rest[1:]:
        if line["client"] != client:
            continue
        if (line["dir"], line["event"]) == ("out", "login") or line["event"] == "@disconnect":
            return None
        if line["dir"] == "in" and line["event"] == "login":
            return str(line["args"][0].get("name")) if line["args"][0].get("guest") is False else None
    return None
