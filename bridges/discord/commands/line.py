"""Asking userstats, and its refusals in words. What went wrong on the way is an answer like any other."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
import nats.errors

from .plain import all_of, plain, quoted, sentence

log = logging.getLogger(__name__)

SECONDS: Final = 12.0
"""For an answer: userstats gives up after 10."""
GONE, LATE, SENSELESS = 503, 504, 502
_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.)*)'")


class Asks(Protocol):
    """What reaches userstats (see `bridges/way.py`)."""

    async def ask(self, question: str, request: Mapping[str, Any], timeout: float, account: str = "") -> bytes: ...


class Keeps(Protocol):
    """What keeps a text over a restart (see `bridges/outbox.py`)."""

    def recall(self, key: str) -> str | None: ...

    async def remember(self, key: str, value: str) -> None: ...


class Line:
    """The line to userstats. It says once that it is cut, and once that it is not any more."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self._cut = ""

    async def ask(
        self, question: str, request: Mapping[str, Any], account: str = "", timeout: float = SECONDS
    ) -> dict[str, Any]:
        """The reply or the refusal, as JSON has it."""
        try:
            data = await self._asks.ask(question, request, timeout, account)
            reply = msgspec.json.decode(data)
            if not isinstance(reply, dict) or not ("data" in reply or "message" in reply.get("error", ())):
                raise msgspec.DecodeError("no envelope")
        except TimeoutError:
            return self._failed(question, LATE, "no answer in time")
        except (nats.errors.Error, OSError) as error:
            return self._failed(question, GONE, type(error).__name__)
        except (msgspec.MsgspecError, TypeError, RecursionError):
            return self._failed(question, SENSELESS, "an answer that makes no sense")
        if self._cut:
            log.info("commands: userstats answers again")
        self._cut = ""
        return reply

    def _failed(self, question: str, code: int, why: str) -> dict[str, Any]:
        if self._cut != why:
            log.warning("commands: userstats does not answer %s (%s)", question, why)
        self._cut = why
        return {"success": False, "question": question, "error": {"code": code, "message": "", "details": {}}}


def refused(reply: Mapping[str, Any]) -> bool:
    """Whether it is no answer."""
    return not reply.get("success")


def in_words(reply: Mapping[str, Any], *, guild: str = "", operator: bool = False) -> str:
    """Why there is no answer, as a message. Other places are named to operators only."""
    error = reply.get("error") or {}
    message, details = str(error.get("message", "")), error.get("details") or {}
    if not message:
        return _SAID.get(error.get("code"), _SAID[SENSELESS])
    if "known" in details and not operator:
        return "Nothing was counted there yet."
    if guild:
        message = message.replace(f" on {guild}", " on this server").replace(f"discord:{guild}", "this server")
    words = [_marked(message)]
    if like := suggested(reply):
        words.append(f"did you mean {all_of(like)}?")
    elif details.get("known"):
        words.append(f"known are {all_of(details['known'])}")
    return sentence("; ".join(words))


def suggested(reply: Mapping[str, Any]) -> list[str]:
    """What was probably meant."""
    like = ((reply.get("error") or {}).get("details") or {}).get("did_you_mean") or []
    return [str(one) for one in like[:5]]


def _marked(message: str) -> str:
    """The message; what was quoted in it stands between backticks."""
    pieces = []
    at = 0
    for match in _QUOTED.finditer(message):
        pieces += [plain(message[at : match.start()]), quoted(match.group(1)) if match.group(1) else "``"]
        at = match.end()
    return "".join([*pieces, plain(message[at:])])


_SAID: Final[Mapping[object, str]] = {
    GONE: "The statistics do not answer at the moment. Nothing is lost; ask again in a minute.",
    LATE: "The statistics took too long for this one. Ask again in a minute, or for a shorter period.",
    SENSELESS: "The statistics gave an answer that makes no sense here. Bridge and userstats may be of two versions.",
}
