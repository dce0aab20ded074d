"""`python -m bridges <name>` as a process: it starts, stops when told to, and says what is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridges.__main__ import names
from tests.bridges.observed import opened, stream, until
from tests.bridges.stage import SETTINGS, userstats
from tests.brokers import Brokers
from userstats.contract.events import BridgeStarted, BridgeStopped

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = {
    "nats": {"port": -1},
    "demo": {"rooms": ["grindhouse"], "history_hours": 0},
    "bridge": {"lease_seconds": 2, "renew_seconds": 0.5, "settings_seconds": 0.2, "stop_seconds": 2},
    "log": {"format": "json"},
}


class Bridge:
    """A running bridge process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode())

    async def ended(self) -> int:
        async with asyncio.timeout(20):
            await self.reading
            return await self.process.wait()

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)


async def bridge(folder: Path, config: dict[str, Any] | None = None, name: str = "demo") -> Bridge:
    """`python -m bridges <name>` in this folder."""
    (folder / "config.json").write_text(json.dumps(config or CONFIG))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridges", name, "--config", str(folder / "config.json"),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return Bridge(process)


async def test_a_bridge_process_observes_publishes_and_says_goodbye_when_terminated(fresh_broker: Brokers) -> None:
    await userstats(fresh_broker, SETTINGS)
    started = await bridge(fresh_broker.folder)
    await until(lambda: started.said("demo/demo.local/grindhouse: watching"), 30)
    await asyncio.sleep(0.5)
    started.process.send_signal(signal.SIGTERM)

    assert await started.ended() == 0
    events = await stream(fresh_broker)
    assert isinstance(events[0], BridgeStarted)
    assert [event.reason for event in events if isinstance(event, BridgeStopped)] == ["stopped"]
    assert [event.n for event in events] == list(range(1, len(events) + 1))
    assert json.loads(started.lines[-1])["message"] == "stopped; 0 events wait for the next start"


async def test_a_bridge_stops_at_once_while_it_waits_for_a_broker(tmp_path: Path) -> None:
    started = await bridge(tmp_path)
    await until(lambda: started.said("trying again"), 30)
    started.process.send_signal(signal.SIGINT)

    assert await started.ended() == 0


async def test_a_second_process_of_the_same_bridge_leaves_the_outbox_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "data" / "outbox" / "demo.db"):
        second = await bridge(tmp_path)

        assert await second.ended() == 3
        assert second.said("demo.db is used by another process")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"bridge": {"beat_second": 3}}, "$.bridge.beat_second: unknown setting; did you mean 'beat_seconds'?"),
        ({"bridge": {"grace_seconds": 0}}, "$.bridge.grace_seconds: expected `float` > 0"),
        ({"bridge": {"renew_seconds": 4}}, "$.bridge: `renew_seconds` must be at most a third of `lease_seconds`"),
        ({"log": {"level": "loud"}}, "$.log.level"),
        ({"demo": {"rooms": []}}, "$.demo.rooms"),
    ],
)
async def test_a_wrong_setting_is_named_by_its_path(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    started = await bridge(tmp_path, config)

    assert await started.ended() == 2
    assert started.said(f"bridge demo: {said}")


async def test_a_key_that_is_none_is_said_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pseudonym.key").write_text("not hexadecimal at all")
    started = await bridge(tmp_path)

    assert await started.ended() == 2
    assert started.said("the pseudonym key is not hexadecimal")
    assert not started.said("not hexadecimal at all")


def test_the_folders_are_the_list_of_bridges() -> None:
    assert "demo" in names()
    assert set(names()).isdisjoint({"text", "cytube_room"})


def test_nothing_happens_at_import(tmp_path: Path) -> None:
    modules = [f"bridges.{file.stem}" for file in (ROOT / "bridges").glob("*.py")]
    forbid = "\n".join(
        [
            "import sys",
            "def hook(event, arguments):",
            "    assert not event.startswith('socket.'), event",
            "    assert event != 'open' or set(str(arguments[1])) & set('wax+') == set(), arguments",
            "sys.dont_write_bytecode = True",
            "sys.addaudithook(hook)",
            *(f"import {module}" for module in modules),
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", forbid], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert list(tmp_path.iterdir()) == []
