"""The pages of docs/reference that are written from the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from scripts import reference_configuration, reference_events, reference_metrics, reference_tables
from userstats import catalogue
from userstats.answer import Asked
from userstats.surfaces import openapi

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"


def generated() -> dict[Path, str]:
    """Every page and its text."""
    return {
        FOLDER / "configuration.md": reference_configuration.text(),
        FOLDER / "events.md": reference_events.text(),
        FOLDER / "tables.md": reference_tables.text(),
        FOLDER / "metrics.md": reference_metrics.text(),
        FOLDER / "openapi.json": _openapi(),
    }


def _openapi() -> str:
    asked = {name: Asked(question) for name, question in catalogue.read().questions.items()}
    return json.dumps(openapi.description(asked), indent=1, ensure_ascii=False) + "\n"
