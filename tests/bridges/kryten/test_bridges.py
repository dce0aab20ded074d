"""Which rooms the bridge takes, and how it reaches a broker of somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
import pytest

from bridges.bridge import Bridge
from bridges.kryten import bridges
from tests.bridges.cytube.watching import Watching
from userstats.contract.config import ConfigError, from_document
from userstats.contract.kryten import KrytenSettings

from .robot import Robot, user

EXTERNAL = """
jetstream {{ store_dir: "{store}" }}
authorization {{ users: [
  {{ user: kryten, password: "not-to-be-logged" }}
  {{ user: deaf, password: deaf, permissions: {{ subscribe: ["_INBOX.>"], publish: ">" }} }}
] }}
"""


def made(*channels: Any, auto: str | None = None, **sections: Any) -> list[Bridge]:
    environment = {} if auto is None else {"USERSTATS_AUTO_VIA": auto}
    return bridges(from_document({"channels": list(channels), **sections}), environment)


def room(channel: str, via: str = "auto", domain: str = "cytu.be") -> dict[str, str]:
    return {"domain": domain, "channel": channel, "via": via}


@pytest.mark.parametrize(
    ("auto", "taken"), [(None, ["second"]), ("cytube", ["second"]), ("kryten", ["first", "second"])]
)
def test_only_rooms_that_are_left_to_a_robot_are_taken(auto: str | None, taken: list[str]) -> None:
    found = made(room("First"), room("Second", "kryten"), room("Third", "cytube"), auto=auto)

    assert [(bridge.name, bridge.place.space, bridge.place.channel) for bridge in found] == [
        ("kryten", "cytu.be", channel) for channel in taken
    ]


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"channels": [room("a b", "kryten")]}, "$.channels[0]"),
        ({"channels": [room("a", "kryten"), room("A", "kryten", "CYTU.BE")]}, "$.channels[1]"),
        ({"kryten": {"server": ["nats://x"]}}, "$.kryten.server"),
        ({"kryten": {"heartbeat_seconds": 0}}, "$.kryten.heartbeat_seconds"),
    ],
)
def test_a_wrong_setting_is_named_by_its_path(sections: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        bridges(from_document(sections))

    assert refused.value.path == path


def test_the_settings_keep_their_secrets() -> None:
    settings = KrytenSettings(servers=("nats://me:secret@host",), user="me", password="secret", token="secret")

    assert "secret" not in repr(settings)


async def test_a_robot_on_a_broker_of_its_own_is_heard_with_user_and_password(
    external: Callable[[str], str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    address = external(EXTERNAL.format(store=tmp_path / "kryten"))
    client = await nats.connect(f"nats://kryten:not-to-be-logged@{address}")
    robot = Robot(client)
    await robot.keep(users=[user("Alice")])
    await robot.start()
    kryten = {"servers": [f"nats://{address}"], "user": "kryten", "password": "not-to-be-logged"}
    (bridge,) = made(room("420Grindhouse", "kryten"), kryten=kryten)
    async with Watching(bridge) as seen:
        await seen.until(lambda: seen.of("RosterSeen"))
    await client.close()

    assert seen.of("RosterSeen")[0]["people"] == [{"person": "alice", "afk": False}]
    assert "not-to-be-logged" not in caplog.text


@pytest.mark.parametrize(
    ("user_name", "said"),
    [("deaf", "Kryten's broker does not let us hear the robot"), ("nobody", "Kryten's broker: the broker does not")],
)
async def test_a_broker_that_does_not_let_us_hear_refuses_the_watch(
    external: Callable[[str], str], tmp_path: Path, user_name: str, said: str
) -> None:
    address = external(EXTERNAL.format(store=tmp_path / "kryten"))
    kryten = {"servers": [f"nats://{address}"], "user": user_name, "password": "deaf"}
    (bridge,) = made(room("420Grindhouse", "kryten"), kryten=kryten)
    async with Watching(bridge) as seen:
        ended = await seen.ended()

    assert (ended.reason, ended.retry_in, seen.observations) == ("refused", 60.0, [])
    assert ended.explanation.startswith(said)
