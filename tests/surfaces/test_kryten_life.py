"""What userstats says of itself in Kryten's world, and how it gets on with a broker that comes and goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from tests.brokers import Brokers
from tests.e2e.processes import Part, ask, configure
from tests.surfaces.kryten_asking import Asking
from userstats.contract import subjects
from userstats.contract.broker_settings import NatsSettings
from userstats.contract.kryten import KrytenSettings, kryten_broker
from userstats.surfaces.kryten import link, linked

LIFE = subjects.kryten_lifecycle("userstats", "*")


class Heard:
    """What was said on a subject."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    @classmethod
    async def on(cls, client: Client, subject: str = LIFE) -> Heard:
        subscription = await client.subscribe(subject)
        await client.flush()
        return cls(subscription)

    async def next(self, moment: str) -> dict[str, Any]:
        """The next message of this moment; others before it are passed over."""
        async with asyncio.timeout(5):
            while True:
                message = await self._subscription.next_msg(timeout=5)
                found: dict[str, Any] = json.loads(message.data)
                heard = {message.subject.rpartition(".")[2]: found}
                for told in filter(None, [heard.get(moment)]):
                    return told


def constant(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what differs each time."""
    return {key: value for key, value in message.items() if key not in ("hostname", "timestamp", "uptime_seconds")}


ENDPOINTS = {"health": {"port": 28282, "path": "/health"}, "metrics": {"port": 28282, "path": "/metrics"}}
BASE = {"service": "userstats", "version": "1.2.3", "metadata": {"endpoints": ENDPOINTS}}


async def test_it_beats_answers_a_poll_and_a_starting_robot_and_says_goodbye(kryten: Asking) -> None:
    heard = await Heard.on(kryten.client)
    heartbeat = await heard.next("heartbeat")
    await kryten.client.publish(subjects.KRYTEN_DISCOVERY, b"{}")
    polled = await heard.next("startup")
    await kryten.client.publish(subjects.kryten_lifecycle("robot", "startup"), b"{}")
    again = await heard.next("startup")
    await kryten.surface.stop("Normal shutdown")
    goodbye = await heard.next("shutdown")

    assert [constant(one) for one in (heartbeat, polled)] == [BASE, BASE]
    assert constant(again) == {**BASE, "channels_configured": 2, "metrics_port": 28282, "re_announcement": True}
    assert constant(goodbye) == {**BASE, "reason": "Normal shutdown"}
    assert sorted(heartbeat) == sorted([*BASE, "hostname", "timestamp", "uptime_seconds"])
    assert heartbeat["timestamp"].endswith("+00:00")


async def test_after_it_has_stopped_nobody_answers(kryten: Asking) -> None:
    await kryten.surface.stop()

    with pytest.raises(nats.errors.NoRespondersError):
        await kryten.reply("system.ping")


async def test_it_answers_again_after_the_broker_was_away_and_says_so(kryten: Asking, fresh_broker: Brokers) -> None:
    await kryten.surface.stop()
    running = asyncio.create_task(linked(kryten.surface, fresh_broker.settings, fresh_broker.folder))
    before = await _pong(kryten)
    await fresh_broker.embedded.stop()
    await fresh_broker.embedded.start()
    client = await fresh_broker.keyless()
    heard = await Heard.on(client)
    startup = await heard.next("startup")
    kryten.client = client
    after = await _pong(kryten)
    running.cancel()
    goodbye = await heard.next("shutdown")
    await asyncio.wait([running])

    assert (before, after, constant(startup)) == (True, True, BASE)
    assert goodbye["reason"] == "Normal shutdown"


async def test_a_broker_that_refuses_is_tried_again_and_named_once(
    kryten: Asking, external: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link, "REFUSED_SECONDS", 0.05)
    address = external("authorization { user: kryten, password: secret-of-theirs }")
    settings = KrytenSettings(servers=(f"nats://{address}",), user="kryten", password="not-it")
    running = asyncio.create_task(linked(kryten.surface, kryten_broker(settings, NatsSettings(), Path()), Path()))
    await asyncio.sleep(0.5)
    still = not running.done()
    running.cancel()
    await asyncio.wait([running])

    said = [record.message for record in caplog.records if record.name == link.__name__]
    assert still
    assert said == ["Kryten's clients are not answered: the broker does not accept the role kryten"]
    assert "not-it" not in caplog.text


async def test_where_it_is_switched_off_nobody_answers(fresh_broker: Brokers) -> None:
    configure(fresh_broker.folder, nats={"port": -1}, http={"port": 0}, kryten={"answer": False})
    client, keyless = await fresh_broker.connect("client"), await fresh_broker.keyless()
    async with Part(fresh_broker.folder, "userstats"):
        assert (await ask(client, "system.ping"))["success"] is True
        with pytest.raises(nats.errors.NoRespondersError):
            await keyless.request(subjects.KRYTEN_COMMAND, b"{}")


async def _pong(asking: Asking) -> bool:
    """Ask until it is answered."""
    async with asyncio.timeout(10):
        while True:
            try:
                return bool((await asking.ask("system.ping"))["pong"])
            except (nats.errors.Error, OSError):
                await asyncio.sleep(0.05)
