"""How the command line ends."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final


class Exit(IntEnum):
    """Exit codes. Scripts rely on them."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    TIMEOUT = 5
    REFUSED = 6


_OF_CODE: Final = {400: Exit.USAGE, 403: Exit.REFUSED, 404: Exit.NOT_FOUND, 504: Exit.TIMEOUT}


class Trouble(Exception):
    """The program ends here: a code, and one sentence for stderr."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refused(error: dict[str, Any]) -> Trouble:
    """The trouble behind an `error` of a reply, with what was probably meant."""
    details = error.get("details") or {}
    message = str(error["message"])
    if meant := details.get("did_you_mean"):
        message = f"{message}; did you mean {' or '.join(map(str, meant))}?"
    elif known := details.get("known"):
        message = f"{message}; known are {', '.join(map(str, known))}"
    return Trouble(_OF_CODE.get(error["code"], Exit.FAILURE), message)
