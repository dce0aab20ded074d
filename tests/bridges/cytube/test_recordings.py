"""Every `<case>.json` beside this file: what was given, and what it meant. A bug report is a new file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .play import Player

CASES = sorted(Path(__file__).parent.glob("*.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_recording_means_what_it_says(case: Path) -> None:
    recording = json.loads(case.read_text())
    player = Player(own=recording.get("own", ""), bots=recording.get("bots", ()))

    player.play(recording["given"])

    assert player.spelled() == recording["expected"]
