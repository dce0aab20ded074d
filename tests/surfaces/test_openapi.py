"""The OpenAPI document describes what is really answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import jsonschema
import pytest
import pytest_asyncio
from openapi_spec_validator import OpenAPIV31SpecValidator

from scripts.reference_questions import example
from tests.old_kryten import recorder_of
from tests.say import PSEUDONYMS, World, joined, media, message, named, phrase_added, population, private
from tests.test_metrics import of
from userstats import catalogue
from userstats.answer import Answers, Asked
from userstats.contract import http as contract
from userstats.link_codes import LinkCodes
from userstats.store.sqlite import SQLiteStore
from userstats.surfaces.http import HttpSurface
from userstats.surfaces.openapi import description
from userstats.vitals import ServiceState

ASKED: Final = {name: Asked(question) for name, question in catalogue.read().questions.items()}
TOKEN: Final = "let me in"
PAGES: Final = ("/healthz", "/readyz", "/health", "/metrics", "/api", contract.OPENAPI, contract.EVENTS)
ROOM: Final = "420grindhouse"
every_question = pytest.mark.parametrize("name", ASKED)


class Served:
    """A running surface, and what it says of itself."""

    def __init__(self, surface: HttpSurface, session: aiohttp.ClientSession, document: Mapping[str, Any]) -> None:
        self.surface = surface
        self.document = document
        self._session = session

    async def get(self, path: str) -> tuple[int, str, Any]:
        """Status, kind and document."""
        async with self._session.get(path) as response:
            kind = response.content_type
            return response.status, kind, await (response.json() if kind == "application/json" else response.text())

    async def ask(self, asked: Asked) -> tuple[int, Any]:
        """Status and document, asked as the description says, with the example of the reference."""
        path, request = contract.question_path(asked.question.name), example(asked)
        (verb,) = self.document["paths"][path]
        words = {key: str(value) for key, value in request.items()} if verb == "get" else None
        async with self._session.request(
            verb, path, params=words, json=request if verb == "post" else None
        ) as response:
            return response.status, await response.json()

    def faults(self, path: str, verb: str, status: int, kind: str, said: Any) -> list[str]:
        """What is wrong with an answer, by its description."""
        operation = f"#/paths/{path.replace('/', '~1')}/{verb}/responses"
        responses = self.document["paths"][path][verb]["responses"]
        described = f"{operation}/{status}" if str(status) in responses else "#/components/responses/Failure"
        pointer = f"{described}/content/{kind.replace('/', '~1')}/schema"
        validator = jsonschema.Draft202012Validator({**self.document, "$ref": pointer})
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(said)]


async def serving(folder: Path, *, told: bool) -> AsyncIterator[Served]:
    world = await World.open(await SQLiteStore.open(folder / "described.db"))
    if told:
        await world.tell("20:00", *EVENING, "21:00")
    state = ServiceState("1.2.3", lambda: True, lambda: 0, lambda: "following")
    services = (recorder_of(world), LinkCodes(), state)
    answers = Answers(world.service.catalogue, world.store, PSEUDONYMS, now=lambda: world.now, services=services)
    surface = HttpSurface(answers, of(world), host="127.0.0.1", port=0, token=TOKEN)
    await surface.start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(surface.address, headers=headers) as session:
        async with session.get(contract.OPENAPI) as response:
            document = await response.json()
        yield Served(surface, session, document)
    await surface.stop()
    await world.store.close()


EVENING: Final = (
    phrase_added("bravo"),
    named("alice", ROOM), named("bob", ROOM), joined("alice", ROOM), joined("bob", ROOM),
    message("alice", ROOM, emotes=["lol"], thanks=["bob"]), message("bob", ROOM, thanks=["alice"], links=1),
    private("alice", ROOM), media("Film", ROOM), population(3, 2, 2, ROOM),
)  # fmt: skip


@pytest_asyncio.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Served]:
    async for one in serving(tmp_path, told=False):
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async for one in serving(tmp_path_factory.mktemp("described"), told=True):
        yield one


def test_it_is_openapi_3_1() -> None:
    document = description(ASKED)
    assert document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_it_lists_every_question_and_page_and_nothing_else() -> None:
    assert set(description(ASKED)["paths"]) == {*PAGES, *map(contract.question_path, ASKED)}


def test_every_route_is_described() -> None:
    surface = HttpSurface(Answers.__new__(Answers), None, host="127.0.0.1", port=0, token="")  # type: ignore[arg-type]
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in surface.application().router.routes()
        if route.resource and route.method != "HEAD"
    }
    questions = {("get", "/api/{noun}/{verb}"), ("post", "/api/{noun}/{verb}")}
    document = description(ASKED)
    assert served - questions == {(verb, path) for path in PAGES for verb in document["paths"][path]}
    assert questions <= served


@every_question
def test_what_changes_something_is_a_post_and_who_may_is_said(name: str) -> None:
    question = ASKED[name].question
    path = description(ASKED)["paths"][contract.question_path(name)]
    (verb,) = path
    shown = {kind for option in path[verb]["security"] for kind in option}
    expected = {"everyone": [], "operator": ["operator"]}.get(question.audience, ["bridge", "operator"])
    assert (verb, sorted(shown)) == ("post" if question.changes else "get", expected)


def test_it_is_the_same_however_often_it_is_made() -> None:
    assert description(ASKED) == description(ASKED)


@every_question
async def test_of_an_empty_database_every_answer_is_as_described(empty: Served, name: str) -> None:
    status, said = await empty.ask(ASKED[name])
    (verb,) = empty.document["paths"][contract.question_path(name)]
    assert empty.faults(contract.question_path(name), verb, status, "application/json", said) == []
    assert status in {200, 400, 404, 409}


@every_question
@pytest.mark.asyncio(loop_scope="module")
async def test_of_an_evening_every_answer_is_as_described(evening: Served, name: str) -> None:
    status, said = await evening.ask(ASKED[name])
    (verb,) = evening.document["paths"][contract.question_path(name)]
    assert evening.faults(contract.question_path(name), verb, status, "application/json", said) == []
    refused = said.get("error", {"details": {}})
    untracked = status == 404 and refused["details"].get("tracked") is False
    may_refuse = verb == "post" or ASKED[name].question.audience == "self"
    assert status == 200 or untracked or (may_refuse and status in {400, 404, 409}), refused


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_as_described(empty: Served, path: str) -> None:
    status, kind, said = await empty.get(path)
    assert empty.faults(path, "get", status, kind, said) == []


async def test_a_description_that_does_not_fit_is_noticed(empty: Served) -> None:
    path = "/api/leaderboard/messages"
    reply = (await empty.get(path))[2]
    broken = {**reply, "data": [{"username": 7, "count": "many"}], "question": "leaderboard.kudos"}
    assert len(empty.faults(path, "get", 200, "application/json", broken)) == 3
