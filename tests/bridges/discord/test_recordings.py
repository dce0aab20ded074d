"""Every `<case>.json` beside this file: what was given, and what it meant. A bug report is a new file.

`given` are dispatches (name, payload, milliseconds of arrival) after READY and GUILD_CREATE of the standard guild
(`play.standard`), or, where `bare` is true, after nothing. `grants` are the privileged intents that are granted,
`tracked` what the settings say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridges.discord.session import Grants

from .play import Player, started, tracking

CASES = sorted(Path(__file__).parent.glob("*.json"))


def played(recording: dict[str, Any]) -> list[dict[str, Any]]:
    """What a recording means."""
    granted = {name: name in recording["grants"] for name in Grants._fields} if "grants" in recording else {}
    player = Player(grants=Grants(**granted), tracked=tracking(**recording.get("tracked", {})))
    begun = player if recording.get("bare") else started(player)
    return begun.play(*recording["given"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_recording_means_what_it_says(case: Path) -> None:
    recording = json.loads(case.read_text())

    assert played(recording) == recording["expected"]
