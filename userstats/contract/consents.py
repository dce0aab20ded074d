"""What people want counted of them, and which accounts are one person. Use these from `events.py`.

Userstats records them on request; every bridge and every replica learns them in the order of the stream.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from .fact import Event, Key, Person, Token

Level = Literal["off", "anonymous", "counted", "shown"]
"""off: nothing is kept. anonymous: counted in the sums of a place, as nobody. counted: counted as themselves, and shown
to themselves only. shown: on boards and to whoever asks."""
LEVELS: Final[tuple[Level, ...]] = ("off", "anonymous", "counted", "shown")
Topic = Literal["messages", "voice", "presence"]
"""What a choice is about. messages: also reactions, threads, membership, and whatever is neither of the other two."""
TOPICS: Final[tuple[Topic, ...]] = ("messages", "voice", "presence")
CLOSED: Final[frozenset[Level]] = frozenset(("off", "anonymous"))
"""Levels at which nothing that tells of somebody may say who it is."""


class GoesBy(Struct, frozen=True, omit_defaults=True):
    """A name by which somebody is meant where it is said."""

    key: Key
    platform: Annotated[str, Meta(max_length=32, pattern=r"^[A-Za-z0-9_.-]*(?![\s\S])")] = ""
    """Empty: on every platform (an alias)."""
    space: Annotated[str, Meta(max_length=96)] = ""
    """Empty: in every space of the platform."""


class Choice(Struct, frozen=True, omit_defaults=True):
    """What somebody chose about a topic, as userstats tells bridges."""

    person: Person
    topic: Topic
    level: Level | None = None
    names: tuple[GoesBy, ...] = ()
    """By which others may thank them; told with the topic `messages`."""


class Choices(Struct, frozen=True):
    """A page of what people chose, oldest change first."""

    revision: int
    """Of the last change in this page: ask for what came after it."""
    latest: int
    """Of the last change there was. Lower than what was asked for: the choices are another installation's."""
    choices: tuple[Choice, ...] = ()


class ConsentChanged(Event, frozen=True, kw_only=True, tag="ConsentChanged"):
    """Somebody chose what may be counted of them. None takes the choice back: the installation's policy holds again."""

    person: Person
    topic: Topic
    level: Level | None = None
    names: Annotated[tuple[GoesBy, ...], Meta(max_length=64)] = ()
    """By which others may thank them; told where `messages` are off or anonymous from now on."""


class AccountsLinked(Event, frozen=True, kw_only=True, tag="AccountsLinked"):
    """Two accounts were proven to be one person's: a code shown to one was typed by the other."""

    person: Person
    other: Person
    link: Token
    """To undo it by."""


class AccountsUnlinked(Event, frozen=True, kw_only=True, tag="AccountsUnlinked"):
    """These accounts are taken apart again."""

    link: Token
