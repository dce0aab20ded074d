"""Who may publish and hear what through the embedded broker, and that no reply subject gets anybody further."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

import nats.errors
import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.micro import add_service
from nats.micro.service import EndpointConfig, GroupConfig, ServiceConfig

from scripts.broker_conf import KEYLESS
from tests.brokers import Brokers
from userstats.contract.broker import ROLES, asked_from

EVENT = "chat.v1.event.{}.a.b.MessageSent"
FORGED = "chat.v1.event.cytube.forged.b.MessageSent"

PUBLISHED = (
    EVENT.format("cytube"), EVENT.format("demo"), EVENT.format("discord"), EVENT.format("userstats"),
    EVENT.format("unreadable"),
    "chat.v1.dlq.json", "chat.v1.api.STREAM.INFO.CHAT",
    "userstats.v1.query.settings.for_bridge", "userstats.v1.query.consent.list", "userstats.v1.query.link.confirm",
    "userstats.v1.query.consent.set", "userstats.v1.query.alias.add", "$SRV.PING",
    "$KV.chat_leases.cytube.a.b", "$KV.chat_leases.demo.a.b", "$KV.kryten_x_userlist.users",
    "$JS.API.STREAM.INFO.CHAT", "$JS.API.STREAM.MSG.DELETE.CHAT", "$JS.API.STREAM.CREATE.X",
    "$JS.API.STREAM.PURGE.CHAT", "$JS.API.CONSUMER.CREATE.CHAT.x", "$JS.API.CONSUMER.MSG.NEXT.CHAT.x",
    "kryten.userstats.command", "kryten.events.cytube.x.chatmsg", "cytube.query.userstats.cytu.be.system.stats",
    "_INBOX.x", "_INBOX_userstats.x", "_INBOX_kryten.x", "_R_.x", "$SYS.REQ.SERVER.PING", "anything.else",
)  # fmt: skip

HEARD = (
    ">", "chat.v1.event.>", "chat.v1.dlq.>", "userstats.v1.query.>", "$SRV.>", "$JS.EVENT.ADVISORY.>", "$SYS.>",
    "$KV.>", "kryten.>", "cytube.query.userstats.>", "_INBOX.>", "_INBOX_userstats.>", "_R_.>",
)  # fmt: skip

READS = {"$JS.API.STREAM.INFO.CHAT", "$JS.API.CONSUMER.CREATE.CHAT.x", "$JS.API.CONSUMER.MSG.NEXT.CHAT.x"}
JETSTREAM = {subject for subject in PUBLISHED if subject.startswith("$JS.API")}
KRYTEN = {"kryten.userstats.command", "kryten.events.cytube.x.chatmsg"}
SETTINGS = {"userstats.v1.query.settings.for_bridge", "userstats.v1.query.consent.list"}
LINKING = {"userstats.v1.query.link.confirm"}
QUESTIONS = SETTINGS | LINKING | {"userstats.v1.query.alias.add", "userstats.v1.query.consent.set"}
CYTUBE = {EVENT.format("cytube"), "$KV.chat_leases.cytube.a.b", "chat.v1.api.STREAM.INFO.CHAT"} | SETTINGS

MAY_PUBLISH: dict[str, set[str]] = {
    "userstats": READS | {"chat.v1.dlq.json", "$JS.API.STREAM.MSG.DELETE.CHAT"},
    "recorder": {EVENT.format("userstats")},
    "gateway": {EVENT.format(platform) for platform in ("cytube", "demo", "discord", "unreadable")},
    "provision": {subject for subject in JETSTREAM if "STREAM" in subject},
    "bridge_cytube": CYTUBE | LINKING,
    "bridge_kryten": CYTUBE,
    "bridge_demo": {EVENT.format("demo"), "$KV.chat_leases.demo.a.b", "chat.v1.api.STREAM.INFO.CHAT"} | SETTINGS,
    "bridge_discord": {EVENT.format("discord"), "chat.v1.api.STREAM.INFO.CHAT"} | QUESTIONS,
    "client": QUESTIONS | {"$SRV.PING"},
    "kryten": KRYTEN | JETSTREAM,
    KEYLESS: KRYTEN | JETSTREAM | QUESTIONS | {
        "$KV.chat_leases.cytube.a.b", "$KV.chat_leases.demo.a.b", "$KV.kryten_x_userlist.users",
        "cytube.query.userstats.cytu.be.system.stats", "_INBOX.x", "_INBOX_kryten.x",
    },
}  # fmt: skip

MAY_HEAR: dict[str, set[str]] = {role: set() for role in ROLES} | {
    "userstats": {"userstats.v1.query.>", "$SRV.>", "_INBOX_userstats.>"},
    "kryten": {"kryten.>", "cytube.query.userstats.>"},
    KEYLESS: {"kryten.>", "_INBOX.>"},
}

DENIED = re.compile(r'permissions violation for (?:publish|subscription) to "([^"]+)"', re.IGNORECASE)


class Ear:
    """The subjects that the server has denied to one connection."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def __call__(self, error: Exception) -> None:
        self.errors.append(error)

    async def later(self, error: Exception) -> None:
        self.errors.append(error)

    def left_of(self, subjects: Iterable[str]) -> set[str]:
        """Those of these subjects that were not denied (nats-py tells errors in lower case)."""
        denied = {match[1] for error in self.errors if (match := DENIED.search(str(error)))}
        return {subject for subject in subjects if subject.lower() not in denied}


async def joined(broker: Brokers, role: Any, ear: Ear) -> Client:
    return await (broker.keyless(error_cb=ear.later) if role == KEYLESS else broker.connect(role, on_error=ear))


async def settled(client: Client) -> None:
    """Everything said so far has been heard: one flush may overtake what waits to be written."""
    await client.flush()
    await client.flush()


@pytest.mark.parametrize("role", [*ROLES, KEYLESS])
async def test_each_role_may_publish_exactly_this(fresh_broker: Brokers, role: str) -> None:
    ear = Ear()
    client = await joined(fresh_broker, role, ear)
    for subject in PUBLISHED:
        await client.publish(subject, b"")
    await settled(client)
    assert ear.left_of(PUBLISHED) == MAY_PUBLISH[role]


@pytest.mark.parametrize("role", [*ROLES, KEYLESS])
async def test_each_role_may_hear_exactly_this(broker: Brokers, role: str) -> None:
    ear = Ear()
    client = await joined(broker, role, ear)
    for subject in HEARD:
        await client.subscribe(subject)
    await settled(client)
    assert ear.left_of(HEARD) == MAY_HEAR[role]


async def stored(broker: Brokers) -> dict[str, int]:
    """How many messages the event stream holds, by subject."""
    provision = await broker.connect("provision")
    async with asyncio.timeout(5):
        info = await provision.jetstream().stream_info("CHAT", subjects_filter=">")
    return info.state.subjects or {}


async def answering(client: Client, subject: str) -> list[Msg]:
    """Answer every request there; what was asked is in the list."""
    asked: list[Msg] = []

    async def answer(message: Msg) -> None:
        asked.append(message)
        if message.reply:
            await message.respond(b'{"success":true}')

    await client.subscribe(subject, cb=answer)
    await settled(client)
    return asked


async def test_a_bridge_appends_singly_and_in_atomic_batches(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    subject = EVENT.format("demo")
    one = await bridge.jetstream().publish(subject, b"1", headers={"Nats-Msg-Id": "p:1"})
    again = await bridge.jetstream().publish(subject, b"1", headers={"Nats-Msg-Id": "p:1"})
    batch = {"Nats-Batch-Id": uuid.uuid4().hex}
    await bridge.publish(subject, b"2", headers=batch | {"Nats-Batch-Sequence": "1", "Nats-Msg-Id": "p:2"})
    last = batch | {"Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1", "Nats-Msg-Id": "p:3"}
    committed = await bridge.jetstream().publish(subject, b"3", headers=last)
    assert (one.seq, one.duplicate, again.seq, again.duplicate) == (1, None, 1, True)
    assert (committed.seq, committed.batch_size) == (3, 2)
    assert await stored(fresh_broker) == {subject: 3}


async def test_an_event_at_the_wrong_depth_is_not_stored(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    with pytest.raises((nats.js.errors.NoStreamResponseError, nats.errors.TimeoutError)):
        await bridge.jetstream().publish("chat.v1.event.demo.a.b.c.MessageSent", b"1", timeout=0.3)
    assert await stored(fresh_broker) == {}


async def test_the_recorder_appends_changes(fresh_broker: Brokers) -> None:
    recorder = await fresh_broker.connect("recorder")
    acknowledged = await recorder.jetstream().publish(EVENT.format("userstats"), b"1")
    assert acknowledged.seq == 1


async def test_no_reply_subject_carries_a_bridge_into_another_platform(fresh_broker: Brokers) -> None:
    """PubAcks, lease values, stream answers and replies of userstats would all be written where the reply points."""
    userstats = await fresh_broker.connect("userstats")
    asked = await answering(userstats, "userstats.v1.query.>")
    bridge = await fresh_broker.connect("bridge_demo")
    lease = "$KV.chat_leases.demo.a.b"
    for subject in (
        EVENT.format("demo"),
        lease,
        f"{bridge.api}.DIRECT.GET.KV_chat_leases.{lease}",
        f"{bridge.api}.STREAM.INFO.KV_chat_leases",
        f"{bridge.api}.STREAM.INFO.CHAT",
        "userstats.v1.query.settings.for_bridge",
    ):
        await bridge.publish(subject, b"", reply=FORGED)
        await settled(bridge)
    await bridge.jetstream().publish(EVENT.format("demo"), b"after all that")
    await settled(userstats)
    assert [message.subject for message in asked] == ["userstats.v1.query.settings.for_bridge"]
    assert await stored(fresh_broker) == {EVENT.format("demo"): 2}


@pytest.mark.parametrize("role", ["client", KEYLESS])
async def test_no_reply_subject_of_a_question_makes_userstats_write_an_event(fresh_broker: Brokers, role: str) -> None:
    userstats = await fresh_broker.connect("userstats")
    asked = await answering(userstats, "userstats.v1.query.>")
    client = await joined(fresh_broker, role, Ear())
    await client.publish("userstats.v1.query.user.stats", b"{}", reply=FORGED)
    assert (await client.request("userstats.v1.query.user.stats", b"{}")).data == b'{"success":true}'
    assert len(asked) == 2
    assert await stored(fresh_broker) == {}


async def test_a_bridge_takes_keeps_and_loses_leases_of_its_platform_only(fresh_broker: Brokers) -> None:
    ear = Ear()
    bridge = await fresh_broker.connect("bridge_kryten", on_error=ear)
    leases = await bridge.jetstream(prefix=bridge.api, timeout=0.3).key_value("chat_leases")
    revision = await leases.create("cytube.cytu=2Ebe.room", b"me", msg_ttl=30)
    with pytest.raises(nats.js.errors.KeyWrongLastSequenceError):
        await leases.create("cytube.cytu=2Ebe.room", b"another")
    held = await leases.get("cytube.cytu=2Ebe.room")
    assert (held.value, held.revision) == (b"me", revision)
    await leases.delete("cytube.cytu=2Ebe.room", last=revision)
    with pytest.raises(nats.js.errors.KeyNotFoundError):
        await leases.get("cytube.cytu=2Ebe.room")
    with pytest.raises(nats.errors.TimeoutError):
        await leases.put("demo.a.b", b"me")
    assert ear.left_of(["$KV.chat_leases.demo.a.b", "$KV.chat_leases.cytube.a.b"]) == {"$KV.chat_leases.cytube.a.b"}


async def test_a_denied_request_is_told_at_once_by_the_error_callback(
    broker: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    denied: asyncio.Queue[Exception] = asyncio.Queue()
    recorder = await broker.connect("recorder", on_error=denied.put_nowait)
    publishing = asyncio.ensure_future(recorder.jetstream().publish(EVENT.format("demo"), b"", timeout=60))
    error = await asyncio.wait_for(denied.get(), 10)
    publishing.cancel()
    assert "permissions violation" in str(error)
    assert "recorder: nats: permissions violation" in caplog.text


async def test_clients_reach_a_service_and_nats_micro_lists_it(fresh_broker: Brokers) -> None:
    services = []
    for _ in range(2):
        userstats = await fresh_broker.connect("userstats")
        service = await add_service(userstats, ServiceConfig(name="userstats", version="1.0.0"))

        async def answer(request: Any) -> None:
            await request.respond(b"answered " + request.data)

        group = service.add_group(GroupConfig(name="userstats.v1.query"))
        await group.add_endpoint(EndpointConfig(name="top", subject="leaderboard.kudos", handler=answer))
        await settled(userstats)
        services.append(service)
    client = await fresh_broker.connect("client")
    assert (await client.request("userstats.v1.query.leaderboard.kudos", b"me")).data == b"answered me"
    inbox = client.new_inbox()
    replies = await client.subscribe(inbox)
    pongs = []
    for verb in ("$SRV.PING", "$SRV.INFO.userstats"):
        await client.publish(verb, b"", reply=inbox)
        pongs += [json.loads((await replies.next_msg(timeout=5)).data) for _ in services]
    assert {(pong["type"], pong["name"], pong["id"]) for pong in pongs} == {
        (f"io.nats.micro.v1.{kind}_response", "userstats", service.id)
        for service in services
        for kind in ("ping", "info")
    }
    for service in services:
        await service.stop()


async def test_userstats_is_told_which_account_asks_and_nobody_can_say_otherwise(fresh_broker: Brokers) -> None:
    userstats = await fresh_broker.connect("userstats")
    asked = await answering(userstats, "userstats.v1.query.>")
    lie = {"Nats-Request-Info": '{"acc":"CHAT"}'}
    question = "userstats.v1.query.settings.for_bridge"
    for role in ("bridge_demo", "client", KEYLESS):
        client = await joined(fresh_broker, role, Ear())
        await client.request(question, b"{}")
        await client.request(question, b"{}", headers=lie)
    assert [asked_from(message.headers) for message in asked] == ["BRIDGES"] * 2 + ["CLIENTS"] * 2 + ["KRYTEN"] * 2

    keyless = await fresh_broker.keyless()
    bucket = await keyless.jetstream().create_key_value(bucket="kryten_x_state", direct=True)
    await keyless.request("$KV.kryten_x_state.motd", b"{}", headers=lie)
    await keyless.publish("$JS.API.DIRECT.GET.KV_kryten_x_state.$KV.kryten_x_state.motd", b"", reply=question)
    await bucket.get("motd")
    await keyless.request(question, b"{}")
    assert [asked_from(message.headers) for message in asked[6:]] == ["KRYTEN"] * 2


def test_headers_that_say_nothing_of_an_account_name_none() -> None:
    said: list[dict[str, str] | None] = [None, {}] + [
        {"Nats-Request-Info": text} for text in ("", "[]", "{", '{"acc":1}', '{"user":"x"}', "[" * 100_000)
    ]
    assert [asked_from(headers) for headers in said] == [""] * len(said)


async def test_kryten_needs_no_key_and_sees_nothing_of_the_chat(fresh_broker: Brokers) -> None:
    service = await fresh_broker.connect("kryten")
    commands = await answering(service, "kryten.userstats.command")
    old = await answering(service, "cytube.query.userstats.>")
    events = await answering(service, "kryten.events.cytube.x.>")
    robot = await fresh_broker.keyless()
    await robot.publish("kryten.events.cytube.x.chatmsg", b"{}")
    assert (await robot.request("kryten.userstats.command", b"{}")).data == b'{"success":true}'
    assert (await robot.request("cytube.query.userstats.cytu.be.system.stats", b"")).data == b'{"success":true}'
    assert [message.subject for message in [*commands, *old, *events]] == [
        "kryten.userstats.command",
        "cytube.query.userstats.cytu.be.system.stats",
        "kryten.events.cytube.x.chatmsg",
    ]
    with pytest.raises(nats.js.errors.NotFoundError):
        await robot.jetstream().stream_info("CHAT")
    with pytest.raises(nats.js.errors.BucketNotFoundError):
        await robot.jetstream().key_value("chat_leases")


async def test_kryten_keeps_its_buckets_and_userstats_reads_and_watches_them(fresh_broker: Brokers) -> None:
    robot = await fresh_broker.keyless()
    written = await robot.jetstream().create_key_value(bucket="kryten_420Grindhouse_userlist", max_value_size=1024**2)
    await written.put("users", b'[{"name":"Alice"}]')
    assert (await written.get("users")).value == b'[{"name":"Alice"}]'
    service = await fresh_broker.connect("kryten")
    read = await service.jetstream().key_value("kryten_420Grindhouse_userlist")
    assert (await read.get("users")).value == b'[{"name":"Alice"}]'
    watcher: Any = await read.watch("users")
    assert (await watcher.updates(timeout=5)).value == b'[{"name":"Alice"}]'
    await watcher.stop()
    big = b"x" * 700_000
    await written.put("users", big)
    assert (await read.get("users")).value == big


async def test_userstats_reads_the_events_from_any_position_and_removes_a_name(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    for n in range(1, 4):
        await bridge.jetstream().publish(EVENT.format("demo"), b"%d" % n)
    userstats = await fresh_broker.connect("userstats")
    js: JetStreamContext = userstats.jetstream()
    cursor = {
        "deliver_policy": "by_start_sequence", "opt_start_seq": 2, "ack_policy": "none",
        "mem_storage": True, "inactive_threshold": 30_000_000_000, "name": "c1",
    }  # fmt: skip
    await userstats.request(
        "$JS.API.CONSUMER.CREATE.CHAT.c1", json.dumps({"stream_name": "CHAT", "config": cursor}).encode()
    )
    inbox = userstats.new_inbox()
    pulled = await userstats.subscribe(inbox)
    await userstats.publish("$JS.API.CONSUMER.MSG.NEXT.CHAT.c1", b'{"batch":2}', reply=inbox)
    assert [(await pulled.next_msg(timeout=5)).data for _ in range(2)] == [b"2", b"3"]
    assert (await js.get_msg("CHAT", 1, direct=True)).data == b"1"
    assert await js.delete_msg("CHAT", 1)
    assert (await js.stream_info("CHAT")).state.first_seq == 2
    assert (await js.publish("chat.v1.dlq.json", b"{}")).stream == "DLQ"
