"""The embedded broker as a process: its name, port, store, files, health, death."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.broker import BrokerFailed, EmbeddedBroker, StoreHeld
from tests.brokers import ANY_PORT, Brokers, started
from userstats.contract.broker import NatsSettings, connect, running

ROOT = Path(__file__).parents[1]

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux is asked to end orphans")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of loopback on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return "Z" in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


async def test_a_started_broker_is_alive_and_healthy_and_says_where_it_is(tmp_path: Path) -> None:
    async with EmbeddedBroker(ANY_PORT, tmp_path) as embedded:
        assert (embedded.alive, await embedded.healthy(), embedded.trouble) == (True, True, "")
        assert running(ANY_PORT, tmp_path) == embedded.running
    assert (embedded.alive, await embedded.healthy(), embedded.trouble) == (False, False, "not started")
    assert running(ANY_PORT, tmp_path) is None


async def test_every_acknowledged_message_is_on_the_disk(broker: Brokers) -> None:
    address = urlsplit(broker.running.monitor)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET /jsz HTTP/1.0\r\n\r\n")
    answer = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    assert json.loads(answer)["config"]["sync_always"] is True


async def test_a_broker_has_a_new_name_at_every_start(tmp_path: Path) -> None:
    embedded = EmbeddedBroker(ANY_PORT, tmp_path)
    names = set()
    for _ in range(2):
        names.add((await embedded.start()).server_name)
        await embedded.stop()
    assert len(names) == 2


async def test_a_taken_port_is_said_and_another_is_used(
    tmp_path: Path, taken_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with EmbeddedBroker(NatsSettings(port=taken_port), tmp_path) as embedded:
        assert embedded.running is not None
        url = embedded.running.url
    assert url != f"nats://127.0.0.1:{taken_port}"
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [f"port {taken_port} is taken by another program; the broker listens on {url} instead"]


async def test_a_port_that_is_taken_between_the_look_and_the_start_is_no_failure(
    tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.broker.probe.taken", lambda port: False)
    async with EmbeddedBroker(NatsSettings(port=taken_port), tmp_path) as embedded:
        assert embedded.running is not None
        assert embedded.running.url != f"nats://127.0.0.1:{taken_port}"


async def test_a_second_broker_on_one_store_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    async with EmbeddedBroker(ANY_PORT, tmp_path) as first:
        with pytest.raises(StoreHeld, match=f"a broker started by process {os.getpid()} on .* has it"):
            await EmbeddedBroker(ANY_PORT, tmp_path).start()
        assert await first.healthy()
        assert running(ANY_PORT, tmp_path) == first.running
    async with EmbeddedBroker(ANY_PORT, tmp_path) as second:
        assert await second.healthy()


async def test_a_broker_that_does_not_start_says_why(tmp_path: Path) -> None:
    store = tmp_path / "data" / "broker"
    store.mkdir(parents=True)
    (store / "jetstream").write_text("in the way")
    with pytest.raises(BrokerFailed, match=r"the broker did not start: .*\[FTL\].*"):
        await EmbeddedBroker(ANY_PORT, tmp_path).start()
    (store / "jetstream").unlink()
    async with EmbeddedBroker(ANY_PORT, tmp_path) as embedded:
        assert embedded.alive


async def test_a_killed_broker_is_noticed_and_can_be_started_again_with_its_streams(fresh_broker: Brokers) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    await bridge.jetstream().publish("chat.v1.event.demo.a.b.MessageSent", b"1")
    os.kill(fresh_broker.running.pid, signal.SIGKILL)
    assert await fresh_broker.embedded.wait() == -signal.SIGKILL
    assert (fresh_broker.embedded.alive, await fresh_broker.embedded.healthy()) == (False, False)
    await fresh_broker.embedded.start()
    userstats = await fresh_broker.connect("userstats")
    assert (await userstats.jetstream().stream_info("CHAT")).state.messages == 1


@LINUX_ONLY
async def test_a_stream_frozen_by_a_full_disk_is_reported_until_the_restart_that_mends_it(
    fresh_broker: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    bridge = await fresh_broker.connect("bridge_demo")
    subject, kilobytes = "chat.v1.event.demo.a.b.MessageSent", b"x" * 10_000
    limit = resource.RLIMIT_FSIZE
    resource.prlimit(fresh_broker.running.pid, limit, (50_000, resource.RLIM_INFINITY))
    with pytest.raises(TimeoutError):  # noqa: PT012 - which of them is the first too many is the server's business
        for _ in range(10):
            await bridge.jetstream().publish(subject, kilobytes, timeout=0.5)
    assert await fresh_broker.embedded.healthy() is False
    resource.prlimit(fresh_broker.running.pid, limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert await fresh_broker.embedded.healthy() is False
    assert "CHAT" in fresh_broker.embedded.trouble
    await fresh_broker.embedded.stop()
    await fresh_broker.embedded.start()
    assert await fresh_broker.embedded.healthy() is True
    said = [record.getMessage() for record in caplog.records if record.name == "scripts.broker"]
    assert len([line for line in said if "write error" in line]) == 1
    again = await fresh_broker.connect("bridge_demo")
    assert (await again.jetstream().publish(subject, b"after")).stream == "CHAT"


ORPHAN = """
import asyncio, json, sys
from pathlib import Path
from scripts.broker import EmbeddedBroker
from tests.brokers import ANY_PORT

async def main():
    broker = EmbeddedBroker(ANY_PORT, Path(sys.argv[1]))
    print(json.dumps([(await broker.start()).pid]), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def start_parent(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ORPHAN, str(folder)], cwd=ROOT, stdout=subprocess.PIPE)


@LINUX_ONLY
async def test_a_broker_dies_with_its_killed_parent_and_leaves_its_store_free(tmp_path: Path) -> None:
    parent = start_parent(tmp_path)
    assert parent.stdout is not None
    [pid] = json.loads(parent.stdout.readline())
    assert not gone(pid)
    with pytest.raises(StoreHeld, match=f"process {parent.pid} "):
        await EmbeddedBroker(ANY_PORT, tmp_path).start()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    async with EmbeddedBroker(ANY_PORT, tmp_path) as embedded:
        assert gone(pid)
        assert await embedded.healthy()


async def test_the_store_stays_held_for_as_long_as_the_server_lives(tmp_path: Path) -> None:
    """Where nothing kills an orphan (not Linux), nobody may start a second server beside it."""
    embedded = EmbeddedBroker(ANY_PORT, tmp_path)
    await embedded.start()
    embedded._lock.release()  # as if the parent were gone
    with pytest.raises(StoreHeld):
        await EmbeddedBroker(ANY_PORT, tmp_path).start()
    await embedded.stop()


async def test_nobody_but_the_owner_may_read_anything_in_the_store(tmp_path: Path) -> None:
    embedded = await started(tmp_path)
    await embedded.stop()
    await embedded.start()
    store = tmp_path / "data" / "broker"
    modes = {path: path.stat().st_mode & 0o777 for path in [store, *store.rglob("*")]}
    await embedded.stop()
    assert {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    assert {modes[path] for path in modes if path.suffix == ".nk"} == {0o600}


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_keys_are_made_once_and_no_seed_is_anywhere_but_in_its_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    embedded = await started(tmp_path)
    keys = tmp_path / "data" / "broker" / "keys"
    seeds = {path.name: path.read_bytes() for path in keys.iterdir()}
    await embedded.stop()
    await embedded.start()
    client = await connect(ANY_PORT, "client", name="test", folder=tmp_path)
    await client.close()
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == seeds
    await embedded.stop()
    others = [path for path in files_below(tmp_path) if path.parent != keys]
    everything = b"\n".join([caplog.text.encode(), *(path.read_bytes() for path in others)])
    assert len(others) > 5
    assert [name for name, seed in seeds.items() if seed in everything] == []


async def test_what_a_killed_broker_left_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    store = tmp_path / "data" / "broker"
    async with EmbeddedBroker(ANY_PORT, tmp_path) as embedded:
        assert embedded.running is not None
        ports = next((store / "ports").iterdir()).read_text()
        told = (store / "broker.json").read_text()
    (store / "ports" / "nats-server_1.ports").write_text(ports)
    (store / "broker.json").write_text(told)
    async with EmbeddedBroker(ANY_PORT, tmp_path) as embedded:
        assert running(ANY_PORT, tmp_path) == embedded.running
        assert embedded.running is not None
        assert embedded.running.server_name not in told
