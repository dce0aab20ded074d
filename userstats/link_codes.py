"""Codes that prove two accounts to be one person's: shown to one account, typed by the other. Kept in memory only."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

from .asking import Refused

VALID_MS: Final = 10 * 60_000
LONGEST: Final = 32
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without what is mistaken for something else. Eight of these are one of 850,000,000,000."""
_LENGTH: Final = 8
_ATTEMPTS: Final = 5
"""Wrong codes of one account within `VALID_MS`; after these it must wait."""
_MOST: Final = 10_000
"""Codes, and accounts that typed wrong ones, at once: nobody fills the memory with them."""


class Begun(NamedTuple):
    """A code that waits to be typed."""

    person: int
    platform: str
    on: str
    """The platform on which it must be typed; empty: any other than its own."""
    until: int
    """Milliseconds, UTC."""


class LinkCodes:
    """The codes that are valid now. One for each account; a new one takes the place of the last."""

    userstats_service = True

    def __init__(self) -> None:
        self._begun: dict[str, Begun] = {}
        self._wrong: dict[int, list[int]] = {}

    def begin(self, person: int, platform: str, on: str, now: int) -> str:
        """A new code for this account. Refused (429) while there are too many."""
        self._forget(now)
        for code in [code for code, begun in self._begun.items() if begun.person == person]:
            del self._begun[code]
        if len(self._begun) >= _MOST:
            raise Refused(429, "too many people are linking accounts at once; try again in a few minutes")
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        self._begun[code] = Begun(person, platform, on, now + VALID_MS)
        return code

    def typed(self, code: str, person: int, platform: str, now: int) -> Begun:
        """Who was shown this code, that this account typed now; after this it is not valid any more.

        Refused: 429 after too many wrong codes, 404 where it is no such code, or not one for this platform.
        """
        self._forget(now)
        wrong = self._wrong.get(person, [])
        if len(wrong) >= _ATTEMPTS or (not wrong and len(self._wrong) >= _MOST):
            raise Refused(429, "too many wrong codes; wait ten minutes, then begin anew")
        begun = self._begun.get(code.replace("-", "").upper())
        if begun is None or begun.person == person or platform not in _places(begun, platform):
            self._wrong[person] = [*wrong, now]
            raise Refused(404, "this code is wrong, over, or meant to be typed elsewhere")
        del self._begun[code.replace("-", "").upper()]
        return begun

    def _forget(self, now: int) -> None:
        """What is over."""
        for code in [code for code, begun in self._begun.items() if begun.until <= now]:
            del self._begun[code]
        for person, moments in list(self._wrong.items()):
            lately = [moment for moment in moments if now - moment < VALID_MS]
            self._wrong[person] = lately
            if not lately:
                del self._wrong[person]


def _places(begun: Begun, platform: str) -> tuple[str, ...]:
    """Where it may be typed, of this platform or none."""
    if begun.on:
        return (begun.on,)
    return () if platform == begun.platform else (platform,)
