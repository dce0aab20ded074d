"""N5, provably no content: what somebody writes is nowhere to be found once a bridge has heard it.

Every bridge is told things with marker words in them, through its real client, in processes of their own. Afterwards
everything that exists is searched: stream, dead letters, database, outboxes, logs, metrics, answers, exports.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from bridges.demo import lines
from tests.bridges.kryten.robot import Robot, listening
from tests.brokers import Brokers, started
from tests.cli import run as cli
from tests.e2e.evening import address
from tests.e2e.processes import Part, ask, configure
from tests.stand_ins.cytube import Room, Settings, StandIn
from tests.stored import events, letters, messages
from userstats.contract import wire

TOKEN: Final = "let me in"
BOT: Final = "StatBot"
WAYS: Final = """
    plain me spoiler code bold struck link atname plusplus minusminus emote quoted greentext longline html control drunk
    shadow replayed whispered motd polltitle polloption profile picture reason bantext announced pagetitle css badframe
    badname oddkind kgarbled kplain kme kwhispered kmotd kpoll kprofile kreason klife kodd kdomain
"""
"""In which text reaches a bridge: lines of chat, private messages, what moderators write, frames that are none, ..."""
SAID: Final = tuple(f"xq{way}xq" for way in WAYS.split())
"""One marker for each way in which text reaches a bridge. No filter of CyTube changes them."""
NAMED: Final = ("nq-cytube-nq", "nq-kryten-nq")
"""Names of people: allowed in `Named`, in the database and in answers."""
TITLED: Final = ("tq cytube tq", "tq kryten tq")
"""Titles of what plays: allowed in `MediaStarted`, in the database and in answers."""
INVENTED: Final = tuple(line for line in lines._REMARKS if "{" not in line)
"""What the people of the demo say."""


class Left(NamedTuple):
    """All there is afterwards."""

    files: Mapping[str, bytes]
    """By their path in the installation's folder."""
    stream: Mapping[str, str]
    """The events by kind, as JSON, before they were compressed."""
    letters: str
    logs: str
    metrics: str
    answers: str
    exports: str
    counted: Mapping[str, int]
    """Messages by room."""


def mark(place: str) -> str:
    """The marker for this way."""
    assert f"xq{place}xq" in SAID
    return f"xq{place}xq"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def left(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Left]:
    """What an evening with three bridges leaves behind."""
    brokers = Brokers(await started(tmp_path_factory.mktemp("privacy")))
    folder = brokers.folder
    async with StandIn(Settings(usercount_every=0.1)) as site, AsyncExitStack() as running:
        site.account(BOT, "pw")
        room = site.room("lounge")
        configure(
            folder, nats={"port": -1}, http={"port": 0, "token": TOKEN}, log={"level": "DEBUG"},
            bridge={"beat_seconds": 0.3, "settings_seconds": 0.5}, cytube={"name": BOT, "password": "pw"},
            channels=[
                {"domain": site.url, "channel": "lounge"},
                {"domain": "cytu.be", "channel": "420grindhouse", "via": "kryten"},
            ],
            demo={"rooms": ["cinema"], "history_hours": 2},
        )  # fmt: skip
        await before(room)
        userstats = await running.enter_async_context(Part(folder, "userstats"))
        for name in ("cytube", "kryten", "demo"):
            await running.enter_async_context(Part(folder, "bridges", name))
        await site.joined(BOT, "lounge", within=30)
        await talk(room, site)
        await gossip(brokers)
        client = await brokers.connect("client")
        counted = await settled(client)
        at = address(userstats)
        answers, exports = await everything_asked(at), await asyncio.to_thread(everything_exported, folder)
        async with aiohttp.ClientSession() as http, http.get(f"{at}/metrics") as response:
            metrics = await response.text()
        stream: dict[str, str] = {}
        for event in await events(brokers):
            kind = wire.kind_of(event)
            stream[kind] = stream.get(kind, "") + wire.body(event).decode()
        stream["raw"] = b"".join(
            message.subject.encode() + message.data for message in await messages(brokers)
        ).decode()
        dead = str(await letters(brokers))
    await brokers.disconnect()
    await brokers.embedded.stop()
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    logs = "".join(text.decode() for name, text in files.items() if name.endswith((".log", ".err")))
    yield Left(files, stream, dead, logs, metrics, answers, exports, counted)


async def before(room: Room) -> None:
    """What the bridge finds when it comes."""
    room.motd = mark("motd")
    room.options["pagetitle"] = mark("pagetitle")
    room.emotes.add(":wave:")
    amy = await room.enter("Amy")
    await room.enter(NAMED[0])
    room.edit_profile("Amy", f"https://example.org/{mark('picture')}.png", mark("profile"))
    await amy.say(f"earlier {mark('replayed')}")
    room.open_poll(mark("polltitle"), [mark("polloption"), "no"])


async def talk(room: Room, site: StandIn) -> None:
    """Everything people can write on CyTube, while the bridge is there."""
    amy, bob = await room.enter("Bob", rank=3), await room.enter("Cyd")
    for text in (
        f"hello {mark('plain')} :wave:", f"/me {mark('me')}", f"[sp]{mark('spoiler')}[/sp]", f"`{mark('code')}`",
        f"*{mark('bold')}* ~~{mark('struck')}~~", f"https://example.org/{mark('link')}?q={mark('link')}",
        f"@{mark('atname')} hi", f"++{mark('plusplus')} {mark('plusplus')}++", f"--{mark('minusminus')}",
        f"#{mark('emote')} :{mark('emote')}:", f'"{mark("quoted")}" lol Amy', f">{mark('greentext')}",
        f"{mark('longline')} " * 40, f"<b>{mark('html')}</b> &amp;", f"\x07{mark('control')}\x1b[0m",
        f"/d3 {mark('drunk')}",
    ):  # fmt: skip
        await amy.say(text)
    await amy.pm(BOT, mark("whispered"))
    room.mute("Cyd", shadow=True)
    await bob.say(mark("shadow"))
    await room.play(TITLED[0], 600, by="Bob")
    site.announce("news", mark("announced"))
    for name, payload in (
        ("chatMsg", {"username": mark("badframe") * 9, "msg": mark("badframe"), "time": "now"}),
        ("addUser", {"name": f"{mark('badname')}\0", "rank": [], "meta": mark("badname")}),
        ("addUser", {"name": mark("badname") + "x" * 1_000_000, "rank": 1}),
        ("userlist", mark("badframe")),
        ("changeMedia", {"title": {"text": mark("badframe")}, "seconds": mark("badframe")}),
        ("channelCSSJS", {"css": mark("css"), "js": mark("css")}),
        (mark("oddkind"), {"text": mark("oddkind")}),
    ):
        room.tell(name, payload)
    await amy.say("one more")
    room.ban("Cyd", mark("bantext"))
    room.kick(BOT, mark("reason"))


async def gossip(brokers: Brokers) -> None:
    """Everything that reaches a bridge through a robot."""
    await listening(brokers)
    robot = Robot(await brokers.keyless())
    await robot.start()
    who = {"name": NAMED[1], "rank": 1, "meta": {"afk": False}, "profile": {"image": "", "text": mark("kprofile")}}
    await robot.join([who])
    await asyncio.sleep(1.0)
    now = 1_790_000_000_000
    for name, payload in (
        ("chatMsg", {"username": NAMED[1], "msg": f"hi {mark('kplain')}", "meta": {}, "time": now}),
        ("chatMsg", {"username": NAMED[1], "msg": mark("kme"), "meta": {"action": True}, "time": now + 1}),
        ("pm", {"username": NAMED[1], "to": "KrytenBot", "msg": mark("kwhispered"), "meta": {}, "time": now + 2}),
        ("changeMedia", {"id": "x", "title": TITLED[1], "seconds": 60, "type": "yt", "currentTime": 0}),
        ("setMotd", mark("kmotd")), ("newPoll", {"title": mark("kpoll"), "options": [mark("kpoll")]}),
        (mark("kodd"), mark("kodd")), ("chatMsg", mark("kodd")), ("kick", {"name": "x", "by": mark("kreason")}),
    ):  # fmt: skip
        await robot.say(name, payload)
    await robot.raw("chatMsg", f'{{"event_name": "{mark("kgarbled")}'.encode())
    await robot.raw(
        "chatMsg", json.dumps({"event_name": "chatMsg", "domain": mark("kdomain"), "channel": "x"}).encode()
    )
    await robot.life("disconnected", target="CyTube", reason=mark("klife"))


async def settled(client: Any) -> dict[str, int]:
    """Messages by room, once those that the test said are counted."""
    found: dict[str, int] = {}
    for _ in range(200):
        for platform, channel in (("cytube", "lounge"), ("cytube", "420grindhouse"), ("demo", "cinema")):
            reply = await ask(
                client, "leaderboard.messages", since="all", limit=100, platform=platform, channel=channel
            )
            found[channel] = sum(row["count"] for row in reply.get("data") or ())
        if found["lounge"] >= 18 and found["420grindhouse"] >= 2 and found["cinema"]:
            break
        await asyncio.sleep(0.1)
    return found


async def everything_asked(at: str) -> str:
    """The answers to all questions, over HTTP, by an operator; what needs a word gets a name."""
    said = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        async with http.get(f"{at}/api") as response:
            questions = [one["question"] for one in (await response.json())["questions"]]
        for question in questions:
            for words in ({}, {"username": "Bob"}, {"limit": "200"}):
                async with http.get(f"{at}/api/{question.replace('.', '/')}", params=words) as response:
                    said.append(await response.text())
        async with http.get(f"{at}/health") as response:
            said.append(await response.text())
    return "\n".join(said)


def everything_exported(folder: Path) -> str:
    """What the command line writes into files."""
    asked = (("leaderboard", "messages"), ("channel", "media"), ("leaderboard", "emotes"), ("settings", "export"))
    ran = [
        cli(folder, *words, "--format", form) for words, form in zip(asked, ("csv", "json", "csv", "json"), strict=True)
    ]
    return "".join(one.out + one.err for one in ran)


def test_everything_that_was_said_was_counted(left: Left) -> None:
    assert left.counted["lounge"] == 18
    assert left.counted["420grindhouse"] == 2
    assert left.counted["cinema"] > 0
    assert {"PrivateMessageSent", "MessageSent", "EventRefused", "MediaStarted", "Named"} <= left.stream.keys()


def test_n5_nothing_that_was_said_is_anywhere(left: Left) -> None:
    found = [
        (marker, where)
        for marker in (*SAID, *INVENTED)
        for where, content in {**left.files, **places(left)}.items()
        if marker.encode() in content
    ]

    assert found == []


def test_a_name_is_nowhere_but_in_the_events_that_name_the_database_and_answers(left: Left) -> None:
    holding = {kind for kind, content in left.stream.items() for name in NAMED if name in content}

    assert holding == {"Named", "raw"}
    assert [name for name in NAMED if name in left.logs + left.metrics + left.letters] == []
    assert [name for name in NAMED if name not in left.answers] == []


def test_a_title_is_nowhere_but_in_the_events_of_media_the_database_and_answers(left: Left) -> None:
    holding = {kind for kind, content in left.stream.items() for title in TITLED if title in content}

    assert holding == {"MediaStarted", "raw"}
    assert [title for title in TITLED if title in left.logs + left.metrics + left.letters] == []
    assert [title for title in TITLED if title not in left.exports] == []


def test_no_secret_is_in_a_log(left: Left) -> None:
    seeds = [content.decode().strip() for name, content in left.files.items() if name.endswith((".nk", ".key"))]

    assert len(seeds) > 5
    assert [place for place, seed in enumerate(seeds) if seed in left.logs + left.metrics + left.answers] == []
    assert TOKEN not in left.logs + left.metrics + left.answers + left.exports


def places(left: Left) -> dict[str, bytes]:
    """What is no file, by what it is."""
    texts = {**left.stream, "letters": left.letters, "metrics": left.metrics, "answers": left.answers,
             "exports": left.exports}  # fmt: skip
    return {what: text.encode() for what, text in texts.items()}
