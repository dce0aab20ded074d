"""The judge of gateway dispatches: what Discord sends passes, what is unlike it is named."""

from __future__ import annotations

import pytest

from .discord.dispatch_rules import MINIMAL
from .discord.judge import Judge
from .discord.schemas import EVENTS, FOLDER, documents
from .dispatched import (
    ACCEPTED,
    IN_GUILD,
    JOINED,
    MEMBER,
    MESSAGE,
    PRESENCE,
    REACTION,
    READY,
    STATE,
    TEXT,
    THREAD,
    USER,
    VOICE,
    WHOLE,
    Body,
)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="Discord's documents are not beside the project")


@pytest.fixture
def judge() -> Judge:
    """A judge without findings."""
    found = Judge.load()
    assert found is not None
    return found


def without(body: Body, *names: str) -> Body:
    """The body, some fields gone."""
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(("event", "data"), ACCEPTED)
def test_a_dispatch_as_discord_sends_it_passes(judge: Judge, event: str, data: Body) -> None:
    assert judge.dispatch(event, data) == []
    assert judge.unknown == []


@pytest.mark.parametrize(
    ("event", "data", "said"),
    [
        ("MESSAGE_CREATE", without(MESSAGE, "author"), ["'author' is a required property"]),
        ("MESSAGE_CREATE", MESSAGE | {"id": 100}, ["id: 100 is not string"]),
        ("MESSAGE_CREATE", MESSAGE | {"id": "x"}, ["id: 'x' does not match ^(0|[1-9][0-9]*)$"]),
        ("MESSAGE_CREATE", MESSAGE | {"timestamp": "now"}, ["timestamp: 'now' is not a date-time"]),
        (
            "MESSAGE_CREATE",
            without(MESSAGE, "member"),
            ["a message in a guild that no webhook wrote has its author's member"],
        ),
        (
            "MESSAGE_CREATE",
            MESSAGE | {"webhook_id": "3"},
            ["a webhook's message has no member"],
        ),
        ("MESSAGE_CREATE", MESSAGE | {"type": 19}, ["a reply refers to a message"]),
        ("MESSAGE_CREATE", MESSAGE | {"flags": 64}, ["an ephemeral message names neither guild nor member"]),
        ("MESSAGE_DELETE_BULK", {"ids": ["1", "1"], "channel_id": "10"}, ["a message is deleted twice"]),
        (
            "MESSAGE_REACTION_ADD",
            REACTION,
            ["'member' is missing: discord.py, or the documentation, counts on it"],
        ),
        (
            "MESSAGE_REACTION_ADD",
            REACTION | {"member": WHOLE, "user_id": "9"},
            ["member is another person than user_id"],
        ),
        ("MESSAGE_REACTION_REMOVE", without(REACTION, "type"), ["'type' is a required property"]),
        (
            "PRESENCE_UPDATE",
            PRESENCE | {"status": "invisible"},
            ["status: 'invisible' is none of ['online', 'dnd', 'idle', 'offline']"],
        ),
        (
            "PRESENCE_UPDATE",
            without(PRESENCE, "activities"),
            ["'activities' is missing: discord.py, or the documentation, counts on it"],
        ),
        (
            "VOICE_STATE_UPDATE",
            without(STATE | IN_GUILD | {"member": WHOLE}, "channel_id"),
            ["'channel_id' is a required property"],
        ),
        (
            "VOICE_STATE_UPDATE",
            STATE | IN_GUILD | {"member": MEMBER},
            ["member: 'user' is a required property", "member has no user"],
        ),
        ("CHANNEL_CREATE", TEXT | IN_GUILD | {"type": 99}, ["type 99 is none of those allowed here"]),
        (
            "CHANNEL_UPDATE",
            without(VOICE, "bitrate") | IN_GUILD,
            ["'bitrate' is missing: discord.py, or the documentation, counts on it"],
        ),
        (
            "THREAD_UPDATE",
            without(THREAD, "thread_metadata") | IN_GUILD,
            ["'thread_metadata' is missing: discord.py, or the documentation, counts on it"],
        ),
        (
            "GUILD_CREATE",
            JOINED | {"voice_states": [STATE | {"channel_id": None}]},
            ["voice_states are of people who are in a channel"],
        ),
        (
            "GUILD_CREATE",
            JOINED | {"threads": [without(THREAD, "owner_id")]},
            ["a thread lacks owner_id: discord.py counts on them"],
        ),
        (
            "GUILD_CREATE",
            JOINED | {"channels": [without(VOICE, "user_limit")]},
            ["voice channels have bitrate and user_limit: discord.py counts on them"],
        ),
        ("GUILD_CREATE", without(JOINED, "hub_type"), ["'hub_type' is a required property"]),
        (
            "GUILD_MEMBERS_CHUNK",
            {"members": [WHOLE] * 1001, "chunk_index": 1, "chunk_count": 1} | IN_GUILD,
            ["more than 1000 members in one chunk", "chunk_index is not below chunk_count"],
        ),
        (
            "READY",
            READY | {"guilds": [{"id": "2", "unavailable": False}]},
            ["guilds start out unavailable, GUILD_CREATE brings them"],
        ),
        (
            "READY",
            READY | {"application": {"id": "8", "flags": 0}},
            ["application: 'flags_new' is a required property"],
        ),
        ("RATE_LIMITED", {"opcode": 8, "retry_after": 1, "meta": {}}, ["meta: 'guild_id' is a required property"]),
        ("INVENTED", {}, ["no such dispatch is known, neither to the schema nor to our own rules: INVENTED"]),
    ],
)
def test_a_dispatch_unlike_discords_is_named(judge: Judge, event: str, data: Body, said: list[str]) -> None:
    assert judge.dispatch(event, data) == said


def test_a_webhooks_message_and_an_interactions_reply_pass(judge: Judge) -> None:
    reply = {"webhook_id": "8", "application_id": "8", "type": 20}

    assert judge.dispatch("MESSAGE_CREATE", without(MESSAGE, "member") | {"webhook_id": "3"}) == []
    assert judge.dispatch("MESSAGE_CREATE", MESSAGE | reply) == []


def test_each_dispatch_of_the_schema_and_of_ours_can_be_judged(judge: Judge) -> None:
    known = documents(FOLDER)
    assert known is not None

    silent = [event for event in known.gateway.document.at(EVENTS) if judge.dispatch(event, None) == []]

    assert silent == []
    assert len(known.gateway.document.at(EVENTS)) == 29 + len(MINIMAL)


def test_what_only_our_own_rules_judged_is_noted_once(judge: Judge) -> None:
    judge.dispatch("USER_UPDATE", USER)
    judge.dispatch("USER_UPDATE", USER)
    judge.dispatch("MESSAGE_CREATE", MESSAGE)

    assert judge.notes == ["USER_UPDATE: judged by our own minimal rules, the schema does not know it"]


def test_unknown_fields_of_dispatches_are_collected_and_violate_nothing(judge: Judge) -> None:
    guild = JOINED | {"members": [WHOLE, WHOLE | {"ghost": 1}], "geo_restricted": False}

    assert judge.dispatch("GUILD_CREATE", guild) == []
    assert judge.dispatch("MESSAGE_CREATE", MESSAGE | {"author": USER | {"clan": None}}) == []
    assert judge.unknown == [
        "GUILD_CREATE: members[].ghost",
        "GUILD_CREATE: geo_restricted",
        "MESSAGE_CREATE: author.clan",
    ]


def test_thousands_of_wrong_members_are_a_few_sentences(judge: Judge) -> None:
    wrong = {"members": [without(WHOLE, "roles")] * 1000, "chunk_index": 0, "chunk_count": 1} | IN_GUILD

    found = judge.dispatch("GUILD_MEMBERS_CHUNK", wrong)

    assert found[:2] == ["members[0]: 'roles' is a required property", "members[1]: 'roles' is a required property"]
    assert found[20:] == ["and 980 more"]
