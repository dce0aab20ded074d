"""Keyed hashes: how people, names and facts are called on the wire without saying who or what they are.

One secret key, made once and shared by all parts of an installation, stands between the stream and the names.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

_SEPARATOR = "\x1f"
_MASK = 2**63 - 1
FIRST_PERSON: Final = 2**48
"""Lower numbers stand for people who want to be counted as nobody; no account has one."""


class Pseudonyms:
    """Keyed 63-bit hashes. A collision among a million people has a chance of about one in ten million."""

    def __init__(self, key: bytes, generations: Mapping[str, int] | None = None) -> None:
        if len(key) < 16:
            raise ValueError("the pseudonym key has fewer than 16 bytes")
        self._key = key[:64]
        self._people: dict[tuple[str, str], int] = {}
        self._names: dict[str, int] = {}
        self._nobodies: dict[tuple[int, str], int] = {}
        self._generations = dict(generations or {})

    def person(self, platform: str, account: str) -> int:
        """The pseudonym of one account. CyTube accounts are casefolded names (names compare case-insensitively)."""
        known = self._people.get((platform, account))
        if known is None:
            account_key = self._hash("account", platform, account)
            generation = self._generations.get(str(account_key), 0)
            known = self._hash("person", platform, account, str(generation))
            while known < FIRST_PERSON:
                known = self._hash("person", platform, account, str(generation), str(known))
            _bounded(self._people)[platform, account] = known
        return known

    def anonymous(self, person: int, watch: str) -> int:
        """Who this person is for as long as this watch lasts: a number that is nobody's, below `FIRST_PERSON`."""
        known = self._nobodies.get((person, watch))
        if known is None:
            known = self._hash("anonymous", str(person), watch) % (FIRST_PERSON - 1) + 1
            _bounded(self._nobodies)[person, watch] = known
        return known

    def name(self, name: str) -> int:
        """The key of a name as it is said: upper and lower case are one."""
        folded = name.casefold()
        known = self._names.get(folded)
        if known is None:
            known = self._hash("name", folded)
            _bounded(self._names)[folded] = known
        return known

    def event(self, *natural: str | int) -> int:
        """The id of the fact that is identified by these words on its platform."""
        return self._hash("event", *map(str, natural))

    def _hash(self, *words: str) -> int:
        text = _SEPARATOR.join(words).encode("utf-8", "surrogatepass")
        number = int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest(), "big") & _MASK
        return number or 1


def _bounded(cache: dict, limit: int = 100_000) -> dict:  # type: ignore[type-arg]
    if len(cache) >= limit:
        cache.clear()
    return cache


def load_key(path: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The installation's key: from USERSTATS_PSEUDONYM_KEY (hex), else from the file, made if absent (0600)."""
    from_environment = environment.get("USERSTATS_PSEUDONYM_KEY", "")
    if from_environment:
        return _key_of(from_environment, "USERSTATS_PSEUDONYM_KEY")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        temporary.touch(mode=0o600)
        temporary.write_text(secrets.token_hex(32) + "\n")
        try:
            os.link(temporary, path)  # whoever links first wins; the others read what the winner wrote
        except FileExistsError:
            pass
        except OSError:
            temporary.replace(path)
        temporary.unlink(missing_ok=True)
    return _key_of(path.read_text(), str(path))


def _key_of(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError as error:
        raise ValueError(f"{where}: the pseudonym key is not hexadecimal") from error
    if len(key) < 16:
        raise ValueError(f"{where}: the pseudonym key has fewer than 16 bytes")
    return key
