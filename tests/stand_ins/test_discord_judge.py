"""The judge of Discord's REST interface: every documented limit bites, and what unmodified discord.py sends passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import ui

from .discord.judge import Judge
from .discord.schemas import FOLDER

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="Discord's documents are not beside the project")

Body = dict[str, Any]
MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
FOLLOW_UP = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = f"{FOLLOW_UP}/messages/@original"
CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
BUTTON = {"type": 2, "style": 1, "label": "press", "custom_id": "a"}


@pytest.fixture
def judge() -> Judge:
    """A judge without findings."""
    found = Judge.load()
    assert found is not None
    return found


def button(**changed: object) -> Body:
    """A button, some of it changed; None takes a field away."""
    return {key: value for key, value in (BUTTON | changed).items() if value is not None}


def row(*components: Body) -> Body:
    """An action row."""
    return {"type": 1, "components": list(components)}


def select(*values: str, custom_id: str = "s", **more: object) -> Body:
    """A menu of texts."""
    options = [{"label": value, "value": value} for value in values]
    return {"type": 3, "custom_id": custom_id, "options": options, **more}


def text_input(custom_id: str = "t", **more: object) -> Body:
    """A field of a modal."""
    return {"type": 4, "custom_id": custom_id, "style": 1, "label": "Name", **more}


def modal(*components: Body, title: str = "Form") -> Body:
    """A reply that opens a form."""
    return {"type": 9, "data": {"custom_id": "m", "title": title, "components": list(components)}}


def choices(*names: object, value: object = "v") -> Body:
    """A reply to autocompletion."""
    return {"type": 8, "data": {"choices": [{"name": name, "value": value} for name in names]}}


def test_nothing_is_loaded_where_the_documents_are_absent(tmp_path: Path) -> None:
    assert Judge.load(tmp_path / "absent") is None


@pytest.mark.parametrize(
    "body",
    [
        {"content": "hi"},
        {"content": "x" * 2000, "embeds": [{"description": "d" * 4096}, {"description": "d" * 1904}]},
        {"embeds": [{"title": "t", "fields": [{"name": "n", "value": "v"}] * 25}] * 10},
        {"content": "hi", "components": [row(*[button(custom_id=f"{r}.{b}") for b in range(5)]) for r in range(5)]},
        {"content": "hi", "components": [row(select("a", "b", min_values=0, max_values=2))]},
        {"content": "hi", "components": [row(button(style=5, url="https://example.org", custom_id=None))]},
        {"content": "hi", "allowed_mentions": {"parse": [], "users": [1], "replied_user": False}},
        {"sticker_ids": ["1"]},
        {"message_reference": {"type": 1, "message_id": "1", "channel_id": "2"}},
        {"flags": 1 << 15, "components": [{"type": 10, "content": "text"}]},
    ],
)
def test_an_allowed_message_passes(judge: Judge, body: Body) -> None:
    assert judge.request("POST", MESSAGES, body) == []
    assert judge.unknown == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"content": "x" * 2001}, "content: 2001 characters, at most 2000 are allowed"),
        ({}, "an empty message"),
        ({"content": " \n"}, "an empty message"),
        ({"content": "hi", "flags": 1}, "flags: 1 cannot be set"),
        ({"embeds": [{"title": "t" * 257}]}, "embeds[0].title: 257 characters, at most 256 are allowed"),
        ({"embeds": [{"title": "t"}] * 11}, "embeds: 11 items, at most 10 are allowed"),
        (
            {"embeds": [{"title": "t", "fields": [{"name": "n", "value": "v"}] * 26}]},
            "embeds[0].fields: 26 items, at most 25 are allowed",
        ),
        (
            {"embeds": [{"description": "d" * 3000}, {"description": "d" * 3001}]},
            "embeds: 6001 characters in all of them, at most 6000 are allowed",
        ),
        ({"embeds": [{"color": 3}]}, "embeds[0]: an empty embed"),
        ({"embeds": [{"fields": [{"name": "n", "value": " "}]}]}, "embeds[0].fields[0].value: empty"),
        ({"embeds": [{"fields": [{"name": "", "value": "v"}]}]}, "embeds[0].fields[0].name: empty"),
        ({"embeds": [{"title": "t", "footer": {"text": ""}}]}, "embeds[0].footer.text: empty"),
        ({"embeds": [{"title": "t", "author": {"url": "https://a.org"}}]}, "embeds[0].author.name: empty"),
        (
            {"embeds": [{"title": "t", "timestamp": "yesterday"}]},
            "embeds[0].timestamp: 'yesterday' is not a date-time",
        ),
        ({"embeds": [{"title": "t", "url": "nowhere"}]}, "embeds[0].url: 'nowhere' is not a uri"),
        (
            {"embeds": [{"title": "t", "image": {"url": "ftp://a.org/b"}}]},
            "embeds[0].image.url: only http, https and attachment are supported",
        ),
        ({"embeds": [{"title": "t", "url": "ftp://a.org/b"}]}, "embeds[0].url: only http, https are supported"),
        (
            {"content": "hi", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            "allowed_mentions: 'users' both in parse and as a list",
        ),
        ({"content": "hi", "nonce": "n" * 26}, "nonce: 26 characters, at most 25 are allowed"),
    ],
)
def test_a_message_beyond_a_limit_is_refused(judge: Judge, body: Body, said: str) -> None:
    found = judge.request("POST", MESSAGES, body)

    assert said in found
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ([row(button(custom_id=str(n))) for n in range(6)], "components: 6 rows, at most 5 are allowed"),
        ([row(button()), row(button())], "components: custom_id 'a' is used 2 times"),
        ([row(button(id=7), button(custom_id="b", id=7))], "components: id 7 is used 2 times"),
        (
            [row(*[button(custom_id=str(n)) for n in range(6)])],
            "components[0].components: 6 items, at most 5 are allowed",
        ),
        ([row(button(), select("a"))], "components: a row holds up to five buttons or one select"),
        ([row(select("a"), select("b", custom_id="t"))], "components: a row holds up to five buttons or one select"),
        ([row(button(label="x" * 81))], "components[0].components[0].label: 81 characters, at most 80 are allowed"),
        (
            [row(button(custom_id="x" * 101))],
            "components[0].components[0].custom_id: 101 characters, at most 100 are allowed",
        ),
        ([row(button(custom_id=None))], "components: a button of style 1 needs custom_id"),
        ([row(button(style=5, custom_id=None))], "components: a button of style 5 needs url"),
        ([row(button(style=5, url="https://a.org"))], "components: a button of style 5 has no custom_id"),
        (
            [row(button(style=6, sku_id="1", custom_id=None))],
            "components: a premium button has neither label nor emoji",
        ),
        ([row(button(label=None))], "components: a button needs a label or an emoji"),
        ([row(button(type=99))], "components[0].components[0]: type 99 is none of those allowed here"),
        (
            [row(select(*[str(n) for n in range(26)]))],
            "components[0].components[0].options: 26 items, at most 25 are allowed",
        ),
        ([row(select("a", "a"))], "components: two options of a select have the same value"),
        ([row(select("a", max_values=2))], "components: max_values is 2 and there are 1 options"),
        ([row(select("a", "b", min_values=2))], "components: min_values is more than max_values"),
        (
            [row({**select(), "options": [{"label": n, "value": n, "default": True} for n in "ab"]})],
            "components: more defaults than max_values",
        ),
        ([{"type": 10, "content": "text"}], "components: outside of rows they need the flag IS_COMPONENTS_V2"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", MESSAGES), ("PATCH", MESSAGE), ("POST", FOLLOW_UP), ("PATCH", ORIGINAL)]
)
def test_components_beyond_a_limit_are_refused(
    judge: Judge, method: str, path: str, components: list[Body], said: str
) -> None:
    assert judge.request(method, path, {"content": "hi", "components": components}) == [said]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"content": "hi", "components": [{"type": 10, "content": "t"}]}, "content: not with components V2"),
        (
            {"components": [{"type": 10, "content": "t"}] * 41},
            "components: 41 in all, at most 40 are allowed",
        ),
        (
            {"components": [{"type": 10, "content": "t" * 2001}] * 2},
            "components: 4002 characters of text, at most 4000 are allowed",
        ),
    ],
)
def test_components_v2_have_their_own_limits(judge: Judge, body: Body, said: str) -> None:
    assert said in judge.request("POST", MESSAGES, body | {"flags": 1 << 15})


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"type": 4, "data": {"content": "hi", "flags": 64}}, []),
        ({"type": 5}, []),
        ({"type": 5, "data": {"flags": 64}}, []),
        ({"type": 6}, []),
        ({"type": 7, "data": {"components": []}}, []),
        (choices("a"), []),
        (choices(*map(str, range(25)), value=3), []),
        ({"type": 8, "data": {"choices": []}}, []),
        (modal(row(text_input())), []),
        (modal({"type": 18, "label": "Name", "component": text_input(label=None)}), []),
        ({"type": 4, "data": {}}, ["an empty message"]),
        ({"type": 4}, ["an empty message"]),
        ({"type": 3}, ["type 3 is none of those allowed here"]),
        ({"type": 5, "data": {"flags": 1 << 15}}, ["a deferred reply may only be flagged ephemeral"]),
        (choices("a", value="v" * 101), ["a choice's value has 101 characters, at most 100 are allowed"]),
        (modal(row(text_input()), title="t" * 46), ["data.title: 46 characters, at most 45 are allowed"]),
        (modal(row(text_input()), row(text_input())), ["components: custom_id 't' is used 2 times"]),
        (
            modal(*[row(text_input(str(n))) for n in range(6)]),
            ["components: 6 in a modal, at most 5 are allowed"],
        ),
        (modal(row(text_input("a"), text_input("b"))), ["components: a row of a modal holds one text input"]),
        (modal(row(text_input(label=None))), ["components: a text input in a row has a label"]),
        (modal(row(text_input(min_length=3, max_length=2))), ["components: min_length is more than max_length"]),
        (
            modal({"type": 18, "label": "Pick", "component": select("a", disabled=True)}),
            ["components: nothing in a modal can be disabled"],
        ),
    ],
)
def test_a_reply_to_an_interaction(judge: Judge, body: Body, found: list[str]) -> None:
    assert judge.request("POST", CALLBACK, body) == found


def test_too_many_or_too_long_choices_are_refused(judge: Judge) -> None:
    assert "26 choices, at most 25 are allowed" in judge.request("POST", CALLBACK, choices(*map(str, range(26))))
    assert "a choice's name has 101 characters, 1 to 100 are allowed" in judge.request(
        "POST", CALLBACK, choices("n" * 101)
    )


def test_a_file_alone_is_a_message(judge: Judge) -> None:
    body = {"attachments": [{"id": 0, "filename": "a.png"}]}

    assert judge.request("POST", FOLLOW_UP, body, content_type="multipart/form-data; boundary=x") == []
    assert judge.request("POST", FOLLOW_UP, {}, content_type="multipart/form-data") == []


def test_a_snowflake_may_be_an_integer_in_requests_only(judge: Judge) -> None:
    body = {"recipient_id": 80351110224678912}
    user = {"id": 80351110224678912, "username": "amy", "avatar": None, "discriminator": "0", "global_name": None}
    answer = user | {"public_flags": 0, "flags": 0, "mfa_enabled": True, "locale": "en-US"}

    assert judge.request("POST", "/users/@me/channels", body) == []
    assert judge.response("GET", "/users/@me", 200, answer) == ["id: 80351110224678912 is not string"]
    assert judge.response("GET", "/users/@me", 200, answer | {"id": "80351110224678912"}) == []


def test_a_forum_post_is_judged_as_the_message_it_is(judge: Judge) -> None:
    body = {"name": "Post", "message": {"content": "x" * 2001}}

    assert judge.request("POST", "/channels/{channel_id}/threads", body) == [
        "content: 2001 characters, at most 2000 are allowed"
    ]


def test_an_unknown_route_or_status_is_never_silent(judge: Judge) -> None:
    assert judge.request("GET", "/nowhere", None) == ["Discord documents no such route: GET /nowhere"]
    assert judge.request("TRACE", "/users/@me", None) == ["Discord documents no such route: TRACE /users/@me"]
    assert judge.response("GET", "/nowhere", 200, {}) == ["Discord documents no such route: GET /nowhere"]
    assert judge.response("GET", "/users/@me", 500, {}) == [
        "an undocumented status 500, documented are ['200', '429', '4XX']"
    ]


def test_errors_and_rate_limits_have_their_documented_shape(judge: Judge) -> None:
    error = {"message": "Unknown Interaction", "code": 10062}

    assert judge.response("POST", CALLBACK, 404, error) == []
    assert judge.response("POST", CALLBACK, 404, {"message": "Unknown Interaction"}) == [
        "'code' is a required property"
    ]
    assert judge.response("POST", CALLBACK, 429, error | {"retry_after": 0.5, "global": False}) == []
    assert judge.response("POST", CALLBACK, 429, error) == [
        "'retry_after' is a required property",
        "'global' is a required property",
    ]


def test_a_body_where_none_belongs_is_refused(judge: Judge) -> None:
    role = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"

    assert judge.request("PUT", role, None) == []
    assert judge.request("PUT", role, {}) == ["a body of application/json, documented are none"]
    assert judge.response("PUT", role, 204, None) == []
    assert judge.response("PUT", role, 204, {"ok": True}) == ["a body where none is documented"]
    assert judge.request("POST", MESSAGES, None) == ["None is not object"]
    assert judge.request("POST", "/stage-instances", None, content_type="text/plain") == [
        "a body of text/plain, documented are ['application/json']"
    ]


def test_a_query_is_judged_where_it_is_given(judge: Judge) -> None:
    assert judge.request("GET", MESSAGES, None, query={"limit": "100", "before": "5"}) == []
    assert judge.request("GET", MESSAGES, None, query={"limit": "101"}) == ["?limit: 101 is more than 100"]
    assert judge.request("POST", CALLBACK, {"type": 6}, query={"with_response": "true"}) == []
    assert judge.request("POST", CALLBACK, {"type": 6}, query={"with_response": "maybe"}) == [
        "?with_response: 'maybe' is not boolean"
    ]
    assert judge.unknown == []


def test_unknown_fields_are_collected_once_and_violate_nothing(judge: Judge) -> None:
    for _ in range(2):
        assert (
            judge.request("POST", MESSAGES, {"content": "hi", "colour": 3, "embeds": [{"title": "t", "fieldz": 1}]})
            == []
        )
        assert judge.request("POST", MESSAGES, {"content": "hi", "components": [row(button(placeholder="p"))]}) == []
        assert judge.request("GET", MESSAGES, None, query={"limits": "1"}) == []

    assert judge.unknown == [
        f"POST {MESSAGES} request: colour",
        f"POST {MESSAGES} request: embeds[].fieldz",
        f"POST {MESSAGES} request: components[].components[].placeholder",
        f"GET {MESSAGES} request: ?limits",
    ]


def test_each_judge_has_its_own_findings(judge: Judge) -> None:
    other = Judge.load()
    assert other is not None

    judge.request("POST", MESSAGES, {"content": "hi", "colour": 3})

    assert other.unknown == []
    other.request("POST", MESSAGES, {"content": "hi", "colour": 3})
    assert other.unknown == judge.unknown


def test_the_three_fields_that_discord_py_adds_are_expected(judge: Judge) -> None:
    command = {"name": "a", "description": "d", "nsfw": False}

    assert judge.request("PUT", "/applications/{application_id}/commands", [command]) == []
    assert judge.request("POST", "/applications/{application_id}/guilds/{guild_id}/commands", command) == []
    assert judge.request("POST", MESSAGES, {"embeds": [{"title": "t", "flags": 0}]}) == []
    assert judge.request("PATCH", ORIGINAL, {"content": "hi", "tts": False}) == []
    assert judge.unknown == []


async def test_what_discord_py_sends_passes_without_an_unknown_field(judge: Judge) -> None:
    embed = discord.Embed(title="t", description="d", url="https://a.org", timestamp=discord.utils.utcnow(), colour=3)
    embed.add_field(name="n", value="v").set_footer(text="f").set_author(name="a").set_image(url="attachment://a.png")
    view = ui.View()
    view.add_item(ui.Button(label="b", custom_id="b")).add_item(ui.Button(label="l", url="https://a.org"))
    view.add_item(ui.Select(custom_id="s", options=[discord.SelectOption(label="o", value="v")]))
    view.add_item(ui.UserSelect(custom_id="u"))
    file = discord.File(__file__, "a.png")
    quiet = discord.AllowedMentions.none()
    sent = discord.http.handle_message_parameters("hi", embed=embed, view=view, allowed_mentions=quiet).payload
    parts = discord.http.handle_message_parameters("hi", embed=embed, file=file).multipart
    assert parts is not None
    with_file = json.loads(parts[0]["value"])

    class Form(ui.Modal, title="Form"):
        """A form as bridges write it."""

        name: ui.TextInput[ui.Modal] = ui.TextInput(label="Name", max_length=10)

    assert judge.request("POST", MESSAGES, sent) == []
    assert judge.request("PATCH", ORIGINAL, sent) == []
    assert judge.request("POST", FOLLOW_UP, with_file, content_type="multipart/form-data") == []
    assert judge.request("POST", CALLBACK, {"type": 9, "data": Form().to_dict()}) == []
    assert judge.unknown == []
