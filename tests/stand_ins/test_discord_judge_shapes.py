"""A verdict that is kept per shape is the verdict jsonschema would give."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .discord.judge import Judge
from .discord.schemas import EVENTS, FOLDER, Documents, child, documents
from .dispatched import ACCEPTED, IN_GUILD, MESSAGE, READY, THEN, THREAD, USER, WHOLE

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="Discord's documents are not beside the project")

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    2,
    -1,
    2**31,
    1.0,
    1.5,
    "",
    "0",
    "1",
    "01",
    "online",
    "x" * 101,
    THEN,
    [],
    [1, 1],
    {},
]
ODD += ["x" * 26, {"id": "1"}, [USER], ["1", "1"], ["1", "2"], {"type": 2}, {"1": USER}, {"type": 1, "components": []}]


def places(value: Any) -> list[tuple[str | int, ...]]:
    """The paths of everything inside a value."""
    found: list[tuple[str | int, ...]] = [()]
    inside = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, item in inside:
        found += [(key, *path) for path in places(item)]
    return found


def changed(value: Any, path: tuple[str | int, ...], odd: Any, how: str) -> Any:
    """A copy, at one place something else, something more, or nothing."""
    whole = [copy.deepcopy(value)]
    inside: Any = whole
    place: str | int = 0
    for key in path:
        inside, place = inside[place], key
    match how, inside[place]:
        case "less", _ if path:
            inside.pop(place)
        case "more", dict() as fields:
            fields["unheard_of"] = odd
        case "more", list() as items:
            items.append(odd)
        case "twice", list() as items:
            items.extend(items)
        case _:
            inside[place] = odd
    return whole[0]


@st.composite
def almost(draw: st.DrawFn, bodies: list[tuple[str, Any]]) -> tuple[str, Any]:
    """One of the bodies with a few changes."""
    name, body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places(body)))
        body = changed(body, path, draw(st.sampled_from(ODD)), draw(st.sampled_from(["put", "less", "more", "twice"])))
    return name, body


def known() -> Documents:
    """The documents, read once."""
    found = documents(FOLDER)
    assert found is not None
    return found


REQUESTS: list[tuple[str, Any]] = [
    (
        child(
            "/paths", "/channels/{channel_id}/messages", "post", "requestBody", "content", "application/json", "schema"
        ),
        {
            "content": "hi",
            "nonce": "n",
            "embeds": [
                {"title": "t", "url": "https://a.org", "timestamp": THEN, "fields": [{"name": "n", "value": "v"}]}
            ],
            "allowed_mentions": {"parse": [], "users": ["1", "2"]},
            "attachments": [{"id": 0, "filename": "a.png"}],
            "components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}]}],
        },
    ),
    (
        child(
            "/paths",
            "/applications/{application_id}/commands",
            "put",
            "requestBody",
            "content",
            "application/json",
            "schema",
        ),
        [
            {
                "name": "stats",
                "description": "d",
                "name_localizations": {"de": "zahlen"},
                "contexts": [0, 1],
                "options": [{"name": "n", "description": "d", "type": 4, "choices": [{"name": "a", "value": 1}]}],
            }
        ],
    ),
    (
        "/components/responses/ClientErrorResponse/content/application~1json/schema",
        {"message": "Invalid Form Body", "code": 50035, "errors": {"a": {"_errors": [{"code": "c", "message": "m"}]}}},
    ),
]
FEW = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example]
)


@given(case=almost(ACCEPTED))
@FEW
def test_a_verdict_by_shape_is_that_of_jsonschema_for_dispatches(case: tuple[str, Any]) -> None:
    event, data = case
    side = known().gateway
    pointer = child(EVENTS, event)

    found = Judge(known())._check(side, pointer, event, data)

    assert (found == []) == side.document.valid(pointer, data)


@given(case=almost(REQUESTS))
@FEW
def test_a_verdict_by_shape_is_that_of_jsonschema_for_requests(case: tuple[str, Any]) -> None:
    pointer, body = case
    side = known().requests

    found = Judge(known())._check(side, pointer, "request", body)

    assert (found == []) == side.document.valid(pointer, body)


@given(case=almost(ACCEPTED))
@FEW
def test_a_reduced_value_has_the_same_shape(case: tuple[str, Any]) -> None:
    shapes = known().gateway.shapes

    assert shapes.of(shapes.reduced(case[1])) == shapes.of(case[1])


def test_a_shape_forgets_only_what_no_schema_asks_for() -> None:
    shapes = known().gateway.shapes

    assert shapes.of(MESSAGE) == shapes.of(MESSAGE | {"id": "12345", "content": "something else"})
    assert shapes.of({"members": [WHOLE]}) == shapes.of({"members": [WHOLE, WHOLE | {"nick": None}]})
    assert shapes.of(MESSAGE) != shapes.of(MESSAGE | {"type": 19})
    assert shapes.of(MESSAGE) != shapes.of(MESSAGE | {"tts": None})
    assert shapes.of(MESSAGE) != shapes.of(MESSAGE | {"timestamp": "now"})


def test_like_values_that_differ_in_what_a_schema_asks_for_get_their_own_verdict() -> None:
    judge = Judge(known())
    command = {"name": "stats", "description": "d", "contexts": [0, 1]}

    assert judge.dispatch("THREAD_CREATE", THREAD | IN_GUILD | {"newly_created": True}) == []
    assert judge.dispatch("THREAD_CREATE", THREAD | IN_GUILD | {"newly_created": False}) == [
        "newly_created: False is not True"
    ]
    assert judge.dispatch("READY", READY) == []
    assert judge.dispatch("READY", READY | {"shard": [0, 1, 2]}) == ["shard: 3 items, at most 2 are allowed"]
    assert judge.command_set([command]) == []
    assert judge.command_set([command | {"contexts": [0, 1, 0]}]) == ["[0].contexts: [0, 1, 0] names something twice"]
