"""Reading a body that may be anything: what is not of the kind looked for counts as absent, the schemas judge that."""

from __future__ import annotations

from typing import Any


def dicts(value: object) -> list[dict[str, Any]]:
    """The objects in a list, none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A string, "" for anything else."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int:
    """A whole number, 0 for anything else."""
    return value if isinstance(value, int) else 0
