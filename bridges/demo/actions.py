"""What can happen in a demo room."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .programme import Film


class Came(NamedTuple):
    """Somebody connects."""

    name: str


class Went(NamedTuple):
    """Somebody disconnects."""

    name: str


class Dozed(NamedTuple):
    """Somebody leaves the keyboard."""

    name: str


class Woke(NamedTuple):
    """Somebody is back at the keyboard."""

    name: str


class Said(NamedTuple):
    """Somebody says something in public."""

    name: str
    text: str


class Whispered(NamedTuple):
    """Somebody writes to the bot in private."""

    name: str
    text: str


class Played(NamedTuple):
    """Something begins to play."""

    film: Film


class Garbled(NamedTuple):
    """The platform sends something that nobody can read."""

    frame: str
    reason: Literal["too_big", "malformed"]
    size: int


Change = Came | Went | Dozed | Woke | Played
Action = Change | Said | Whispered | Garbled


class Scene(NamedTuple):
    """What one finds who enters the room."""

    present: tuple[tuple[str, bool], ...]
    """Who is here, and whether they are away from the keyboard."""
    film: Film
