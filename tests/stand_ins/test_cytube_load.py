"""Loads of the stand-in CyTube are the same for the same seed, and the oracle counts what really happened."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from .cytube import Settings, StandIn, load
from .cytube.frames import Json
from .listener import Listener

ROOT = Path(__file__).parents[2]


def told(listener: Listener) -> list[tuple[str, int, str]]:
    """Who said what when, as a listener heard it."""
    lines = listener.all("chatMsg")
    return [(line["username"], line["time"], line["msg"]) for line in lines if line["username"][0] != "["]


async def evening(seed: int) -> tuple[list[tuple[str, list[Json]]], Json]:
    """What an anonymous listener hears of an evening, and the oracle's count."""
    clock = itertools.count(1_000).__next__
    async with StandIn(Settings(clock=clock, usercount_every=1000)) as site:
        room = site.room("grindhouse")
        async with Listener(site.url) as listener:
            await listener.join("grindhouse")
            await load.run(room, load.evening(messages=300, people=20, seed=seed))
            await site.flushed()
            await listener.until("chatMsg", lambda line: line["time"] == room.history[-1].args[0]["time"])
            return listener.heard[listener.names.index("userlist") :], room.report()


async def test_the_same_seed_makes_the_same_evening_and_another_one_does_not() -> None:
    first, again, other = await evening(7), await evening(7), await evening(8)
    assert [frame for frame in first[0] if frame[0] != "changeMedia"] == [
        frame for frame in again[0] if frame[0] != "changeMedia"
    ]
    assert first[1] == again[1]
    assert first[1] != other[1]


async def test_the_oracle_counts_what_a_listener_heard() -> None:
    heard, report = await evening(3)
    people = report["people"]
    said = Counter(args[0]["username"] for name, args in heard if name == "chatMsg")
    joined = Counter(args[0]["name"] for name, args in heard if name == "addUser")
    slept = Counter(args[0]["name"] for name, args in heard if name == "setAFK" and args[0]["afk"])
    films = sum(name == "changeMedia" for name, _ in heard)
    assert {name: row["messages"] for name, row in people.items() if row["messages"]} == said
    assert {name: row["joins"] for name, row in people.items() if row["joins"]} == joined
    assert {name: row["afk_spans"] for name, row in people.items() if row["afk_spans"]} == slept
    assert (report["messages"], report["media"]) == (300, films)
    assert sum(row["pms"] for row in people.values()) == sum(row["pms_received"] for row in people.values()) > 0
    assert all(row["afk_ms"] <= row["present_ms"] for row in people.values())


async def test_the_oracle_measures_presence_and_absence_with_the_servers_clock() -> None:
    times = iter(range(0, 1_000_000, 1_000))
    async with StandIn(Settings(clock=lambda: next(times))) as site:
        room = site.room("grindhouse")
        site.settings.clock()
        amy = await room.enter("Amy", rank=0)
        room.emotes.add("Kappa")
        await amy.say("Kappa ++Ben Kappa")
        await amy.afk()
        await amy.say("back")
        await amy.leave()
        row = room.report()["people"]["Amy"]
        assert (row["messages"], row["joins"], row["afk_spans"]) == (2, 1, 1)
        assert (row["emotes"], row["thanks"]) == ({"Kappa": 2}, {"ben": 1})
        assert row["present_ms"] > row["afk_ms"] > 0
        assert (row["present_since"], row["afk_since"]) == (None, None)


async def test_a_load_that_holds_says_no_more_than_the_history_can_replay() -> None:
    async with StandIn() as site:
        room = site.room("grindhouse")
        script = load.chatter(messages=60, people=3, rate=300, hold_after=5)
        talking = asyncio.create_task(load.run(room, script))
        heard: list[tuple[str, int, str]] = []
        for _ in range(3):
            async with Listener(site.url) as bot:
                await bot.join("grindhouse")
                await bot.heard_so_many(25)
                site.drop()
                await bot.until("@disconnect")
                heard += told(bot)
        async with Listener(site.url) as bot:
            await bot.join("grindhouse")
            await asyncio.wait_for(talking, 5)
            await site.flushed()
            await asyncio.sleep(0.05)
            heard += told(bot)
        said = {name: row["messages"] for name, row in room.report()["people"].items() if row["messages"]}
        assert len(heard) > 60
        assert Counter(who for who, _, _ in dict.fromkeys(heard)) == said


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[tuple[Json, asyncio.subprocess.Process]]:
    """The stand-in in a process of its own, and its first line."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.stand_ins.cytube", *arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield await printed(child), child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def printed(child: asyncio.subprocess.Process) -> Json:
    """The next line of the process."""
    assert child.stdout is not None
    return json.loads(await asyncio.wait_for(child.stdout.readline(), 10))


async def test_a_process_says_where_it_listens_and_what_really_happened() -> None:
    script = ("--script", "evening", "--messages", "200", "--people", "10", "--wait-for", "*")
    async with process(*script, "--account", "Bot:pw:3") as (started, child), Listener(started["url"]) as bot:
        assert (await bot.login("Bot", "pw"))["success"]
        await bot.join("grindhouse")
        done = await printed(child)
        await bot.until("chatMsg", lambda _: len(told(bot)) == 200)
        said = Counter(who for who, _, _ in told(bot))
        people = done["oracle"]["rooms"]["grindhouse"]["people"]
        assert done["event"] == "done"
        assert said == {name: row["messages"] for name, row in people.items() if row["messages"]}
        child.send_signal(signal.SIGTERM)
        stopped = await printed(child)
        assert stopped["event"] == "stopped"
        assert stopped["oracle"]["rooms"]["grindhouse"]["messages"] == 200


async def test_a_process_does_what_it_is_told_over_http() -> None:
    async with process() as (started, _), aiohttp.ClientSession(started["control"]) as http:

        async def tell(verb: str, **body: Json) -> Any:
            async with http.post(f"/control/{verb}", json=body) as response:
                return await response.json()

        async with Listener(started["url"]) as bot:
            await bot.login("Bot")
            await bot.join("grindhouse")
            await tell("enter", name="Amy", rank=2)
            said = await tell("say", name="Amy", text="hello")
            await tell("pm", name="Amy", to="Bot", text="psst")
            await tell("afk", name="Amy")
            assert (await bot.until("chatMsg", lambda line: line["msg"] == "hello"))["time"] == said["result"]
            await bot.until("setAFK")
            await tell("freeze")
            await tell("play", title="Film")
            await tell("thaw")
            assert (await bot.until("changeMedia"))["title"] == "Film"
            assert (await tell("kick", name="nobody"))["ok"] is False
            assert (await tell("dance"))["ok"] is False
            await tell("kick", name="Bot", reason="bye")
            assert await bot.until("@disconnect") == "server disconnect"
            await tell("restart")
            async with http.get("/oracle") as response:
                report = (await response.json())["rooms"]["grindhouse"]
            assert (report["messages"], report["pms"], report["media"]) == (1, 1, 1)
            async with http.get("/state") as response:
                assert await response.json() == {"running": True, "rooms": {"grindhouse": []}}
