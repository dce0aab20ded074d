"""Prints secrets.env for the Kubernetes template: fresh passwords, keys and tokens, and places for what only you know.

Usage: python -m scripts.deploy.secrets > scripts/deploy/kubernetes/example/secrets.env
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from typing import Final

from .broker import PASSWORDS

GIVEN: Final = ("CYTUBE_NAME", "CYTUBE_PASSWORD", "DISCORD_BOT_TOKEN")
"""What nobody can make up."""
MADE: Final = ("USERSTATS_PSEUDONYM_KEY", "USERSTATS_HTTP_TOKEN", "USERSTATS_SERVICE_TOKEN")


def text(make: Callable[[str], str]) -> str:
    """The file; `make` makes a secret by its name."""
    return (
        "\n".join([*(f"{name}={make(name)}" for name in (*PASSWORDS, *MADE)), *(f"{name}=" for name in GIVEN)]) + "\n"
    )


def fresh(name: str) -> str:
    """A new secret. nats-server would take one that begins with a figure for a number."""
    return ("p" if name in PASSWORDS else "") + secrets.token_hex(32)


def example() -> str:
    """The file with nothing secret in it, and nothing that works."""
    return text(lambda _: "change-me")


if __name__ == "__main__":
    sys.stdout.write(text(fresh))
