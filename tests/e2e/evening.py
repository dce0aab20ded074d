"""One evening in a CyTube room, through every process there is, and what each surface then says of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
from nats.aio.client import Client

from tests.brokers import Brokers
from tests.cli import run as cli
from tests.e2e.processes import Part, ask, configure
from tests.e2e.site import Site
from tests.stored import events
from userstats import catalogue
from userstats.contract.events import MessageSent

BOT: Final = "StatBot"
TOKEN: Final = "let me in"
GUEST: Final = "Zoe"
"""Driven by the test beside the scripted crowd."""
WHISPERED: Final = 3
SCRIPT: Final = (
    "--script", "evening", "--messages", "240", "--people", "9", "--seed", "11", "--rate", "60",
    "--account", f"{BOT}:open sesame", "--wait-for", BOT, "--usercount-every", "0.1",
)  # fmt: skip

Answers = Mapping[str, Any]
"""Data by question and username."""
Totals = Mapping[tuple[str, str], float]
"""Numbers of /metrics, by name and label value."""


class Evening(NamedTuple):
    """What happened, and what is said of it."""

    before: Mapping[str, Any]
    """The oracle's report, taken before the questions about what lasts still were asked ..."""
    after: Mapping[str, Any]
    """... and after."""
    inside: list[dict[str, Any]]
    """Who was in the room then, the bot included."""
    delay: int
    """Milliseconds that the slowest chat line took from the site's clock to the bridge's."""
    live: Answers
    """While everything still ran."""
    nats: Answers
    """After the bridge had stopped, over each surface; what differs each time it is asked left out."""
    http: Answers
    cli: Answers
    metrics: Totals


async def spend(brokers: Brokers) -> Evening:
    """Start everything, let the evening pass, ask, stop everything."""
    folder = brokers.folder
    async with Site(folder, *SCRIPT) as site, AsyncExitStack() as running:
        configure(
            folder, nats={"port": -1}, http={"port": 0, "token": TOKEN}, bridge={"beat_seconds": 0.3},
            cytube={"name": BOT, "password": "open sesame"}, channels=[{"domain": site.url, "channel": "grindhouse"}],
        )  # fmt: skip
        bridge = await running.enter_async_context(Part(folder, "bridges", "cytube"))
        userstats = await running.enter_async_context(Part(folder, "userstats"))
        client = await brokers.connect("client")
        await _visit(site)
        await site.done.wait()
        before, inside = await site.oracle(), await site.inside()
        await _observed(client, userstats, before["at"])
        live = await _live(client, before["people"])
        after = await site.oracle()
        assert await bridge.stop() == 0
        to = datetime.now(UTC).isoformat()
        at = address(userstats)
        requests = await _requests(at, sorted(before["people"]), to)
        said = await _nats(client, requests)
        over_http = await _http(at, requests)
        over_cli = await asyncio.to_thread(_cli, folder, requests)
        metrics = await scrape(at)
        again = await _nats(client, requests)
        assert await userstats.stop() == 0
    delay = max(event.seen - event.at for event in await events(brokers) if isinstance(event, MessageSent))
    said, over_http = ({key: one[key] for key in requests if said[key] == again[key]} for one in (said, over_http))
    return Evening(before, after, inside, delay, live, said, over_http, over_cli, metrics)


def address(userstats: Part) -> str:
    """Where this userstats serves HTTP."""
    lines = [line for line in userstats.log.read_text().splitlines() if "listening on " in line]
    return lines[-1].rpartition("listening on ")[2].strip()


async def scrape(at: str) -> Totals:
    """The numbers of /metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"{at}/metrics") as response:
        text = await response.text()
    samples = re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)
    return {(name, ",".join(re.findall(r'="([^"]*)"', labels))): float(value) for name, labels, value in samples}


async def _visit(site: Site) -> None:
    """Somebody comes while the crowd talks, is away for a while, and whispers to the bot."""
    async with asyncio.timeout(30):
        while BOT not in [member["name"] for member in await site.inside()]:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)
    await site.do("enter", name=GUEST, rank=0)
    await site.do("enter", name="")
    await site.do("say", name=GUEST, text="hi :wave: ++Ada")
    for number in range(WHISPERED):
        await site.do("pm", name=GUEST, to=BOT, text=f"psst {number}")
    await site.do("afk", name=GUEST)
    await asyncio.sleep(0.8)
    await site.do("afk", name=GUEST, on=False)
    await asyncio.sleep(0.5)
    await site.do("leave", name=GUEST)


async def _observed(client: Client, userstats: Part, at: int) -> None:
    """Until a beat from after this moment is counted."""
    await ask(client, "channel.now")
    async with asyncio.timeout(30):
        while True:
            metrics = await scrape(address(userstats))
            if metrics.get(("userstats_oldest_sign_of_life_timestamp_seconds", "cytube"), 0) * 1000 > at:
                return
            await asyncio.sleep(0.1)


async def _live(client: Client, people: Mapping[str, Any]) -> Answers:
    asked = [("channel.now", ""), ("channel.present", ""), *(("user.activity", name) for name in people)]
    return {
        f"{question} {name}".strip(): await _data(client, question, {"username": name} if name else {})
        for question, name in asked
    }


Requests = Mapping[str, tuple[str, dict[str, Any]]]


async def _requests(at: str, people: list[str], to: str) -> Requests:
    """Every question there is that changes nothing, with what it must be asked with, up to one moment."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    changing = {name for name, question in catalogue.read().questions.items() if question.changes}
    async with aiohttp.ClientSession() as http, http.get(f"{at}/api") as response:
        listed = {one["question"]: one["request"] for one in (await response.json())["questions"]}
    for name, schema in listed.items():
        known = next(iter(schema.get("$defs", {}).values()), schema)
        request: dict[str, Any] = {"to": to} if "to" in known["properties"] else {}
        request |= {"limit": 200} if "limit" in known["properties"] else {}
        if name in changing:
            continue
        if known.get("required") == ["username"]:
            found |= {f"{name} {who}": (name, {**request, "username": who}) for who in people if who != BOT}
        else:
            found[name] = name, {**request, **dict.fromkeys(known.get("required", ()), "kc")}
    return found


async def _nats(client: Client, requests: Requests) -> Answers:
    return {key: await _data(client, question, request) for key, (question, request) in requests.items()}


async def _data(client: Client, question: str, request: Mapping[str, Any]) -> Any:
    reply = await ask(client, question, **request)
    return reply.get("data", reply.get("error"))


async def _http(at: str, requests: Requests) -> Answers:
    found: dict[str, Any] = {}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        for key, (question, request) in requests.items():
            words = {name: str(value) for name, value in request.items()}
            async with http.get(f"{at}/api/{question.replace('.', '/')}", params=words) as response:
                reply = await response.json()
            found[key] = reply.get("data", reply.get("error"))
    return found


def _cli(folder: Path, requests: Requests) -> Answers:
    """Not all of them: each is a process."""
    found: dict[str, Any] = {}
    some = ("leaderboard.messages", "leaderboard.kudos", "leaderboard.emotes", "channel.top_media", "channel.votes",
            f"user.activity {GUEST}", f"user.private_messages {GUEST}", "user.kudos Ada")  # fmt: skip
    for key in some:
        question, request = requests[key]
        words = [word for name, value in request.items() if name != "username" for word in (f"--{name}", str(value))]
        names = [request["username"]] if "username" in request else []
        ran = cli(folder, *question.split("."), *names, *words, "--json")
        assert ran.code == 0, ran
        found[key] = json.loads(ran.out)["data"]
    return found
