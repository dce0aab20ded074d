"""The streams are what they are declared to be, or somebody is told which field is not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats.js.errors
import pytest

from scripts.broker import EmbeddedBroker
from scripts.provision import CannotMend, provision
from tests.brokers import ANY_PORT, Brokers
from userstats.contract import wire
from userstats.contract.broker import NatsSettings, connect
from userstats.contract.stream import NO_SUCH_STREAM, Drift, StreamError, StreamSettings, ask, check, declared, drift

SUBJECT = "chat.v1.event.demo.a.b.MessageSent"
DAY = 24 * 3600 * 10**9


async def live(broker: Brokers, stream: str) -> dict[str, Any]:
    """The configuration as the broker has it."""
    config: dict[str, Any] = (await ask(await broker.connect("provision"), f"STREAM.INFO.{stream}"))["config"]
    return config


async def altered(broker: Brokers, stream: str, **fields: Any) -> None:
    """What somebody with the provisioning key does behind our back."""
    provisioner = await broker.connect("provision")
    await ask(provisioner, f"STREAM.UPDATE.{stream}", await live(broker, stream) | fields)


async def test_provisioning_makes_every_stream_as_declared_and_then_finds_nothing_to_do(fresh_broker: Brokers) -> None:
    settings = StreamSettings()
    found = {
        wanted["name"]: drift(wanted, await live(fresh_broker, wanted["name"]))
        for wanted in declared(settings, embedded=True)
    }
    assert found == {"CHAT": (), "DLQ": (), "KV_chat_leases": ()}
    assert await provision(await fresh_broker.connect("provision"), settings, embedded=True) == ()
    assert await check(await fresh_broker.connect("userstats"), settings, embedded=True) == ()


@pytest.mark.parametrize(
    ("stream", "field", "value", "found"),
    [
        ("CHAT", "max_age", DAY, DAY),
        ("CHAT", "max_bytes", 10**6, 10**6),
        ("CHAT", "max_msgs", 10, 10),
        ("CHAT", "max_msgs_per_subject", 10, 10),
        ("CHAT", "max_msg_size", 100, 100),
        ("CHAT", "discard", "old", "old"),
        ("CHAT", "compression", "none", "none"),
        ("CHAT", "allow_atomic", False, None),
        ("CHAT", "allow_direct", False, False),
        ("CHAT", "no_ack", True, True),
        ("CHAT", "subjects", ["chat.v1.event.demo.>"], ["chat.v1.event.demo.>"]),
        ("CHAT", "duplicate_window", 10**9, 10**9),
        ("DLQ", "max_age", DAY, DAY),
        ("DLQ", "discard", "new", "new"),
    ],
)
async def test_a_field_changed_behind_our_back_is_named_by_userstats_and_mended_by_provisioning(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture, stream: str, field: str, value: object, found: object
) -> None:
    settings = StreamSettings()
    bridge = await fresh_broker.connect("bridge_demo")
    await bridge.jetstream().publish(SUBJECT, b"kept")
    await altered(fresh_broker, stream, **{field: value})
    userstats = await fresh_broker.connect("userstats")
    wanted = next(config[field] for config in declared(settings, embedded=True) if config["name"] == stream)
    difference = Drift(stream, field, wanted, found)
    assert await check(userstats, settings, embedded=True) == (difference,)
    assert await provision(await fresh_broker.connect("provision"), settings, embedded=True) == (difference,)
    assert await check(userstats, settings, embedded=True) == ()
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == [f"{stream}.{field}: declared {json.dumps(wanted)}, found {json.dumps(found)}"]
    assert (await userstats.jetstream().get_msg("CHAT", 1)).data == b"kept"


async def test_metadata_of_others_is_left_alone(fresh_broker: Brokers) -> None:
    theirs = {"owner": "somebody", "schema": "0"}
    await altered(fresh_broker, "CHAT", metadata=(await live(fresh_broker, "CHAT"))["metadata"] | theirs)
    mended = await provision(await fresh_broker.connect("provision"), StreamSettings(), embedded=True)
    assert [(one.field, one.declared) for one in mended] == [("metadata", {"schema": "1"})]
    metadata = (await live(fresh_broker, "CHAT"))["metadata"]
    assert {"owner": "somebody", "schema": "1"}.items() <= metadata.items()


async def test_changed_settings_change_the_stream(fresh_broker: Brokers) -> None:
    settings = StreamSettings(max_age_days=30, max_bytes=10**7, duplicate_window_minutes=5, dead_max_bytes=10**6)
    mended = await provision(await fresh_broker.connect("provision"), settings, embedded=True)
    assert [(one.stream, one.field, one.declared) for one in mended] == [
        ("CHAT", "max_age", 30 * DAY),
        ("CHAT", "max_bytes", 10**7),
        ("CHAT", "duplicate_window", 300 * 10**9),
        ("DLQ", "max_bytes", 10**6),
        ("DLQ", "duplicate_window", 300 * 10**9),
    ]
    assert await check(await fresh_broker.connect("userstats"), settings, embedded=True) == ()


async def test_what_nats_never_changes_in_place_is_a_clear_error_and_nothing_is_lost(tmp_path: Path) -> None:
    async with EmbeddedBroker(ANY_PORT, tmp_path):
        client = await connect(ANY_PORT, "provision", name="test", folder=tmp_path)
        wrong = {"name": "CHAT", "subjects": ["chat.v1.event.*.*.*.*"], "storage": "memory", "max_bytes": 10**6}
        await ask(client, "STREAM.CREATE.CHAT", wrong)
        with pytest.raises(CannotMend) as refused:
            await provision(client, StreamSettings(), embedded=True)
        assert Drift("CHAT", "storage", "file", "memory") in refused.value.drifts
        assert 'CHAT.storage: declared "file", found "memory"' in str(refused.value)
        assert (await ask(client, "STREAM.INFO.CHAT"))["config"]["storage"] == "memory"
        await client.close()


async def test_userstats_is_told_that_a_stream_does_not_exist(tmp_path: Path) -> None:
    async with EmbeddedBroker(ANY_PORT, tmp_path):
        client = await connect(ANY_PORT, "userstats", name="test", folder=tmp_path)
        with pytest.raises(StreamError) as missing:
            await check(client, StreamSettings(), embedded=True)
        assert missing.value.code == NO_SUCH_STREAM
        await client.close()


async def test_a_full_stream_refuses_new_events_and_deletes_none(fresh_broker: Brokers) -> None:
    provisioner = await fresh_broker.connect("provision")
    await provision(provisioner, StreamSettings(max_bytes=200_000), embedded=True)
    bridge = await fresh_broker.connect("bridge_demo")
    js = bridge.jetstream()
    stored = 0
    with pytest.raises(nats.js.errors.APIError) as refused:  # noqa: PT012 - where exactly it is full is the server's
        while stored < 1000:
            await js.publish(SUBJECT, b"x" * 10_000)
            stored += 1
    assert refused.value.err_code == 10077
    userstats = await fresh_broker.connect("userstats")
    state = (await userstats.jetstream().stream_info("CHAT")).state
    assert (state.first_seq, state.messages) == (1, stored)


async def test_the_largest_event_fits_with_its_headers_and_a_larger_one_does_not(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    js = bridge.jetstream()
    identity = {"Nats-Msg-Id": "p" * 64 + ":9223372036854775807"}
    assert (await js.publish(SUBJECT, b"x" * wire.LARGEST, headers=identity)).seq == 1
    with pytest.raises(nats.js.errors.APIError) as refused:
        await js.publish(SUBJECT, b"x" * (wire.LARGEST + 1025))
    assert refused.value.err_code == 10054


async def test_nobody_purges_the_event_log(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    await bridge.jetstream().publish(SUBJECT, b"1")
    provisioner = await fresh_broker.connect("provision")
    with pytest.raises(StreamError, match="purge"):
        await ask(provisioner, "STREAM.PURGE.CHAT")
    assert (await provisioner.jetstream().stream_info("CHAT")).state.messages == 1


async def test_an_external_broker_is_provisioned_the_same_way(external: Callable[[str], str], tmp_path: Path) -> None:
    address = external(f'jetstream {{ store_dir: "{tmp_path}/js" }}')
    settings = NatsSettings(servers=(f"nats://{address}",))
    client = await connect(settings, "provision", name="test")
    stream = StreamSettings(max_bytes=10**8)
    assert await provision(client, stream, embedded=False) == ()
    assert await check(client, stream, embedded=False) == ()
    leases = await client.jetstream(prefix=settings.api("bridge_demo")).key_value("chat_leases")
    assert await leases.put("demo.a.b", b"me") == 1
    await client.close()


async def test_a_broker_without_jetstream_is_named_as_such(external: Callable[[str], str]) -> None:
    client = await connect(NatsSettings(servers=(f"nats://{external('')}",)), "provision", name="test")
    with pytest.raises(StreamError, match="JetStream"):
        await provision(client, StreamSettings(), embedded=True)
    await client.close()
