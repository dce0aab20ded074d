"""What `scripts/up.py` decides before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scripts.plan import plan
from scripts.up import arguments
from userstats.contract.config import ConfigError, from_document

HERE = {"channels": [{"domain": "cytu.be", "channel": "a"}]}


@pytest.mark.parametrize(
    ("words", "config", "expected"),
    [
        ((), {}, ("embedded", True, (), "cytube")),
        (("--demo",), {}, ("embedded", True, ("demo",), "cytube")),
        ((), HERE, ("embedded", True, ("cytube",), "cytube")),
        (("--demo", "--channel", "cytu.be/b"), {}, ("embedded", True, ("cytube", "demo"), "cytube")),
        ((), {"channels": [{"domain": "cytu.be", "channel": "a", "via": "kryten"}]},
         ("embedded", True, ("kryten",), "cytube")),
        ((), {"discord": {"token": "t"}, **HERE}, ("embedded", True, ("cytube", "discord"), "cytube")),
        (("--only", "userstats"), HERE, ("embedded", True, (), "cytube")),
        (("--only", "bridge", "--bridge", "kryten"), HERE, ("none", False, ("kryten",), "kryten")),
        (("--only", "bridge", "--bridge", "demo"), HERE, ("none", False, ("demo",), "cytube")),
    ],
)  # fmt: skip
def test_what_runs_follows_from_the_configuration_and_the_command_line(
    words: tuple[str, ...], config: dict[str, Any], expected: tuple[object, ...]
) -> None:
    planned = plan(from_document(config), arguments(words))

    assert (planned.broker, planned.userstats, planned.bridges, planned.auto) == expected


def test_a_token_in_the_environment_is_enough_for_discord(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_BOT_TOKEN", "t")

    assert plan(from_document({}), arguments([])).bridges == ("discord",)


def test_where_a_configured_broker_answers_kryten_is_there_already(external: Callable[[str], str]) -> None:
    config = {"nats": {"servers": [f"nats://{external('')}"]}, **HERE}
    planned = plan(from_document(config), arguments(["--channel", "cytu.be/b"]))

    assert (planned.broker, planned.bridges, planned.auto) == ("external", ("cytube", "kryten"), "kryten")
    assert planned.rooms == ("cytu.be/b",)


def test_where_no_configured_broker_answers_an_embedded_one_is_used_without_their_credentials() -> None:
    nats = {"servers": ["nats://me:secret@127.0.0.1:1"], "user": "me", "password": "secret", "token": "t"}
    planned = plan(from_document({"nats": nats}), arguments([]))

    assert (planned.broker, planned.unanswered, planned.nats.embedded) == ("embedded", ("127.0.0.1:1",), True)
    assert (planned.nats.user, planned.nats.password, planned.nats.token) == ("", "", "")


def test_a_room_that_cannot_be_is_refused_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"^--channel: the address of a room is"):
        plan(from_document({}), arguments(["--channel", "cytu.be"]))
