"""Frames: one Socket.IO event with its arguments, as it goes to a client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

Json = Any
"""Whatever JSON can say; None is null."""


class Frame:
    """One event on its way to any number of clients; it is encoded once.

    `args` is the exact argument list: () sends no argument, (None,) sends null.
    """

    __slots__ = ("_text", "args", "event")

    def __init__(self, event: str, *args: Json) -> None:
        self.event = event
        self.args = args
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The Socket.IO 5 packet, `2["event",...]`. ASCII, so that lone surrogates survive."""
        if self._text is None:
            self._text = "2" + json.dumps([self.event, *self.args], separators=(",", ":"))
        return self._text

    def __repr__(self) -> str:
        return f"Frame({self.event}, {len(self.args)} arguments)"


Deliver = Callable[[Frame], None]

_WHISPER: Final[Json] = {"addClass": "server-whisper", "addClassToNameAndTimestamp": True}


def server_line(text: str, at: int) -> Frame:
    """A line of the pseudo user `[server]`."""
    return Frame("chatMsg", {"username": "[server]", "msg": text, "meta": _WHISPER, "time": at})
