"""The generated files of the Kubernetes template."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from . import broker, secrets

FOLDER: Final = Path(__file__).parent / "kubernetes"


def generated() -> dict[Path, str]:
    """Every file and its text."""
    return {
        FOLDER / "base" / "nats-server.conf": broker.text(),
        FOLDER / "example" / "secrets.env.example": secrets.example(),
    }
