"""Reaching the broker: the embedded one and no other, an external one with its credentials, and coming back."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import nats.errors
import nats.js.errors
import nkeys
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from scripts.broker import EmbeddedBroker
from tests.brokers import ANY_PORT, Brokers
from userstats.contract.broker import (
    BrokerRefused,
    BrokerUnreachable,
    Connection,
    ConnectionEnded,
    NatsSettings,
    TlsSettings,
    connect,
    running,
    running_file,
)

PASSWORD = "correct-horse-battery"
SUBJECT = "chat.v1.event.demo.a.b.MessageSent"


def header_lines(headers: list[tuple[str, str]]) -> bytes:
    """Headers as they are on the wire."""
    return b"".join(f"{name}:{value}\r\n".encode("utf-8", "surrogatepass") for name, value in headers)


class Told:
    """What the callbacks of a connection were told, in order."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()

    @property
    def callbacks(self) -> dict[str, Any]:
        return {
            "on_gone": lambda: self.said.put_nowait("gone"),
            "on_back": lambda: self.said.put_nowait("back"),
            "on_error": self.errors.put_nowait,
        }

    async def next(self) -> str:
        return await asyncio.wait_for(self.said.get(), 20)

    async def error(self, kind: type[Exception]) -> Exception:
        async with asyncio.timeout(20):
            while not isinstance(error := await self.errors.get(), kind):
                pass
        return error


async def test_without_a_broker_connecting_ends_in_time_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnreachable, match="no embedded broker runs in data/broker"):
        await connect(NatsSettings(), "userstats", name="test", folder=tmp_path, within=0.2)


async def test_connecting_waits_for_a_broker_that_comes_later(tmp_path: Path) -> None:
    waiting = asyncio.ensure_future(connect(ANY_PORT, "userstats", name="test", folder=tmp_path, within=None))
    await asyncio.sleep(0.05)
    async with EmbeddedBroker(ANY_PORT, tmp_path) as embedded:
        connection = await asyncio.wait_for(waiting, 20)
        assert embedded.running is not None
        assert connection.server_name == embedded.running.server_name
        await connection.close()


async def test_an_adopted_orphan_is_told_nothing(fresh_broker: Brokers) -> None:
    """broker.json names another server than the one that answers at its address."""
    there = msgspec.structs.replace(fresh_broker.running, server_name="userstats-of-today")
    running_file(fresh_broker.settings, fresh_broker.folder).write_bytes(msgspec.json.encode(there))
    with pytest.raises(BrokerUnreachable, match="another server answers where the embedded broker should be"):
        await fresh_broker.connect("userstats", within=0.2)


async def test_a_connection_follows_the_broker_to_another_port_and_past_a_stranger(
    fresh_broker: Brokers, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told = Told()
    bridge = await fresh_broker.connect("bridge_demo", **told.callbacks)
    first, port = fresh_broker.running, int(fresh_broker.running.url.rsplit(":", 1)[1])
    os.kill(first.pid, signal.SIGKILL)
    await fresh_broker.embedded.wait()
    assert await told.next() == "gone"
    with pytest.raises(nats.errors.OutboundBufferLimitError):
        await bridge.publish(SUBJECT, b"nothing waits in memory")
    elsewhere = tmp_path_factory.mktemp("stranger")
    async with EmbeddedBroker(NatsSettings(port=port), elsewhere):
        stranger = await told.error(BrokerUnreachable)
        assert str(stranger) == "another server answers where the embedded broker should be"
        await fresh_broker.embedded.start()
        assert await told.next() == "back"
    assert (await bridge.jetstream().publish(SUBJECT, b"1")).seq == 1
    second = fresh_broker.running
    assert (bridge.server_name, second.url == first.url) == (second.server_name, False)
    mine = [record.getMessage() for record in caplog.records if record.getMessage().startswith("bridge_demo")]
    assert mine == [
        "bridge_demo: the broker is gone",
        "bridge_demo: another server answers where the embedded broker should be",
        f"bridge_demo: the broker is back ({second.server_name})",
    ]


async def test_subscriptions_come_back_with_the_broker(fresh_broker: Brokers) -> None:
    told = Told()
    userstats = await fresh_broker.connect("userstats", **told.callbacks)
    asked = await userstats.subscribe("userstats.v1.query.>")
    for _ in range(2):
        await fresh_broker.embedded.stop()
        assert await told.next() == "gone"
        await fresh_broker.embedded.start()
        assert await told.next() == "back"
    client = await fresh_broker.connect("client")
    await client.publish("userstats.v1.query.user.stats", b"still there?")
    assert (await asked.next_msg(timeout=5)).data == b"still there?"


async def test_closing_a_connection_is_not_told_as_a_loss(fresh_broker: Brokers) -> None:
    told = Told()
    for leave in ("close", "drain"):
        connection = await fresh_broker.connect("userstats", **told.callbacks)
        await getattr(connection, leave)()
    assert (told.said.qsize(), told.errors.qsize()) == (0, 0)


async def test_a_connection_that_the_broker_ends_for_good_says_so(fresh_broker: Brokers) -> None:
    told = Told()
    connection = await fresh_broker.connect("userstats", **told.callbacks)
    connection._transport.write(b"NONSENSE\r\n")  # type: ignore[union-attr]
    error = await told.error(ConnectionEnded)
    assert "the broker ended the connection" in str(error)
    assert (await told.next(), connection.is_closed) == ("gone", True)


@pytest.mark.parametrize(
    ("break_key", "why"),
    [
        (lambda path: path.unlink(), r"userstats\.nk cannot be read: No such file"),
        (lambda path: path.write_text("SUNONSENSE"), r"userstats\.nk holds no nkey seed"),
        (lambda path: path.write_bytes(b"\xff\xfe"), r"userstats\.nk holds no nkey seed"),
        (
            lambda path: path.write_bytes(nkeys.encode_seed(b"x" * 32, nkeys.PREFIX_BYTE_USER)),
            "the broker does not accept the role userstats",
        ),
    ],
)
async def test_a_key_that_cannot_be_used_is_refused_at_once(
    fresh_broker: Brokers, break_key: Callable[[Path], object], why: str
) -> None:
    break_key(fresh_broker.folder / "data" / "broker" / "keys" / "userstats.nk")
    with pytest.raises(BrokerRefused, match=why):
        await fresh_broker.connect("userstats", within=60)


async def test_one_user_and_password_is_enough_for_every_role_of_an_external_broker(
    external: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = external(f"authorization {{ user: somebody, password: {PASSWORD} }}")
    settings = NatsSettings(servers=(f"nats://{address}",), user="somebody", password=PASSWORD)
    connections = [
        await connect(settings, role, name="test") for role in ("provision", "userstats", "bridge_demo", "client")
    ]
    assert {(c.server_name, c.api, bytes(c._inbox_prefix)) for c in connections} == {("external", "$JS.API", b"_INBOX")}
    for connection in connections:
        await connection.close()
    assert PASSWORD not in caplog.text + repr(settings) + str(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"user": "somebody", "password": "wrong"},
        {"token": "wrong"},
        {},
    ],
)
async def test_a_wrong_credential_is_refused_at_once_and_not_repeated(
    external: Callable[[str], str], caplog: pytest.LogCaptureFixture, settings: dict[str, str]
) -> None:
    caplog.set_level(logging.DEBUG)
    address = external(f"authorization {{ user: somebody, password: {PASSWORD} }}")
    with pytest.raises(BrokerRefused, match="the broker does not accept the role userstats") as refused:
        await connect(NatsSettings(servers=(f"nats://{address}",), **settings), "userstats", name="t", within=60)  # type: ignore[arg-type]
    assert "wrong" not in caplog.text + str(refused.value)


async def test_a_password_in_an_address_is_used_and_never_logged(
    external: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = external(f"authorization {{ user: somebody, password: {PASSWORD} }}")
    settings = NatsSettings(servers=(f"nats://somebody:{PASSWORD}@{address}",))
    told = Told()
    connection = await connect(settings, "userstats", name="test", **told.callbacks)
    await connection.force_reconnect()
    assert [await told.next(), await told.next()] == ["gone", "back"]
    await connection.close()
    free = socket.create_server(("127.0.0.1", 0))
    nobody = NatsSettings(servers=(f"nats://somebody:{PASSWORD}@127.0.0.1:{free.getsockname()[1]}",))
    free.close()
    with pytest.raises(BrokerUnreachable) as unreachable:
        await connect(nobody, "userstats", name="test", within=0.2)
    assert PASSWORD not in caplog.text + str(unreachable.value)


@pytest.mark.parametrize("address", ["nats://user:hunter2", "nats://", "", "nats://[::1", "nats://h:hunter2/x"])
async def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(BrokerRefused) as refused:
        await connect(NatsSettings(servers=("nats://ok:1", address)), "userstats", name="test")
    assert str(refused.value) == "$.nats.servers[1] is not an address like nats://host:4222"


async def test_each_role_may_have_its_own_key_and_inbox_at_an_external_broker(
    external: Callable[[str], str], tmp_path: Path
) -> None:
    seed = nkeys.encode_seed(b"s" * 32, nkeys.PREFIX_BYTE_USER)
    (tmp_path / "client.nk").write_bytes(seed)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    address = external(
        f"authorization {{ users: [ {{ nkey: {public}, permissions: "
        '{ publish: "userstats.v1.query.>", subscribe: "mine.client.>" } } ] }'
    )
    settings = NatsSettings(
        servers=(f"nats://{address}",), nkey_seed_file="{role}.nk", inbox_prefix="mine.{role}", bridge_api="b.api"
    )
    told = Told()
    client = await connect(settings, "client", name="test", folder=tmp_path, **told.callbacks)
    with pytest.raises(nats.errors.NoRespondersError):
        await client.request("userstats.v1.query.user.stats", b"")
    assert (told.errors.qsize(), settings.api("bridge_demo"), settings.api("userstats")) == (0, "b.api", "$JS.API")
    await client.close()


def certificate(folder: Path) -> None:
    """A certificate for loopback, which is its own authority."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_tls_is_used_verified_and_never_done_without(external: Callable[[str], str], tmp_path: Path) -> None:
    certificate(tmp_path)
    secured = external(f'tls {{ cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem" }}')
    trusting = NatsSettings(servers=(f"nats://{secured}",), tls=TlsSettings(ca="cert.pem"))
    connection = await connect(trusting, "userstats", name="test", folder=tmp_path)
    assert connection.server_name == "external"
    await connection.close()
    strict = NatsSettings(servers=(f"tls://{secured}",))
    with pytest.raises(BrokerUnreachable, match="certificate verify failed"):
        await connect(strict, "userstats", name="test", within=0.2)
    plain = external("")
    for settings in (
        NatsSettings(servers=(f"nats://{plain}",), user="u", password=PASSWORD, tls=TlsSettings(ca="cert.pem")),
        NatsSettings(servers=(f"tls://{plain}",), user="u", password=PASSWORD),
    ):
        with pytest.raises(BrokerRefused, match="the broker offers no TLS, and the settings ask for it"):
            await connect(settings, "userstats", name="test", folder=tmp_path)
    with pytest.raises(BrokerRefused, match=r"\$\.nats\.tls cannot be used"):
        await connect(
            NatsSettings(servers=(f"nats://{secured}",), tls=TlsSettings(ca="absent.pem")), "client", name="test"
        )


async def test_a_broker_json_that_holds_nonsense_is_none(tmp_path: Path) -> None:
    file = running_file(ANY_PORT, tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text('{"url": 1}')
    assert running(ANY_PORT, tmp_path) is None


@given(st.binary(max_size=200) | st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))).map(header_lines))
def test_headers_are_read_as_nats_py_reads_them(raw: bytes) -> None:
    assert Connection._parse_header_lines(raw) == Client._parse_header_lines(raw)
