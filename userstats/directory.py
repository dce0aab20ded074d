"""Who is who when asked: names to people, people to their latest name, and people who share an alias as one.

Names are resolved when a question is asked, so a corrected alias corrects the past.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from .asking import Refused, Scope
from .contract.pseudonym import Pseudonyms
from .store.meant import ACCOUNTS
from .store.seam import Reader

R = TypeVar("R")

_GROUPED = f"WITH {ACCOUNTS} SELECT person, main FROM accounts"
_LABELS = (
    "SELECT w.person, n.name, w.at FROM wearers w JOIN names n ON n.name_key = w.name_key WHERE w.person IN :people"
)
_WORE = "SELECT person, platform, space FROM wearers WHERE name_key = :key ORDER BY person"
_KEYS = """
SELECT name_key FROM wearers WHERE person IN :people
UNION SELECT alias FROM aliases WHERE owner IN (SELECT name_key FROM wearers WHERE person IN :people)
UNION SELECT alias FROM aliases WHERE owner = :owner
UNION SELECT owner FROM aliases WHERE owner = :owner
"""
_LATELY = """
SELECT n.name FROM (
    SELECT person, MAX(last_at) AS last_at FROM sightings{where} GROUP BY person ORDER BY 2 DESC, person LIMIT :most
) AS s JOIN wearers w ON w.person = s.person JOIN names n ON n.name_key = w.name_key ORDER BY s.last_at DESC, n.name
"""
SEEN: Final = """
SELECT p.platform, COUNT(*) FROM (
    SELECT person, MIN(place) AS place FROM sightings
    WHERE person NOT IN (SELECT person FROM wearers WHERE bot = 1) GROUP BY person
) AS s JOIN places p ON p.place = s.place GROUP BY p.platform ORDER BY p.platform
"""
"""How many people were ever seen, by platform; bots are no people."""
_LONGEST_COMPARED = 64
_MOST_COMPARED = 3_000
"""People, the latest seen first, whose names are compared with a name that nobody is known by."""


class Who(NamedTuple):
    """One person as the asker means them: all their accounts, and all names that thank them."""

    name: str
    """What to call them: the latest name of their main account, or the name as asked."""
    people: tuple[int, ...]
    """Their accounts; the main one first. Empty when only an alias is known and nobody has worn it."""
    keys: tuple[int, ...]
    """Keys of every name of theirs, aliases included."""


class Called(NamedTuple):
    """Somebody who is meant by a name: a person; or, where nobody wears it, the name's key."""

    number: int
    unworn: bool = False


class Directory:
    """Names and people, as of one reader's snapshot."""

    def __init__(self, reader: Reader, pseudonyms: Pseudonyms) -> None:
        self._reader = reader
        self._pseudonyms = pseudonyms
        self._main: dict[int, int] | None = None

    async def main(self) -> Mapping[int, int]:
        """For each person who shares an alias with others: the person who stands for all of them."""
        if self._main is None:
            self._main = dict(await self._reader.rows(_GROUPED))
        return self._main

    async def find(self, name: str, scope: Scope) -> Who:
        """The person called so. Refused: 404 nobody was ever seen by that name; 409 several are, on several sites."""
        key = self._pseudonyms.name(name)
        owners = await self._reader.rows("SELECT owner FROM aliases WHERE alias = :key AND owner > 0", {"key": key})
        owner = int(owners[0][0]) if owners else key
        found = await self._wearers(owner, scope) or await self._wearers(key, scope)
        if not found and not await self._reader.rows("SELECT 1 FROM aliases WHERE owner = :key", {"key": owner}):
            raise Refused(
                404, f"nobody called {name!r} was ever seen{_where(scope)}", did_you_mean=await self.like(name, scope)
            )
        mains = await self.main()
        chosen = {mains.get(person, person) for person, *_ in found}
        if len(chosen) > 1:
            sites = sorted({f"{platform}:{space}" for _, platform, space in found})
            raise Refused(409, f"{name!r} is several people: on {', '.join(sites)}; say which with domain", sites=sites)
        main = chosen.pop() if chosen else None
        people = () if main is None else (main, *sorted(p for p, m in mains.items() if m == main and p != main))
        labels = await self.labels(people)
        keys = await self._reader.rows(_KEYS, {"people": people, "owner": owner})
        label = labels.get(main, name) if main is not None else name
        return Who(label, people, tuple(sorted({owner, key, *(int(one) for (one,) in keys)})))

    async def like(self, name: str, scope: Scope, most: int = 3) -> list[str]:
        """Names of people lately seen there that are spelled nearly so."""
        sql = _LATELY.format(where=scope.where(" WHERE "))
        rows = await self._reader.rows(sql, {"most": _MOST_COMPARED, **scope.parameters})
        spelled = {one.casefold(): one for (one,) in reversed(rows)}
        folded = name.casefold()[:_LONGEST_COMPARED]
        close = await asyncio.to_thread(difflib.get_close_matches, folded, list(spelled), most, 0.6)
        return [spelled[one] for one in close]

    async def called(self, those: Iterable[Called]) -> dict[Called, str]:
        """What to call these: people by their latest name, names that nobody wears as they are."""
        wanted = list(dict.fromkeys(those))
        keys = tuple(one.number for one in wanted if one.unworn)
        rows = await self._reader.rows("SELECT name_key, name FROM names WHERE name_key IN :keys", {"keys": keys})
        texts = dict(rows)
        labels = await self.labels(one.number for one in wanted if not one.unworn)
        return {
            one: texts.get(one.number, _nameless(one.number)) if one.unworn else labels[one.number] for one in wanted
        }

    async def labels(self, people: Iterable[int]) -> dict[int, str]:
        """The latest name of each of these people; who has none is called `#` and the end of their pseudonym."""
        wanted = list(dict.fromkeys(people))
        newest: dict[int, tuple[int, str]] = {}
        for start in range(0, len(wanted), 500):
            for person, name, at in await self._reader.rows(_LABELS, {"people": wanted[start : start + 500]}):
                newest[person] = max(newest.get(person, (-1, "")), (at, name))
        return {person: newest[person][1] if person in newest else _nameless(person) for person in wanted}

    async def merged(self, rows: Sequence[tuple[int, int]], limit: int) -> list[tuple[str, int]]:
        """(person, number) rows with grouped people as one, largest first, named, cut to `limit`."""
        mains = await self.main()
        sums: dict[int, int] = {}
        for person, number in rows:
            main = mains.get(person, person)
            sums[main] = sums.get(main, 0) + number
        top = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:limit]
        labels = await self.labels(person for person, _ in top)
        return [(labels[person], number) for person, number in top]

    async def _wearers(self, key: int, scope: Scope) -> list[tuple[int, str, str]]:
        rows = await self._reader.rows(_WORE, {"key": key})
        return [
            (person, platform, space)
            for person, platform, space in rows
            if scope.platform in (None, platform) and scope.domain in (None, space)
        ]


def _nameless(number: int) -> str:
    return f"#{number % 10**6:06d}"


def _where(scope: Scope) -> str:
    return f" on {scope.domain}" if scope.domain else ""
