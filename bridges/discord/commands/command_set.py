"""What Discord is told that can be typed. The set does not depend on which questions there are: they are suggested."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

STATS: Final = "stats"
OPT_IN, OPT_OUT, PRIVACY, LINK = "opt_in", "opt_out", "privacy", "link"

_SUBCOMMAND, _STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL = 1, 3, 4, 5, 6, 7
_CHANNELS: Final = [0, 2, 5, 10, 11, 12, 13, 15]
"""Where something can be counted: text, voice, announcements, threads, stages, forums. No categories."""
_IN_GUILDS, _WITH_THE_BOT = 0, 1

FORMATS: Final = ("table", "csv", "json", "ndjson", "markdown")
"""The first is shown; others come as a file."""
TOPICS: Final = ("everything", "messages", "voice", "presence")
LEVELS: Final = ("shown", "counted", "anonymous")
LONGEST: Final = 200
"""Characters of what is typed freely."""
LONGEST_ARGUMENTS: Final = 1000


class Direct(NamedTuple):
    """An option of `/stats` that is a question's parameter, and nothing else."""

    option: str
    parameter: str


DIRECT: Final = (
    Direct("from", "from"), Direct("to", "to"), Direct("hours", "hours"), Direct("days", "days"),
    Direct("timezone", "tz"), Direct("limit", "limit"), Direct("kind", "kind"), Direct("step", "step"),
)  # fmt: skip


def commands() -> list[dict[str, Any]]:
    """The whole set, as Discord's API takes it."""
    what = _option(_STRING, "what", "What it is about; everything if you do not say", choices=_choices(TOPICS))
    level = _option(
        _STRING, "level", "shown on boards, counted for your eyes only, or anonymous; shown if you do not say",
        choices=_choices(LEVELS),
    )  # fmt: skip
    return [
        _command(STATS, "Ask for a statistic", _stats()),
        _command(OPT_IN, "Let yourself be counted", [what, level]),
        _command(OPT_OUT, "Do not be counted any more", [what]),
        _command(
            PRIVACY, "What holds for you", [_option(_SUBCOMMAND, "show", "What is counted of you, and who sees it")]
        ),
        _command(LINK, "Say that another account is yours, too", _link()),
    ]


def digest(application: str) -> str:
    """Another one means that the set must be told again."""
    told = msgspec.json.encode([application, commands()])
    return hashlib.blake2b(told, digest_size=16).hexdigest()


def _stats() -> list[dict[str, Any]]:
    return [
        _option(_STRING, "question", "What you want to know; type a word of it", required=True, typed=True),
        _option(_STRING, "person", "Somebody's name, or `me`", typed=True),
        _option(_USER, "member", "Somebody on this server"),
        _option(_CHANNEL, "channel", "Only in this channel", channel_types=_CHANNELS),
        _option(_STRING, "where", "Another place than this server: everywhere, cytube:cytu.be/room", typed=True),
        _option(_STRING, "period", "24h, 7d, 30d, all, 2026-01-01..2026-02-01", typed=True),
        _option(_STRING, "from", "From this day or moment on: 2026-01-31, 2026-01-31T18:00", max_length=40),
        _option(_STRING, "to", "Up to this moment, or the end of this day", max_length=40),
        _option(_INTEGER, "hours", "The last so many hours", min_value=1, max_value=999_999),
        _option(_INTEGER, "days", "The last so many days", min_value=1, max_value=99_999),
        _option(_STRING, "timezone", "Days and times are those of this zone: Europe/Berlin", typed=True),
        _option(_INTEGER, "limit", "At most so many rows", min_value=1, max_value=1000),
        _option(_STRING, "kind", "Which kind, where a question knows several", typed=True),
        _option(_STRING, "step", "hour, day, week or month, where a question goes by them", typed=True),
        _option(_STRING, "arguments", "Anything else: name=value name=\"two words\"", typed=True,
                max_length=LONGEST_ARGUMENTS),
        _option(_STRING, "format", "As a file instead of here", choices=_choices(FORMATS)),
        _option(_BOOLEAN, "private", "Only you see the answer"),
    ]  # fmt: skip


def _link() -> list[dict[str, Any]]:
    code = _option(_STRING, "code", "The code that was shown to your other account", required=True, max_length=64)
    return [
        _option(_SUBCOMMAND, "start", "Get a code to type with your other account"),
        _option(_SUBCOMMAND, "confirm", "Type the code that your other account was shown", options=[code]),
        _option(_SUBCOMMAND, "show", "Which accounts are yours, as far as it is proven"),
        _option(_SUBCOMMAND, "undo", "Your accounts are counted apart again"),
    ]


def _command(name: str, description: str, options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": name, "type": 1, "description": description, "options": list(options),
        "contexts": [_IN_GUILDS, _WITH_THE_BOT], "integration_types": [0],
    }  # fmt: skip


def _option(
    kind: int, name: str, description: str, *, required: bool = False, typed: bool = False, **more: Any
) -> dict[str, Any]:
    option: dict[str, Any] = {"type": kind, "name": name, "description": description, **more}
    if required:
        option["required"] = True
    if typed:
        option |= {"autocomplete": True, "max_length": more.get("max_length", LONGEST)}
    return option


def _choices(values: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": value, "value": value} for value in values]
