"""Consent and links through everything that runs: a room, a bridge, the stream, and each way to ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio
from nats.aio.client import Client

from tests.brokers import Brokers, started
from tests.cli import run as cli
from tests.e2e.evening import address
from tests.e2e.processes import Part, ask, configure, until
from tests.stand_ins.cytube import StandIn
from tests.stored import events
from userstats.contract import subjects
from userstats.contract.events import MessageSent
from userstats.contract.pseudonym import FIRST_PERSON, Pseudonyms, load_key
from userstats.contract.questions import HEADER_FOR

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEVELS = {"Amy": "off", "Bob": "anonymous", "Cid": "counted", "Dan": "shown"}
BOARD = [{"username": "Dan", "count": 4}]
AMY_HIDES = "'Amy' keeps their numbers to themselves"
BY_HOUR = ("channel", "messages_by_hour", "--since", "all", "--json")
TALKERS = ("leaderboard.messages", "channel.top", "channel.present", "user.search")


class Stage(NamedTuple):
    """What ran, and what it left behind."""

    brokers: Brokers
    client: Client
    bridge: Client
    http: str
    sent: list[MessageSent]
    typed: dict[str, Any]
    """What `link.show` said before and after a code was typed in the room."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: Any) -> AsyncIterator[Stage]:
    """Four people say two things, choose, and say two more. Cid then types a code to the bot."""
    brokers = Brokers(await started(tmp_path_factory.mktemp("consent")))
    folder = brokers.folder
    async with StandIn() as site:
        configure(
            folder, nats={"port": -1}, http={"port": 0}, bridge={"settings_seconds": 0.1},
            cytube={"name": "StatsBot"}, channels=[{"domain": site.url, "channel": "lounge"}],
        )  # fmt: skip
        room = site.room("lounge")
        people = {name: await room.enter(name, rank=1) for name in LEVELS}
        async with Part(folder, "bridges", "cytube") as bridge, Part(folder, "userstats") as userstats:
            client, asker = await brokers.connect("client"), await brokers.connect("bridge_discord")
            while room.find("statsbot") is None:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)
            domain = site.url.removeprefix("http://")
            await _say(people, 2)
            await until(client, "leaderboard.messages", [{"username": n, "count": 2} for n in sorted(LEVELS)])
            for name, level in LEVELS.items():
                await ask(client, "consent.set", platform="cytube", account=f"{domain}/{name}", level=level)
            await asyncio.sleep(0.6)
            await _say(people, 2)
            await until(client, "leaderboard.messages", BOARD)
            typed = await _link(client, people["Cid"], f"{domain}/cid")
            at = address(userstats)
            assert await bridge.stop() == 0
            sent = [event for event in await events(brokers) if isinstance(event, MessageSent)]
            yield Stage(brokers, client, asker, at, sent, typed)
    await brokers.disconnect()
    await brokers.embedded.stop()


async def _say(people: dict[str, Any], times: int) -> None:
    for _ in range(times):
        for one in people.values():
            await one.say("hello there")


async def _link(client: Client, cid: Any, account: str) -> dict[str, Any]:
    dee = {"platform": "discord", "account": "4711"}
    before = (await ask(client, "link.show", **dee))["data"]
    code = (await ask(client, "link.begin", on="cytube", **dee))["data"]["code"]
    await cid.pm("StatsBot", "!link AAAA-AAAA")
    await asyncio.sleep(0.5)
    await cid.pm("StatsBot", f"!link {code[:4]}-{code[4:]}")
    await asyncio.sleep(1.0)
    linked = (await ask(client, "link.show", **dee))["data"]
    await ask(client, "link.undo", platform="cytube", account=account)
    return {
        "before": before,
        "linked": [one["username"] for one in linked],
        "after": (await ask(client, "link.show", **dee))["data"],
    }


async def over_http(at: str, question: str, **request: str) -> dict[str, Any]:
    url = f"{at}/api/{question.replace('.', '/')}"
    async with aiohttp.ClientSession() as http, http.get(url, params=request) as response:
        body: dict[str, Any] = await response.json()
        return body


async def for_account(stage: Stage, account: str, question: str, **request: Any) -> dict[str, Any]:
    """As a bridge asks for who ran a command."""
    headers = {HEADER_FOR: account}
    reply = await stage.bridge.request(
        subjects.question(question), json.dumps(request).encode(), timeout=5, headers=headers
    )
    body: dict[str, Any] = json.loads(reply.data)
    return body


async def test_g10_after_an_opt_out_nothing_of_a_person_is_in_the_stream_and_the_anonymous_are_nobody(
    stage: Stage,
) -> None:
    pseudonyms = Pseudonyms(load_key(stage.brokers.folder / "data" / "pseudonym.key"))
    place = stage.sent[0].place
    names = {pseudonyms.person(place.platform, f"{place.space}/{name.lower()}"): name for name in LEVELS}

    told = [names.get(event.author, "nobody" if event.author < FIRST_PERSON else "?") for event in stage.sent]

    assert sorted(told[:8]) == sorted([*LEVELS, *LEVELS])
    assert sorted(told[8:]) == ["Cid", "Cid", "Dan", "Dan", "nobody", "nobody"]


async def test_g10_every_surface_names_the_same_people_and_loses_none_of_the_sum(stage: Stage) -> None:
    request = {"since": "all"}
    names = sorted({name for name in LEVELS if name != "Dan"})

    nats = [(await ask(stage.client, one, **_prefixed(one))) for one in TALKERS]
    http = [(await over_http(stage.http, one, **_prefixed(one))) for one in TALKERS]
    folder = stage.brokers.folder
    printed = [await asyncio.to_thread(cli, folder, *one.split("."), *_words(one), "--json") for one in TALKERS]
    sums = [
        (await ask(stage.client, "channel.messages_by_hour", **request))["data"],
        (await over_http(stage.http, "channel.messages_by_hour", **request))["data"],
        json.loads((await asyncio.to_thread(cli, folder, *BY_HOUR)).out)["data"],
    ]

    assert nats[0]["data"] == http[0]["data"] == json.loads(printed[0].out)["data"] == BOARD
    said = [json.dumps(one) for one in (*nats, *http)] + [one.out for one in printed]
    assert [name for name in names for text in said if name in text] == []
    assert [sum(row["messages"] or 0 for row in rows) for rows in sums] == [14, 14, 14]


def _prefixed(question: str) -> dict[str, str]:
    return {"prefix": "a"} if question == "user.search" else {}


def _words(question: str) -> list[str]:
    return ["a"] if question == "user.search" else []


async def test_g10_a_card_is_refused_on_every_surface_but_to_its_person_and_the_operator(stage: Stage) -> None:
    place = stage.sent[0].place
    amy, dan = (f"cytube:{place.space}/{name}" for name in ("amy", "dan"))

    http = await over_http(stage.http, "user.stats", username="Amy")
    another = await for_account(stage, dan, "user.stats", username="Amy")
    bridge = json.loads(
        (await stage.bridge.request(subjects.question("user.stats"), b'{"username": "Amy"}', timeout=5)).data
    )
    own = await for_account(stage, amy, "user.stats", username="me")
    operator = await ask(stage.client, "user.stats", username="Amy")
    printed = await asyncio.to_thread(cli, stage.brokers.folder, "user", "Amy", "--json")

    assert [one["error"]["message"] for one in (http, another, bridge)] == [AMY_HIDES] * 3
    assert [one["data"]["messages"] for one in (own, operator, json.loads(printed.out))] == [2, 2, 2]


async def test_only_a_bridge_may_ask_for_somebody(stage: Stage) -> None:
    headers = {HEADER_FOR: "cytube:x/amy"}
    subject = subjects.question("consent.show")

    client = json.loads((await stage.client.request(subject, b"{}", timeout=5, headers=headers)).data)
    senseless = await for_account(stage, "amy", "consent.show")
    mine = await for_account(stage, f"cytube:{stage.sent[0].place.space}/amy", "consent.show")

    assert client["error"]["code"] == 403
    assert senseless["error"] == {"code": 400, "message": f"{HEADER_FOR} must be like discord:1234", "details": {}}
    assert [one["chosen"] for one in mine["data"]] == ["off", "off", "off"]


async def test_n3_a_code_shown_on_one_platform_and_typed_on_the_other_links_until_it_is_undone(stage: Stage) -> None:
    assert stage.typed == {"before": [], "linked": ["Cid"], "after": []}
